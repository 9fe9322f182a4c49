//! The forms of ASOF JOIN that sqlparser does not know, and the one that it misreads.
//!
//! `LEFT ASOF JOIN` and `ASOF LEFT JOIN` lose their LEFT, which goes as a mark into the match condition.
//! Without MATCH_CONDITION, DuckDB's form, a mark stands for it.
//! `a AS OF JOIN b` reads as a join of `a` under the alias `of`, and is refused.

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::syntax_error;
use super::word::is_word;

/// The name in a match condition that stands for LEFT; only this file puts it there.
pub const LEFT_MARK: &str = "left asof";

/// The match condition of a join that has none: its comparison of times stands in ON, or is `>=` on the last
/// column of USING, as DuckDB has it.
pub const ON_MARK: &str = "asof on";

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
    let mut inserted = Vec::new();
    for (at, place) in words.iter().enumerate() {
        let misread = [&["as", "of", "join"][..], &["as", "of", "left", "join"]];
        if misread.iter().any(|form| reads(at, form)) {
            return Err(syntax_error(
                "`AS OF JOIN` reads as an alias; a join by time is written ASOF JOIN … MATCH_CONDITION (a.t >= b.t) ON …",
                tokens[*place].span.start,
            ));
        }
        let forms: [(&[&str], &[usize]); 6] = [
            (&["left", "asof", "join"], &[0]),
            (&["left", "outer", "asof", "join"], &[0, 1]),
            (&["asof", "left", "join"], &[1]),
            (&["asof", "left", "outer", "join"], &[1, 2]),
            (&["asof", "inner", "join"], &[1]),
            (&["asof", "join"], &[]),
        ];
        let Some((form, lefts)) = forms.into_iter().find(|(form, _)| reads(at, form)) else {
            continue;
        };
        // The word before belongs to a form that was read already.
        let before = at.checked_sub(1).map(|before| &tokens[words[before]]);
        if before.is_some_and(|word| is_word(word, "left") || is_word(word, "outer")) {
            continue;
        }
        dropped.extend(lefts.iter().map(|offset| words[at + offset]));
        let is_left = form.contains(&"left");
        match condition(&tokens, &words[at + form.len()..]) {
            Some(Condition::Behind(place)) if is_left => {
                inserted.push((place + 1, vec![mark(LEFT_MARK), word("AND", Keyword::AND)]));
            }
            Some(Condition::Missing(place)) => inserted.push((place, match_condition(is_left))),
            Some(Condition::Behind(_)) | None => {}
        }
    }
    Ok(rewritten(tokens, &dropped, &inserted))
}

/// The condition of a join by time.
enum Condition {
    /// Its bracket opens here.
    Behind(usize),
    /// It has none; its keys begin here.
    Missing(usize),
}

/// Finds the condition of the join whose table begins the words.
fn condition(tokens: &[TokenWithSpan], words: &[usize]) -> Option<Condition> {
    let mut depth = 0_usize;
    for (at, place) in words.iter().enumerate() {
        let token = &tokens[*place];
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.checked_sub(1)?,
            _ if depth == 0 && is_word(token, "match_condition") => {
                let bracket = *words.get(at + 1)?;
                let is_bracket = tokens[bracket].token == Token::LParen;
                return is_bracket.then_some(Condition::Behind(bracket));
            }
            _ if depth == 0 && (is_word(token, "on") || is_word(token, "using")) => {
                return Some(Condition::Missing(*place));
            }
            _ if depth == 0 && is_word(token, "join") => return None,
            _ => {}
        }
    }
    None
}

/// The tokens of a match condition that only marks what the join is.
fn match_condition(is_left: bool) -> Vec<Token> {
    let mut tokens = vec![
        word("MATCH_CONDITION", Keyword::MATCH_CONDITION),
        Token::LParen,
    ];
    if is_left {
        tokens.extend([mark(LEFT_MARK), word("AND", Keyword::AND)]);
    }
    tokens.extend([mark(ON_MARK), Token::RParen]);
    tokens
}

fn word(value: &str, keyword: Keyword) -> Token {
    Token::Word(Word {
        value: value.to_owned(),
        quote_style: None,
        keyword,
    })
}

fn mark(value: &str) -> Token {
    Token::Word(Word {
        value: value.to_owned(),
        quote_style: Some('"'),
        keyword: Keyword::NoKeyword,
    })
}

/// Leaves tokens out, and puts others before those at given places.
fn rewritten(
    tokens: Vec<TokenWithSpan>,
    dropped: &[usize],
    inserted: &[(usize, Vec<Token>)],
) -> Vec<TokenWithSpan> {
    let mut kept = Vec::with_capacity(tokens.len() + inserted.len() * 6);
    for (place, token) in tokens.into_iter().enumerate() {
        let span = token.span;
        for (_, new) in inserted.iter().filter(|(before, _)| *before == place) {
            let new = new.iter().cloned();
            kept.extend(new.map(|token| TokenWithSpan { token, span }));
        }
        if !dropped.contains(&place) {
            kept.push(token);
        }
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::DIALECT;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::rewrite;

    fn rewritten(sql: &str) -> Result<String, String> {
        let tokens = Tokenizer::new(&DIALECT, sql)
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
    fn a_missing_condition_becomes_a_mark() {
        for (join, condition) in [
            ("asof join", "( \"asof on\" )"),
            ("asof inner join", "( \"asof on\" )"),
            ("asof left join", "( \"left asof\" AND \"asof on\" )"),
            ("left asof join", "( \"left asof\" AND \"asof on\" )"),
        ] {
            for keys in ["on a . k = b . k", "using ( k , t )"] {
                let expected = format!("from a asof join b match_condition {condition} {keys}");
                let found = rewritten(&format!("from a {join} b {keys}")).unwrap();
                assert_eq!(found.to_lowercase(), expected.to_lowercase(), "{join}");
            }
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
