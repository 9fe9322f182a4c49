//! Frames that end before they begin: `ROWS BETWEEN 1 PRECEDING AND 2 PRECEDING`.
//!
//! DataFusion refuses them where both ends lie on one side of the row. They are empty, as in PostgreSQL and DuckDB.
//! A frame that lies before all rows of any partition takes their place.

use std::cmp::Ordering;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Expr, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits,
};
use datafusion::optimizer::AnalyzerRule;

/// Farther than any row; what is added to it still fits.
const BEFORE_ALL: u64 = u64::MAX / 4;

/// Plans frames that are always empty.
#[derive(Debug)]
pub(crate) struct EmptyFrames;

impl AnalyzerRule for EmptyFrames {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            if !matches!(node, LogicalPlan::Window(_)) {
                return Ok(Transformed::no(node));
            }
            let names = NamePreserver::new(&node);
            let node = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let framed = expression.transform_up(|part| Ok(framed(part)))?;
                Ok(framed.update_data(|expression| name.restore(expression)))
            })?;
            match node.transformed {
                true => Ok(Transformed::yes(node.data.recompute_schema()?)),
                false => Ok(node),
            }
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "empty_frames"
    }
}

fn framed(part: Expr) -> Transformed<Expr> {
    match part {
        Expr::WindowFunction(mut function) if is_empty(&function.params.window_frame) => {
            let bound = || WindowFrameBound::Preceding(ScalarValue::UInt64(Some(BEFORE_ALL)));
            let frame = WindowFrame::new_bounds(WindowFrameUnits::Rows, bound(), bound());
            function.params.window_frame = frame;
            Transformed::yes(Expr::WindowFunction(function))
        }
        other => Transformed::no(other),
    }
}

fn is_empty(frame: &WindowFrame) -> bool {
    use WindowFrameBound::{Following, Preceding};
    let order = match (&frame.start_bound, &frame.end_bound) {
        (Preceding(start), Preceding(end)) => end.partial_cmp(start),
        (Following(start), Following(end)) => start.partial_cmp(end),
        _ => return false,
    };
    let is_bounded = !frame.start_bound.is_unbounded() && !frame.end_bound.is_unbounded();
    is_bounded && order == Some(Ordering::Greater)
}
