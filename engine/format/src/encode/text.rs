//! Encoders for strings and bytes, and the scan for bytes that need an escape.

use datafusion::arrow::array::ArrayAccessor;

use super::{Encoder, Syntax};

/// Encodes strings in the format's own quoting.
pub(super) fn strings<'a, A, S: Syntax>(array: A, syntax: &'a S) -> Encoder<'a>
where
    A: ArrayAccessor<Item = &'a str> + 'a,
{
    Box::new(move |row, out| syntax.text(array.value(row), out))
}

/// Encodes bytes.
pub(super) fn binaries<'a, A, S: Syntax>(array: A, syntax: &'a S) -> Encoder<'a>
where
    A: ArrayAccessor<Item = &'a [u8]> + 'a,
{
    Box::new(move |row, out| syntax.binary(array.value(row), out))
}

/// Whether any byte is special.
///
/// It looks at whole blocks without stopping inside one, which the compiler turns into vector
/// instructions; the last block overlaps the one before, so that no bytes are left over.
#[inline]
pub(crate) fn any_byte(bytes: &[u8], special: impl Fn(u8) -> bool) -> bool {
    let any = |block: &[u8]| {
        block
            .iter()
            .fold(false, |found, byte| found | special(*byte))
    };
    let (blocks, _) = bytes.as_chunks::<16>();
    if let Some(last) = bytes.last_chunk::<16>() {
        return blocks.iter().any(|block| any(block)) || any(last);
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => any(first) | any(last),
        _ => any(bytes),
    }
}

/// Writes two lower-case hex digits a byte.
pub(crate) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            assert!(!any_byte(&bytes, |byte| byte == b'"'), "{length}");
            for place in 0..length {
                bytes[place] = b'"';
                assert!(any_byte(&bytes, |byte| byte == b'"'), "{place} of {length}");
                bytes[place] = b'a';
            }
        }
    }
}
