//! The `json` format: one object a line, or one array of objects; which of them is found out.
//!
//! Text that looks like a date stays text. A file is looked at as a whole where it is not too large, so
//! that its columns hold every value; of a larger one each record is held against what the beginning
//! said, and what does not fit is an error.

mod exact;
mod scan;
mod shape;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use futures::{FutureExt, StreamExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::bounded::too_long;
use super::error::TableError;
use super::files::{FileLayoutGroup, FileLayouts, FileReader, FileRequest, group_by, open_files};
use super::listing::ListedFile;
use super::merge::{self, MergeMode};
use super::options::{FILE_OPTIONS, OptionKind, OptionSpec};
use super::sample::{compression, read_sample};
use super::{OpenTable, TableContext, TableFormat, csv};
use scan::look;
use shape::columns;
use source::{ExactJson, Reading};

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
        "How many records of a file decide the types; -1 for all, however large the file.",
    )
    .or(&["schema_infer_max_rec"]),
];

/// How many bytes of all files together decide the columns, and how many of each file at least.
const LOOK_AT: usize = 64 << 20;
const LEAST: usize = 1 << 20;

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

    fn is_text(&self) -> bool {
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
        let concurrency = request
            .context
            .state
            .config_options()
            .execution
            .meta_fetch_concurrency
            .get();
        let looked: Vec<(Kind, SchemaRef)> = futures::stream::iter(0..request.files.len())
            .map(|index| look_at(&request.files[index], request).boxed())
            .buffered(concurrency)
            .try_collect()
            .await?;
        let schemas: Vec<(String, SchemaRef)> = looked
            .iter()
            .zip(request.files)
            .map(|((_, schema), file)| (file.display.clone(), Arc::clone(schema)))
            .collect();
        // Records leave out what they lack, so files are always merged by name.
        let columns = match &request.declared {
            Some(declared) => Arc::clone(declared),
            None => merge::merge(&schemas, MergeMode::UnionByName, true)?,
        };
        let types: HashMap<&String, &DataType> = columns
            .fields()
            .iter()
            .map(|field| (field.name(), field.data_type()))
            .collect();
        let widened = |kind: &Kind| {
            let (_, schema) = &looked[kind.first];
            schema.fields().iter().any(|inside| {
                let wanted = types.get(inside.name());
                wanted.is_some_and(|wanted| *wanted != inside.data_type())
            })
        };
        let declared = request.declared.is_some();
        let kinds = looked.iter().enumerate().map(|(index, (kind, _))| {
            let kind = Kind {
                first: index,
                ..*kind
            };
            Reading {
                compression: FileCompressionType::from(kind.compression),
                lines: kind.lines,
                checked: declared || !kind.whole || widened(&kind),
                complete: !declared && !kind.whole,
            }
        });
        let groups = group_by(kinds.collect::<Vec<_>>())
            .into_iter()
            .map(|(reading, members)| FileLayoutGroup {
                format: Arc::new(ExactJson {
                    reading,
                    bounds: request.bounds(),
                    record: members
                        .iter()
                        .map(|member| looked[*member].0.record)
                        .max()
                        .unwrap_or(0),
                }),
                file_schema: nullable(&columns),
                null_text: None,
                exact_numbers: false,
                members,
            })
            .collect();
        Ok(FileLayouts { columns, groups })
    }
}

/// Returns the columns as the reader gives them: any record may lack a key.
fn nullable(columns: &SchemaRef) -> SchemaRef {
    let fields = columns.fields().iter();
    let fields = fields.map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// How one file is written.
#[derive(Debug, Clone, Copy)]
struct Kind {
    compression: CompressionTypeVariant,
    lines: bool,
    /// Whether all records were looked at.
    whole: bool,
    /// The file's place.
    first: usize,
    /// How many bytes a record has on average.
    record: usize,
}

/// Finds out how a file is written and which columns its records have.
async fn look_at(
    file: &ListedFile,
    request: &FileRequest<'_>,
) -> Result<(Kind, SchemaRef), TableError> {
    let compression = compression(file, request.options)?;
    let (records, mut bytes) = match request.options.number::<i64>("sample_size")? {
        Some(-1) => (usize::MAX, usize::MAX),
        Some(_) => (csv::sample_size(request.options)?, most_bytes(request)),
        None => (usize::MAX, most_bytes(request)),
    };
    let bounds = request.bounds();
    let pool = request.pool();
    let mut sample = read_sample(request.store, file, compression, bytes, pool).await?;
    let failed = |problem| TableError::file(&file.display, DataFusionError::Plan(problem));
    let mut found = look(&sample, sample.len() < bytes, records).map_err(failed)?;
    if found.records == 0 && sample.len() >= bytes {
        // A record that is longer than what is looked at may still be read.
        bytes = bounds.longest_record().max(bytes);
        drop(sample);
        sample = read_sample(request.store, file, compression, bytes, pool).await?;
        found = look(&sample, sample.len() < bytes, records).map_err(failed)?;
        if found.records == 0 && sample.len() >= bytes {
            let failure = too_long(&file.display, bytes);
            let error = DataFusionError::External(Box::new(failure));
            return Err(TableError::file(&file.display, error));
        }
    }
    let first = sample.iter().find(|byte| !byte.is_ascii_whitespace());
    let lines = match request.options.text("format") {
        Some("newline_delimited" | "nd" | "lines") => true,
        Some("array") => false,
        None | Some("auto") => first != Some(&b'['),
        Some(other) => {
            let expected = "`auto`, `newline_delimited` or `array`";
            return Err(request.options.wrong("format", other, expected));
        }
    };
    // Where the columns are declared, what the records hold decides nothing.
    let schema = match &request.declared {
        Some(declared) => Arc::clone(declared),
        None => Arc::new(Schema::new(columns(&found.fields).map_err(failed)?)),
    };
    let kind = Kind {
        compression: *compression.get_variant(),
        lines,
        whole: found.whole,
        first: 0,
        record: sample.len() / found.records.max(1),
    };
    Ok((kind, schema))
}

/// How many bytes of each file are looked at: all of them share what is looked at together.
fn most_bytes(request: &FileRequest<'_>) -> usize {
    let all = request.bounds().look(LOOK_AT);
    (all / request.files.len()).clamp(LEAST, LOOK_AT)
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
