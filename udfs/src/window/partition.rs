//! Functions of the rows of a partition, whatever the frame, in DataFusion's terms.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, not_impl_err, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;

use crate::kernel::Rolling;
use crate::registry::Function;

/// How a function of a partition types and computes.
#[derive(Debug)]
pub(crate) struct PartitionBehaviour {
    /// What the arguments are turned into, or why they cannot be.
    pub(crate) coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// The type of the result, from the coerced types.
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    /// Computes the function for all rows of a partition.
    pub(crate) compute: fn(&[ArrayRef], usize) -> Result<ArrayRef>,
    /// For functions of a row shortly before: how far that is.
    pub(crate) reach: Option<Reach>,
}

/// How a function looks some rows back.
#[derive(Debug)]
pub(crate) struct Reach {
    /// Reads how many rows.
    pub(crate) rows: fn(&ScalarValue) -> Result<usize>,
    /// Makes what computes the function batch by batch.
    pub(crate) rolling: fn(usize) -> Box<dyn Rolling>,
}

/// A function of a partition.
#[derive(Debug)]
pub struct PartitionFunction {
    function: &'static Function,
    behaviour: &'static PartitionBehaviour,
    signature: Signature,
}

impl PartitionFunction {
    pub(crate) fn new(function: &'static Function, behaviour: &'static PartitionBehaviour) -> Self {
        Self {
            signature: function.signature(),
            function,
            behaviour,
        }
    }

    /// Makes what computes the function batch by batch; `None` of one that needs its whole partition.
    pub fn rolling(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> Result<Option<Box<dyn Rolling>>> {
        let Some(reach) = &self.behaviour.reach else {
            return Ok(None);
        };
        Ok(Some((reach.rolling)(self.rows_back(reach, arguments)?)))
    }

    fn rows_back(&self, reach: &Reach, arguments: &[Arc<dyn PhysicalExpr>]) -> Result<usize> {
        let Some(steps) = arguments.get(1) else {
            return (reach.rows)(&ScalarValue::Int64(Some(1)));
        };
        match super::aggregate::constant(steps) {
            Some(value) => (reach.rows)(&value),
            None => plan_err!(
                "`{}` needs a constant as its number of rows",
                self.function.name
            ),
        }
    }
}

impl PartialEq for PartitionFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for PartitionFunction {}

impl Hash for PartitionFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl WindowUDFImpl for PartitionFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.behaviour.coerce)(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let fields = args.input_fields().iter();
        let types: Vec<_> = fields.map(|field| field.data_type().clone()).collect();
        let data_type = (self.behaviour.returns)(&types)?;
        Ok(Field::new(args.name(), data_type, true).into())
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        if args.ignore_nulls() {
            return plan_err!("`{}` does not take IGNORE NULLS", self.function.name);
        }
        let reach = match &self.behaviour.reach {
            Some(reach) => Some(self.rows_back(reach, args.input_exprs())?),
            None => None,
        };
        Ok(Box::new(Evaluator {
            behaviour: self.behaviour,
            reach,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

#[derive(Debug)]
struct Evaluator {
    behaviour: &'static PartitionBehaviour,
    reach: Option<usize>,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        (self.behaviour.compute)(values, rows)
    }

    // Rows that are no longer needed may be dropped from `values`, which moves all indices: only the
    // distance from the range's end is safe to rely on.
    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let Some(reach) = self.reach else {
            return not_impl_err!("this function needs its whole partition");
        };
        let begin = range.end.saturating_sub(reach.saturating_add(1));
        let rows = range.end - begin;
        let slices: Vec<_> = values
            .iter()
            .map(|column| column.slice(begin, rows))
            .collect();
        let computed = (self.behaviour.compute)(&slices, rows)?;
        ScalarValue::try_from_array(&computed, rows - 1)
    }

    fn get_range(&self, row: usize, _rows: usize) -> Result<Range<usize>> {
        let reach = self.reach.unwrap_or(row);
        Ok(row.saturating_sub(reach)..row + 1)
    }

    fn is_causal(&self) -> bool {
        self.reach.is_some()
    }

    fn supports_bounded_execution(&self) -> bool {
        self.reach.is_some()
    }
}
