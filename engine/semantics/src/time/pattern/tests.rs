//! The expected texts are those of PostgreSQL 15 and Spark 3.5.

use chrono::NaiveDate;

use super::shown::{By, Shown};
use super::{Style, with_minutes};

#[track_caller]
fn check(style: Style, pattern: &str, expected: &str) {
    let clock = NaiveDate::from_ymd_opt(2024, 3, 5)
        .unwrap()
        .and_hms_micro_opt(15, 4, 9, 70_120)
        .unwrap();
    let zone = By::new("Europe/Berlin").unwrap();
    let shown = Shown::at(clock, Some(&zone)).unwrap();
    let mut out = String::new();
    let written = style
        .parse(pattern)
        .and_then(|pattern| pattern.write(&shown, &mut out));
    assert_eq!(written.map(|()| out), Ok(expected.to_owned()), "{pattern}");
}

#[test]
fn writes_postgresqls_patterns() {
    let check = |pattern, expected| check(Style::Postgres, pattern, expected);
    check("YYYY-MM-DD HH24:MI:SS.US", "2024-03-05 16:04:09.070120");
    check("yyyy/mm/dd hh12 AM a.m.", "2024/03/05 04 PM p.m.");
    check(
        "Day|DAY|day|Dy|FMDay",
        "Tuesday  |TUESDAY  |tuesday  |Tue|Tuesday",
    );
    check(
        "Month|MON|mon|FMMonth|TMMonth",
        "March    |MAR|mar|March|March",
    );
    check("FMDDth FMMM DDTH", "5th 3 05TH");
    check("Y,YYY YYY YY Y CC Q W WW IW", "2,024 024 24 4 21 1 1 10 10");
    check("IYYY-IW-ID IDDD DDD D J", "2024-10-2 065 065 3 2460375");
    check("MS FF1 FF3 SSSS RM rm", "070 0 070 57849 III  iii ");
    check("TZ tz TZH:TZM OF", "CET cet +01:00 +01");
    check("\"T\"HH24 \"a \\\" b\"", "T16 a \" b");
    check("AD B.C.", "AD A.D.");
}

#[test]
fn writes_sparks_patterns() {
    let check = |pattern, expected| check(Style::Spark, pattern, expected);
    check("yyyy-MM-dd HH:mm:ss.SSS", "2024-03-05 16:04:09.070");
    check("y yy M MMM MMMM d D", "2024 24 3 Mar March 5 65");
    check("E EEEE a h K k H", "Tue Tuesday PM 4 4 16 16");
    check("Q QQ QQQ QQQQ", "1 01 Q1 1st quarter");
    check("yyyy-MM-dd'T'HH:mm:ss''", "2024-03-05T16:04:09'");
    check(
        "VV z O X XX XXX x Z ZZZZ",
        "Europe/Berlin CET GMT+01 +01 +0100 +01:00 +01 +0100 GMT+01:00",
    );
    check("[dd]", "05");
}

#[test]
fn names_what_is_no_pattern() {
    let problem = |style: Style, pattern| match style.parse(pattern) {
        Ok(_) => String::new(),
        Err(problem) => problem,
    };
    assert_eq!(
        problem(Style::Postgres, "YYYY foo"),
        "`foo` is no pattern (text stands in double quotes)"
    );
    assert_eq!(
        problem(Style::Spark, "YYYY-MM-dd"),
        "`YYYY` is no pattern (text stands in single quotes)"
    );
    assert_eq!(
        problem(Style::Spark, "ddd"),
        "`ddd` is no pattern (at most 2 letters `d`)"
    );
}

#[test]
fn takes_mysqls_minutes() {
    assert_eq!(with_minutes("%H:%i %%i"), "%H:%M %%i");
}
