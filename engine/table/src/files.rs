//! Opening tables of plain files: options, listing, partitions and columns, for every such format.
//!
//! What is inside a file is the business of each format's [`FileReader`].

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryPool;
use futures::{FutureExt, StreamExt, TryStreamExt};
use lakesh_catalog::definition::TableDefinition;
use object_store::ObjectStore;

use super::bounded::Bounds;
use super::error::TableError;
use super::file_table::{FileTable, Layout};
use super::guarded_read::guarded;
use super::hive::{self, Partitioning, Partitions};
use super::listing::{self, ListedFile, Origin};
use super::location::Location;
use super::merge::{self, MergeMode};
use super::options::{Options, parse_boolean};
use super::{FORMATS, OpenTable, TableContext, TableFormat, store};

/// What a format has to find out about the inside of files.
#[async_trait]
pub(crate) trait FileReader: Sync {
    /// Returns whether a file without a byte is an empty table rather than a broken file.
    fn allows_empty_files(&self) -> bool;

    /// Returns whether files carry statistics.
    fn has_statistics(&self) -> bool {
        false
    }

    /// Finds the columns of the files and groups the files by how they are read.
    async fn layouts(&self, request: &FileRequest<'_>) -> Result<FileLayouts, TableError>;
}

/// The files whose columns are asked for; at least one.
pub(crate) struct FileRequest<'a> {
    pub(crate) files: &'a [ListedFile],
    pub(crate) store: &'a Arc<dyn ObjectStore>,
    pub(crate) options: &'a Options,
    /// The declared columns without the partition columns.
    pub(crate) declared: Option<SchemaRef>,
    pub(crate) mode: MergeMode,
    pub(crate) context: &'a TableContext<'a>,
}

impl FileRequest<'_> {
    /// Returns the pool of the memory that looking at files takes.
    pub(crate) fn pool(&self) -> &Arc<dyn MemoryPool> {
        &self.context.state.runtime_env().memory_pool
    }

    /// Returns how much of the files may be held at once.
    pub(crate) fn bounds(&self) -> Bounds {
        let root = self.files.first().map_or("", |file| file.root());
        Bounds::new(self.pool(), root)
    }
}

/// The columns that the files have together, and the groups of files that are read alike.
pub(crate) struct FileLayouts {
    pub(crate) columns: SchemaRef,
    pub(crate) groups: Vec<FileLayoutGroup>,
}

/// Files that are read alike, by their positions in the request.
pub(crate) struct FileLayoutGroup {
    pub(crate) format: Arc<dyn FileFormat>,
    pub(crate) file_schema: SchemaRef,
    /// A text that means NULL in these files.
    pub(crate) null_text: Option<String>,
    /// Whether numbers are read as text, so that none of them is cut.
    pub(crate) exact_numbers: bool,
    pub(crate) members: Vec<usize>,
}

/// Opens a table of plain files.
pub(crate) async fn open_files(
    format: &dyn TableFormat,
    reader: &dyn FileReader,
    definition: &TableDefinition,
    context: &TableContext<'_>,
) -> Result<OpenTable, TableError> {
    let options = Options::check(format.name(), &definition.options, &format.options())?;
    let (location, store, mut files) = list_all(format, definition, &options, context).await?;
    let partitioning = partitioning(definition, &options)?;
    let url = match files.as_slice() {
        [only] if only.origin == Origin::Named => location.url_of(&only.meta.location),
        _ => location.folder_url(),
    };
    let mut partitions = hive::partitions(&files, partitioning, definition.schema.as_ref())?;
    if let Some(name) = filename_column(&options) {
        add_filename(&mut partitions, name, &files);
    }
    let mut values = partitions.values;
    if reader.allows_empty_files() {
        let (kept, kept_values) = files
            .into_iter()
            .zip(values)
            .filter(|(file, _)| file.meta.size > 0)
            .unzip();
        files = kept;
        values = kept_values;
    }
    let declared = definition
        .schema
        .as_ref()
        .map(|schema| without(schema, &partitions.fields));
    let request = FileRequest {
        files: &files,
        store: &store,
        options: &options,
        declared: declared.clone(),
        mode: match options.boolean("union_by_name")? {
            Some(true) => MergeMode::UnionByName,
            _ => MergeMode::FirstFile,
        },
        context,
    };
    let found = match files.is_empty() {
        true => FileLayouts {
            columns: declared.unwrap_or_else(|| Arc::new(Schema::empty())),
            groups: Vec::new(),
        },
        false => reader.layouts(&request).await?,
    };
    let table = FileTable {
        schema: table_schema(
            &found.columns,
            &partitions.fields,
            definition.schema.as_ref(),
        ),
        layouts: found
            .groups
            .into_iter()
            .map(|group| {
                layout(
                    group,
                    &files,
                    &values,
                    &partitions.fields,
                    reader.has_statistics(),
                )
            })
            .collect(),
        partition_fields: partitions.fields,
        store: location.object_store_url()?,
        root: location.display_of(&Default::default()),
    };
    Ok(OpenTable {
        provider: Arc::new(table),
        version: None,
        format: format.name(),
        location: url,
    })
}

