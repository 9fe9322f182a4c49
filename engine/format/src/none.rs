//! `none`: takes all rows and writes nothing, to time a query without its output.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::{Format, FormatError, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "none",
    aliases: &["trash", "off"],
    suffixes: &[],
    summary: "nothing: the rows are read and dropped",
    binary: false,
    one_result: false,
    for_eyes: false,
    separated: false,
    create: |_| Box::new(NoneWriter),
};

struct NoneWriter;

impl ResultWriter for NoneWriter {
    fn start(&mut self, _schema: &SchemaRef, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }

    fn batch(&mut self, _batch: &RecordBatch, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }

    fn finish(&mut self, _end: &ResultEnd, _out: &mut dyn Write) -> Result<(), FormatError> {
        Ok(())
    }
}
