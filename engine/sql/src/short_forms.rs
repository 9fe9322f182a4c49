//! Forms of DuckDB, PostgreSQL and Spark that the parser reads in another spelling.
//!
//! `FILTER (x > 1)` is FILTER (WHERE x > 1), `lambda x, y: x + y` is (x, y) -> x + y, `STRUCT(a INT)` and
//! `ROW(a INT)` are STRUCT<a INT>, `MAP<k, v>` is MAP(k, v), each `?` is the next of $1, $2 and so on, and a
//! comma before `]`, `}` or `)`, or behind the last row of VALUES, is none. `[x + 1 for x in list if x > 0]` is
//! list_transform over list_filter, and a column may be called `key`.

mod comprehension;
mod with_insert;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace, Word};

use crate::word::is_word;

/// Words that stand between two values, or before one: no type begins with them.
const NO_TYPES: &[&str] = &[
    "and", "as", "asc", "at", "between", "collate", "desc", "div", "else", "end", "from", "ilike",
    "in", "is", "like", "not", "nulls", "operator", "or", "order", "over", "regexp", "rlike",
    "similar", "then", "when", "where",
];

/// Words behind which a value stands and no type.
const NO_NAMES: &[&str] = &[
    "and",
    "between",
    "by",
    "case",
    "distinct",
    "else",
    "from",
    "having",
    "ilike",
    "in",
    "like",
    "not",
    "on",
    "or",
    "qualify",
    "returning",
    "select",
    "set",
    "then",
    "when",
    "where",
];

/// Words that are no names of fields where another word follows.
const NO_FIELDS: &[&str] = &["all", "case", "distinct", "exists", "not", "select", "with"];

/// Writes such forms in the parser's spelling.
pub(crate) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let tokens = with_insert::rewrite(comprehension::rewrite(tokens));
    let places: Vec<usize> = (0..tokens.len())
        .filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
        .collect();
    let mut changes = Changes {
        tokens: &tokens,
        places: &places,
        list: Vec::new(),
    };
    let mut open = Vec::new();
    let mut values = 0_usize;
    for at in 0..places.len() {
        let token = &tokens[places[at]].token;
        match token {
            Token::LParen => open.push(changes.begins_type(at)),
            Token::RParen if open.pop() == Some(true) => changes.put(at, vec![Token::Gt]),
            Token::Placeholder(written) if written == "?" => {
                values += 1;
                changes.put(at, vec![Token::Placeholder(format!("${values}"))]);
            }
            Token::Comma if changes.is_any(at + 1, &[Token::RBracket, Token::RBrace]) => {
                changes.put(at, Vec::new());
            }
            Token::Comma if changes.ends_list(at) => changes.put(at, Vec::new()),
            Token::Word(_) => changes.word(at),
            _ => {}
        }
    }
    changes.made()
}

/// What is to stand in the places of tokens, in their order.
struct Changes<'a> {
    tokens: &'a [TokenWithSpan],
    /// The tokens that are no blanks.
    places: &'a [usize],
    list: Vec<(usize, Vec<Token>)>,
}

