//! The history of a Delta table: one row a commit, newest first, read from the log as it is scanned.
//!
//! The times are those that `TIMESTAMP AS OF` goes by, not those that writers put into their commits.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, MapBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{FutureExt, StreamExt};
use lakesh_catalog::definition::TableDefinition;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use super::TableContext;
use super::delta::Source;
use super::delta_log::commit_path;
use super::error::TableError;
use super::location::Location;

/// How many commits are read at a time.
const READS: usize = 32;

/// How many commits make one batch.
const BATCH: usize = 1024;

/// Returns the columns of a history, named as Databricks names them.
pub fn history_schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        Field::new("version", DataType::Int64, false),
        Field::new("timestamp", moment_type(), false),
        text("userId"),
        text("userName"),
        text("operation"),
        Field::new("operationParameters", text_map_type(), true),
        Field::new("readVersion", DataType::Int64, true),
        text("isolationLevel"),
        Field::new("isBlindAppend", DataType::Boolean, true),
        Field::new("operationMetrics", text_map_type(), true),
        text("userMetadata"),
        text("engineInfo"),
    ]))
}

/// A moment in UTC, as Delta tables store it.
pub(super) fn moment_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A map from text to text, as `MapBuilder` makes it.
pub(super) fn text_map_type() -> DataType {
    let entries = DataType::Struct(Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Utf8, true),
    ]));
    DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
}

/// Opens the history of a table; with a limit, of its newest commits only.
pub async fn delta_history(
    definition: &TableDefinition,
    limit: Option<usize>,
    context: &TableContext<'_>,
) -> Result<Arc<dyn TableProvider>, TableError> {
    let source = Source::new(definition, context)?;
    let log = source.log().await?;
    let mut commits = log.times(&source.location, &source.store).await?;
    commits.reverse();
    commits.truncate(limit.unwrap_or(usize::MAX));
    let schema = history_schema();
    let stream = Commits {
        location: source.location,
        store: source.store,
        commits,
        schema: Arc::clone(&schema),
    };
    let table = StreamingTable::try_new(schema, vec![Arc::new(stream)])
        .map_err(|error| TableError::file("_delta_log", error))?;
    Ok(Arc::new(table))
}

/// The commits of a table that are still to be read, newest first.
struct Commits {
    location: Location,
    store: Arc<dyn ObjectStore>,
    commits: Vec<(u64, DateTime<Utc>)>,
    schema: SchemaRef,
}

impl fmt::Debug for Commits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "history of {}", self.location.display)
    }
}

impl PartitionStream for Commits {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let location = Arc::new(self.location.clone());
        let store = Arc::clone(&self.store);
        let schema = Arc::clone(&self.schema);
        let read = move |(version, time)| {
            let (location, store) = (Arc::clone(&location), Arc::clone(&store));
            async move {
                let information = commit_information(&location, store.as_ref(), version).await?;
                Ok::<_, DataFusionError>(Commit {
                    version,
                    time,
                    information,
                })
            }
            .boxed()
        };
        let batches = futures::stream::iter(self.commits.clone())
            .map(read)
            .buffered(READS)
            .chunks(BATCH)
            .map(move |commits| {
                let commits = commits.into_iter().collect::<Result<Vec<_>, _>>()?;
                batch(&schema, &commits)
            });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}

/// One commit as it is shown.
struct Commit {
    version: u64,
    time: DateTime<Utc>,
    /// What the writer said about it; `Null` where it said nothing.
    information: Value,
}

/// Reads a commit's `commitInfo`.
async fn commit_information(
    location: &Location,
    store: &dyn ObjectStore,
    version: u64,
) -> Result<Value, TableError> {
    let path = commit_path(&location.base, version);
    let failed = |error| TableError::store(location.display_of(&path), error);
    let bytes = store.get(&path).await.map_err(failed)?;
    let bytes = bytes.bytes().await.map_err(failed)?;
    let information = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| line.windows(10).any(|part| part == b"commitInfo"))
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .find_map(|mut action| action.get_mut("commitInfo").map(Value::take));
    Ok(information.unwrap_or_default())
}

fn batch(schema: &SchemaRef, commits: &[Commit]) -> Result<RecordBatch, DataFusionError> {
    let mut versions = Int64Builder::new();
    let mut times = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    for commit in commits {
        versions.append_value(i64::try_from(commit.version).unwrap_or(i64::MAX));
        times.append_value(commit.time.timestamp_micros());
    }
    let text = |name: &str| -> ArrayRef {
        let mut builder = StringBuilder::new();
        for commit in commits {
            builder.append_option(text_of(&commit.information[name]));
        }
        Arc::new(builder.finish())
    };
    let mut read_versions = Int64Builder::new();
    let mut blind = BooleanBuilder::new();
    for commit in commits {
        read_versions.append_option(commit.information["readVersion"].as_i64());
        blind.append_option(commit.information["isBlindAppend"].as_bool());
    }
    let map = |name: &str| -> Result<ArrayRef, DataFusionError> {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for commit in commits {
            let entries = commit.information[name].as_object();
            for (key, value) in entries.into_iter().flatten() {
                builder.keys().append_value(key);
                builder.values().append_option(text_of(value));
            }
            builder.append(entries.is_some())?;
        }
        Ok(Arc::new(builder.finish()))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(versions.finish()),
        Arc::new(times.finish()),
        text("userId"),
        text("userName"),
        text("operation"),
        map("operationParameters")?,
        Arc::new(read_versions.finish()),
        text("isolationLevel"),
        Arc::new(blind.finish()),
        map("operationMetrics")?,
        text("userMetadata"),
        text("engineInfo"),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Returns text without quotes, and everything else as JSON.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
