//! The reads of files in a physical plan: which files, which columns, which filter, what statistics.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::ParquetMetaData;
use lakesh_session::StatementContext;

use super::evidence::{Node, TableFacts};

/// How many footers of a table are looked at.
const FOOTERS: usize = 4;

/// One read of files.
pub(crate) struct ScanFacts {
    /// Its place among the nodes of the plan.
    pub(crate) node: usize,
    pub(crate) store: ObjectStoreUrl,
    /// The files, each once, though a large one may be read in parts.
    pub(crate) files: Vec<PartitionedFile>,
    /// The columns of the files and the partition columns behind them, as statistics list them.
    pub(crate) schema: SchemaRef,
    /// How many columns are read.
    pub(crate) columns: usize,
    /// How many of them are texts or bytes, which take long to decode.
    pub(crate) texts: usize,
    /// The filter that the reader was given, as text.
    pub(crate) predicate: Option<String>,
    /// Whether the reader drops rows by its filter while it decodes.
    pub(crate) filters_rows: bool,
}

/// Counts columns, without those that scans of Delta tables add for themselves.
fn columns_of(schema: &SchemaRef) -> usize {
    let fields = schema.fields().iter();
    fields
        .filter(|field| !field.name().starts_with("__delta_rs"))
        .count()
}

fn texts_of(schema: &SchemaRef) -> usize {
    let types = schema.fields().iter().map(|field| field.data_type());
    types
        .filter(|kind| kind.is_string() || kind.is_binary())
        .count()
}

impl ScanFacts {
    /// Says whether the reader knows a filter and uses it only to skip whole parts of files.
    pub(crate) fn has_undone_filter(&self) -> bool {
        self.predicate.is_some() && !self.filters_rows
    }
}

/// Lists the reads of files in a plan.
pub(crate) fn collect(nodes: &[Node]) -> Vec<ScanFacts> {
    let scans = nodes.iter().enumerate();
    scans
        .filter_map(|(number, node)| scan(number, node))
        .collect()
}

fn scan(number: usize, node: &Node) -> Option<ScanFacts> {
    let config = lakesh_event::account::scan_config(node.plan.as_ref())?;
    let mut files: Vec<PartitionedFile> = Vec::new();
    for file in config.file_groups.iter().flat_map(|group| group.iter()) {
        let last = files.last().map(|last| &last.object_meta.location);
        if last != Some(&file.object_meta.location) {
            files.push(file.clone());
        }
    }
    files.sort_by(|left, right| left.object_meta.location.cmp(&right.object_meta.location));
    files.dedup_by(|left, right| left.object_meta.location == right.object_meta.location);
    let parquet = config.file_source.downcast_ref::<ParquetSource>();
    Some(ScanFacts {
        node: number,
        store: config.object_store_url.clone(),
        files,
        schema: Arc::clone(config.file_source.table_schema().table_schema()),
        columns: columns_of(&node.plan.schema()),
        texts: texts_of(&node.plan.schema()),
        predicate: config.file_source.filter().map(|filter| filter.to_string()),
        filters_rows: parquet
            .is_some_and(|source| source.table_parquet_options().global.pushdown_filters),
    })
}

/// Reads footers of a few files, from the cache where planning has put them.
pub(crate) async fn footers(
    context: &StatementContext,
    scan: &ScanFacts,
) -> Vec<Arc<ParquetMetaData>> {
    let runtime = context.state.runtime_env();
    let Ok(store) = runtime.object_store(&scan.store) else {
        return Vec::new();
    };
    let cache = runtime.cache_manager.get_file_metadata_cache();
    let step = scan.files.len().div_ceil(FOOTERS).max(1);
    let mut footers = Vec::new();
    for file in scan.files.iter().step_by(step) {
        let metadata = DFParquetMetadata::new(store.as_ref(), &file.object_meta)
            .with_file_metadata_cache(Some(Arc::clone(&cache)));
        // A file that cannot be read fails the query itself, with its name.
        footers.extend(metadata.fetch_metadata().await.ok());
    }
    footers
}

