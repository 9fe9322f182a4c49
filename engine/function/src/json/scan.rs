//! Reads JSON texts without building what they say: values are pieces of the text.

/// Lists and objects that hold each other deeper than this are refused: the walk is recursive.
const DEEPEST: usize = 256;

/// A text is no JSON; the place of the byte where that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(pub(super) usize);

/// One step of a way into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key of an object.
    Key(String),
    /// An element of a list, from 0, or from the end where it is below 0.
    Index(i64),
    /// The place behind the last element of a list.
    Behind,
}

/// Returns the value that a text consists of, without the blanks around it.
pub(super) fn document(text: &str) -> Result<&str, Broken> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.blanks();
    let value = cursor.value(0)?;
    cursor.blanks();
    match cursor.at == text.len() {
        true => Ok(value),
        false => Err(Broken(cursor.at)),
    }
}

/// Returns what a way leads to in a document.
pub(super) fn follow<'a>(text: &'a str, steps: &[Step]) -> Result<Option<&'a str>, Broken> {
    let mut value = document(text)?;
    for step in steps {
        let found = match step {
            Step::Key(key) => members(value)?.and_then(|members| {
                let found = members.into_iter().find(|(name, _)| unquoted(name) == *key);
                found.map(|(_, value)| value)
            }),
            Step::Index(index) => elements(value)?.and_then(|elements| {
                let place = match usize::try_from(*index) {
                    Ok(place) => Some(place),
                    Err(_) => usize::try_from(index.unsigned_abs())
                        .ok()
                        .and_then(|back| elements.len().checked_sub(back)),
                };
                place.and_then(|place| elements.get(place).copied())
            }),
            Step::Behind => None,
        };
        match found {
            Some(found) => value = found,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// The keys of an object, in quotes, with their values; `None` for what is no object.
pub(super) fn members(value: &str) -> Result<Option<Vec<(&str, &str)>>, Broken> {
    if !value.starts_with('{') {
        return Ok(None);
    }
    let mut members = Vec::new();
    let mut cursor = Cursor { text: value, at: 0 };
    cursor.object(0, &mut |name, value| members.push((name, value)))?;
    Ok(Some(members))
}

/// The elements of a list; `None` for what is none.
pub(super) fn elements(value: &str) -> Result<Option<Vec<&str>>, Broken> {
    if !value.starts_with('[') {
        return Ok(None);
    }
    let mut elements = Vec::new();
    let mut cursor = Cursor { text: value, at: 0 };
    cursor.list(0, &mut |value| elements.push(value))?;
    Ok(Some(elements))
}

/// The value without the blanks between its parts.
pub(super) fn compact(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    let mut in_text = false;
    let mut is_escaped = false;
    for letter in value.chars() {
        if in_text {
            in_text = letter != '"' || is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
        } else if letter.is_ascii_whitespace() {
            continue;
        } else {
            in_text = letter == '"';
        }
        written.push(letter);
    }
    written
}

/// What a text in quotes says.
pub(super) fn unquoted(quoted: &str) -> String {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return quoted.to_owned();
    };
    let mut written = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            written.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => written.push('\n'),
            Some('t') => written.push('\t'),
            Some('r') => written.push('\r'),
            Some('b') => written.push('\u{8}'),
            Some('f') => written.push('\u{c}'),
            Some('u') => written.push(escaped(&mut letters)),
            Some(other) => written.push(other),
            None => {}
        }
    }
    written
}

