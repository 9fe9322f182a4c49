//! Which lines of a bulletin are headings: by what they say, misspelled ones too, and by where they stand.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a heading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Salary,
    Notes,
    Duties,
    Requirements,
    Apply,
    Deadline,
    Selection,
    /// Something that no field holds; it ends what stands before it.
    Other,
}

/// Headings by their letters: blanks, strokes and plural marks in brackets do not count.
const HEADINGS: &[(Part, &[&str])] = &[
    (
        Part::Salary,
        &[
            "ANNUALSALARY",
            "ANNUALSALARIES",
            "ANNUALSALARYRANGE",
            "SALARY",
            "SALARIES",
            "SALARYRANGE",
            "SALARYRANGES",
            "HOURLYSALARY",
            "HOURLYRATE",
            "HOURLYRATES",
            "HOURLYSALARYRANGE",
            "MONTHLYSALARY",
            "BIWEEKLYSALARY",
            "COMPENSATION",
            "PAYRANGE",
            "RATEOFPAY",
            "PAYRATE",
        ],
    ),
    (
        Part::Notes,
        &["NOTE", "NOTES", "GENERALNOTES", "SALARYNOTES", "SALARYNOTE"],
    ),
    (
        Part::Duties,
        &[
            "DUTIES",
            "DUTY",
            "JOBDUTIES",
            "TYPICALDUTIES",
            "ESSENTIALDUTIES",
            "PRINCIPALDUTIES",
            "EXAMPLESOFDUTIES",
            "SUMMARYOFDUTIES",
            "DUTIESANDRESPONSIBILITIES",
            "DUTIESRESPONSIBILITIES",
            "DUTYSTATEMENT",
            "DESCRIPTIONOFDUTIES",
            "JOBDESCRIPTION",
            "RESPONSIBILITIES",
        ],
    ),
    (
        Part::Requirements,
        &[
            "REQUIREMENT",
            "REQUIREMENTS",
            "REQUIREMENTMINIMUMQUALIFICATION",
            "REQUIREMENTMINIMUMQUALIFICATIONS",
            "REQUIREMENTSMINIMUMQUALIFICATION",
            "REQUIREMENTSMINIMUMQUALIFICATIONS",
            "MINIMUMQUALIFICATIONREQUIREMENT",
            "MINIMUMQUALIFICATIONSREQUIREMENTS",
            "MINIMUMQUALIFICATION",
            "MINIMUMQUALIFICATIONS",
            "MINIMUMREQUIREMENT",
            "MINIMUMREQUIREMENTS",
            "QUALIFICATIONS",
            "REQUIREDQUALIFICATIONS",
            "REQUIREMENTSANDMINIMUMQUALIFICATIONS",
            "REQUIREMENTANDMINIMUMQUALIFICATION",
        ],
    ),
    (
        Part::Apply,
        &[
            "WHERETOAPPLY",
            "HOWTOAPPLY",
            "TOAPPLY",
            "WHEREANDHOWTOAPPLY",
            "HOWANDWHERETOAPPLY",
            "APPLICATION",
            "APPLICATIONS",
            "APPLICATIONPROCESS",
            "APPLICATIONPROCEDURE",
            "APPLICATIONINSTRUCTIONS",
            "AVAILABILITYOFAPPLICATIONS",
            "WHERETOFILE",
        ],
    ),
    (
        Part::Deadline,
        &[
            "APPLICATIONDEADLINE",
            "APPLICATIONDEADLINES",
            "APPLICATIONFILINGDEADLINE",
            "DEADLINE",
            "DEADLINETOAPPLY",
            "FILINGDEADLINE",
            "FINALFILINGDATE",
            "CLOSINGDATE",
            "CLOSEDATE",
            "FILINGPERIOD",
            "FILINGDATES",
            "APPLICATIONPERIOD",
            "APPLICATIONFILINGPERIOD",
            "APPLICATIONDATES",
            "LASTDAYTOAPPLY",
            "LASTDAYTOFILE",
        ],
    ),
    (
        Part::Selection,
        &[
            "SELECTIONPROCESS",
            "SELECTIONPROCEDURE",
            "SELECTIONPROCEDURES",
            "THESELECTIONPROCESS",
            "SELECTION",
            "EXAMINATIONPROCESS",
            "EXAMINATION",
            "SELECTIONPROCESSEXAMINATION",
        ],
    ),
    (
        Part::Other,
        &[
            "PROCESSNOTE",
            "PROCESSNOTES",
            "APPLICATIONNOTE",
            "APPLICATIONNOTES",
            "DESIREDQUALIFICATION",
            "DESIREDQUALIFICATIONS",
            "DESIRABLEQUALIFICATION",
            "DESIRABLEQUALIFICATIONS",
            "PREFERREDQUALIFICATIONS",
            "SELECTIVECERTIFICATION",
            "EXPERTREVIEWCOMMITTEE",
            "QUALIFICATIONSREVIEW",
            "NOTICE",
            "NOTICES",
            "DISCLAIMER",
            "BENEFITS",
            "WORKINGCONDITIONS",
            "GENERALINFORMATION",
            "ADDITIONALINFORMATION",
            "OTHERINFORMATION",
            "SPECIALINFORMATION",
            "PROBATIONARYPERIOD",
            "PHYSICALREQUIREMENTS",
            "MEDICALREQUIREMENTS",
            "EQUALEMPLOYMENTOPPORTUNITY",
            "EQUALOPPORTUNITYEMPLOYER",
            "ANEQUALOPPORTUNITYEMPLOYER",
            "ANEQUALEMPLOYMENTOPPORTUNITYEMPLOYER",
            "EQUALEMPLOYMENTOPPORTUNITYEMPLOYER",
            "CONTACTINFORMATION",
            "CONTACT",
            "VETERANSCREDIT",
            "VETERANSPREFERENCE",
            "REASONABLEACCOMMODATION",
            "ABOUTTHECITY",
            "DISASTERSERVICEWORKER",
        ],
    ),
];

