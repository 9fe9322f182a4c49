//! Hides secrets in text that people see: passwords and tokens in URLs, values of names like `password`.
//!
//! Each hidden character becomes a star, so that what points into the text still points at the same
//! place. Where it is in doubt it hides.

use std::ops::Range;

use crate::secret::given_values;

/// A name that contains one of these stands before a secret.
pub const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "secret_key",
    "token",
    "access_key",
    "accesskey",
    "account_key",
    "api_key",
    "apikey",
    "private_key",
    "credential",
    "passphrase",
    "signature",
    "sas_key",
];

/// Parameters of a URL that let their owner in.
const SECRET_PARAMETERS: &[&str] = &[
    "signature=",
    "sig=",
    "token=",
    "key=",
    "secret=",
    "password=",
    "credential=",
];

/// Replaces each character of a secret with a star.
pub fn masked(text: &str) -> String {
    let hidden = hidden_parts(text);
    if hidden.is_empty() {
        return text.to_owned();
    }
    text.char_indices()
        .map(|(at, character)| {
            let hide = hidden.iter().any(|range| range.contains(&at));
            if hide { '*' } else { character }
        })
        .collect()
}

/// Finds what `masked` hides.
pub(super) fn hidden_parts(text: &str) -> Vec<Range<usize>> {
    let mut hidden = urls(text);
    hidden.extend(values(text));
    hidden.extend(given_values(text));
    hidden
}

/// Finds `scheme://user:password@host` and the secret parameters of URLs.
fn urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (scheme, _) in text.match_indices("://") {
        let start = scheme + "://".len();
        let ends_word = |character: char| {
            character.is_whitespace() || matches!(character, '\'' | '"' | '`' | '<' | '>')
        };
        let end = text[start..]
            .find(ends_word)
            .map_or(text.len(), |end| start + end);
        let url = &text[start..end];
        let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
        if let Some(at) = authority.rfind('@')
            && let Some(colon) = authority[..at].find(':')
        {
            found.push(start + colon + 1..start + at);
        }
        let Some(query) = url.find('?') else {
            continue;
        };
        // ASCII lower case keeps every byte where it is.
        let lower = url[query..].to_ascii_lowercase();
        for parameter in SECRET_PARAMETERS {
            for (at, _) in lower.match_indices(parameter) {
                let value = query + at + parameter.len();
                let length = url[value..].find('&').unwrap_or(url.len() - value);
                found.push(start + value..start + value + length);
            }
        }
    }
    found
}

/// Finds the strings that stand behind a secret's name: `password 'x'`, `token = 'x'`, `key => 'x'`.
fn values(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for name in SECRET_NAMES {
        for (at, _) in lower.match_indices(name) {
            let after = at + name.len();
            let word = text[after..]
                .find(|character: char| !(character.is_alphanumeric() || character == '_'));
            let after = after + word.unwrap_or(text.len() - after);
            // A name that is itself a string: `'aws_secret_access_key' 'x'`.
            let after = after + usize::from(text[after..].starts_with("' "));
            let rest = &text[after..];
            let between = rest.find(|character: char| {
                !(character.is_alphanumeric() || " _\"=>:.\t".contains(character))
            });
            let Some(between) = between.filter(|at| rest[*at..].starts_with('\'')) else {
                continue;
            };
            let start = after + between + 1;
            let length = text[start..].find('\'').unwrap_or(text.len() - start);
            found.push(start..start + length);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_become_stars_and_all_else_stays() {
        let cases = [
            (
                "https://user:hunter2@host/x?token=abc&a=1",
                "https://user:*******@host/x?token=***&a=1",
            ),
            (
                "create secret s (type s3, secret 'hunter7')",
                "create secret s (type s3, secret '*******')",
            ),
            (
                "OPTIONS ('aws_secret_access_key' 'ab')",
                "OPTIONS ('aws_secret_access_key' '**')",
            ),
            ("set password = 'x'", "set password = '*'"),
            ("api_key => 'größe'", "api_key => '*****'"),
            ("s3://bucket/key=1/x.parquet", "s3://bucket/key=1/x.parquet"),
            (
                "select count(*) from secrets where a = 1",
                "select count(*) from secrets where a = 1",
            ),
            ("mail to a:b@c", "mail to a:b@c"),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected, "{text}");
        }
    }
}
