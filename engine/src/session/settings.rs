//! The settings of lakesh: one registry for SET, RESET, SHOW, completion and the reference docs.
//!
//! Names that begin with `lakesh.` are ours; every other name is DataFusion's own.

use std::sync::Arc;

use datafusion::arrow::array::timezone::Tz;
use datafusion::common::config::ConfigOptions;

use super::behaviour::{Behaviour, LATEST, moment_text};
use super::hints::{HintSettings, duration_text, parse_duration};
use super::{Session, read};
use crate::display::DisplayOptions;
use crate::event::Event;
use crate::failure::{Failure, FailureKind};
use crate::memory::limit::{format_size, parse_limit};
use crate::memory::planning::adjust;
use crate::memory::runtime::DEFAULT_TEMP_LIMIT;

/// DataFusion's setting of the session's time zone.
const TIME_ZONE: &str = "datafusion.execution.time_zone";

/// A setting of ours.
pub struct Setting {
    /// The name with its `lakesh.` prefix.
    pub name: &'static str,
    /// What values it takes.
    pub values: &'static str,
    /// One sentence.
    pub summary: &'static str,
    get: fn(&Session) -> String,
    set: fn(&Session, &str) -> Result<(), SettingError>,
    /// The text that RESET sets; `None` takes what the session began with.
    default: fn(&Session) -> String,
}

/// Why a value does not fit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("`{value}` is not a value of `{name}`: {expected}")]
    Value {
        name: &'static str,
        value: String,
        expected: String,
    },
    #[error("setting `{name}` not found")]
    Unknown {
        name: String,
        similar: Option<String>,
    },
    #[error("`{name}` cannot be set here")]
    Refused { name: String, instead: &'static str },
    #[error("{0}")]
    DataFusion(String),
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        let failure = Self::new(FailureKind::Plan, error.to_string());
        match error {
            SettingError::Unknown {
                similar: Some(name),
                ..
            } => failure.hint(format!("did you mean `{name}`?")),
            SettingError::Unknown { .. } => failure.hint("SHOW ALL lists the settings"),
            SettingError::Refused { instead, .. } => failure.hint(instead),
            _ => failure,
        }
    }
}

/// Returns our settings, in alphabetical order.
pub fn settings() -> &'static [Setting] {
    SETTINGS
}

macro_rules! display_setting {
    ($name:literal, $values:literal, $summary:literal, $field:ident, $show:expr, $parse:expr) => {
        Setting {
            name: $name,
            values: $values,
            summary: $summary,
            get: |session| {
                let show: fn(&DisplayOptions) -> String = $show;
                show(&session.display())
            },
            set: |session, text| {
                let parse: fn(&str) -> Result<_, String> = $parse;
                let value = parse(text).map_err(|expected| wrong($name, text, expected))?;
                session.change_display(|display| display.$field = value);
                Ok(())
            },
            default: |session| {
                let show: fn(&DisplayOptions) -> String = $show;
                show(&session.options().display)
            },
        }
    };
}

/// A setting that is true or false and changes what statements do.
macro_rules! behaviour_setting {
    ($name:literal, $summary:literal, $field:ident) => {
        Setting {
            name: $name,
            values: "true, false",
            summary: $summary,
            get: |session| session.behaviour().$field.to_string(),
            set: |session, text| {
                let value = parse_bool(text).map_err(|expected| wrong($name, text, expected))?;
                session.change_behaviour(|behaviour| behaviour.$field = value);
                Ok(())
            },
            default: |_| Behaviour::default().$field.to_string(),
        }
    };
}

/// A setting of hints.
macro_rules! hint_setting {
    ($name:literal, $values:literal, $summary:literal, $field:ident, $show:expr, $parse:expr) => {
        Setting {
            name: $name,
            values: $values,
            summary: $summary,
            get: |session| {
                let show: fn(&HintSettings) -> String = $show;
                show(&session.behaviour().hints)
            },
            set: |session, text| {
                let parse: fn(&str) -> Result<_, String> = $parse;
                let value = parse(text).map_err(|expected| wrong($name, text, expected))?;
                session.change_behaviour(|behaviour| behaviour.hints.$field = value);
                Ok(())
            },
            default: |_| {
                let show: fn(&HintSettings) -> String = $show;
                show(&HintSettings::default())
            },
        }
    };
}

