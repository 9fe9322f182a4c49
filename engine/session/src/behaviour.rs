//! Settings that change what statements do, not how their results are shown.

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::array::timezone::Tz;
use datafusion::common::ScalarValue;
use datafusion::execution::SessionState;

use super::hints::HintSettings;
use super::{Session, read, write};
use crate::scope::moment;

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
    /// Whether Delta tables may have files outside of their folders.
    pub(crate) outside_files: bool,
    /// Whether functions written in Rust run, where the front end and the catalog allow it at all.
    pub(crate) allow_native_functions: bool,
    /// How many statements `system.queries` keeps.
    pub(crate) query_history: usize,
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
            outside_files: false,
            allow_native_functions: true,
            query_history: QUERY_HISTORY,
            query_label: None,
            hints: HintSettings::default(),
        }
    }
}

impl Session {
    /// Returns the moment that Delta tables are read at, if `lakesh.as_of` is set.
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        read(&self.behaviour).as_of
    }

    /// Returns the settings that change what statements do.
    pub fn behaviour(&self) -> Behaviour {
        read(&self.behaviour).clone()
    }

    pub(super) fn change_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut write(&self.behaviour));
    }

    /// Reads the value of `lakesh.as_of`.
    pub(super) fn parse_as_of(&self, text: &str) -> Result<Option<DateTime<Utc>>, String> {
        if text.eq_ignore_ascii_case(LATEST) {
            return Ok(None);
        }
        let zone = time_zone(&read(&self.state));
        moment(&ScalarValue::from(text), zone).map(Some)
    }
}

/// Writes a moment as settings and messages show it.
pub fn moment_text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Returns the session's time zone; UTC unless it was set.
pub(super) fn time_zone(state: &SessionState) -> Tz {
    let zone = state.config_options().execution.time_zone.as_deref();
    zone.and_then(|zone| zone.parse().ok())
        .unwrap_or_else(|| "UTC".parse().expect("UTC is a time zone"))
}