/// What the end of a bulletin begins with where no heading stands.
const CLOSING: &[&str] = &[
    "THISEXAMINATIONISTOBEGIVEN",
    "ANEQUALEMPLOYMENTOPPORTUNITY",
    "ANEQUALOPPORTUNITY",
    "THECITYOFLOSANGELESDOESNOTDISCRIMINATE",
    "THECITYOFLOSANGELESISANEQUAL",
];

static BY_LETTERS: LazyLock<HashMap<&'static str, Part>> = LazyLock::new(|| {
    let named = HEADINGS.iter();
    named
        .flat_map(|(part, names)| names.iter().map(|name| (*name, *part)))
        .collect()
});

/// No heading has more letters than the longest of the list and what misspelling adds.
const MOST_LETTERS: usize = 48;

/// A heading, and where what it begins starts in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) part: Part,
    pub(super) body: usize,
    /// Whether the line holds nothing else.
    pub(super) alone: bool,
}

/// The lines around one, which tell a heading from prose that happens to begin with such a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
}

/// Finds the heading with which a line begins.
pub(super) fn heading(line: &str, around: Around<'_>) -> Option<Found> {
    let content = line.trim_start_matches(|c: char| c.is_whitespace() || "*#•>_=-".contains(c));
    if !content.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let offset = line.len() - content.len();
    let words = Words::of(content);
    let found = whole(content, &words, around).or_else(|| begun(content, &words, around))?;
    let in_prose = around.before.is_some_and(is_broken_off)
        && starts_low(match found.alone {
            true => around.after.unwrap_or_default(),
            false => &content[found.body..],
        });
    (!in_prose).then_some(Found {
        body: found.body + offset,
        ..found
    })
}

/// The first words of a line: their letters in upper case, and where each ends in both.
struct Words {
    letters: String,
    ends: Vec<(usize, usize)>,
    /// Whether the line has nothing but these words and marks.
    complete: bool,
}

