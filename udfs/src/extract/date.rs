//! Dates as people write them: `4-20-18`, `07/13/2018`, `JULY 26, 2018`, `26 July 2018`, `2018-07-26`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Years of two digits from here on are of the last century, those below of this one.
const PIVOT: i32 = 69;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let month = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
    let pattern = format!(
        r"(?ix)
        \b(?P<iso_year>\d{{4}})-(?P<iso_month>\d{{2}})-(?P<iso_day>\d{{2}})\b
        | \b(?P<month>\d{{1,2}})\ ?[-/.–]\ ?(?P<day>\d{{1,2}})\ ?[-/.–]\ ?(?P<year>\d{{4}}|\d{{2}})\b
        | \b(?P<name>{month})\b\.?\s*(?P<name_day>\d{{1,2}})(?:st|nd|rd|th)?\s*[,.]?\s*(?P<name_year>\d{{4}})\b
        | \b(?P<first_day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<last_name>{month})\b\.?,?\s+(?P<last_year>\d{{4}})\b"
    );
    Regex::new(&pattern).expect("the pattern of dates is valid")
});

/// A date in a text: the days since 1970-01-01, and from where to where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) days: i32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Returns the dates of a text in their order; what is no day of the calendar, such as 2-30-18, is left out.
pub(crate) fn dates(text: &str) -> impl Iterator<Item = Found> {
    DATE.captures_iter(text).filter_map(|found| {
        let whole = found.get_match();
        Some(Found {
            days: days(&found)?,
            start: whole.start(),
            end: whole.end(),
        })
    })
}

fn days(found: &Captures<'_>) -> Option<i32> {
    let number = |name: &str| found.name(name)?.as_str().parse::<i32>().ok();
    let month = |name: &str| {
        let letters = found.name(name)?.as_str().get(..3)?.to_ascii_lowercase();
        let place = MONTHS.iter().position(|month| *month == letters)?;
        i32::try_from(place + 1).ok()
    };
    if let Some(year) = number("iso_year") {
        return day_of(year, number("iso_month")?, number("iso_day")?);
    }
    if let Some(year) = found.name("year") {
        let short = year.as_str().len() == 2;
        let year: i32 = year.as_str().parse().ok()?;
        let year = match short {
            true if year < PIVOT => 2000 + year,
            true => 1900 + year,
            false => year,
        };
        return day_of(year, number("month")?, number("day")?);
    }
    if let Some(year) = number("name_year") {
        return day_of(year, month("name")?, number("name_day")?);
    }
    day_of(
        number("last_year")?,
        month("last_name")?,
        number("first_day")?,
    )
}

/// Counts the days since 1970-01-01 in the Gregorian calendar; `None` for a day that there is not.
fn day_of(year: i32, month: i32, day: i32) -> Option<i32> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    // Years that begin with March have their odd day at their end.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}
