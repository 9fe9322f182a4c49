//! The report of a failure: message, place, source line with a caret, hints.
//!
//! It writes nothing itself. Nothing that came from outside reaches the terminal as a control
//! character.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::Failure;
use super::secret::{hidden_parts, masked};
use crate::source::Place;

/// How many terminal columns of a long source line are shown.
const LINE_COLUMNS: usize = 100;
/// How many of them at least stand before the caret.
const COLUMNS_BEFORE: usize = 40;
const TAB: &str = "    ";
/// So many bytes before a line are searched for the names of secrets.
const CONTEXT: usize = 16 * 1024;
/// A message that quotes a name of a megabyte is no help at full length.
const LONGEST_MESSAGE: usize = 4_000;

/// The escape codes of a report, all empty without colour.
struct Colours {
    error: &'static str,
    strong: &'static str,
    frame: &'static str,
    hint: &'static str,
    reset: &'static str,
}

const PLAIN: Colours = Colours {
    error: "",
    strong: "",
    frame: "",
    hint: "",
    reset: "",
};

const COLOURED: Colours = Colours {
    error: "\x1b[1;31m",
    strong: "\x1b[1m",
    frame: "\x1b[1;34m",
    hint: "\x1b[1;36m",
    reset: "\x1b[0m",
};

impl Failure {
    /// Renders the failure for a terminal or a log, without a line end after it.
    pub fn report(&self, colour: bool) -> String {
        let colours = if colour { COLOURED } else { PLAIN };
        let Colours {
            error,
            strong,
            hint,
            reset,
            ..
        } = colours;
        let message = shortened(&printable(&masked(&self.message)));
        let mut report = format!("{error}error{reset}{strong}: {message}{reset}");
        if let Some(place) = &self.place {
            report.push_str(&excerpt(place, &colours));
        }
        for text in &self.hints {
            // Writing to a string cannot fail.
            let _ = write!(
                report,
                "\n{hint}hint{reset}: {}",
                shortened(&printable(&masked(text)))
            );
        }
        report
    }
}

/// Renders a message that is no failure with its place, as a report does.
pub fn noted(message: &str, place: Option<&Place>) -> String {
    let mut text = shortened(&printable(&masked(message)));
    if let Some(place) = place {
        text.push_str(&excerpt(place, &PLAIN));
    }
    text
}

/// Makes control characters, line ends included, and direction overrides visible.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        push_printable(&mut safe, character);
    }
    safe
}

/// Takes the middle out of a text that is too long to read.
fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_MESSAGE {
        return text.to_owned();
    }
    let head = &text[..text.floor_char_boundary(LONGEST_MESSAGE / 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - LONGEST_MESSAGE / 4)..];
    format!("{head} … {tail}")
}

fn push_printable(text: &mut String, character: char) {
    match character {
        '\t' => text.push_str(TAB),
        // Direction marks and invisible characters can make text read as something that it is not.
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => {
            text.extend(character.escape_unicode());
        }
        control if control.is_control() => text.extend(control.escape_default()),
        plain => text.push(plain),
    }
}

/// Shows a place: its name, its line and a caret below, each on a line of its own behind a line end.
pub fn plain_excerpt(place: &Place) -> String {
    excerpt(place, &PLAIN)
}

fn excerpt(place: &Place, colours: &Colours) -> String {
    let Colours {
        error,
        frame,
        reset,
        ..
    } = colours;
    let (line, column) = place.line_and_column();
    let name = printable(&place.source.name);
    let cut = Cut::new(place);
    let number = line.to_string();
    let gap = " ".repeat(number.len());
    let carets = "^".repeat(cut.columns.max(1));
    let indent = " ".repeat(cut.columns_before);
    let shown = cut.text.trim_end();
    format!(
        "\n{gap}{frame}-->{reset} {name}:{line}:{column}\n\
         {gap} {frame}|{reset}\n\
         {frame}{number} |{reset} {shown}\n\
         {gap} {frame}|{reset} {indent}{error}{carets}{reset}"
    )
}

/// The part of a source line that is shown, and where the caret stands in it.
struct Cut {
    text: String,
    columns_before: usize,
    columns: usize,
}