impl Words {
    fn of(content: &str) -> Self {
        let mut letters = String::new();
        let mut ends = Vec::new();
        let mut in_word = false;
        let mut complete = true;
        for (place, character) in content.char_indices() {
            if character.is_ascii_alphabetic() {
                if letters.len() == MOST_LETTERS {
                    complete = false;
                    break;
                }
                letters.push(character.to_ascii_uppercase());
                in_word = true;
                continue;
            }
            if in_word && !matches!(character, '\'' | '’') {
                ends.push((letters.len(), place));
                in_word = false;
            }
            if !character.is_whitespace() && !"/&().,:;*#_-–—'’=$".contains(character) {
                complete = false;
                break;
            }
            if character == '$' {
                complete = false;
                break;
            }
        }
        if in_word && complete {
            ends.push((letters.len(), content.len()));
        }
        Self {
            letters,
            ends,
            complete,
        }
    }
}

/// A heading that is all that its line has.
fn whole(content: &str, words: &Words, around: Around<'_>) -> Option<Found> {
    let content = content.trim_end();
    let is_upper = !content.bytes().any(|byte| byte.is_ascii_lowercase());
    if is_upper
        && CLOSING
            .iter()
            .any(|closing| words.letters.starts_with(closing))
    {
        return Some(Found {
            part: Part::Other,
            body: 0,
            alone: false,
        });
    }
    if !words.complete || content.ends_with(['.', ',', ';']) {
        return None;
    }
    let exact = BY_LETTERS.get(words.letters.as_str()).copied();
    let part = match exact {
        Some(part) => part,
        None if is_upper => misspelled(&words.letters).or_else(|| joined(content))?,
        None => return None,
    };
    let stands_apart =
        content.ends_with(':') || around.before.is_none_or(|before| before.trim().is_empty());
    (is_upper || stands_apart && is_titled(content)).then_some(Found {
        part,
        body: content.len(),
        alone: true,
    })
}

/// Two headings in one line, `WHERE TO APPLY / APPLICATION DEADLINE`: the last that says where
/// to look decides, since what follows speaks of all of them.
fn joined(content: &str) -> Option<Part> {
    let parts = content.split(['/', '&']);
    let parts: Option<Vec<Part>> = parts
        .flat_map(|part| part.split(" AND "))
        .map(|part| {
            let letters: String = part.chars().filter(char::is_ascii_alphabetic).collect();
            BY_LETTERS.get(letters.as_str()).copied()
        })
        .collect();
    let parts = parts.filter(|parts| parts.len() > 1)?;
    let deadline = parts.iter().find(|part| **part == Part::Deadline);
    deadline.or(parts.first()).copied()
}

/// A heading before text in the same line: `DUTIES: A worker …`, `ANNUAL SALARY  $49,903 to …`.
fn begun(content: &str, words: &Words, around: Around<'_>) -> Option<Found> {
    let is_upper = |end: usize| !content[..end].bytes().any(|byte| byte.is_ascii_lowercase());
    let mut longest_first = words.ends.iter().rev();
    let exact = longest_first
        .find_map(|(letters, end)| Some((*BY_LETTERS.get(&words.letters[..*letters])?, *end)));
    if let Some(found) = exact.and_then(|(part, end)| divided(content, part, end, around)) {
        return Some(found);
    }
    // With the first word of its text a heading looks misspelled, too: the nearest name is the one meant.
    let ends = words.ends.iter().rev().filter(|(_, end)| is_upper(*end));
    let near = ends.filter_map(|(letters, end)| {
        let (distance, part) = nearest(&words.letters[..*letters])?;
        Some((distance, divided(content, part, *end, around)?))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, found)| found)
}