impl Changes<'_> {
    fn put(&mut self, at: usize, instead: Vec<Token>) {
        self.list.push((self.places[at], instead));
    }

    fn at(&self, at: usize) -> Option<&TokenWithSpan> {
        self.places.get(at).map(|place| &self.tokens[*place])
    }

    fn is_any(&self, at: usize, expected: &[Token]) -> bool {
        self.at(at)
            .is_some_and(|found| expected.contains(&found.token))
    }

    fn is_one_of(&self, at: usize, words: &[&str]) -> bool {
        self.at(at)
            .is_some_and(|found| words.iter().any(|word| is_word(found, word)))
    }

    fn is_name(&self, at: usize) -> bool {
        self.at(at)
            .is_some_and(|found| matches!(found.token, Token::Word(_)))
    }

    /// Says whether the bracket at a place holds the fields of a type, and writes it as the parser does.
    fn begins_type(&mut self, at: usize) -> bool {
        let is_type = at > 0
            && self.is_one_of(at - 1, &["struct", "row"])
            && self.is_name(at + 1)
            && self.is_name(at + 2)
            && !self.is_one_of(at + 1, NO_FIELDS)
            && !self.is_one_of(at + 2, NO_TYPES);
        if is_type {
            self.put(at - 1, vec![word("STRUCT", Keyword::STRUCT)]);
            self.put(at, vec![Token::Lt]);
        }
        is_type
    }

    /// Says whether a comma stands behind the last value of a list in brackets, or behind the last row of VALUES.
    fn ends_list(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).and_then(|before| self.at(before)) else {
            return false;
        };
        match self.at(at + 1).map(|next| &next.token) {
            Some(Token::RParen) => !matches!(before.token, Token::LParen | Token::Comma),
            None | Some(Token::SemiColon | Token::EOF) => before.token == Token::RParen,
            Some(_) => false,
        }
    }

    /// Says whether `key` names a column of CREATE TABLE: the parser takes it for MySQL's index.
    fn is_column_called_key(&self, at: usize) -> bool {
        let is_type = self.is_any(at + 2, &[Token::Comma, Token::RParen])
            || self.is_one_of(
                at + 2,
                &["not", "null", "primary", "unique", "default", "check"],
            )
            || (self.is_any(at + 2, &[Token::LParen])
                && matches!(
                    self.at(at + 3).map(|inner| &inner.token),
                    Some(Token::Number(..))
                ));
        at > 0
            && self.is_one_of(at, &["key"])
            && self.is_one_of(0, &["create"])
            && !(0..at).any(|before| self.is_one_of(before, &["select"]))
            && self.is_any(at - 1, &[Token::LParen, Token::Comma])
            && self.is_name(at + 1)
            && is_type
    }

    fn word(&mut self, at: usize) {
        if self.is_column_called_key(at) {
            self.put(
                at,
                vec![Token::Word(Word {
                    value: "key".to_owned(),
                    quote_style: Some('"'),
                    keyword: Keyword::NoKeyword,
                })],
            );
        }
        if self.is_one_of(at, &["filter"])
            && at > 0
            && self.is_any(at - 1, &[Token::RParen])
            && self.is_any(at + 1, &[Token::LParen])
            && !self.is_one_of(at + 2, &["where"])
        {
            let opening = vec![
                Token::LParen,
                word("WHERE", Keyword::WHERE),
                Token::Whitespace(Whitespace::Space),
            ];
            self.put(at + 1, opening);
        }
        if self.is_one_of(at, &["lambda"])
            && let Some((names, colon)) = self.parameters(at + 1)
        {
            let mut instead = vec![Token::LParen];
            for (place, name) in names.into_iter().enumerate() {
                if place > 0 {
                    instead.push(Token::Comma);
                }
                instead.push(name);
            }
            instead.extend([Token::RParen, Token::Arrow]);
            self.put(at, instead);
            for place in at + 1..=colon {
                self.put(place, Vec::new());
            }
        }
        if self.is_one_of(at, &["map"])
            && self.is_any(at + 1, &[Token::Lt])
            && self.is_name(at + 2)
            && self.may_be_type(at)
            && let Some(end) = self.end_of_map(at + 1)
        {
            self.put(at + 1, vec![Token::LParen]);
            self.put(end, vec![Token::RParen]);
        }
    }

    /// Says whether a type may stand at a place: behind a name, a cast, or within another type.
    fn may_be_type(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).and_then(|before| self.at(before)) else {
            return false;
        };
        match before.token {
            Token::DoubleColon | Token::Lt => true,
            Token::Comma => self.is_within_map(at),
            Token::Word(_) => !self.is_one_of(at - 1, NO_NAMES),
            _ => false,
        }
    }

    /// Says whether a place lies within a map that has been found.
    fn is_within_map(&self, at: usize) -> bool {
        let place = self.places[at];
        let ends = self
            .list
            .iter()
            .filter(|(_, instead)| *instead == [Token::RParen]);
        ends.into_iter().any(|(end, _)| *end > place)
    }

    /// Reads `x, y:`; returns the names and the place of the colon.
    fn parameters(&self, mut at: usize) -> Option<(Vec<Token>, usize)> {
        let mut names = Vec::new();
        loop {
            let name = self.at(at).filter(|_| self.is_name(at))?;
            names.push(name.token.clone());
            if self.is_any(at + 1, &[Token::Colon]) {
                return Some((names, at + 1));
            }
            if !self.is_any(at + 1, &[Token::Comma]) {
                return None;
            }
            at += 2;
        }
    }

    /// Finds the `>` that ends `MAP<key, value>`, where nothing but words and brackets stand between.
    fn end_of_map(&self, begin: usize) -> Option<usize> {
        let mut depth = 0_usize;
        let mut has_comma = false;
        for at in begin..self.places.len() {
            match &self.at(at)?.token {
                Token::Lt => depth += 1,
                Token::Gt => depth -= 1,
                Token::Comma => has_comma |= depth == 1,
                Token::Word(_)
                | Token::LParen
                | Token::RParen
                | Token::LBracket
                | Token::RBracket
                | Token::Colon
                | Token::Number(..) => {}
                _ => return None,
            }
            if depth == 0 {
                return has_comma.then_some(at);
            }
        }
        None
    }

    fn made(mut self) -> Vec<TokenWithSpan> {
        if self.list.is_empty() {
            return self.tokens.to_vec();
        }
        self.list.sort_by_key(|(place, _)| *place);
        let mut changes = self.list.into_iter().peekable();
        let mut made = Vec::with_capacity(self.tokens.len() + 8);
        for (place, token) in self.tokens.iter().enumerate() {
            match changes.next_if(|(other, _)| *other == place) {
                None => made.push(token.clone()),
                Some((_, instead)) => {
                    made.extend(instead.into_iter().map(|instead| TokenWithSpan {
                        token: instead,
                        span: token.span,
                    }))
                }
            }
        }
        made
    }
}

