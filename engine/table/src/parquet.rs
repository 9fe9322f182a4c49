//! The `parquet` format.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::config::ConfigField;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::error::DataFusionError;
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::files::{
    FileLayoutGroup, FileLayouts, FileReader, FileRequest, infer_each, merged, open_files,
    refuse_twins,
};
use super::guarded_read::guarded;
use super::options::{FILE_OPTIONS, OptionKind, OptionSpec, Options};
use super::parquet_pages::column_with_false_pages;
use super::{OpenTable, TableContext, TableFormat};

/// Parquet files.
pub(crate) struct Parquet;

/// The unit in which INT96 is read where nobody says another. In nanoseconds, years before 1678 and after
/// 2261 would become other years without a word, and Spark writes 9999 for the end of time.
const INT96_UNIT: &str = "us";

/// Options of the reader below SQL; they override the session's settings of the same name.
pub(crate) const PARQUET_OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "binary_as_string",
        OptionKind::Boolean,
        "Reads binary columns as text.",
    ),
    OptionSpec::new(
        "pushdown_filters",
        OptionKind::Boolean,
        "Filters rows while decoding.",
    ),
    OptionSpec::new(
        "reorder_filters",
        OptionKind::Boolean,
        "Evaluates cheap filters first.",
    ),
    OptionSpec::new(
        "pruning",
        OptionKind::Boolean,
        "Skips row groups by their statistics.",
    ),
    OptionSpec::new(
        "enable_page_index",
        OptionKind::Boolean,
        "Skips pages by the page index.",
    ),
    OptionSpec::new(
        "bloom_filter_on_read",
        OptionKind::Boolean,
        "Skips by bloom filters.",
    ),
    OptionSpec::new(
        "schema_force_view_types",
        OptionKind::Boolean,
        "Reads text as views.",
    ),
    OptionSpec::new(
        "metadata_size_hint",
        OptionKind::Integer,
        "Bytes to read for the footer.",
    ),
    OptionSpec::new(
        "coerce_int96",
        OptionKind::Text,
        "The unit of INT96 timestamps: `ns`, `us`, `ms` or `s`; otherwise `us`.",
    ),
];

#[async_trait]
impl TableFormat for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["parquet", "parq", "pq"]
    }

    fn has_magic(&self, head: &[u8]) -> bool {
        head.starts_with(b"PAR1")
    }

    fn options(&self) -> Vec<&'static [OptionSpec]> {
        vec![PARQUET_OPTIONS, FILE_OPTIONS]
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
impl FileReader for Parquet {
    fn allows_empty_files(&self) -> bool {
        false
    }

    fn has_statistics(&self) -> bool {
        true
    }

    async fn layouts(&self, request: &FileRequest<'_>) -> Result<FileLayouts, TableError> {
        let format = file_format(request.options, request.context)?;
        // Every footer is read even if the columns are declared: a broken file shows up here.
        let schemas = infer_each(&format, request).await?;
        check_footers(request).await?;
        let columns = merged(request, &schemas)?;
        Ok(FileLayouts {
            groups: vec![FileLayoutGroup {
                format,
                file_schema: Arc::clone(&columns),
                null_text: None,
                exact_numbers: false,
                members: (0..request.files.len()).collect(),
            }],
            columns,
        })
    }
}

/// Refuses files in which two columns have one name, which the inferred schemas show as one column, and files
/// whose pages would be read wrongly.
async fn check_footers(request: &FileRequest<'_>) -> Result<(), TableError> {
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
                // The footer was read a moment ago, but the cache may be too small for all of them.
                let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
                let footer = DFParquetMetadata::new(request.store.as_ref(), &file.meta)
                    .with_file_metadata_cache(Some(cache));
                let footer = guarded(&file.display, footer.fetch_metadata()).await?;
                let columns = footer.file_metadata().schema_descr().root_schema();
                let names = columns.get_fields().iter().map(|column| column.name());
                refuse_twins(&file.display, names)?;
                let path = &file.meta.location;
                let found = column_with_false_pages(request.store.as_ref(), path, &footer);
                match guarded(&file.display, found.map_err(DataFusionError::from)).await? {
                    None => Ok(()),
                    Some(column) => Err(TableError::file(
                        &file.display,
                        DataFusionError::Plan(format!(
                            "the pages of its column `{column}` are compressed, but their writer, parquet-cpp \
                             before 3.0, marked them as not compressed; write it anew with another version"
                        )),
                    )),
                }
            }
            .boxed()
        })
        .buffered(concurrency)
        .try_collect()
        .await
}

fn file_format(
    options: &Options,
    context: &TableContext<'_>,
) -> Result<Arc<dyn FileFormat>, TableError> {
    let mut settings = context.state.default_table_options().parquet;
    settings
        .global
        .coerce_int96
        .get_or_insert_with(|| INT96_UNIT.to_owned());
    for spec in PARQUET_OPTIONS {
        let Some(value) = options.text(spec.name) else {
            continue;
        };
        settings
            .global
            .set(spec.name, value)
            .map_err(|_| options.wrong(spec.name, value, expected(spec.kind)))?;
    }
    Ok(Arc::new(ParquetFormat::default().with_options(settings)))
}

fn expected(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Boolean => "`true` or `false`",
        OptionKind::Integer => "a whole number",
        _ => "another text",
    }
}
