//! The files of the newest version: all there, of the size and with the rows that the log says.

use std::collections::HashMap;

use datafusion::parquet::file::metadata::ParquetMetaData;
use deltalake::DeltaTable;
use deltalake::kernel::{DeletionVectorDescriptor, LogicalFileView};
use futures::{FutureExt, StreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::bounds::false_bound;
use super::log::Files;
use super::repair::Repair;
use super::vectors::{VectorFile, vector_file};
use super::{Examination, Finding, Verdict};
use crate::commit::FileKey;
use crate::own_paths::{Boundary, vector_path};
use crate::parquet_metadata::read_footer;

/// How many footers are read at a time.
const READS: usize = 16;

const PATHS: &str = "paths";
const FILES: &str = "files";
const SIZES: &str = "sizes";
const FOOTERS: &str = "footers";
const STATISTICS: &str = "statistics";
const VECTORS: &str = "deletion vectors";

/// The checks of this file, in the order in which they are reported.
pub(super) const CHECKS: &[&str] = &[PATHS, FILES, SIZES, FOOTERS, STATISTICS, VECTORS];

/// Every file below the table's folder with its size, by its path in it.
pub(super) type Listing = HashMap<String, u64>;

/// What the log says of a file.
struct Claimed {
    file: LogicalFileView,
    path: String,
    place: ObjectPath,
    bytes: u64,
    rows: Option<u64>,
    vector: Option<DeletionVectorDescriptor>,
    /// Whether the log has no statistics of it that could be read, and something in their place.
    has_broken_statistics: bool,
}

impl Claimed {
    fn of(file: LogicalFileView, named: &Files) -> Self {
        Self {
            has_broken_statistics: named.has_broken_statistics(&FileKey::of_view(&file)),
            path: file.path().into_owned(),
            place: file.object_store_path(),
            bytes: u64::try_from(file.size()).unwrap_or_default(),
            rows: file.num_records().map(|rows| rows as u64),
            vector: file.deletion_vector_descriptor(),
            file,
        }
    }
}

/// Looks at each file of a table.
pub(super) async fn check(
    examination: &mut Examination<'_>,
    table: &DeltaTable,
    files: Vec<LogicalFileView>,
    named: &Files,
    listing: &Listing,
) {
    let store = table.object_store();
    let boundary = Boundary::of(examination.source);
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut footers = Vec::new();
    for file in files.into_iter().map(|file| Claimed::of(file, named)) {
        *seen.entry(file.path.clone()).or_default() += 1;
        let vector = file.vector.as_ref().and_then(vector_path);
        let outside = [Some(file.path.as_str()), vector]
            .into_iter()
            .flatten()
            .find(|path| boundary.is_crossed_by(path));
        match outside {
            // Files of a shallow clone are another table's to check.
            Some(_) if examination.outside_files => {}
            Some(path) => {
                let text =
                    format!("the log names `{path}`, which lies outside of the table's folder");
                examination.find(
                    Finding::new(PATHS, Verdict::Error, text)
                        .file(&file.path)
                        .remedy(
                            "`SET lakesh.outside_files = true` reads it, if the table is meant to be \
                             a shallow clone; else do not trust who wrote the table",
                        ),
                );
            }
            None => footers.push(file),
        }
    }
    for (path, times) in seen.into_iter().filter(|(_, times)| *times > 1) {
        let text = format!("the file is in the table {times} times, with other deletion vectors");
        let remedy = examination.restore_remedy();
        examination.find(
            Finding::new(FILES, Verdict::Error, text)
                .file(&path)
                .remedy(remedy),
        );
    }
    let mut looked_at = futures::stream::iter(footers)
        .map(|file| look_at(store.as_ref(), file, listing).boxed())
        .buffered(READS);
    while let Some(looked_at) = looked_at.next().await {
        report(examination, looked_at, listing);
    }
}

/// A file as it is.
struct LookedAt {
    claimed: Claimed,
    /// Its size; an error says why it could not be looked at, and none that it is gone.
    bytes: Result<Option<u64>, String>,
    footer: Option<Result<ParquetMetaData, String>>,
}

async fn look_at(store: &dyn ObjectStore, claimed: Claimed, listing: &Listing) -> LookedAt {
    let bytes = match listing.get(claimed.place.as_ref()) {
        Some(bytes) => Ok(Some(*bytes)),
        // A listing may be older than the log, and behind links it sees nothing.
        None => match store.head(&claimed.place).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        },
    };
    let footer = match bytes {
        Ok(Some(bytes)) => {
            let footer = read_footer(store, &claimed.place, bytes).await;
            Some(footer.map_err(|error| error.to_string()))
        }
        _ => None,
    };
    LookedAt {
        claimed,
        bytes,
        footer,
    }
}

