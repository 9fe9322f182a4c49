//! Salaries: ranges of dollars, without what the Department of Water and Power pays.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a job pays, from the first general range's begin to the last one's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Salary {
    pub(crate) start: f64,
    pub(crate) end: f64,
}

static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    let amount = r"(?:\d{1,3}(?:\s?,\s?\d{3})+|\d+)(?:\.\d{1,2}\b)?";
    let pattern = format!(
        r"(?ix)
        \$\s*(?P<low>{amount})
        (?:
            (?:\s*(?:an?\s+hour|per\s+hour|hourly|annually|per\s+year|per\s+annum))?
            \s*(?:\bup\s+to\b|\bto\b|\bthrough\b|\bthru\b|-|–|—|−)\s*
            \$?\s*(?P<high>{amount})
        |   \s*,?\s*\(?\s*(?P<flat>flat[\s-]*rated?)
        )?"
    );
    Regex::new(&pattern).expect("the pattern of ranges is valid")
});

/// The other employer, and how its salaries begin.
static POWER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bwater\s+(?:and|&)\s+power\b|\b(?:LA)?DWP\b")
        .expect("the pattern of the department is valid")
});

/// What is paid beside a salary.
static EXTRA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:bonus(?:es)?|differential|stipend|allowance|overtime|reimburse[a-z]*)\b")
        .expect("the pattern of what is paid beside is valid")
});

/// Returns what a text about salaries says; `None` if there is no amount.
pub(crate) fn salary(text: &str) -> Option<Salary> {
    let foreign = foreign(text);
    let mut found: Option<Salary> = None;
    // An amount alone counts where there is nothing better: it may be a bonus.
    let mut lone = None;
    for range in RANGE.captures_iter(text) {
        let place = range.get_match().start();
        if foreign.iter().any(|foreign| foreign.contains(&place)) {
            continue;
        }
        if EXTRA.is_match(&text[clause_start(&text[..place])..place]) {
            continue;
        }
        let Some(low) = range.name("low").and_then(|low| amount(low.as_str())) else {
            continue;
        };
        let high = range.name("high").and_then(|high| amount(high.as_str()));
        let high = match (high, range.name("flat")) {
            (Some(high), _) => high,
            (None, Some(_)) => low,
            (None, None) => {
                lone = lone.or(Some(low));
                continue;
            }
        };
        let start = found.map_or(low, |found| found.start);
        found = Some(Salary { start, end: high });
    }
    found.or(lone.map(|only| Salary {
        start: only,
        end: only,
    }))
}

fn amount(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .filter(|character| character.is_ascii_digit() || *character == '.')
        .collect();
    digits.parse().ok()
}

/// Returns where a text speaks of the other department's salaries.
fn foreign(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut beyond = 0;
    for power in POWER.find_iter(text) {
        if power.start() < beyond {
            continue;
        }
        let clause = clause_start(&text[..power.start()]);
        let is_lead = !text[clause..power.start()].contains('$');
        let end = match is_lead {
            // What follows is what it pays: to the end of the paragraph or the sentence.
            true => power.end() + paragraph(&text[power.end()..]),
            // Such a range stands before its name: `$1 to $2 in the Department of …`.
            false => power.end(),
        };
        beyond = end;
        places.push(clause..end);
    }
    places
}

/// Where the clause begins at whose end a text stops.
fn clause_start(text: &str) -> usize {
    static BREAK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i);|\.\s|\n\s*\n|\n\s*the\b|\d\)?,?\s*\n|(?:\band\b|,|\))\s+the\s+salary|\band\s+\$")
            .expect("the pattern of clauses is valid")
    });
    BREAK.find_iter(text).last().map_or(0, |found| found.end())
}

/// How far the paragraph goes on whose first part is behind.
fn paragraph(text: &str) -> usize {
    let mut length = 0;
    let mut is_open = true;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if content.is_empty() && length > 0 {
            break;
        }
        // After a whole range a line that begins one, or names what it is about, is no continuation.
        let begins = content.starts_with('$') || content.starts_with("The ");
        if length > 0 && begins && !is_open {
            break;
        }
        if let Some(end) = sentence_end(line) {
            return length + end;
        }
        length += line.len();
        let last = content
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or_default();
        is_open = content.ends_with([';', ',', '$', '-', '–'])
            || matches!(
                last,
                "and" | "to" | "is" | "through" | "from" | "are" | "or"
            )
            || !content.ends_with(|c: char| c.is_ascii_digit() || c == ')' || c == '.');
    }
    length
}

/// Finds a full stop with another sentence behind it.
fn sentence_end(line: &str) -> Option<usize> {
    let places = line.match_indices(". ");
    places
        .filter(|(place, _)| {
            let rest = line[place + 1..].trim_start();
            rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '$')
        })
        .map(|(place, _)| place + 1)
        .next()
}
