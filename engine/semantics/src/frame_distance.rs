//! A RANGE frame with a distance needs one key from which a distance can be taken.
//!
//! DataFusion 55.2 takes the distance from texts, too, and computes rows that mean nothing; PostgreSQL and DuckDB
//! refuse it.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::WindowFunctionParams;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, WindowFrameBound, WindowFrameUnits,
};
use datafusion::optimizer::AnalyzerRule;

use crate::rewrite::input_schema;

/// Refuses distances from what has none.
#[derive(Debug)]
pub(crate) struct CheckDistances;

impl AnalyzerRule for CheckDistances {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Window(window) = node {
                let schema = input_schema(node)?;
                for expression in &window.window_expr {
                    expression.apply(|part| {
                        if let Expr::WindowFunction(function) = part {
                            check(&function.params, &schema)?;
                        }
                        Ok(TreeNodeRecursion::Continue)
                    })?;
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "check_distances"
    }
}

fn check(window: &WindowFunctionParams, schema: &DFSchema) -> Result<()> {
    let frame = &window.window_frame;
    let has_distance =
        [&frame.start_bound, &frame.end_bound]
            .into_iter()
            .any(|bound| match bound {
                WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
                    !distance.is_null()
                }
                WindowFrameBound::CurrentRow => false,
            });
    if frame.units != WindowFrameUnits::Range || !has_distance {
        return Ok(());
    }
    // The planner has refused more keys than one.
    let Some(key) = window.order_by.first() else {
        return Ok(());
    };
    match key.expr.get_type(schema)? {
        DataType::Null | DataType::Interval(_) => Ok(()),
        other if other.is_numeric() || other.is_temporal() => Ok(()),
        _ => plan_err!(
            "RANGE with a distance needs ORDER BY a number, a date or a time; `{}` is none",
            key.expr
        ),
    }
}
