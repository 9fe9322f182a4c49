//! A copy of a table in another layout, in the folder for temporary files, for as long as it is tried.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, TableSource, ident};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::schema::types::ColumnPath;
use lakesh_catalog::definition::TableVersion;
use lakesh_memory::spill::ScratchFolder;
use lakesh_session::StatementContext;
use lakesh_text::failure::Failure;

use super::run::run;
use crate::evidence::TableFacts;
use crate::finding::CopyLayout;
use crate::layout::GROUP_ROWS;

/// A copy; dropping it deletes it.
pub(super) struct Copy {
    folder: ScratchFolder,
}

impl Copy {
    /// Writes a copy of a table and opens it.
    pub(super) async fn make(
        context: &StatementContext,
        table: &TableFacts,
        layout: &CopyLayout,
    ) -> Result<(Self, Arc<dyn TableSource>), Failure> {
        let failed = |error: DataFusionError| context.failure(error);
        // It goes with the session's temporary files, also when this run is broken off.
        let spill = context.session.memory().spill();
        let folder = spill.make_folder("hint-").map_err(Failure::from_error)?;
        let copy = Self { folder };
        let plan = rows_of(table, layout).map_err(failed)?;
        let schema = Arc::new(plain(plan.schema().as_arrow()));
        let mut files = Files::new(copy.folder.path().to_owned(), schema, layout);
        run(&context.state, &plan, &mut |batch| files.write(&batch))
            .await
            .map_err(failed)?;
        files.finish().map_err(failed)?;
        let path = copy.folder.path().display().to_string();
        let tables = context.table_context();
        let definition = lakesh_table::detect(&path, &tables).await?;
        let open = lakesh_table::open(&definition, TableVersion::Latest, &tables).await?;
        let source = datafusion::datasource::provider_as_source(open.provider);
        Ok((copy, source))
    }
}

/// Reads the table, in the order of the layout.
fn rows_of(table: &TableFacts, layout: &CopyLayout) -> Result<LogicalPlan, DataFusionError> {
    let mut plan = LogicalPlanBuilder::scan("copied", Arc::clone(&table.source), None)?;
    let schema = Arc::clone(&table.schema);
    let cast = schema.fields().iter().map(|field| {
        let column = ident(field.name());
        match plain_type(field.data_type()) {
            kind if kind == *field.data_type() => column,
            kind => datafusion::logical_expr::cast(column, kind).alias(field.name()),
        }
    });
    plan = plan.project(cast)?;
    if !layout.order.is_empty() {
        let order = layout
            .order
            .iter()
            .map(|name| ident(name).sort(true, false));
        plan = plan.sort(order)?;
    }
    plan.build()
}

/// Files are read with the types of their values, not with dictionaries of them.
fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => (**value).clone(),
        other => other.clone(),
    }
}

fn plain(schema: &Schema) -> Schema {
    let fields = schema.fields().iter();
    let fields: Vec<_> = fields
        .map(|field| {
            field
                .as_ref()
                .clone()
                .with_data_type(plain_type(field.data_type()))
        })
        .collect();
    Schema::new(fields)
}

/// Files that are written one after the other.
struct Files {
    folder: PathBuf,
    schema: SchemaRef,
    properties: WriterProperties,
    file_bytes: Option<u64>,
    open: Option<ArrowWriter<File>>,
    count: usize,
}

impl Files {
    fn new(folder: PathBuf, schema: SchemaRef, layout: &CopyLayout) -> Self {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(layout.group_rows.unwrap_or(GROUP_ROWS)));
        let properties = match &layout.bloom {
            Some(column) => {
                properties.set_column_bloom_filter_enabled(ColumnPath::from(column.clone()), true)
            }
            None => properties,
        };
        Self {
            folder,
            schema,
            properties: properties.build(),
            file_bytes: layout.file_bytes,
            open: None,
            count: 0,
        }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        let mut writer = match self.open.take() {
            Some(writer) => writer,
            None => {
                self.count += 1;
                let path = self.folder.join(format!("part-{:05}.parquet", self.count));
                let file = File::create(path)?;
                let schema = Arc::clone(&self.schema);
                ArrowWriter::try_new(file, schema, Some(self.properties.clone()))?
            }
        };
        writer.write(batch)?;
        let bytes = writer.bytes_written() + writer.in_progress_size();
        match self.file_bytes {
            Some(limit) if bytes as u64 >= limit => drop(writer.close()?),
            _ => self.open = Some(writer),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), DataFusionError> {
        if let Some(writer) = self.open.take() {
            writer.close()?;
        }
        Ok(())
    }
}
