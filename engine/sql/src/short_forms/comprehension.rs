//! `[x + 1 for x in list if x > 0]`, DuckDB's and Python's way of writing list_transform and list_filter.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::word;
use crate::word::is_word;

/// The parts of what stands in brackets, as places of tokens.
struct Parts {
    /// The bracket that opens it.
    open: usize,
    for_word: usize,
    in_word: usize,
    if_word: Option<usize>,
    /// The bracket that closes it.
    close: usize,
}

/// What stands for what in a comprehension with a place and a condition.
const ELEMENT: &str = "lakesh_element";
const KEPT: &str = "kept";
const MADE: &str = "made";

/// A bracket that is open, and the words of a comprehension that were found in it.
struct Open {
    begin: usize,
    for_word: Option<usize>,
    in_word: Option<usize>,
    if_word: Option<usize>,
}

/// Writes comprehensions as calls, innermost first.
pub(super) fn rewrite(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| is_word(token, "for")) {
        return tokens;
    }
    while let Some(parts) = innermost(&tokens) {
        tokens = written(&tokens, &parts);
    }
    tokens
}

/// Finds the first comprehension that holds no other.
fn innermost(tokens: &[TokenWithSpan]) -> Option<Parts> {
    let mut open: Vec<Open> = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LBracket | Token::LParen | Token::LBrace => open.push(Open {
                begin: place,
                for_word: None,
                in_word: None,
                if_word: None,
            }),
            Token::RBracket | Token::RParen | Token::RBrace => {
                let found = open.pop();
                if let Some(Open {
                    begin,
                    for_word: Some(for_word),
                    in_word: Some(in_word),
                    if_word,
                }) = found
                    && token.token == Token::RBracket
                    && tokens[begin].token == Token::LBracket
                {
                    return Some(Parts {
                        open: begin,
                        for_word,
                        in_word,
                        if_word,
                        close: place,
                    });
                }
            }
            _ => {
                let Some(inner) = open.last_mut() else {
                    continue;
                };
                if tokens[inner.begin].token != Token::LBracket {
                    continue;
                }
                match (inner.for_word, inner.in_word) {
                    (None, _) if is_word(token, "for") => inner.for_word = Some(place),
                    (Some(_), None) if is_word(token, "in") => inner.in_word = Some(place),
                    (Some(_), Some(_)) if is_word(token, "if") => inner.if_word = Some(place),
                    _ => {}
                }
            }
        }
    }
    None
}

fn has_comma(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|token| token.token == Token::Comma)
}

fn written(tokens: &[TokenWithSpan], parts: &Parts) -> Vec<TokenWithSpan> {
    let names = &tokens[parts.for_word + 1..parts.in_word];
    let list = &tokens[parts.in_word + 1..parts.if_word.unwrap_or(parts.close)];
    let body = &tokens[parts.open + 1..parts.for_word];
    let condition = parts.if_word.map(|place| &tokens[place + 1..parts.close]);
    let mut made = tokens[..parts.open].to_vec();
    let span = tokens[parts.open].span;
    let put =
        |made: &mut Vec<TokenWithSpan>, token: Token| made.push(TokenWithSpan { token, span });
    let lambda =
        |made: &mut Vec<TokenWithSpan>, names: &[TokenWithSpan], body: &[TokenWithSpan]| {
            for token in [Token::Comma, Token::LParen] {
                put(made, token);
            }
            made.extend_from_slice(names);
            for token in [Token::RParen, Token::Arrow, Token::LParen] {
                put(made, token);
            }
            made.extend_from_slice(body);
            for token in [Token::RParen, Token::RParen] {
                put(made, token);
            }
        };
    let call = |made: &mut Vec<TokenWithSpan>, name: &str| {
        put(made, word(name, Keyword::NoKeyword));
        put(made, Token::LParen);
    };
    match condition {
        // A place among those that are left is another than among all: what is made of each element is kept
        // beside the condition until the places have been read.
        Some(condition) if has_comma(names) => {
            call(&mut made, "list_transform");
            call(&mut made, "list_filter");
            call(&mut made, "list_transform");
            made.extend_from_slice(list);
            let mut both = vec![TokenWithSpan {
                token: Token::LBrace,
                span,
            }];
            for (field, value) in [(KEPT, condition), (MADE, body)] {
                if field == MADE {
                    put(&mut both, Token::Comma);
                }
                put(&mut both, Token::SingleQuotedString(field.to_owned()));
                put(&mut both, Token::Colon);
                put(&mut both, Token::LParen);
                both.extend_from_slice(value);
                put(&mut both, Token::RParen);
            }
            put(&mut both, Token::RBrace);
            lambda(&mut made, names, &both);
            let element = vec![TokenWithSpan {
                token: word(ELEMENT, Keyword::NoKeyword),
                span,
            }];
            for field in [KEPT, MADE] {
                let mut value = element.clone();
                put(&mut value, Token::LBracket);
                put(&mut value, Token::SingleQuotedString(field.to_owned()));
                put(&mut value, Token::RBracket);
                lambda(&mut made, &element, &value);
            }
        }
        Some(condition) => {
            call(&mut made, "list_transform");
            call(&mut made, "list_filter");
            made.extend_from_slice(list);
            lambda(&mut made, names, condition);
            lambda(&mut made, names, body);
        }
        None => {
            call(&mut made, "list_transform");
            made.extend_from_slice(list);
            lambda(&mut made, names, body);
        }
    }
    made.extend_from_slice(&tokens[parts.close + 1..]);
    made
}
