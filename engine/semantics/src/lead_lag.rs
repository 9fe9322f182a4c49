//! `lead` and `lag`: distances and defaults that differ from row to row, IGNORE NULLS over the whole partition.
//!
//! DataFusion's take constants only, and count one row where the distance is NULL, which gives NULL in PostgreSQL.
//! Where theirs does not do, ours computes the partition at once ([`PerRow`]).
//!
//! With IGNORE NULLS DataFusion's evaluate them row by row where the frame has an end, from as many rows as they need when
//! nulls count, and then miss the values that lie farther (apache/datafusion#25471); a LIMIT above takes the
//! rows away that `lead` would have found. Theirs over whole partitions are right, and are asked here.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options, interleave};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::functions_window::lead_lag::{lag_udwf, lead_udwf};
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs,
};
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF,
    WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

static LEAD: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(Shift::of(lead_udwf()).into()));
static LAG: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(Shift::of(lag_udwf()).into()));

/// Returns `lead` and `lag`.
pub(crate) fn shifts() -> [Arc<WindowUDF>; 2] {
    [Arc::clone(&LEAD), Arc::clone(&LAG)]
}

/// DataFusion's function, with another evaluator where nulls are ignored.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    theirs: Arc<WindowUDF>,
}

impl Shift {
    fn of(theirs: Arc<WindowUDF>) -> Self {
        Self { theirs }
    }

    fn is_lead(&self) -> bool {
        self.theirs.name() == "lead"
    }
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn expressions(&self, arguments: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        match is_constant(arguments.input_exprs()) {
            true => self.theirs.inner().expressions(arguments),
            false => arguments.input_exprs().to_vec(),
        }
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let ignores_nulls = arguments.ignore_nulls();
        if !is_constant(arguments.input_exprs()) {
            return Ok(Box::new(PerRow {
                // Where rows come the other way, so do those that are looked for.
                looks_ahead: self.is_lead() != arguments.is_reversed(),
                ignores_nulls,
                result: result_type(arguments.input_fields()),
            }));
        }
        let theirs = self.theirs.inner().partition_evaluator(arguments)?;
        Ok(match ignores_nulls {
            true => Box::new(WholePartition { theirs }),
            false => theirs,
        })
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        self.theirs.inner().field(arguments)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.theirs.inner().coerce_types(types)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        // DataFusion itself counts the other way where rows come the other way.
        let [lead, lag] = shifts();
        ReversedUDWF::Reversed(if self.is_lead() { lead } else { lag })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.inner().documentation()
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        match self.is_lead() || !is_constant(arguments) {
            // How far the next value lies that is not NULL, nobody knows.
            true => LimitEffect::Unknown,
            false => self.theirs.inner().limit_effect(arguments),
        }
    }
}

/// Says whether distance and default are constants that DataFusion's functions take.
fn is_constant(arguments: &[Arc<dyn PhysicalExpr>]) -> bool {
    arguments
        .iter()
        .enumerate()
        .skip(1)
        .all(|(place, argument)| {
            let constant = argument.downcast_ref::<Literal>();
            constant.is_some_and(|constant| place != 1 || !constant.value().is_null())
        })
}

/// Returns the type of the result: that of the value, or of the default where the value is NULL itself.
fn result_type(fields: &[FieldRef]) -> DataType {
    let types = fields.iter().map(|field| field.data_type());
    let typed = types
        .enumerate()
        .find(|(place, data_type)| *place != 1 && !data_type.is_null());
    typed.map_or(DataType::Null, |(_, data_type)| data_type.clone())
}

/// Computes a partition at once, each row with its own distance and default.
#[derive(Debug)]
struct PerRow {
    looks_ahead: bool,
    ignores_nulls: bool,
    result: DataType,
}

