//! The patterns of PostgreSQL's `to_char` (its manual, table 9.27).
//!
//! Letters that are no pattern are refused, where PostgreSQL writes them: text stands in double quotes.

use chrono::{Datelike, Timelike};

use super::shown::{Calendar, Shown, offset};

/// From 1970-01-01 in Julian days.
const JULIAN_DAY_OF_1970: i64 = 2_440_588;

const ROMAN: [&str; 12] = [
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
];

/// The patterns; where one begins with another, the longer stands first.
const PATTERNS: [&str; 53] = [
    "Y,YYY", "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "IDDD", "ID", "IW", "I", "MONTH",
    "MON", "MM", "MI", "MS", "DDD", "DD", "DAY", "DY", "D", "HH24", "HH12", "HH", "SSSSS", "SSSS",
    "SS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "A.M.", "P.M.", "AM", "PM", "A.D.",
    "B.C.", "AD", "BC", "WW", "W", "CC", "J", "Q", "RM", "TZH", "TZM", "TZ", "OF",
];

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Field {
        /// In capitals.
        pattern: &'static str,
        case: Case,
        /// No blanks and no zeros in front.
        is_short: bool,
        ordinal: Option<Case>,
    },
}

/// How a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Title,
    Lower,
}

/// Takes a pattern apart; the error names what is none.
pub(super) fn parse(pattern: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted_text(quoted, &mut text);
            continue;
        }
        if let Some(after) = rest.strip_prefix("\\\"") {
            text.push('"');
            rest = after;
            continue;
        }
        let (is_short, after) = without_prefix(rest);
        if let Some((name, case, after)) = field(after) {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            let (ordinal, after) = without_suffix(after);
            pieces.push(Piece::Field {
                pattern: name,
                case,
                is_short,
                ordinal,
            });
            rest = after;
            continue;
        }
        if after.len() < rest.len() {
            // A prefix of nothing says nothing.
            rest = after;
            continue;
        }
        if first.is_alphabetic() {
            let letters: String = rest
                .chars()
                .take_while(|next| next.is_alphabetic())
                .collect();
            return Err(format!(
                "`{letters}` is no pattern (text stands in double quotes)"
            ));
        }
        text.push(first);
        rest = &rest[first.len_utf8()..];
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// Reads the text up to the closing quote; returns what follows.
fn quoted_text<'a>(quoted: &'a str, text: &mut String) -> &'a str {
    let mut characters = quoted.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return &quoted[place + 1..],
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    ""
}

/// Takes `FM`, `TM` and `FX` away; says whether the field is written without filling.
fn without_prefix(mut rest: &str) -> (bool, &str) {
    let mut is_short = false;
    loop {
        let short = ["FM", "fm", "TM", "tm"]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix));
        let exact = ["FX", "fx"]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix));
        match (short, exact) {
            (Some(after), _) => (is_short, rest) = (true, after),
            (None, Some(after)) => rest = after,
            (None, None) => return (is_short, rest),
        }
    }
}

fn without_suffix(rest: &str) -> (Option<Case>, &str) {
    match (rest.strip_prefix("TH"), rest.strip_prefix("th")) {
        (Some(after), _) => (Some(Case::Upper), after),
        (_, Some(after)) => (Some(Case::Lower), after),
        _ => (None, rest),
    }
}

/// Returns the pattern at the beginning, how it is written, and what follows.
fn field(rest: &str) -> Option<(&'static str, Case, &str)> {
    let names = [
        ("MONTH", "Month"),
        ("MON", "Mon"),
        ("DAY", "Day"),
        ("DY", "Dy"),
    ];
    for (name, title) in names {
        if let Some(after) = rest.strip_prefix(title) {
            return Some((name, Case::Title, after));
        }
    }
    for pattern in PATTERNS {
        if let Some(after) = rest.strip_prefix(pattern) {
            return Some((pattern, Case::Upper, after));
        }
        let lower = pattern.to_lowercase();
        if let Some(after) = rest.strip_prefix(lower.as_str()) {
            return Some((pattern, Case::Lower, after));
        }
    }
    None
}

impl Piece {
    pub(super) fn write(&self, shown: &Shown, out: &mut String) -> Result<(), String> {
        let (pattern, case, is_short, ordinal) = match self {
            Self::Text(text) => {
                out.push_str(text);
                return Ok(());
            }
            Self::Field {
                pattern,
                case,
                is_short,
                ordinal,
            } => (*pattern, *case, *is_short, *ordinal),
        };
        if shown.calendar == Calendar::None && !is_of_clock(pattern) {
            return Err(format!("`{pattern}` asks for a day, which a time has not,"));
        }
        if let Some((number, width)) = number(pattern, shown) {
            let width = if is_short { 0 } else { width };
            // A sign does not count among the digits.
            let digits = format!("{:0width$}", number.unsigned_abs());
            if number < 0 {
                out.push('-');
            }
            out.push_str(&digits);
            if let Some(case) = ordinal {
                out.push_str(&in_case(ordinal_of(number), case));
            }
            return Ok(());
        }
        let (text, width) = name(pattern, shown);
        let text = in_case(&text, case);
        out.push_str(&text);
        if !is_short {
            let blanks = width.saturating_sub(text.len());
            out.extend(std::iter::repeat_n(' ', blanks));
        }
        Ok(())
    }
}

