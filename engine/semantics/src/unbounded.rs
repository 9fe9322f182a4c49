//! A filter derives bounds of its columns from what it compares only where that is sound.
//!
//! DataFusion 55.2 takes casts and arithmetic in a filter back to bounds of the columns below. It takes a cast
//! for a mapping of one value to one: `CAST(ts AS DATE) = DATE '2024-01-01'` leaves one value of `ts`, and where
//! the day lies between two bounds the query fails ("Selectivity is out of limit"); texts are ordered otherwise
//! than what they were made of, and many integers are one double. Of dates it knows other types than the
//! operators have, and fails with `d1 - d2 = 0` and `d + n > DATE '2024-01-01'`. Here such parts of a filter
//! stand in a function that returns its argument, and of which nothing is derived, when operators are planned.
//! Scans get the parts themselves again: they leave out files by them, which is sound.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;

use crate::function::call;
use crate::rewrite::with_rewritten;

/// The function's name.
pub(crate) const NAME: &str = "lakesh_unbounded";

static UNBOUNDED: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Unbounded::new())));

/// Plans queries as another planner does, with filters of which no false bounds are derived.
#[derive(Debug)]
pub struct PlanUnbounded<P> {
    inner: P,
}

impl<P> PlanUnbounded<P> {
    /// Puts itself before another planner.
    pub fn before(inner: P) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl<P: QueryPlanner + Send + Sync> QueryPlanner for PlanUnbounded<P> {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let hidden = plan
            .clone()
            .transform_up_with_subqueries(|node| match node {
                LogicalPlan::Filter(_) => with_rewritten(node, hidden),
                node => Ok(Transformed::no(node)),
            })
            .data()?;
        self.inner.create_physical_plan(&hidden, session).await
    }
}

fn hidden(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let hides = match &part {
        Expr::Cast(cast) => {
            let from = cast.expr.get_type(schema)?;
            !keeps_order(&from, cast.field.data_type())
        }
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Plus | Operator::Minus) => {
            is_date(&binary.left.get_type(schema)?) || is_date(&binary.right.get_type(schema)?)
        }
        _ => false,
    };
    Ok(match hides {
        true => Transformed::yes(call(&UNBOUNDED, vec![part])),
        false => Transformed::no(part),
    })
}

fn is_date(kind: &DataType) -> bool {
    matches!(kind, DataType::Date32 | DataType::Date64)
}

/// Says whether a cast makes another value of each one, in the same order.
fn keeps_order(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Date64, Timestamp};
    match (from, to) {
        (from, to) if from == to => true,
        (from, to) if from.is_integer() && to.is_integer() => holds_all(from, to),
        (Date32 | Date64, Timestamp(_, None)) => true,
        (Timestamp(from, zone), Timestamp(to, other)) => {
            zone == other && digits(from) <= digits(to)
        }
        _ => false,
    }
}

/// Says whether each value of one type of integers is one of the other.
fn holds_all(from: &DataType, to: &DataType) -> bool {
    let (narrow, wide) = (from.primitive_width(), to.primitive_width());
    match (from.is_signed_integer(), to.is_signed_integer()) {
        (true, false) => false,
        (false, true) => narrow < wide,
        _ => narrow <= wide,
    }
}

fn digits(unit: &TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// Returns a filter as it was written for whoever reads files.
pub(crate) fn for_scan(filter: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
    let shown = Arc::clone(filter).transform_up(|part| {
        let unbounded = part
            .downcast_ref::<ScalarFunctionExpr>()
            .filter(|function| function.fun().inner().is::<Unbounded>());
        let value = unbounded.and_then(|call| call.args().first().cloned());
        Ok(match value {
            Some(value) => Transformed::yes(value),
            None => Transformed::no(part),
        })
    });
    shown.data()
}

/// `lakesh_unbounded(x)`: x.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Unbounded {
    signature: Signature,
}

impl Unbounded {
    fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Unbounded {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [kind] => Ok(kind.clone()),
            _ => exec_err!("`{NAME}` takes one value"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match <[ColumnarValue; 1]>::try_from(arguments.args) {
            Ok([value]) => Ok(value),
            Err(_) => exec_err!("`{NAME}` takes one value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_that_keep_values_apart_and_in_order() {
        use DataType::{Date32, Float64, Int32, Int64, Timestamp, UInt32, UInt64, Utf8};
        let micros = Timestamp(TimeUnit::Microsecond, None);
        let cases = [
            (&Int32, &Int64, true),
            (&Int64, &Int32, false),
            (&UInt32, &Int64, true),
            (&UInt64, &Int64, false),
            (&Int32, &UInt64, false),
            (&Int64, &Float64, false),
            (&Int64, &Utf8, false),
            (&Date32, &micros, true),
            (&micros, &Date32, false),
        ];
        for (from, to, keeps) in cases {
            assert_eq!(keeps_order(from, to), keeps, "{from} {to}");
        }
    }
}
