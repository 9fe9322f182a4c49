//! What values a JSON file holds, found out from its text, so that no number loses a digit.
//!
//! DataFusion's own look at a file takes whole numbers beyond 64 bits for doubles.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields};

/// The most digits of a DECIMAL.
const DECIMAL_DIGITS: u8 = 38;

/// What the values of one place are.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Shape {
    /// NULL, or nothing at all.
    #[default]
    Null,
    Boolean,
    Number(Numbers),
    Text,
    /// Of several kinds, which only text holds all of.
    Mixed,
    List(Box<Shape>),
    /// The keys in the order in which they came.
    Object(Keys),
}

/// Keys with what their values are, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    list: Vec<(String, Shape)>,
    /// Where each key is in the list, once there are many.
    places: HashMap<String, usize>,
}

/// So many keys are found as fast one by one.
const FEW: usize = 16;

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Keys {
    /// Adds what a value of a key is.
    pub(super) fn add(&mut self, key: String, shape: Shape) {
        match self.place(&key) {
            Some(place) => {
                let known = &mut self.list[place].1;
                *known = std::mem::take(known).merge(shape);
            }
            None => {
                self.list.push((key, shape));
                self.note();
            }
        }
    }

    pub(super) fn add_all(&mut self, others: Self) {
        for (key, shape) in others.list {
            self.add(key, shape);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, Shape)> {
        self.list.iter()
    }

    fn place(&self, key: &str) -> Option<usize> {
        match self.list.len() > FEW {
            true => self.places.get(key).copied(),
            false => self.list.iter().position(|(known, _)| known == key),
        }
    }

    /// Notes the places of keys that were added.
    fn note(&mut self) {
        if self.list.len() > FEW {
            for place in self.places.len()..self.list.len() {
                self.places.insert(self.list[place].0.clone(), place);
            }
        }
    }
}

/// What numbers are among the values of one place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Numbers {
    /// The most digits of a whole number.
    digits: usize,
    /// Whether a whole number does not fit BIGINT.
    beyond_bigint: bool,
    /// Whether DOUBLE would hold another whole number.
    beyond_double: bool,
    /// Whether there is a number with a point or an exponent.
    fractions: bool,
}

impl Numbers {
    pub(super) fn of(text: &str) -> Self {
        if text.contains(['.', 'e', 'E']) {
            return Self {
                fractions: true,
                ..Self::default()
            };
        }
        let digits = text.trim_start_matches('-').len();
        let whole = text.parse::<i64>().ok();
        Self {
            digits,
            beyond_bigint: whole.is_none(),
            beyond_double: !is_exact_double(text),
            fractions: false,
        }
    }

    fn merge(self, other: Self) -> Self {
        Self {
            digits: self.digits.max(other.digits),
            beyond_bigint: self.beyond_bigint || other.beyond_bigint,
            beyond_double: self.beyond_double || other.beyond_double,
            fractions: self.fractions || other.fractions,
        }
    }
}

/// Says whether a double holds a whole number as it is.
pub(super) fn is_exact_double(whole: &str) -> bool {
    match whole.parse::<i128>() {
        Ok(number) => number.unsigned_abs() <= 1 << 53 || (number as f64) as i128 == number,
        Err(_) => false,
    }
}

impl Shape {
    /// Adds what other values of the same place are.
    pub(super) fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => other,
            (Self::Number(left), Self::Number(right)) => Self::Number(left.merge(right)),
            (Self::List(left), Self::List(right)) => Self::List(Box::new(left.merge(*right))),
            (Self::Object(mut fields), Self::Object(others)) => {
                fields.add_all(others);
                Self::Object(fields)
            }
            (left, right) if left == right => left,
            _ => Self::Mixed,
        }
    }

    /// Returns the type that holds all values, or says of which column there is none.
    pub(super) fn data_type(&self, column: &str) -> Result<DataType, String> {
        Ok(match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Text | Self::Mixed => DataType::Utf8,
            Self::Number(numbers) => number_type(*numbers, column)?,
            Self::List(items) => {
                let item = Field::new_list_field(items.data_type(column)?, true);
                DataType::List(Arc::new(item))
            }
            Self::Object(fields) => DataType::Struct(columns(fields)?),
        })
    }
}

/// Returns the columns that records with these keys have.
pub(super) fn columns(fields: &Keys) -> Result<Fields, String> {
    fields
        .iter()
        .map(|(key, shape)| Ok(Field::new(key, shape.data_type(key)?, true)))
        .collect()
}

fn number_type(numbers: Numbers, column: &str) -> Result<DataType, String> {
    let wide = numbers.digits > usize::from(DECIMAL_DIGITS);
    match (numbers.fractions, numbers.beyond_bigint) {
        (false, false) => Ok(DataType::Int64),
        (false, true) if wide => Ok(DataType::Utf8),
        (false, true) => Ok(DataType::Decimal128(DECIMAL_DIGITS, 0)),
        (true, _) if numbers.beyond_double => Err(format!(
            "its column `{column}` holds numbers with a point, and whole ones that DOUBLE cannot hold exactly; \
             declare its type: `columns => {{'{column}': 'DECIMAL(38, 10)'}}`"
        )),
        (true, _) => Ok(DataType::Float64),
    }
}
