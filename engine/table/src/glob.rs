//! Patterns over slash-separated names: `*`, `?`, `[a-z]`, `{a,b}` and `**`.
//!
//! It matches names only; it lists nothing and knows no file system.

/// A pattern, split at slashes, one list of segments for each way to choose from its braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    alternatives: Vec<Vec<String>>,
}

impl Pattern {
    /// Splits a pattern into segments after expanding its braces.
    pub(crate) fn new(text: &str) -> Self {
        let alternatives = expand_braces(text)
            .into_iter()
            .map(|text| text.split('/').map(String::from).collect())
            .collect();
        Self { alternatives }
    }

    /// Returns the segments of each alternative.
    pub(crate) fn alternatives(&self) -> &[Vec<String>] {
        &self.alternatives
    }
}

/// Tells whether a text holds a character that makes it a pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Tells whether the segments of a path match those of a pattern; `**` stands for any number.
///
/// Hidden names match only a pattern that starts with the same character.
pub(crate) fn matches_path(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((first, rest)), _) if first == "**" => {
            matches_path(rest, path)
                || path
                    .split_first()
                    .is_some_and(|(name, below)| !is_hidden(name) && matches_path(pattern, below))
        }
        (Some(_), None) => false,
        (Some((first, rest)), Some((name, below))) => {
            matches_name(first, name) && matches_path(rest, below)
        }
    }
}

/// Tells whether one name matches one segment of a pattern.
pub(crate) fn matches_name(pattern: &str, name: &str) -> bool {
    if is_hidden(name) && pattern.chars().next() != name.chars().next() {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches_characters(&pattern, &name)
}

/// Tells whether readers of folders pass over the name; `_column=value` folders are not hidden.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

fn matches_characters(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while position < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                retry = Some((at, position));
                at += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class(&pattern[at..], name[position]),
            Some(character) if *character == name[position] => Some(1),
            _ => None,
        };
        match (step, retry) {
            (Some(length), _) => {
                at += length;
                position += 1;
            }
            (None, Some((star, start))) => {
                at = star + 1;
                position = start + 1;
                retry = Some((star, start + 1));
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

/// Matches a character against `[…]` and returns the length of the class, or `None`.
fn class(pattern: &[char], character: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let end = pattern
        .iter()
        .skip(start + 1)
        .position(|closing| *closing == ']')
        .map(|offset| offset + start + 1);
    let Some(end) = end else {
        return (character == '[').then_some(1);
    };
    let body = &pattern[start..end];
    let mut found = false;
    let mut at = 0;
    while at < body.len() {
        if at + 2 < body.len() && body[at + 1] == '-' {
            found |= (body[at]..=body[at + 2]).contains(&character);
            at += 3;
        } else {
            found |= body[at] == character;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

/// Writes out `{a,b}`; nested braces too. An unclosed brace stands for itself.
fn expand_braces(text: &str) -> Vec<String> {
    let Some((open, close, commas)) = first_braces(text) else {
        return vec![text.to_string()];
    };
    let mut edges = vec![open];
    edges.extend(commas);
    edges.push(close);
    edges
        .windows(2)
        .flat_map(|pair| {
            let choice = &text[pair[0] + 1..pair[1]];
            expand_braces(&format!("{}{choice}{}", &text[..open], &text[close + 1..]))
        })
        .collect()
}

fn first_braces(text: &str) -> Option<(usize, usize, Vec<usize>)> {
    let open = text.find('{')?;
    let mut depth = 0;
    let mut commas = Vec::new();
    for (offset, character) in text[open..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((open, open + offset, commas));
                }
            }
            ',' if depth == 1 => commas.push(open + offset),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_shells_match() {
        for (pattern, path, expect) in [
            ("*.parquet", "a.parquet", true),
            ("*.parquet", "sub/a.parquet", false),
            ("**/*.parquet", "a.parquet", true),
            ("**/*.parquet", "x/y/a.parquet", true),
            ("**/*.parquet", "x/_temporary/a.parquet", false),
            ("**", "x/y", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "aéc", true),
            ("{a,b}/*.csv", "b/1.csv", true),
            ("{a,b}/*.csv", "c/1.csv", false),
            ("part-{0{1,2},9}.csv", "part-02.csv", true),
            ("part-{0{1,2},9}.csv", "part-9.csv", true),
            ("[a-c]1", "b1", true),
            ("[!a-c]1", "b1", false),
            ("[]x]1", "]1", true),
            ("a[b", "a[b", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*", ".hidden", false),
            ("*", "_SUCCESS", false),
            ("_*", "_SUCCESS", true),
            ("*/x", "_k=1/x", true),
            ("{a", "{a", true),
            ("", "", true),
        ] {
            let segments: Vec<&str> = path.split('/').collect();
            let found = Pattern::new(pattern)
                .alternatives()
                .iter()
                .any(|alternative| matches_path(alternative, &segments));
            assert_eq!(found, expect, "{pattern} on {path}");
        }
    }
}
