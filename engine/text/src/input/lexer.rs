//! The lexer: tokens of SQL text with their byte ranges, in text that may still grow.
//!
//! It follows sqlparser's generic dialect in what is quoted and what is a comment. It checks nothing
//! and unescapes nothing.

use std::ops::Range;

use super::quoted::{Ending, Open, OpenKind};

/// What sort of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Space,
    /// `-- …` without its line end, or `/* … */`.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// `"name"` or `` `name` ``.
    QuotedName,
    /// A string in any of its forms.
    String,
    /// A number.
    Number,
    /// `$1` or `$name`.
    Parameter,
    /// `;`
    Semicolon,
    /// `\`
    Backslash,
    /// Anything else, one operator or one character.
    Symbol,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What sort of token it is.
    pub kind: TokenKind,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

impl Token {
    /// Tells whether the token means something, which white space and comments do not.
    pub fn is_real(&self) -> bool {
        !matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }
}

/// What the lexer found next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lexed {
    Token(Token),
    /// The text ends here, or a token that may go on begins here.
    End,
    /// The text ends inside something that was opened with these bytes.
    Open(OpenKind, Range<usize>),
}

/// Reads tokens one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Lexer {
    position: usize,
    open: Option<Open>,
}

/// What stands at a position: a whole token, or the beginning of something quoted.
enum Start {
    Whole(TokenKind, usize),
    Open(OpenKind, usize, Ending),
}

impl Lexer {
    /// Starts reading at a byte offset.
    pub(super) fn at(position: usize) -> Self {
        Self {
            position,
            open: None,
        }
    }

    /// Returns the offset of the next token.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Moves to another offset outside quotes and comments.
    pub(super) fn seek(&mut self, position: usize) {
        *self = Self::at(position);
    }

    /// Accounts for so many bytes having been cut off the front of the text.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.position -= bytes;
        if let Some(open) = &mut self.open {
            open.start -= bytes;
            open.scanned -= bytes;
        }
    }

    /// Reads the next token. `at_end` says that the text will not grow.
    pub(super) fn next(&mut self, text: &str, at_end: bool) -> Lexed {
        if self.open.is_none() {
            let rest = &text[self.position..];
            if rest.is_empty() || (!at_end && is_cut_prefix(rest)) {
                return Lexed::End;
            }
            match start(text, self.position) {
                Start::Whole(kind, end) => {
                    let complete = matches!(kind, TokenKind::Semicolon | TokenKind::Space);
                    if end == text.len() && !at_end && !complete {
                        return Lexed::End;
                    }
                    return self.token(kind, end);
                }
                Start::Open(_, end, _) if end == text.len() && !at_end => return Lexed::End,
                Start::Open(kind, end, ending) => {
                    self.open = Some(Open {
                        kind,
                        start: self.position,
                        ending,
                        scanned: end,
                    });
                }
            }
        }
        self.close(text, at_end)
    }

    fn close(&mut self, text: &str, at_end: bool) -> Lexed {
        let Some(mut open) = self.open.take() else {
            return Lexed::End;
        };
        match open.close(text, at_end) {
            Some(end) => self.token(token_kind(open.kind), end),
            None => {
                let opening = open.start..opening_end(text, &open);
                let kind = open.kind;
                self.open = Some(open);
                Lexed::Open(kind, opening)
            }
        }
    }

    fn token(&mut self, kind: TokenKind, end: usize) -> Lexed {
        let range = self.position..end;
        self.position = end;
        Lexed::Token(Token { kind, range })
    }
}

/// Lists the tokens of a text; something that is not closed is a token to the end of the text.
pub fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut lexer = Lexer::default();
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        match lexer.next(text, true) {
            Lexed::Token(token) => Some(token),
            Lexed::End => None,
            Lexed::Open(kind, opening) => {
                done = true;
                Some(Token {
                    kind: token_kind(kind),
                    range: opening.start..text.len(),
                })
            }
        }
    })
}

fn token_kind(kind: OpenKind) -> TokenKind {
    match kind {
        OpenKind::String | OpenKind::DollarQuotes => TokenKind::String,
        OpenKind::DoubleQuotes | OpenKind::Backticks => TokenKind::QuotedName,
        OpenKind::LineComment | OpenKind::BlockComment => TokenKind::Comment,
    }
}

/// The end of the bytes that opened it: the prefix and the quote.
fn opening_end(text: &str, open: &Open) -> usize {
    let rest = &text[open.start..];
    let length = match &open.ending {
        Ending::Quote { quote, .. } => rest.bytes().position(|byte| byte == *quote),
        Ending::Delimiter(delimiter) if delimiter.starts_with('$') => Some(delimiter.len() - 1),
        Ending::Delimiter(_) => rest.bytes().position(|byte| matches!(byte, b'\'' | b'"')),
        Ending::Line | Ending::Comment { .. } => Some(1),
    };
    open.start + length.map_or(0, |length| length + 1)
}

pub(super) fn is_word_part(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '_' | '@' | '#' | '$')
        || (!character.is_ascii() && character.is_alphabetic())
}

