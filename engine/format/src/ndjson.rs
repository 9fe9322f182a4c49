//! `ndjson`: one JSON object a line, without an array around them. Streams.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::encode::{Json, ObjectKeys};
use super::rows::{columns, write_rows};
use super::{Format, FormatError, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "ndjson",
    aliases: &["jsonl", "jsonlines"],
    suffixes: &["ndjson", "jsonl"],
    summary: "one JSON object a line",
    binary: false,
    one_result: false,
    for_eyes: false,
    separated: false,
    create: |_| {
        Box::new(NdjsonWriter {
            keys: None,
            buffer: Vec::new(),
        })
    },
};

struct NdjsonWriter {
    keys: Option<ObjectKeys>,
    buffer: Vec<u8>,
}

impl ResultWriter for NdjsonWriter {
    fn start(&mut self, schema: &SchemaRef, _out: &mut dyn Write) -> Result<(), FormatError> {
        self.keys = Some(ObjectKeys::new(schema.fields()));
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let schema = batch.schema_ref();
        let keys = self
            .keys
            .get_or_insert_with(|| ObjectKeys::new(schema.fields()));
        let mut columns = columns(batch, &Json);
        write_rows(0..batch.num_rows(), &mut self.buffer, out, |row, buffer| {
            keys.write(&mut columns, row, buffer);
            buffer.push(b'\n');
        })
    }

    fn finish(&mut self, _end: &ResultEnd, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }
}
