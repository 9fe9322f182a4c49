//! ORDER BY over rows of which no column is left: `SELECT count(*) FROM (SELECT * FROM t ORDER BY random() LIMIT 5)`.
//!
//! All such rows are equal, and DataFusion 55.2 cannot put them in an order with LIMIT ("must either specify a row
//! count or at least one column"). The order goes, the LIMIT stays.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Limit, LogicalPlan, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Takes sorts of nothing away.
#[derive(Debug)]
pub(crate) struct DropColumnlessSorts;

impl OptimizerRule for DropColumnlessSorts {
    fn name(&self) -> &str {
        "drop_columnless_sorts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Sort(sort) if sort.input.schema().fields().is_empty() => {
                let Some(fetch) = sort.fetch else {
                    return Ok(Transformed::yes(sort.input.as_ref().clone()));
                };
                Ok(Transformed::yes(LogicalPlan::Limit(Limit {
                    skip: None,
                    fetch: Some(Box::new(lit(fetch as i64))),
                    input: sort.input,
                })))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}