/// The character of `XXXX`, or of `XXXX\uXXXX` where it takes two of them.
fn escaped(letters: &mut std::str::Chars<'_>) -> char {
    let four = |letters: &mut std::str::Chars<'_>| {
        let digits: String = letters.by_ref().take(4).collect();
        u32::from_str_radix(&digits, 16).unwrap_or(0xFFFD)
    };
    let high = four(letters);
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    let mut ahead = letters.clone();
    if ahead.next() == Some('\\') && ahead.next() == Some('u') {
        let low = four(&mut ahead);
        if (0xDC00..0xE000).contains(&low) {
            *letters = ahead;
            let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
    }
    char::REPLACEMENT_CHARACTER
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn broken<T>(&self) -> Result<T, Broken> {
        Err(Broken(self.at))
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        match self.peek() == Some(byte) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => self.broken(),
        }
    }

    fn value(&mut self, depth: usize) -> Result<&'a str, Broken> {
        let start = self.at;
        if depth > DEEPEST {
            return self.broken();
        }
        match self.peek() {
            Some(b'{') => self.object(depth, &mut |_, _| {})?,
            Some(b'[') => self.list(depth, &mut |_| {})?,
            Some(b'"') => drop(self.quoted()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let rest = &self.text[self.at..];
                let words = ["true", "false", "null"];
                match words.iter().find(|word| rest.starts_with(**word)) {
                    Some(word) => self.at += word.len(),
                    None => return self.broken(),
                }
            }
        }
        Ok(&self.text[start..self.at])
    }

    fn object(
        &mut self,
        depth: usize,
        found: &mut dyn FnMut(&'a str, &'a str),
    ) -> Result<(), Broken> {
        self.expect(b'{')?;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            let name = self.quoted()?;
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            let value = self.value(depth + 1)?;
            found(name, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}'),
            }
        }
    }

    fn list(&mut self, depth: usize, found: &mut dyn FnMut(&'a str)) -> Result<(), Broken> {
        self.expect(b'[')?;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            let value = self.value(depth + 1)?;
            found(value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']'),
            }
        }
    }

    /// A text with its quotes.
    fn quoted(&mut self) -> Result<&'a str, Broken> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'u') => {
                            let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
                            if !digits
                                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
                            {
                                return self.broken();
                            }
                            self.at += 5;
                        }
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                            self.at += 1
                        }
                        _ => return self.broken(),
                    }
                }
                Some(0..=0x1F) | None => return self.broken(),
                Some(_) => self.at += 1,
            }
        }
    }

    fn number(&mut self) -> Result<(), Broken> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Broken> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => self.broken(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Step, compact, document, follow, unquoted};

    #[test]
    fn a_text_is_json_or_says_where_it_is_not() {
        for good in [
            "1",
            " {\"a\": [1, -2.5e3, true, null, \"\\u00e4\"]} ",
            "[]",
            "{}",
            "\"ñ\"",
        ] {
            assert!(document(good).is_ok(), "{good}");
        }
        for bad in [
            "", "{a:1}", "[1,]", "01", "1 2", "\"a", "nul", "{\"a\":}", "\"\\x\"", "+1",
        ] {
            assert!(document(bad).is_err(), "{bad}");
        }
        assert_eq!(document("[1 2]"), Err(Broken(3)));
        let deep = "[".repeat(100_000);
        assert!(document(&deep).is_err());
    }

    #[test]
    fn a_way_leads_to_a_value() {
        let text = "{\"a\": {\"b\": [10, {\"c\" : \"x\"}]}, \"\\u0061\": 2}";
        let key = |name: &str| Step::Key(name.to_owned());
        let found = follow(text, &[key("a"), key("b"), Step::Index(-1), key("c")]);
        assert_eq!(found, Ok(Some("\"x\"")));
        assert_eq!(follow(text, &[key("b")]), Ok(None));
        assert_eq!(follow(text, &[key("a"), Step::Index(0)]), Ok(None));
    }

    #[test]
    fn texts_lose_quotes_and_blanks() {
        assert_eq!(
            compact("{ \"a b\" : [1, 2],\n\"c\\\" \" : 3 }"),
            "{\"a b\":[1,2],\"c\\\" \":3}"
        );
        assert_eq!(unquoted("\"\\ud83d\\ude00 \\n\\\"\""), "😀 \n\"");
        assert_eq!(unquoted("12"), "12");
    }
}
