//! Readers: the table functions `read_parquet('…')` and so on, with their signatures as data.
//!
//! The session parses and evaluates the arguments; here they are bound, checked and opened.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, ArrayRef, StringArray};
use datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::listing::{self, ListedFile};
use super::location::Location;
use super::options::{FILE_OPTIONS, OptionKind, OptionSpec, is_storage_option};
use super::{OpenTable, TableContext, csv, json, parquet, parquet_metadata, store, text, types};

/// One argument of a reader, already evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The name, if it was given as `name => value`.
    pub name: Option<String>,
    /// The value.
    pub value: ScalarValue,
}

/// What a reader is called, and what it takes.
#[derive(Debug, Clone, Copy)]
pub struct ReaderSignature {
    /// The function's name.
    pub name: &'static str,
    /// One sentence about it.
    pub summary: &'static str,
    /// The arguments without names: their names in the documentation.
    pub positional: &'static [&'static str],
    /// The named arguments, in groups.
    pub named: &'static [&'static [OptionSpec]],
    /// A query; the tests have the files that it names.
    pub example: &'static str,
}

impl ReaderSignature {
    /// Returns a call with its arguments, named ones in brackets.
    pub fn usage(&self) -> String {
        let mut arguments: Vec<_> = self.positional.iter().map(ToString::to_string).collect();
        arguments.extend(
            self.options()
                .map(|option| format!("[{} => …]", option.name)),
        );
        format!("{}({})", self.name, arguments.join(", "))
    }

    /// Lists the named arguments.
    pub fn options(&self) -> impl Iterator<Item = &'static OptionSpec> {
        self.named.iter().flat_map(|group| group.iter())
    }
}

const PATHS: &[&str] = &["path or list of paths"];

const COLUMNS: &[OptionSpec] = &[OptionSpec::new(
    "columns",
    OptionKind::Columns,
    "The columns and their types: `{'a': 'BIGINT'}` or `'a BIGINT, b VARCHAR'`.",
)
.or(&["schema"])];

const DELTA: &[OptionSpec] = &[
    OptionSpec::new("version", OptionKind::Integer, "Reads this version."),
    OptionSpec::new(
        "timestamp",
        OptionKind::Timestamp,
        "Reads the newest version committed at or before this moment.",
    ),
];

/// Every reader.
pub static READERS: &[ReaderSignature] = &[
    ReaderSignature {
        name: "read_parquet",
        summary: "Reads Parquet files, folders and patterns.",
        positional: PATHS,
        named: &[parquet::PARQUET_OPTIONS, FILE_OPTIONS],
        example: "SELECT * FROM read_parquet('trips/*.parquet', filename => true)",
    },
    ReaderSignature {
        name: "read_csv",
        summary: "Reads delimited text; what is not given is guessed.",
        positional: PATHS,
        named: &[csv::CSV_OPTIONS, COLUMNS, FILE_OPTIONS],
        example: "SELECT * FROM read_csv('zones.csv', delimiter => ';')",
    },
    ReaderSignature {
        name: "read_json",
        summary: "Reads JSON: one object a line, or arrays of objects.",
        positional: PATHS,
        named: &[json::JSON_OPTIONS, COLUMNS, FILE_OPTIONS],
        example: "SELECT * FROM read_json('events.jsonl')",
    },
    ReaderSignature {
        name: "read_text",
        summary: "Reads whole files: filename, content, size, last_modified.",
        positional: PATHS,
        named: &[text::TEXT_OPTIONS],
        example: "SELECT filename, size FROM read_text('notes/*.md')",
    },
    ReaderSignature {
        name: "read_delta",
        summary: "Reads a Delta table, now or as it was.",
        positional: &["path"],
        named: &[DELTA],
        example: "SELECT * FROM read_delta('lake/sales', version => 5)",
    },
    ReaderSignature {
        name: "read_arrow",
        summary: "Reads Arrow IPC (Feather) files and streams.",
        positional: PATHS,
        named: &[FILE_OPTIONS],
        example: "SELECT * FROM read_arrow('batch.arrow')",
    },
    ReaderSignature {
        name: "read_avro",
        summary: "Reads Avro files.",
        positional: PATHS,
        named: &[FILE_OPTIONS],
        example: "SELECT * FROM read_avro('log.avro')",
    },
    ReaderSignature {
        name: "parquet_metadata",
        summary: "Describes each column chunk of each row group of Parquet files.",
        positional: PATHS,
        named: &[],
        example: "SELECT path_in_schema, compression FROM parquet_metadata('trips.parquet')",
    },
    ReaderSignature {
        name: "parquet_schema",
        summary: "Describes the schema elements of Parquet files.",
        positional: PATHS,
        named: &[],
        example: "SELECT name, type FROM parquet_schema('trips.parquet')",
    },
    ReaderSignature {
        name: "glob",
        summary: "Lists the files that match a pattern.",
        positional: PATHS,
        named: &[],
        example: "SELECT * FROM glob('**/*.csv')",
    },
];

