//! Finds hint comments in a statement's text, with the place of each word in them.

use std::collections::HashMap;
use std::ops::Range;

use lakesh_text::input::{TokenKind, tokens};

/// One word of a hint comment with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    /// The word as the user wrote it.
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    /// Its bytes in the statement, arguments included.
    pub(super) at: Range<usize>,
}

/// One argument: a name with its dots, a number, or `name = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    /// A name folded as SQL folds names, or a number as it was written.
    pub(super) text: String,
    /// What stands behind `=`.
    pub(super) value: Option<String>,
    /// Its bytes in the statement.
    pub(super) at: Range<usize>,
}

/// The hint comments of a statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HintComments {
    /// Those behind a SELECT, by the offset of that word; each range is the text between the signs.
    pub(super) of_select: HashMap<usize, Vec<Range<usize>>>,
    /// Those that stand elsewhere, where nothing reads them; whole comments.
    pub(super) strays: Vec<Range<usize>>,
}

impl HintComments {
    /// Finds the hint comments of a text.
    pub(super) fn find(text: &str) -> Self {
        let mut found = Self::default();
        if !may_have_hints(text) {
            return found;
        }
        let mut select: Option<usize> = None;
        for token in tokens(text) {
            let word = &text[token.range.clone()];
            match token.kind {
                TokenKind::Space => {}
                TokenKind::Comment => {
                    let Some(inside) = inside(word) else {
                        continue;
                    };
                    let start = token.range.start;
                    let inside = start + inside.start..start + inside.end;
                    match select {
                        Some(select) => found.of_select.entry(select).or_default().push(inside),
                        None => found.strays.push(token.range),
                    }
                }
                _ => {
                    let is_select = word.eq_ignore_ascii_case("select");
                    select = is_select.then_some(token.range.start);
                }
            }
        }
        found
    }
}

/// Says whether a text may have a hint comment; most have none.
pub(super) fn may_have_hints(text: &str) -> bool {
    text.contains("/*+") || text.contains("--+")
}

/// Returns what stands between the signs of a hint comment.
fn inside(comment: &str) -> Option<Range<usize>> {
    if comment.starts_with("--+") {
        return Some(3..comment.len());
    }
    let closed = comment.starts_with("/*+") && comment.len() >= 5;
    (closed && comment.ends_with("*/")).then(|| 3..comment.len() - 2)
}

/// Reads the words of a hint comment; what cannot be read comes out as its place and a reason.
pub(super) fn parse(
    text: &str,
    comment: Range<usize>,
) -> (Vec<Hint>, Option<(Range<usize>, String)>) {
    let start = comment.start;
    let parts: Vec<Part> = tokens(&text[comment.clone()])
        .filter(|token| token.is_real())
        .map(|token| Part {
            kind: token.kind,
            range: start + token.range.start..start + token.range.end,
        })
        .collect();
    let mut reader = Reader {
        text,
        parts: &parts,
        position: 0,
        end: comment.end,
    };
    let mut hints = Vec::new();
    loop {
        while reader.accept(",") {}
        if reader.position == parts.len() {
            return (hints, None);
        }
        match reader.hint() {
            Ok(hint) => hints.push(hint),
            Err(wrong) => return (hints, Some(wrong)),
        }
    }
}

struct Part {
    kind: TokenKind,
    range: Range<usize>,
}

struct Reader<'a> {
    text: &'a str,
    parts: &'a [Part],
    position: usize,
    /// Where the comment ends.
    end: usize,
}

type Wrong = (Range<usize>, String);

impl Reader<'_> {
    fn hint(&mut self) -> Result<Hint, Wrong> {
        let Some(part) = self.next_if(|kind| kind == TokenKind::Word) else {
            return Err(self.wrong("a hint begins with a word such as BROADCAST"));
        };
        let mut at = part.clone();
        let mut arguments = Vec::new();
        if self.accept("(") {
            while !self.accept(")") {
                if self.position == self.parts.len() {
                    return Err((at, "the bracket of this hint is not closed".to_owned()));
                }
                if !self.accept(",") {
                    arguments.push(self.argument()?);
                }
            }
            at.end = self.parts[self.position - 1].range.end;
        }
        Ok(Hint {
            name: self.text[part].to_owned(),
            arguments,
            at,
        })
    }

    fn argument(&mut self) -> Result<Argument, Wrong> {
        let (mut text, mut at) = self.name_part()?;
        while self.accept(".") {
            let (next, range) = self.name_part()?;
            text = format!("{text}.{next}");
            at.end = range.end;
        }
        let mut value = None;
        if self.accept("=") {
            let minus = if self.accept("-") { "-" } else { "" };
            let (first, range) = self.name_part()?;
            let mut whole = format!("{minus}{first}");
            at.end = range.end;
            while self.accept(".") {
                let (next, range) = self.name_part()?;
                whole = format!("{whole}.{next}");
                at.end = range.end;
            }
            value = Some(whole);
        }
        Ok(Argument { text, value, at })
    }

    /// Reads a name, a number or a string.
    fn name_part(&mut self) -> Result<(String, Range<usize>), Wrong> {
        let part = self.parts.get(self.position).filter(|part| {
            matches!(
                part.kind,
                TokenKind::Word | TokenKind::QuotedName | TokenKind::String | TokenKind::Number
            )
        });
        let Some(part) = part else {
            return Err(self.wrong("a name or a number is expected here"));
        };
        self.position += 1;
        let written = &self.text[part.range.clone()];
        let text = match part.kind {
            TokenKind::QuotedName | TokenKind::String => {
                let quote = &written[..1];
                let inner = written.get(1..written.len() - 1).unwrap_or_default();
                inner.replace(&quote.repeat(2), quote)
            }
            TokenKind::Word => written.to_ascii_lowercase(),
            _ => written.to_owned(),
        };
        Ok((text, part.range.clone()))
    }

    fn next_if(&mut self, fits: impl Fn(TokenKind) -> bool) -> Option<Range<usize>> {
        let part = self.parts.get(self.position)?;
        fits(part.kind).then(|| {
            self.position += 1;
            part.range.clone()
        })
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self
            .parts
            .get(self.position)
            .is_some_and(|part| &self.text[part.range.clone()] == symbol);
        self.position += usize::from(found);
        found
    }

    fn wrong(&self, what: &str) -> Wrong {
        let at = match self.parts.get(self.position) {
            Some(part) => part.range.clone(),
            None => self.end..self.end,
        };
        (at, what.to_owned())
    }
}
