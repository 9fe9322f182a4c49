//! Files in a table's folder that no version needs, half-written ones of killed writers among them.

use std::collections::HashSet;

use chrono::TimeDelta;
use deltalake::DeltaTable;
use deltalake::table::config::TablePropertiesExt;
use futures::TryStreamExt;

use super::files::Listing;
use super::log::Commits;
use super::vectors::{VectorFile, vector_file};
use super::{Examination, Finding, Verdict};
use crate::delta_log::LOG_FOLDER;
use crate::error::TableError;
use crate::links::Folder;
use crate::maintain::hours_text;
use crate::staged::staged_files;

const CHECK: &str = "orphans";

/// The folder of change data, which is the table's although its name begins as those of hidden ones.
const CHANGE_DATA: &str = "_change_data/";

/// Finds files that neither the newest version nor an older one names.
pub(super) async fn check(
    examination: &mut Examination<'_>,
    table: &DeltaTable,
    commits: &Commits,
    listing: &Listing,
) -> Result<(), TableError> {
    let source = examination.source;
    let state = table.snapshot().map_err(|error| source.failed(error))?;
    let log_store = table.log_store();
    let mut needed: HashSet<String> = commits.named.iter().map(|path| place(path)).collect();
    let tombstones = state
        .all_tombstones(log_store.as_ref())
        .map_ok(|file| place(&file.path()));
    let tombstones: Vec<String> = tombstones
        .try_collect()
        .await
        .map_err(|error| source.failed(error))?;
    needed.extend(tombstones);
    for file in state.log_data().iter() {
        needed.insert(file.object_store_path().to_string());
        if let Some(VectorFile::Below(path)) =
            file.deletion_vector_descriptor().as_ref().map(vector_file)
        {
            needed.insert(path);
        }
    }
    let retention = state
        .snapshot()
        .table_properties()
        .deleted_file_retention_duration();
    let retention = TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX);
    let remedy = format!(
        "VACUUM {} deletes it once it is older than {}; until then a writer may be at it",
        examination.shown,
        hours_text(retention)
    );
    let folder = source.location.local_path().map(Folder::new);
    let mut unknown: Vec<(&String, &u64)> = listing
        .iter()
        .filter(|(path, _)| !is_hidden(path) && !needed.contains(*path))
        // Commits before the first that can be read may name change data; links lead to what is not here.
        .filter(|(path, _)| commits.first == 0 || !path.starts_with(CHANGE_DATA))
        .filter(|(path, _)| !folder.as_ref().is_some_and(|folder| folder.links(path)))
        .collect();
    unknown.sort_unstable();
    for (path, bytes) in unknown {
        let text = format!("no version names the file; it takes {bytes} bytes");
        examination.find(
            Finding::new(CHECK, Verdict::Note, text)
                .file(path)
                .remedy(&remedy),
        );
    }
    let local = source.location.local_path();
    for staged in local.iter().flat_map(|folder| staged_files(folder)) {
        let text = format!(
            "a writer has not finished the file, or was killed; it takes {} bytes",
            staged.bytes
        );
        examination.find(
            Finding::new(CHECK, Verdict::Note, text)
                .file(&staged.name)
                .remedy(&remedy),
        );
    }
    Ok(())
}

/// Writes a path of the log as a listing does.
fn place(path: &str) -> String {
    use object_store::path::Path as ObjectPath;
    ObjectPath::parse(path)
        .unwrap_or_else(|_| ObjectPath::from(path))
        .to_string()
}

/// Says whether readers of the folder do not look at a file: the log's, and what other programs keep there.
///
/// Old deletion vectors are not told from unknown ones, since the versions that need them are not read.
fn is_hidden(path: &str) -> bool {
    if path.starts_with(CHANGE_DATA) {
        return false;
    }
    let hidden = |part: &str| part.starts_with('_') || part.starts_with('.');
    path.starts_with(LOG_FOLDER)
        || path
            .split('/')
            .any(|part| hidden(part) && !part.contains('='))
        || path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("deletion_vector_"))
}
