//! What a session knows of hints: their settings, and the hints that were shown last.

use std::time::Duration;

/// What a session does about queries that could be faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintMode {
    /// Nothing.
    Off,
    /// A line follows queries that took long.
    Notice,
    /// The same, and what was verified before is applied.
    Auto,
}

impl HintMode {
    /// Returns the value of the setting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Notice => "notice",
            Self::Auto => "auto",
        }
    }

    /// Reads a value of the setting.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        match text.as_str() {
            "false" => Some(Self::Off),
            "on" | "true" => Some(Self::Notice),
            _ => [Self::Off, Self::Notice, Self::Auto]
                .into_iter()
                .find(|mode| mode.name() == text),
        }
    }
}

/// Settings of hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintSettings {
    /// `None` is what the front end begins with.
    pub(crate) mode: Option<HintMode>,
    /// What long is.
    pub threshold: Duration,
    /// Tables of fewer rows get no hint above `info`.
    pub rows: u64,
    /// The size that a table's files should have at least.
    pub file_bytes: u64,
    /// Row groups of more rows are large.
    pub group_rows: u64,
    /// How many times the mean the largest partition may have.
    pub skew: u64,
    /// A side of a join that has fewer bytes can be given to every partition.
    pub broadcast_bytes: u64,
    /// About how many bytes a partition should have.
    pub partition_bytes: u64,
    /// How often the same rows have to be computed to be kept.
    pub repeats: u64,
    /// How long VERIFY may take.
    pub verify_budget: Duration,
    /// How large a table may be of which VERIFY makes a copy.
    pub copy_bytes: u64,
}

impl Default for HintSettings {
    fn default() -> Self {
        Self {
            mode: None,
            threshold: Duration::from_secs(2),
            rows: 100_000,
            file_bytes: 16 << 20,
            group_rows: 1 << 20,
            skew: 4,
            broadcast_bytes: 16 << 20,
            partition_bytes: 128 << 20,
            repeats: 2,
            verify_budget: Duration::from_secs(60),
            copy_bytes: 1 << 30,
        }
    }
}

/// The remedies of the hints that were shown last, in their order.
#[derive(Debug, Clone, Default)]
pub struct LastHints(pub Vec<Option<LastHint>>);

/// A remedy that was shown.
#[derive(Debug, Clone)]
pub struct LastHint {
    /// The rule that found it.
    pub rule: &'static str,
    /// What to run.
    pub statement: String,
    /// Why it must not be applied without a second thought.
    pub objection: Option<String>,
    /// Whether it was tried and gave the same rows faster.
    pub was_verified: bool,
}

/// Reads a duration such as `500ms`, `30s` or `2min`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim().to_lowercase();
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let factor = match unit.trim() {
        "ms" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        _ => return Err("a duration such as `500ms`, `30s` or `2min` is expected".to_owned()),
    };
    number
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * factor).ok())
        .ok_or_else(|| "a duration such as `500ms`, `30s` or `2min` is expected".to_owned())
}

/// Writes a duration as `parse_duration` reads it.
pub(crate) fn duration_text(duration: Duration) -> String {
    match duration.as_millis() {
        milliseconds if milliseconds % 1000 == 0 => format!("{}s", milliseconds / 1000),
        milliseconds => format!("{milliseconds}ms"),
    }
}
