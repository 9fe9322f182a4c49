//! What a Delta table is: format, place, size, properties and protocol, as one row.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int32Array, Int64Array, ListBuilder, MapBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use deltalake::DeltaTable;
use futures::TryStreamExt;
use lakesh_catalog::definition::{DELTA, TableDefinition, TableVersion};
use serde_json::Value;

use super::TableContext;
use super::delta::Source;
use super::delta_history::{moment_type, text_map_type};
use super::error::TableError;

/// Returns the columns of a table's detail, named as Databricks names them.
pub fn detail_schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let list = |name| Field::new_list(name, Field::new_list_field(DataType::Utf8, true), true);
    Arc::new(Schema::new(vec![
        text("format"),
        text("id"),
        text("name"),
        text("description"),
        text("location"),
        Field::new("createdAt", moment_type(), true),
        Field::new("lastModified", moment_type(), true),
        list("partitionColumns"),
        Field::new("numFiles", DataType::Int64, false),
        Field::new("sizeInBytes", DataType::Int64, false),
        Field::new("properties", text_map_type(), true),
        Field::new("minReaderVersion", DataType::Int32, true),
        Field::new("minWriterVersion", DataType::Int32, true),
        list("tableFeatures"),
    ]))
}

/// Reads a table's detail; `name` is what the session calls it.
pub async fn delta_detail(
    definition: &TableDefinition,
    version: TableVersion,
    name: &str,
    context: &TableContext<'_>,
) -> Result<RecordBatch, TableError> {
    let source = Source::new(definition, context)?;
    let table = source.load(version, context).await?;
    let (files, bytes) = size(&source, &table).await?;
    let log = source.log().await?;
    let times = log.times(&source.location, &source.store).await?;
    let modified = times
        .iter()
        .find(|(version, _)| Some(*version) == table.version())
        .map(|(_, time)| time.timestamp_micros());
    let snapshot = table
        .snapshot()
        .map_err(|error| source.failed(error))?
        .snapshot();
    let detail = Detail {
        name,
        location: &source.location.display,
        files,
        bytes,
        modified,
        metadata: serde_json::to_value(snapshot.metadata()).unwrap_or_default(),
        protocol: serde_json::to_value(snapshot.protocol()).unwrap_or_default(),
    };
    detail
        .batch()
        .map_err(|error| TableError::file(&source.location.display, error))
}

/// Counts a table's files and their bytes.
async fn size(source: &Source, table: &DeltaTable) -> Result<(i64, i64), TableError> {
    let log_store = table.log_store();
    let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
    snapshot
        .snapshot()
        .file_views(log_store.as_ref(), None)
        .try_fold((0, 0), |(files, bytes), file| {
            std::future::ready(Ok((files + 1, bytes + file.size())))
        })
        .await
        .map_err(|error| source.failed(error))
}

/// What the one row is made of.
struct Detail<'a> {
    name: &'a str,
    location: &'a str,
    files: i64,
    bytes: i64,
    /// When the version was committed, in microseconds since 1970.
    modified: Option<i64>,
    metadata: Value,
    protocol: Value,
}

impl Detail<'_> {
    fn batch(&self) -> Result<RecordBatch, DataFusionError> {
        let created = self.metadata["createdTime"]
            .as_i64()
            .map(|millis| millis * 1000);
        let mut features: Vec<&str> = ["readerFeatures", "writerFeatures"]
            .iter()
            .flat_map(|kind| texts(&self.protocol[*kind]))
            .collect();
        features.sort_unstable();
        features.dedup();
        let columns: Vec<ArrayRef> = vec![
            text(Some(DELTA)),
            text(self.metadata["id"].as_str()),
            text(Some(self.name)),
            text(self.metadata["description"].as_str()),
            text(Some(self.location)),
            moment(created),
            moment(self.modified),
            list(&texts(&self.metadata["partitionColumns"])),
            Arc::new(Int64Array::from(vec![self.files])),
            Arc::new(Int64Array::from(vec![self.bytes])),
            properties(&self.metadata["configuration"])?,
            number(&self.protocol["minReaderVersion"]),
            number(&self.protocol["minWriterVersion"]),
            list(&features),
        ];
        Ok(RecordBatch::try_new(detail_schema(), columns)?)
    }
}

fn text(value: Option<&str>) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

fn number(value: &Value) -> ArrayRef {
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    Arc::new(Int32Array::from(vec![number]))
}

fn moment(micros: Option<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

fn list(items: &[&str]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for item in items {
        builder.values().append_value(item);
    }
    builder.append(true);
    Arc::new(builder.finish())
}

fn properties(value: &Value) -> Result<ArrayRef, DataFusionError> {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    let mut entries: Vec<_> = value.as_object().into_iter().flatten().collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, value) in entries {
        builder.keys().append_value(key);
        builder.values().append_option(value.as_str());
    }
    builder.append(true)?;
    Ok(Arc::new(builder.finish()))
}
