//! Values that stand behind a name such as `password`: in SQL, in options, in commands.

use std::ops::Range;

use crate::failure::SECRET_NAMES;
use crate::input::{Token, TokenKind, tokens};

/// Names that are too short to look for inside others.
const SHORT_NAMES: &[&str] = &["pw", "pass"];

/// So many tokens at most stand between a name and its value: `password varchar := 'x'`.
const BETWEEN: usize = 4;

/// Commands whose first word is a name and whose rest is its value.
const COMMANDS: &[&str] = &["set", "param"];

/// Says whether a name is one of a secret: it is one of the known names or ends with one, as
/// `aws_secret_access_key` does and `token_count` does not.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase().replace(['.', '-'], "_");
    let ends_with = |known: &str| {
        name.strip_suffix(known)
            .is_some_and(|before| before.is_empty() || before.ends_with('_'))
    };
    SECRET_NAMES.iter().any(|known| name.ends_with(known))
        || SHORT_NAMES.iter().any(|known| ends_with(known))
}

/// Finds the strings that stand behind a secret's name, whatever their quotes: `password 'x'`,
/// `'aws.secret_access_key' $$x$$`, `\set pw x`. The ranges are those of the texts within the quotes.
pub fn given_values(text: &str) -> Vec<Range<usize>> {
    let real = real_tokens(text);
    let mut found = given_in_commands(text);
    for (index, token) in real.iter().enumerate() {
        if !names_secret(text, token) {
            continue;
        }
        let value = real[index + 1..]
            .iter()
            .take(BETWEEN)
            .take_while(|token| is_between(text, token) || token.kind == TokenKind::String)
            .find(|token| token.kind == TokenKind::String);
        found.extend(value.map(|value| within_quotes(text, value)));
    }
    found
}

/// Finds the values of options: `name => 'x'` and `'name' 'x'`. They are secrets wherever they stand, while
/// `WHERE token = 'x'` may be an ordinary comparison. The ranges are those of the whole strings.
pub fn given_options(text: &str) -> Vec<Range<usize>> {
    let real = real_tokens(text);
    let is = |token: Option<&Token>, symbol: &str| {
        token.is_some_and(|token| &text[token.range.clone()] == symbol)
    };
    let mut found = Vec::new();
    for (index, token) in real.iter().enumerate() {
        if !names_secret(text, token) {
            continue;
        }
        let after = match token.kind {
            _ if is(real.get(index + 1), "=>") => 2,
            _ if is(real.get(index + 1), "=") && is(real.get(index + 2), ">") => 3,
            TokenKind::String if is(real.get(index + 1), "=") => 2,
            TokenKind::String => 1,
            _ => continue,
        };
        if let Some(value) = real.get(index + after)
            && value.kind == TokenKind::String
        {
            found.push(value.range.clone());
        }
    }
    found
}

fn real_tokens(text: &str) -> Vec<Token> {
    tokens(text).filter(Token::is_real).collect()
}

fn names_secret(text: &str, token: &Token) -> bool {
    match token.kind {
        TokenKind::Word => is_secret_name(&text[token.range.clone()]),
        TokenKind::QuotedName | TokenKind::String => {
            is_secret_name(&text[within_quotes(text, token)])
        }
        _ => false,
    }
}

fn is_between(text: &str, token: &Token) -> bool {
    match token.kind {
        TokenKind::Word | TokenKind::QuotedName => true,
        TokenKind::Symbol => matches!(
            &text[token.range.clone()],
            "=" | ">" | "=>" | ":" | ":=" | "=="
        ),
        _ => false,
    }
}

/// The range of a quoted text without what it is quoted with; of one that is not closed, to its end.
fn within_quotes(text: &str, token: &Token) -> Range<usize> {
    let whole = &text[token.range.clone()];
    let first = whole.find(['\'', '"', '`', '$']).unwrap_or(0);
    let opening = match whole[first..].starts_with('$') {
        // `$$` or `$tag$`.
        true => whole[first + 1..].find('$').map_or(1, |tag| tag + 2),
        false => 1,
    };
    let start = first + opening;
    let closing = &whole[first..(first + opening).min(whole.len())];
    let end = match whole.ends_with(closing) && whole.len() >= start + closing.len() {
        true => whole.len() - closing.len(),
        false => whole.len(),
    };
    let (start, end) = (start.min(end), end);
    token.range.start + start..token.range.start + end
}

/// Finds the values in lines such as `\set pw x` and `\param password=x`.
fn given_in_commands(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = given_in_command(line) {
            found.push(start + value.start..start + value.end);
        }
        start += line.len();
    }
    found
}

fn given_in_command(line: &str) -> Option<Range<usize>> {
    let end = line.trim_end().trim_end_matches(';').trim_end().len();
    let begins = line.len() - line.trim_start().len();
    let rest = line.get(begins..end)?.strip_prefix(['\\', '.', '%'])?;
    let rest = rest.strip_prefix('%').unwrap_or(rest);
    let command = rest.find(|character: char| !character.is_alphanumeric())?;
    if !COMMANDS.contains(&&rest[..command]) {
        return None;
    }
    let name = end - rest.len() + command;
    let name = name + (line[name..end].len() - line[name..end].trim_start().len());
    let length = line[name..end]
        .find(|character: char| !(character.is_alphanumeric() || character == '_'))?;
    if !is_secret_name(&line[name..name + length]) {
        return None;
    }
    let after = &line[name + length..end];
    // `name=value`, `name:type=value` or `name value`.
    let value = match after.starts_with(char::is_whitespace) {
        true => after.len() - after.trim_start().len(),
        false => after.find('=')? + 1,
    };
    Some(name + length + value..end)
}

#[cfg(test)]
mod tests {
    use super::{given_options, given_values, is_secret_name};

    #[test]
    fn names_of_secrets_end_like_one() {
        for name in [
            "password",
            "AWS_SECRET_ACCESS_KEY",
            "aws.secret_access_key",
            "pw",
            "db_pw",
            "token",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "token_count",
            "secrets",
            "pwned",
            "bypass",
            "key",
            "aws_access_key_id",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn values_are_found_in_every_form() {
        for (text, expected) in [
            ("password 'x y'", vec!["x y"]),
            (
                "OPTIONS ('aws.secret_access_key'\n  $$hunter2$$)",
                vec!["hunter2"],
            ),
            ("f(token => $t$a$t$)", vec!["a"]),
            ("secret_key := E'a\\'b'", vec!["a\\'b"]),
            ("map {'password': 'x'}", vec!["x"]),
            ("OPTIONS ('password' 'not closed", vec!["not closed"]),
            (
                "\\set pw hunter2 and more;\nselect 1",
                vec!["hunter2 and more"],
            ),
            (".set password x", vec!["x"]),
            ("%param token:text=abc", vec!["abc"]),
            ("\\set day 2024-01-01", vec![]),
            ("select token, 'x' from t", vec![]),
            ("select token from t where x > 1 and y = 'abc'", vec![]),
        ] {
            let found: Vec<&str> = given_values(text)
                .into_iter()
                .map(|range| &text[range])
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn options_are_told_from_comparisons() {
        for (text, expected) in [
            ("read_csv('a', aws_secret_access_key => 'x')", vec!["'x'"]),
            ("OPTIONS ('password' $$x$$)", vec!["$$x$$"]),
            ("TBLPROPERTIES ('password' = 'x')", vec!["'x'"]),
            ("select * from t where token = 'x'", vec![]),
        ] {
            let found: Vec<&str> = given_options(text)
                .into_iter()
                .map(|range| &text[range])
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