/// Calls a reader.
pub async fn read(
    name: &str,
    arguments: Vec<Argument>,
    context: &TableContext<'_>,
) -> Result<OpenTable, TableError> {
    let signature = READERS
        .iter()
        .find(|reader| reader.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| TableError::UnknownName {
            what: "reader",
            name: name.to_string(),
            known: READERS.iter().map(|reader| reader.name).collect(),
        })?;
    let bound = bind(signature, arguments, context)?;
    match signature.name {
        "parquet_metadata" | "parquet_schema" | "glob" => {
            let listed = list(&bound.definition, context).await?;
            let (schema, batches) = match signature.name {
                "parquet_metadata" => parquet_metadata::chunks(&listed).await?,
                "parquet_schema" => parquet_metadata::schemas(&listed).await?,
                _ => file_names(&listed)?,
            };
            let provider = MemTable::try_new(schema, vec![batches])
                .map_err(|error| TableError::file(signature.name, error))?;
            Ok(OpenTable {
                provider: Arc::new(provider),
                version: None,
                format: signature.name,
                location: listed.location.folder_url(),
            })
        }
        _ => super::open(&bound.definition, bound.version, context).await,
    }
}

struct Bound {
    definition: TableDefinition,
    version: TableVersion,
}

fn bind(
    signature: &ReaderSignature,
    arguments: Vec<Argument>,
    context: &TableContext<'_>,
) -> Result<Bound, TableError> {
    let wrong = |problem: String| TableError::Arguments {
        reader: signature.name.to_string(),
        problem,
    };
    let mut bound = Bound {
        definition: TableDefinition {
            format: signature.name.trim_start_matches("read_").to_string(),
            ..TableDefinition::default()
        },
        version: TableVersion::Latest,
    };
    let mut positional = 0;
    let mut seen: Vec<&'static str> = Vec::new();
    for Argument { name, value } in arguments {
        let Some(name) = name else {
            positional += 1;
            if positional > signature.positional.len() {
                return Err(wrong(format!(
                    "takes {} argument without a name, the others need `name => value`",
                    signature.positional.len()
                )));
            }
            bound.definition.locations = paths(&value)
                .ok_or_else(|| wrong("takes a path or a list of paths, as text, first".into()))?;
            continue;
        };
        let spec = bound.bind_named(signature, &name.to_lowercase(), &value, context)?;
        if let Some(spec) = spec {
            if seen.contains(&spec.name) {
                return Err(wrong(format!("was given `{}` twice", spec.name)));
            }
            seen.push(spec.name);
        }
    }
    if bound.definition.locations.is_empty() {
        return Err(wrong("needs a path".into()));
    }
    if seen.contains(&"version") && seen.contains(&"timestamp") {
        return Err(wrong("takes `version` or `timestamp`, not both".into()));
    }
    Ok(bound)
}

impl Bound {
    /// Checks one named argument and takes it over; `None` for an option of the object store.
    fn bind_named(
        &mut self,
        signature: &ReaderSignature,
        name: &str,
        value: &ScalarValue,
        context: &TableContext<'_>,
    ) -> Result<Option<&'static OptionSpec>, TableError> {
        let spec = signature.options().find(|spec| spec.answers_to(name));
        if value.is_null() {
            return Err(TableError::Arguments {
                reader: signature.name.to_string(),
                problem: format!("cannot take NULL for `{name}`"),
            });
        }
        let text = plain_text(value);
        let Some(spec) = spec else {
            if !is_storage_option(name) {
                return Err(TableError::UnknownOption {
                    target: signature.name.to_string(),
                    option: name.to_string(),
                    known: signature.options().map(|spec| spec.name).collect(),
                });
            }
            self.definition.options.insert(name.to_string(), text);
            return Ok(None);
        };
        let misfit = |expected: String| TableError::OptionValue {
            target: signature.name.to_string(),
            option: spec.name.to_string(),
            value: text.clone(),
            expected,
        };
        match (spec.name, spec.kind) {
            (_, OptionKind::Columns) => {
                let columns = columns(value, context)
                    .map_err(|reason| misfit(format!("columns with SQL types; {reason}")))?;
                self.definition.schema = Some(columns);
            }
            ("version", _) => {
                let number = text
                    .parse()
                    .map_err(|_| misfit("a version number".into()))?;
                self.version = TableVersion::Number(number);
            }
            (_, OptionKind::Timestamp) => {
                let moment = moment(value).ok_or_else(|| misfit("a timestamp".into()))?;
                self.version = TableVersion::Timestamp(moment);
            }
            (name, _) => {
                self.definition.options.insert(name.to_string(), text);
            }
        }
        Ok(Some(spec))
    }
}

