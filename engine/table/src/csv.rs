//! The `csv` format: the dialect is guessed where it is not given, columns are matched by header.
//!
//! Quoted line breaks are read correctly by default, which keeps one file on one thread;
//! `newlines_in_values => false` splits large files.

mod source;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::config::CsvOptions;
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::error::DataFusionError;
use futures::{FutureExt, StreamExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::bounded::too_long;
use super::csv_sniff::{self, Dialect};
use super::error::TableError;
use super::files::{FileLayoutGroup, FileLayouts, FileReader, FileRequest, group_by, open_files};
use super::listing::ListedFile;
use super::merge;
use super::options::{FILE_OPTIONS, OptionKind, OptionSpec, Options};
use super::sample::{compression, read_sample};
use super::{OpenTable, TableContext, TableFormat};
use source::BoundedCsv;

/// Delimited text files.
pub(crate) struct Csv;

pub(crate) const CSV_OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "header",
        OptionKind::Text,
        "`auto`, or whether the first line names the columns.",
    )
    .or(&["has_header"]),
    OptionSpec::new(
        "delimiter",
        OptionKind::Character,
        "What separates values; guessed among `,` `;` tab `|`.",
    )
    .or(&["sep", "delim"]),
    OptionSpec::new(
        "quote",
        OptionKind::Character,
        "What encloses values; `\"`.",
    ),
    OptionSpec::new(
        "escape",
        OptionKind::Character,
        "What escapes a quote; a second quote.",
    ),
    OptionSpec::new(
        "comment",
        OptionKind::Character,
        "Lines that start with it are skipped.",
    ),
    OptionSpec::new(
        "terminator",
        OptionKind::Character,
        "What ends a line; any line break.",
    )
    .or(&["new_line"]),
    OptionSpec::new(
        "null",
        OptionKind::Text,
        "A text that means NULL, besides the empty one.",
    )
    .or(&["nullstr", "null_value"]),
    OptionSpec::new(
        "newlines_in_values",
        OptionKind::Boolean,
        "Whether quoted values may span lines; true.",
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
    OptionSpec::new(
        "all_varchar",
        OptionKind::Boolean,
        "Reads every column as text.",
    ),
    OptionSpec::new(
        "null_padding",
        OptionKind::Boolean,
        "Fills short lines with NULL.",
    )
    .or(&["truncated_rows"]),
];

/// How many records decide the types, as in DuckDB.
const SAMPLE_RECORDS: usize = 20_480;
/// How many bytes of the first file decide about the dialect.
const DIALECT_SAMPLE: usize = 64 << 10;
/// How many bytes of all files together are looked at for codes, and how many of each file at least.
const LOOK_AT: usize = 64 << 20;
const LEAST: usize = 64 << 10;

#[async_trait]
impl TableFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["csv", "tsv", "tab", "psv"]
    }

    fn compressible(&self) -> bool {
        true
    }

    fn is_text(&self) -> bool {
        true
    }

    fn options(&self) -> Vec<&'static [OptionSpec]> {
        vec![CSV_OPTIONS, FILE_OPTIONS]
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
impl FileReader for Csv {
    fn allows_empty_files(&self) -> bool {
        true
    }

    async fn layouts(&self, request: &FileRequest<'_>) -> Result<FileLayouts, TableError> {
        let settings = Settings::new(request).await?;
        let concurrency = request
            .context
            .state
            .config_options()
            .execution
            .meta_fetch_concurrency
            .get();
        let inspected: Vec<Inspected> = futures::stream::iter(0..request.files.len())
            .map(|index| settings.inspect(index, request).boxed())
            .buffered(concurrency)
            .try_collect()
            .await?;
        let columns = match &request.declared {
            Some(declared) => Arc::clone(declared),
            None => {
                let schemas: Vec<(String, SchemaRef)> = inspected
                    .iter()
                    .zip(request.files)
                    .filter(|(inspected, _)| !inspected.names.is_empty())
                    .map(|(inspected, file)| (file.display.clone(), inspected.schema()))
                    .collect();
                merge::merge(&schemas, request.mode, true)?
            }
        };
        let mut groups = Vec::new();
        let keys = inspected
            .iter()
            .map(|file| (file.compression, &file.names, file.whole));
        for ((compression, names, whole), members) in group_by(keys) {
            if names.is_empty() {
                continue;
            }
            let file = &request.files[members[0]];
            let file_schema = settings.file_schema(names, &columns, request, file)?;
            let options = settings.reader.clone().with_compression(compression);
            let records = members.iter().map(|member| inspected[*member].record);
            groups.push(FileLayoutGroup {
                format: Arc::new(BoundedCsv {
                    options,
                    bounds: request.bounds(),
                    record: records.max().unwrap_or(0),
                }),
                file_schema,
                null_text: settings.null.clone(),
                exact_numbers: !whole && request.declared.is_none(),
                members,
            });
        }
        Ok(FileLayouts { columns, groups })
    }
}