static SETTINGS: &[Setting] = &[
    Setting {
        name: "lakesh.as_of",
        values: "a moment, or `latest`",
        summary: "Reads every Delta table as it was at this moment; nothing can be changed meanwhile.",
        get: |session| {
            session
                .as_of()
                .map_or_else(|| LATEST.to_owned(), moment_text)
        },
        set: |session, text| {
            let moment = session
                .parse_as_of(text)
                .map_err(|problem| wrong("lakesh.as_of", text, problem))?;
            session.change_behaviour(|behaviour| behaviour.as_of = moment);
            Ok(())
        },
        default: |_| LATEST.to_owned(),
    },
    behaviour_setting!(
        "lakesh.as_of_strict",
        "Refuses tables without a history while `lakesh.as_of` is set.",
        as_of_strict
    ),
    display_setting!(
        "lakesh.expanded",
        "true, false",
        "Shows rows one below the other, a line a column.",
        expanded,
        |display| display.expanded.to_string(),
        parse_bool
    ),
    display_setting!(
        "lakesh.format",
        "the name of an output format, or `auto`",
        "How results are written.",
        format,
        |display| display.format.clone().unwrap_or_else(|| "auto".to_owned()),
        parse_format
    ),
    display_setting!(
        "lakesh.header",
        "true, false",
        "Whether formats with a header line write it.",
        header,
        |display| display.header.to_string(),
        parse_bool
    ),
    hint_setting!(
        "lakesh.hint_copy_limit",
        "a size such as `1GiB`",
        "How large a table may be of which EXPLAIN HINTS VERIFY makes a copy to try a layout.",
        copy_bytes,
        |settings| format_size(settings.copy_bytes),
        |text| parse_limit(text).map_err(|error| error.to_string())
    ),
    hint_setting!(
        "lakesh.hint_file_size",
        "a size such as `16MiB`",
        "Tables whose files are smaller on average are said to have small files.",
        file_bytes,
        |settings| format_size(settings.file_bytes),
        |text| parse_limit(text).map_err(|error| error.to_string())
    ),
    hint_setting!(
        "lakesh.hint_rows",
        "a whole number",
        "Queries over tables of fewer rows get no hint above `info`.",
        rows,
        |settings| settings.rows.to_string(),
        parse_count
    ),
    hint_setting!(
        "lakesh.hint_skew",
        "a whole number",
        "How many times the mean of the partitions the largest may have before a hint says so.",
        skew,
        |settings| settings.skew.to_string(),
        parse_count
    ),
    hint_setting!(
        "lakesh.hint_threshold",
        "a duration such as `2s`",
        "How long a query takes that is followed by a hint.",
        threshold,
        |settings| duration_text(settings.threshold),
        parse_duration
    ),
    Setting {
        name: "lakesh.hints",
        values: "off, notice",
        summary: "Whether a line says what would make a query faster, after one that took longer than `lakesh.hint_threshold`.",
        get: |session| {
            let notices = session.behaviour().hints.notices;
            hint_mode(notices.unwrap_or(session.options().hints))
        },
        set: |session, text| {
            let notices = match text.to_lowercase().as_str() {
                "off" | "false" => false,
                "notice" | "on" | "true" => true,
                _ => {
                    let expected = "`off` or `notice` is expected".to_owned();
                    return Err(wrong("lakesh.hints", text, expected));
                }
            };
            session.change_behaviour(|behaviour| behaviour.hints.notices = Some(notices));
            Ok(())
        },
        default: |session| hint_mode(session.options().hints),
    },
    display_setting!(
        "lakesh.max_rows",
        "a whole number, or `all`",
        "How many rows a table shows at most; other formats write every row.",
        max_rows,
        |display| display
            .max_rows
            .map_or_else(|| "all".to_owned(), |rows| rows.to_string()),
        parse_rows
    ),
    Setting {
        name: "lakesh.memory_limit",
        values: "a size such as `512MB`, `4GiB`, or a share such as `50%`",
        summary: "Bytes of memory for queries; what does not fit is spilled to the temp folder.",
        get: |session| format_size(session.memory().usage().limit),
        set: |session, text| {
            let limit = parse_limit(text)
                .map_err(|error| wrong("lakesh.memory_limit", text, error.to_string()))?;
            session.memory().set_limit(limit);
            let threads = read(&session.state).config().target_partitions();
            session.change_state(|state| {
                *state.config_mut() = adjust(state.config().clone(), limit, threads);
            });
            Ok(())
        },
        default: |session| format_size(session.options().memory_limit()),
    },
    display_setting!(
        "lakesh.notebook_rows",
        "a whole number from 1",
        "How many rows of a result a notebook shows; the query stops once it has them and one more.",
        notebook_rows,
        |display| display.notebook_rows.to_string(),
        |text| match text.parse() {
            Ok(0) | Err(_) => Err("a whole number from 1 is expected".to_owned()),
            Ok(rows) => Ok(rows),
        }
    ),
    display_setting!(
        "lakesh.null_value",
        "any text, or `auto`",
        "What stands for NULL in results; `auto` is the format's own.",
        null_value,
        |display| display
            .null_value
            .clone()
            .unwrap_or_else(|| "auto".to_owned()),
        |text| Ok((text != "auto").then(|| text.to_owned()))
    ),
    Setting {
        name: "lakesh.schema",
        values: "the name of a schema",
        summary: "The schema that unqualified names refer to; `USE name` sets it too.",
        get: Session::current_schema,
        set: |session, text| {
            let exists = session.catalog().has_schema(text).unwrap_or(false)
                || session
                    .catalog()
                    .attachment(text)
                    .is_ok_and(|found| found.is_some());
            if !exists {
                return Err(wrong("lakesh.schema", text, "no such schema".to_owned()));
            }
            session.set_current_schema(text);
            Ok(())
        },
        default: |_| crate::catalog::DEFAULT_SCHEMA.to_owned(),
    },
    Setting {
        name: "lakesh.schema_evolution",
        values: "true, false",
        summary: "Whether INSERT … BY NAME and MERGE add columns that a table lacks, as if WITH SCHEMA EVOLUTION were written.",
        get: |session| session.schema_evolution().to_string(),
        set: |session, text| {
            let value = parse_bool(text)
                .map_err(|expected| wrong("lakesh.schema_evolution", text, expected))?;
            session.set_schema_evolution(value);
            Ok(())
        },
        default: |_| "false".to_owned(),
    },
    Setting {
        name: "lakesh.temp_limit",
        values: "a size such as `100GB`",
        summary: "Bytes of spilled data at most.",
        get: |session| format_size(session.memory().spill().limit()),
        set: |session, text| {
            let limit = parse_limit(text)
                .map_err(|error| wrong("lakesh.temp_limit", text, error.to_string()))?;
            session.memory().spill().set_limit(limit);
            Ok(())
        },
        default: |session| {
            let limit = session.options().temp_limit;
            format_size(limit.unwrap_or(DEFAULT_TEMP_LIMIT))
        },
    },
    Setting {
        name: "lakesh.threads",
        values: "a whole number from 1",
        summary: "How many partitions of a query run side by side.",
        get: |session| {
            read(&session.state)
                .config()
                .target_partitions()
                .to_string()
        },
        set: |session, text| {
            let threads = text.parse::<usize>().ok().filter(|threads| *threads > 0);
            let Some(threads) = threads else {
                return Err(wrong(
                    "lakesh.threads",
                    text,
                    "a whole number from 1 is expected".to_owned(),
                ));
            };
            session.change_state(|state| {
                let limit = session.memory().usage().limit;
                *state.config_mut() = adjust(state.config().clone(), limit, threads);
            });
            Ok(())
        },
        default: |session| session.options().thread_count().to_string(),
    },
    display_setting!(
        "lakesh.timing",
        "true, false",
        "Shows the time of each statement.",
        timing,
        |display| display.timing.to_string(),
        parse_bool
    ),
    behaviour_setting!(
        "lakesh.vacuum_retention_check",
        "Refuses a VACUUM that keeps files for a shorter time than the table says.",
        vacuum_retention_check
    ),
    hint_setting!(
        "lakesh.verify_budget",
        "a duration such as `30s`",
        "How long EXPLAIN HINTS VERIFY may measure; each remedy is tried once at least.",
        verify_budget,
        |settings| duration_text(settings.verify_budget),
        parse_duration
    ),
];

