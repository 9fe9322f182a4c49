//! CROSS FIT BY TIME: each row is encoded from the rows before it, with window functions.
//!
//! Rows of the same time do not see each other. A row without a time sees no other and is seen by none.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Column, DataFusionError, ScalarValue, exec_err, not_impl_err};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowFunctionDefinition, cast, lit, when,
};

use super::definition::OutputDefinition;
use super::fitted::{OnNull, OnUnseen, Policy};
use super::kind::{EncoderKind, Smooth};

/// What an output is computed of, over the columns of the input.
pub struct PastOutput<'a> {
    /// The output.
    pub output: &'a OutputDefinition,
    /// The value to encode.
    pub value: Expr,
    /// What is to be predicted.
    pub target: Option<Expr>,
    /// How much a row counts.
    pub weight: Option<Expr>,
}

/// Adds the outputs to the columns of a plan, each row's from the rows before it.
pub fn encoded_from_past(
    input: LogicalPlan,
    outputs: Vec<PastOutput<'_>>,
    time: Expr,
    policy: Policy,
) -> Result<LogicalPlan, DataFusionError> {
    if policy.on_unseen == OnUnseen::Error {
        return not_impl_err!(
            "ON UNSEEN ERROR makes no sense with BY TIME: the first row of a category was never seen before"
        );
    }
    let columns: Vec<Expr> = input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    let mut first = columns.clone();
    first.push(time.alias(hidden("time", 0)));
    for (number, output) in outputs.iter().enumerate() {
        first.extend(output.inputs(number));
    }
    let mut windows = Vec::new();
    for (number, output) in outputs.iter().enumerate() {
        windows.extend(output.windows(number)?);
    }
    let prepared = LogicalPlanBuilder::from(input).project(first)?.build()?;
    let windowed = named_windows(prepared, windows)?;
    let mut last = columns;
    for (number, output) in outputs.iter().enumerate() {
        last.push(output.encoded(number, policy)?.alias(&output.output.name));
    }
    LogicalPlanBuilder::from(windowed).project(last)?.build()
}

/// Adds window functions under names of ours: the plan of a window has no room for aliases.
pub fn named_windows(
    input: LogicalPlan,
    windows: Vec<(String, Expr)>,
) -> Result<LogicalPlan, DataFusionError> {
    let mut columns: Vec<Expr> = input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    for (name, window) in &windows {
        let computed = Column::from_name(window.schema_name().to_string());
        columns.push(Expr::Column(computed).alias(name));
    }
    let windows = windows.into_iter().map(|(_, window)| window);
    let windowed = LogicalPlanBuilder::window_plan(input, windows)?;
    LogicalPlanBuilder::from(windowed).project(columns)?.build()
}

/// The name of a column that is needed on the way.
fn hidden(what: &str, number: usize) -> String {
    format!("{what} of encoder output {number}")
}

fn hidden_column(what: &str, number: usize) -> Expr {
    Expr::Column(Column::from_name(hidden(what, number)))
}

