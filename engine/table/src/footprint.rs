//! How many files a table has and how many bytes they take, from its log or from a listing.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::location::Location;
use super::{TableContext, delta_detail, listing, store};

/// What a table takes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    pub files: u64,
    pub bytes: u64,
}

/// Measures a table.
pub async fn footprint(
    definition: &TableDefinition,
    version: TableVersion,
    context: &TableContext<'_>,
) -> Result<Footprint, TableError> {
    if definition.is_delta() {
        let detail = delta_detail(definition, version, "", context).await?;
        let number = |column: &str| {
            let column = detail.column_by_name(column)?;
            let value = column.as_primitive_opt::<Int64Type>()?.value(0);
            u64::try_from(value).ok()
        };
        return Ok(Footprint {
            files: number("numFiles").unwrap_or_default(),
            bytes: number("sizeInBytes").unwrap_or_default(),
        });
    }
    let mut footprint = Footprint::default();
    for text in &definition.locations {
        let location = Location::parse(text, context)?;
        let store = store::connect(&location, &definition.options, context)?;
        for file in listing::list(&location, store.as_ref()).await? {
            footprint.files += 1;
            footprint.bytes += file.meta.size;
        }
    }
    Ok(footprint)
}
