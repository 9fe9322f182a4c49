//! `SELECT name: expression`, DuckDB's way of writing `expression AS name`.
//!
//! The parser takes the colon for other things, so that the tokens are put into the usual order: the name goes
//! behind its expression, which ends at the next comma or clause.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::word::is_word;

/// Words that end a list of columns.
const ENDS: &[&str] = &[
    "from",
    "where",
    "group",
    "having",
    "window",
    "qualify",
    "order",
    "limit",
    "offset",
    "fetch",
    "union",
    "except",
    "intersect",
    "minus",
    "into",
    "distribute",
];

/// A SELECT whose list is being read.
struct List {
    /// How many brackets are around it.
    depth: usize,
    /// Whether an item may begin here.
    begins: bool,
    /// The name of the item that is being read.
    name: Option<TokenWithSpan>,
}

/// Writes names before expressions behind them.
pub(crate) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let has_colon = |token: &TokenWithSpan| token.token == Token::Colon;
    if !tokens.iter().any(has_colon) {
        return tokens;
    }
    let mut written = Vec::with_capacity(tokens.len());
    let mut lists: Vec<List> = Vec::new();
    let mut depth = 0_usize;
    let mut place = 0;
    while place < tokens.len() {
        let token = &tokens[place];
        let is_space = matches!(token.token, Token::Whitespace(_));
        if let Some(list) = lists.last_mut()
            && !is_space
        {
            if list.begins && list.depth == depth {
                if is_word(token, "distinct") || is_word(token, "all") {
                    written.push(token.clone());
                    place += 1;
                    continue;
                }
                list.begins = false;
                if let Some(behind) = name_at(&tokens, place) {
                    list.name = Some(token.clone());
                    place = behind;
                    continue;
                }
            }
            let is_over = match token.token {
                Token::RParen | Token::RBracket | Token::RBrace | Token::SemiColon => {
                    list.depth == depth
                }
                _ => list.depth == depth && ends(&tokens, place),
            };
            if is_over || (token.token == Token::Comma && list.depth == depth) {
                name_behind(&mut written, list.name.take());
                list.begins = true;
                if is_over {
                    lists.pop();
                }
            }
        }
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            _ if is_word(token, "select") => lists.push(List {
                depth,
                begins: true,
                name: None,
            }),
            _ => {}
        }
        written.push(token.clone());
        place += 1;
    }
    while let Some(mut list) = lists.pop() {
        name_behind(&mut written, list.name.take());
    }
    written
}

/// Says whether a clause behind the list begins here. `WITHIN GROUP`, `IS DISTINCT FROM` and `* EXCEPT` are parts
/// of an item.
fn ends(tokens: &[TokenWithSpan], place: usize) -> bool {
    if !ENDS.iter().any(|word| is_word(&tokens[place], word)) {
        return false;
    }
    let is_word_or_sign = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let before = tokens[..place].iter().rev().find(is_word_or_sign);
    !before.is_some_and(|before| {
        before.token == Token::Mul || is_word(before, "within") || is_word(before, "distinct")
    })
}

/// Returns the place behind `name:`; nothing where no name and colon stand.
fn name_at(tokens: &[TokenWithSpan], place: usize) -> Option<usize> {
    let Token::Word(word) = &tokens[place].token else {
        return None;
    };
    let is_name = word.quote_style.is_some() || word.keyword == Keyword::NoKeyword || {
        // Words such as `year` are names too; those that begin an expression are none.
        !matches!(
            word.keyword,
            Keyword::CASE | Keyword::CAST | Keyword::NOT | Keyword::EXISTS | Keyword::SELECT
        )
    };
    let mut behind = place + 1;
    while matches!(tokens.get(behind)?.token, Token::Whitespace(_)) {
        behind += 1;
    }
    (is_name && tokens[behind].token == Token::Colon).then_some(behind + 1)
}

/// Writes `AS name`, before the spaces at the end.
fn name_behind(written: &mut Vec<TokenWithSpan>, name: Option<TokenWithSpan>) {
    let Some(name) = name else { return };
    let spaces = written
        .iter()
        .rev()
        .take_while(|token| matches!(token.token, Token::Whitespace(_)))
        .count();
    let place = written.len() - spaces;
    let span = name.span;
    let token = Token::Word(Word {
        value: "AS".to_owned(),
        quote_style: None,
        keyword: Keyword::AS,
    });
    written.splice(place..place, [TokenWithSpan { token, span }, name]);
}

#[cfg(test)]
mod tests {
    use crate::parse_query;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let query = parse_query(text).expect("it parses");
        assert_eq!(query.tree.to_string(), expected);
    }

    #[test]
    fn names_before_expressions_go_behind_them() {
        check("SELECT y: 1, z: 2", "SELECT 1 AS y, 2 AS z");
        check(
            "SELECT DISTINCT \"a b\": x + 1, year: f(x, [1]) FROM t",
            "SELECT DISTINCT x + 1 AS \"a b\", f(x, make_array(1)) AS year FROM t",
        );
        check(
            "SELECT d: a IS DISTINCT FROM b, e: 1 FROM t",
            "SELECT a IS DISTINCT FROM b AS d, 1 AS e FROM t",
        );
        check(
            "SELECT n: (SELECT m: 1 FROM t), k FROM u",
            "SELECT (SELECT 1 AS m FROM t) AS n, k FROM u",
        );
    }

    #[test]
    fn other_colons_stay() {
        check("SELECT x::INT AS i FROM t", "SELECT x::INT AS i FROM t");
        check("SELECT l[1:2] AS s FROM t", "SELECT l[1:2] AS s FROM t");
    }
}