fn start(text: &str, position: usize) -> Start {
    let rest = &text[position..];
    let bytes = rest.as_bytes();
    let second = bytes.get(1).copied();
    let whole = |kind, length| Start::Whole(kind, position + length);
    let open = |kind, length, ending| Start::Open(kind, position + length, ending);
    match bytes[0] {
        b';' => whole(TokenKind::Semicolon, 1),
        b'\\' => whole(TokenKind::Backslash, 1),
        b'\'' => open(OpenKind::String, 1, quote(b'\'', false)),
        b'"' => open(OpenKind::DoubleQuotes, 1, quote(b'"', false)),
        b'`' => open(OpenKind::Backticks, 1, quote(b'`', false)),
        b'-' if second == Some(b'-') => open(OpenKind::LineComment, 2, Ending::Line),
        b'/' if second == Some(b'*') => {
            open(OpenKind::BlockComment, 2, Ending::Comment { depth: 1 })
        }
        b'$' => dollar(rest, position),
        b'0'..=b'9' => whole(TokenKind::Number, number_length(bytes)),
        b'.' if second.is_some_and(|byte| byte.is_ascii_digit()) => {
            whole(TokenKind::Number, number_length(bytes))
        }
        b'a'..=b'z' | b'A'..=b'Z' => prefixed(bytes)
            .map(|(kind, length, ending)| open(kind, length, ending))
            .unwrap_or_else(|| whole(TokenKind::Word, word_length(rest))),
        b'_' => whole(TokenKind::Word, word_length(rest)),
        b'@' | b'#' if rest[1..].starts_with(is_word_part) => {
            whole(TokenKind::Word, word_length(rest))
        }
        _ => other(rest, position),
    }
}

fn other(rest: &str, position: usize) -> Start {
    // Operators whose bytes would otherwise begin a comment or a variable.
    let operators = ["||/", "|/", "||", "//", "#-", "::", ":="];
    if let Some(operator) = operators.iter().find(|known| rest.starts_with(**known)) {
        return Start::Whole(TokenKind::Symbol, position + operator.len());
    }
    let Some(first) = rest.chars().next() else {
        return Start::Whole(TokenKind::Symbol, position);
    };
    let (kind, length) = if first.is_whitespace() {
        let end = rest.find(|character: char| !character.is_whitespace());
        (TokenKind::Space, end.unwrap_or(rest.len()))
    } else if first.is_alphabetic() {
        (TokenKind::Word, word_length(rest))
    } else {
        (TokenKind::Symbol, first.len_utf8())
    };
    Start::Whole(kind, position + length)
}

/// Tells whether the text ends within what may become `q'[`, `nq'[` or `r"""`.
fn is_cut_prefix(rest: &str) -> bool {
    rest.len() < 4
        && rest.starts_with(|first: char| first.is_ascii_alphabetic())
        && rest.ends_with(['\'', '"'])
}

fn quote(quote: u8, backslash: bool) -> Ending {
    Ending::Quote { quote, backslash }
}

fn word_length(rest: &str) -> usize {
    rest.find(|character: char| !is_word_part(character))
        .unwrap_or(rest.len())
}

/// Strings with a letter before the quote: `e'…'`, `x'…'`, `b'…'`, `n'…'`, `u&'…'`, `r'…'`, `q'[…]'`.
fn prefixed(bytes: &[u8]) -> Option<(OpenKind, usize, Ending)> {
    let string = |length, ending| Some((OpenKind::String, length, ending));
    match (bytes[0].to_ascii_lowercase(), &bytes[1..]) {
        (b'e' | b'x', [b'\'', ..]) => string(2, quote(b'\'', true)),
        (b'b' | b'n', [b'\'', ..]) => string(2, quote(b'\'', false)),
        (b'b', [b'"', ..]) => string(2, quote(b'"', false)),
        (b'u', [b'&', b'\'', ..]) => string(3, quote(b'\'', false)),
        (b'r', [first @ (b'\'' | b'"'), second, third, ..])
            if first == second && first == third =>
        {
            let delimiter = String::from(*first as char).repeat(3);
            string(4, Ending::Delimiter(delimiter))
        }
        // An empty raw string ends at its second quote, whatever follows.
        (b'r', [first @ (b'\'' | b'"'), second, ..]) if first == second => {
            string(2, Ending::Delimiter(String::from(*first as char)))
        }
        (b'r', [first @ (b'\'' | b'"'), ..]) => string(2, quote(*first, false)),
        (b'q', [b'\'', opening, ..]) => delimited(*opening, 3),
        (b'n', [b'q' | b'Q', b'\'', opening, ..]) => delimited(*opening, 4),
        _ => None,
    }
}

/// Oracle's `q'[it's]'`.
fn delimited(opening: u8, length: usize) -> Option<(OpenKind, usize, Ending)> {
    let closing = match opening {
        b'[' => ']',
        b'{' => '}',
        b'<' => '>',
        b'(' => ')',
        other if other.is_ascii_graphic() => other as char,
        _ => return None,
    };
    Some((
        OpenKind::String,
        length,
        Ending::Delimiter(format!("{closing}'")),
    ))
}

/// `$1` and `$name` are parameters; `$$` and `$tag$` open a quote.
fn dollar(rest: &str, position: usize) -> Start {
    let tag = rest[1..]
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .map_or(rest.len(), |length| length + 1);
    if rest[tag..].starts_with('$') {
        let delimiter = rest[..=tag].to_owned();
        let end = position + delimiter.len();
        Start::Open(OpenKind::DollarQuotes, end, Ending::Delimiter(delimiter))
    } else {
        Start::Whole(TokenKind::Parameter, position + tag)
    }
}

fn number_length(bytes: &[u8]) -> usize {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    if bytes.starts_with(b"0x") {
        let hexadecimal = bytes[2..]
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit());
        return 2 + hexadecimal.count();
    }
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1;
        length += digits(length);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + signed);
        if exponent > 0 {
            length += 1 + signed + exponent;
        }
    }
    length + usize::from(bytes.get(length) == Some(&b'L'))
}
