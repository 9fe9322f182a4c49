//! How long the values of an Avro schema are, so that a block can be measured before it is decoded.
//!
//! The library's decoder never ends where a block has more bytes than its rows take, loses rows that take
//! none, and has no bound on schemas whose parts grow by naming each other.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// So many rows may a block have whose rows take no bytes.
const ROWS_WITHOUT_BYTES: u64 = 1 << 24;

/// A schema may have so many parts, those of named types counted wherever they are named.
const MOST_PARTS: usize = 1_000_000;
/// So deep may types lie in each other.
const MOST_DEPTH: usize = 100;

/// A varint is at most so long.
const LONGEST_NUMBER: usize = 10;

/// What the bytes of a value look like.
#[derive(Debug, PartialEq)]
enum Shape {
    /// So many bytes.
    Fixed(usize),
    Number,
    /// The number of one of so many symbols.
    Symbol(usize),
    /// A length, and so many bytes.
    Bytes,
    Array(Arc<Shape>),
    Map(Arc<Shape>),
    Union(Vec<Arc<Shape>>),
    Record(Vec<Arc<Shape>>),
}

/// What the rows of a file look like.
#[derive(Debug, Clone)]
pub(super) struct RowShape {
    shape: Arc<Shape>,
    is_empty: bool,
}

impl RowShape {
    /// Reads the schema of a file; the error is what is wrong with it.
    pub(super) fn parse(schema: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(schema)
            .map_err(|error| format!("its schema is no JSON: {error}"))?;
        let part = Parser::default().any(&schema, "")?;
        Ok(Self {
            is_empty: part.is_empty,
            shape: part.shape,
        })
    }

    /// Says whether rows take no bytes, as those do whose columns are all NULL.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Says whether a block consists of exactly so many rows.
    pub(super) fn fits(&self, mut block: &[u8], rows: u64) -> bool {
        if self.is_empty {
            return block.is_empty() && rows <= ROWS_WITHOUT_BYTES;
        }
        // Each row takes a byte at least, so that a false number of rows ends with the block.
        for _ in 0..rows {
            if self.shape.skip(&mut block).is_none() {
                return false;
            }
        }
        block.is_empty()
    }
}

impl Shape {
    /// Skips one value; `None` where there is none.
    fn skip(&self, rest: &mut &[u8]) -> Option<()> {
        match self {
            Self::Fixed(length) => skip_bytes(rest, *length),
            Self::Number => number(rest).map(|_| ()),
            Self::Symbol(count) => {
                let symbol = usize::try_from(number(rest)?).ok()?;
                (symbol < *count).then_some(())
            }
            Self::Bytes => skip_text(rest),
            Self::Array(item) => skip_items(rest, |rest| item.skip(rest)),
            Self::Map(value) => skip_items(rest, |rest| {
                skip_text(rest)?;
                value.skip(rest)
            }),
            Self::Union(branches) => {
                let branch = usize::try_from(number(rest)?).ok()?;
                branches.get(branch)?.skip(rest)
            }
            Self::Record(fields) => fields.iter().try_for_each(|field| field.skip(rest)),
        }
    }
}

fn skip_bytes(rest: &mut &[u8], length: usize) -> Option<()> {
    *rest = rest.get(length..)?;
    Some(())
}

fn skip_text(rest: &mut &[u8]) -> Option<()> {
    let length = usize::try_from(number(rest)?).ok()?;
    skip_bytes(rest, length)
}

/// Skips the items of an array or a map, which come in blocks of their own.
fn skip_items(rest: &mut &[u8], item: impl Fn(&mut &[u8]) -> Option<()>) -> Option<()> {
    loop {
        let count = number(rest)?;
        if count == 0 {
            return Some(());
        }
        if count < 0 {
            // Then the length of the block follows, for readers that leave it out.
            number(rest)?;
        }
        for _ in 0..count.unsigned_abs() {
            item(rest)?;
        }
    }
}

