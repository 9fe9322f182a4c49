//! A table of plain files: one scan for each layout of files, partition columns by file.
//!
//! The files are fixed when the table is opened. Partition columns, the file's name among them, are
//! constants of a file, so filters over them choose files and are exact. Nothing is written here.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchemaBuilder;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::cache::TableScopedPath;
use datafusion::execution::cache::cache_manager::{CachedFileMetadata, SchemaFingerprint};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, CastExpr, Column, Literal};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStore;

use super::believed::{file_summary, with_believing_readers};
use super::exact_number::exact_number;
use super::guarded_read::guarded;
use super::merge::places;

/// Files that are read alike.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// How to read them.
    pub(crate) format: Arc<dyn FileFormat>,
    /// The columns inside the files, in the order that the reader gives them.
    pub(crate) file_schema: SchemaRef,
    /// A text that means NULL; columns are then read as text and cast behind the scan.
    pub(crate) null_text: Option<String>,
    /// Whether numbers are read as text, so that none of them is cut.
    pub(crate) exact_numbers: bool,
    /// The files with the values of their partition columns.
    pub(crate) files: Vec<PartitionedFile>,
    /// Whether the files carry statistics.
    pub(crate) has_statistics: bool,
}

impl Layout {
    /// Returns the columns as the reader has to give them.
    fn read_schema(&self) -> SchemaRef {
        if self.null_text.is_none() && !self.exact_numbers {
            return Arc::clone(&self.file_schema);
        }
        let fields = self.file_schema.fields().iter();
        let fields: Vec<FieldRef> = fields
            .map(
                |field| match self.null_text.is_some() || self.is_exact(field) {
                    true => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
                    false => Arc::clone(field),
                },
            )
            .collect();
        Arc::new(Schema::new(fields))
    }
}

impl Layout {
    /// Says whether a column holds numbers that are checked behind the scan.
    fn is_exact(&self, field: &Field) -> bool {
        self.exact_numbers && field.data_type().is_numeric()
    }
}

/// A table over files.
#[derive(Debug)]
pub(crate) struct FileTable {
    pub(crate) schema: SchemaRef,
    pub(crate) partition_fields: Vec<FieldRef>,
    pub(crate) layouts: Vec<Layout>,
    pub(crate) store: ObjectStoreUrl,
    /// The text that paths of this store start with when they are shown.
    pub(crate) root: String,
}

