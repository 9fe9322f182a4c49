//! Results of earlier statements as tables: `_`, `_1`, `_2` and so on in a notebook.
//!
//! A result that was shown whole is kept as rows: in memory up to a limit, beyond it in temporary files
//! up to another, the oldest first. One that was cut is kept as its query, which runs again on the table
//! versions of its first run.

mod stored;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::datasource::{MemTable, TableProvider};
use lakesh_catalog::definition::ViewDefinition;
use lakesh_event::event::QueryReads;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind, masked};
use lakesh_text::input::tokens;
use lakesh_text::secret::Secret;
use lakesh_text::source::Place;

use super::{Session, read, write};
use stored::StoredRows;

/// Bytes of rows that are kept in memory.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What becomes of a result whose rows were too many to keep.
const TOO_OLD: &str =
    "newer results took its place on disk; `SET lakesh.kept_results_limit` gives them more";

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
    /// The bytes of the results whose rows are in memory, by number.
    in_memory: BTreeMap<usize, usize>,
    /// The bytes of the results whose rows are in files, by number.
    on_disk: BTreeMap<usize, u64>,
    /// The number of the result that `_` is.
    newest: usize,
}

struct Kept {
    rows: KeptRows,
    schema: String,
}

/// Where the rows of a result are.
enum KeptRows {
    Memory(SchemaRef, Vec<RecordBatch>),
    File(StoredRows),
    Query(QueryReads),
    /// Nowhere; why, where there is more to say than that they were cut.
    Gone(Option<String>),
}

/// What a name of an earlier result stands for.
pub(crate) enum FoundResult {
    Rows(Arc<dyn TableProvider>),
    /// The query, and the versions to read by location.
    Query(ViewDefinition, HashMap<String, u64>),
}

impl Session {
    /// Lets queries call a result `_` and `_N`. Returns what the user should know: which results could
    /// not be kept, and why.
    pub async fn keep_result(&self, number: usize, result: EarlierResult) -> Vec<String> {
        let schema = self.current_schema();
        let moving = write(&self.results).keep(number, result, schema);
        let most = self.behaviour().kept_results_limit;
        let mut notices = Vec::new();
        for (number, kept) in moving {
            let memory = self.memory.clone();
            let writing = Erased::new(Arc::clone(&kept));
            let written = tokio::task::spawn_blocking(move || match &writing.rows {
                KeptRows::Memory(schema, batches) => {
                    StoredRows::write(&memory, schema, batches, most).map(Some)
                }
                _ => Ok(None),
            });
            let rows = match written.await {
                Ok(Ok(Some(stored))) => KeptRows::File(stored),
                Ok(Ok(None)) => continue,
                Ok(Err(error)) => {
                    // Of DataFusion's chain of causes the innermost says what happened.
                    let why = masked(&self.secrets.hide(&Failure::from_error(error).message));
                    notices.push(format!("result `_{number}` is not kept: {why}"));
                    KeptRows::Gone(Some(why))
                }
                Err(_) => KeptRows::Gone(None),
            };
            write(&self.results).moved(number, &kept, rows, most);
        }
        notices
    }

    /// Lets queries call a query by a name that begins with `_`. Its columns have the names that its result
    /// would have.
    pub fn name_query(&self, name: &str, query: &Place) -> Result<(), Failure> {
        let sql = self.substitute(query)?.text;
        let schema = self.current_schema();
        let mut results = write(&self.results);
        let sql = with_numbers(&sql, results.newest);
        let rows = KeptRows::Query(QueryReads {
            sql: Secret::new(sql),
            ..QueryReads::default()
        });
        let kept = Arc::new(Kept { rows, schema });
        results.by_name.insert(name.to_owned(), kept);
        Ok(())
    }