fn report(examination: &mut Examination<'_>, looked_at: LookedAt, listing: &Listing) {
    let claimed = looked_at.claimed;
    let path = claimed.path.clone();
    let bytes = match looked_at.bytes {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let remedy = format!(
                "bring the file back from a copy, or give its rows up: REPAIR TABLE {}",
                examination.shown
            );
            let finding = Finding::new(FILES, Verdict::Error, "the file is gone");
            examination.find(finding.file(&path).remedy(remedy));
            examination.repairs.push(Repair::forget(&claimed.file));
            return;
        }
        Err(problem) => {
            let text = format!("the file cannot be looked at: {problem}");
            examination.find(Finding::new(FILES, Verdict::Error, text).file(&path));
            return;
        }
    };
    let has_other_size = bytes != claimed.bytes;
    let repair = format!("REPAIR TABLE {}", examination.shown);
    let footer = match looked_at.footer {
        Some(Ok(footer)) => footer,
        Some(Err(problem)) => {
            let mut text = format!("the file is no readable Parquet: {problem}");
            if has_other_size {
                text.push_str(&format!(
                    "; it has {bytes} bytes and {} by the log",
                    claimed.bytes
                ));
            }
            let remedy = examination.restore_remedy();
            examination.find(
                Finding::new(FOOTERS, Verdict::Error, text)
                    .file(&path)
                    .remedy(format!("bring the file back from a copy, or {remedy}")),
            );
            return;
        }
        None => return,
    };
    let rows = footer_rows(&footer);
    let has_other_rows = claimed.rows.is_some_and(|claimed| claimed != rows);
    let is_safe = !(has_other_size && has_other_rows);
    let remedy = match is_safe {
        true => repair.clone(),
        false => format!(
            "this is not the file that was written; bring that back from a copy, or {}",
            examination.restore_remedy()
        ),
    };
    if has_other_size {
        let text = format!(
            "the file has {bytes} bytes and {} by the log",
            claimed.bytes
        );
        examination.find(
            Finding::new(SIZES, Verdict::Error, text)
                .file(&path)
                .remedy(&remedy),
        );
    }
    if has_other_rows {
        let text = format!(
            "the file holds {rows} rows and {} by the log",
            claimed.rows.unwrap_or_default()
        );
        examination.find(
            Finding::new(STATISTICS, Verdict::Error, text)
                .file(&path)
                .remedy(&remedy),
        );
    }
    let bound = match examination.maps_columns {
        true => None,
        false => false_bound(&claimed.file, &footer),
    };
    if let Some(text) = &bound {
        examination.find(
            Finding::new(STATISTICS, Verdict::Error, text.as_str())
                .file(&path)
                .remedy(&remedy),
        );
    }
    if claimed.has_broken_statistics {
        let text =
            "the file's statistics in the log are no JSON of statistics, and are read as none";
        examination.find(
            Finding::new(STATISTICS, Verdict::Warning, text)
                .file(&path)
                .remedy(&remedy),
        );
    }
    if let Some(vector) = &claimed.vector {
        check_vector(examination, &path, vector, rows, listing);
    }
    let is_false =
        has_other_size || has_other_rows || bound.is_some() || claimed.has_broken_statistics;
    if is_safe && is_false {
        let repair = Repair::correct(&claimed.file, bytes, rows);
        examination.repairs.push(repair);
    }
}

fn footer_rows(footer: &ParquetMetaData) -> u64 {
    let groups = footer.row_groups().iter();
    groups
        .map(|group| u64::try_from(group.num_rows()).unwrap_or_default())
        .sum()
}

fn check_vector(
    examination: &mut Examination<'_>,
    path: &str,
    vector: &DeletionVectorDescriptor,
    rows: u64,
    listing: &Listing,
) {
    let deleted = u64::try_from(vector.cardinality).unwrap_or_default();
    let problem = match vector_file(vector) {
        _ if deleted > rows => Some(format!(
            "its deletion vector takes out {deleted} of {rows} rows"
        )),
        VectorFile::Below(file) if !listing.contains_key(&file) => {
            Some(format!("its deletion vector `{file}` is gone"))
        }
        VectorFile::Unreadable => Some("its deletion vector has no valid name".to_owned()),
        VectorFile::Below(_) | VectorFile::Elsewhere | VectorFile::Inline => None,
    };
    if let Some(problem) = problem {
        let remedy = examination.restore_remedy();
        let remedy = format!("bring the deletion vector back from a copy, or {remedy}");
        examination.find(
            Finding::new(VECTORS, Verdict::Error, problem)
                .file(path)
                .remedy(remedy),
        );
    }
}
