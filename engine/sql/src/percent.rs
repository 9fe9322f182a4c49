//! `LIMIT 10 PERCENT` and `LIMIT 10%`, DuckDB's forms of FETCH FIRST 10 PERCENT ROWS ONLY.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::word::is_word;

/// Writes each such LIMIT as the standard does.
pub(crate) fn rewrite(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let words: Vec<usize> = (0..tokens.len())
        .filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
        .collect();
    let mut limits = Vec::new();
    let mut shares = Vec::new();
    for window in words.windows(3) {
        let [limit, count, share] = [&tokens[window[0]], &tokens[window[1]], &tokens[window[2]]];
        let is_share = is_word(share, "percent") || share.token == Token::Mod;
        if is_word(limit, "limit") && matches!(count.token, Token::Number(..)) && is_share {
            limits.push(window[0]);
            shares.push(window[2]);
        }
    }
    // `LIMIT 10 % 3` is a number of rows.
    let is_operator = |place: &usize| {
        let at = words.iter().position(|word| word == place);
        let next = at
            .and_then(|at| words.get(at + 1))
            .map(|next| &tokens[*next]);
        tokens[*place].token == Token::Mod
            && next.is_some_and(|next| {
                !matches!(next.token, Token::RParen | Token::SemiColon | Token::EOF)
                    && !is_word(next, "offset")
            })
    };
    let kept: Vec<bool> = shares.iter().map(|place| !is_operator(place)).collect();
    let mut written = Vec::with_capacity(tokens.len() + 4);
    for (place, token) in tokens.iter().enumerate() {
        let at = |places: &[usize]| places.iter().position(|other| *other == place);
        match (at(&limits), at(&shares)) {
            (Some(at), _) if kept[at] => written.extend(in_place_of(
                token,
                &[("FETCH", Keyword::FETCH), ("FIRST", Keyword::FIRST)],
            )),
            (_, Some(at)) if kept[at] => written.extend(in_place_of(
                token,
                &[
                    ("PERCENT", Keyword::PERCENT),
                    ("ROWS", Keyword::ROWS),
                    ("ONLY", Keyword::ONLY),
                ],
            )),
            _ => written.push(token.clone()),
        }
    }
    written
}

fn in_place_of(token: &TokenWithSpan, words: &[(&str, Keyword)]) -> Vec<TokenWithSpan> {
    let span = token.span;
    words
        .iter()
        .map(|(value, keyword)| TokenWithSpan {
            token: Token::Word(Word {
                value: (*value).to_owned(),
                quote_style: None,
                keyword: *keyword,
            }),
            span,
        })
        .collect()
}
