//! The prompt of the second line and those after it, which the line editor does not have.
//!
//! Enter in an unfinished statement puts a mark behind the line end: rare spaces, as many as the prompt is
//! wide. Nobody types them in that order, so that they can be painted over on the screen and taken out before
//! anything reads the text; a string of several lines holds none.
//!
//! The editor overwrites the counts of a handler's commands with the one that the user typed, so that no key
//! can go over a mark by "nine characters": it goes to the line end before the mark or to the mark's last space.

use std::borrow::Cow;

use rustyline::{
    At, CharSearch, Cmd, ConditionalEventHandler, Event, EventContext, Movement, RepeatCount, Word,
};

use super::helper::is_complete;

/// What stands for the prompt of a further line in the text.
pub(super) const MARK: &str = "\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2007}\u{2008}";

/// The last character of a mark.
const LAST: char = '\u{2008}';

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
    /// Deletes to the line's beginning.
    DeleteBefore,
    /// Deletes to the line's end, or the line end.
    DeleteAfter,
}

/// Lets the keys treat a line end and its mark as one character.
pub(super) struct AcrossMarks(pub(super) Key);

impl ConditionalEventHandler for AcrossMarks {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let (before, after) = context.line().split_at(context.pos());
        self.0.command(before, after)
    }
}

impl Key {
    /// What the key does between two parts of a text; nothing where it does what it always does.
    fn command(self, before: &str, after: &str) -> Option<Cmd> {
        let line_end = format!("\n{MARK}");
        let behind = before.ends_with(&line_end);
        let ahead = after.strip_prefix(&line_end);
        // A line of a paste has no mark.
        let marked = before
            .rfind('\n')
            .is_some_and(|begin| before[begin..].starts_with(&line_end));
        let to_line_end = Movement::ViCharSearch(1, CharSearch::Backward('\n'));
        let to_mark = Movement::ViCharSearch(1, CharSearch::BackwardAfter(LAST));
        let through_mark = Movement::ViCharSearch(1, CharSearch::Forward(LAST));
        match self {
            Self::Enter => {
                let complete = is_complete(&without_marks(&format!("{before}{after}")));
                (!complete).then_some(Cmd::Insert(1, line_end))
            }
            Self::NewLine => Some(Cmd::Insert(1, line_end)),
            Self::Backspace | Self::DeleteBefore if behind => Some(Cmd::Kill(to_line_end)),
            Self::Delete | Self::DeleteAfter if ahead.is_some() => Some(Cmd::Kill(through_mark)),
            Self::Left if behind => Some(Cmd::Move(to_line_end)),
            Self::Right => ahead.map(|rest| match rest.trim().is_empty() {
                true => Cmd::Move(Movement::EndOfBuffer),
                // Behind the mark, and behind the spaces with which the line begins.
                false => Cmd::Move(Movement::ForwardWord(1, At::Start, Word::Big)),
            }),
            // At the mark there is nothing before the cursor, and the search would go to the line above.
            Self::Home if behind => Some(Cmd::Noop),
            Self::Home if marked => Some(Cmd::Move(to_mark)),
            Self::DeleteBefore if marked => Some(Cmd::Kill(to_mark)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustyline::{CharSearch, Cmd, Movement};

    use super::{Key, MARK, with_marks, with_marks_before, without_marks};

    #[test]
    fn keys_know_marks() {
        let back = Movement::ViCharSearch(1, CharSearch::Backward('\n'));
        let second = with_marks("select 1,\n");
        assert_eq!(Key::Backspace.command(&second, ""), Some(Cmd::Kill(back)));
        assert_eq!(Key::Backspace.command("select 1,", ""), None);
        assert_eq!(Key::Home.command(&second, ""), Some(Cmd::Noop));
        assert_eq!(Key::Home.command("select 1,\n pasted", ""), None);
        let line_end = format!("\n{MARK}");
        let enter = Some(Cmd::Insert(1, line_end.clone()));
        assert_eq!(Key::Enter.command("select 1", ""), enter);
        assert_eq!(Key::Enter.command("select 1;", ""), None);
        let to_end = Some(Cmd::Move(Movement::EndOfBuffer));
        assert_eq!(Key::Right.command("select 1,", &line_end), to_end);
        assert_eq!(Key::Right.command("select", " 1"), None);
    }

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
