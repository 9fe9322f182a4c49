//! Finds `VERSION AS OF`, `TIMESTAMP AS OF`, `FOR SYSTEM_TIME AS OF` and `"t"@v5` in a token stream.
//!
//! DataFusion's planner drops a table version in silence, and the parser's own versioning breaks
//! `at`, `before` and `changes` as aliases. So the clauses are taken out of the tokens before
//! parsing and kept beside the name that they follow; a clause that no table claims is an error.

use std::collections::HashMap;

use crate::DIALECT;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Value};
use datafusion::sql::sqlparser::keywords::{Keyword, RESERVED_FOR_TABLE_ALIAS};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Word};

/// What the number or expression of a clause means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionKind {
    /// The number of a version.
    Number,
    /// A moment in time.
    Timestamp,
}

/// A version that stands behind a table's name.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionClause {
    /// What the value is.
    pub kind: VersionKind,
    /// The value: a constant expression.
    pub value: Expr,
    /// Where the clause begins.
    pub location: Location,
    /// Whether it stands behind a path in single quotes.
    pub of_path: bool,
}

/// The clauses of a statement by the place of the last part of the name that they follow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VersionClauses(HashMap<(u64, u64), VersionClause>);

impl VersionClauses {
    /// Hands out the clause behind a name, once.
    pub fn claim(&mut self, last_part: &Ident) -> Option<VersionClause> {
        let start = last_part.span.start;
        self.0.remove(&(start.line, start.column))
    }

    /// Returns a clause that no table has claimed.
    pub fn unclaimed(&self) -> Option<&VersionClause> {
        self.0.values().min_by_key(|clause| clause.location)
    }

    /// Leaves the clauses before a place; returns those behind it.
    pub(crate) fn split_off(&mut self, at: Location) -> Self {
        let all = std::mem::take(&mut self.0);
        let (before, behind) = all
            .into_iter()
            .partition(|(_, clause)| clause.location < at);
        self.0 = before;
        Self(behind)
    }

    /// Takes the clauses out of the tokens.
    pub(crate) fn take_from(
        tokens: Vec<TokenWithSpan>,
    ) -> Result<(Vec<TokenWithSpan>, Self), DataFusionError> {
        let mut clauses = Self::default();
        if !mentions_versions(&tokens) {
            return Ok((tokens, clauses));
        }
        let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
        let mut name: Option<Location> = None;
        let mut position = 0;
        while position < tokens.len() {
            let token = &tokens[position];
            if let Some(name_start) = name
                && let Some(head) = clause_head(&tokens, position)
            {
                let (value, end) = head.value(&tokens)?;
                let clause = VersionClause {
                    kind: head.kind,
                    value,
                    location: token.span.start,
                    of_path: keep_place_of_path(&mut kept),
                };
                clauses
                    .0
                    .insert((name_start.line, name_start.column), clause);
                name = None;
                position = end;
                continue;
            }
            if !matches!(token.token, Token::Whitespace(_)) {
                name = can_be_name(&token.token).then_some(token.span.start);
            }
            kept.push(token.clone());
            position += 1;
        }
        Ok((kept, clauses))
    }
}

/// The beginning of a clause: its kind and the token behind its keywords.
struct ClauseHead {
    kind: VersionKind,
    value_at: usize,
    /// A number that is part of the head itself (`@v5`).
    number: Option<String>,
}

impl ClauseHead {
    /// Parses the clause's value; returns it with the position of the token behind it.
    fn value(&self, tokens: &[TokenWithSpan]) -> Result<(Expr, usize), DataFusionError> {
        if let Some(number) = &self.number {
            let value = Expr::value(Value::Number(number.clone(), false));
            return Ok((value, self.value_at));
        }
        let rest = tokens[self.value_at..].to_vec();
        let mut parser = Parser::new(&DIALECT).with_tokens_with_locations(rest);
        let value = parser.parse_expr()?;
        Ok((value, self.value_at + parser.index()))
    }
}

/// Says whether a statement can hold a version at all, so that most statements pay nothing.
fn mentions_versions(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|token| match &token.token {
        Token::Word(word) => {
            matches!(
                word.keyword,
                Keyword::VERSION | Keyword::TIMESTAMP | Keyword::SYSTEM_TIME
            ) || word.value.starts_with('@')
        }
        Token::AtSign => true,
        _ => false,
    })
}

/// Recognises the keywords of a clause at a position.
fn clause_head(tokens: &[TokenWithSpan], position: usize) -> Option<ClauseHead> {
    if let Some(head) = at_sign_head(tokens, position) {
        return Some(head);
    }
    let mut words = Words {
        tokens,
        next: position,
    };
    let mut word = words.keyword()?;
    if word == Keyword::FOR {
        word = words.keyword()?;
    }
    let kind = match word {
        Keyword::VERSION => VersionKind::Number,
        Keyword::TIMESTAMP | Keyword::SYSTEM_TIME => VersionKind::Timestamp,
        _ => return None,
    };
    (words.keyword()? == Keyword::AS && words.keyword()? == Keyword::OF).then_some(ClauseHead {
        kind,
        value_at: words.next,
        number: None,
    })
}