fn word(value: &str, keyword: Keyword) -> Token {
    Token::Word(Word {
        value: value.to_owned(),
        quote_style: None,
        keyword,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::rewrite;
    use crate::DIALECT;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let tokens = Tokenizer::new(&DIALECT, text).tokenize_with_location();
        let written: String = rewrite(tokens.unwrap())
            .iter()
            .map(|token| token.token.to_string())
            .collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn types_of_structs_and_maps_are_written_with_angles() {
        check(
            "x::STRUCT(a INT, b ROW(c DECIMAL(3, 1))[])",
            "x::STRUCT<a INT, b STRUCT<c DECIMAL(3, 1)>[]>",
        );
        check(
            "m MAP<STRING, MAP<INT, INT> >",
            "m MAP(STRING, MAP(INT, INT) )",
        );
        check(
            "row(a, b), struct(a AS b), row(a IS NULL)",
            "row(a, b), struct(a AS b), row(a IS NULL)",
        );
        check("SELECT map < b, a > 2", "SELECT map < b, a > 2");
    }

    #[test]
    fn other_forms_are_written_as_the_parser_reads_them() {
        check("sum(x) FILTER (x > 1)", "sum(x) FILTER (WHERE x > 1)");
        check("sum(x) FILTER (WHERE x)", "sum(x) FILTER (WHERE x)");
        check("f(l, lambda a, b: a + b)", "f(l, (a,b)->   a + b)");
        check("? + ?", "$1 + $2");
        check("[1, 2,]", "[1, 2]");
        check("VALUES (1, 2,), (3, 4),", "VALUES (1, 2), (3, 4)");
        check("f(,), a,", "f(,), a,");
        check(
            "CREATE TABLE t (key INT, v INT, key DECIMAL(3, 1), KEY (v))",
            "CREATE TABLE t (\"key\" INT, v INT, \"key\" DECIMAL(3, 1), KEY (v))",
        );
        check(
            "WITH q AS (SELECT 1) INSERT INTO t (a) SELECT * FROM q",
            "INSERT INTO t (a) WITH q AS (SELECT 1) SELECT * FROM q",
        );
        check(
            "WITH q AS (SELECT 1) SELECT 'insert' FROM q",
            "WITH q AS (SELECT 1) SELECT 'insert' FROM q",
        );
        check(
            "[x for x in l if x > 1]",
            "list_transform(list_filter( l ,( x )->( x > 1)),( x )->(x ))",
        );
    }
}