/// Adds the path of each file as the last partition column.
fn add_filename(partitions: &mut Partitions, name: String, files: &[ListedFile]) {
    let field = Field::new(name, DataType::Utf8, false);
    partitions.fields.push(Arc::new(field));
    for (values, file) in partitions.values.iter_mut().zip(files) {
        values.push(ScalarValue::Utf8(Some(file.display.clone())));
    }
}

/// Leaves out the columns that are no part of the files.
fn without(schema: &SchemaRef, partitions: &[FieldRef]) -> SchemaRef {
    let is_partition = |name: &str| partitions.iter().any(|field| field.name() == name);
    let fields = schema
        .fields()
        .iter()
        .filter(|field| !is_partition(field.name()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

/// Lists the files of all locations, which have to lie in one store.
pub(crate) async fn list_all(
    format: &dyn TableFormat,
    definition: &TableDefinition,
    options: &Options,
    context: &TableContext<'_>,
) -> Result<(Location, Arc<dyn ObjectStore>, Vec<ListedFile>), TableError> {
    let mut first: Option<(Location, Arc<dyn ObjectStore>)> = None;
    let mut files: Vec<ListedFile> = Vec::new();
    for text in &definition.locations {
        let location = Location::parse(text, context)?;
        let store = store::connect(&location, options.storage(), context)?;
        let listed = listing::list(&location, store.as_ref()).await?;
        let chosen = choose(format, listed);
        if chosen.is_empty() {
            return Err(TableError::NoFiles {
                location: location.display,
                what: format.name().to_string(),
            });
        }
        files.extend(chosen);
        let (base, _) = first.get_or_insert_with(|| (location.clone(), store));
        if base.store != location.store {
            return Err(TableError::Location {
                location: location.display,
                reason: format!("the table's other files lie in `{}`", base.store),
            });
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.meta.location.clone()));
    let (location, store) = first.ok_or_else(|| TableError::Location {
        location: String::new(),
        reason: "a table needs at least one location".into(),
    })?;
    Ok((location, store, files))
}

/// Leaves out of folders what belongs to other formats; what the user named or matched stays.
fn choose(format: &dyn TableFormat, files: Vec<ListedFile>) -> Vec<ListedFile> {
    let ours = |file: &ListedFile| {
        format_of(&file.display).is_some_and(|found| found.name() == format.name())
    };
    let unknown = |file: &ListedFile| format_of(&file.display).is_none();
    let any = files
        .iter()
        .any(|file| file.origin == Origin::Folder && ours(file));
    files
        .into_iter()
        .filter(|file| match (file.origin, any) {
            (Origin::Named | Origin::Matched, _) => true,
            (Origin::Folder, true) => ours(file),
            (Origin::Folder, false) => unknown(file),
        })
        .collect()
}

/// Finds the format that a file's suffix stands for.
pub(crate) fn format_of(name: &str) -> Option<&'static dyn TableFormat> {
    let (suffix, compression) = suffix_of(name);
    let suffix = suffix?;
    FORMATS.iter().copied().find(|format| {
        format.suffixes().contains(&suffix.as_str())
            && (!compression.is_compressed() || format.compressible())
    })
}

/// Splits a name's suffix off, in lower case, after its compression suffix.
pub fn suffix_of(name: &str) -> (Option<String>, FileCompressionType) {
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let (stem, compression) = [
        (".gz", FileCompressionType::GZIP),
        (".bz2", FileCompressionType::BZIP2),
        (".xz", FileCompressionType::XZ),
        (".zst", FileCompressionType::ZSTD),
    ]
    .into_iter()
    .find_map(|(ending, compression)| Some((name.strip_suffix(ending)?, compression)))
    .unwrap_or((name.as_str(), FileCompressionType::UNCOMPRESSED));
    let suffix = stem.rsplit_once('.').map(|(_, suffix)| suffix.to_string());
    (suffix, compression)
}

fn partitioning<'a>(
    definition: &'a TableDefinition,
    options: &Options,
) -> Result<Partitioning<'a>, TableError> {
    if !definition.partition_columns.is_empty() {
        return Ok(Partitioning::Declared(&definition.partition_columns));
    }
    match options.text("hive_partitioning") {
        None | Some("auto") => Ok(Partitioning::Auto),
        Some(value) => match parse_boolean(value) {
            Some(true) => Ok(Partitioning::WholePath),
            Some(false) => Ok(Partitioning::Off),
            None => Err(options.wrong("hive_partitioning", value, "`auto`, `true` or `false`")),
        },
    }
}

