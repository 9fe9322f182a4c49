//! Settings that change what statements do, not how their results are shown.

use chrono::{DateTime, Utc};

use super::hints::HintSettings;

/// What SHOW says of `lakesh.as_of` where it is not set.
pub(super) const LATEST: &str = "latest";

/// So many statements are kept where nothing else is set.
const QUERY_HISTORY: usize = 1000;

/// Settings that change what statements do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// The moment that every Delta table of the session is at; `None` is the newest version.
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Whether tables without a history are refused while `as_of` is set.
    pub(crate) as_of_strict: bool,
    /// Bytes of earlier results (`_1`, `_2` and so on) on disk.
    pub(crate) kept_results_limit: u64,
    /// Whether VACUUM refuses a retention below the table's own.
    pub vacuum_retention_check: bool,
    /// Whether commits of Delta tables are flushed to the disk before they count.
    pub(crate) durable_commits: bool,
    /// Whether Delta tables may have files outside of their folders.
    pub(crate) outside_files: bool,
    /// Whether functions written in Rust run, where the front end and the catalog allow it at all.
    pub(crate) allow_native_functions: bool,
    /// How many statements `system.queries` keeps.
    pub(crate) query_history: usize,
    /// Whether names without quotes find only what is spelled in lower case.
    pub strict_names: bool,
    /// What statements are grouped by.
    pub(crate) query_label: Option<String>,
    pub(crate) hints: HintSettings,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            as_of: None,
            as_of_strict: true,
            kept_results_limit: 4 * 1024 * 1024 * 1024,
            vacuum_retention_check: true,
            durable_commits: true,
            outside_files: false,
            allow_native_functions: true,
            query_history: QUERY_HISTORY,
            strict_names: false,
            query_label: None,
            hints: HintSettings::default(),
        }
    }
}
