//! Runs every `.slt` file of `tests/slt` against a session in process, one lake a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;
use lakesh_engine::event::Event;
use lakesh_engine::failure::Failure;
use lakesh_engine::input::{Cell, Terminator};
use lakesh_engine::session::{Session, SessionOptions};
use lakesh_engine::source::{Place, Source};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, strict_column_validator};

use crate::support::{Lake, repository};

#[test]
fn every_file_of_tests_slt_holds() {
    let root = repository("tests/slt");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no files below {}", root.display());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let failures: Vec<String> = files
        .iter()
        .filter_map(|file| runtime.block_on(run(file)).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "slt") {
            files.push(path);
        }
    }
}

/// Any error would do for a statement of which no message is expected, also one of a slip in the test.
#[test]
fn each_error_that_is_expected_has_a_message() {
    let mut files = Vec::new();
    collect(&repository("tests/slt"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (line, record) in text.lines().enumerate() {
            let is_bare = ["statement error", "query error"].contains(&record.trim());
            assert!(!is_bare, "{}:{}", file.display(), line + 1);
        }
    }
}

async fn run(file: &Path) -> Result<(), String> {
    let lake = Lake::new();
    let session = lakesh_engine::open(SessionOptions::in_folder(lake.path()))
        .map_err(|failure| format!("{}: {failure}", file.display()))?;
    let mut runner = Runner::new(|| {
        let session = Arc::clone(&session);
        async move { Ok(Connection { session }) }
    });
    runner.with_column_validator(strict_column_validator);
    runner
        .run_file_async(file)
        .await
        .map_err(|error| error.display(false).to_string())
}

/// One session as the library wants to see a database.
struct Connection {
    session: Arc<Session>,
}

#[async_trait::async_trait]
impl AsyncDB for Connection {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        let source = Source::new("slt", sql);
        let cell = Cell::Statement {
            place: Place::new(&source, 0..sql.len()),
            terminator: Terminator::EndOfInput,
        };
        let mut events = self.session.run(cell);
        let mut types = None;
        let mut rows = Vec::new();
        while let Some(event) = events.next().await {
            match event {
                Event::Schema(schema) => types = Some(column_types(&schema)),
                Event::Batch(batch) => rows.extend(lines(&batch)),
                Event::Failed(failure) => return Err(failure),
                Event::Finished(summary) => {
                    return Ok(match types {
                        Some(types) => DBOutput::Rows { types, rows },
                        None => DBOutput::StatementComplete(summary.rows.unwrap_or(0)),
                    });
                }
                _ => {}
            }
        }
        panic!("the stream of `{sql}` ended without an outcome");
    }

    async fn shutdown(&mut self) {
        self.session.settle().await;
    }

    fn engine_name(&self) -> &str {
        "lakesh"
    }
}

fn column_types(schema: &SchemaRef) -> Vec<DefaultColumnType> {
    let column_type = |kind: &DataType| match kind {
        kind if kind.is_integer() => DefaultColumnType::Integer,
        kind if kind.is_floating() || kind.is_decimal() => DefaultColumnType::FloatingPoint,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DefaultColumnType::Text,
        DataType::Dictionary(_, value) if value.is_string() => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    };
    schema
        .fields()
        .iter()
        .map(|field| column_type(field.data_type()))
        .collect()
}

fn lines(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    let text = |column: &ArrayFormatter<'_>, row| match column.value(row).to_string() {
        empty if empty.is_empty() => "(empty)".to_owned(),
        text => text,
    };
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| text(column, row)).collect())
        .collect()
}
