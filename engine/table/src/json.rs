//! The `json` format: one object a line, or one array of objects; which of them is found out.
//!
//! Text that looks like a date stays text.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use futures::{FutureExt, StreamExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::files::{FileLayoutGroup, FileLayouts, FileReader, FileRequest, group_by, open_files};
use super::listing::ListedFile;
use super::merge::{self, MergeMode};
use super::options::{FILE_OPTIONS, OptionKind, OptionSpec};
use super::sample::{compression, read_sample};
use super::{OpenTable, TableContext, TableFormat, csv};

/// JSON files.
pub(crate) struct Json;

pub(crate) const JSON_OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "format",
        OptionKind::Text,
        "How records are written: `auto`, `newline_delimited` or `array`.",
    ),
    OptionSpec::new(
        "compression",
        OptionKind::Text,
        "`auto` (by suffix), `none`, `gzip`, `bzip2`, `xz` or `zstd`.",
    ),
    OptionSpec::new(
        "sample_size",
        OptionKind::Integer,
        "How many records of a file decide the types; -1 for all.",
    )
    .or(&["schema_infer_max_rec"]),
];

/// How many bytes decide between lines and an array.
const HEAD: usize = 4096;

#[async_trait]
impl TableFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["json", "ndjson", "jsonl"]
    }

    fn compressible(&self) -> bool {
        true
    }

    fn options(&self) -> Vec<&'static [OptionSpec]> {
        vec![JSON_OPTIONS, FILE_OPTIONS]
    }

    async fn open(
        &self,
        definition: &TableDefinition,
        _version: TableVersion,
        context: &TableContext<'_>,
    ) -> Result<OpenTable, TableError> {
        open_files(self, self, definition, context).await
    }
}

#[async_trait]
impl FileReader for Json {
    fn allows_empty_files(&self) -> bool {
        true
    }

    async fn layouts(&self, request: &FileRequest<'_>) -> Result<FileLayouts, TableError> {
        let state = request.context.state;
        let concurrency = state
            .config_options()
            .execution
            .meta_fetch_concurrency
            .get();
        let sample_size = csv::sample_size(request.options)?;
        let kinds: Vec<Kind> = futures::stream::iter(0..request.files.len())
            .map(|index| kind(&request.files[index], request).boxed())
            .buffered(concurrency)
            .try_collect()
            .await?;
        let given = &kinds;
        let schemas: Vec<(String, SchemaRef)> = futures::stream::iter(0..request.files.len())
            .map(|index| {
                async move {
                    let file = &request.files[index];
                    let format = given[index].format(sample_size);
                    let metas = std::slice::from_ref(&file.meta);
                    let schema = format
                        .infer_schema(&**state, request.store, metas)
                        .await
                        .map_err(|error| TableError::file(&file.display, error))?;
                    Ok((file.display.clone(), schema))
                }
                .boxed()
            })
            .buffered(concurrency)
            .try_collect()
            .await?;
        // Records leave out what they lack, so files are always merged by name.
        let found = merge::merge(&schemas, MergeMode::UnionByName, false);
        let (columns, file_schema) = match &request.declared {
            Some(declared) => (
                Arc::clone(declared),
                readable(declared, found.ok().as_ref()),
            ),
            None => {
                let found = found?;
                (Arc::clone(&found), found)
            }
        };
        let groups = group_by(kinds)
            .into_iter()
            .map(|(kind, members)| FileLayoutGroup {
                format: Arc::new(kind.format(sample_size)),
                file_schema: Arc::clone(&file_schema),
                null_text: None,
                members,
            })
            .collect();
        Ok(FileLayouts { columns, groups })
    }
}

/// Reads numbers and booleans that are declared as text as what they are: the reader casts nothing.
fn readable(declared: &SchemaRef, found: Option<&SchemaRef>) -> SchemaRef {
    let fields: Vec<Field> = declared
        .fields()
        .iter()
        .map(|field| {
            let text = matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View);
            let inside = found.and_then(|found| found.field_with_name(field.name()).ok());
            let data_type = inside
                .map(Field::data_type)
                .filter(|inside| text && (inside.is_numeric() || **inside == DataType::Boolean))
                .unwrap_or(field.data_type());
            Field::new(field.name(), data_type.clone(), true)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// How one file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    compression: CompressionTypeVariant,
    lines: bool,
}

impl Kind {
    fn format(self, sample_size: usize) -> JsonFormat {
        JsonFormat::default()
            .with_schema_infer_max_rec(sample_size)
            .with_newline_delimited(self.lines)
            .with_file_compression_type(FileCompressionType::from(self.compression))
    }
}

async fn kind(file: &ListedFile, request: &FileRequest<'_>) -> Result<Kind, TableError> {
    let compression = compression(file, request.options)?;
    let lines = match request.options.text("format") {
        Some("newline_delimited" | "nd" | "lines") => true,
        Some("array") => false,
        None | Some("auto") => {
            let head = read_sample(request.store, file, compression, HEAD).await?;
            let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
            first != Some(&b'[')
        }
        Some(other) => {
            let expected = "`auto`, `newline_delimited` or `array`";
            return Err(request.options.wrong("format", other, expected));
        }
    };
    Ok(Kind {
        compression: *compression.get_variant(),
        lines,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{Bench, definition};

    #[tokio::test]
    async fn lines_and_arrays_are_told_apart() {
        let bench = Bench::new();
        bench.write(
            "t/1.json",
            "{\"a\":1,\"b\":null}\n{\"a\":2.5,\"b\":null,\"c\":[1]}\n",
        );
        bench.write("t/2.json", " \n[{\"a\":3,\"c\":[]},\n {\"b\":\"x\"}]");
        bench.write("t/empty.json", "");
        let table = bench.open("json", "t", &[]).await.unwrap();
        let rows = bench.rows(&table, "SELECT a, b, c FROM t ORDER BY a").await;
        assert_eq!(rows, ["1.0||", "2.5||[1]", "3.0||[]", "|x|"]);
    }

    #[tokio::test]
    async fn a_declared_schema_wins() {
        let bench = Bench::new();
        bench.write(
            "t.jsonl",
            "{\"a\":1,\"z\":{\"q\":1}}\n{\"b\":\"2024-01-01\"}",
        );
        let mut definition = definition("json", &["t.jsonl"], &[]);
        definition.schema = Some(Arc::new(Schema::new(vec![
            Field::new("b", DataType::Date32, true),
            Field::new("a", DataType::Utf8, true),
        ])));
        let table = crate::open(&definition, TableVersion::Latest, &bench.context())
            .await
            .unwrap();
        assert_eq!(
            bench
                .rows(&table, "SELECT * FROM t ORDER BY a NULLS FIRST")
                .await,
            ["2024-01-01|", "|1"]
        );
    }
}