    /// Finds what a name of an earlier result stands for.
    pub(crate) fn earlier_result(&self, name: &str) -> Result<Option<FoundResult>, Failure> {
        if !name.starts_with('_') {
            return Ok(None);
        }
        let Some(kept) = read(&self.results).by_name.get(name).cloned() else {
            return Ok(None);
        };
        match &kept.rows {
            KeptRows::Memory(schema, batches) => {
                let table = MemTable::try_new(Arc::clone(schema), vec![batches.clone()])
                    .map_err(Failure::from_error)?;
                Ok(Some(FoundResult::Rows(Arc::new(table))))
            }
            KeptRows::File(stored) => {
                let table = stored.table().map_err(Failure::from_error)?;
                Ok(Some(FoundResult::Rows(table)))
            }
            KeptRows::Query(reads) => {
                let view = ViewDefinition {
                    query: reads.sql.reveal().to_owned(),
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
            KeptRows::Gone(why) => {
                let why = why.as_ref().map(|why| format!(": {why}"));
                let message = format!(
                    "the result `{name}` was not kept{}",
                    why.unwrap_or_default()
                );
                Err(Failure::new(FailureKind::Plan, message)
                    .hint("run its statement again, or keep rows with CREATE TABLE … AS"))
            }
        }
    }
}

/// Gives columns of one name the names that they have in a subquery: `a`, `a:1` and so on.
fn told_apart(schema: SchemaRef, batches: Vec<RecordBatch>) -> (SchemaRef, Vec<RecordBatch>) {
    let mut taken: HashSet<String> = HashSet::new();
    let names: HashSet<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    if names.len() == schema.fields().len() {
        return (schema, batches);
    }
    let fields = schema.fields().iter().map(|field| {
        let free = (0..)
            .map(|number| match number {
                0 => field.name().clone(),
                _ => format!("{}:{number}", field.name()),
            })
            .find(|name| {
                !taken.contains(name) && (name == field.name() || !names.contains(name.as_str()))
            })
            .unwrap_or_else(|| field.name().clone());
        taken.insert(free.clone());
        Field::clone(field).with_name(free)
    });
    let fields: Vec<Field> = fields.collect();
    let apart = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let batches = batches
        .into_iter()
        .map(|batch| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = batch.columns().to_vec();
            RecordBatch::try_new_with_options(Arc::clone(&apart), columns, &options)
                .expect("only names of columns change")
        })
        .collect();
    (apart, batches)
}

impl Results {
    /// Names a result; returns those that are to move from memory to files, oldest first.
    fn keep(
        &mut self,
        number: usize,
        result: EarlierResult,
        schema: String,
    ) -> Vec<(usize, Arc<Kept>)> {
        let rows = match result {
            EarlierResult::Rows { schema, batches } => {
                let (schema, batches) = told_apart(schema, batches);
                let bytes = batches.iter().map(RecordBatch::get_array_memory_size);
                self.in_memory.insert(number, bytes.sum());
                KeptRows::Memory(schema, batches)
            }
            EarlierResult::Query(mut reads) => {
                reads.sql = Secret::new(with_numbers(reads.sql.reveal(), self.newest));
                KeptRows::Query(reads)
            }
            EarlierResult::Forgotten => KeptRows::Gone(None),
        };
        self.newest = number;
        self.put(number, Kept { rows, schema });
        let mut moving = Vec::new();
        while self.in_memory.values().sum::<usize>() > MOST_BYTES
            && let Some((number, _)) = self.in_memory.pop_first()
            && let Some(kept) = self.by_name.get(&numbered(number))
        {
            moving.push((number, Arc::clone(kept)));
        }
        moving
    }

    /// Puts what became of the rows in their place, and lets the oldest files go that are too many.
    fn moved(&mut self, number: usize, kept: &Kept, rows: KeptRows, most: u64) {
        if let KeptRows::File(stored) = &rows {
            self.on_disk.insert(number, stored.bytes());
        }
        let schema = kept.schema.clone();
        self.put(number, Kept { rows, schema });
        while self.on_disk.values().sum::<u64>() > most
            && let Some((oldest, _)) = self.on_disk.pop_first()
        {
            let rows = KeptRows::Gone(Some(TOO_OLD.to_owned()));
            let schema = String::new();
            self.put(oldest, Kept { rows, schema });
        }
    }

    fn put(&mut self, number: usize, kept: Kept) {
        let kept = Arc::new(kept);
        if number == self.newest {
            self.by_name.insert("_".to_owned(), Arc::clone(&kept));
        }
        self.by_name.insert(numbered(number), kept);
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
    use datafusion::arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn columns_of_one_name_are_told_apart() {
        let fields = ["a", "b", "a", "a", "a:1"];
        let fields = fields.map(|name| Field::new(name, DataType::Int64, true));
        let schema: SchemaRef = Arc::new(Schema::new(fields.to_vec()));
        let batch = RecordBatch::new_empty(Arc::clone(&schema));
        let (schema, batches) = told_apart(schema, vec![batch]);
        let names = schema.fields().iter().map(|field| field.name().as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "a:2", "a:3", "a:1"]);
        assert_eq!(batches[0].schema(), schema);
    }

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