impl Cut {
    fn new(place: &Place) -> Self {
        let text = &*place.source.text;
        let range = &place.range;
        let line_start = text[..range.start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let line_end = text[range.start..]
            .find('\n')
            .map_or(text.len(), |length| range.start + length);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let start = (range.start - line_start).min(line.len());
        let end = (range.end - line_start).clamp(start, line.len());

        let from = window_start(line, start);
        let mut cut = Self {
            text: String::new(),
            columns_before: 0,
            columns: 0,
        };
        // What a line hides may be named in a line before it.
        let context = text.floor_char_boundary(line_start.saturating_sub(CONTEXT));
        let hidden = hidden_parts(&text[context..line_end]);
        let is_hidden = |offset: usize| {
            let offset = offset - context;
            hidden.iter().any(|range| range.contains(&offset))
        };
        let mut used = 0;
        if from > 0 {
            cut.text.push('…');
            used = 1;
        }
        cut.columns_before = used;
        for (offset, character) in line[from..].char_indices() {
            let offset = from + offset;
            let character = match is_hidden(line_start + offset) {
                true => '*',
                false => character,
            };
            let width = columns(character);
            if used + width > LINE_COLUMNS {
                cut.text.push('…');
                break;
            }
            push_printable(&mut cut.text, character);
            used += width;
            if offset < start {
                cut.columns_before = used;
            } else if offset < end {
                cut.columns = used - cut.columns_before;
            }
        }
        cut
    }
}

/// Finds where to begin showing a line: at its start if the caret is near enough.
fn window_start(line: &str, caret: usize) -> usize {
    let mut used = 0;
    let mut from = caret;
    let mut near = caret;
    for (offset, character) in line[..caret].char_indices().rev() {
        used += columns(character);
        if used > LINE_COLUMNS * 4 / 5 {
            return near;
        }
        from = offset;
        if used <= COLUMNS_BEFORE {
            near = offset;
        }
    }
    from
}

/// The terminal columns that a character takes once it is printable.
fn columns(character: char) -> usize {
    let mut shown = String::new();
    push_printable(&mut shown, character);
    shown.chars().filter_map(UnicodeWidthChar::width).sum()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use crate::failure::{Failure, FailureKind};
    use crate::source::{Place, Source};

    fn failure(text: &str, range: Range<usize>) -> Failure {
        let source = Source::new("script.sql", text);
        Failure::new(FailureKind::Plan, "column `fare_amont` not found")
            .at(Place::new(&source, range))
    }

    #[test]
    fn reports_point_at_the_place() {
        let text = "-- one\n\nselect fare_amont from trips\n";
        let report = failure(text, 15..25)
            .hint("did you mean `fare_amount`?")
            .report(false);
        assert_eq!(
            report,
            "error: column `fare_amont` not found\n \
             --> script.sql:3:8\n  \
             |\n\
             3 | select fare_amont from trips\n  \
             |        ^^^^^^^^^^\n\
             hint: did you mean `fare_amount`?"
        );
    }

    /// Checks the source line and the caret line of a report.
    #[track_caller]
    fn check(text: &str, range: Range<usize>, line: &str, carets: &str) {
        let report = failure(text, range).report(false);
        let lines: Vec<&str> = report.lines().skip(3).collect();
        assert_eq!(lines[0].split_once("| ").map(|(_, line)| line), Some(line));
        assert_eq!(
            lines[1].split_once("| ").map(|(_, line)| line),
            Some(carets)
        );
    }

    #[test]
    fn carets_stay_aligned() {
        check("日本 x", 7..8, "日本 x", "     ^");
        check("a日本b", 1..7, "a日本b", " ^^^^");
        check("\tx\ty", 1..4, "    x    y", "    ^^^^^^");
        check("e\u{301}x", 3..4, "e\u{301}x", " ^");
        check("select", 6..6, "select", "      ^");
        check("select\r\nx", 0..6, "select", "^^^^^^");
        check("select (\n1\n)", 7..12, "select (", "       ^");
        check("", 0..0, "", "^");
        check("a\x1b[31mb", 6..7, "a\\u{1b}[31mb", "           ^");
        check("a\u{202e}b", 4..5, "a\\u{202e}b", "         ^");
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let long = "x".repeat(1_000_000);
        let text = format!("{long} here {long}");
        let report = failure(&text, 1_000_001..1_000_005).report(false);
        let lines: Vec<&str> = report.lines().collect();
        assert!(
            lines.iter().all(|line| line.chars().count() <= 110),
            "{report}"
        );
        let at = lines[3].chars().collect::<Vec<_>>();
        let caret = lines[4].find('^').unwrap_or_default();
        assert_eq!(at[caret..caret + 4].iter().collect::<String>(), "here");
        assert_eq!(lines[4].matches('^').count(), 4);
        assert!(lines[3].starts_with("1 | …xx") && lines[3].ends_with("xx…"));

        let whole = failure(&long, 0..long.len()).report(false);
        assert_eq!(whole.matches('^').count(), 100);
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        let mut failure = failure("a\x07", 0..1).hint("h\u{9b}1m\r");
        failure.message = "m\x1b]0;x\x07\n".to_owned();
        let report = failure.report(false);
        assert!(
            report
                .chars()
                .all(|each| each == '\n' || !each.is_control()),
            "{report:?}"
        );
        assert!(report.starts_with("error: m\\u{1b}]0;x\\u{7}\\n\n"));
        let coloured = failure.report(true);
        assert!(coloured.starts_with("\x1b[1;31merror\x1b[0m"));
        assert!(!coloured.contains('\x07'));
    }
}
