//! Checkpoints and protocol of a table.

use deltalake::kernel::transaction::PROTOCOL;
use deltalake::table::state::DeltaTableState;
use object_store::ObjectStoreExt;
use serde_json::Value;

use super::{Examination, Finding, Verdict};
use crate::checkpoint_interval::interval;
use crate::delta_log::{DeltaLog, LAST_CHECKPOINT, LOG_FOLDER, log_folder};
use crate::error::TableError;

pub(super) const CHECKPOINTS: &str = "checkpoints";
const PROTOCOL_CHECK: &str = "protocol";

/// So many intervals without a checkpoint are worth a word.
const LATE: u64 = 10;

/// Checks that the file which names the newest checkpoint names one that is there.
pub(super) async fn checkpoints(
    examination: &mut Examination<'_>,
    log: &DeltaLog,
    state: Option<&DeltaTableState>,
) {
    let source = examination.source;
    let path = log_folder(&source.location.base).join(LAST_CHECKPOINT);
    let named = match source.store.get(&path).await {
        Ok(got) => got.bytes().await.ok(),
        Err(_) => None,
    };
    let named = named.and_then(|bytes| {
        let hint: Value = serde_json::from_slice(&bytes).ok()?;
        hint["version"].as_u64()
    });
    if let Some(version) = named
        && !log.checkpoint_versions().contains(&version)
    {
        // No reader that begins with this file finds its way, ours among them; without it they list the log.
        let remedy = format!("delete `{LOG_FOLDER}/{LAST_CHECKPOINT}` in the table's folder");
        let text =
            format!("`{LAST_CHECKPOINT}` names the checkpoint of version {version}, which is gone");
        examination.find(
            Finding::new(CHECKPOINTS, Verdict::Error, text)
                .version(version)
                .remedy(remedy),
        );
    }
    let since = log
        .checkpoint_versions()
        .last()
        .map_or(0, |version| version + 1);
    let commits = log
        .commit_versions()
        .filter(|version| *version >= since)
        .count() as u64;
    if commits > LATE.saturating_mul(interval(state)) {
        let remedy = format!("CHECKPOINT {}", examination.shown);
        let text =
            format!("{commits} commits are read each time, since no checkpoint stands for them");
        examination.find(Finding::new(CHECKPOINTS, Verdict::Warning, text).remedy(remedy));
    }
    examination.close(
        CHECKPOINTS,
        format!("{commits} commits since the newest checkpoint"),
    );
}

/// Says why the newest version cannot be read.
pub(super) fn unreadable(examination: &mut Examination<'_>, error: TableError) {
    let check = match &error {
        TableError::Features { .. } => PROTOCOL_CHECK,
        _ => "log",
    };
    let remedy = match &error {
        TableError::Features { .. } => "read the table with a program that knows the feature",
        _ => "bring the log's files back from a copy",
    };
    examination.find(Finding::new(check, Verdict::Error, error.to_string()).remedy(remedy));
}

/// Says which protocol the table has, and whether it can be written.
pub(super) fn protocol(examination: &mut Examination<'_>, state: &DeltaTableState) {
    let snapshot = state.snapshot();
    let mapping = snapshot
        .metadata()
        .configuration()
        .get("delta.columnMapping.mode");
    examination.maps_columns = mapping.is_some_and(|mode| mode != "none");
    let protocol = serde_json::to_value(snapshot.protocol()).unwrap_or_default();
    let number = |name: &str| protocol[name].as_i64().unwrap_or_default();
    let text = format!(
        "it needs reader version {} and writer version {}",
        number("minReaderVersion"),
        number("minWriterVersion")
    );
    let finding = match PROTOCOL.can_write_to(snapshot) {
        Ok(()) => Finding::new(PROTOCOL_CHECK, Verdict::Ok, text),
        Err(error) => Finding::new(
            PROTOCOL_CHECK,
            Verdict::Note,
            format!("{text}; it can be read and not written: {error}"),
        ),
    };
    examination.find(finding);
}