fn filename_column(options: &Options) -> Option<String> {
    let value = options.text("filename")?;
    match parse_boolean(value) {
        Some(true) => Some("filename".into()),
        Some(false) => None,
        None => Some(value.to_string()),
    }
}

/// Puts the partition columns behind the files' columns, or all in the declared order.
fn table_schema(
    columns: &Schema,
    partitions: &[FieldRef],
    declared: Option<&SchemaRef>,
) -> SchemaRef {
    let is_partition = |name: &str| partitions.iter().any(|field| field.name() == name);
    let mut fields: Vec<FieldRef> = columns
        .fields()
        .iter()
        .filter(|field| !is_partition(field.name()))
        .cloned()
        .chain(partitions.iter().cloned())
        .collect();
    if let Some(declared) = declared {
        fields.sort_by_key(|field| declared.index_of(field.name()).unwrap_or(usize::MAX));
    }
    Arc::new(Schema::new(fields))
}

/// Attaches partition values; a file's own column of a partition's name is not read.
fn layout(
    group: FileLayoutGroup,
    files: &[ListedFile],
    values: &[Vec<ScalarValue>],
    partitions: &[FieldRef],
    has_statistics: bool,
) -> Layout {
    let members = group.members.iter().map(|index| {
        PartitionedFile::from(files[*index].meta.clone())
            .with_partition_values(values[*index].clone())
    });
    let fields: Vec<FieldRef> = group
        .file_schema
        .fields()
        .iter()
        .map(|field| {
            let clash = partitions
                .iter()
                .any(|partition| partition.name() == field.name());
            match clash {
                true => Arc::new(
                    field
                        .as_ref()
                        .clone()
                        .with_name(format!("{} in file", field.name())),
                ),
                false => Arc::clone(field),
            }
        })
        .collect();
    Layout {
        format: group.format,
        file_schema: Arc::new(Schema::new(fields)),
        null_text: group.null_text,
        exact_numbers: group.exact_numbers,
        files: members.collect(),
        has_statistics,
    }
}

/// Reads the schema of every file, several at a time; an error names the file.
pub(crate) async fn infer_each(
    format: &Arc<dyn FileFormat>,
    request: &FileRequest<'_>,
) -> Result<Vec<(String, SchemaRef)>, TableError> {
    let state = request.context.state;
    let concurrency = state
        .config_options()
        .execution
        .meta_fetch_concurrency
        .get();
    futures::stream::iter(0..request.files.len())
        .map(|index| {
            async move {
                let file = &request.files[index];
                let of = std::slice::from_ref(&file.meta);
                let read = format.infer_schema(&**state, request.store, of);
                let schema = guarded(&file.display, read).await?;
                refuse_twins(
                    &file.display,
                    schema.fields().iter().map(|field| field.name().as_str()),
                )?;
                Ok((file.display.clone(), schema))
            }
            .boxed()
        })
        .buffered(concurrency)
        .try_collect()
        .await
}

/// Refuses a file in which two columns have one name: of columns that are found by their names the
/// second would be lost in silence.
pub(crate) fn refuse_twins<'a>(
    file: &str,
    columns: impl IntoIterator<Item = &'a str>,
) -> Result<(), TableError> {
    let mut names = HashSet::new();
    match columns.into_iter().find(|name| !names.insert(*name)) {
        None => Ok(()),
        Some(twin) => Err(TableError::file(
            file,
            DataFusionError::Plan(format!("two of its columns are named `{twin}`")),
        )),
    }
}

/// Merges the files' schemas, or takes the declared one.
pub(crate) fn merged(
    request: &FileRequest<'_>,
    schemas: &[(String, SchemaRef)],
) -> Result<SchemaRef, TableError> {
    match &request.declared {
        Some(declared) => Ok(Arc::clone(declared)),
        None => merge::merge(schemas, request.mode, false),
    }
}

/// Groups files by equal keys, in the order of first appearance.
pub(crate) fn group_by<K: PartialEq>(keys: impl IntoIterator<Item = K>) -> Vec<(K, Vec<usize>)> {
    let mut groups: Vec<(K, Vec<usize>)> = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(index),
            None => groups.push((key, vec![index])),
        }
    }
    groups
}
