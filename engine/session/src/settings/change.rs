//! SET, RESET and SHOW: settings of ours and DataFusion's under one roof.

use std::sync::Arc;

use datafusion::arrow::array::timezone::Tz;
use datafusion::common::config::ConfigOptions;
use lakesh_event::event::Event;
use lakesh_text::failure::Failure;
use lakesh_text::similar::closest;

use super::{SETTINGS, Setting, SettingError};
use crate::planning::move_to_zone;
use crate::{Session, read};

/// DataFusion's setting of the session's time zone.
const TIME_ZONE: &str = "datafusion.execution.time_zone";

/// A setting's name, value and meaning, as SHOW returns it.
pub struct Shown {
    pub name: String,
    pub value: Option<String>,
    pub default: Option<String>,
    pub summary: String,
}

impl Session {
    /// Sets a setting of ours or of DataFusion's; says what changed in how results are shown.
    pub fn set(&self, name: &str, value: &str) -> Result<Option<Event>, SettingError> {
        if let Some(setting) = find(name) {
            return self.set_ours(setting, value);
        }
        if name == TIME_ZONE && value.parse::<Tz>().is_err() {
            return Err(SettingError::Value {
                name: TIME_ZONE,
                value: value.to_owned(),
                expected: "a name such as `Europe/Paris` or an offset such as `+02:00`".to_owned(),
            });
        }
        self.set_datafusion(name, value).map(|()| None)
    }

    /// Brings a setting back to what the session began with.
    pub fn reset(&self, name: &str) -> Result<Option<Event>, SettingError> {
        if let Some(setting) = find(name) {
            return self.set_ours(setting, &(setting.default)(self));
        }
        let value = self
            .initial_setting(name)
            .ok_or_else(|| self.unknown(name))?;
        self.set_datafusion(name, &value).map(|()| None)
    }

    /// Brings all settings back to what the session began with.
    pub fn reset_all(&self) -> Result<Vec<Option<Event>>, SettingError> {
        let mut events = Vec::new();
        for setting in super::settings() {
            let default = (setting.default)(self);
            if (setting.get)(self) != default {
                events.push(self.set_ours(setting, &default)?);
            }
        }
        let now = read(&self.state).config_options().entries();
        for entry in self.initial.entries() {
            let changed = now
                .iter()
                .any(|other| other.key == entry.key && other.value != entry.value);
            if changed && !entry.key.starts_with("datafusion.runtime.") {
                self.set_datafusion(&entry.key, &entry.value.unwrap_or_default())?;
            }
        }
        Ok(events)
    }

    /// Returns the value that a setting of DataFusion's had when the session began.
    pub(crate) fn initial_setting(&self, name: &str) -> Option<String> {
        let entries = self.initial.entries();
        let entry = entries.into_iter().find(|entry| entry.key == name)?;
        Some(entry.value.unwrap_or_default())
    }

    fn set_ours(&self, setting: &Setting, value: &str) -> Result<Option<Event>, SettingError> {
        let before = self.display();
        (setting.set)(self, value)?;
        let now = self.display();
        Ok((now != before).then_some(Event::Display(now)))
    }

    pub(super) fn set_datafusion(&self, name: &str, value: &str) -> Result<(), SettingError> {
        if name.starts_with("datafusion.runtime.") {
            return Err(SettingError::Refused {
                name: name.to_owned(),
                instead: "use lakesh.memory_limit, lakesh.temp_limit, or the options of the command line",
            });
        }
        let known = read(&self.state)
            .config_options()
            .entries()
            .iter()
            .any(|entry| entry.key == name);
        if !known {
            return Err(self.unknown(name));
        }
        let mut outcome = Ok(());
        let mut moved = Ok(());
        self.change_state(|state| {
            outcome = state.config_mut().options_mut().set(name, value);
            if name == TIME_ZONE {
                moved = move_to_zone(state);
            }
        });
        moved.map_err(|failure| SettingError::DataFusion(failure.message))?;
        outcome.map_err(|error| {
            let failure = Failure::from_error(error);
            SettingError::DataFusion(format!(
                "`{value}` is not a value of `{name}`: {}",
                failure.message
            ))
        })
    }

    fn unknown(&self, name: &str) -> SettingError {
        let state = read(&self.state);
        let theirs = state.config_options().entries();
        let known: Vec<String> = SETTINGS
            .iter()
            .map(|setting| setting.name.to_owned())
            .chain(theirs.into_iter().map(|entry| entry.key))
            .collect();
        let last = |name: &String| name.rsplit('.').next().unwrap_or(name).to_owned();
        let similar = closest(name, known.iter().map(String::as_str)).or_else(|| {
            // Written without what stands before the dot.
            let names: Vec<String> = known.iter().map(last).collect();
            let found = closest(name, names.iter().map(String::as_str))?;
            let place = names.iter().position(|name| name == found)?;
            Some(known[place].as_str())
        });
        SettingError::Unknown {
            name: name.to_owned(),
            similar: similar.map(str::to_owned),
        }
    }

    /// Lists every setting with its value and default.
    pub fn shown_settings(&self) -> Vec<Shown> {
        let ours = SETTINGS.iter().map(|setting| Shown {
            name: setting.name.to_owned(),
            value: Some((setting.get)(self)),
            default: Some((setting.default)(self)),
            summary: setting.summary.to_owned(),
        });
        let defaults = ConfigOptions::new().entries();
        let options = Arc::clone(read(&self.state).config_options());
        let theirs = options.entries().into_iter().map(|entry| {
            let default = defaults
                .iter()
                .find(|default| default.key == entry.key)
                .and_then(|default| default.value.clone());
            Shown {
                name: entry.key,
                value: entry.value,
                default,
                summary: entry.description.to_owned(),
            }
        });
        let mut all: Vec<_> = ours.chain(theirs).collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    }

    /// Lists the settings that differ from what the session began with, in alphabetical order.
    pub fn changed_settings(&self) -> Vec<(String, String)> {
        let ours = SETTINGS.iter().filter_map(|setting| {
            let value = (setting.get)(self);
            (value != (setting.default)(self)).then(|| (setting.name.to_owned(), value))
        });
        let options = Arc::clone(read(&self.state).config_options());
        // Nothing of theirs was set in most sessions, and listing them takes longer than a small query.
        let unchanged = Arc::ptr_eq(&options, &self.initial);
        let pairs = if unchanged {
            Vec::new()
        } else {
            // Both list the same keys in the same order.
            let before = self.initial.entries().into_iter();
            before.zip(options.entries()).collect()
        };
        let theirs = pairs.into_iter().filter_map(|(before, now)| {
            // SET lakesh.threads changes this one; it is said already.
            let ours = now.key == "datafusion.execution.target_partitions";
            let changed = before.value != now.value;
            (changed && !ours).then(|| (now.key, now.value.unwrap_or_default()))
        });
        let mut changed: Vec<_> = ours.chain(theirs).collect();
        changed.sort();
        changed
    }

    /// Returns the full name of a setting: `max_rows` for `lakesh.max_rows`, as users expect.
    pub fn full_setting_name(&self, name: &str) -> String {
        let lower = name.to_lowercase();
        if lower.contains('.') {
            return lower;
        }
        if lower == "null_order" {
            return "lakesh.default_null_order".to_owned();
        }
        if lower == "timezone" || lower == "time_zone" {
            return TIME_ZONE.to_owned();
        }
        find(&format!("lakesh.{lower}")).map_or(lower, |setting| setting.name.to_owned())
    }
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
