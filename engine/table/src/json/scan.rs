//! Reads the shapes of records from the first bytes of a JSON file, as lines or as one array.

use super::shape::{Keys, Numbers, Shape};

/// How deep values may lie inside each other.
const DEPTH: usize = 100;

/// Why a text is no JSON, or where it was cut.
#[derive(Debug, PartialEq)]
enum Stopped {
    /// It ends inside a value.
    End,
    /// It is wrong at this byte.
    Wrong(usize),
}

/// The keys of the first records of a file, and whether all of it was looked at.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) fields: Keys,
    pub(super) whole: bool,
    /// How many records were looked at.
    pub(super) records: usize,
}

/// Looks at up to so many records; `complete` says that the text is the whole file.
pub(super) fn look(text: &[u8], complete: bool, records: usize) -> Result<Found, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut scanner = Scanner { text, at: 0 };
    let mut fields = Keys::default();
    scanner.blanks();
    let array = scanner.accept(b'[');
    let mut count = 0;
    for _ in 0..records {
        scanner.blanks();
        if array {
            scanner.accept(b',');
            scanner.blanks();
            scanner.accept(b']');
            scanner.blanks();
        }
        if scanner.at == text.len() {
            return Ok(Found {
                fields,
                whole: complete,
                records: count,
            });
        }
        match scanner.value(0) {
            Ok(Shape::Object(found)) => {
                count += 1;
                fields.add_all(found);
            }
            Ok(_) => return Err("a record is no object".to_owned()),
            Err(Stopped::End) if !complete => break,
            Err(Stopped::End) => return Err("it ends inside a record".to_owned()),
            Err(Stopped::Wrong(at)) => return Err(format!("it is no JSON at byte {}", at + 1)),
        }
    }
    scanner.blanks();
    let whole = complete && scanner.at == text.len();
    Ok(Found {
        fields,
        whole,
        records: count,
    })
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stopped> {
        self.blanks();
        match self.text.get(self.at) {
            None => Err(Stopped::End),
            Some(found) if *found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(Stopped::Wrong(self.at)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Shape, Stopped> {
        self.blanks();
        if depth > DEPTH {
            return Err(Stopped::Wrong(self.at));
        }
        match self.text.get(self.at) {
            None => Err(Stopped::End),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(|_| Shape::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Shape::Boolean),
            Some(b'f') => self.word("false", Shape::Boolean),
            Some(b'n') => self.word("null", Shape::Null),
            Some(_) => Err(Stopped::Wrong(self.at)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Shape, Stopped> {
        self.at += 1;
        let mut fields = Keys::default();
        self.blanks();
        if self.accept(b'}') {
            return Ok(Shape::Object(fields));
        }
        loop {
            self.blanks();
            let key = self.key()?;
            self.expect(b':')?;
            let shape = self.value(depth + 1)?;
            fields.add(key, shape);
            self.blanks();
            if !self.accept(b',') {
                self.expect(b'}')?;
                return Ok(Shape::Object(fields));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Shape, Stopped> {
        self.at += 1;
        let mut items = Shape::Null;
        self.blanks();
        if self.accept(b']') {
            return Ok(Shape::List(Box::new(items)));
        }
        loop {
            items = items.merge(self.value(depth + 1)?);
            self.blanks();
            if !self.accept(b',') {
                self.expect(b']')?;
                return Ok(Shape::List(Box::new(items)));
            }
        }
    }

    fn key(&mut self) -> Result<String, Stopped> {
        let begin = self.at;
        let raw = self.string()?;
        serde_json::from_slice(raw).map_err(|_| Stopped::Wrong(begin))
    }

    /// Passes a string and returns it with its quotes.
    fn string(&mut self) -> Result<&[u8], Stopped> {
        let begin = self.at;
        if !self.accept(b'"') {
            return Err(match self.text.len() == begin {
                true => Stopped::End,
                false => Stopped::Wrong(begin),
            });
        }
        loop {
            match self.text.get(self.at) {
                None => return Err(Stopped::End),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(&self.text[begin..self.at])
    }

    fn number(&mut self) -> Result<Shape, Stopped> {
        let begin = self.at;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        while self.text.get(self.at).is_some_and(is_part) {
            self.at += 1;
        }
        // At the end of a sample the number may go on.
        if self.at == self.text.len() {
            return Err(Stopped::End);
        }
        let text = std::str::from_utf8(&self.text[begin..self.at]);
        let text = text.map_err(|_| Stopped::Wrong(begin))?;
        match text.parse::<f64>() {
            Ok(_) => Ok(Shape::Number(Numbers::of(text))),
            Err(_) => Err(Stopped::Wrong(begin)),
        }
    }

    fn word(&mut self, word: &str, shape: Shape) -> Result<Shape, Stopped> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(shape);
        }
        Err(match word.as_bytes().starts_with(rest) {
            true => Stopped::End,
            false => Stopped::Wrong(self.at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::columns;
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let found = look(text.as_bytes(), true, usize::MAX);
        let shown = found
            .and_then(|found| columns(&found.fields))
            .map(|fields| {
                let fields = fields.iter();
                let fields = fields.map(|field| format!("{} {}", field.name(), field.data_type()));
                fields.collect::<Vec<_>>().join(", ")
            });
        assert_eq!(shown.unwrap_or_else(|problem| problem), expect, "{text}");
    }

    #[test]
    fn types_hold_all_values() {
        check("{\"a\":1}\n{\"a\":-2,\"b\":true}\n", "a Int64, b Boolean");
        check("[{\"a\":1.5}, {\"a\":2}]", "a Float64");
        check("{\"a\":18446744073709551615}\n", "a Decimal128(38, 0)");
        check("{\"a\":1}\n{\"a\":\"x\"}\n", "a Utf8");
        check("{\"a\":1}\n{\"a\":true}\n", "a Utf8");
        check("{\"a\":null}\n{}\n", "a Null");
        check("{\"a\\u0062\":[1,2.5,null]}\n", "ab List(Float64)");
        check(
            "{\"a\":{\"b\":1}}\n{\"a\":null}\n{\"a\":{\"c\":\"x\"}}\n",
            "a Struct(\"b\": Int64, \"c\": Utf8)",
        );
        check("{\"a\":1e3}\n{\"a\":9007199254740992}\n", "a Float64");
        check("", "");
    }

    #[test]
    fn what_has_no_type_is_said() {
        check("{\"a\":1}\n{\"a\":", "it ends inside a record");
        check("{\"a\":1}\n{\"a\";1}\n", "it is no JSON at byte 13");
        check("1 2 ", "a record is no object");
        let text = b"{\"a\":9007199254740993}\n{\"a\":1.5}\n";
        let found = look(text, true, usize::MAX).map(|found| columns(&found.fields));
        assert!(matches!(found, Ok(Err(problem)) if problem.contains("column `a`")));
    }

    #[test]
    fn a_cut_record_is_left_out() {
        let found = look(b"{\"a\":1}\n{\"a\":1", false, usize::MAX);
        assert!(matches!(found, Ok(found) if !found.whole && found.fields.iter().count() == 1));
        let found = look(b"{\"a\":1}\n{\"b\":1}\n", true, 1);
        assert!(matches!(found, Ok(found) if !found.whole && found.fields.iter().count() == 1));
    }
}
