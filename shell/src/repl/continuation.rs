//! The prompt of the second line and those after it, which the line editor does not have.
//!
//! Enter in an unfinished statement puts a mark behind the line end: figure spaces, as many as the prompt is
//! wide. Nobody types them, so that they can be painted over on the screen and taken out before anything
//! reads the text; a string of several lines holds none.

use std::borrow::Cow;

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, Movement, RepeatCount};

use super::helper::is_complete;

/// What stands for the prompt of a further line in the text.
pub(super) const MARK: &str = "\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}";

/// How many characters a line end and its mark are.
const BREAK: RepeatCount = 9;

/// Takes the marks out.
pub(super) fn without_marks(text: &str) -> Cow<'_, str> {
    match text.contains(MARK) {
        true => Cow::Owned(text.replace(MARK, "")),
        false => Cow::Borrowed(text),
    }
}

/// Puts a mark behind each line end.
pub(super) fn with_marks(text: &str) -> Cow<'_, str> {
    match text.contains('\n') {
        true => Cow::Owned(text.replace('\n', &format!("\n{MARK}"))),
        false => Cow::Borrowed(text),
    }
}

/// Finds where an offset into the text without marks lies in the text with them.
pub(super) fn with_marks_before(text: &str, offset: usize) -> usize {
    let mut position = 0;
    let mut left = offset;
    while let Some(mark) = text[position..].find(MARK) {
        if left < mark {
            break;
        }
        left -= mark;
        position += mark + MARK.len();
    }
    position + left
}

/// Which key it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Enter,
    /// Always a new line.
    NewLine,
    Backspace,
    Delete,
    Left,
    Right,
    Home,
}

/// Lets the keys treat a line end and its mark as one character.
pub(super) struct AcrossMarks(pub(super) Key);

impl ConditionalEventHandler for AcrossMarks {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let (before, after) = context.line().split_at(context.pos());
        let line_end = format!("\n{MARK}");
        let behind = before.ends_with(&line_end);
        let ahead = after.starts_with(&line_end);
        let nothing = || Some(String::new());
        match self.0 {
            Key::Enter if is_complete(&without_marks(context.line())) => None,
            Key::Enter | Key::NewLine => Some(Cmd::Insert(1, line_end)),
            Key::Backspace if behind => {
                Some(Cmd::Replace(Movement::BackwardChar(BREAK), nothing()))
            }
            Key::Delete if ahead => Some(Cmd::Replace(Movement::ForwardChar(BREAK), nothing())),
            Key::Left if behind => Some(Cmd::Move(Movement::BackwardChar(BREAK))),
            Key::Right if ahead => Some(Cmd::Move(Movement::ForwardChar(BREAK))),
            Key::Home => {
                let begin = before.rfind(&line_end)? + line_end.len();
                let width = RepeatCount::try_from(before[begin..].chars().count()).ok()?;
                // A line of a paste has no mark.
                let in_line = !before[begin..].contains('\n');
                in_line.then(|| Cmd::Move(Movement::BackwardChar(width)))
            }
            Key::Backspace | Key::Delete | Key::Left | Key::Right => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MARK, with_marks, with_marks_before, without_marks};

    #[test]
    fn marks_come_and_go() {
        let text = "select 'a\nb',\n  1";
        let marked = with_marks(text);
        assert_eq!(marked.matches(MARK).count(), 2);
        assert_eq!(without_marks(&marked), text);
        assert_eq!(without_marks("select 1"), "select 1");
    }

    #[test]
    fn offsets_find_their_place() {
        let text = "a\nbc\nd";
        let marked = with_marks(text);
        for (offset, character) in text.char_indices() {
            let there = with_marks_before(&marked, offset);
            // The place of a line's first letter is behind the mark.
            assert!(marked[there..].starts_with(character), "{offset}: {there}");
        }
        assert_eq!(with_marks_before(&marked, text.len()), marked.len());
        assert_eq!(with_marks_before("abc", 2), 2);
    }
}
