//! Values as plain text, for who puts them into a statement instead of writing them out.

use datafusion::arrow::array::RecordBatch;

use super::encode::Syntax;
use super::rows::columns;

/// Text as it is.
struct Plain;

impl Syntax for Plain {
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Returns the rows of a batch as text, without quotes; NULL is `None`.
pub fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let mut columns = columns(batch, &Plain);
    (0..batch.num_rows())
        .map(|row| {
            let cells = columns.iter_mut().map(|column| {
                let mut bytes = Vec::new();
                let is_there = column.write(row, &mut bytes);
                is_there.then(|| String::from_utf8_lossy(&bytes).into_owned())
            });
            cells.collect()
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};

    use super::texts;

    #[test]
    fn values_have_no_quotes_and_null_is_none() {
        let columns: [(&str, ArrayRef); 3] = [
            ("n", Arc::new(Int64Array::from(vec![Some(1), None]))),
            (
                "t",
                Arc::new(StringArray::from(vec![Some("a,\"b\"\n"), Some("")])),
            ),
            ("d", Arc::new(Date32Array::from(vec![Some(0), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            texts(&batch),
            [
                vec![text("1"), text("a,\"b\"\n"), text("1970-01-01")],
                vec![None, text(""), None]
            ]
        );
    }
}