/// Tells by a hash whether a table still consists of the same files; `None` for tables that do not
/// consist of plain files.
pub fn fingerprint(provider: &dyn TableProvider) -> Option<u64> {
    let table = provider.downcast_ref::<FileTable>()?;
    let mut hasher = DefaultHasher::new();
    for file in table.layouts.iter().flat_map(|layout| &layout.files) {
        let meta = &file.object_meta;
        meta.location.hash(&mut hasher);
        meta.size.hash(&mut hasher);
        meta.last_modified.hash(&mut hasher);
        meta.e_tag.hash(&mut hasher);
    }
    Some(hasher.finish())
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| match self.decides_files(filter) {
                true => TableProviderFilterPushDown::Exact,
                false => TableProviderFilterPushDown::Inexact,
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let file_filters: Vec<Expr> = filters
            .iter()
            .filter(|filter| self.decides_files(filter))
            .cloned()
            .collect();
        let files_only = file_filters.len() == filters.len();
        let mut plans = Vec::with_capacity(self.layouts.len());
        for layout in &self.layouts {
            let files = self.choose_files(&layout.files, &file_filters)?;
            if files.is_empty() {
                continue;
            }
            let limit = limit.filter(|_| files_only);
            plans.push(
                self.scan_layout(layout, files, state, projection, limit)
                    .await?,
            );
        }
        match plans.len() {
            0 => {
                let schema = Arc::new(self.schema.project(projection)?);
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

impl FileTable {
    fn decides_files(&self, filter: &Expr) -> bool {
        let names: Vec<&str> = self
            .partition_fields
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        !names.is_empty() && expr_applicable_for_cols(&names, filter)
    }

    fn choose_files(
        &self,
        files: &[PartitionedFile],
        filters: &[Expr],
    ) -> Result<Vec<PartitionedFile>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(files.to_vec());
        };
        let schema = Arc::new(Schema::new(self.partition_fields.clone()));
        let schema = DFSchema::try_from(schema)?;
        let filter = datafusion::physical_expr::create_physical_expr(
            &filter,
            &schema,
            &Default::default(),
            &Default::default(),
        )?;
        let columns = (0..self.partition_fields.len())
            .map(|column| {
                ScalarValue::iter_to_array(
                    files
                        .iter()
                        .map(|file| file.partition_values[column].clone()),
                )
            })
            .collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(Arc::clone(schema.inner()), columns)?;
        let verdicts = filter.evaluate(&batch)?.into_array(files.len())?;
        let verdicts = verdicts.as_boolean_opt().ok_or_else(|| {
            DataFusionError::Plan("a filter over partition columns is no condition".into())
        })?;
        Ok(files
            .iter()
            .zip(verdicts.iter())
            .filter(|(_, verdict)| *verdict == Some(true))
            .map(|(file, _)| file.clone())
            .collect())
    }

    async fn scan_layout(
        &self,
        layout: &Layout,
        files: Vec<PartitionedFile>,
        state: &dyn Session,
        projection: &[usize],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let file_schema = layout.read_schema();
        let table_schema = TableSchemaBuilder::from(&file_schema)
            .with_table_partition_cols(self.partition_fields.clone())
            .build();
        let schema = Arc::clone(table_schema.table_schema());
        let collect = state.config_options().execution.collect_statistics && layout.has_statistics;
        let (files, ordering) = match collect {
            true => self.with_statistics(layout, files, state).await?,
            false => (files, None),
        };
        let statistics = match collect {
            true => Statistics::try_merge_iter(
                files.iter().filter_map(|file| file.statistics.as_deref()),
                &schema,
            )?,
            false => Statistics::new_unknown(&schema),
        };
        let mapping = ColumnMapping::new(&self.schema, projection, &schema, layout)?;
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config =
            FileScanConfigBuilder::new(self.store.clone(), layout.format.file_source(table_schema))
                .with_file_groups(groups)
                .with_statistics(statistics)
                .with_projection_indices(Some(mapping.read.clone()))?
                .with_limit(limit)
                .with_output_ordering(ordering.into_iter().collect())
                .build();
        let plan = layout.format.create_physical_plan(state, config).await?;
        let plan = with_believing_readers(plan)?;
        lakesh_event::observation::count_considered_files(&plan, layout.files.len());
        mapping.apply(plan)
    }

    /// Adds each file's statistics, from the cache or from the file, and the order all files share.
    async fn with_statistics(
        &self,
        layout: &Layout,
        files: Vec<PartitionedFile>,
        state: &dyn Session,
    ) -> Result<(Vec<PartitionedFile>, Option<LexOrdering>)> {
        let store = state.runtime_env().object_store(&self.store)?;
        let fingerprint = Arc::new(SchemaFingerprint::from_schema(&layout.file_schema));
        let concurrency = state
            .config_options()
            .execution
            .meta_fetch_concurrency
            .get();
        let files: Vec<PartitionedFile> = futures::stream::iter(files)
            .map(|file| {
                self.file_statistics(layout, file, state, &store, &fingerprint)
                    .boxed()
            })
            .buffered(concurrency)
            .try_collect()
            .await?;
        let mut orderings = files.iter().map(|file| file.ordering.as_ref());
        let first = orderings.next().flatten();
        let shared = first.filter(|first| orderings.all(|ordering| ordering == Some(*first)));
        let shared = shared.cloned();
        Ok((files, shared))
    }

    async fn file_statistics(
        &self,
        layout: &Layout,
        mut file: PartitionedFile,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        fingerprint: &Arc<SchemaFingerprint>,
    ) -> Result<PartitionedFile> {
        let cache = state.runtime_env().cache_manager.get_file_statistic_cache();
        let key = TableScopedPath {
            table: None,
            path: file.object_meta.location.clone(),
        };
        let cached = cache
            .as_ref()
            .and_then(|cache| cache.get(&key))
            .filter(|cached| cached.is_valid_for(&file.object_meta, fingerprint));
        let (statistics, ordering) = match cached {
            Some(cached) => (Arc::clone(&cached.statistics), cached.ordering.clone()),
            None => {
                let path = format!("{}{}", self.root, file.object_meta.location);
                let read = file_summary(state, store, &layout.file_schema, &file.object_meta);
                let found = guarded(&path, read).await?;
                let statistics = Arc::new(found.statistics);
                if let Some(cache) = &cache {
                    let entry = CachedFileMetadata::new(
                        file.object_meta.clone(),
                        Arc::clone(fingerprint),
                        Arc::clone(&statistics),
                        found.ordering.clone(),
                    );
                    cache.put(&key, entry);
                }
                (statistics, found.ordering)
            }
        };
        file.statistics = Some(extend(statistics, &file.partition_values));
        file.ordering = ordering;
        Ok(file)
    }
}

/// Appends what is known of partition columns: one value, or nothing but NULLs.
fn extend(statistics: Arc<Statistics>, values: &[ScalarValue]) -> Arc<Statistics> {
    if values.is_empty() {
        return statistics;
    }
    let mut statistics = Arc::unwrap_or_clone(statistics);
    let rows = statistics.num_rows;
    statistics
        .column_statistics
        .extend(values.iter().map(|value| {
            // Of a file without rows no value is the largest of the table.
            if value.is_null() || rows == Precision::Exact(0) {
                return ColumnStatistics {
                    null_count: rows,
                    ..ColumnStatistics::new_unknown()
                };
            }
            ColumnStatistics {
                null_count: Precision::Exact(0),
                min_value: Precision::Exact(value.clone()),
                max_value: Precision::Exact(value.clone()),
                distinct_count: Precision::Exact(1),
                ..ColumnStatistics::new_unknown()
            }
        }));
    Arc::new(statistics)
}

/// Makes `CASE WHEN column = text THEN NULL ELSE column END`.
fn null_if(column: Arc<dyn PhysicalExpr>, text: &str) -> Result<Arc<dyn PhysicalExpr>> {
    let literal = |value: Option<&str>| -> Arc<dyn PhysicalExpr> {
        Arc::new(Literal::new(ScalarValue::Utf8(value.map(String::from))))
    };
    let equal = BinaryExpr::new(Arc::clone(&column), Operator::Eq, literal(Some(text)));
    let branch: (Arc<dyn PhysicalExpr>, _) = (Arc::new(equal), literal(None));
    let case = CaseExpr::try_new(None, vec![branch], Some(column))?;
    Ok(Arc::new(case))
}

/// How a layout's columns become the table's: which are read, and what is made of them.
struct ColumnMapping {
    read: Vec<usize>,
    /// Name, expression over the columns read; `None` if reading them is all there is to do.
    expressions: Option<Vec<(Arc<dyn PhysicalExpr>, String)>>,
}

impl ColumnMapping {
    fn new(wanted: &Schema, projection: &[usize], given: &Schema, layout: &Layout) -> Result<Self> {
        let mut read = Vec::with_capacity(projection.len());
        let mut expressions: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
        let mut plain = true;
        let places = places(given.fields());
        for index in projection {
            let field = wanted.field(*index);
            let name = field.name().clone();
            let Some(position) = places.get(name.as_str()).copied() else {
                plain = false;
                let null = ScalarValue::try_from(field.data_type())?;
                expressions.push((Arc::new(Literal::new(null)), name));
                continue;
            };
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, read.len()));
            read.push(position);
            let in_file = position < layout.file_schema.fields().len();
            let null_text = layout.null_text.as_deref().filter(|_| in_file);
            let column = match null_text {
                Some(text) => null_if(column, text)?,
                None => column,
            };
            let same = given.field(position).data_type() == field.data_type();
            plain &= same && null_text.is_none();
            let exact = in_file && layout.is_exact(layout.file_schema.field(position));
            let expression: Arc<dyn PhysicalExpr> = match (same, exact) {
                (true, _) => column,
                (false, true) => exact_number(column, &name, field.data_type(), given)?,
                (false, false) => Arc::new(CastExpr::new(column, field.data_type().clone(), None)),
            };
            expressions.push((expression, name));
        }
        Ok(Self {
            read,
            expressions: (!plain).then_some(expressions),
        })
    }

    fn apply(self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        match self.expressions {
            None => Ok(plan),
            Some(expressions) => Ok(Arc::new(ProjectionExec::try_new(expressions, plan)?)),
        }
    }
}
