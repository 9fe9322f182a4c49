//! The change data feed of a Delta table: the rows that each commit inserted, deleted and updated.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use deltalake::DeltaTableError;
use deltalake::delta_datafusion::DeltaCdfTableProvider;
use deltalake::table::config::TablePropertiesExt;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::TableContext;
use super::delta::Source;
use super::error::TableError;
use super::own_paths::check_paths;

/// Opens the changes from one version to another, both included; without an end, to the newest.
///
/// A moment stands for the first version from then on at the begin, and for the last one until then at
/// the end.
pub async fn delta_feed(
    definition: &TableDefinition,
    from: TableVersion,
    to: TableVersion,
    context: &TableContext<'_>,
) -> Result<Arc<dyn TableProvider>, TableError> {
    let source = Source::new(definition, context)?;
    let end = source.load(to, context).await?;
    check_paths(&source, &end, context)?;
    let last = end.version().unwrap_or_default();
    let first = match from {
        TableVersion::Timestamp(moment) => {
            let log = source.log().await?;
            let times = log.times(&source.location, &source.store).await?;
            let first = times.iter().find(|(_, time)| *time >= moment);
            // After the last commit there are no changes, as there are none in an empty range.
            first.map_or(last + 1, |(version, _)| *version)
        }
        from => source
            .load(from, context)
            .await?
            .version()
            .unwrap_or_default(),
    };
    if first > last {
        return Err(TableError::EmptyRange {
            location: source.location.display.clone(),
            first,
            last,
        });
    }
    let begin = source.load(TableVersion::Number(first), context).await?;
    let recorded = begin
        .snapshot()
        .map_err(|error| source.failed(error))?
        .snapshot()
        .table_properties()
        .enable_change_data_feed();
    let no_feed = |version| TableError::NoFeed {
        location: source.location.display.clone(),
        version,
    };
    if !recorded {
        return Err(no_feed(first));
    }
    end.update_datafusion_session(&**context.state)
        .map_err(|error| source.failed(error))?;
    let feed = end
        .scan_cdf()
        .with_starting_version(first)
        .with_ending_version(last);
    match DeltaCdfTableProvider::try_new(feed) {
        Ok(feed) => Ok(Arc::new(feed)),
        Err(
            DeltaTableError::ChangeDataNotRecorded { version, .. }
            | DeltaTableError::ChangeDataNotEnabled { version },
        ) => Err(no_feed(version)),
        Err(error) => Err(source.failed(error)),
    }
}
