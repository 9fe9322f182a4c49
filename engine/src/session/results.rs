//! Results of earlier statements as tables: `_`, `_1`, `_2` and so on in a notebook.
//!
//! A result that was shown whole is kept as rows: in memory up to a limit, beyond it in temporary files
//! up to another, the oldest first. One that was cut is kept as its query, which runs again on the table
//! versions of its first run.

mod stored;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::{MemTable, TableProvider};

use super::{Session, read, write};
use crate::definition::ViewDefinition;
use crate::erased::Erased;
use crate::event::QueryReads;
use crate::failure::{Failure, FailureKind, masked};
use crate::input::tokens;
use crate::source::Place;
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
                    let why = masked(&Failure::from_error(error).message);
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
        let versions = Vec::new();
        let rows = KeptRows::Query(QueryReads { sql, versions });
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
                let bytes = batches.iter().map(RecordBatch::get_array_memory_size);
                self.in_memory.insert(number, bytes.sum());
                KeptRows::Memory(schema, batches)
            }
            EarlierResult::Query(mut reads) => {
                reads.sql = with_numbers(&reads.sql, self.newest);
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
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::compute::cast;
    use datafusion::arrow::datatypes::DataType;
    use futures::StreamExt;

    use super::{EarlierResult, with_numbers};
    use crate::event::Event;
    use crate::session::{Session, SessionOptions};
    use crate::source::{Place, Source};

    const MIB: usize = 1024 * 1024;

    /// A session whose temporary files lie in a folder of its own.
    fn session() -> (tempfile::TempDir, Arc<Session>) {
        let folder = tempfile::tempdir().unwrap();
        let mut options = SessionOptions::in_folder(folder.path());
        options.temp_folder = folder.path().join("temp");
        (folder, crate::open(options).unwrap())
    }

    /// A result of so many MiB whose every number is its own, with a dictionary that each batch renews.
    fn result(number: usize, mebibytes: usize) -> EarlierResult {
        let rows = mebibytes * MIB / 8;
        let batches: Vec<_> = (0..4)
            .map(|part| {
                let numbers = Int64Array::from_value(number as i64, rows / 4);
                let texts = StringArray::from(vec![format!("part {part}"); rows / 4]);
                let kind = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
                let texts = cast(&texts, &kind).unwrap();
                let columns = [("n", Arc::new(numbers) as ArrayRef), ("part", texts)];
                RecordBatch::try_from_iter(columns).unwrap()
            })
            .collect();
        EarlierResult::Rows {
            schema: batches[0].schema(),
            batches,
        }
    }

    /// Runs a query; returns the first value of its row, or why it failed.
    async fn answer(session: &Arc<Session>, sql: &str) -> Result<i64, String> {
        let source = Source::new("test", sql);
        let mut events = session.run_aside(Place::new(&source, 0..sql.len()));
        let mut answer = Err("no row".to_owned());
        while let Some(event) = events.next().await {
            match event {
                Event::Batch(batch) => {
                    let column = batch.column(0).as_any().downcast_ref::<Int64Array>();
                    answer = Ok(column.unwrap().value(0));
                }
                Event::Failed(failure) => answer = Err(failure.message),
                _ => {}
            }
        }
        answer
    }

    fn files(session: &Session) -> usize {
        let folder = session.memory().spill().path();
        folder.map_or(0, |folder| {
            let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
            entries
                .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "spill"))
                .count()
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_oldest_results_are_kept_on_disk() {
        let (_folder, session) = session();
        for number in 1..=4 {
            assert!(
                session
                    .keep_result(number, result(number, 24))
                    .await
                    .is_empty()
            );
        }
        // 27 MiB each: of four, two have room in memory.
        assert_eq!(files(&session), 2);
        for number in 1..=4 {
            let sql = format!("SELECT sum(n) FROM _{number} WHERE part = 'part 3'");
            let rows = 24 * MIB / 8 / 4;
            assert_eq!(answer(&session, &sql).await, Ok((rows * number) as i64));
        }
        assert_eq!(answer(&session, "SELECT max(n) FROM _").await, Ok(4));
        // A single one that is larger than the memory goes to disk, and all others may stay.
        assert!(session.keep_result(5, result(5, 80)).await.is_empty());
        assert_eq!(answer(&session, "SELECT max(n) FROM _").await, Ok(5));
        session.memory().spill().remove();
        assert!(session.memory().spill().path().is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_limit_bounds_what_is_on_disk() {
        let (_folder, session) = session();
        answer(&session, "SET lakesh.kept_results_limit = '40MiB'")
            .await
            .unwrap_err();
        for number in 1..=4 {
            assert!(
                session
                    .keep_result(number, result(number, 24))
                    .await
                    .is_empty()
            );
        }
        assert_eq!(files(&session), 1);
        let why = answer(&session, "SELECT max(n) FROM _1").await.unwrap_err();
        assert!(why.contains("newer results took its place"), "{why}");
        assert_eq!(answer(&session, "SELECT max(n) FROM _2").await, Ok(2));
        // One that is larger than the limit alone takes no other's place.
        let notices = session.keep_result(5, result(5, 80)).await;
        assert_eq!(
            notices.last().map(String::as_str),
            Some("result `_5` is not kept: it is larger than `lakesh.kept_results_limit`")
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_disk_costs_the_result_and_nothing_else() {
        let (_folder, session) = session();
        session.memory().spill().set_limit(MIB as u64);
        assert!(session.keep_result(1, result(1, 40)).await.is_empty());
        let notices = session.keep_result(2, result(2, 40)).await;
        assert_eq!(notices.len(), 1, "{notices:?}");
        let expected =
            "result `_1` is not kept: temporary files would take more than their limit of 1 MiB";
        assert!(notices[0].starts_with(expected), "{notices:?}");
        assert_eq!(files(&session), 0);
        let why = answer(&session, "SELECT max(n) FROM _1").await.unwrap_err();
        assert!(
            why.starts_with("the result `_1` was not kept: temporary files"),
            "{why}"
        );
        assert_eq!(answer(&session, "SELECT max(n) FROM _2").await, Ok(2));
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