impl PastOutput<'_> {
    /// The category, the weight that counts, and that times the target.
    fn inputs(&self, number: usize) -> Vec<Expr> {
        let is_missing = |expression: &Expr| expression.clone().is_null();
        let weight = self.weight.clone().unwrap_or_else(|| lit(1.0));
        let target = self.target.clone().unwrap_or_else(|| lit(0.0));
        let counted = counted_weight().call(vec![
            cast(weight, DataType::Float64),
            cast(target.clone(), DataType::Float64),
        ]);
        // The share of a category of all that are not rare is one of the rows that have one.
        let counted = match self.output.encoder {
            EncoderKind::Rare { .. } => {
                when(is_missing(&self.value), lit(0.0)).otherwise(counted.clone())
            }
            _ => Ok(counted.clone()),
        }
        .unwrap_or(counted);
        vec![
            self.value.clone().alias(hidden("value", number)),
            counted.alias(hidden("weight", number)),
            cast(target, DataType::Float64).alias(hidden("target", number)),
        ]
    }

    /// Sums over the rows before: of the category and of all.
    fn windows(&self, number: usize) -> Result<Vec<(String, Expr)>, DataFusionError> {
        let time = || hidden_column("time", 0);
        let timed = |amount: Expr| when(time().is_not_null(), amount).otherwise(lit(0.0));
        let weight = || hidden_column("weight", number);
        let amount = when(
            weight().gt(lit(0.0)),
            weight() * hidden_column("target", number),
        )
        .otherwise(lit(0.0))?;
        let mut sums = vec![("weight", timed(weight())?)];
        if self.target.is_some() {
            sums.push(("sum", timed(amount)?));
        }
        let mut windows = Vec::new();
        for (name, amount) in sums {
            let partitions = [
                ("category", vec![hidden_column("value", number)]),
                ("all", Vec::new()),
            ];
            for (scope, partition) in partitions {
                let function = WindowFunctionDefinition::AggregateUDF(sum_udaf());
                let frame = WindowFrame::new_bounds(
                    WindowFrameUnits::Groups,
                    WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
                    WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))),
                );
                let window = Expr::from(WindowFunction::new(function, vec![amount.clone()]))
                    .partition_by(partition)
                    .order_by(vec![time().sort(true, true)])
                    .window_frame(frame)
                    .build()?;
                windows.push((hidden(&format!("{scope} {name}"), number), window));
            }
        }
        Ok(windows)
    }

    fn encoded(&self, number: usize, policy: Policy) -> Result<Expr, DataFusionError> {
        let part = |name: &str| hidden_column(name, number);
        let nothing = || lit(ScalarValue::Float64(None));
        let or_zero = |name: &str| when(part(name).is_null(), lit(0.0)).otherwise(part(name));
        let weight = or_zero("category weight")?;
        let all = or_zero("all weight")?;
        let seen = weight.clone().gt(lit(0.0));
        let (encoded, default) = match &self.output.encoder {
            EncoderKind::Target {
                smooth: Smooth::Rows(rows),
                min_samples,
            } => {
                let mean = when(all.clone().gt(lit(0.0)), or_zero("all sum")? / all)
                    .otherwise(nothing())?;
                let smoothed = (or_zero("category sum")? + lit(*rows) * mean.clone())
                    / (weight.clone() + lit(*rows));
                let encoded =
                    when(weight.lt(lit(*min_samples)), mean.clone()).otherwise(smoothed)?;
                (encoded, mean)
            }
            EncoderKind::Frequency => (weight / all, lit(0.0)),
            EncoderKind::Rare {
                min_share,
                max_categories: None,
                label,
            } => {
                let text = cast(part("value"), DataType::Utf8);
                let is_frequent = (weight / all).gt_eq(lit(*min_share));
                (
                    when(is_frequent, text).otherwise(lit(label.as_str()))?,
                    lit(label.as_str()),
                )
            }
            other => {
                return not_impl_err!(
                    "`{}` ({}) cannot be cross-fitted by time; CROSS FIT … BY HASH(column) can",
                    other.function(),
                    other.parameters()
                );
            }
        };
        let unseen = match policy.on_unseen {
            OnUnseen::Null => lit(ScalarValue::Null),
            OnUnseen::Default | OnUnseen::Error => default,
        };
        let encoded = when(seen, encoded).otherwise(unseen)?;
        let keeps_null = matches!(self.output.encoder, EncoderKind::Rare { .. });
        match keeps_null || policy.on_null == OnNull::Null {
            true => when(part("value").is_not_null(), encoded).end(),
            false => Ok(encoded),
        }
    }
}

/// Makes the function that says how much a row counts: its weight, or 0 where it has none or its target is
/// missing.
fn counted_weight() -> ScalarUDF {
    ScalarUDF::from(CountedWeight {
        signature: Signature::exact(
            vec![DataType::Float64, DataType::Float64],
            Volatility::Immutable,
        ),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CountedWeight {
    signature: Signature,
}

impl ScalarUDFImpl for CountedWeight {
    fn name(&self) -> &str {
        "counted_weight"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(
        &self,
        arguments: ScalarFunctionArgs,
    ) -> Result<ColumnarValue, DataFusionError> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [weight, target] = [0, 1].map(|place| columns[place].as_primitive::<Float64Type>());
        let mut counted = Vec::with_capacity(weight.len());
        for row in 0..weight.len() {
            let found = weight.is_valid(row).then(|| weight.value(row));
            if let Some(wrong) = found.filter(|found| !(*found >= 0.0 && found.is_finite())) {
                return exec_err!("`{wrong}` is not a weight: weights are finite and not negative");
            }
            let has_target = target.is_valid(row) && !target.value(row).is_nan();
            counted.push(found.filter(|_| has_target).unwrap_or(0.0));
        }
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from(counted))))
    }
}
