//! Results of earlier statements as tables: `_`, `_1`, `_2` and so on in a notebook.
//!
//! A result that was shown whole is kept as rows. One that was cut is kept as its query, which runs
//! again on the table versions of its first run. Rows are kept up to a limit; the oldest go first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::{MemTable, TableProvider};

use super::{Session, read, write};
use crate::definition::ViewDefinition;
use crate::event::QueryReads;
use crate::failure::{Failure, FailureKind};
use crate::input::tokens;

/// Bytes of rows that are kept in all.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What an earlier statement returned.
#[derive(Debug, Clone)]
pub enum EarlierResult {
    /// All of its rows.
    Rows {
        /// Their columns.
        schema: SchemaRef,
        /// The rows.
        batches: Vec<RecordBatch>,
    },
    /// The query that returns them, and what it read.
    Query(QueryReads),
    /// Only that there was one.
    Forgotten,
}

/// What earlier statements returned, by name.
#[derive(Default)]
pub(super) struct Results {
    by_name: HashMap<String, Arc<Kept>>,
    /// The bytes of the results with rows, by number.
    with_rows: BTreeMap<usize, usize>,
    bytes: usize,
    /// The number of the result that `_` is.
    newest: usize,
}

struct Kept {
    result: EarlierResult,
    schema: String,
}

/// What a name of an earlier result stands for.
pub(crate) enum FoundResult {
    Rows(Arc<dyn TableProvider>),
    /// The query, and the versions to read by location.
    Query(ViewDefinition, HashMap<String, u64>),
}

impl Session {
    /// Lets queries call a result `_` and `_N`.
    pub fn keep_result(&self, number: usize, result: EarlierResult) {
        let schema = self.current_schema();
        write(&self.results).keep(number, result, schema);
    }

    /// Finds what a name of an earlier result stands for.
    pub(crate) fn earlier_result(&self, name: &str) -> Result<Option<FoundResult>, Failure> {
        if !name.starts_with('_') {
            return Ok(None);
        }
        let Some(kept) = read(&self.results).by_name.get(name).cloned() else {
            return Ok(None);
        };
        match &kept.result {
            EarlierResult::Rows { schema, batches } => {
                let table = MemTable::try_new(Arc::clone(schema), vec![batches.clone()])
                    .map_err(Failure::from_error)?;
                Ok(Some(FoundResult::Rows(Arc::new(table))))
            }
            EarlierResult::Query(reads) => {
                let view = ViewDefinition {
                    query: reads.sql.clone(),
                    columns: Vec::new(),
                    current_schema: kept.schema.clone(),
                    folder: None,
                    comment: None,
                    feature: None,
                };
                let versions = reads.versions.iter();
                let versions = versions.map(|read| (read.location.clone(), read.version));
                Ok(Some(FoundResult::Query(view, versions.collect())))
            }
            EarlierResult::Forgotten => Err(Failure::new(
                FailureKind::Plan,
                format!("the result `{name}` was not kept"),
            )
            .hint("run its statement again, or keep rows with CREATE TABLE … AS")),
        }
    }
}

impl Results {
    fn keep(&mut self, number: usize, mut result: EarlierResult, schema: String) {
        if let EarlierResult::Query(reads) = &mut result {
            reads.sql = with_numbers(&reads.sql, self.newest);
        }
        let bytes = match &result {
            EarlierResult::Rows { batches, .. } => {
                batches.iter().map(RecordBatch::get_array_memory_size).sum()
            }
            EarlierResult::Query(_) | EarlierResult::Forgotten => 0,
        };
        if bytes > 0 {
            self.with_rows.insert(number, bytes);
            self.bytes += bytes;
        }
        self.newest = number;
        let kept = Arc::new(Kept { result, schema });
        self.by_name.insert(numbered(number), Arc::clone(&kept));
        self.by_name.insert("_".to_owned(), kept);
        while self.bytes > MOST_BYTES
            && let Some((number, bytes)) = self.with_rows.pop_first()
        {
            self.bytes -= bytes;
            self.forget(number);
        }
    }

    fn forget(&mut self, number: usize) {
        let forgotten = Arc::new(Kept {
            result: EarlierResult::Forgotten,
            schema: String::new(),
        });
        if number == self.newest {
            self.by_name.insert("_".to_owned(), Arc::clone(&forgotten));
        }
        self.by_name.insert(numbered(number), forgotten);
    }
}

fn numbered(number: usize) -> String {
    format!("_{number}")
}

/// Writes `_N` for `_`, which will be another result by the time when the query runs again.
fn with_numbers(sql: &str, newest: usize) -> String {
    let mut text = String::with_capacity(sql.len());
    for token in tokens(sql) {
        match &sql[token.range] {
            "_" => text.push_str(&numbered(newest)),
            other => text.push_str(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_numbers;

    #[test]
    fn the_newest_result_is_named_by_its_number() {
        let cases = [
            ("select * from _ -- _", "select * from _3 -- _"),
            ("select '_', _.a from _", "select '_', _3.a from _3"),
            ("select _1.a, a_ from _1", "select _1.a, a_ from _1"),
        ];
        for (sql, expected) in cases {
            assert_eq!(with_numbers(sql, 3), expected);
        }
    }
}