/// What was found in one file; a file without content has no names.
struct Inspected {
    compression: CompressionTypeVariant,
    names: Vec<String>,
    types: Vec<DataType>,
    /// Whether all records were looked at.
    whole: bool,
    /// How many bytes a record has on average.
    record: usize,
}

/// What was read of a file.
struct Looked {
    /// The records that decide, the header among them.
    records: Vec<Vec<String>>,
    /// In which columns the records behind them have codes.
    codes: Vec<bool>,
    whole: bool,
    /// Whether a record ended.
    ended: bool,
    /// How many bytes a record has on average.
    record: usize,
}

impl Inspected {
    fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .names
            .iter()
            .zip(&self.types)
            .map(|(name, data_type)| Field::new(name, data_type.clone(), true))
            .collect();
        Arc::new(Schema::new(fields))
    }
}

/// What holds for all files of the table, given or guessed from the first one.
struct Settings {
    dialect: Dialect,
    header: bool,
    null: Option<String>,
    all_text: bool,
    padding: bool,
    sample_records: usize,
    reader: CsvOptions,
}

impl Settings {
    async fn new(request: &FileRequest<'_>) -> Result<Self, TableError> {
        let options = request.options;
        let quote = match options.text("quote") {
            Some("") => 0,
            _ => options.character("quote")?.unwrap_or(b'"'),
        };
        let mut dialect = Dialect {
            delimiter: b',',
            quote,
            escape: options
                .character("escape")?
                .filter(|escape| *escape != quote),
            comment: options.character("comment")?,
            terminator: match options.text("terminator") {
                Some("\\r\\n" | "\r\n") => None,
                _ => options.character("terminator")?,
            },
        };
        let header = header_option(options)?;
        let delimiter = options.character("delimiter")?;
        dialect.delimiter = delimiter.unwrap_or(b',');
        let mut guessed_header = true;
        if delimiter.is_none() || header.is_none() {
            let file = &request.files[0];
            let compression = compression(file, options)?;
            let sample = read_sample(
                request.store,
                file,
                compression,
                DIALECT_SAMPLE,
                request.pool(),
            )
            .await?;
            let complete = sample.len() < DIALECT_SAMPLE;
            if delimiter.is_none() {
                dialect.delimiter = csv_sniff::delimiter(&sample, complete, dialect);
            }
            guessed_header = csv_sniff::has_header(&csv_sniff::records(&sample, complete, dialect));
        }
        let header = header.unwrap_or(guessed_header);
        let padding = options.boolean("null_padding")?.unwrap_or(false);
        let newlines = options.boolean("newlines_in_values")?.unwrap_or(true);
        let mut reader = CsvOptions::default()
            .with_has_header(header)
            .with_delimiter(dialect.delimiter)
            .with_quote(quote)
            .with_escape(dialect.escape)
            .with_newlines_in_values(newlines);
        reader.comment = dialect.comment;
        reader.terminator = dialect.terminator;
        reader.truncated_rows = Some(padding);
        Ok(Self {
            dialect,
            header,
            null: options
                .text("null")
                .filter(|text| !text.is_empty())
                .map(String::from),
            all_text: options.boolean("all_varchar")?.unwrap_or(false),
            padding,
            sample_records: sample_size(options)?,
            reader,
        })
    }

    async fn inspect(
        &self,
        index: usize,
        request: &FileRequest<'_>,
    ) -> Result<Inspected, TableError> {
        let file = &request.files[index];
        let compression = compression(file, request.options)?;
        let bounds = request.bounds();
        let limit = match self.sample_records {
            usize::MAX => usize::MAX,
            _ => (bounds.look(LOOK_AT) / request.files.len()).clamp(LEAST, LOOK_AT),
        };
        let mut looked = self.look(file, request, limit).await?;
        if !looked.whole && !looked.ended {
            // A record that is longer than what is looked at may still be read.
            let longest = bounds.longest_record().max(limit);
            looked = self.look(file, request, longest).await?;
            if !looked.whole && !looked.ended {
                let failure = too_long(&file.display, longest);
                let error = DataFusionError::External(Box::new(failure));
                return Err(TableError::file(&file.display, error));
            }
        }
        let Looked { records, codes, .. } = looked;
        let count = match self.padding {
            true => records.iter().map(Vec::len).max().unwrap_or(0),
            false => records.first().map_or(0, Vec::len),
        };
        let header = self.header.then(|| records.first()).flatten();
        let names = csv_sniff::column_names(header, count);
        let data = &records[usize::from(self.header).min(records.len())..];
        let data = &data[..data.len().min(self.sample_records)];
        let ragged = data.iter().position(|record| record.len() != count);
        if let Some(position) = ragged.filter(|_| !self.padding) {
            let problem = format!(
                "record {} has {} values instead of {count}",
                position + 1 + usize::from(self.header),
                data[position].len()
            );
            return Err(TableError::file(
                &file.display,
                DataFusionError::Plan(problem),
            ));
        }
        let types = (0..count)
            .map(|column| match self.column_type(data, column) {
                // Behind the records that decide only this is looked for: other misfits fail by themselves.
                number if number.is_numeric() && codes.get(column) == Some(&true) => DataType::Utf8,
                found => found,
            })
            .collect();
        Ok(Inspected {
            compression: *compression.get_variant(),
            names,
            types,
            whole: looked.whole,
            record: looked.record,
        })
    }

