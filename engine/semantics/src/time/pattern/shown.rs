//! What calendar and clock show, of which patterns write parts.

use chrono::{Datelike, FixedOffset, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::OffsetName;
use datafusion::arrow::array::timezone::Tz;
use datafusion::common::Result;

use crate::time::local::zone;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Sunday on.
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Whether there is a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    Day,
    /// A time of day has none.
    None,
}

/// The zone in which moments are shown.
pub(super) struct By {
    zone: Tz,
    named: Option<chrono_tz::Tz>,
    name: String,
}

impl By {
    pub(super) fn new(name: &str) -> Result<Self> {
        Ok(Self {
            zone: zone(name)?,
            named: name.parse().ok(),
            name: name.to_owned(),
        })
    }

    /// `CET`, or `+05:00` where the zone has no name.
    fn short(&self, utc: &NaiveDateTime, offset: FixedOffset) -> String {
        let named = self.named.map(|zone| zone.offset_from_utc_datetime(utc));
        let short = named.as_ref().and_then(OffsetName::abbreviation);
        short.map_or_else(|| offset.to_string(), str::to_owned)
    }
}

/// What is shown in a zone.
#[derive(Debug, Clone)]
pub(super) struct ShownZone {
    /// Seconds east of UTC.
    pub(super) offset: i32,
    /// `CET`, or `+05:00` where the zone has no name.
    pub(super) short: String,
    pub(super) name: String,
}

/// What calendar and clock show at a moment.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) clock: NaiveDateTime,
    pub(super) calendar: Calendar,
    pub(super) zone: Option<ShownZone>,
}

impl Shown {
    /// Returns what clocks of a zone show, or, without one, the time itself.
    pub(super) fn at(utc: NaiveDateTime, by: Option<&By>) -> Option<Self> {
        let Some(by) = by else {
            return Some(Self {
                clock: utc,
                calendar: Calendar::Day,
                zone: None,
            });
        };
        let offset = by.zone.offset_from_utc_datetime(&utc).fix();
        Some(Self {
            clock: utc.checked_add_offset(offset)?,
            calendar: Calendar::Day,
            zone: Some(ShownZone {
                offset: offset.local_minus_utc(),
                short: by.short(&utc, offset),
                name: by.name.clone(),
            }),
        })
    }

    /// The year as it is counted: 1 BC is the year 0.
    pub(super) fn year(&self) -> i32 {
        self.clock.year()
    }

    /// The year of the era.
    pub(super) fn year_of_era(&self) -> i32 {
        match self.year() {
            year if year > 0 => year,
            year => 1 - year,
        }
    }

    pub(super) fn is_before_christ(&self) -> bool {
        self.year() <= 0
    }

    /// From 0 for Sunday.
    pub(super) fn weekday(&self) -> usize {
        self.clock.weekday().num_days_from_sunday() as usize
    }

    pub(super) fn quarter(&self) -> u32 {
        self.clock.month0() / 3 + 1
    }

    pub(super) fn month_name(&self) -> &'static str {
        MONTHS[self.clock.month0() as usize]
    }

    pub(super) fn day_name(&self) -> &'static str {
        DAYS[self.weekday()]
    }

    /// The hour as clocks with twelve hours show it.
    pub(super) fn hour_of_twelve(&self) -> u32 {
        match self.clock.hour() % 12 {
            0 => 12,
            hour => hour,
        }
    }

    pub(super) fn is_afternoon(&self) -> bool {
        self.clock.hour() >= 12
    }

    /// Digits of the second's fraction, cut.
    pub(super) fn fraction(&self, digits: usize) -> String {
        let nanoseconds = format!("{:09}", self.clock.nanosecond() % 1_000_000_000);
        match nanoseconds.get(..digits) {
            Some(cut) => cut.to_owned(),
            None => format!("{nanoseconds:0<digits$}"),
        }
    }
}

/// Writes an offset: `+05:30`, with or without the colon and minutes of zero.
pub(super) fn offset(seconds: i32, colon: &str, always_minutes: bool) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match minutes == 0 && !always_minutes {
        true => format!("{sign}{hours:02}"),
        false => format!("{sign}{hours:02}{colon}{minutes:02}"),
    }
}
