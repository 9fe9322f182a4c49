//! From the values of key columns to one number that sorts as they do.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{SortOptions, cast};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use datafusion::common::Result;

/// Tells whether values of a type can be made numbers that sort as they do.
pub(super) fn is_supported(data_type: &DataType) -> bool {
    use DataType::{
        Boolean, Date32, Date64, Duration, Float16, Float32, Float64, Time32, Time64, Timestamp,
    };
    let listed = matches!(
        data_type,
        Boolean
            | Date32
            | Date64
            | Duration(_)
            | Float16
            | Float32
            | Float64
            | Time32(_)
            | Time64(_)
            | Timestamp(..)
    );
    listed || data_type.is_integer()
}

const SIGN: u64 = 1 << 63;

/// Makes unsigned numbers that sort as the values do; those of NULL mean nothing.
fn numbers(values: &ArrayRef) -> Result<Numbers> {
    let data_type = values.data_type();
    let (wide, kind) = match data_type {
        DataType::UInt64 => (DataType::UInt64, Kind::Unsigned),
        DataType::Float64 => (DataType::Float64, Kind::Double),
        _ if data_type.is_floating() => (DataType::Float32, Kind::Single),
        // Times of 32 bits have no cast to 64.
        DataType::Date32 | DataType::Time32(_) => {
            let narrow = cast(values, &DataType::Int32)?;
            return Ok(Numbers {
                values: cast(&narrow, &DataType::Int64)?,
                kind: Kind::Signed,
            });
        }
        _ => (DataType::Int64, Kind::Signed),
    };
    Ok(Numbers {
        values: cast(values, &wide)?,
        kind,
    })
}

struct Numbers {
    values: ArrayRef,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Unsigned,
    Signed,
    /// By IEEE's total order, as DataFusion sorts: -0.0 before 0.0, NaN last.
    Double,
    /// The same of 32 bits, which need fewer bits as they are.
    Single,
}

impl Numbers {
    /// Calls with the place and the number of each row, NULL or not.
    fn each(&self, mut visit: impl FnMut(usize, u64)) {
        match self.kind {
            Kind::Unsigned => {
                let values = self.values.as_primitive::<UInt64Type>().values();
                values
                    .iter()
                    .enumerate()
                    .for_each(|(row, value)| visit(row, *value));
            }
            Kind::Signed => {
                let values = self.values.as_primitive::<Int64Type>().values();
                let values = values.iter().enumerate();
                values.for_each(|(row, value)| visit(row, value.cast_unsigned() ^ SIGN));
            }
            // Negative floats sort backwards by their bits.
            Kind::Double => {
                let values = self.values.as_primitive::<Float64Type>().values();
                for (row, value) in values.iter().enumerate() {
                    let bits = value.to_bits();
                    visit(row, if bits & SIGN == 0 { bits | SIGN } else { !bits });
                }
            }
            Kind::Single => {
                let values = self.values.as_primitive::<Float32Type>().values();
                for (row, value) in values.iter().enumerate() {
                    let bits = value.to_bits();
                    let sign = 1 << 31;
                    let number = if bits & sign == 0 { bits | sign } else { !bits };
                    visit(row, u64::from(number));
                }
            }
        }
    }
}

/// What one key column holds so far.
#[derive(Debug, Clone)]
pub(super) struct Column {
    options: SortOptions,
    smallest: u64,
    largest: u64,
    has_nulls: bool,
}

impl Column {
    pub(super) fn new(options: SortOptions) -> Self {
        Self {
            options,
            smallest: u64::MAX,
            largest: 0,
            has_nulls: false,
        }
    }

    /// Widens the column's range by the values of a batch.
    pub(super) fn see(&mut self, values: &ArrayRef) -> Result<()> {
        let (mut smallest, mut largest) = (self.smallest, self.largest);
        let found = numbers(values)?;
        let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
        match nulls {
            None => found.each(|_, number| {
                smallest = smallest.min(number);
                largest = largest.max(number);
            }),
            Some(nulls) => {
                self.has_nulls = true;
                found.each(|row, number| {
                    if nulls.is_valid(row) {
                        smallest = smallest.min(number);
                        largest = largest.max(number);
                    }
                });
            }
        }
        (self.smallest, self.largest) = (smallest, largest);
        Ok(())
    }

    /// Returns the largest code that a row can have.
    fn largest_code(&self) -> u128 {
        // Of NULL alone there is no range.
        let range = u128::from(self.largest.saturating_sub(self.smallest));
        range + u128::from(self.has_nulls)
    }

    /// Returns the bits of a code.
    pub(super) fn bits(&self) -> u32 {
        u128::BITS - self.largest_code().leading_zeros()
    }

    /// Appends the codes of a batch to the keys of its rows.
    pub(super) fn append(&self, values: &ArrayRef, keys: &mut [u128]) -> Result<()> {
        let bits = self.bits();
        let SortOptions {
            descending,
            nulls_first,
        } = self.options;
        let first = u128::from(self.has_nulls && nulls_first);
        let null = if nulls_first { 0 } else { self.largest_code() };
        let code = |number: u64| {
            let distance = match descending {
                true => self.largest - number,
                false => number - self.smallest,
            };
            first + u128::from(distance)
        };
        let found = numbers(values)?;
        match values.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => found.each(|row, number| keys[row] = (keys[row] << bits) | code(number)),
            Some(nulls) => found.each(|row, number| {
                let code = if nulls.is_valid(row) {
                    code(number)
                } else {
                    null
                };
                keys[row] = (keys[row] << bits) | code;
            }),
        }
        Ok(())
    }
}
