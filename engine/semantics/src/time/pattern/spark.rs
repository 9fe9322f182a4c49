//! The patterns of Spark's `date_format` (its page "Datetime Patterns for Formatting and Parsing").
//!
//! As in Spark a letter that is no pattern is refused: text stands in single quotes.

use chrono::{Datelike, Timelike};

use super::shown::{Calendar, Shown, offset};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// A letter, and how often it stands there.
    Field(char, usize),
}

/// Takes a pattern apart; the error names what is none.
pub(super) fn parse(pattern: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(first) = characters.next() {
        if first == '\'' {
            let mut text = String::new();
            // Two quotes are one.
            if characters.next_if_eq(&'\'').is_some() {
                pieces.push(Piece::Text("'".to_owned()));
                continue;
            }
            loop {
                match characters.next() {
                    None => return Err("a quote has no end".to_owned()),
                    Some('\'') if characters.next_if_eq(&'\'').is_some() => text.push('\''),
                    Some('\'') => break,
                    Some(other) => text.push(other),
                }
            }
            pieces.push(Piece::Text(text));
            continue;
        }
        if !first.is_ascii_alphabetic() {
            // What may be missing when a text is read is written always.
            if first != '[' && first != ']' {
                pieces.push(Piece::Text(first.to_string()));
            }
            continue;
        }
        let mut count = 1;
        while characters.next_if_eq(&first).is_some() {
            count += 1;
        }
        if count > longest(first) {
            let letters = first.to_string().repeat(count);
            return Err(match longest(first) {
                0 => format!("`{letters}` is no pattern (text stands in single quotes)"),
                most => format!("`{letters}` is no pattern (at most {most} letters `{first}`)"),
            });
        }
        pieces.push(Piece::Field(first, count));
    }
    Ok(pieces)
}

/// Returns how often a letter may stand; none is no pattern.
fn longest(letter: char) -> usize {
    match letter {
        'y' => 6,
        'S' => 9,
        'Z' | 'X' | 'x' => 5,
        'G' | 'M' | 'L' | 'Q' | 'q' | 'E' | 'z' | 'O' => 4,
        'D' => 3,
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'V' => 2,
        'a' | 'F' => 1,
        _ => 0,
    }
}

impl Piece {
    pub(super) fn write(&self, shown: &Shown, out: &mut String) -> Result<(), String> {
        let (letter, count) = match self {
            Self::Text(text) => {
                out.push_str(text);
                return Ok(());
            }
            Self::Field(letter, count) => (*letter, *count),
        };
        let letters = || letter.to_string().repeat(count);
        if shown.calendar == Calendar::None && !"hHkKmsSa".contains(letter) {
            return Err(format!(
                "`{}` asks for a day, which a time has not,",
                letters()
            ));
        }
        let text = match (number(letter, count, shown), letter) {
            (Some(number), _) => format!("{number:0count$}"),
            (None, 'V' | 'z' | 'O' | 'X' | 'x' | 'Z') => {
                zone(letter, count, shown).ok_or_else(|| {
                    format!("`{}` asks for a zone, which the value has not,", letters())
                })?
            }
            (None, _) => name(letter, count, shown),
        };
        out.push_str(&text);
        Ok(())
    }
}

/// Returns the number that a letter writes.
fn number(letter: char, count: usize, shown: &Shown) -> Option<u32> {
    let clock = &shown.clock;
    Some(match letter {
        'y' => {
            let year = shown.year_of_era().unsigned_abs();
            if count == 2 { year % 100 } else { year }
        }
        'D' => clock.ordinal(),
        'M' | 'L' if count < 3 => clock.month(),
        'd' => clock.day(),
        'Q' | 'q' if count < 3 => shown.quarter(),
        'F' => (clock.day() - 1) / 7 + 1,
        'h' => shown.hour_of_twelve(),
        'K' => clock.hour() % 12,
        'k' => match clock.hour() {
            0 => 24,
            hour => hour,
        },
        'H' => clock.hour(),
        'm' => clock.minute(),
        's' => clock.second(),
        _ => return None,
    })
}

fn name(letter: char, count: usize, shown: &Shown) -> String {
    let full = count == 4;
    let shortened = |name: &str| if full { name } else { &name[..3] }.to_owned();
    match letter {
        'M' | 'L' => shortened(shown.month_name()),
        'E' => shortened(shown.day_name()),
        'a' => if shown.is_afternoon() { "PM" } else { "AM" }.to_owned(),
        'S' => shown.fraction(count),
        'G' => match (full, shown.is_before_christ()) {
            (true, true) => "Before Christ",
            (true, false) => "Anno Domini",
            (false, true) => "BC",
            (false, false) => "AD",
        }
        .to_owned(),
        _ => {
            let quarter = shown.quarter();
            let ordinal = ["1st", "2nd", "3rd", "4th"][quarter as usize - 1];
            match full {
                true => format!("{ordinal} quarter"),
                false => format!("Q{quarter}"),
            }
        }
    }
}

/// Writes the zone or its offset; `None` where there is none.
fn zone(letter: char, count: usize, shown: &Shown) -> Option<String> {
    let zone = shown.zone.as_ref()?;
    let seconds = zone.offset;
    let greenwich = |always_minutes| match seconds {
        0 => "GMT".to_owned(),
        _ => format!("GMT{}", offset(seconds, ":", always_minutes)),
    };
    Some(match (letter, count) {
        ('V', _) => zone.name.clone(),
        ('z', _) => zone.short.clone(),
        ('O', _) | ('Z', 4) => greenwich(count == 4),
        ('X', _) | ('Z', 5) if seconds == 0 => "Z".to_owned(),
        ('X' | 'x', 1) => offset(seconds, "", false),
        ('X' | 'x', 2 | 4) | ('Z', 1..=3) => offset(seconds, "", true),
        _ => offset(seconds, ":", true),
    })
}
