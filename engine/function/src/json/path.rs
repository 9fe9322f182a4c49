//! Ways into a JSON document as they are written: `$.a.b[0]`, `/a/b/0`, and a key by itself.

use super::scan::{Step, unquoted};

/// Reads a way; the message says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, String> {
    if let Some(rest) = text.strip_prefix('$') {
        return dotted(rest, text);
    }
    if let Some(rest) = text.strip_prefix('/') {
        let parts = rest.split('/');
        return Ok(parts.map(pointed).collect());
    }
    Ok(vec![Step::Key(text.to_owned())])
}

/// A part of a pointer: a number is a place in a list, as in DuckDB.
fn pointed(part: &str) -> Step {
    match part.parse() {
        _ if part == "-" => Step::Behind,
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(part.replace("~1", "/").replace("~0", "~")),
    }
}

fn dotted(rest: &str, whole: &str) -> Result<Vec<Step>, String> {
    let wrong = |what: &str| format!("'{whole}' is no way into JSON: {what}");
    let mut steps = Vec::new();
    let mut rest = rest;
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('.') {
            if let Some(quoted) = behind.strip_prefix('"') {
                let end = closing_quote(quoted).ok_or_else(|| wrong("a quote is not closed"))?;
                // With its quotes again, so that what is escaped is read as in a document.
                let key = &behind[..end + 2];
                steps.push(Step::Key(unquoted(key)));
                rest = &quoted[end + 1..];
                continue;
            }
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            let (key, behind) = behind.split_at(end);
            match key {
                "" => return Err(wrong("a `.` without a key")),
                "*" => return Err(wrong("`*` leads to many values; name one")),
                key => steps.push(Step::Key(key.to_owned())),
            }
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('[') {
            let (index, behind) = behind
                .split_once(']')
                .ok_or_else(|| wrong("a `[` is not closed"))?;
            steps.push(subscript(index.trim()).ok_or_else(|| match index {
                "*" => wrong("`*` leads to many values; name one"),
                _ => wrong("between brackets stands a number or a key in quotes"),
            })?);
            rest = behind;
        } else {
            return Err(wrong("behind `$` stands `.key` or `[number]`"));
        }
    }
    Ok(steps)
}

/// Where the next quote stands that no backslash takes away.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(place, letter)| {
        let closes = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        closes.then_some(place)
    })
}

fn subscript(text: &str) -> Option<Step> {
    for quote in ['\'', '"'] {
        let key = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(key) = key {
            return Some(Step::Key(key.to_owned()));
        }
    }
    // `#-1` is DuckDB's and SQLite's last element, and `#` the place behind it.
    let Some(back) = text.strip_prefix('#') else {
        return text.parse().ok().map(Step::Index);
    };
    match back {
        "" | "-0" => Some(Step::Behind),
        back => back.parse().ok().map(Step::Index),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Step, parse};

    #[test]
    fn ways_are_read_in_three_forms() {
        let key = |name: &str| Step::Key(name.to_owned());
        let expected = vec![
            key("a"),
            key("b c"),
            Step::Index(0),
            key("d"),
            Step::Index(-1),
        ];
        assert_eq!(parse("$.a.\"b c\"[0]['d'][#-1]").unwrap(), expected);
        assert_eq!(parse("$").unwrap(), []);
        assert_eq!(parse("/a/0").unwrap(), [key("a"), Step::Index(0)]);
        assert_eq!(parse("a.b").unwrap(), [key("a.b")]);
        for wrong in ["$a", "$.", "$[", "$[x]", "$.*", "$[*]", "$.\"a"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