fn hint_mode(notices: bool) -> String {
    let mode = if notices { "notice" } else { "off" };
    mode.to_owned()
}

fn parse_count(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "a whole number is expected".to_owned())
}

fn wrong(name: &'static str, value: &str, expected: String) -> SettingError {
    SettingError::Value {
        name,
        value: value.to_owned(),
        expected,
    }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err("true or false is expected".to_owned()),
    }
}

fn parse_rows(text: &str) -> Result<Option<usize>, String> {
    match text.to_lowercase().as_str() {
        "all" | "0" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| "a whole number or `all` is expected".to_owned()),
    }
}

fn parse_format(text: &str) -> Result<Option<String>, String> {
    if text == "auto" {
        return Ok(None);
    }
    match crate::format::find(text) {
        Some(format) => Ok(Some(format.name.to_owned())),
        None => {
            let names: Vec<_> = crate::format::formats()
                .iter()
                .map(|format| format.name)
                .collect();
            Err(format!("the formats are {}", names.join(", ")))
        }
    }
}

/// A setting's name, value and meaning, as SHOW returns it.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) summary: String,
}

impl Session {
    /// Sets a setting of ours or of DataFusion's; says what changed in how results are shown.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<Option<Event>, SettingError> {
        if let Some(setting) = find(name) {
            (setting.set)(self, value)?;
            return Ok(self.display_event(setting));
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
    pub(crate) fn reset(&self, name: &str) -> Result<Option<Event>, SettingError> {
        if let Some(setting) = find(name) {
            (setting.set)(self, &(setting.default)(self))?;
            return Ok(self.display_event(setting));
        }
        let value = self
            .initial_setting(name)
            .ok_or_else(|| self.unknown(name))?;
        self.set_datafusion(name, &value).map(|()| None)
    }

    /// Returns the value that a setting of DataFusion's had when the session began.
    pub(crate) fn initial_setting(&self, name: &str) -> Option<String> {
        let entries = self.initial.entries();
        let entry = entries.into_iter().find(|entry| entry.key == name)?;
        Some(entry.value.unwrap_or_default())
    }

    fn display_event(&self, setting: &Setting) -> Option<Event> {
        let shown = [
            "lakesh.expanded",
            "lakesh.format",
            "lakesh.header",
            "lakesh.max_rows",
            "lakesh.notebook_rows",
            "lakesh.null_value",
            "lakesh.timing",
        ];
        shown
            .contains(&setting.name)
            .then(|| Event::Display(self.display()))
    }

    fn set_datafusion(&self, name: &str, value: &str) -> Result<(), SettingError> {
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
        self.change_state(|state| {
            outcome = state.config_mut().options_mut().set(name, value);
        });
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
        let similar = SETTINGS
            .iter()
            .map(|setting| setting.name.to_owned())
            .chain(theirs.into_iter().map(|entry| entry.key))
            .map(|known| {
                let short = known.rsplit('.').next().unwrap_or(&known);
                let distance =
                    strsim::jaro_winkler(&known, name).max(strsim::jaro_winkler(short, name));
                (distance, known)
            })
            .filter(|(closeness, _)| *closeness > 0.85)
            .max_by(|left, right| left.0.total_cmp(&right.0));
        SettingError::Unknown {
            name: name.to_owned(),
            similar: similar.map(|(_, known)| known),
        }
    }

    /// Lists every setting with its value and default.
    pub(crate) fn shown_settings(&self) -> Vec<Shown> {
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
    pub(crate) fn full_setting_name(&self, name: &str) -> String {
        let lower = name.to_lowercase();
        if lower.contains('.') {
            return lower;
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
