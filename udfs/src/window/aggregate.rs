//! Aggregate functions of this crate in DataFusion's terms: accumulators for groups and for frames.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, exec_err, not_impl_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;

use crate::frame_rule::FrameUse;
use crate::kernel::Rolling;
use crate::registry::Function;

/// The names and types of the columns of a state.
pub(crate) type State = Vec<(&'static str, DataType)>;

/// How an aggregate function types and computes.
#[derive(Debug)]
pub(crate) struct AggregateBehaviour {
    /// What the arguments are turned into, or why they cannot be.
    pub(crate) coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// The type of the result, from the coerced types.
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    /// Which frames and groups it can be computed over.
    pub(crate) frame: FrameUse,
    /// What travels between the partial and the final aggregation, from the coerced types.
    pub(crate) state: fn(&[DataType]) -> State,
    /// Makes what computes.
    pub(crate) implementation: Implementation,
}

/// Makes what takes many groups at once.
type MakeGroups = fn(&Call) -> Result<Box<dyn GroupsAccumulator>>;

/// What computes an aggregate function.
#[derive(Debug)]
pub(crate) enum Implementation {
    /// Follows frames that slide (if asked to) or grow.
    Rolling(fn(&Call, bool) -> Result<Box<dyn Rolling>>),
    /// Takes the rows of a group; many groups at once where there is a second function.
    Groups(
        fn(&Call) -> Result<Box<dyn Accumulator>>,
        Option<MakeGroups>,
    ),
}

/// A call: the coerced types of its arguments, and the values of those that are constant.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) types: Vec<DataType>,
    pub(crate) constants: Vec<Option<ScalarValue>>,
}

impl Call {
    /// Returns a constant argument; `None` if it is left out or NULL, an error if it is a column.
    pub(crate) fn constant(&self, position: usize, what: &str) -> Result<Option<&ScalarValue>> {
        match self.constants.get(position) {
            None => Ok(None),
            Some(Some(value)) => Ok((!value.is_null()).then_some(value)),
            Some(None) => plan_err!("`{}` needs a constant as {what}", self.name),
        }
    }

    fn of(name: &'static str, exprs: &[Arc<dyn PhysicalExpr>], types: Vec<DataType>) -> Self {
        Self {
            name,
            types,
            constants: exprs.iter().map(constant).collect(),
        }
    }
}

/// Computes an expression that needs no row.
pub(super) fn constant(expression: &Arc<dyn PhysicalExpr>) -> Option<ScalarValue> {
    if !collect_columns(expression).is_empty() || expression.is_volatile_node() {
        return None;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Schema::empty().into(), vec![], &options);
    let value = expression.evaluate(&batch.ok()?).ok()?;
    let column = value.into_array(1).ok()?;
    ScalarValue::try_from_array(&column, 0).ok()
}

/// An aggregate function of this crate.
#[derive(Debug)]
pub struct FeatureAggregate {
    function: &'static Function,
    behaviour: &'static AggregateBehaviour,
    signature: Signature,
}

impl FeatureAggregate {
    pub(crate) fn new(function: &'static Function, behaviour: &'static AggregateBehaviour) -> Self {
        Self {
            signature: function.signature(),
            function,
            behaviour,
        }
    }

    /// Which frames the function can be computed over.
    pub(crate) fn frame(&self) -> FrameUse {
        self.behaviour.frame
    }

    /// Makes what follows the rows of a partition; `None` of a function that only takes groups.
    pub fn rolling(
        &self,
        arguments: &[Arc<dyn PhysicalExpr>],
        types: Vec<DataType>,
        slides: bool,
    ) -> Result<Option<Box<dyn Rolling>>> {
        match self.behaviour.implementation {
            Implementation::Rolling(make) => {
                make(&Call::of(self.function.name, arguments, types), slides).map(Some)
            }
            Implementation::Groups(..) => Ok(None),
        }
    }

    fn call(&self, args: &AccumulatorArgs) -> Call {
        let fields = args.expr_fields.iter();
        let types = fields.map(|field| field.data_type().clone()).collect();
        Call::of(self.function.name, args.exprs, types)
    }

    fn refuse_distinct(&self, args: &AccumulatorArgs) -> Result<()> {
        match args.is_distinct {
            true => plan_err!("`{}` does not take DISTINCT", self.function.name),
            false => Ok(()),
        }
    }
}

impl PartialEq for FeatureAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for FeatureAggregate {}

impl Hash for FeatureAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl AggregateUDFImpl for FeatureAggregate {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.behaviour.returns)(types)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.behaviour.coerce)(types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.refuse_distinct(&args)?;
        let call = self.call(&args);
        match self.behaviour.implementation {
            Implementation::Rolling(make) => Ok(Box::new(RollingAccumulator {
                rolling: make(&call, false)?,
                slides: false,
            })),
            Implementation::Groups(make, _) => make(&call),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.refuse_distinct(&args)?;
        match self.behaviour.implementation {
            Implementation::Rolling(make) => Ok(Box::new(RollingAccumulator {
                rolling: make(&self.call(&args), true)?,
                slides: true,
            })),
            Implementation::Groups(..) => plan_err!(
                "`{}` cannot be computed over a frame whose begin moves; let it begin at UNBOUNDED PRECEDING",
                self.function.name
            ),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
            && matches!(
                self.behaviour.implementation,
                Implementation::Groups(_, Some(_))
            )
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match self.behaviour.implementation {
            Implementation::Groups(_, Some(make)) => make(&self.call(&args)),
            _ => not_impl_err!("`{}` takes one group at a time", self.function.name),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if let FrameUse::CurrentRow { instead } = self.behaviour.frame {
            return plan_err!("`{}` {instead}", self.function.name);
        }
        let fields = args.input_fields.iter();
        let types: Vec<_> = fields.map(|field| field.data_type().clone()).collect();
        let columns = (self.behaviour.state)(&types).into_iter();
        Ok(columns
            .map(|(part, data_type)| {
                Field::new(format_state_name(args.name, part), data_type, true).into()
            })
            .collect())
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

/// Computes a function by following the rows.
#[derive(Debug)]
struct RollingAccumulator {
    rolling: Box<dyn Rolling>,
    slides: bool,
}

impl Accumulator for RollingAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rolling.enter(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if !self.slides {
            return exec_err!("rows leave a frame that was said to grow");
        }
        self.rolling
            .leave(values.first().map_or(0, |column| column.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        self.slides
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.rolling.value()?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.rolling.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.rolling.merge(states)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rolling.size()
    }
}
