//! Bytes to text: UTF-8 without a byte order mark and without NUL.
//!
//! Line ends stay as they are; nothing is replaced in silence.

use std::sync::Arc;

use thiserror::Error;

use crate::failure::{Failure, FailureKind};
use crate::source::{Place, Source};

pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Why bytes are not text.
#[derive(Debug, Error)]
enum DecodeError {
    #[error("`{name}` is not UTF-8: byte 0x{byte:02X} at line {line}, column {column}")]
    NotUtf8 {
        name: String,
        byte: u8,
        line: usize,
        column: usize,
    },
    #[error("`{name}` holds a NUL byte (0x00) at line {line}, column {column}")]
    Nul {
        name: String,
        line: usize,
        column: usize,
    },
}

/// Turns the bytes of a whole input into a source.
pub fn decode(name: impl Into<String>, bytes: &[u8]) -> Result<Arc<Source>, Failure> {
    let name = name.into();
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => Ok(Source::new(name, text)),
        _ => Err(refuse(&name, bytes, 0)),
    }
}

/// Says where the first byte is that cannot be text. `bytes` begin at a line's start.
pub(super) fn refuse(name: &str, bytes: &[u8], lines_before: usize) -> Failure {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    let nul = valid.find('\0');
    let valid = &valid[..nul.unwrap_or(valid.len())];
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: valid.into(),
        lines_before,
    });
    let place = Place::new(&source, valid.len()..valid.len());
    let (line, column) = place.line_and_column();
    let name = name.to_owned();
    let error = match nul {
        Some(_) => DecodeError::Nul { name, line, column },
        None => DecodeError::NotUtf8 {
            name,
            byte: bytes.get(valid.len()).copied().unwrap_or_default(),
            line,
            column,
        },
    };
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let hint = match nul {
        Some(_) => "a NUL byte mostly means a binary file, or text in UTF-16: save it as UTF-8",
        None if utf16 => "the text is in UTF-16: save it as UTF-8",
        None => "save the text as UTF-8",
    };
    Failure::new(FailureKind::Syntax, error.to_string())
        .at(place)
        .hint(hint)
        .caused_by(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::decode;
    use crate::failure::FailureKind;

    #[test]
    fn good_bytes_become_text() {
        for (bytes, text) in [
            (&b"\xEF\xBB\xBFselect 1"[..], "select 1"),
            (b"a\r\nb", "a\r\nb"),
            ("größe".as_bytes(), "größe"),
            (b"", ""),
        ] {
            assert_eq!(&*decode("x", bytes).unwrap().text, text);
        }
    }

    #[test]
    fn bad_bytes_are_named() {
        for (bytes, message) in [
            (
                &b"select 1;\nselect 'caf\xE9'"[..],
                "`x.sql` is not UTF-8: byte 0xE9 at line 2, column 12",
            ),
            (
                b"\xFF\xFEs\0",
                "`x.sql` is not UTF-8: byte 0xFF at line 1, column 1",
            ),
            (
                b"\xEF\xBB\xBFa\r\n\xC3\xB6\0\xFF",
                "`x.sql` holds a NUL byte (0x00) at line 2, column 2",
            ),
            (
                b"abc\xE2\x82",
                "`x.sql` is not UTF-8: byte 0xE2 at line 1, column 4",
            ),
        ] {
            let failure = decode("x.sql", bytes).unwrap_err();
            assert_eq!(failure.message, message);
            assert_eq!(failure.kind, FailureKind::Syntax);
            assert!(failure.place.is_some() && !failure.hints.is_empty());
        }
    }
}
