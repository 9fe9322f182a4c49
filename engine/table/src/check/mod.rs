//! CHECK TABLE: whether a Delta table is what its log says, with a verdict and a remedy for each finding.
//!
//! It reads the log, a listing of the folder and the footers of the newest version's files; rows are not
//! read. It changes nothing; what can be repaired safely is in `repair`.

mod bounds;
mod doubled;
mod files;
mod log;
mod orphans;
mod repair;
mod state;
mod vectors;

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use deltalake::DeltaTable;
use deltalake::kernel::LogicalFileView;
use futures::TryStreamExt;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::TableContext;
use super::delta::Source;
use super::delta_log::LOG_FOLDER;
use super::error::TableError;
use crate::commit::FileKey;
use files::Listing;
use log::Commits;
use repair::Repair;

pub use repair::{RepairReport, RepairStep, RepairTable, repair_steps};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Note,
    Warning,
    Error,
}

impl Verdict {
    fn as_text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One row of what a check says.
#[derive(Debug, Clone)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    version: Option<u64>,
    file: Option<String>,
    text: String,
    remedy: Option<String>,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            version: None,
            file: None,
            text: text.into(),
            remedy: None,
        }
    }

    fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    fn file(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    fn remedy(mut self, remedy: impl AsRef<str>) -> Self {
        self.remedy = Some(remedy.as_ref().to_owned());
        self
    }
}

/// What was found about a table, and what of it can be repaired.
struct Examination<'a> {
    source: &'a Source,
    /// What the user calls the table, as it stands in a statement.
    shown: String,
    findings: Vec<Finding>,
    repairs: Vec<Repair>,
    /// The newest version, if it could be loaded.
    version: Option<u64>,
    /// How many files that version has.
    files: usize,
    /// Whether the table may have files outside of its folder.
    outside_files: bool,
    /// Whether names of columns in files and statistics are not the table's.
    maps_columns: bool,
}

impl Examination<'_> {
    fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Says that a check found nothing wrong, unless it did.
    fn close(&mut self, check: &'static str, text: impl Into<String>) {
        if !self.findings.iter().any(|finding| finding.check == check) {
            self.find(Finding::new(check, Verdict::Ok, text));
        }
    }

    fn restore_remedy(&self) -> String {
        format!("RESTORE TABLE {} to a version that is whole", self.shown)
    }
}

/// Returns the columns of what a check says.
pub fn check_schema() -> SchemaRef {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("check", false),
        text("verdict", false),
        Field::new("version", DataType::Int64, true),
        text("file", true),
        text("finding", false),
        text("remedy", true),
    ]))
}

/// Checks a table; `shown` is what the user calls it.
pub async fn check_delta(
    definition: &TableDefinition,
    shown: &str,
    context: &TableContext<'_>,
) -> Result<RecordBatch, TableError> {
    let source = Source::new(definition, context)?;
    let examination = examine(&source, shown, context).await?;
    batch(&examination.findings).map_err(|error| TableError::file(&source.location.display, error))
}

/// Runs every check that can be run.
async fn examine<'a>(
    source: &'a Source,
    shown: &str,
    context: &TableContext<'_>,
) -> Result<Examination<'a>, TableError> {
    // A check changes nothing, not even what a reader may.
    let context = &TableContext {
        keeps_checkpoints: false,
        ..*context
    };
    let log = source.log().await?;
    let mut examination = Examination {
        source,
        shown: shown.to_owned(),
        findings: Vec::new(),
        repairs: Vec::new(),
        version: None,
        files: 0,
        outside_files: context.outside_files,
        maps_columns: false,
    };
    let mut commits = log::read(source, &log, &mut examination.findings).await;
    let read = format!("versions {} to {} can be read", commits.first, commits.last);
    examination.close("log", read);
    let table = match source.load(TableVersion::Latest, context).await {
        Ok(table) => table,
        Err(error) => {
            state::checkpoints(&mut examination, &log, None).await;
            state::unreadable(&mut examination, error);
            return Ok(examination);
        }
    };
    state::checkpoints(&mut examination, &log, table.snapshot().ok()).await;
    examination.version = table.version();
    let live: Vec<LogicalFileView> = {
        let state = table.snapshot().map_err(|error| source.failed(error))?;
        state::protocol(&mut examination, state);
        state.log_data().iter().collect()
    };
    examination.files = live.len();
    if commits.complete {
        check_commits(&mut examination, context, &mut commits, &live).await?;
    }
    let listing = list(source, &table).await?;
    let count = live.len();
    files::check(&mut examination, &table, live, &commits.files, &listing).await;
    for check in files::CHECKS {
        examination.close(check, format!("right for all {count} files"));
    }
    orphans::check(&mut examination, &table, &commits, &listing).await?;
    examination.close("orphans", "every file in the folder belongs to the table");
    Ok(examination)
}

