//! Where the deletion vector of a file lies.
//!
//! The name of its file is a number (a UUID) in base 85, see "Derived Fields" in the Delta protocol.

use deltalake::kernel::{DeletionVectorDescriptor, StorageType};
use uuid::Uuid;

/// The place of a deletion vector.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum VectorFile {
    /// A path below the table's folder.
    Below(String),
    /// A place of its own.
    Elsewhere,
    /// The log itself.
    Inline,
    /// A name that names nothing.
    Unreadable,
}

/// Digits of base 85 as ZeroMQ defines them (https://rfc.zeromq.org/spec/32/).
const DIGITS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// So many digits make a UUID.
const LENGTH: usize = 20;

pub(super) fn vector_file(vector: &DeletionVectorDescriptor) -> VectorFile {
    let text = vector.path_or_inline_dv.as_str();
    match vector.storage_type {
        StorageType::Inline => VectorFile::Inline,
        StorageType::AbsolutePath => VectorFile::Elsewhere,
        StorageType::UuidRelativePath => {
            below(text).map_or(VectorFile::Unreadable, VectorFile::Below)
        }
    }
}

fn below(text: &str) -> Option<String> {
    let (folder, digits) = text.split_at_checked(text.len().checked_sub(LENGTH)?)?;
    let mut bytes = Vec::with_capacity(16);
    for five in digits.as_bytes().chunks(5) {
        let mut number: u32 = 0;
        for digit in five {
            let value = DIGITS.iter().position(|known| known == digit)?;
            number = number
                .checked_mul(85)?
                .checked_add(u32::try_from(value).ok()?)?;
        }
        bytes.extend(number.to_be_bytes());
    }
    let name = format!("deletion_vector_{}.bin", Uuid::from_slice(&bytes).ok()?);
    Some(match folder {
        "" => name,
        folder => format!("{folder}/{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_protocol() {
        for (text, expect) in [
            (
                "ab^-aqEH.-t@S}K{vb[*k^",
                Some("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"),
            ),
            (
                "^-aqEH.-t@S}K{vb[*k^",
                Some("deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"),
            ),
            ("short", None),
            ("\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", None),
        ] {
            assert_eq!(below(text).as_deref(), expect, "{text}");
        }
    }
}
