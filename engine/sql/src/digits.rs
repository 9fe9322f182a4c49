//! How many digits numbers have, and which DECIMAL has room for them.

use datafusion::arrow::datatypes::DataType;

/// The digits of a DECIMAL that files and tables can hold; others have them only where they are needed.
pub const PLAIN_DIGITS: u8 = 38;
/// The digits that a DECIMAL has at most.
pub const MOST_DIGITS: u8 = 76;

/// How many digits a number has before its point and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digits {
    /// Those before the point, without leading zeros.
    pub whole: usize,
    /// Those behind it.
    pub scale: usize,
}

impl Digits {
    /// Counts those of a number without a sign and an exponent.
    pub fn of(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = !(whole.is_empty() && fraction.is_empty())
            && whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self {
            whole: whole.trim_start_matches('0').len(),
            scale: fraction.len(),
        })
    }

    /// Counts those that the values of a type can have; `None` for what is neither an integer nor a DECIMAL.
    pub fn of_type(data_type: &DataType) -> Option<Self> {
        let whole = |whole| Some(Self { whole, scale: 0 });
        match data_type {
            DataType::Int8 | DataType::UInt8 => whole(3),
            DataType::Int16 | DataType::UInt16 => whole(5),
            DataType::Int32 | DataType::UInt32 => whole(10),
            DataType::Int64 | DataType::UInt64 => whole(20),
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => {
                let scale = usize::try_from(*scale).ok()?;
                Some(Self {
                    whole: usize::from(*precision).saturating_sub(scale),
                    scale,
                })
            }
            _ => None,
        }
    }

    /// Counts all.
    pub fn count(self) -> usize {
        self.whole + self.scale
    }

    /// Returns what has room for both.
    pub fn both(self, other: Self) -> Self {
        Self {
            whole: self.whole.max(other.whole),
            scale: self.scale.max(other.scale),
        }
    }

    /// Returns the DECIMAL; `None` where none has so many digits.
    pub fn decimal(self) -> Option<DataType> {
        let precision = u8::try_from(self.count().max(1)).ok()?;
        let scale = i8::try_from(self.scale).ok()?;
        match precision {
            precision if precision <= PLAIN_DIGITS => Some(DataType::Decimal128(precision, scale)),
            precision if precision <= MOST_DIGITS => Some(DataType::Decimal256(precision, scale)),
            _ => None,
        }
    }
}
