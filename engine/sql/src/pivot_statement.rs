//! `PIVOT t ON k IN (1, 2) USING sum(n)` and `UNPIVOT t ON a, b INTO NAME c VALUE v`, DuckDB's statements, as
//! queries with the standard's clauses behind a table.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::word::is_word;
use crate::{ParseResult, syntax_error};

/// Words that end the clause before them.
const CLAUSES: &[&str] = &["on", "using", "into", "group", "order", "limit", "offset"];

/// Writes a statement that begins so as a query.
pub(crate) fn rewrite(tokens: Vec<TokenWithSpan>) -> ParseResult<Vec<TokenWithSpan>> {
    let is_space = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let Some(first) = tokens.iter().find(|token| !is_space(token)).cloned() else {
        return Ok(tokens);
    };
    let is_pivot = is_word(&first, "pivot");
    if !is_pivot && !is_word(&first, "unpivot") {
        return Ok(tokens);
    }
    let kept: Vec<TokenWithSpan> = tokens
        .into_iter()
        .filter(|token| !is_space(token))
        .collect();
    let clauses = clauses(&kept[1..]);
    let clause = |word: &str| clauses.iter().find(|clause| is_word(&clause[0], word));
    let refuse = |message: &str| Err(syntax_error(message, first.span.start));
    let (Some(table), Some(on)) = (clauses.first(), clause("on")) else {
        return refuse("PIVOT and UNPIVOT are written t ON column: UNPIVOT t ON a, b");
    };
    let span = first.span;
    let mut written = Writer {
        tokens: Vec::with_capacity(kept.len() + 16),
        span,
    };
    written.word("SELECT", Keyword::SELECT);
    written.sign(Token::Mul);
    written.word("FROM", Keyword::FROM);
    written.all(table);
    match is_pivot {
        true => {
            let Some(using) = clause("using") else {
                return refuse(
                    "PIVOT … ON needs USING and an aggregate: PIVOT t ON k IN (1, 2) USING sum(n)",
                );
            };
            if clause("group").is_some() {
                return refuse(
                    "PIVOT groups by the columns that it does not mention; choose them in a subquery: PIVOT (SELECT …) ON …",
                );
            }
            if !on.iter().any(|token| is_word(token, "in")) {
                return refuse(
                    "PIVOT … ON needs its values by name: PIVOT t ON k IN (1, 2) USING sum(n)",
                );
            }
            written.word("PIVOT", Keyword::PIVOT);
            written.sign(Token::LParen);
            written.all(&using[1..]);
            written.word("FOR", Keyword::FOR);
            written.all(&on[1..]);
            written.sign(Token::RParen);
        }
        false => {
            let (name, value) = match clause("into") {
                None => (written.named("name"), written.named("value")),
                Some(into) => match into.as_slice() {
                    [_, name_word, name, value_word, value]
                        if is_word(name_word, "name") && is_word(value_word, "value") =>
                    {
                        (name.clone(), value.clone())
                    }
                    _ => return refuse("UNPIVOT … INTO is written INTO NAME column VALUE column"),
                },
            };
            written.word("UNPIVOT", Keyword::UNPIVOT);
            written.sign(Token::LParen);
            written.all(&[value]);
            written.word("FOR", Keyword::FOR);
            written.all(&[name]);
            written.word("IN", Keyword::IN);
            written.sign(Token::LParen);
            written.all(&on[1..]);
            written.sign(Token::RParen);
            written.sign(Token::RParen);
        }
    }
    for word in ["order", "limit", "offset"] {
        if let Some(rest) = clause(word) {
            written.all(rest);
        }
    }
    Ok(written.tokens)
}

/// Splits tokens before the words that begin clauses, outside of brackets.
fn clauses(tokens: &[TokenWithSpan]) -> Vec<Vec<TokenWithSpan>> {
    let mut clauses = vec![Vec::new()];
    let mut depth = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ if depth == 0 && CLAUSES.iter().any(|word| is_word(token, word)) => {
                clauses.push(Vec::new());
            }
            _ => {}
        }
        if let Some(last) = clauses.last_mut() {
            last.push(token.clone());
        }
    }
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

struct Writer {
    tokens: Vec<TokenWithSpan>,
    span: datafusion::sql::sqlparser::tokenizer::Span,
}

impl Writer {
    fn word(&mut self, value: &str, keyword: Keyword) {
        self.sign(Token::Word(Word {
            value: value.to_owned(),
            quote_style: None,
            keyword,
        }));
    }

    fn sign(&mut self, token: Token) {
        let span = self.span;
        self.tokens.push(TokenWithSpan { token, span });
    }

    fn all(&mut self, tokens: &[TokenWithSpan]) {
        self.tokens.extend_from_slice(tokens);
    }

    fn named(&self, name: &str) -> TokenWithSpan {
        let token = Token::Word(Word {
            value: name.to_owned(),
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        });
        let span = self.span;
        TokenWithSpan { token, span }
    }
}

#[cfg(test)]
mod tests {
    use crate::parse_query;

    #[test]
    fn statements_become_queries() {
        for (text, expected) in [
            (
                "UNPIVOT t ON a, b INTO NAME c VALUE v ORDER BY c",
                "SELECT * FROM t UNPIVOT(v FOR c IN (a, b)) ORDER BY c",
            ),
            (
                "UNPIVOT t ON a",
                "SELECT * FROM t UNPIVOT(\"value\" FOR \"name\" IN (a))",
            ),
            (
                "PIVOT (SELECT 1 AS k) ON k IN (1, 2) USING count(*)",
                "SELECT * FROM (SELECT 1 AS k) PIVOT(count(*) FOR k IN (1, 2))",
            ),
        ] {
            let query = parse_query(text).expect("it parses");
            assert_eq!(query.tree.to_string(), expected, "{text}");
        }
        for (text, message) in [
            ("PIVOT t ON k USING sum(n)", "needs its values by name"),
            ("PIVOT t ON k IN (1)", "needs USING"),
        ] {
            let error = parse_query(text).expect_err("it is refused").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
