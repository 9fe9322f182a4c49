//! Extraction: functions in SQL, bulletins by hand, bulletins by a generator.

mod by_hand;
mod corpus;
mod sql;

use super::bulletin::Bulletin;
use super::date::dates;
use super::lines::decode;

/// What a bulletin says, as a person reads it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Expected {
    position: &'static str,
    class_code: &'static str,
    salary: Option<(f64, f64)>,
    /// As year, month and day.
    start: &'static str,
    end: &'static str,
    requirements: String,
    notes: String,
    duties: String,
    selection: String,
    experience: &'static str,
    education: &'static str,
    location: &'static str,
}

/// Checks every field of a bulletin; an empty text stands for none.
#[track_caller]
fn check_bulletin(name: &str, bytes: &[u8], expected: &Expected) {
    let text = decode(bytes);
    let found = Bulletin::of(&text);
    let day = |text: &str| dates(text).next().map(|date| date.days);
    let of = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let wanted = Bulletin {
        position: of(expected.position),
        class_code: of(expected.class_code),
        salary: expected
            .salary
            .map(|(start, end)| super::salary::Salary { start, end }),
        start_date: day(expected.start),
        end_date: day(expected.end),
        requirements: of(&expected.requirements),
        notes: of(&expected.notes),
        duties: of(&expected.duties),
        selection: of(&expected.selection),
        experience: of(expected.experience),
        education: of(expected.education),
        location: of(expected.location),
    };
    assert_eq!(found, wanted, "{name}:\n{text}");
}
