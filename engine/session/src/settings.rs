//! The settings of lakesh: one registry for SET, RESET, SHOW, completion and the reference docs.
//!
//! Names that begin with `lakesh.` are ours; every other name is DataFusion's own.

mod change;
mod held;
mod null_order;
#[macro_use]
mod shapes;

use lakesh_catalog::Trust;
use lakesh_memory::limit::{available_memory, parse_limit, parse_size};
use lakesh_memory::planning::adjust;
use lakesh_memory::runtime::DEFAULT_TEMP_LIMIT;
use lakesh_plan::cache::DEFAULT_SHARE;
use lakesh_table::parse_boolean;
use lakesh_text::display::DisplayOptions;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::quantity::format_size;

use super::behaviour::{Behaviour, LATEST};
use super::hints::{HintMode, HintSettings, duration_text, parse_duration};
use super::moment::moment_text;
use super::{Session, read};

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
pub enum SettingError {
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

static SETTINGS: &[Setting] = &[
    Setting {
        name: "lakesh.allow_native_functions",
        values: "true, false",
        summary: "Lets functions written in Rust run; true only where lakesh was started so that they may.",
        get: |session| session.native_refusal().is_none().to_string(),
        set: |session, text| {
            let name = "lakesh.allow_native_functions";
            let value = parse_bool(text).map_err(|expected| wrong(name, text, expected))?;
            if value && session.native_ban().is_some() {
                return Err(SettingError::Refused {
                    name: format!("{name} = true"),
                    instead: "--allow-native lets functions in Rust run in scripts; never with --readonly or a catalog that is not trusted",
                });
            }
            session.change_behaviour(|behaviour| behaviour.allow_native_functions = value);
            Ok(())
        },
        default: |session| session.native_ban().is_none().to_string(),
    },
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
    Setting {
        name: "lakesh.cache_share",
        values: "a share of the memory limit such as `30%`",
        summary: "The most memory that cached tables take; what does not fit goes to the temp folder.",
        get: |session| format!("{}%", session.cache().budget.percent()),
        set: |session, text| {
            let number = text.trim().trim_end_matches('%').parse::<usize>().ok();
            let Some(percent) = number.filter(|percent| *percent <= 90) else {
                let expected = "a share from `0%` to `90%` is expected".to_owned();
                return Err(wrong("lakesh.cache_share", text, expected));
            };
            session.cache().budget.set_percent(percent);
            Ok(())
        },
        default: |_| format!("{DEFAULT_SHARE}%"),
    },
    Setting {
        name: "lakesh.default_null_order",
        values: "`nulls_first`, `nulls_last`, `nulls_max`, which is PostgreSQL's, or `nulls_min`, which is Spark's",
        summary: "Where ORDER BY puts NULL without NULLS FIRST or LAST: first, last, or as the largest or the smallest value.",
        get: null_order::get,
        set: null_order::set,
        default: null_order::default,
    },
    behaviour_setting!(
        "lakesh.durable_commits",
        "Flushes the files of a commit to the disk before it counts, for Delta tables on local disks.",
        durable_commits
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
        "lakesh.hint_broadcast_size",
        "a size such as `16MiB`",
        "Sides of joins up to this size can be given to every partition instead of distributing both sides.",
        broadcast_bytes,
        |settings| format_size(settings.broadcast_bytes),
        parse_bytes
    ),
    hint_setting!(
        "lakesh.hint_copy_limit",
        "a size such as `1GiB`",
        "How large a table may be of which EXPLAIN HINTS VERIFY makes a copy to try a layout.",
        copy_bytes,
        |settings| format_size(settings.copy_bytes),
        parse_bytes
    ),
    hint_setting!(
        "lakesh.hint_file_size",
        "a size such as `16MiB`",
        "Tables whose files are smaller on average are said to have small files.",
        file_bytes,
        |settings| format_size(settings.file_bytes),
        parse_bytes
    ),
    hint_setting!(
        "lakesh.hint_group_rows",
        "a whole number",
        "Parquet files whose row groups have more rows on average are said to have large ones.",
        group_rows,
        |settings| settings.group_rows.to_string(),
        parse_count
    ),
    hint_setting!(
        "lakesh.hint_partition_size",
        "a size such as `128MiB`",
        "About how many bytes a partition should have; a skewed one is cut into parts of this size.",
        partition_bytes,
        |settings| format_size(settings.partition_bytes),
        parse_bytes
    ),
    hint_setting!(
        "lakesh.hint_repeats",
        "a whole number",
        "How often a query has to compute the same rows before a hint says to keep them.",
        repeats,
        |settings| settings.repeats.to_string(),
        parse_count
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
        values: "off, notice, auto",
        summary: "`notice` says in a line what would make a query faster, after one that took longer than `lakesh.hint_threshold`; `auto` also applies what EXPLAIN HINTS VERIFY has confirmed for the same query and tables.",
        get: |session| session.hint_mode().name().to_owned(),
        set: |session, text| {
            let mode = HintMode::parse(text).ok_or_else(|| {
                let expected = "`off`, `notice` or `auto` is expected".to_owned();
                wrong("lakesh.hints", text, expected)
            })?;
            session.change_behaviour(|behaviour| behaviour.hints.mode = Some(mode));
            Ok(())
        },
        default: |session| session.options().hints.name().to_owned(),
    },
    Setting {
        name: "lakesh.kept_results_limit",
        values: "a size such as `4GiB`",
        summary: "Bytes of a notebook's earlier results (`_1`, `_2`, …) on disk at most; the oldest go first.",
        get: |session| format_size(session.behaviour().kept_results_limit),
        set: |session, text| {
            let limit = parse_size(text, available_memory())
                .map_err(|error| wrong("lakesh.kept_results_limit", text, error.to_string()))?;
            session.change_behaviour(|behaviour| behaviour.kept_results_limit = limit);
            Ok(())
        },
        default: |_| format_size(Behaviour::default().kept_results_limit),
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
        name: "lakesh.outside_files",
        values: "true, false",
        summary: "Whether Delta tables may have files outside of their own folders, as shallow clones have; only where the catalog is trusted.",
        get: |session| session.behaviour().outside_files.to_string(),
        set: |session, text| {
            let name = "lakesh.outside_files";
            let value = parse_bool(text).map_err(|expected| wrong(name, text, expected))?;
            if value && !matches!(session.catalog().trust(), Ok(Trust::Own)) {
                return Err(SettingError::Refused {
                    name: format!("{name} = true"),
                    instead: "the catalog is not trusted, and a table could show any file that you can read; `lakesh trust` says that you trust it",
                });
            }
            session.change_behaviour(|behaviour| behaviour.outside_files = value);
            Ok(())
        },
        default: |_| Behaviour::default().outside_files.to_string(),
    },
    Setting {
        name: "lakesh.query_history",
        values: "a whole number; 0 keeps none",
        summary: "How many statements `system.queries` and `system.operators` keep, the newest.",
        get: |session| session.behaviour().query_history.to_string(),
        set: |session, text| {
            let most = text.parse().map_err(|_| {
                let expected = "a whole number is expected".to_owned();
                wrong("lakesh.query_history", text, expected)
            })?;
            session.change_behaviour(|behaviour| behaviour.query_history = most);
            session.shorten_queries(most);
            Ok(())
        },
        default: |_| Behaviour::default().query_history.to_string(),
    },
    Setting {
        name: "lakesh.query_label",
        values: "any text; an empty one is none",
        summary: "Groups the statements that follow, for `\\profile` and `system.queries`.",
        get: |session| session.behaviour().query_label.unwrap_or_default(),
        set: |session, text| {
            let label = (!text.is_empty()).then(|| text.to_owned());
            session.change_behaviour(|behaviour| behaviour.query_label = label);
            Ok(())
        },
        default: |_| String::new(),
    },
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
        default: |_| lakesh_catalog::DEFAULT_SCHEMA.to_owned(),
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
    behaviour_setting!(
        "lakesh.strict_names",
        "Lets names without quotes find only what is spelled in lower case, as in PostgreSQL; otherwise they find what fits in any case, if that is one thing.",
        strict_names
    ),
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

fn parse_bytes(text: &str) -> Result<u64, String> {
    parse_limit(text).map_err(|error| error.to_string())
}

fn parse_bool(text: &str) -> Result<bool, String> {
    parse_boolean(text).ok_or_else(|| "true or false is expected".to_owned())
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
    match lakesh_format::find(text) {
        Some(format) => Ok(Some(format.name.to_owned())),
        None => {
            let names: Vec<_> = lakesh_format::formats()
                .iter()
                .map(|format| format.name)
                .collect();
            Err(format!("the formats are {}", names.join(", ")))
        }
    }
}
