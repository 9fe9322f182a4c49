//! Finds the end of quoted text and comments, in text that may still grow.
//!
//! It remembers how far it has looked, so that text that arrives in small pieces is read once.

/// What has been opened and not closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenKind {
    /// `'…'` in any of its forms.
    String,
    /// `"…"`
    DoubleQuotes,
    /// `` `…` ``
    Backticks,
    /// `$$…$$` or `$tag$…$tag$`
    DollarQuotes,
    /// `-- …`, which the end of the input closes too.
    LineComment,
    /// `/* … */`
    BlockComment,
}

/// How opened text ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// At this quote, unless it is doubled; a backslash may take the next character's meaning away.
    Quote { quote: u8, backslash: bool },
    /// At exactly this text.
    Delimiter(String),
    /// Before the next line.
    Line,
    /// At the `*/` that matches; so many are open.
    Comment { depth: usize },
}

/// Opened text: where it began, how it ends, and how far it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) kind: OpenKind,
    pub(super) start: usize,
    pub(super) ending: Ending,
    /// The next byte to look at.
    pub(super) scanned: usize,
}

impl Open {
    /// Returns the offset after the end, or `None` if the text ends first (or may go on there).
    pub(super) fn close(&mut self, text: &str, at_end: bool) -> Option<usize> {
        match &mut self.ending {
            Ending::Quote { quote, backslash } => {
                close_quote(text, &mut self.scanned, (*quote, *backslash), at_end)
            }
            Ending::Delimiter(delimiter) => close_delimiter(text, &mut self.scanned, delimiter),
            Ending::Line => match text[self.scanned..].find('\n') {
                Some(length) => Some(self.scanned + length),
                None => {
                    self.scanned = text.len();
                    at_end.then_some(text.len())
                }
            },
            Ending::Comment { depth } => close_comment(text, &mut self.scanned, depth),
        }
    }
}

fn close_quote(
    text: &str,
    scanned: &mut usize,
    (quote, backslash): (u8, bool),
    at_end: bool,
) -> Option<usize> {
    let bytes = text.as_bytes();
    loop {
        let stop = bytes[*scanned..]
            .iter()
            .position(|byte| *byte == quote || (backslash && *byte == b'\\'));
        let Some(stop) = stop.map(|length| *scanned + length) else {
            *scanned = bytes.len();
            return None;
        };
        *scanned = stop;
        if bytes[stop] == quote {
            match bytes.get(stop + 1) {
                Some(next) if *next == quote => *scanned = stop + 2,
                None if !at_end => return None,
                _ => return Some(stop + 1),
            }
        } else {
            let escaped = text[stop + 1..].chars().next()?;
            *scanned = stop + 1 + escaped.len_utf8();
        }
    }
}

fn close_delimiter(text: &str, scanned: &mut usize, delimiter: &str) -> Option<usize> {
    if let Some(length) = text[*scanned..].find(delimiter) {
        return Some(*scanned + length + delimiter.len());
    }
    // The delimiter's beginning may stand at the end of the text.
    let next = text.floor_char_boundary((text.len() + 1).saturating_sub(delimiter.len()));
    *scanned = next.max(*scanned);
    None
}

fn close_comment(text: &str, scanned: &mut usize, depth: &mut usize) -> Option<usize> {
    let bytes = text.as_bytes();
    while let [first, second, ..] = bytes[*scanned..] {
        match (first, second) {
            (b'/', b'*') => {
                *depth += 1;
                *scanned += 2;
            }
            (b'*', b'/') => {
                *depth -= 1;
                *scanned += 2;
                if *depth == 0 {
                    return Some(*scanned);
                }
            }
            _ => *scanned += 1,
        }
    }
    None
}
