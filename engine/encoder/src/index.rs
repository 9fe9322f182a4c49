//! A hash table from categories to numbers from 0, in the order of first sight.
//!
//! Whole columns are looked up at a time. Slots hold a part of the hash beside the number, so that a
//! look-up reads one slot and compares one key.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, StringArray, StringBuilder,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{DataFusionError, exec_err};

/// What stands for a category that is not known.
pub(super) const UNSEEN: u32 = u32::MAX;

const EMPTY: u64 = u64::MAX;

/// Categories and their numbers.
#[derive(Debug, Clone)]
pub(super) struct CategoryIndex {
    /// The upper half of a hash and a number each; a power of two of them, at most half in use.
    slots: Vec<u64>,
    /// Hashes by number, for growing.
    hashes: Vec<u64>,
    keys: Keys,
    null: Option<u32>,
    random: RandomState,
}

/// Keys by number; NULL takes a place like the others.
#[derive(Debug, Clone)]
enum Keys {
    Text { bytes: Vec<u8>, ends: Vec<usize> },
    Number(Vec<i64>),
}

impl CategoryIndex {
    /// Makes an empty index of texts or of numbers.
    pub(super) fn new(text: bool) -> Self {
        Self {
            slots: vec![EMPTY; 16],
            hashes: Vec::new(),
            keys: match text {
                true => Keys::Text {
                    bytes: Vec::new(),
                    ends: Vec::new(),
                },
                false => Keys::Number(Vec::new()),
            },
            null: None,
            random: RandomState::default(),
        }
    }

    /// Returns how many categories there are, NULL included.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Returns the bytes that it takes.
    pub(super) fn size(&self) -> usize {
        let keys = match &self.keys {
            Keys::Text { bytes, ends } => bytes.capacity() + ends.capacity() * 8,
            Keys::Number(numbers) => numbers.capacity() * 8,
        };
        keys + (self.slots.capacity() + self.hashes.capacity()) * 8
    }

    /// Returns the numbers of a column of keys; `UNSEEN` for those that are not known.
    pub(super) fn find(&self, column: &ArrayRef) -> Result<Vec<u32>, DataFusionError> {
        let hashes = self.hash(column)?;
        let null = self.null.unwrap_or(UNSEEN);
        Ok(match &self.keys {
            Keys::Text { bytes, ends } => {
                let values = column.as_string::<i32>();
                let equals = |row: usize, number: usize| {
                    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
                    &bytes[start..ends[number]] == values.value(row).as_bytes()
                };
                self.find_each(column, &hashes, null, equals)
            }
            Keys::Number(numbers) => {
                let values = column.as_primitive::<Int64Type>().values();
                self.find_each(column, &hashes, null, |row, number| {
                    numbers[number] == values[row]
                })
            }
        })
    }

