//! `json`: one array of objects, a line each. Streams.
//!
//! Integers and decimals keep all digits. NaN and the infinities are strings, bytes are hex digits, and a
//! column name that occurs again gets a number (see `encode/json.rs`). The array of an incomplete result
//! stays open, so that no reader takes it for whole.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::encode::{Json, ObjectKeys};
use super::rows::{columns, flush, write_rows};
use super::{Format, FormatError, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "json",
    aliases: &[],
    suffixes: &["json"],
    summary: "one JSON array of objects",
    binary: false,
    one_result: true,
    for_eyes: false,
    separated: false,
    create: |_| {
        Box::new(JsonWriter {
            keys: None,
            first: true,
            buffer: Vec::new(),
        })
    },
};

struct JsonWriter {
    keys: Option<ObjectKeys>,
    first: bool,
    buffer: Vec<u8>,
}

impl ResultWriter for JsonWriter {
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        self.keys = Some(ObjectKeys::new(schema.fields()));
        self.buffer.push(b'[');
        flush(&mut self.buffer, out)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let schema = batch.schema_ref();
        let keys = self
            .keys
            .get_or_insert_with(|| ObjectKeys::new(schema.fields()));
        let mut columns = columns(batch, &Json);
        write_rows(0..batch.num_rows(), &mut self.buffer, out, |row, buffer| {
            let separator: &[u8] = if self.first { b"\n" } else { b",\n" };
            self.first = false;
            buffer.extend_from_slice(separator);
            keys.write(&mut columns, row, buffer);
        })
    }

    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        let closing: &[u8] = match (end.complete, self.first) {
            (false, _) => b"\n",
            (true, true) => b"]\n",
            (true, false) => b"\n]\n",
        };
        self.buffer.extend_from_slice(closing);
        flush(&mut self.buffer, out)
    }
}
