//! Until when applications are taken, and where.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use crate::extract::date::{Found, dates};

/// Between the two dates of a span.
static SPAN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:to|through|thru|until|and)\b|[-–—]")
        .expect("the pattern of spans is valid")
});

/// What a deadline's sentence says before its date.
static LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:until|by|before|no\s+later\s+than|deadline|clos(?:es?|ed|ing)|ends?|through|last\s+day|filing|received|submitted|filed|accepted)\b",
    )
    .expect("the pattern of limits is valid")
});

/// What makes a sentence outside of the deadline's own section speak of it.
static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\bappl(?:y|ications?)\b[^.]*\b(?:accepted|received|submitted|filed|close|deadline|until|by)\b|\bdeadline\b|\bfiling\s+(?:period|will|opens?|clos)|\blast\s+day\s+to\s+(?:apply|file)\b",
    )
    .expect("the pattern of sentences about deadlines is valid")
});

/// How far apart the dates of a span may stand.
const SPAN_LENGTH: usize = 120;

/// Returns the deadline that a section about it names: the later date of its last span, or else the date
/// that something has to be done by.
pub(super) fn deadline(section: &str) -> Option<i32> {
    let found: Vec<Found> = dates(section).collect();
    let spans = found.windows(2).filter(|pair| is_span(section, pair));
    if let Some(end) = spans.map(|pair| pair[1].days).max() {
        return Some(end);
    }
    let has_limit =
        |date: &&Found| LIMIT.is_match(&section[sentence_start(section, date.start)..date.start]);
    found
        .iter()
        .find(has_limit)
        .or(found.first())
        .map(|date| date.days)
}

/// Returns the deadline that some sentence of a text names.
pub(super) fn mentioned_deadline(text: &str) -> Option<i32> {
    let found: Vec<Found> = dates(text).collect();
    let about = |date: &Found| {
        let start = sentence_start(text, date.start);
        ABOUT.is_match(&text[start..date.start])
    };
    let spans = found
        .windows(2)
        .filter(|pair| is_span(text, pair) && about(&pair[0]));
    if let Some(end) = spans.map(|pair| pair[1].days).max() {
        return Some(end);
    }
    found.iter().find(|date| about(date)).map(|date| date.days)
}

fn is_span(text: &str, pair: &[Found]) -> bool {
    let between = &text[pair[0].end..pair[1].start];
    let before = &text[sentence_start(text, pair[0].start)..pair[0].start];
    let joins = SPAN.find(between);
    // `March 1, 2018 and May 1, 2018` are two dates, `between March 1, 2018 and May 1, 2018` is a span.
    let is_and = joins.is_some_and(|joins| joins.as_str().eq_ignore_ascii_case("and"));
    between.len() <= SPAN_LENGTH
        && sentence_start(text, pair[1].start) <= pair[0].start
        && joins.is_some()
        && (!is_and || before.to_ascii_lowercase().contains("between"))
        && pair[0].days <= pair[1].days
}

/// Where the sentence begins in which a place lies; the stops of `a.m.` and `p.m.` end none.
fn sentence_start(text: &str, place: usize) -> usize {
    let before = &text[..place];
    let stops = before.rmatch_indices(". ").map(|(stop, _)| stop);
    let stops = stops.chain(before.rmatch_indices(".\n").map(|(stop, _)| stop));
    let ends = |stop: &usize| {
        let word = &before[..*stop];
        !word.ends_with(".m") && !word.ends_with(".M")
    };
    let stop = stops.filter(ends).max().map_or(0, |stop| stop + 1);
    let blank = before.rfind("\n\n").map_or(0, |blank| blank + 2);
    stop.max(blank)
}

static WHERE: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        // Taken through the network.
        r"(?i)\bappl[^.]{0,120}\bon-?\s?line\b|\bon-?\s?line\b[^.]{0,60}\bappl|\bapply\s+on-?\s?line|governmentjobs\.com",
        // Taken on paper.
        r"(?i)\bby\s+(?:u\.?s\.?\s+)?mail\b|\bmailed\b|\bmail\s+(?:or|your|the|to|completed)\b|\bin[\s-]+person\b|\bpostmarked\b|\b(?:application|applications|forms?)\b[^.]{0,120}\b(?:returned|delivered|filed|submitted)\s+(?:to|at)\b|\bapplication\s+section\b",
        // Not taken through the network.
        r"(?i)\bnot\s+(?:be\s+)?(?:accepted\s+)?on-?\s?line\b|\bon-?\s?line\s+applications?\s+(?:will|are)\s+not\b",
        // Taken through the network and in no other way.
        r"(?i)\bonly\s+(?:be\s+)?(?:accepted\s+)?on-?\s?line\b|\bon-?\s?line\s+only\b",
    ])
    .expect("the patterns of places are valid")
});

/// Where applications go: `Online`, or `Mail or In Person`, or both; `None` if nothing is said of it.
pub(super) fn location(text: &str) -> Option<&'static str> {
    let found = WHERE.matches(text);
    let online = found.matched(0) && !found.matched(2);
    match (online, found.matched(1)) {
        (true, _) => Some("Online"),
        (false, true) => Some("Mail or In Person"),
        (false, false) => None,
    }
}
