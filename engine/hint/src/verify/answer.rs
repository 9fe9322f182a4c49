//! The rows of a result, so that two results can be told apart.
//!
//! Small results are kept and compared row by row. Of larger ones a digest is kept: columns of exact
//! values are hashed, floating-point numbers are summed in buckets chosen by the hash of the row's exact
//! values, plain, weighted by that hash, and multiplied with their neighbour. Numbers may differ by
//! 1e-9 of their size, or by 64 roundings of the largest in their column, 1.4e-14 of it (REAL: 1e-5 and
//! 1e-7): sums depend on
//! the order of addition. NULL, NaN and infinity are exact.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, SchemaRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;

/// Results of so many rows at most are kept and compared row by row.
pub(super) const WHOLE: usize = 50_000;

/// How many buckets the numbers of a large result are summed in.
const BUCKETS: usize = 1024;

/// One row: its exact values as bytes, and its numbers.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    exact: Vec<u8>,
    numbers: Vec<f64>,
}

impl Row {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.exact.len() + size_of_val(self.numbers.as_slice())
    }
}

/// What was returned.
pub(super) struct Answer {
    columns: Vec<(String, DataType)>,
    /// The columns that the rows are ordered by.
    order: Vec<usize>,
    /// The rows, as long as they are few.
    rows: Option<Vec<Row>>,
    /// What the rows are ordered by, in their order, as long as they are few.
    keys: Option<Vec<Row>>,
    digest: Digest,
    most_rows: usize,
    /// What the kept rows are charged to.
    reservation: Option<MemoryReservation>,
}

impl Answer {
    pub(super) fn new(schema: &SchemaRef, order: &[usize], most_rows: usize) -> Self {
        let columns: Vec<(String, DataType)> = schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect();
        let numbers = columns
            .iter()
            .filter(|(_, kind)| kind.is_floating())
            .count();
        Self {
            columns,
            order: order.to_vec(),
            rows: Some(Vec::new()),
            keys: Some(Vec::new()),
            digest: Digest::new(numbers),
            most_rows,
            reservation: None,
        }
    }

    /// Charges the rows that are kept; where they do not fit, only their digest is kept.
    pub(super) fn charged_to(mut self, reservation: MemoryReservation) -> Self {
        self.reservation = Some(reservation);
        self
    }

    /// Takes rows in.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        let rows = rows_of(batch.columns(), batch.num_rows())?;
        let ordered: Vec<ArrayRef> = self
            .order
            .iter()
            .map(|column| std::sync::Arc::clone(batch.column(*column)))
            .collect();
        let keys = match ordered.is_empty() {
            true => Vec::new(),
            false => rows_of(&ordered, batch.num_rows())?,
        };
        for row in &rows {
            self.digest.add(row);
        }
        for key in &keys {
            self.digest.follow(key);
        }
        let bytes: usize = rows.iter().chain(&keys).map(Row::bytes).sum();
        let fits = self
            .reservation
            .as_ref()
            .is_none_or(|reservation| reservation.try_grow(bytes).is_ok());
        if self.digest.rows as usize > self.most_rows || !fits {
            self.rows = None;
            self.keys = None;
            self.reservation = None;
        }
        if let (Some(kept), Some(kept_keys)) = (&mut self.rows, &mut self.keys) {
            kept.extend(rows);
            kept_keys.extend(keys);
        }
        Ok(())
    }

    /// Says how another result differs; `None` where it is the same.
    pub(super) fn differs_from(&self, other: &Self) -> Option<String> {
        if self.columns != other.columns {
            return Some("other columns".to_owned());
        }
        if self.digest.rows != other.digest.rows {
            return Some(format!(
                "{} rows instead of {}",
                other.digest.rows, self.digest.rows
            ));
        }
        let tolerances = self.tolerances(&other.digest);
        match (&self.rows, &other.rows, &self.keys, &other.keys) {
            (Some(one), Some(two), Some(one_keys), Some(two_keys)) => {
                if !same_sequence(one_keys, two_keys, &self.key_tolerances(&tolerances)) {
                    return Some("rows in another order".to_owned());
                }
                (!same_rows(one, two, &tolerances)).then(|| "other values".to_owned())
            }
            _ => self.digest.differs_from(&other.digest, &tolerances),
        }
    }

    /// Returns how far the numbers of each column may be apart.
    fn tolerances(&self, other: &Digest) -> Vec<Tolerance> {
        let kinds = self.columns.iter().map(|(_, kind)| kind);
        kinds
            .filter(|kind| kind.is_floating())
            .enumerate()
            .map(|(number, kind)| {
                let largest = self.digest.largest[number].max(other.largest[number]);
                match kind {
                    DataType::Float64 => Tolerance::new(1e-9, 64.0 * f64::EPSILON * largest),
                    _ => Tolerance::new(1e-5, 1e-7 * largest),
                }
            })
            .collect()
    }

    /// Picks the tolerances of the columns that rows are ordered by.
    fn key_tolerances(&self, all: &[Tolerance]) -> Vec<Tolerance> {
        let number_of = |column: usize| {
            let before = self.columns[..column].iter();
            before.filter(|(_, kind)| kind.is_floating()).count()
        };
        let keys = self
            .order
            .iter()
            .filter(|column| self.columns[**column].1.is_floating());
        keys.map(|column| all[number_of(*column)]).collect()
    }
}