/// Looks for rows that stand in the table twice, and compares what the commits add up to with what the
/// library made of checkpoint and commits.
async fn check_commits(
    examination: &mut Examination<'_>,
    context: &TableContext<'_>,
    commits: &mut Commits,
    live: &[LogicalFileView],
) -> Result<(), TableError> {
    let source = examination.source;
    let mut start = HashSet::new();
    if commits.first > 0 {
        let first = source
            .load(TableVersion::Number(commits.first), context)
            .await?;
        let first = first.snapshot().map_err(|error| source.failed(error))?;
        for file in first.log_data().iter() {
            start.insert(commits.files.id(FileKey::of_view(&file)));
        }
    }
    let (doublings, summed) = doubled::find(commits, start);
    for doubling in &doublings {
        let repair = match doubling.can_be_undone() {
            true => repair::undo(source, context, doubling, commits, live).await?,
            false => None,
        };
        let finding = doubling.finding(commits, &examination.shown, repair.is_some());
        examination.find(finding);
        examination.repairs.extend(repair);
    }
    let (first, last) = (commits.first, commits.last);
    examination.close(
        doubled::CHECK,
        format!("no commit of versions {first} to {last} replaced files that were gone"),
    );
    let summed: HashSet<&FileKey> = summed.iter().map(|id| commits.files.key(*id)).collect();
    let loaded: HashSet<FileKey> = live.iter().map(FileKey::of_view).collect();
    if summed.len() != loaded.len() || !loaded.iter().all(|file| summed.contains(file)) {
        let text = format!(
            "the newest version has {} files, and {} by the commits since version {first}",
            loaded.len(),
            summed.len()
        );
        examination.find(
            Finding::new(state::CHECKPOINTS, Verdict::Error, text).remedy(
                "a checkpoint contradicts the commits: move the newest one out of `_delta_log` and \
                 check again",
            ),
        );
    }
    Ok(())
}

/// Lists every file below the table's folder, the log's left out.
async fn list(source: &Source, table: &DeltaTable) -> Result<Listing, TableError> {
    let store = table.object_store();
    store
        .list(None)
        .try_filter(|file| {
            let is_log = file
                .location
                .parts()
                .next()
                .is_some_and(|part| part.as_ref() == LOG_FOLDER);
            std::future::ready(!is_log)
        })
        .map_ok(|file| (file.location.to_string(), file.size))
        .try_collect()
        .await
        .map_err(|error| TableError::store(&source.location.display, error))
}

fn batch(findings: &[Finding]) -> Result<RecordBatch, DataFusionError> {
    let texts = |text: fn(&Finding) -> Option<&str>| -> ArrayRef {
        Arc::new(findings.iter().map(text).collect::<StringArray>())
    };
    let versions: Int64Array = findings
        .iter()
        .map(|finding| {
            finding
                .version
                .and_then(|version| i64::try_from(version).ok())
        })
        .collect();
    let columns: Vec<ArrayRef> = vec![
        texts(|finding| Some(finding.check)),
        texts(|finding| Some(finding.verdict.as_text())),
        Arc::new(versions),
        texts(|finding| finding.file.as_deref()),
        texts(|finding| Some(&finding.text)),
        texts(|finding| finding.remedy.as_deref()),
    ];
    Ok(RecordBatch::try_new(check_schema(), columns)?)
}