/// Reads a number of variable length, whose lowest bit is its sign.
pub(super) fn number(rest: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for (at, byte) in rest.iter().take(LONGEST_NUMBER).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at + 1 == LONGEST_NUMBER && bits > 1 {
            return None;
        }
        value |= bits << (7 * at);
        if *byte < 0x80 {
            *rest = &rest[at + 1..];
            let magnitude = i64::try_from(value >> 1).ok()?;
            return Some(if value & 1 == 0 {
                magnitude
            } else {
                -magnitude - 1
            });
        }
    }
    None
}

/// Writes a number of variable length.
pub(super) fn write_number(value: u64, to: &mut Vec<u8>) {
    let mut rest = value << 1;
    loop {
        let bits = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
        match rest {
            0 => return to.push(bits),
            _ => to.push(bits | 0x80),
        }
    }
}

/// A type of a schema.
#[derive(Debug, Clone)]
struct Part {
    shape: Arc<Shape>,
    /// How many types it consists of.
    parts: usize,
    depth: usize,
    /// Whether its values take no bytes.
    is_empty: bool,
}

impl Part {
    fn leaf(shape: Shape) -> Self {
        Self {
            is_empty: shape == Shape::Fixed(0),
            shape: Arc::new(shape),
            parts: 1,
            depth: 1,
        }
    }

    /// Makes a type of others, within bounds.
    fn of(
        inner: &[Self],
        make: impl FnOnce(Vec<Arc<Shape>>) -> Shape,
        is_empty: bool,
    ) -> Result<Self, String> {
        let parts = inner
            .iter()
            .fold(1_usize, |sum, part| sum.saturating_add(part.parts));
        if parts > MOST_PARTS {
            return Err(format!("its schema has more than {MOST_PARTS} parts"));
        }
        let depth = 1 + inner.iter().map(|part| part.depth).max().unwrap_or(0);
        if depth > MOST_DEPTH {
            return Err(format!("its schema is more than {MOST_DEPTH} types deep"));
        }
        let shapes = inner.iter().map(|part| Arc::clone(&part.shape)).collect();
        Ok(Self {
            shape: Arc::new(make(shapes)),
            parts,
            depth,
            is_empty,
        })
    }
}

/// Reads a schema from its beginning on.
#[derive(Default)]
struct Parser {
    /// Types by their full names; `None` while they are being read.
    known: HashMap<String, Option<Part>>,
}

