//! JSON's own syntax: strings, and the keys of objects. Numbers and times are written elsewhere.

use datafusion::arrow::datatypes::Fields;

use super::{Column, Syntax, any_byte, push_hex};
use crate::names::distinct_names;

/// The syntax of RFC 8259. Text stays UTF-8; only what must be escaped is.
///
/// Bytes are a string of hex digits without a prefix, which is what Arrow's JSON reader expects.
pub(crate) struct Json;

impl Syntax for Json {
    const JSON: bool = true;

    #[inline]
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        out.push(b'"');
        if any_byte(text.as_bytes(), needs_escape) {
            push_escaped(text.as_bytes(), out);
        } else {
            out.extend_from_slice(text.as_bytes());
        }
        out.push(b'"');
    }

    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        out.push(b'"');
        push_hex(bytes, out);
        out.push(b'"');
    }
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

#[cold]
fn push_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..b' ' => {
                out.extend_from_slice(b"\\u00");
                push_hex(&[byte], out);
            }
            _ => out.push(byte),
        }
    }
}

/// The keys of the objects that stand for the rows of one schema, or for one struct type.
pub(crate) struct ObjectKeys {
    /// What comes before each value: `{"name":` or `,"name":`.
    prefixes: Vec<Vec<u8>>,
}

impl ObjectKeys {
    /// Makes keys from the names of fields: most readers keep only one of several equal keys, and a value
    /// would be lost.
    pub(crate) fn new(fields: &Fields) -> Self {
        let mut prefixes = Vec::with_capacity(fields.len());
        for (index, key) in distinct_names(fields).into_iter().enumerate() {
            let mut prefix = vec![if index == 0 { b'{' } else { b',' }];
            Json.text(&key, &mut prefix);
            prefix.push(b':');
            prefixes.push(prefix);
        }
        Self { prefixes }
    }

    /// Writes one object.
    #[inline]
    pub(crate) fn write(&self, columns: &mut [Column<'_>], row: usize, out: &mut Vec<u8>) {
        for (prefix, column) in self.prefixes.iter().zip(columns) {
            out.extend_from_slice(prefix);
            if !column.write(row, out) {
                out.extend_from_slice(b"null");
            }
        }
        if self.prefixes.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
    }
}
