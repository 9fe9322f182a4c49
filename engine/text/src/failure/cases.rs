//! Real errors of DataFusion and what becomes of them.
#![allow(clippy::unwrap_used)]

mod provoked;
mod table;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::parser::ParserError;

use super::{Failure, FailureKind};
use crate::input::substitute;
use crate::source::{Place, Source};
use FailureKind::{Execution, InputOutput, Plan, Resources};
use table::{CASES, WHOLE};

thread_local! {
    /// The patterns of the rules that explained an error on this thread.
    static MET: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes that a rule explained an error.
pub(super) fn note(pattern: &'static str) {
    MET.with_borrow_mut(|met| met.insert(pattern));
}

/// What must never reach a person.
const FORBIDDEN: &[&str] = &[
    "Error during",
    "External error",
    "Arrow error",
    "Execution error",
    "ParserError",
    "SQL error",
    "Schema error",
    "Internal error",
    "backtrace",
    "DataFusion",
    "Utf8",
    "Int64",
    "Int32",
    "Float64",
    "Some(",
    "None",
    " { ",
    "relation:",
    "bug report",
    "\n",
    "os error",
    "Optimizer rule",
];

async fn context(spans: bool) -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.collect_spans = spans;
    let context = SessionContext::new_with_config(config);
    for sql in [
        "create table trips (vendor_id int, fare_amount double, tip_amount double, \
         pickup timestamp, note varchar, \"Mixed\" int) as values \
         (1, 2.5, 0.5, timestamp '2024-01-01', 'a', 1), \
         (2, 3.5, null, timestamp '2024-01-02', 'b', 2)",
        "create table zones (vendor_id int, zone varchar) as values (1, 'x')",
    ] {
        context.sql(sql).await.unwrap().collect().await.unwrap();
    }
    context
}

/// Runs a statement that stands in the middle of a script, with the variable `limit` set to `'a'`.
async fn failure(context: &SessionContext, sql: &str) -> Failure {
    let script = format!("-- é\nselect 1; {sql}; select 2");
    let start = script.find(sql).unwrap();
    let place = Place::new(
        &Source::new("x.sql", script.as_str()),
        start..start + sql.len(),
    );
    let variables = BTreeMap::from([("limit".to_owned(), "'a'".to_owned())]);
    let statement = substitute(&place, &variables).unwrap();
    let result = async { context.sql(&statement.text).await?.collect().await }.await;
    let failure = Failure::from_datafusion(result.expect_err(sql), &statement);
    check_style(&failure, sql);
    failure
}

#[track_caller]
fn check_style(failure: &Failure, sql: &str) {
    for text in std::iter::once(&failure.message).chain(&failure.hints) {
        for forbidden in FORBIDDEN {
            assert!(!text.contains(forbidden), "{sql}: {text}");
        }
        assert!(!text.ends_with('.') && !text.is_empty(), "{sql}: {text}");
    }
    assert!(failure.source.is_some());
}

#[tokio::test]
async fn failures_say_what_is_wrong_and_where() {
    let context = context(true).await;
    for (sql, kind, message, place, hint) in CASES {
        let failure = failure(&context, sql).await;
        assert_eq!(failure.message, *message, "{sql}");
        assert_eq!(failure.kind, *kind, "{sql}");
        let place = if *place == WHOLE { sql } else { place };
        assert_eq!(failure.place.as_ref().unwrap().text(), *place, "{sql}");
        let first = failure.hints.first().map_or("", String::as_str);
        assert_eq!(first, *hint, "{sql}");
    }
}

#[tokio::test]
async fn places_are_found_without_spans() {
    let context = context(false).await;
    let mut found = 0;
    for (sql, _, message, place, _) in CASES {
        let failure = failure(&context, sql).await;
        assert_eq!(failure.message, *message, "{sql}");
        let same = failure.place.as_ref().unwrap().text() == *place;
        let whole = failure.place.as_ref().unwrap().text() == *sql;
        assert!(same || whole, "{sql}");
        found += usize::from(same);
    }
    assert!(found > 60, "{found} places of {}", CASES.len());
}

#[tokio::test]
async fn variables_keep_places_and_give_hints() {
    let context = context(true).await;
    for (sql, message, place, hint) in [
        (
            "select * from trips limit :limit",
            "LIMIT takes a whole number, not VARCHAR",
            WHOLE,
            "",
        ),
        (
            "select cast(:limit as int), 1",
            "cannot cast 'a' to INTEGER",
            ":limit",
            "TRY_CAST",
        ),
        (
            "select :limit, nope",
            "column `nope` not found",
            "nope",
            "nothing here",
        ),
        (
            "select 1 from :tabel",
            "expected a name, found `:`",
            ":",
            "variable `tabel` is not set",
        ),
        (
            "select :y + 1",
            "variable `y` is not set",
            ":y",
            "`\\set y VALUE` sets it",
        ),
    ] {
        let failure = failure(&context, sql).await;
        assert_eq!(failure.message, message);
        let place = if place == WHOLE { sql } else { place };
        assert_eq!(failure.place.as_ref().unwrap().text(), place, "{sql}");
        let hints = failure.hints.join("; ");
        assert!(hints.contains(hint), "{sql}: {hints}");
    }
}

