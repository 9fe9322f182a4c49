//! The history as the line editor sees it: entries of several lines come with the marks of their prompts.

use std::borrow::Cow;
use std::path::Path;

use rustyline::history::{FileHistory, History, SearchDirection, SearchResult};

use super::continuation::with_marks;

/// A history whose entries are marked when they are looked at, and kept without marks.
pub(super) struct MarkedHistory(pub(super) FileHistory);

type Found<'a> = rustyline::Result<Option<SearchResult<'a>>>;

/// Marks the entry that was found; the cursor stays behind the same letter.
fn marked(found: Found<'_>) -> Found<'_> {
    let Some(result) = found? else {
        return Ok(None);
    };
    let SearchResult { entry, idx, pos } = result;
    let before = with_marks(&entry[..pos]).len();
    let entry = match with_marks(&entry) {
        Cow::Owned(marked) => Cow::Owned(marked),
        Cow::Borrowed(_) => entry,
    };
    Ok(Some(SearchResult {
        entry,
        idx,
        pos: before,
    }))
}

impl History for MarkedHistory {
    fn get(&self, index: usize, direction: SearchDirection) -> Found<'_> {
        marked(self.0.get(index, direction))
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        self.0.add(line)
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        self.0.add_owned(line)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn set_max_len(&mut self, length: usize) -> rustyline::Result<()> {
        self.0.set_max_len(length)
    }

    fn ignore_dups(&mut self, yes: bool) -> rustyline::Result<()> {
        self.0.ignore_dups(yes)
    }

    fn ignore_space(&mut self, yes: bool) {
        self.0.ignore_space(yes);
    }

    fn save(&mut self, path: &Path) -> rustyline::Result<()> {
        self.0.save(path)
    }

    fn append(&mut self, path: &Path) -> rustyline::Result<()> {
        self.0.append(path)
    }

    fn load(&mut self, path: &Path) -> rustyline::Result<()> {
        self.0.load(path)
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        self.0.clear()
    }

    fn search(&self, term: &str, start: usize, direction: SearchDirection) -> Found<'_> {
        marked(self.0.search(term, start, direction))
    }

    fn starts_with(&self, term: &str, start: usize, direction: SearchDirection) -> Found<'_> {
        let term = super::continuation::without_marks(term);
        marked(self.0.starts_with(&term, start, direction))
    }
}