/// Reads a text or a list of texts.
fn paths(value: &ScalarValue) -> Option<Vec<String>> {
    if let Some(Some(text)) = value.try_as_str() {
        return Some(vec![text.to_string()]);
    }
    let values = match value {
        ScalarValue::List(list) => list.value(0),
        ScalarValue::LargeList(list) => list.value(0),
        ScalarValue::FixedSizeList(list) => list.value(0),
        _ => return None,
    };
    (0..values.len())
        .map(|index| {
            let value = ScalarValue::try_from_array(&values, index).ok()?;
            value.try_as_str().flatten().map(String::from)
        })
        .collect()
}

fn plain_text(value: &ScalarValue) -> String {
    match value.try_as_str() {
        Some(Some(text)) => text.to_string(),
        _ => value.to_string(),
    }
}

fn columns(value: &ScalarValue, context: &TableContext<'_>) -> Result<SchemaRef, String> {
    if let Some(Some(text)) = value.try_as_str() {
        return types::columns(text, context.state);
    }
    let ScalarValue::Struct(columns) = value else {
        return Err("a struct or a text is needed".into());
    };
    let mut pairs = Vec::with_capacity(columns.num_columns());
    for (field, array) in columns.fields().iter().zip(columns.columns()) {
        let sql_type = ScalarValue::try_from_array(array, 0).map_err(|error| error.to_string())?;
        let sql_type = sql_type.try_as_str().flatten().map(String::from);
        let sql_type =
            sql_type.ok_or_else(|| format!("the type of `{}` is no text", field.name()))?;
        pairs.push((field.name().clone(), sql_type));
    }
    types::columns_from_pairs(&pairs, context.state)
}

/// Reads a moment; a text without a zone is UTC.
fn moment(value: &ScalarValue) -> Option<DateTime<Utc>> {
    if let Some(text) = value.try_as_str() {
        let nanoseconds = string_to_timestamp_nanos(text?).ok()?;
        return Some(DateTime::from_timestamp_nanos(nanoseconds));
    }
    let cast = value
        .cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None))
        .ok()?;
    match cast {
        ScalarValue::TimestampMicrosecond(Some(time), _) => DateTime::from_timestamp_micros(time),
        _ => None,
    }
}

/// The files that a reader of metadata was asked for.
pub(crate) struct Listed {
    pub(crate) location: Location,
    pub(crate) store: Arc<dyn object_store::ObjectStore>,
    pub(crate) files: Vec<ListedFile>,
}

async fn list(
    definition: &TableDefinition,
    context: &TableContext<'_>,
) -> Result<Listed, TableError> {
    let mut listed: Option<Listed> = None;
    for text in &definition.locations {
        let location = Location::parse(text, context)?;
        let store = store::connect(&location, &definition.options, context)?;
        let files = match listing::list(&location, store.as_ref()).await {
            Ok(files) => files,
            Err(TableError::NoFiles { .. }) if definition.format == "glob" => Vec::new(),
            Err(error) => return Err(error),
        };
        match &mut listed {
            None => {
                listed = Some(Listed {
                    location,
                    store,
                    files,
                })
            }
            Some(listed) if listed.location.store == location.store => listed.files.extend(files),
            Some(listed) => {
                return Err(TableError::Location {
                    location: location.display,
                    reason: format!("the other files lie in `{}`", listed.location.store),
                });
            }
        }
    }
    listed.ok_or_else(|| TableError::Arguments {
        reader: definition.format.clone(),
        problem: "needs a path".into(),
    })
}

fn file_names(listed: &Listed) -> Result<(SchemaRef, Vec<RecordBatch>), TableError> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        listed.files.iter().map(|file| file.display.as_str()),
    ));
    let schema = Arc::new(Schema::new(vec![Field::new("file", DataType::Utf8, false)]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![names])
        .map_err(|error| TableError::file(&listed.location.display, error))?;
    Ok((schema, vec![batch]))
}