/// How far two numbers may be apart.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

impl Tolerance {
    fn new(relative: f64, absolute: f64) -> Self {
        Self { relative, absolute }
    }

    fn allows(&self, one: f64, other: f64) -> bool {
        // Infinities and NaN are told apart by the exact values.
        if !one.is_finite() || !other.is_finite() {
            return true;
        }
        let size = one.abs().max(other.abs());
        (one - other).abs() <= (self.relative * size).max(self.absolute)
    }
}

/// Takes a batch apart into rows.
fn rows_of(columns: &[ArrayRef], count: usize) -> Result<Vec<Row>, DataFusionError> {
    let mut exact: Vec<ArrayRef> = Vec::new();
    let mut numbers: Vec<ArrayRef> = Vec::new();
    for column in columns {
        match column.data_type().is_floating() {
            true => numbers.push(cast(column, &DataType::Float64)?),
            false => exact.push(std::sync::Arc::clone(column)),
        }
    }
    let fields = exact
        .iter()
        .map(|column| SortField::new(column.data_type().clone()))
        .collect();
    let encoded = match exact.is_empty() {
        true => None,
        false => Some(RowConverter::new(fields)?.convert_columns(&exact)?),
    };
    let rows = (0..count).map(|row| {
        let mut bytes = encoded
            .as_ref()
            .map_or_else(Vec::new, |encoded| encoded.row(row).as_ref().to_vec());
        let mut values = Vec::with_capacity(numbers.len());
        for column in &numbers {
            let column = column.as_primitive::<Float64Type>();
            let value = column.is_valid(row).then(|| column.value(row));
            bytes.push(class(value));
            values.push(value.filter(|value| value.is_finite()).unwrap_or(0.0));
        }
        Row {
            exact: bytes,
            numbers: values,
        }
    });
    Ok(rows.collect())
}

/// Tells NULL, NaN, the infinities and numbers apart.
fn class(value: Option<f64>) -> u8 {
    match value {
        None => 0,
        Some(value) if value.is_nan() => 1,
        Some(f64::INFINITY) => 2,
        Some(f64::NEG_INFINITY) => 3,
        Some(_) => 4,
    }
}

fn same_numbers(one: &Row, two: &Row, tolerances: &[Tolerance]) -> bool {
    let pairs = one.numbers.iter().zip(&two.numbers).zip(tolerances);
    pairs
        .into_iter()
        .all(|((one, two), tolerance)| tolerance.allows(*one, *two))
}

fn same_sequence(one: &[Row], two: &[Row], tolerances: &[Tolerance]) -> bool {
    one.len() == two.len()
        && one
            .iter()
            .zip(two)
            .all(|(one, two)| one.exact == two.exact && same_numbers(one, two, tolerances))
}

