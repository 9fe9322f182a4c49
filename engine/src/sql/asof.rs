//! The forms of ASOF JOIN that sqlparser does not know, and the one that it misreads.
//!
//! `LEFT ASOF JOIN` and `ASOF LEFT JOIN` lose their LEFT, which goes as a mark into the match condition.
//! `a AS OF JOIN b` reads as a join of `a` under the alias `of`, and is refused.

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::syntax_error;
use crate::asof::LEFT_MARK;

/// Rewrites the tokens of a statement.
pub(super) fn rewrite(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, DataFusionError> {
    let mentions = |word: &str| tokens.iter().any(|token| is_word(token, word));
    if !mentions("join") || !(mentions("asof") || mentions("of")) {
        return Ok(tokens);
    }
    let words: Vec<usize> = (0..tokens.len())
        .filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
        .collect();
    let reads = |from: usize, expected: &[&str]| {
        expected.iter().enumerate().all(|(offset, word)| {
            words
                .get(from + offset)
                .is_some_and(|place| is_word(&tokens[*place], word))
        })
    };
    let mut dropped = Vec::new();
    let mut marked = Vec::new();
    for (at, place) in words.iter().enumerate() {
        let misread = [&["as", "of", "join"][..], &["as", "of", "left", "join"]];
        if misread.iter().any(|form| reads(at, form)) {
            return Err(syntax_error(
                "`AS OF JOIN` reads as an alias; a join by time is written ASOF JOIN … MATCH_CONDITION (a.t >= b.t) ON …",
                tokens[*place].span.start,
            ));
        }
        let forms: [(&[&str], &[usize]); 4] = [
            (&["left", "asof", "join"], &[0]),
            (&["left", "outer", "asof", "join"], &[0, 1]),
            (&["asof", "left", "join"], &[1]),
            (&["asof", "left", "outer", "join"], &[1, 2]),
        ];
        let Some((form, lefts)) = forms.into_iter().find(|(form, _)| reads(at, form)) else {
            continue;
        };
        dropped.extend(lefts.iter().map(|offset| words[at + offset]));
        marked.extend(condition(&tokens, &words[at + form.len()..]));
    }
    Ok(rewritten(tokens, &dropped, &marked))
}

/// Returns the place behind `MATCH_CONDITION (` of the join whose table begins the words.
fn condition(tokens: &[TokenWithSpan], words: &[usize]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, place) in words.iter().enumerate() {
        match tokens[*place].token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.checked_sub(1)?,
            _ if depth == 0 && is_word(&tokens[*place], "match_condition") => {
                let bracket = *words.get(at + 1)?;
                return (tokens[bracket].token == Token::LParen).then_some(bracket);
            }
            _ => {}
        }
    }
    None
}

fn rewritten(
    tokens: Vec<TokenWithSpan>,
    dropped: &[usize],
    marked: &[usize],
) -> Vec<TokenWithSpan> {
    let mut kept = Vec::with_capacity(tokens.len() + marked.len() * 2);
    for (place, token) in tokens.into_iter().enumerate() {
        if dropped.contains(&place) {
            continue;
        }
        let span = token.span;
        kept.push(token);
        if marked.contains(&place) {
            let word = |value: &str, quote_style, keyword| TokenWithSpan {
                token: Token::Word(Word {
                    value: value.to_owned(),
                    quote_style,
                    keyword,
                }),
                span,
            };
            kept.push(word(LEFT_MARK, Some('"'), Keyword::NoKeyword));
            kept.push(word("AND", None, Keyword::AND));
        }
    }
    kept
}

fn is_word(token: &TokenWithSpan, expected: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::rewrite;

    fn rewritten(sql: &str) -> Result<String, String> {
        let tokens = Tokenizer::new(&GenericDialect {}, sql)
            .tokenize_with_location()
            .unwrap();
        let tokens = rewrite(tokens).map_err(|error| error.to_string())?;
        let text: String = tokens
            .iter()
            .map(|token| format!("{} ", token.token))
            .collect();
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn left_becomes_a_mark() {
        let expected =
            "from a asof join ( select 1 ) b match_condition ( \"left asof\" AND a . t > b . t )";
        for left in [
            "left asof",
            "LEFT OUTER ASOF",
            "asof left",
            "asof left outer",
        ] {
            let sql = format!("from a {left} join (select 1) b match_condition (a.t > b.t)");
            let found = rewritten(&sql).unwrap();
            assert_eq!(found.to_lowercase(), expected.to_lowercase(), "{sql}");
        }
    }

    #[test]
    fn other_joins_stay() {
        for sql in [
            "from a left join b on true",
            "from a asof join b match_condition ( a . t > b . t )",
        ] {
            assert!(!rewritten(sql).unwrap().contains("left asof"), "{sql}");
        }
        assert!(
            rewritten("from a as of join b")
                .unwrap_err()
                .contains("ASOF JOIN")
        );
    }
}