/// Recognises `@v5` behind a quoted name, and ` @v5` behind any name.
fn at_sign_head(tokens: &[TokenWithSpan], position: usize) -> Option<ClauseHead> {
    let (word, next) = match &tokens[position].token {
        Token::Word(word) if word.quote_style.is_none() && word.value.starts_with('@') => {
            (word.value[1..].to_owned(), position + 1)
        }
        Token::AtSign => match &tokens.get(position + 1)?.token {
            Token::Word(word) if word.quote_style.is_none() => (word.value.clone(), position + 2),
            _ => return None,
        },
        _ => return None,
    };
    let number = version_suffix(&word)?.to_owned();
    Some(ClauseHead {
        kind: VersionKind::Number,
        value_at: next,
        number: Some(number),
    })
}

/// Returns the digits of `v5`.
fn version_suffix(word: &str) -> Option<&str> {
    let digits = word.strip_prefix(['v', 'V'])?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Splits `t@v5` into the name and the version's number.
pub fn split_version(name: &str) -> Option<(&str, &str)> {
    let (name, version) = name.rsplit_once('@')?;
    Some((name, version_suffix(version)?)).filter(|(name, _)| !name.is_empty())
}

/// Turns the string in quotes before a clause into a word in quotes, and says whether there was one.
/// The parser forgets the place of a string that it reads as a name, and the place is what the clause
/// is claimed by.
fn keep_place_of_path(kept: &mut [TokenWithSpan]) -> bool {
    let last = kept
        .iter_mut()
        .rfind(|token| !matches!(token.token, Token::Whitespace(_)));
    if let Some(last) = last
        && let Token::SingleQuotedString(path) = &last.token
    {
        last.token = Token::Word(Word {
            value: path.clone(),
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        });
        return true;
    }
    false
}

/// Says whether a token can be the last part of a table's name.
fn can_be_name(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_some()
                || word.keyword == Keyword::NoKeyword
                || !(RESERVED_FOR_TABLE_ALIAS.contains(&word.keyword)
                    || matches!(
                        word.keyword,
                        Keyword::SELECT
                            | Keyword::DISTINCT
                            | Keyword::ALL
                            | Keyword::BY
                            | Keyword::AND
                            | Keyword::OR
                            | Keyword::NOT
                            | Keyword::CASE
                            | Keyword::WHEN
                            | Keyword::THEN
                            | Keyword::ELSE
                            | Keyword::RETURNING
                    ))
        }
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
        _ => false,
    }
}

/// Reads keywords one after the other, past white space.
struct Words<'a> {
    tokens: &'a [TokenWithSpan],
    next: usize,
}

impl Words<'_> {
    fn keyword(&mut self) -> Option<Keyword> {
        while let Some(token) = self.tokens.get(self.next) {
            self.next += 1;
            match &token.token {
                Token::Whitespace(_) => {}
                Token::Word(word) if word.quote_style.is_none() => return Some(word.keyword),
                _ => return None,
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::DIALECT;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::{VersionClauses, split_version};

    #[track_caller]
    fn check(sql: &str, rest: &str, clauses: &[&str]) {
        let tokens = Tokenizer::new(&DIALECT, sql)
            .tokenize_with_location()
            .unwrap();
        let (kept, found) = VersionClauses::take_from(tokens).unwrap();
        let text: String = kept.iter().map(|token| token.token.to_string()).collect();
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(words.join(" "), rest, "{sql}");
        let mut found: Vec<_> = found.0.into_values().collect();
        found.sort_by_key(|clause| clause.location);
        let found: Vec<_> = found
            .iter()
            .map(|clause| format!("{:?} {}", clause.kind, clause.value))
            .collect();
        assert_eq!(found, clauses, "{sql}");
    }

    #[test]
    fn takes_versions_out() {
        check(
            "select * from t version as of 3",
            "select * from t",
            &["Number 3"],
        );
        check(
            "select * from t VERSION AS OF $v x",
            "select * from t x",
            &["Number $v"],
        );
        check(
            "select * from s.t for timestamp as of now() - interval '1' day as x where y",
            "select * from s.t as x where y",
            &["Timestamp now() - INTERVAL '1' DAY"],
        );
        check(
            "from 'a/b' for system_time as of '2024-01-01' join \"t\"@v5 on true",
            "from \"a/b\" join \"t\" on true",
            &["Timestamp '2024-01-01'", "Number 5"],
        );
        check("select * from t @v7", "select * from t", &["Number 7"]);
    }

    #[test]
    fn leaves_other_words_alone() {
        for sql in [
            "select version as of from t",
            "select a, timestamp as of from t",
            "select * from t as version",
            "select at, before, changes from t as at",
            "select timestamp '2024-01-01' as of",
            "select * from t@v5",
        ] {
            check(sql, sql, &[]);
        }
    }

    #[test]
    fn splits_names() {
        assert_eq!(split_version("t@v12"), Some(("t", "12")));
        assert_eq!(split_version("t@x12"), None);
        assert_eq!(split_version("@v12"), None);
        assert_eq!(split_version("t@v"), None);
    }
}