/// Compares rows whose order makes no difference.
fn same_rows(one: &[Row], two: &[Row], tolerances: &[Tolerance]) -> bool {
    let sorted = |rows: &[Row]| {
        let mut rows = rows.to_vec();
        rows.sort_by(|left, right| {
            let numbers = || {
                let pairs = left.numbers.iter().zip(&right.numbers);
                pairs
                    .map(|(left, right)| left.total_cmp(right))
                    .find(|order| order.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            };
            left.exact.cmp(&right.exact).then_with(numbers)
        });
        rows
    };
    let (one, two) = (sorted(one), sorted(two));
    if same_sequence(&one, &two, tolerances) {
        return true;
    }
    // Numbers that differ by their tolerance may have been sorted otherwise.
    let mut place = 0;
    while place < one.len() {
        let end = one[place..]
            .iter()
            .position(|row| row.exact != one[place].exact)
            .map_or(one.len(), |length| place + length);
        if !same_group(&one[place..end], &two[place..end], tolerances) {
            return false;
        }
        place = end;
    }
    true
}

/// Finds a partner for each row among rows of the same exact values.
fn same_group(one: &[Row], two: &[Row], tolerances: &[Tolerance]) -> bool {
    /// Larger groups are compared as they are sorted only.
    const LARGEST: usize = 2000;
    if two.iter().any(|row| row.exact != one[0].exact) {
        return false;
    }
    if one.len() > LARGEST {
        return same_sequence(one, two, tolerances);
    }
    let mut open: Vec<&Row> = two.iter().collect();
    one.iter().all(|row| {
        let partner = open
            .iter()
            .position(|other| same_numbers(row, other, tolerances));
        partner.map(|partner| open.swap_remove(partner)).is_some()
    })
}

/// What is kept of many rows.
#[derive(Debug, Clone)]
struct Digest {
    rows: u64,
    /// The sum of the hashes of the rows' exact values: their order makes no difference.
    exact: u128,
    /// The hash of what the rows are ordered by, in their order.
    sequence: u128,
    /// For each bucket and column the sums of its numbers.
    sums: Vec<Sums>,
    /// How many rows `sequence` has seen.
    followed: u64,
    /// The numbers that rows are ordered by, summed over each block of rows, weighted by their places.
    places: Vec<PlaceSums>,
    largest: Vec<f64>,
    numbers: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    plain: f64,
    weighted: f64,
    /// Each number times its neighbour in the row.
    crossed: f64,
    squared: f64,
    size: f64,
    square_size: f64,
    cross_size: f64,
}

/// The numbers of one block of rows.
#[derive(Debug, Clone, Copy, Default)]
struct PlaceSums {
    plain: f64,
    size: f64,
}

/// Rows of a block: so few that two of them cannot change places unseen.
const BLOCK: u64 = 64;

impl Digest {
    fn new(numbers: usize) -> Self {
        Self {
            rows: 0,
            exact: 0,
            sequence: 0,
            followed: 0,
            sums: vec![Sums::default(); numbers * BUCKETS],
            places: Vec::new(),
            largest: vec![0.0; numbers],
            numbers,
        }
    }

    fn add(&mut self, row: &Row) {
        let hash = hash(&row.exact);
        self.rows += 1;
        self.exact = self.exact.wrapping_add(hash);
        let bucket = (hash % BUCKETS as u128) as usize;
        // From 1 to 2, so that numbers cannot be swapped between rows.
        let weight = 1.0 + ((hash >> 64) as u64 as f64) / (u64::MAX as f64);
        for (number, value) in row.numbers.iter().enumerate() {
            let neighbour = row.numbers[(number + 1) % row.numbers.len()];
            let sums = &mut self.sums[bucket * self.numbers + number];
            sums.plain += value;
            sums.weighted += value * weight;
            sums.crossed += value * neighbour;
            sums.squared += value * value;
            sums.size += value.abs();
            sums.square_size += value * value;
            sums.cross_size += (value * neighbour).abs();
            self.largest[number] = self.largest[number].max(value.abs());
        }
    }

    /// Takes in what the next row is ordered by.
    fn follow(&mut self, key: &Row) {
        self.sequence = self
            .sequence
            .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
            .wrapping_add(hash(&key.exact));
        let place = self.followed % BLOCK;
        self.followed += 1;
        let width = key.numbers.len();
        if place == 0 {
            let length = self.places.len() + width;
            self.places.resize(length, PlaceSums::default());
        }
        let block = self.places.len() - width;
        for (sums, value) in self.places[block..].iter_mut().zip(&key.numbers) {
            let weighted = value * (place + 1) as f64;
            sums.plain += weighted;
            sums.size += weighted.abs();
        }
    }

    fn differs_from(&self, other: &Self, tolerances: &[Tolerance]) -> Option<String> {
        if self.exact != other.exact {
            return Some("other values".to_owned());
        }
        if self.sequence != other.sequence {
            return Some("rows in another order".to_owned());
        }
        let close = |one: f64, two: f64, size: f64, relative: f64| {
            (one - two).abs() <= relative * size.max(f64::MIN_POSITIVE)
        };
        let pairs = self.sums.iter().zip(&other.sums).enumerate();
        for (place, (one, two)) in pairs {
            let relative = tolerances[place % self.numbers].relative;
            let same = close(one.plain, two.plain, one.size, relative)
                && close(one.weighted, two.weighted, 2.0 * one.size, relative)
                && close(one.squared, two.squared, one.square_size, relative)
                && close(one.crossed, two.crossed, one.cross_size, relative);
            if !same {
                return Some("other values".to_owned());
            }
        }
        // REAL anywhere makes the comparison of places as loose as that of its values.
        let order = tolerances
            .iter()
            .map(|tolerance| tolerance.relative)
            .fold(1e-9, f64::max);
        let ordered = self.places.iter().zip(&other.places);
        ordered
            .into_iter()
            .any(|(one, two)| !close(one.plain, two.plain, one.size, order))
            .then(|| "rows in another order".to_owned())
    }
}

/// Hashes bytes to 128 bits, alike in every process.
fn hash(bytes: &[u8]) -> u128 {
    let half = |seed: u8| {
        let mut hasher = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
        hasher.write_u8(seed);
        hasher.write(bytes);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}
