//! REPAIR TABLE: one commit that makes the log say what the files are, where that is safe.
//!
//! It never writes or deletes a data file. Files that are gone leave the log, as Databricks' FSCK REPAIR
//! TABLE does it; a commit that doubled rows is taken back; sizes, counts and bounds that are false are
//! set right. Everything else needs a person, and CHECK TABLE says what to do.

use std::collections::HashSet;

use async_trait::async_trait;
use deltalake::kernel::transaction::{CommitBuilder, TableReference};
use deltalake::kernel::{Action, Add, LogicalFileView, Remove};
use deltalake::protocol::DeltaOperation;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use object_store::ObjectStoreExt;

use super::doubled::Doubling;
use super::log::Commits;
use super::{Examination, examine};
use crate::TableContext;
use crate::commit::FileKey;
use crate::delta::Source;
use crate::error::TableError;
use crate::maintain::{Maintained, Maintenance, version_of};

/// One thing that a repair does.
#[derive(Debug, Clone)]
pub(super) struct Repair {
    version: Option<u64>,
    file: Option<String>,
    text: String,
    removes: Vec<Remove>,
    adds: Vec<Add>,
}

/// What a repair does, as a user sees it.
#[derive(Debug, Clone)]
pub struct RepairStep {
    /// The version whose commit is taken back.
    pub version: Option<u64>,
    /// The file that it is about.
    pub file: Option<String>,
    /// What it does, in words.
    pub text: String,
}

impl Repair {
    /// Takes a file that is gone out of the log.
    pub(super) fn forget(file: &LogicalFileView) -> Self {
        Self {
            version: None,
            file: Some(file.path().into_owned()),
            text: "the file is gone: take it out of the log, and its rows with it".to_owned(),
            removes: vec![file.remove_action(true)],
            adds: Vec::new(),
        }
    }

    /// Sets size and count of a file right, and leaves its bounds out.
    pub(super) fn correct(file: &LogicalFileView, bytes: u64, rows: u64) -> Self {
        let mut add = add_of(file);
        add.size = i64::try_from(bytes).unwrap_or(i64::MAX);
        add.stats = Some(format!("{{\"numRecords\":{rows}}}"));
        add.data_change = false;
        Self {
            version: None,
            file: Some(add.path.clone()),
            text: format!(
                "set the file's size to {bytes} bytes and its count to {rows} rows, without bounds"
            ),
            removes: Vec::new(),
            adds: vec![add],
        }
    }

    pub(super) fn step(&self) -> RepairStep {
        RepairStep {
            version: self.version,
            file: self.file.clone(),
            text: self.text.clone(),
        }
    }
}

/// Takes back a commit that doubled rows: its files leave, and those come back that it took.
///
/// The files must be those of the newest version and of the one before the commit.
pub(super) async fn undo(
    source: &Source,
    context: &TableContext<'_>,
    doubling: &Doubling<'_>,
    commits: &Commits,
    newest: &[LogicalFileView],
) -> Result<Option<Repair>, TableError> {
    let keys = |files: &[usize]| -> HashSet<FileKey> {
        files
            .iter()
            .map(|id| commits.files.key(*id).clone())
            .collect()
    };
    let (copies, taken) = (keys(doubling.copies()), keys(&doubling.taken));
    let removes: Vec<Remove> = newest
        .iter()
        .filter(|file| copies.contains(&FileKey::of_view(file)))
        .map(|file| file.remove_action(true))
        .collect();
    let mut adds = Vec::new();
    if !taken.is_empty() {
        let before = TableVersion::Number(doubling.version().saturating_sub(1));
        let before = source.load(before, context).await?;
        let before = before.snapshot().map_err(|error| source.failed(error))?;
        let store = source.handle()?.object_store();
        let files = before.log_data();
        let files: Vec<LogicalFileView> = files
            .iter()
            .filter(|file| taken.contains(&FileKey::of_view(file)))
            .collect();
        for file in files {
            // VACUUM may have deleted it, and then the commit cannot be taken back.
            if store.head(&file.object_store_path()).await.is_err() {
                return Ok(None);
            }
            adds.push(add_of(&file));
        }
    }
    if removes.len() != copies.len() || adds.len() != taken.len() {
        return Ok(None);
    }
    let version = doubling.version();
    let rows = commits.files.rows_of(doubling.copies());
    let rows = rows.map_or_else(|| "its rows".to_owned(), |rows| format!("{rows} rows"));
    let text = match adds.len() {
        0 => format!("take back version {version}, which wrote {rows} a second time"),
        count => format!(
            "take back version {version}, which wrote rows a second time: its {} files with {rows} \
             leave, and {count} files that it replaced come back",
            removes.len()
        ),
    };
    Ok(Some(Repair {
        version: Some(version),
        file: None,
        text,
        removes,
        adds,
    }))
}

