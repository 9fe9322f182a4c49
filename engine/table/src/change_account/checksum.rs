//! Checksums of rows that depend on what stands in each column, and sums of them that do not depend on
//! the order of the rows.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::hash_utils::{RandomState, create_hashes};

/// Any number; it is the same on both sides.
const SEED: u64 = 0x6c61_6b65_7368;

/// How many rows there are, and the sum of their checksums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) sum: u64,
}

impl Tally {
    pub(super) fn add_row(&mut self, checksum: u64) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(checksum);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Computes a checksum of each row over some of its columns.
pub(super) fn of_rows(columns: &[&ArrayRef], rows: usize) -> Result<Vec<u64>> {
    let mut checksums = vec![0_u64; rows];
    let mut hashes = vec![0_u64; rows];
    for column in columns {
        hash_into(&mut hashes, column)?;
        for (checksum, hash) in checksums.iter_mut().zip(&hashes) {
            // The place of a column is in how often what comes before it was mixed.
            *checksum = mixed(checksum.wrapping_add(*hash));
        }
    }
    Ok(checksums)
}

/// Computes a hash of each value of a column; that of NULL is 0.
pub(super) fn of_values(column: &ArrayRef) -> Result<Vec<u64>> {
    let mut hashes = vec![0_u64; column.len()];
    hash_into(&mut hashes, column)?;
    Ok(hashes)
}

fn hash_into(hashes: &mut [u64], column: &ArrayRef) -> Result<()> {
    // NULL leaves its place as it is.
    hashes.fill(0);
    create_hashes([column], &RandomState::with_seed(SEED), hashes).map(drop)
}

/// Mixes the bits of a number, as the generator SplitMix64 does with its state.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Says whether equal values of two types have equal hashes.
pub(super) fn is_comparable(one: &DataType, other: &DataType) -> bool {
    match (one, other) {
        (DataType::Dictionary(_, one), other) | (other, DataType::Dictionary(_, one)) => {
            is_comparable(one, other)
        }
        (DataType::Struct(one), DataType::Struct(other)) => {
            one.len() == other.len()
                && one.iter().zip(other.iter()).all(|(one, other)| {
                    one.name() == other.name() && is_comparable(one.data_type(), other.data_type())
                })
        }
        (DataType::List(one), DataType::List(other))
        | (DataType::LargeList(one), DataType::LargeList(other))
        | (DataType::Map(one, _), DataType::Map(other, _)) => {
            is_comparable(one.data_type(), other.data_type())
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{DictionaryArray, Int64Array, StringArray};
    use datafusion::arrow::datatypes::{Field, Int32Type};

    use super::*;

    fn numbers(values: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn tally(columns: &[ArrayRef]) -> Tally {
        let columns: Vec<&ArrayRef> = columns.iter().collect();
        let mut tally = Tally::default();
        for checksum in of_rows(&columns, columns[0].len()).unwrap() {
            tally.add_row(checksum);
        }
        tally
    }

    #[test]
    fn the_order_of_rows_does_not_count() {
        let one = tally(&[
            numbers(&[Some(1), None, Some(3)]),
            numbers(&[None, Some(5), Some(6)]),
        ]);
        let other = tally(&[
            numbers(&[Some(3), Some(1), None]),
            numbers(&[Some(6), None, Some(5)]),
        ]);
        assert_eq!(one, other);
    }

    #[test]
    fn every_disturbance_counts() {
        let right = tally(&[
            numbers(&[Some(1), Some(2)]),
            numbers(&[Some(3), None]),
            numbers(&[None, Some(4)]),
        ]);
        let disturbed: [(&str, [&[Option<i64>]; 3]); 7] = [
            (
                "a value",
                [&[Some(1), Some(9)], &[Some(3), None], &[None, Some(4)]],
            ),
            (
                "a NULL",
                [&[Some(1), Some(2)], &[None, None], &[None, Some(4)]],
            ),
            (
                "a zero for a NULL",
                [&[Some(1), Some(2)], &[Some(3), Some(0)], &[None, Some(4)]],
            ),
            (
                "rows mixed up",
                [&[Some(2), Some(1)], &[Some(3), None], &[None, Some(4)]],
            ),
            (
                "columns mixed up",
                [&[Some(1), Some(2)], &[None, Some(4)], &[Some(3), None]],
            ),
            (
                "a NULL in another column",
                [&[Some(1), Some(2)], &[None, None], &[Some(3), Some(4)]],
            ),
            (
                "a row twice instead of another",
                [&[Some(1), Some(1)], &[Some(3), Some(3)], &[None, None]],
            ),
        ];
        for (what, columns) in disturbed {
            let columns = columns.map(numbers);
            assert_ne!(tally(&columns), right, "{what}");
        }
    }

    #[test]
    fn a_dictionary_counts_as_its_values() {
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
        let dictionary: DictionaryArray<Int32Type> =
            vec![Some("a"), None, Some("b")].into_iter().collect();
        assert!(is_comparable(plain.data_type(), dictionary.data_type()));
        assert_eq!(tally(&[plain]), tally(&[Arc::new(dictionary)]));
    }

    #[test]
    fn types_with_other_hashes_are_not_compared() {
        let structure = |data_type| DataType::Struct(vec![Field::new("a", data_type, true)].into());
        for (one, other, expect) in [
            (DataType::Int64, DataType::Int64, true),
            (DataType::Int32, DataType::Int64, false),
            (DataType::Utf8, DataType::Utf8View, false),
            (structure(DataType::Utf8), structure(DataType::Utf8), true),
            (structure(DataType::Utf8), structure(DataType::Int8), false),
            (structure(DataType::Utf8), DataType::Utf8, false),
        ] {
            assert_eq!(is_comparable(&one, &other), expect, "{one} {other}");
        }
    }
}