impl PartitionEvaluator for PerRow {
    fn evaluate_all(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let Some(values) = columns.first() else {
            return exec_err!("`lead` and `lag` take a value");
        };
        let values = converted(values, &self.result)?;
        let distances = match columns.get(1) {
            Some(distances) => converted(distances, &DataType::Int64)?,
            None => ScalarValue::Int64(Some(1)).to_array_of_size(rows)?,
        };
        let defaults = match columns.get(2) {
            Some(defaults) => converted(defaults, &self.result)?,
            None => ScalarValue::try_from(&self.result)?.to_array_of_size(rows)?,
        };
        let nothing = ScalarValue::try_from(&self.result)?.to_array_of_size(1)?;
        let counted = match self.ignores_nulls {
            true => Counted::some(&values),
            false => Counted::all(rows),
        };
        let distances = distances.as_primitive::<Int64Type>().iter();
        let places = distances.enumerate().map(|(row, distance)| match distance {
            None => (2, 0),
            Some(distance) => {
                let ahead = match self.looks_ahead {
                    true => i128::from(distance),
                    false => -i128::from(distance),
                };
                counted.at(row, ahead).map_or((1, row), |found| (0, found))
            }
        });
        let places: Vec<(usize, usize)> = places.collect();
        let arrays = [values.as_ref(), defaults.as_ref(), nothing.as_ref()];
        Ok(interleave(&arrays, &places)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        false
    }
}

/// Converts values; what has no counterpart is an error.
fn converted(values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(cast_with_options(values, to, &options)?)
}

/// The rows that a distance counts.
struct Counted {
    rows: usize,
    /// The rows whose value is not NULL, and how many of them are before each row; `None` where all count.
    valid: Option<(Vec<usize>, Vec<usize>)>,
}

impl Counted {
    fn all(rows: usize) -> Self {
        Self { rows, valid: None }
    }

    fn some(values: &ArrayRef) -> Self {
        let nulls = values.logical_nulls();
        let mut valid = Vec::new();
        let mut before = Vec::with_capacity(values.len());
        for row in 0..values.len() {
            before.push(valid.len());
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                valid.push(row);
            }
        }
        Self {
            rows: values.len(),
            valid: Some((valid, before)),
        }
    }

    /// Returns the row so many counted rows ahead of a row, or behind it where the number is below zero; the row
    /// itself for zero.
    fn at(&self, row: usize, ahead: i128) -> Option<usize> {
        let found = |place: i128| usize::try_from(place).ok();
        let Some((valid, before)) = &self.valid else {
            return found(row as i128 + ahead).filter(|found| *found < self.rows);
        };
        if ahead == 0 {
            return Some(row);
        }
        // The row itself is no step, whether or not its value is NULL.
        let here = before[row] as i128;
        let own = i128::from(valid.get(before[row]) == Some(&row));
        let place = match ahead > 0 {
            true => here + own + ahead - 1,
            false => here + ahead,
        };
        found(place).and_then(|place| valid.get(place).copied())
    }
}

/// Evaluates a partition at once.
#[derive(Debug)]
struct WholePartition {
    theirs: Box<dyn PartitionEvaluator>,
}

impl PartitionEvaluator for WholePartition {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.theirs.evaluate_all(values, rows)
    }

    fn supports_bounded_execution(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use datafusion::arrow::datatypes::DataType;
    use datafusion::logical_expr::PartitionEvaluator;

    use super::PerRow;

    #[track_caller]
    fn check(
        ahead: bool,
        ignores_nulls: bool,
        distances: [Option<i64>; 6],
        expected: [Option<i64>; 6],
    ) {
        let values = [Some(1), None, Some(3), Some(4), None, Some(6)];
        let defaults = [10_i64, 20, 30, 40, 50, 60];
        let columns: [ArrayRef; 3] = [
            Arc::new(Int64Array::from(values.to_vec())),
            Arc::new(Int64Array::from(distances.to_vec())),
            Arc::new(Int64Array::from(defaults.to_vec())),
        ];
        let mut evaluator = PerRow {
            looks_ahead: ahead,
            ignores_nulls,
            result: DataType::Int64,
        };
        let found = evaluator.evaluate_all(&columns, 6).expect("it computes");
        let expected: ArrayRef = Arc::new(Int64Array::from(expected.to_vec()));
        assert_eq!(&found, &expected);
    }

    #[test]
    fn each_row_has_its_own_distance_and_default() {
        let distances = [Some(0), Some(1), Some(2), None, Some(9), Some(-1)];
        let back = [Some(1), Some(1), Some(1), None, Some(50), Some(60)];
        check(false, false, distances, back);
        let ahead = [Some(1), Some(3), None, None, Some(50), None];
        check(true, false, distances, ahead);
        let least = [Some(i64::MIN); 6];
        check(false, false, least, [10, 20, 30, 40, 50, 60].map(Some));
    }

    #[test]
    fn nulls_are_no_steps() {
        let distances = [Some(0), Some(1), Some(2), None, Some(2), Some(-1)];
        let back = [Some(1), Some(1), Some(30), None, Some(3), Some(60)];
        check(false, true, distances, back);
        let ahead = [Some(1), Some(3), Some(6), None, Some(50), Some(4)];
        check(true, true, distances, ahead);
    }
}