/// Writes a file of a snapshot as an action that adds it.
fn add_of(file: &LogicalFileView) -> Add {
    // What the library offers in its place leaves the crate's public interface.
    #[allow(deprecated)]
    file.add_action()
}

/// Lists what REPAIR TABLE would do.
pub async fn repair_steps(
    definition: &TableDefinition,
    shown: &str,
    context: &TableContext<'_>,
) -> Result<Vec<RepairStep>, TableError> {
    let source = Source::new(definition, context)?;
    let examination = examine(&source, shown, context).await?;
    safe(&examination)?;
    Ok(examination.repairs.iter().map(Repair::step).collect())
}

/// Refuses a repair that would empty a table, as one whose disk is not mounted.
fn safe(examination: &Examination<'_>) -> Result<(), TableError> {
    let gone = examination
        .repairs
        .iter()
        .filter(|repair| repair.adds.is_empty() && repair.version.is_none());
    if examination.files > 0 && gone.count() == examination.files {
        return Err(TableError::NothingLeft {
            location: examination.source.location.display.clone(),
        });
    }
    Ok(())
}

/// Puts what repairs do into actions, each file once: what leaves is not set right before.
fn actions(repairs: Vec<Repair>) -> (Vec<Action>, Vec<Action>) {
    let mut removed = HashSet::new();
    let mut removes = Vec::new();
    let mut adds = Vec::new();
    for repair in repairs {
        for file in repair.removes {
            if removed.insert(FileKey::of_remove(&file)) {
                removes.push(Action::Remove(file));
            }
        }
        adds.extend(repair.adds);
    }
    adds.retain(|file| !removed.contains(&FileKey::of_add(file)));
    (removes, adds.into_iter().map(Action::Add).collect())
}

/// Makes the log say what the files are.
#[derive(Debug, Clone)]
pub struct RepairTable {
    /// What the user calls the table.
    pub shown: String,
}

/// What a repair did.
pub struct RepairReport {
    /// How many files were taken out of the log.
    pub removed: u64,
    /// How many files were put into it.
    pub added: u64,
    /// The version that it made.
    pub version: u64,
}

#[async_trait]
impl Maintenance for RepairTable {
    type Report = RepairReport;

    async fn run(&self, table: &Maintained<'_>) -> Result<RepairReport, TableError> {
        let examination = examine(table.source(), &self.shown, table.context()).await?;
        safe(&examination)?;
        let newest = table.guarded().await?;
        let version = version_of(&newest);
        if examination.repairs.is_empty() {
            return Ok(RepairReport {
                removed: 0,
                added: 0,
                version,
            });
        }
        if Some(version) != examination.version {
            // What was found may be right by now.
            return Err(table.overtaken(version));
        }
        let (removes, adds) = actions(examination.repairs);
        let report = (removes.len() as u64, adds.len() as u64);
        let state = newest.snapshot().map_err(|error| table.failed(error))?;
        let committed = CommitBuilder::from(table.commit())
            .with_operation_id(table.point().operation())
            .with_actions(removes.into_iter().chain(adds).collect())
            .build(
                Some(state.snapshot() as &dyn TableReference),
                newest.log_store(),
                DeltaOperation::FileSystemCheck {},
            )
            .await
            .map_err(|error| table.failed(error))?;
        Ok(RepairReport {
            removed: report.0,
            added: report.1,
            version: committed.version(),
        })
    }
}
