//! Makes a Delta table of a folder of Parquet files, in place: only a log is written.

use datafusion::arrow::datatypes::Schema;
use deltalake::operations::convert_to_delta::ConvertToDeltaBuilder;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::delta::Source;
use super::{TableContext, TableError};
use crate::commit::PointOfNoReturn;
use crate::stored_types::stored_columns;

/// Writes the log of a new Delta table over the Parquet files at a definition's location; returns how
/// many files it has. `partitions` are the columns that the names of its folders hold.
pub async fn convert_to_delta(
    definition: &TableDefinition,
    partitions: &Schema,
    point: &PointOfNoReturn,
    context: &TableContext<'_>,
) -> Result<u64, TableError> {
    let source = Source::new(definition, context)?;
    match source.load(TableVersion::Latest, context).await {
        Err(TableError::NotDelta { .. }) => {}
        Err(error) => return Err(error),
        Ok(_) => {
            return Err(TableError::Exists {
                location: source.location.display.clone(),
            });
        }
    }
    let partitions = stored_columns(partitions)
        .map_err(|error| TableError::file(&source.location.display, error))?;
    let table = ConvertToDeltaBuilder::new()
        .with_log_store(point.guard(source.handle()?.log_store(), None))
        .with_partition_schema(partitions.fields().cloned())
        .with_commit_properties(point.commit_properties(false))
        .await
        .map_err(|error| source.failed(error))?;
    let files = table.snapshot().map_err(|error| source.failed(error))?;
    Ok(files.log_data().num_files() as u64)
}
