//! Job bulletins as the City of Los Angeles writes them: thirteen fields out of one text.
//!
//! One pass over the lines finds the headings and what stands under each. Each field is then looked
//! for only where it stands, so that a word such as DUTIES in the middle of a sentence is no heading
//! and a date of an examination no deadline.

mod application;
mod fields;
mod head;
mod heading;

use std::borrow::Cow;
use std::ops::Range;

use super::duration::{Topic, duration};
use super::lines::{Line, lines, plain, trimmed};
use super::salary::{Salary, salary};
use heading::{Around, Part, heading};

pub(super) use fields::{APPLICATION_LOCATION, BULLETIN, CLASS_CODE, DEADLINE, SALARY_RANGE};

/// What a bulletin says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bulletin {
    pub(crate) position: Option<String>,
    pub(crate) class_code: Option<String>,
    pub(crate) salary: Option<Salary>,
    /// Days since 1970-01-01.
    pub(crate) start_date: Option<i32>,
    pub(crate) end_date: Option<i32>,
    pub(crate) requirements: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) duties: Option<String>,
    pub(crate) selection: Option<String>,
    pub(crate) experience: Option<String>,
    pub(crate) education: Option<String>,
    pub(crate) location: Option<String>,
}

impl Bulletin {
    /// Reads a bulletin.
    pub(crate) fn of(text: &str) -> Self {
        let text = plain(text);
        let outline = Outline::of(&text);
        let requirements = outline.section(Part::Requirements);
        let asked = requirements.as_deref().unwrap_or_default();
        let mut bulletin = Self {
            position: outline.position.clone(),
            class_code: head::class_code(&text),
            salary: outline.salary(),
            start_date: head::opened(&text),
            end_date: outline.deadline(),
            notes: outline.notes(),
            duties: outline.section(Part::Duties).map(Cow::into_owned),
            selection: outline.section(Part::Selection).map(Cow::into_owned),
            experience: duration(asked, Topic::Experience),
            education: duration(asked, Topic::Education),
            location: outline.location().map(str::to_owned),
            requirements: None,
        };
        bulletin.requirements = requirements.map(Cow::into_owned);
        bulletin
    }
}

/// Returns what a text pays: what stands under the heading for it, or all of a text without one.
pub(super) fn salary_of(text: &str) -> Option<Salary> {
    Outline::of(&plain(text)).salary()
}

/// Returns the deadline of a bulletin, or of a text about one.
pub(super) fn deadline_of(text: &str) -> Option<i32> {
    Outline::of(&plain(text)).deadline()
}

/// Returns where a bulletin wants applications, or a text about them.
pub(super) fn location_of(text: &str) -> Option<&'static str> {
    Outline::of(&plain(text)).location()
}

/// What stands where in a bulletin.
struct Outline<'a> {
    text: &'a str,
    position: Option<String>,
    /// Where the first heading stands.
    head: usize,
    parts: Vec<(Part, Range<usize>)>,
}

impl<'a> Outline<'a> {
    fn of(text: &'a str) -> Self {
        let mut outline = Self {
            text,
            position: None,
            head: text.len(),
            parts: Vec::new(),
        };
        let mut all = lines(text).peekable();
        let mut before: Option<Line<'_>> = None;
        let mut has_title = false;
        while let Some(line) = all.next() {
            let around = Around {
                before: before.map(|line| line.text),
                after: all.peek().map(|line| line.text),
            };
            before = Some(line);
            if !has_title
                && !line.text.trim().is_empty()
                && let Some(position) = head::position(line.text)
                && !is_headed(line.text, around)
            {
                outline.extend_title(position, &mut has_title);
                continue;
            }
            outline.add(line, around, &mut has_title);
        }
        outline
    }

    /// Takes a line as the position, or as the rest of it.
    fn extend_title(&mut self, line: String, has_title: &mut bool) {
        let position = match self.position.take() {
            Some(begun) => format!("{begun} {line}"),
            None => line,
        };
        *has_title = !head::goes_on(&position);
        self.position = Some(position);
    }

    fn add(&mut self, line: Line<'_>, around: Around<'_>, has_title: &mut bool) {
        if head::is_mark(line.text) {
            if !self.parts.is_empty() {
                self.begin(Part::Other, line.start, line.start);
            }
            return;
        }
        let Some(found) = heading(line.text, around) else {
            return;
        };
        let body = line.start + found.body;
        match found.part {
            Part::Notes if self.is_note_within() => {}
            part => {
                *has_title = true;
                self.begin(part, line.start, body);
            }
        }
    }

    /// Ends what stands before a place and begins another part.
    fn begin(&mut self, part: Part, start: usize, body: usize) {
        self.head = self.head.min(start);
        if let Some((_, last)) = self.parts.last_mut() {
            last.end = start;
        }
        self.parts.push((part, body..self.text.len()));
    }

    /// Says whether a note at this place belongs to the part in which it stands: after the notes of the
    /// bulletin, and wherever candidates are told how to go on.
    fn is_note_within(&self) -> bool {
        let Some((last, _)) = self.parts.last() else {
            return false;
        };
        let has_notes = self.parts.iter().any(|(part, _)| *part == Part::Notes);
        match last {
            Part::Notes => true,
            Part::Apply | Part::Deadline => true,
            _ => has_notes,
        }
    }

    /// What stands under the headings of a part, one after the other.
    fn section(&self, part: Part) -> Option<Cow<'a, str>> {
        let named = self.parts.iter().filter(|(other, _)| *other == part);
        let mut bodies = named.filter_map(|(_, place)| trimmed(&self.text[place.clone()]));
        let first = bodies.next()?;
        let mut all = Cow::Borrowed(first);
        for body in bodies {
            all = Cow::Owned(format!("{all}\n\n{body}"));
        }
        Some(all)
    }

    /// The notes: those that stand first.
    fn notes(&self) -> Option<String> {
        let mut notes = self.parts.iter().filter(|(part, _)| *part == Part::Notes);
        let (_, place) = notes.next()?;
        trimmed(&self.text[place.clone()]).map(str::to_owned)
    }

    fn salary(&self) -> Option<Salary> {
        match self.section(Part::Salary) {
            Some(section) => salary(&section),
            // Without a heading it stands at the top, or the text is about nothing else.
            None if self.parts.is_empty() => salary(self.text),
            None => salary(&self.text[..self.head]),
        }
    }

    fn deadline(&self) -> Option<i32> {
        if let Some(section) = self.section(Part::Deadline) {
            return application::deadline(&section);
        }
        let apply = self.section(Part::Apply);
        let told = apply.as_deref().and_then(application::mentioned_deadline);
        told.or_else(|| {
            let requirements = self
                .parts
                .iter()
                .find(|(part, _)| *part == Part::Requirements);
            match requirements {
                // What has to be fulfilled by some day is no deadline.
                Some((_, place)) => application::mentioned_deadline(&self.text[place.end..])
                    .or_else(|| application::mentioned_deadline(&self.text[..place.start])),
                None => application::mentioned_deadline(self.text),
            }
        })
    }

    fn location(&self) -> Option<&'static str> {
        let apply = self.section(Part::Apply);
        let told = apply.as_deref().and_then(application::location);
        let told = told.or_else(|| application::location(&self.section(Part::Deadline)?));
        told.or_else(|| application::location(self.text))
    }
}

fn is_headed(line: &str, around: Around<'_>) -> bool {
    heading(line, around).is_some()
}