    fn find_each(
        &self,
        column: &ArrayRef,
        hashes: &[u64],
        null: u32,
        equals: impl Fn(usize, usize) -> bool,
    ) -> Vec<u32> {
        let look_up = |row: usize| self.probe(hashes[row], |number| equals(row, number)).0;
        match column.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => (0..hashes.len()).map(look_up).collect(),
            Some(nulls) => (0..hashes.len())
                .map(|row| match nulls.is_valid(row) {
                    true => look_up(row),
                    false => null,
                })
                .collect(),
        }
    }

    /// Returns the numbers of a column of keys, and adds those that are new.
    pub(super) fn insert(&mut self, column: &ArrayRef) -> Result<Vec<u32>, DataFusionError> {
        let hashes = self.hash(column)?;
        let mut numbers = Vec::with_capacity(column.len());
        for (row, hash) in hashes.into_iter().enumerate() {
            let number = match column.is_null(row) {
                true => self.insert_null()?,
                false => self.insert_key(column, row, hash)?,
            };
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn insert_null(&mut self) -> Result<u32, DataFusionError> {
        if let Some(number) = self.null {
            return Ok(number);
        }
        let number = self.next_number()?;
        self.hashes.push(0);
        match &mut self.keys {
            Keys::Text { bytes, ends } => ends.push(bytes.len()),
            Keys::Number(numbers) => numbers.push(0),
        }
        self.null = Some(number);
        Ok(number)
    }

    fn insert_key(
        &mut self,
        column: &ArrayRef,
        row: usize,
        hash: u64,
    ) -> Result<u32, DataFusionError> {
        let (found, slot) = match &self.keys {
            Keys::Text { bytes, ends } => {
                let key = column.as_string::<i32>().value(row).as_bytes();
                self.probe(hash, |number| {
                    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
                    &bytes[start..ends[number]] == key
                })
            }
            Keys::Number(numbers) => {
                let key = column.as_primitive::<Int64Type>().value(row);
                self.probe(hash, |number| numbers[number] == key)
            }
        };
        if found != UNSEEN {
            return Ok(found);
        }
        let number = self.next_number()?;
        match &mut self.keys {
            Keys::Text { bytes, ends } => {
                bytes.extend_from_slice(column.as_string::<i32>().value(row).as_bytes());
                ends.push(bytes.len());
            }
            Keys::Number(numbers) => numbers.push(column.as_primitive::<Int64Type>().value(row)),
        }
        self.hashes.push(hash);
        self.slots[slot] = entry(hash, number);
        if self.hashes.len() * 2 > self.slots.len() {
            self.grow();
        }
        Ok(number)
    }

    fn next_number(&self) -> Result<u32, DataFusionError> {
        match u32::try_from(self.hashes.len()) {
            Ok(number) if number < UNSEEN - 2 => Ok(number),
            _ => exec_err!("there are more categories than an encoder can hold"),
        }
    }

    fn grow(&mut self) {
        let mut slots = vec![EMPTY; self.slots.len() * 2];
        let mask = slots.len() - 1;
        for (number, hash) in (0_u32..).zip(&self.hashes) {
            if self.null == Some(number) {
                continue;
            }
            let mut slot = *hash as usize & mask;
            while slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            slots[slot] = entry(*hash, number);
        }
        self.slots = slots;
    }

    /// Returns the number of a key, or `UNSEEN` with the slot that is free for it.
    fn probe(&self, hash: u64, equals: impl Fn(usize) -> bool) -> (u32, usize) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let found = self.slots[slot];
            if found == EMPTY {
                return (UNSEEN, slot);
            }
            let number = found as u32;
            if found >> 32 == hash >> 32 && equals(number as usize) {
                return (number, slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn hash(&self, column: &ArrayRef) -> Result<Vec<u64>, DataFusionError> {
        let mut hashes = vec![0; column.len()];
        create_hashes([column], &self.random, &mut hashes)?;
        Ok(hashes)
    }

    /// Returns the keys by number.
    pub(super) fn to_keys(&self) -> ArrayRef {
        let null = self.null.map(|number| number as usize);
        match &self.keys {
            Keys::Text { bytes, ends } => {
                let mut texts = StringBuilder::with_capacity(ends.len(), bytes.len());
                let mut start = 0;
                for (number, end) in ends.iter().enumerate() {
                    if null == Some(number) {
                        texts.append_null();
                    } else {
                        texts.append_value(String::from_utf8_lossy(&bytes[start..*end]));
                    }
                    start = *end;
                }
                let texts: StringArray = texts.finish();
                Arc::new(texts)
            }
            Keys::Number(numbers) => {
                let numbers: Int64Array = numbers
                    .iter()
                    .enumerate()
                    .map(|(number, value)| (null != Some(number)).then_some(*value))
                    .collect::<PrimitiveArray<Int64Type>>();
                Arc::new(numbers)
            }
        }
    }
}

fn entry(hash: u64, number: u32) -> u64 {
    (hash >> 32) << 32 | u64::from(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::{CategoryIndex, UNSEEN};

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn texts_get_numbers_in_the_order_of_first_sight() {
        let mut index = CategoryIndex::new(true);
        let column = texts(&[Some("b"), None, Some(""), Some("b"), Some("ü"), None]);
        assert_eq!(index.insert(&column).unwrap(), [0, 1, 2, 0, 3, 1]);
        let column = texts(&[Some("ü"), Some("u"), None, Some("")]);
        assert_eq!(index.find(&column).unwrap(), [3, UNSEEN, 1, 2]);
        assert_eq!(
            &index.to_keys(),
            &texts(&[Some("b"), None, Some(""), Some("ü")])
        );
    }

    #[test]
    fn null_is_unseen_until_it_was_seen() {
        let mut index = CategoryIndex::new(false);
        let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), None]));
        index.insert(&column.slice(0, 1)).unwrap();
        assert_eq!(index.find(&column).unwrap(), [0, UNSEEN]);
    }

    #[test]
    fn many_categories_are_found_again() {
        let mut index = CategoryIndex::new(false);
        let values: Vec<i64> = (0..100_000).map(|value| value * 7_919 - 50_000).collect();
        let column: ArrayRef = Arc::new(Int64Array::from(values));
        let numbers = index.insert(&column).unwrap();
        assert_eq!(numbers, (0..100_000).collect::<Vec<u32>>());
        assert_eq!(index.find(&column).unwrap(), numbers);
        assert_eq!(index.len(), 100_000);
        assert!(index.size() > 100_000 * 24);
    }
}
