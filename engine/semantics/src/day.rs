//! A filter by days derives no bounds from them.
//!
//! DataFusion 55.2 derives what a filter leaves of a column from its bounds, and takes casts back as if each day
//! were one timestamp: `CAST(ts AS DATE) = DATE '2024-01-01'` leaves one value of `ts`, and where the day lies
//! between two bounds the query fails ("Selectivity is out of limit"). Here a function of the same meaning stands
//! in filters when operators are planned, of which nothing is derived. Scans get the cast again: they leave out
//! files by it, which is sound.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::physical_expr::expressions::CastExpr;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;

use crate::function::{call, over_arrays};
use crate::rewrite::with_rewritten;

/// The function's name.
pub(crate) const NAME: &str = "lakesh_day";

static DAY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Day::new())));

/// Plans queries as another planner does, with days of which no bounds are derived.
#[derive(Debug)]
pub struct PlanDays<P> {
    inner: P,
}

impl<P> PlanDays<P> {
    /// Puts itself before another planner.
    pub fn before(inner: P) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl<P: QueryPlanner + Send + Sync> QueryPlanner for PlanDays<P> {
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
    match part {
        Expr::Cast(cast)
            if *cast.field.data_type() == DataType::Date32
                && matches!(cast.expr.get_type(schema), Ok(DataType::Timestamp(..))) =>
        {
            Ok(Transformed::yes(call(&DAY, vec![*cast.expr])))
        }
        part => Ok(Transformed::no(part)),
    }
}

/// Returns a filter with casts for whoever reads files.
pub(crate) fn for_scan(filter: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
    let shown = Arc::clone(filter).transform_up(|part| {
        let days = part
            .downcast_ref::<ScalarFunctionExpr>()
            .filter(|function| function.fun().inner().is::<Day>());
        let value = days.and_then(|days| days.args().first().cloned());
        Ok(match value {
            Some(value) => {
                Transformed::yes(Arc::new(CastExpr::new(value, DataType::Date32, None)) as _)
            }
            None => Transformed::no(part),
        })
    });
    shown.data()
}

/// `lakesh_day(ts)`: `CAST(ts AS DATE)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Day {
    signature: Signature,
}

impl Day {
    fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Day {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, |arrays| match arrays {
            [moments] => Ok(cast(moments, &DataType::Date32)?),
            _ => exec_err!("`{NAME}` takes one timestamp"),
        })
    }
}
