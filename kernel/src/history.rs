//! What was run before: shared with the terminal, and answered by tail, range and search.

use jupyter_protocol::{HistoryEntry, HistoryRequest};

/// The number under which earlier sessions are known; the running one follows.
const EARLIER: i32 = 1;
const CURRENT: i32 = 2;

/// Where history is kept; the terminal's front end owns the file.
pub trait History: Send {
    /// Returns what earlier sessions and other shells left, oldest first.
    fn earlier(&mut self) -> Vec<String>;

    /// Keeps an entry, unless it must not be kept; says whether it did.
    fn add(&mut self, text: &str) -> bool;
}

/// The history as the protocol sees it.
pub(crate) struct Record {
    store: Box<dyn History>,
    /// What was there at the first question.
    earlier: Option<Vec<String>>,
    /// The cells of this session, by execution count.
    current: Vec<(usize, String)>,
}

impl Record {
    pub(crate) fn new(store: Box<dyn History>) -> Self {
        Self {
            store,
            earlier: None,
            current: Vec::new(),
        }
    }

    /// Keeps a cell.
    pub(crate) fn add(&mut self, count: usize, code: &str) {
        // Read first, so that this session's own entries are not among the earlier ones.
        self.load();
        if self.store.add(code) {
            self.current.push((count, code.to_owned()));
        }
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, request: &HistoryRequest) -> Vec<HistoryEntry> {
        self.load();
        let (found, output) = match request {
            HistoryRequest::Tail { n, output, .. } => (last(self.all(), *n), output),
            HistoryRequest::Search {
                pattern,
                unique,
                output,
                n,
                ..
            } => {
                let mut found = self.all();
                found.retain(|entry| matches_glob(pattern, &entry.text));
                if *unique {
                    keep_last_of_equals(&mut found);
                }
                let count = if *n > 0 { *n } else { i32::MAX };
                (last(found, count), output)
            }
            HistoryRequest::Range {
                session,
                start,
                stop,
                output,
                ..
            } => {
                let wanted = match session.unwrap_or(0) {
                    session if session <= 0 => CURRENT + session,
                    session => session,
                };
                let mut found = self.all();
                found.retain(|entry| {
                    let line = i64::try_from(entry.line).unwrap_or(i64::MAX);
                    entry.session == wanted
                        && line >= i64::from(*start)
                        && (*stop <= 0 || line < i64::from(*stop))
                });
                (found, output)
            }
        };
        found
            .into_iter()
            .map(|entry| entry.reply(*output))
            .collect()
    }

    fn load(&mut self) {
        if self.earlier.is_none() {
            self.earlier = Some(self.store.earlier());
        }
    }

    fn all(&self) -> Vec<Entry> {
        let earlier = self.earlier.iter().flatten().enumerate();
        let earlier = earlier.map(|(index, text)| Entry {
            session: EARLIER,
            line: index + 1,
            text: text.clone(),
        });
        let current = self.current.iter().map(|(count, text)| Entry {
            session: CURRENT,
            line: *count,
            text: text.clone(),
        });
        earlier.chain(current).collect()
    }
}

struct Entry {
    session: i32,
    line: usize,
    text: String,
}

impl Entry {
    fn reply(self, output: bool) -> HistoryEntry {
        let session = usize::try_from(self.session).unwrap_or_default();
        if output {
            // Results are tables, which no history holds.
            HistoryEntry::InputOutput(session, self.line, (self.text, String::new()))
        } else {
            HistoryEntry::Input(session, self.line, self.text)
        }
    }
}

fn last(mut entries: Vec<Entry>, count: i32) -> Vec<Entry> {
    let count = usize::try_from(count).unwrap_or(0);
    entries.split_off(entries.len().saturating_sub(count))
}

fn keep_last_of_equals(entries: &mut Vec<Entry>) {
    let mut seen = std::collections::HashSet::new();
    entries.reverse();
    entries.retain(|entry| seen.insert(entry.text.clone()));
    entries.reverse();
}

/// Compares a text with a pattern in which `*` stands for anything and `?` for one character.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where to go on if the last `*` has to take one character more.
    let mut retry: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match retry {
                Some((star, taken)) => {
                    at = star + 1;
                    from = taken + 1;
                    retry = Some((star, from));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|each| *each == '*')
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::{HistoryEntry, HistoryRequest};

    use super::{History, Record, matches_glob};

    struct Kept(Vec<String>);

    impl History for Kept {
        fn earlier(&mut self) -> Vec<String> {
            self.0.clone()
        }

        fn add(&mut self, text: &str) -> bool {
            !text.contains("secret")
        }
    }

    #[test]
    fn requests_are_answered() {
        let earlier = ["select 1", "select 2"].map(str::to_owned).to_vec();
        let mut record = Record::new(Box::new(Kept(earlier)));
        record.add(1, "select 3");
        record.add(2, "create secret");
        record.add(3, "select 1");
        let search = |pattern: &str, unique| HistoryRequest::Search {
            pattern: pattern.to_owned(),
            unique,
            output: false,
            raw: true,
            n: 0,
        };
        let range = |session, start, stop| HistoryRequest::Range {
            session: Some(session),
            start,
            stop,
            output: false,
            raw: true,
        };
        let tail = |n| HistoryRequest::Tail {
            n,
            output: true,
            raw: true,
        };
        let cases: [(HistoryRequest, &[&str]); 7] = [
            (tail(2), &["2/1 select 3", "2/3 select 1"]),
            (tail(-1), &[]),
            (search("*1", false), &["1/1 select 1", "2/3 select 1"]),
            (search("*1", true), &["2/3 select 1"]),
            (range(0, 1, 3), &["2/1 select 3"]),
            (range(-1, 0, 0), &["1/1 select 1", "1/2 select 2"]),
            (range(1, 2, 9), &["1/2 select 2"]),
        ];
        for (request, expected) in cases {
            let found: Vec<_> = record
                .answer(&request)
                .into_iter()
                .map(|entry| match entry {
                    HistoryEntry::Input(session, line, text)
                    | HistoryEntry::InputOutput(session, line, (text, _)) => {
                        format!("{session}/{line} {text}")
                    }
                })
                .collect();
            assert_eq!(found, expected, "{request:?}");
        }
    }

    #[test]
    fn patterns_match() {
        let cases = [
            ("*", "", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("?b", "ab", true),
            ("", "a", false),
            ("*a*a*", "bab", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches_glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
