//! Refuses statements whose tree would be too deep to walk, before the tree is built.
//!
//! The parser, the planner and the destructors of its trees recurse once a level. A chain of
//! operators without brackets (`a OR b OR c …`) is a level each, which the parser's own recursion
//! limit does not count.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

/// How deep brackets may nest.
pub(crate) const BRACKET_LIMIT: usize = 200;
/// How many operators may stand in one chain.
pub(crate) const CHAIN_LIMIT: usize = 5_000;
/// How deep subqueries may nest in expressions: DataFusion's planning takes twice the time for each.
pub(crate) const SUBQUERY_LIMIT: usize = 16;

/// Where and how a statement is nested too deep.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
    pub(crate) location: Location,
}

/// Checks the depth of brackets and the length of operator chains.
pub(crate) fn check(tokens: &[TokenWithSpan]) -> Result<(), TooDeep> {
    let mut levels = vec![Level::default()];
    let mut previous: Option<&Token> = None;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let before = previous.replace(&token.token);
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                levels.push(Level {
                    may_be_subquery: !before.is_some_and(introduces_relation),
                    ..Level::default()
                });
                if levels.len() > BRACKET_LIMIT {
                    return Err(TooDeep {
                        message: format!("brackets are nested more than {BRACKET_LIMIT} deep"),
                        hint: "name inner parts with WITH, or write lists as IN (…) or VALUES",
                        location: token.span.start,
                    });
                }
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                levels.pop();
                if levels.is_empty() {
                    levels.push(Level::default());
                }
            }
            Token::Comma | Token::SemiColon => {
                if let Some(level) = levels.last_mut() {
                    level.operators = 0;
                }
            }
            other => {
                let Some(level) = levels.last_mut() else {
                    continue;
                };
                level.is_subquery |= level.may_be_subquery
                    && before == Some(&Token::LParen)
                    && is_keyword(other, &[Keyword::SELECT, Keyword::WITH]);
                if level.is_subquery
                    && levels.iter().filter(|level| level.is_subquery).count() > SUBQUERY_LIMIT
                {
                    return Err(TooDeep {
                        message: format!(
                            "subqueries in expressions are nested more than {SUBQUERY_LIMIT} deep"
                        ),
                        hint: "write them as joins, or name inner parts with WITH",
                        location: token.span.start,
                    });
                }
                let Some(level) = levels.last_mut() else {
                    continue;
                };
                level.count(other);
                if level.operators.max(level.clauses) > CHAIN_LIMIT {
                    return Err(TooDeep {
                        message: format!("more than {CHAIN_LIMIT} operators stand in one chain"),
                        hint: "write `x IN (…)` in place of many ORs, or one VALUES list in place of many UNIONs",
                        location: token.span.start,
                    });
                }
            }
        }
    }
    Ok(())
}

/// What was counted inside one pair of brackets.
#[derive(Default)]
struct Level {
    /// Operators since the last comma.
    operators: usize,
    /// Words that deepen the tree across commas: set operations, joins, CASE.
    clauses: usize,
    /// Whether a query in it would stand in an expression, not behind FROM or as a branch of a union.
    may_be_subquery: bool,
    is_subquery: bool,
}

fn is_keyword(token: &Token, keywords: &[Keyword]) -> bool {
    matches!(token, Token::Word(word) if keywords.contains(&word.keyword))
}

/// Says whether brackets behind a token hold a relation or a branch of a set operation.
fn introduces_relation(token: &Token) -> bool {
    const BEFORE: &[Keyword] = &[
        Keyword::FROM,
        Keyword::JOIN,
        Keyword::LATERAL,
        Keyword::AS,
        Keyword::UNION,
        Keyword::ALL,
        Keyword::EXCEPT,
        Keyword::INTERSECT,
        Keyword::MATERIALIZED,
        Keyword::USING,
        Keyword::COPY,
    ];
    is_keyword(token, BEFORE)
}

impl Level {
    fn count(&mut self, token: &Token) {
        match token {
            Token::Word(word) => match word.keyword {
                Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::EXPLAIN => self.operators += 1,
                Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::CASE => self.clauses += 1,
                _ => {}
            },
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::Placeholder(_)
            | Token::Whitespace(_)
            | Token::Period
            | Token::EOF => {}
            _ => self.operators += 1,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::DIALECT;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::{BRACKET_LIMIT, CHAIN_LIMIT, SUBQUERY_LIMIT, check};

    fn is_refused(sql: &str) -> bool {
        let tokens = Tokenizer::new(&DIALECT, sql)
            .tokenize_with_location()
            .unwrap();
        check(&tokens).is_err()
    }

    #[test]
    fn bounds_what_deepens_the_tree() {
        let deep = BRACKET_LIMIT + 1;
        let long = CHAIN_LIMIT + 1;
        assert!(is_refused(&format!(
            "select {}1{}",
            "(".repeat(deep),
            ")".repeat(deep)
        )));
        let nested = |start: &str, levels: usize| {
            format!("select {}1{}", start.repeat(levels), ")".repeat(levels))
        };
        assert!(is_refused(&nested("(select ", SUBQUERY_LIMIT + 1)));
        assert!(!is_refused(&nested("(select ", SUBQUERY_LIMIT)));
        assert!(!is_refused(&nested("* from (select ", 100)));
        assert!(is_refused(&format!("select 1{}", " + 1".repeat(long))));
        assert!(is_refused(&format!(
            "select 1{}",
            " union all select 1, 2".repeat(long)
        )));
        assert!(is_refused(&format!("select {} true", "not ".repeat(long))));
        assert!(is_refused(&format!(
            "select * from t{}",
            " join u on a.x = b.x".repeat(long)
        )));
    }

    #[test]
    fn lets_long_flat_statements_through() {
        assert!(!is_refused(&format!(
            "select x in (1{})",
            ", -1".repeat(100_000)
        )));
        assert!(!is_refused(&format!(
            "values (1){}",
            ", (1 + 1)".repeat(100_000)
        )));
        assert!(!is_refused(&format!(
            "select 1{}",
            ", a.b * 2".repeat(10_000)
        )));
        assert!(!is_refused(&format!("select '{}'", "( + ".repeat(100_000))));
    }
}