/// Says what a name begins that ends at a place of its line, if the rest of the line stands apart from it.
fn divided(content: &str, part: Part, end: usize, around: Around<'_>) -> Option<Found> {
    let name = &content[..end];
    let is_upper = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    // A plural in brackets belongs to the name: `REQUIREMENT(S)`.
    let rest = &content[end..];
    let rest = rest
        .strip_prefix("(S)")
        .unwrap_or(rest)
        .trim_start_matches(')');
    let body = rest.trim_start_matches(|c: char| c.is_whitespace() || ":*_-–—".contains(c));
    let gap = &rest[..rest.len() - body.len()];
    let is_divided =
        gap.contains([':', '\t', '–', '—']) || gap.contains("  ") || gap.contains(" - ");
    let begins_text = body.starts_with('$')
        || around.before.is_none_or(|before| before.trim().is_empty()) && starts_sentence(body);
    let counts = match is_upper {
        true => is_divided || begins_text,
        false => gap.contains(':') && is_titled(name),
    };
    (counts && (is_upper || !body.is_empty())).then_some(Found {
        part,
        body: content.len() - body.len(),
        alone: body.is_empty(),
    })
}

/// Finds a heading of which a letter or two are wrong, missing, doubled or in each other's place.
fn misspelled(letters: &str) -> Option<Part> {
    nearest(letters).map(|(_, part)| part)
}

/// Finds the heading that is nearest to some letters, and how many of them are wrong.
fn nearest(letters: &str) -> Option<(usize, Part)> {
    if letters.len() < 6 {
        return None;
    }
    let allowed = if letters.len() < 12 { 1 } else { 3 };
    let all = BY_LETTERS.iter().filter(|(name, _)| name.len() >= 6);
    let near = all.filter(|(name, _)| {
        name.len().abs_diff(letters.len()) <= allowed && name.as_bytes()[0] == letters.as_bytes()[0]
    });
    near.map(|(name, part)| (distance(name.as_bytes(), letters.as_bytes()), *name, *part))
        .filter(|(distance, _, _)| *distance <= allowed)
        .min_by_key(|(distance, name, _)| (*distance, *name))
        .map(|(distance, _, part)| (distance, part))
}

/// How many letters have to be changed, added, dropped or swapped with their neighbour.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let width = right.len() + 1;
    let mut table = vec![(0..width).collect::<Vec<usize>>()];
    for (row, letter) in left.iter().enumerate() {
        let mut next = vec![row + 1; width];
        for (place, other) in right.iter().enumerate() {
            let last = &table[row];
            let changed = last[place] + usize::from(letter != other);
            let mut least = changed.min(last[place + 1] + 1).min(next[place] + 1);
            let may_swap = row > 0 && place > 0;
            if may_swap && left[row - 1] == *other && *letter == right[place - 1] {
                least = least.min(table[row - 1][place - 1] + 1);
            }
            next[place + 1] = least;
        }
        table.push(next);
    }
    table[left.len()][right.len()]
}

/// Each word of a title begins with a capital letter, but for short ones.
fn is_titled(name: &str) -> bool {
    let first = name
        .split(|c: char| !c.is_ascii_alphabetic())
        .find(|word| !word.is_empty());
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic());
    first.is_some_and(|word| word.as_bytes()[0].is_ascii_uppercase())
        && words.all(|word| word.len() < 4 || word.as_bytes()[0].is_ascii_uppercase())
}

/// Says whether a line ends in the middle of a sentence.
fn is_broken_off(line: &str) -> bool {
    let line = line.trim_end();
    let last_is_open = line.ends_with(|c: char| c.is_ascii_lowercase() || c == ',');
    last_is_open && line.split_whitespace().count() > 2
}

fn starts_low(text: &str) -> bool {
    let word: &str = text.split_whitespace().next().unwrap_or_default();
    // `a.` and `b)` are marks of a list.
    let is_mark = word.len() <= 3 && word.ends_with(['.', ')']);
    word.starts_with(|c: char| c.is_ascii_lowercase()) && !is_mark
}

/// Says whether a text begins like a sentence: a capital letter, then small ones or a blank.
fn starts_sentence(text: &str) -> bool {
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return false;
    };
    let second = characters.next();
    first.is_ascii_digit()
        || first.is_ascii_uppercase()
            && second.is_some_and(|second| second.is_ascii_lowercase() || second == ' ')
}
