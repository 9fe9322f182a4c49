//! What is set, as the session holds it.

use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;

use crate::behaviour::{Behaviour, LATEST};
use crate::hints::{HintMode, HintSettings, LastHints};
use crate::moment::{moment, time_zone};
use crate::{Session, read, write};

impl Session {
    /// Returns the moment that Delta tables are read at, if `lakesh.as_of` is set.
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        read(&self.behaviour).as_of
    }

    /// Returns the settings that change what statements do.
    pub fn behaviour(&self) -> Behaviour {
        read(&self.behaviour).clone()
    }

    pub(crate) fn change_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut write(&self.behaviour));
    }

    /// Reads the value of `lakesh.as_of`.
    pub(crate) fn parse_as_of(&self, text: &str) -> Result<Option<DateTime<Utc>>, String> {
        if text.eq_ignore_ascii_case(LATEST) {
            return Ok(None);
        }
        let zone = time_zone(&read(&self.state));
        moment(&ScalarValue::from(text), zone).map(Some)
    }

    /// Returns the settings of hints.
    pub fn hint_settings(&self) -> HintSettings {
        self.behaviour().hints
    }

    /// Returns what is done about queries that could be faster.
    pub fn hint_mode(&self) -> HintMode {
        self.behaviour().hints.mode.unwrap_or(self.options.hints)
    }

    /// Returns the hints that were shown last.
    pub fn last_hints(&self) -> LastHints {
        read(&self.last_hints).clone()
    }

    /// Keeps the hints that were shown, for `\apply`.
    pub fn remember_hints(&self, hints: LastHints) {
        *write(&self.last_hints) = hints;
    }
}
