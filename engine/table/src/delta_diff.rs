//! What differs between two versions of a Delta table: the files of one that the other has not.
//!
//! A file that both have, with the same deletion vector, holds the same rows and is not read.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use deltalake::DeltaTable;
use futures::TryStreamExt;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::TableContext;
use super::delta::Source;
use super::delta_mapping::check_names;
use super::delta_scan::{DeltaScan, Files};
use super::error::TableError;
use super::own_paths::check_paths;
use crate::commit::FileKey;

/// Two versions of a table, as far as they differ.
pub struct Difference {
    /// The earlier version.
    pub from: Side,
    /// The later version.
    pub to: Side,
    /// How many files both have.
    pub same_files: u64,
}

/// One of two versions.
pub struct Side {
    /// Its number.
    pub version: u64,
    /// The rows of the files that the other version has not.
    pub rows: Arc<dyn TableProvider>,
    /// How many files those are.
    pub files: u64,
    /// The properties of the table at that version.
    pub properties: BTreeMap<String, String>,
}

/// Opens what differs between two versions.
pub async fn delta_difference(
    definition: &TableDefinition,
    from: TableVersion,
    to: TableVersion,
    context: &TableContext<'_>,
) -> Result<Difference, TableError> {
    let source = Source::new(definition, context)?;
    let from = source.load(from, context).await?;
    let to = source.load(to, context).await?;
    let from_keys = keys(&source, &from).await?;
    let to_keys = keys(&source, &to).await?;
    let same_files = from_keys.intersection(&to_keys).count() as u64;
    Ok(Difference {
        from: side(&source, &from, &to_keys, context).await?,
        to: side(&source, &to, &from_keys, context).await?,
        same_files,
    })
}

async fn keys(source: &Source, table: &DeltaTable) -> Result<HashSet<FileKey>, TableError> {
    let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
    let log_store = table.log_store();
    snapshot
        .snapshot()
        .file_views(log_store.as_ref(), None)
        .map_ok(|file| FileKey::of_view(&file))
        .try_collect()
        .await
        .map_err(|error| source.failed(error))
}

async fn side(
    source: &Source,
    table: &DeltaTable,
    other: &HashSet<FileKey>,
    context: &TableContext<'_>,
) -> Result<Side, TableError> {
    check_paths(source, table, context)?;
    check_names(source, table, &context.cache.checked_files).await?;
    table
        .update_datafusion_session(&**context.state)
        .map_err(|error| source.failed(error))?;
    let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
    let log_store = table.log_store();
    let files = snapshot
        .snapshot()
        .file_views(log_store.as_ref(), None)
        .try_fold(Files::default(), |mut files, file| {
            if !other.contains(&FileKey::of_view(&file)) {
                files.push(file);
            }
            std::future::ready(Ok(files))
        })
        .await
        .map_err(|error| source.failed(error))?;
    let rows = DeltaScan::of_files(source, table, &files, context)?;
    let properties = snapshot.snapshot().metadata().configuration();
    Ok(Side {
        version: table.version().unwrap_or_default(),
        rows: Arc::new(rows),
        files: files.len() as u64,
        properties: properties
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    })
}