fn is_of_clock(pattern: &str) -> bool {
    let clock = [
        "HH24", "HH12", "HH", "MI", "SS", "SSSS", "SSSSS", "MS", "US", "AM", "PM", "A.M.", "P.M.",
    ];
    clock.contains(&pattern) || pattern.starts_with("FF")
}

/// Returns the number that a pattern writes, and its digits.
fn number(pattern: &str, shown: &Shown) -> Option<(i64, usize)> {
    let clock = &shown.clock;
    let year = i64::from(shown.year_of_era());
    let week = clock.iso_week();
    let iso_year = i64::from(week.year());
    let (value, width) = match pattern {
        "YYYY" => (year, 4),
        "YYY" => (year % 1_000, 3),
        "YY" => (year % 100, 2),
        "Y" => (year % 10, 1),
        "IYYY" => (iso_year, 4),
        "IYY" => (iso_year % 1_000, 3),
        "IY" => (iso_year % 100, 2),
        "I" => (iso_year % 10, 1),
        "MM" => (clock.month().into(), 2),
        "DDD" => (clock.ordinal().into(), 3),
        "IDDD" => {
            let days = (week.week() - 1) * 7 + clock.weekday().number_from_monday();
            (days.into(), 3)
        }
        "DD" => (clock.day().into(), 2),
        "D" => (clock.weekday().number_from_sunday().into(), 1),
        "ID" => (clock.weekday().number_from_monday().into(), 1),
        "W" => (((clock.day() - 1) / 7 + 1).into(), 1),
        "WW" => (((clock.ordinal() - 1) / 7 + 1).into(), 2),
        "IW" => (week.week().into(), 2),
        "CC" => match shown.is_before_christ() {
            false => ((year + 99) / 100, 2),
            true => (-((year + 99) / 100), 2),
        },
        "J" => {
            let days = clock.and_utc().timestamp().div_euclid(86_400);
            (days + JULIAN_DAY_OF_1970, 0)
        }
        "Q" => (shown.quarter().into(), 1),
        "HH24" => (clock.hour().into(), 2),
        "HH" | "HH12" => (shown.hour_of_twelve().into(), 2),
        "MI" => (clock.minute().into(), 2),
        "SS" => (clock.second().into(), 2),
        "SSSS" | "SSSSS" => (clock.num_seconds_from_midnight().into(), 0),
        "MS" => ((clock.nanosecond() / 1_000_000).into(), 3),
        "US" => ((clock.nanosecond() / 1_000).into(), 6),
        _ => return None,
    };
    Some((value, width))
}

/// Returns the text that a pattern writes, and to how many characters it is filled.
fn name(pattern: &str, shown: &Shown) -> (String, usize) {
    let zone = shown.zone.as_ref();
    let text = match pattern {
        "Y,YYY" => {
            let year = shown.year_of_era();
            format!("{},{:03}", year / 1_000, year % 1_000)
        }
        "MONTH" => return (shown.month_name().to_owned(), 9),
        "MON" => shown.month_name()[..3].to_owned(),
        "DAY" => return (shown.day_name().to_owned(), 9),
        "DY" => shown.day_name()[..3].to_owned(),
        "RM" => return (ROMAN[shown.clock.month0() as usize].to_owned(), 4),
        "AM" | "PM" => if shown.is_afternoon() { "PM" } else { "AM" }.to_owned(),
        "A.M." | "P.M." => if shown.is_afternoon() { "P.M." } else { "A.M." }.to_owned(),
        "AD" | "BC" => if shown.is_before_christ() { "BC" } else { "AD" }.to_owned(),
        "A.D." | "B.C." => if shown.is_before_christ() {
            "B.C."
        } else {
            "A.D."
        }
        .to_owned(),
        "TZ" => zone.map(|zone| zone.short.clone()).unwrap_or_default(),
        "TZH" => {
            let hours = offset(zone.map_or(0, |zone| zone.offset), "", true);
            hours[..3].to_owned()
        }
        "TZM" => {
            let hours = offset(zone.map_or(0, |zone| zone.offset), "", true);
            hours[3..].to_owned()
        }
        "OF" => offset(zone.map_or(0, |zone| zone.offset), ":", false),
        fraction => {
            let digits = fraction.trim_start_matches("FF").parse();
            shown.fraction(digits.unwrap_or(6))
        }
    };
    (text, 0)
}

fn in_case(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Title => text.to_owned(),
        Case::Lower => text.to_lowercase(),
    }
}

fn ordinal_of(number: i64) -> &'static str {
    match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