/// A file that is damaged: its name, what is in it, the columns of a table over it, its format, and what is said.
type Damaged = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const DAMAGED: &[Damaged] = &[
    ("bad.parquet", "no parquet at all, really", "", "parquet",
        "a file is not a Parquet file, or is damaged: corrupt footer"),
    ("tiny.parquet", "x", "", "parquet",
        "a file is too short for a Parquet file: 1 byte"),
    ("bad.csv", "a,b\n1,2\nx,3\n", "(a int, b int)", "csv",
        "column 1 of a CSV file holds 'x', which is no INTEGER"),
    ("short.csv", "a,b\n1,2\n3\n", "(a int, b int)", "csv",
        "a row of a CSV file has 1 column, not 2"),
    ("bad.json", "{\"a\": 1}\n{\"a\": \n", "", "json",
        "a JSON file is damaged: EOF while parsing a value at line 1 column 5"),
    ("bad.avro", "hello", "", "avro",
        "a file is not an Avro file"),
    ("bad.arrow", "hello", "", "arrow",
        "a file is not an Arrow file"),
];

/// Reads a damaged file.
async fn failure_of_file(context: &SessionContext, file: &Damaged) -> Failure {
    let folder = tempfile::tempdir().unwrap();
    let (name, content, columns, format, _) = file;
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let table = name.replace('.', "_");
    let path = path.display();
    let create =
        format!("create external table {table} {columns} stored as {format} location '{path}'");
    if columns.is_empty() {
        return failure(context, &create).await;
    }
    context.sql(&create).await.unwrap().collect().await.unwrap();
    failure(context, &format!("select * from {table}")).await
}

#[tokio::test]
async fn files_and_memory_fail_with_their_kind() {
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(1_000_000, 1.0);
    let runtime = runtime.build_arc().unwrap();
    let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    for file in DAMAGED {
        let failure = failure_of_file(&context, file).await;
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (InputOutput, file.4)
        );
    }
    let sql = "select value, count(*) from generate_series(1, 1000000) group by value";
    let failure = failure(&context, sql).await;
    assert_eq!(failure.kind, Resources);
    assert!(
        failure
            .message
            .starts_with("out of memory: the aggregation has ")
    );
    assert!(
        failure
            .hints
            .last()
            .unwrap()
            .contains("lakesh.memory_limit")
    );
}

#[derive(Debug, thiserror::Error)]
#[error("cannot open the ledger: {source}")]
struct Wrapped {
    source: DataFusionError,
}

#[test]
fn wrapped_errors_are_unwrapped() {
    let ours = Failure::new(FailureKind::Denied, "not allowed here").hint("ask");
    let external = |error: Box<dyn Error + Send + Sync>| DataFusionError::External(error);
    let not_found = object_store::Error::NotFound {
        path: "/lake/a.parquet".to_owned(),
        source: "gone".into(),
    };
    for (error, kind, message) in [
        (
            external(Box::new(ours)),
            FailureKind::Denied,
            "not allowed here",
        ),
        (
            external(Box::new(not_found)),
            InputOutput,
            "`/lake/a.parquet` not found",
        ),
        (
            external(Box::new(std::io::Error::from(
                std::io::ErrorKind::StorageFull,
            ))),
            InputOutput,
            "no storage space",
        ),
        (
            external(Box::new(Wrapped {
                source: DataFusionError::Plan("table 'x' not found".to_owned()),
            })),
            Plan,
            "cannot open the ledger: table `x` not found",
        ),
        (
            DataFusionError::Internal("Oops".to_owned()).context("somewhere"),
            Execution,
            "internal error: oops",
        ),
        (
            external("Anything: Execution error: Else.".into()),
            Execution,
            "anything: Else",
        ),
    ] {
        let failure = Failure::from_error(error);
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
        assert!(failure.place.is_none());
    }
}

#[test]
fn no_text_makes_it_panic() {
    const PIECES: &[&str] = &[
        "Some(",
        "Foo { ",
        "name: \"é\"",
        " }",
        ")",
        "'",
        "\"",
        "`",
        "日本",
        "Int64",
        "List(",
        "(",
        " ",
        ". ",
        "No function matches the given name and argument types '",
        "f(",
        "'. You might need",
        "Candidate functions:\n\t",
        "Cannot coerce arithmetic expression ",
        " + ",
        " to valid types",
        "regex parse error:",
        "error: ",
        "\ncaused by\n",
        "Generic S3 error: ",
        " (os error ",
        "\u{1b}",
        " at Line: ",
        "9",
        ", Column: ",
        "Expected: ",
        ", found: ",
        "table '",
        "' not found",
        "IS ",
        "x",
    ];
    let sql = "select 'é', \"日\", :x, 'open é";
    let place = Place::new(&Source::new("x.sql", sql), 0..sql.len());
    let statement = substitute(&place, &BTreeMap::new()).unwrap();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            text.push_str(PIECES[(state >> 33) as usize % PIECES.len()]);
        }
        let error = match state >> 40 & 1 {
            0 => DataFusionError::Plan(text),
            _ => DataFusionError::SQL(Box::new(ParserError::ParserError(text)), None),
        };
        let report = Failure::from_datafusion(error, &statement).report(false);
        assert!(!report.contains('\u{1b}'), "{report}");
    }
}

#[test]
fn a_view_is_named_once() {
    let cause = Failure::new(Plan, "column `a` not found");
    let inner = cause.clone().in_view("v");
    assert_eq!(inner.message, "in view `v`: column `a` not found");
    let Some(super::Subject::InView { view, message }) = inner.subject.as_deref() else {
        panic!("{:?}", inner.subject);
    };
    assert_eq!(
        (view.as_str(), message.as_str()),
        ("v", cause.message.as_str())
    );
    let outer = inner.in_view("w");
    assert_eq!(
        outer.message,
        "in view `w`: in view `v`: column `a` not found"
    );
    let own = Failure::new(Plan, "view `v` names itself").about(super::Subject::View);
    assert_eq!(own.in_view("w").message, "view `v` names itself");
}
