//! Aggregates that count each value: `mode`, `histogram`, `entropy`, `mad`.
//!
//! Values are kept as rows of bytes, which compare as the values do, whatever their type.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, MapArray, StructArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, Volatility,
};

use crate::registry::find;

/// The value that is there most often; of several the smallest.
pub(crate) fn mode() -> Arc<AggregateUDF> {
    function(What::Mode)
}

/// A map from each value to how often it is there.
pub(crate) fn histogram() -> Arc<AggregateUDF> {
    function(What::Histogram)
}

/// The entropy of the shares of the values, in bits.
pub(crate) fn entropy() -> Arc<AggregateUDF> {
    function(What::Entropy)
}

/// The median of the distances from the median.
pub(crate) fn mad() -> Arc<AggregateUDF> {
    function(What::Deviation)
}

fn function(what: What) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Counting {
        what,
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

/// What becomes of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Mode,
    Histogram,
    Entropy,
    Deviation,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Counting {
    what: What,
    signature: Signature,
}

impl AggregateUDFImpl for Counting {
    fn name(&self) -> &str {
        match self.what {
            What::Mode => "mode",
            What::Histogram => "histogram",
            What::Entropy => "entropy",
            What::Deviation => "lakesh_mad",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [value] = types else {
            return plan_err!("`{}` takes one argument", self.name());
        };
        Ok(match self.what {
            What::Mode => value.clone(),
            What::Histogram => DataType::Map(Arc::new(entry_field(value)), true),
            What::Entropy | What::Deviation => DataType::Float64,
        })
    }

    fn supports_within_group_clause(&self) -> bool {
        false
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let values = arguments.input_fields[0].data_type().clone();
        let list = |name: &str, data_type: DataType| {
            let name = format_state_name(arguments.name, name);
            Arc::new(Field::new(name, DataType::new_list(data_type, true), true))
        };
        Ok(vec![
            list("values", values),
            list("counts", DataType::Int64),
        ])
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = arguments.expr_fields[0].data_type().clone();
        Ok(Box::new(Counts {
            what: self.what,
            is_distinct: arguments.is_distinct,
            rows: RowConverter::new(vec![SortField::new(data_type.clone())])?,
            data_type,
            counts: HashMap::new(),
            bytes: 0,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        find(self.name()).and_then(|function| function.documentation())
    }
}

fn entry_fields(value: &DataType) -> Fields {
    Fields::from(vec![
        Field::new("key", value.clone(), false),
        Field::new("value", DataType::Int64, true),
    ])
}

fn entry_field(value: &DataType) -> Field {
    Field::new("entries", DataType::Struct(entry_fields(value)), false)
}

/// How often each value was there.
struct Counts {
    what: What,
    is_distinct: bool,
    data_type: DataType,
    rows: RowConverter,
    counts: HashMap<Box<[u8]>, i64>,
    /// The bytes of the values.
    bytes: usize,
}

impl fmt::Debug for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Counts")
            .field("what", &self.what)
            .field("values", &self.counts.len())
            .finish_non_exhaustive()
    }
}

impl Counts {
    fn add(&mut self, values: &ArrayRef, times: Option<&Int64Array>) -> Result<()> {
        let rows = self.rows.convert_columns(&[Arc::clone(values)])?;
        let nulls = values.logical_nulls();
        for place in 0..values.len() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(place)) {
                continue;
            }
            let times = times.map_or(1, |times| times.value(place));
            let row = rows.row(place);
            let bytes: &[u8] = row.as_ref();
            match self.counts.get_mut(bytes) {
                Some(count) if self.is_distinct => *count = 1,
                Some(count) => *count += times,
                None => {
                    self.bytes += bytes.len();
                    let first = if self.is_distinct { 1 } else { times };
                    self.counts.insert(bytes.into(), first);
                }
            }
        }
        Ok(())
    }

    /// The values in their order, with their counts.
    fn sorted(&self) -> Result<(ArrayRef, Int64Array)> {
        let mut entries: Vec<(&[u8], i64)> = self
            .counts
            .iter()
            .map(|(bytes, count)| (bytes.as_ref(), *count))
            .collect();
        entries.sort_unstable();
        let parser = self.rows.parser();
        let rows = entries.iter().map(|(bytes, _)| parser.parse(bytes));
        let mut columns = self.rows.convert_rows(rows)?;
        let counts = entries.iter().map(|(_, count)| *count).collect();
        match columns.pop() {
            Some(values) => Ok((values, counts)),
            None => exec_err!("no values were counted"),
        }
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [values] => self.add(values, None),
            _ => exec_err!("one argument is counted"),
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, counts] = states else {
            return exec_err!("values and counts are merged");
        };
        let (values, counts) = (values.as_list::<i32>(), counts.as_list::<i32>());
        for (values, counts) in values.iter().zip(counts.iter()) {
            if let (Some(values), Some(counts)) = (values, counts) {
                self.add(&values, Some(counts.as_primitive::<Int64Type>()))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, counts) = self.sorted()?;
        let list = |values: ArrayRef| {
            let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
            let offsets = OffsetBuffer::from_lengths([values.len()]);
            ScalarValue::List(Arc::new(ListArray::new(field, offsets, values, None)))
        };
        Ok(vec![list(values), list(Arc::new(counts))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (values, counts) = self.sorted()?;
        match self.what {
            What::Mode => {
                let mut best: Option<(usize, i64)> = None;
                for (place, count) in counts.values().iter().enumerate() {
                    if best.is_none_or(|(_, most)| *count > most) {
                        best = Some((place, *count));
                    }
                }
                match best {
                    Some((place, _)) => ScalarValue::try_from_array(&values, place),
                    None => ScalarValue::try_from(&self.data_type),
                }
            }
            What::Histogram => {
                let field = Arc::new(entry_field(&self.data_type));
                if counts.is_empty() {
                    return ScalarValue::try_from(&DataType::Map(field, true));
                }
                let fields = entry_fields(&self.data_type);
                let offsets = OffsetBuffer::from_lengths([values.len()]);
                let entries = StructArray::new(fields, vec![values, Arc::new(counts)], None);
                let map = MapArray::try_new(field, offsets, entries, None, true)?;
                Ok(ScalarValue::Map(Arc::new(map)))
            }
            What::Entropy => {
                let all: i64 = counts.values().iter().sum();
                let bits = counts.values().iter().map(|count| {
                    let share = *count as f64 / all as f64;
                    -share * share.log2()
                });
                // Of nothing it is 0, as in DuckDB; one value alone gives a zero without a sign.
                Ok(ScalarValue::Float64(Some(bits.sum::<f64>().abs())))
            }
            What::Deviation => {
                let values = values.as_primitive::<Float64Type>();
                let mut counted: Vec<(f64, i64)> = values
                    .values()
                    .iter()
                    .copied()
                    .zip(counts.values().iter().copied())
                    .collect();
                let Some(middle) = median(&counted) else {
                    return Ok(ScalarValue::Float64(None));
                };
                for (value, _) in &mut counted {
                    // Of an infinite median it is at a distance of 0.
                    *value = match *value == middle {
                        true => 0.0,
                        false => (*value - middle).abs(),
                    };
                }
                counted.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
                Ok(ScalarValue::Float64(median(&counted)))
            }
        }
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.rows.size()
            + self.bytes
            + self.counts.capacity() * size_of::<(Box<[u8]>, i64)>()
    }
}

/// The median of values in their order with their counts; between two of them lies their middle.
fn median(counted: &[(f64, i64)]) -> Option<f64> {
    let all: i64 = counted.iter().map(|(_, count)| count).sum();
    let at = |place: i64| {
        let mut before = 0;
        let found = counted.iter().find(|(_, count)| {
            before += count;
            before > place
        });
        found.map(|(value, _)| *value)
    };
    let (low, high) = (at((all - 1) / 2)?, at(all / 2)?);
    Some(match low == high {
        true => low,
        false => low + (high - low) / 2.0,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, StringArray};
    use datafusion::arrow::datatypes::DataType;
    use datafusion::arrow::row::{RowConverter, SortField};
    use datafusion::common::ScalarValue;
    use datafusion::logical_expr::Accumulator;

    use super::{Counts, What};

    fn counts(what: What) -> Counts {
        Counts {
            what,
            is_distinct: false,
            data_type: DataType::Utf8,
            rows: RowConverter::new(vec![SortField::new(DataType::Utf8)]).unwrap(),
            counts: HashMap::new(),
            bytes: 0,
        }
    }

    fn of(what: What, values: &[Option<&str>]) -> ScalarValue {
        let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        let mut first = counts(what);
        first.update_batch(&[values]).unwrap();
        let states = first.state().unwrap();
        let arrays: Vec<ArrayRef> = states
            .iter()
            .map(|state| state.to_array().unwrap())
            .collect();
        let mut second = counts(what);
        second.merge_batch(&arrays).unwrap();
        second.evaluate().unwrap()
    }

    #[test]
    fn the_most_frequent_value_is_the_mode() {
        let values = [Some("b"), Some("a"), None, Some("b"), None, None];
        assert_eq!(of(What::Mode, &values), ScalarValue::from("b"));
        assert_eq!(
            of(What::Mode, &[Some("b"), Some("a")]),
            ScalarValue::from("a")
        );
        assert_eq!(of(What::Mode, &[None]), ScalarValue::Utf8(None));
    }

    #[test]
    fn shares_have_an_entropy() {
        let half = of(What::Entropy, &[Some("a"), Some("b"), None]);
        assert_eq!(half, ScalarValue::from(1.0));
        assert_eq!(of(What::Entropy, &[Some("a")]), ScalarValue::from(0.0));
        assert_eq!(of(What::Entropy, &[]), ScalarValue::from(0.0));
    }

    #[test]
    fn a_histogram_of_nothing_is_null() {
        assert!(of(What::Histogram, &[None]).is_null());
        assert!(!of(What::Histogram, &[Some("a")]).is_null());
    }
}
