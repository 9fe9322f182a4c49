//! Paints what is being typed: keywords, functions, strings, numbers, comments, and a bracket's partner.
//!
//! One pass over the tokens; long input stays plain, since the editor repaints it with each key.

use std::borrow::Cow;
use std::ops::Range;

use lakesh_engine::completion::is_keyword;
use lakesh_engine::input::{Token, TokenKind, tokens};

use super::continuation::MARK;

/// Longer input is not painted.
const LONGEST: usize = 20_000;

const KEYWORD: &str = "\x1b[1;34m";
const FUNCTION: &str = "\x1b[36m";
const STRING: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[35m";
const COMMENT: &str = "\x1b[90m";
const VARIABLE: &str = "\x1b[33m";
const PROMPT: &str = "\x1b[1m";
const BRACKET: &str = "\x1b[1;4m";
const PLAIN: &str = "\x1b[0m";

/// Paints text; `cursor` is `None` once the text is submitted and no bracket matters any more.
pub(super) fn highlight(text: &str, cursor: Option<usize>) -> Cow<'_, str> {
    if text.is_empty() || text.len() > LONGEST {
        return Cow::Borrowed(text);
    }
    let tokens: Vec<_> = tokens(text).collect();
    let partners = cursor.and_then(|cursor| bracket_pair(text, &tokens, cursor));
    let mut painted = String::with_capacity(text.len() * 2);
    let mut position = 0;
    for (index, token) in tokens.iter().enumerate() {
        let in_pair = partners.is_some_and(|(left, right)| index == left || index == right);
        let colour = if in_pair {
            Some(BRACKET)
        } else {
            colour(text, &tokens, index)
        };
        painted.push_str(&text[position..token.range.start]);
        position = token.range.end;
        let written = &text[token.range.clone()];
        for (number, part) in written.split(MARK).enumerate() {
            if number > 0 {
                push(
                    &mut painted,
                    further_prompt(token.kind, written),
                    Some(PROMPT),
                );
            }
            push(&mut painted, part, colour);
        }
    }
    painted.push_str(&text[position..]);
    Cow::Owned(painted)
}

/// Shows the prompts of further lines and paints nothing.
pub(super) fn without_colour(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut position = 0;
    for token in tokens(text) {
        shown.push_str(&text[position..token.range.start]);
        position = token.range.end;
        let written = &text[token.range.clone()];
        shown.push_str(&written.replace(MARK, further_prompt(token.kind, written)));
    }
    shown.push_str(&text[position..]);
    Cow::Owned(shown)
}

/// The prompt of a further line, as wide as a mark: it shows what is open where the line begins.
fn further_prompt(kind: TokenKind, written: &str) -> &'static str {
    match kind {
        TokenKind::Comment => "   ..*> ",
        TokenKind::String if written.contains('$') && written.starts_with('$') => "   ..$> ",
        TokenKind::String => "   ..'> ",
        TokenKind::QuotedName if written.starts_with('`') => "   ..`> ",
        TokenKind::QuotedName => "   ..\"> ",
        _ => "   ...> ",
    }
}

/// Paints line by line, as a terminal forgets nothing at a line's end but a pager may.
fn push(painted: &mut String, text: &str, colour: Option<&str>) {
    match colour {
        _ if text.is_empty() => {}
        None => painted.push_str(text),
        Some(colour) => {
            painted.push_str(colour);
            painted.push_str(text);
            painted.push_str(PLAIN);
        }
    }
}

fn colour(text: &str, tokens: &[Token], index: usize) -> Option<&'static str> {
    let token = &tokens[index];
    match token.kind {
        TokenKind::Comment => Some(COMMENT),
        TokenKind::String => Some(STRING),
        TokenKind::Number => Some(NUMBER),
        TokenKind::Parameter => Some(VARIABLE),
        TokenKind::Backslash => Some(KEYWORD),
        TokenKind::Word => {
            let opens_call = tokens
                .get(index + 1)
                .is_some_and(|next| &text[next.range.clone()] == "(");
            let is_command = index == 1 && tokens[0].kind == TokenKind::Backslash;
            if is_command || is_keyword(&text[token.range.clone()]) {
                Some(KEYWORD)
            } else if opens_call {
                Some(FUNCTION)
            } else {
                None
            }
        }
        TokenKind::Space | TokenKind::QuotedName | TokenKind::Semicolon | TokenKind::Symbol => None,
    }
}

/// Finds the bracket under or before the cursor and its partner, as positions in `tokens`.
fn bracket_pair(text: &str, tokens: &[Token], cursor: usize) -> Option<(usize, usize)> {
    let at = |range: &Range<usize>| range.start == cursor || range.end == cursor;
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::Symbol {
            continue;
        }
        let written = &text[token.range.clone()];
        let opening = match written {
            "(" | "[" | "{" => {
                open.push((index, written));
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        let Some((partner, found)) = open.pop() else {
            continue;
        };
        let touched = at(&token.range) || at(&tokens[partner].range);
        if touched && found == opening {
            return Some((partner, index));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{BRACKET, COMMENT, FUNCTION, KEYWORD, NUMBER, PLAIN, STRING, highlight};

    #[test]
    fn tokens_are_painted() {
        let paint = |colour: &str, text: &str| format!("{colour}{text}{PLAIN}");
        let cases = [
            ("", String::new()),
            ("a", "a".to_owned()),
            (
                "select 1",
                paint(KEYWORD, "select") + " " + &paint(NUMBER, "1"),
            ),
            ("f('x", paint(FUNCTION, "f") + "(" + &paint(STRING, "'x")),
            ("b -- c", "b ".to_owned() + &paint(COMMENT, "-- c")),
            ("\\d t", paint(KEYWORD, "\\") + &paint(KEYWORD, "d") + " t"),
        ];
        for (text, expected) in cases {
            assert_eq!(highlight(text, None), expected, "{text}");
        }
    }

    #[test]
    fn a_bracket_shows_its_partner() {
        let bracket = |text: &str| format!("{BRACKET}{text}{PLAIN}");
        let cases = [
            ("((a)')'", 4, format!("({}a{})", bracket("("), bracket(")"))),
            ("(a)", 0, format!("{}a{}", bracket("("), bracket(")"))),
            ("(a]", 3, "(a]".to_owned()),
            ("(a) b", 5, "(a) b".to_owned()),
        ];
        for (text, cursor, expected) in cases {
            let painted = highlight(text, Some(cursor));
            assert!(
                painted.starts_with(expected.trim_end_matches(')')),
                "{text}: {painted:?}"
            );
        }
    }

    #[test]
    fn long_text_stays_plain() {
        let text = "select ".repeat(10_000);
        assert_eq!(highlight(&text, Some(3)), text);
    }
}
