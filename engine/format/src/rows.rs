//! The loop that the text formats share: rows go through one reused buffer to the stream.

use std::io::Write;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;

use super::FormatError;
use super::encode::{Column, Syntax};

/// Bytes after which the buffer is handed to the stream.
const FLUSH_AT: usize = 128 * 1024;

/// Makes the columns of a batch ready to be written cell by cell.
pub(super) fn columns<'a, S: Syntax>(batch: &'a RecordBatch, syntax: &'a S) -> Vec<Column<'a>> {
    let arrays = batch.columns().iter();
    arrays
        .map(|array| Column::new(array.as_ref(), syntax))
        .collect()
}

/// Calls `write_row` for every row number in `rows` and hands the bytes to the stream in large pieces.
pub(super) fn write_rows(
    rows: Range<usize>,
    buffer: &mut Vec<u8>,
    out: &mut dyn Write,
    mut write_row: impl FnMut(usize, &mut Vec<u8>),
) -> Result<(), FormatError> {
    for row in rows {
        write_row(row, buffer);
        if buffer.len() >= FLUSH_AT {
            flush(buffer, out)?;
        }
    }
    flush(buffer, out)
}

/// Hands the buffer to the stream and empties it.
pub(super) fn flush(buffer: &mut Vec<u8>, out: &mut dyn Write) -> Result<(), FormatError> {
    let written = out.write_all(buffer);
    buffer.clear();
    // One huge value must not keep its room for the rest of the result.
    buffer.shrink_to(4 * FLUSH_AT);
    written.map_err(FormatError::Write)
}
