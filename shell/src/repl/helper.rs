//! Joins highlighting, completion, hints and "is it complete?" to the line editor.

use std::borrow::Cow;
use std::cell::Cell;

use lakesh_engine::input::{self, SplitOptions};
use rustyline::completion::Pair;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::completion::Completer;
use super::continuation::{with_marks_before, without_marks};
use super::highlight::{highlight, without_colour};
use super::hint::{Hints, LineHint};

/// What the line editor asks while the user types.
pub(super) struct PromptHelper {
    completer: Completer,
    hints: Hints,
    colour: bool,
    /// Whether the text was submitted, and no bracket is to be marked any more.
    submitted: Cell<bool>,
}

impl PromptHelper {
    pub(super) fn new(completer: Completer, hints: Hints, colour: bool) -> Self {
        Self {
            completer,
            hints,
            colour,
            submitted: Cell::new(false),
        }
    }
}

impl Helper for PromptHelper {}

impl Hinter for PromptHelper {
    type Hint = LineHint;

    fn hint(&self, line: &str, position: usize, context: &Context<'_>) -> Option<LineHint> {
        // Without colour nothing would tell it from what was typed.
        let shown = self.colour;
        shown.then(|| self.hints.find(line, position, context))?
    }
}

impl rustyline::completion::Completer for PromptHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let cursor = without_marks(&line[..position]).len();
        let (start, pairs) = self.completer.complete(&without_marks(line), cursor);
        Ok((with_marks_before(line, start), pairs))
    }
}

impl Highlighter for PromptHelper {
    fn highlight<'l>(&self, line: &'l str, position: usize) -> Cow<'l, str> {
        match self.colour {
            true => highlight(line, (!self.submitted.get()).then_some(position)),
            false => without_colour(line),
        }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        match self.colour {
            true => Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m")),
            false => Cow::Borrowed(prompt),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        self.submitted.set(kind == CmdKind::ForcedRefresh);
        true
    }
}

impl Validator for PromptHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(&without_marks(context.input())) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Tells whether Enter submits the text.
pub(super) fn is_complete(text: &str) -> bool {
    text.trim().is_empty()
        || leaves(text)
        || asks_for_help(text)
        || input::awaiting(text, SplitOptions::default()).is_none()
}

/// Tells whether the text is `help`, as other shells have it without a backslash.
pub(super) fn asks_for_help(text: &str) -> bool {
    let word = text.trim().trim_end_matches(';').trim_end();
    word.eq_ignore_ascii_case("help")
}

/// Tells whether the text is `exit` or `quit`, which everyone tries first.
pub(super) fn leaves(text: &str) -> bool {
    let word = text.trim().trim_end_matches(';').trim_end();
    word.eq_ignore_ascii_case("exit") || word.eq_ignore_ascii_case("quit")
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn enter_submits_what_is_complete() {
        let cases = [
            ("", true),
            ("exit", true),
            ("QUIT ;", true),
            ("help", true),
            ("help me", false),
            ("select 1", false),
            ("select 1;", true),
            ("select 1; select 2", false),
            ("select ';", false),
            ("select 1 \\gx", true),
            ("\\dt", true),
            (".tables", true),
            ("select 1; -- done", true),
            ("/* open", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_complete(text), expected, "{text}");
        }
    }
}