impl Parser {
    fn any(&mut self, schema: &Value, namespace: &str) -> Result<Part, String> {
        match schema {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches = branches
                    .iter()
                    .map(|branch| self.any(branch, namespace))
                    .collect::<Result<Vec<_>, _>>()?;
                Part::of(&branches, Shape::Union, false)
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => self.object(object, kind, namespace),
                Some(inner) => self.any(inner, namespace),
                None => Err("a type of its schema does not say what it is".to_owned()),
            },
            _ => Err("a type of its schema is neither a name nor an object".to_owned()),
        }
    }

    fn object(
        &mut self,
        object: &Map<String, Value>,
        kind: &str,
        namespace: &str,
    ) -> Result<Part, String> {
        match kind {
            "record" => self.record(object, namespace),
            "array" => {
                let item = self.member(object, "items", namespace)?;
                if item.is_empty {
                    return Err("it has lists whose items take no bytes, as those of NULL, \
                                which cannot be read"
                        .to_owned());
                }
                Part::of(&[item], |mut item| Shape::Array(item.remove(0)), false)
            }
            "map" => {
                let value = self.member(object, "values", namespace)?;
                Part::of(&[value], |mut value| Shape::Map(value.remove(0)), false)
            }
            "enum" => {
                let symbols = object.get("symbols").and_then(Value::as_array);
                let count = symbols.ok_or("an enumeration of its schema has no symbols")?;
                let part = Part::leaf(Shape::Symbol(count.len()));
                self.define(object, namespace, part)
            }
            "fixed" => {
                let size = object.get("size").and_then(Value::as_u64);
                let size = size.and_then(|size| usize::try_from(size).ok());
                let size = size.ok_or("a type of its schema has no size")?;
                self.define(object, namespace, Part::leaf(Shape::Fixed(size)))
            }
            name => self.named(name, namespace),
        }
    }

    fn member(
        &mut self,
        object: &Map<String, Value>,
        name: &str,
        namespace: &str,
    ) -> Result<Part, String> {
        let member = object
            .get(name)
            .ok_or_else(|| format!("a type of its schema has no `{name}`"))?;
        self.any(member, namespace)
    }

    fn record(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<Part, String> {
        let (name, namespace) = full_name(object, namespace)?;
        self.known.insert(name.clone(), None);
        let fields = object.get("fields").and_then(Value::as_array);
        let fields = fields
            .ok_or_else(|| format!("type `{name}` of its schema has no fields"))?
            .iter()
            .map(|field| match field {
                Value::Object(field) => self.member(field, "type", &namespace),
                _ => Err(format!("a field of type `{name}` of its schema is none")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let is_empty = fields.iter().all(|field| field.is_empty);
        let part = Part::of(&fields, Shape::Record, is_empty)?;
        self.known.insert(name, Some(part.clone()));
        Ok(part)
    }

    fn define(
        &mut self,
        object: &Map<String, Value>,
        namespace: &str,
        part: Part,
    ) -> Result<Part, String> {
        let (name, _) = full_name(object, namespace)?;
        self.known.insert(name, Some(part.clone()));
        Ok(part)
    }

    /// Finds a type by its name.
    fn named(&self, name: &str, namespace: &str) -> Result<Part, String> {
        let shape = match name {
            "null" => Shape::Fixed(0),
            "boolean" => Shape::Fixed(1),
            "float" => Shape::Fixed(4),
            "double" => Shape::Fixed(8),
            "int" | "long" => Shape::Number,
            "bytes" | "string" => Shape::Bytes,
            _ => {
                let near = self.known.get(&format!("{namespace}.{name}"));
                return match near.or_else(|| self.known.get(name)) {
                    Some(Some(part)) => Ok(part.clone()),
                    Some(None) => Err(format!(
                        "type `{name}` of its schema contains itself, which cannot be read"
                    )),
                    None => Err(format!("its schema names an unknown type `{name}`")),
                };
            }
        };
        Ok(Part::leaf(shape))
    }
}

/// Returns the full name that an object defines, and the namespace of names inside of it.
fn full_name(object: &Map<String, Value>, namespace: &str) -> Result<(String, String), String> {
    let name = object.get("name").and_then(Value::as_str);
    let name = name.ok_or("a type of its schema has no name")?;
    if let Some((namespace, _)) = name.rsplit_once('.') {
        return Ok((name.to_owned(), namespace.to_owned()));
    }
    let own = object.get("namespace").and_then(Value::as_str);
    let namespace = own.unwrap_or(namespace);
    let full = match namespace {
        "" => name.to_owned(),
        _ => format!("{namespace}.{name}"),
    };
    Ok((full, namespace.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shape(fields: &str) -> Result<RowShape, String> {
        let schema = format!(r#"{{"type": "record", "name": "n.r", "fields": [{fields}]}}"#);
        RowShape::parse(&schema)
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, 63, 64, 8191, 8192, 1 << 40, i64::MAX as u64] {
            let mut bytes = Vec::new();
            write_number(value, &mut bytes);
            let mut rest = bytes.as_slice();
            assert_eq!(number(&mut rest), Some(i64::try_from(value).unwrap()));
            assert_eq!(rest, b"");
        }
        assert_eq!(number(&mut [1].as_slice()), Some(-1));
        assert_eq!(number(&mut [3].as_slice()), Some(-2));
        assert_eq!(number(&mut [0x80].as_slice()), None);
        let mut smallest = [0xff_u8; 10];
        smallest[9] = 1;
        assert_eq!(number(&mut smallest.as_slice()), Some(i64::MIN));
        assert_eq!(number(&mut [0xff; 10].as_slice()), None);
    }

    #[test]
    fn a_block_is_as_long_as_its_rows() {
        for (field, rows, block, expect) in [
            (r#""long""#, 2, &[2, 4][..], true),
            (r#""long""#, 1, &[2, 4], false),
            (r#""long""#, 3, &[2, 4], false),
            (r#""long""#, 0, &[], true),
            (r#""long""#, 0, &[2], false),
            (r#""string""#, 1, &[4, b'a', b'b'], true),
            (r#""string""#, 1, &[6, b'a', b'b'], false),
            (r#""string""#, 1, &[1], false),
            (r#"["null", "double"]"#, 1, &[0], true),
            (
                r#"["null", "double"]"#,
                1,
                &[2, 0, 0, 0, 0, 0, 0, 0, 0],
                true,
            ),
            (r#"["null", "double"]"#, 1, &[4], false),
            // Two items, then one with the length of its block.
            (
                r#"{"type": "array", "items": "int"}"#,
                1,
                &[4, 1, 1, 1, 2, 1, 0],
                true,
            ),
            (r#"{"type": "array", "items": "int"}"#, 1, &[4, 1, 1], false),
            (
                r#"{"type": "map", "values": "boolean"}"#,
                1,
                &[2, 2, b'k', 1, 0],
                true,
            ),
            (
                r#"{"type": "fixed", "name": "f", "size": 3}"#,
                1,
                &[1, 2, 3],
                true,
            ),
            (
                r#"{"type": "enum", "name": "e", "symbols": ["A", "B"]}"#,
                1,
                &[2],
                true,
            ),
            (
                r#"{"type": "enum", "name": "e", "symbols": ["A", "B"]}"#,
                1,
                &[4],
                false,
            ),
            (r#""null""#, 5, &[], true),
            (r#""null""#, 5, &[0], false),
            (r#""null""#, 1 << 40, &[], false),
            (
                r#"{"type": {"type": "int", "logicalType": "date"}}"#,
                1,
                &[2],
                true,
            ),
        ] {
            let shape = shape(&format!(r#"{{"name": "a", "type": {field}}}"#)).unwrap();
            assert_eq!(shape.fits(block, rows), expect, "{field} {rows} {block:?}");
        }
    }

    #[test]
    fn types_are_found_by_their_names() {
        let point = r#"{"name": "a", "type": {"type": "record", "name": "p", "fields": [
            {"name": "x", "type": "int"}, {"name": "y", "type": "int"}]}}"#;
        for (other, expect) in [
            ("p", Ok(true)),
            ("n.p", Ok(true)),
            ("q", Err("its schema names an unknown type `q`")),
            (
                "r",
                Err("type `r` of its schema contains itself, which cannot be read"),
            ),
        ] {
            let read = shape(&format!(r#"{point}, {{"name": "b", "type": "{other}"}}"#));
            let found = read.map(|shape| shape.fits(&[2, 2, 2, 2], 1));
            assert_eq!(found, expect.map_err(str::to_owned), "{other}");
        }
    }

    #[test]
    fn schemas_have_bounds() {
        // Each type has two of the one before it: forty of them would have 2 to the 40 parts.
        let mut fields =
            vec![r#"{"name": "f", "type": {"type": "fixed", "name": "t0", "size": 1}}"#.to_owned()];
        for number in 1..40 {
            let before = number - 1;
            fields.push(format!(
                r#"{{"name": "f{number}", "type": {{"type": "record", "name": "t{number}", "fields": [
                    {{"name": "x", "type": "t{before}"}}, {{"name": "y", "type": "t{before}"}}]}}}}"#
            ));
        }
        let said = shape(&fields.join(",")).unwrap_err();
        assert_eq!(said, "its schema has more than 1000000 parts");
        let mut fields =
            vec![r#"{"name": "f", "type": {"type": "fixed", "name": "t0", "size": 1}}"#.to_owned()];
        for number in 1..200 {
            let before = number - 1;
            fields.push(format!(
                r#"{{"name": "f{number}", "type": {{"type": "record", "name": "t{number}", "fields": [
                    {{"name": "x", "type": "t{before}"}}]}}}}"#
            ));
        }
        let said = shape(&fields.join(",")).unwrap_err();
        assert_eq!(said, "its schema is more than 100 types deep");
        assert!(
            RowShape::parse("{")
                .unwrap_err()
                .starts_with("its schema is no JSON")
        );
        assert!(shape(r#"{"name": "a", "type": {"type": "array", "items": "null"}}"#).is_err());
    }
}