    /// Reads the first records of a file, and at the rest of so many bytes only whether they hold codes.
    async fn look(
        &self,
        file: &ListedFile,
        request: &FileRequest<'_>,
        limit: usize,
    ) -> Result<Looked, TableError> {
        let compression = compression(file, request.options)?;
        let sample = read_sample(request.store, file, compression, limit, request.pool()).await?;
        let whole = sample.len() < limit;
        let deciding = self.sample_records.saturating_add(usize::from(self.header));
        let mut records: Vec<Vec<String>> = Vec::new();
        let mut codes: Vec<bool> = Vec::new();
        let mut seen = 0_usize;
        let ended = csv_sniff::each_record(&sample, whole, self.dialect, |record| {
            seen += 1;
            match records.len() < deciding {
                true => records.push(record),
                false => note_codes(&mut codes, &record),
            }
        });
        Ok(Looked {
            records,
            codes,
            whole,
            ended,
            record: sample.len() / seen.max(1),
        })
    }

    fn column_type(&self, data: &[Vec<String>], column: usize) -> DataType {
        if self.all_text {
            return DataType::Utf8;
        }
        let values = data
            .iter()
            .filter_map(|record| record.get(column).map(String::as_str))
            .filter(|value| !value.is_empty() && Some(*value) != self.null.as_deref());
        csv_sniff::column_type(values)
    }

    /// Gives the columns inside a file types: those of the table's columns, by name if it has a
    /// header, otherwise by position.
    fn file_schema(
        &self,
        names: &[String],
        columns: &Schema,
        request: &FileRequest<'_>,
        file: &ListedFile,
    ) -> Result<SchemaRef, TableError> {
        let known: HashSet<&String> = names.iter().collect();
        let missing = columns
            .fields()
            .iter()
            .find(|field| !known.contains(field.name()));
        let by_position = missing.is_some() && request.declared.is_some();
        if by_position && names.len() != columns.fields().len() && !self.padding {
            let problem = format!(
                "it has {} columns, {} are declared{}",
                names.len(),
                columns.fields().len(),
                missing
                    .map(|field| format!(" and `{}` is not in its header", field.name()))
                    .unwrap_or_default(),
            );
            return Err(TableError::file(
                &file.display,
                DataFusionError::Plan(problem),
            ));
        }
        if by_position {
            return Ok(Arc::new(columns.clone()));
        }
        let types: HashMap<&String, &DataType> = columns
            .fields()
            .iter()
            .map(|field| (field.name(), field.data_type()))
            .collect();
        let fields: Vec<Field> = names
            .iter()
            .map(|name| {
                let data_type = types.get(name).copied().unwrap_or(&DataType::Utf8);
                Field::new(name, data_type.clone(), true)
            })
            .collect();
        Ok(Arc::new(Schema::new(fields)))
    }
}

/// Notes in which columns a code stands, as in `01234`.
fn note_codes(codes: &mut Vec<bool>, record: &[String]) {
    if codes.len() < record.len() {
        codes.resize(record.len(), false);
    }
    for (found, value) in codes.iter_mut().zip(record) {
        *found = *found || csv_sniff::is_code(value);
    }
}

fn header_option(options: &Options) -> Result<Option<bool>, TableError> {
    match options.text("header") {
        None | Some("auto") => Ok(None),
        Some(_) => options.boolean("header"),
    }
}

/// Reads `sample_size`; -1 means all records.
pub(crate) fn sample_size(options: &Options) -> Result<usize, TableError> {
    match options.number::<i64>("sample_size")? {
        None => Ok(SAMPLE_RECORDS),
        Some(-1) => Ok(usize::MAX),
        Some(count) if count > 0 => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        Some(count) => {
            Err(options.wrong("sample_size", &count.to_string(), "a positive number or -1"))
        }
    }
}