/// Returns the rows of a table from the statistics of its files.
pub(crate) fn rows_of(table: &TableFacts, scans: &[ScanFacts]) -> Option<u64> {
    let files = &scans.get(table.scan?)?.files;
    let counts: Option<u64> = files
        .iter()
        .map(|file| file.statistics.as_ref()?.num_rows.get_value().copied())
        .map(|rows| rows.map(|rows| rows as u64))
        .sum();
    // Files that planning has left out are counted like the others.
    let share = table.files.files.len() as f64 / files.len().max(1) as f64;
    counts.map(|rows| (rows as f64 * share) as u64)
}

/// The smallest and the largest value of a column in a part of a table.
pub(crate) type Range = (f64, f64);

/// Returns the ranges of a column in the parts of a table: its files, or the row groups of one.
pub(crate) fn ranges(table: &TableFacts, scans: &[ScanFacts], column: &str) -> Vec<Range> {
    let Some(scan) = table.scan.and_then(|scan| scans.get(scan)) else {
        return Vec::new();
    };
    let of_files = file_ranges(scan, column);
    match of_files.len() >= 4 || table.footers.is_empty() {
        true => of_files,
        false => table
            .footers
            .iter()
            .flat_map(|footer| group_ranges(footer, column).unwrap_or_default())
            .collect(),
    }
}

fn file_ranges(scan: &ScanFacts, column: &str) -> Vec<Range> {
    let Ok(index) = scan.schema.index_of(column) else {
        return Vec::new();
    };
    let range = |file: &PartitionedFile| {
        let statistics = file.statistics.as_ref()?.column_statistics.get(index)?;
        let known = |value: &Precision<ScalarValue>| number(value.get_value()?);
        Some((known(&statistics.min_value)?, known(&statistics.max_value)?))
    };
    scan.files.iter().filter_map(range).collect()
}

fn group_ranges(footer: &ParquetMetaData, column: &str) -> Option<Vec<Range>> {
    let parquet = footer.file_metadata().schema_descr();
    let schema = parquet_to_arrow_schema(parquet, None).ok()?;
    let converter = StatisticsConverter::try_new(column, &schema, parquet).ok()?;
    let minima = converter.row_group_mins(footer.row_groups()).ok()?;
    let maxima = converter.row_group_maxes(footer.row_groups()).ok()?;
    let value = |values: &ArrayRef, row| number(&ScalarValue::try_from_array(values, row).ok()?);
    let groups = 0..footer.num_row_groups();
    Some(
        groups
            .filter_map(|row| Some((value(&minima, row)?, value(&maxima, row)?)))
            .collect(),
    )
}

/// Puts a value on a line, so that ranges can be compared; text by its first bytes.
pub(crate) fn number(value: &ScalarValue) -> Option<f64> {
    if value.is_null() {
        return None;
    }
    if let Some(text) = value.try_as_str().flatten() {
        let mut bytes = [0_u8; 8];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        return Some(u64::from_be_bytes(bytes) as f64);
    }
    let temporal = value.data_type().is_temporal();
    let value = match temporal {
        true => value.cast_to(&DataType::Int64).or_else(|_| {
            let days = value.cast_to(&DataType::Int32)?;
            days.cast_to(&DataType::Int64)
        }),
        false => Ok(value.clone()),
    };
    match value.ok()?.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(number) => number.filter(|number| number.is_finite()),
        _ => None,
    }
}

/// Returns the smallest and the largest value in all parts.
pub(crate) fn span(ranges: &[Range]) -> Option<Range> {
    let both = |one: Range, other: Range| (one.0.min(other.0), one.1.max(other.1));
    ranges.iter().copied().reduce(both)
}

/// Returns the share of parts that a search for one value has to read, on average; `None` where that
/// cannot be told.
pub(crate) fn share_of_a_point(ranges: &[Range]) -> Option<f64> {
    let (low, high) = span(ranges)?;
    let width = high - low;
    if ranges.len() < 4 || width <= 0.0 {
        return None;
    }
    let covered: f64 = ranges.iter().map(|range| (range.1 - range.0) / width).sum();
    Some((covered / ranges.len() as f64).clamp(1.0 / ranges.len() as f64, 1.0))
}

/// Counts the parts whose range meets another.
pub(crate) fn parts_that_meet(ranges: &[Range], low: Option<f64>, high: Option<f64>) -> usize {
    let meets = |range: &&Range| {
        low.is_none_or(|low| range.1 >= low) && high.is_none_or(|high| range.0 <= high)
    };
    ranges.iter().filter(meets).count()
}
