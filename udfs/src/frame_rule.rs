//! Refuses frames and groups over which a function cannot be computed.
//!
//! An accumulator does not know which row is the current one, nor what its frame is: that is checked
//! here, where the plan is still at hand.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    AggregateUDF, Expr, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};
use datafusion::optimizer::AnalyzerRule;

use crate::window::FeatureAggregate;

/// Which frames a function can be computed over, and whether over a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUse {
    /// Any frame, and any group.
    Any,
    /// Groups, and frames that only grow.
    Growing,
    /// Frames that end at the current row, which has a part of its own; no groups.
    CurrentRow {
        /// What to do instead of GROUP BY, after the function's name.
        instead: &'static str,
    },
    /// Any frame; groups only with so many arguments, since a group has no positions.
    PositionUnless {
        /// How many arguments free the function from positions.
        arguments: usize,
    },
}

/// Returns which frames a function of this crate can be computed over; `None` of other functions.
pub fn frame_use(function: &AggregateUDF) -> Option<FrameUse> {
    let function = function.inner().downcast_ref::<FeatureAggregate>()?;
    Some(function.frame())
}

/// The rule for DataFusion's analyzer.
#[derive(Debug, Default)]
pub struct FrameRule;

impl AnalyzerRule for FrameRule {
    fn name(&self) -> &str {
        "feature_frames"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expression| {
                expression.apply(|part| check(part).map(|()| TreeNodeRecursion::Continue))
            })
        })?;
        Ok(plan)
    }
}

fn check(expression: &Expr) -> Result<()> {
    match expression {
        Expr::WindowFunction(call) => check_window(call),
        Expr::AggregateFunction(call) => match frame_use(&call.func) {
            Some(FrameUse::CurrentRow { instead }) => plan_err!("`{}` {instead}", call.func.name()),
            Some(FrameUse::PositionUnless { arguments }) if call.params.args.len() < arguments => {
                let name = call.func.name();
                plan_err!(
                    "`{name}` of a group needs a time, since a group has no order: {name}(x, t)"
                )
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_window(call: &WindowFunction) -> Result<()> {
    let WindowFunctionDefinition::AggregateUDF(function) = &call.fun else {
        return Ok(());
    };
    let WindowFunctionParams {
        window_frame,
        order_by,
        filter,
        distinct,
        ..
    } = &call.params;
    let Some(frame) = frame_use(function) else {
        return Ok(());
    };
    let name = function.name();
    if *distinct {
        return plan_err!("`{name}` does not take DISTINCT");
    }
    match frame {
        FrameUse::CurrentRow { .. } if filter.is_some() => plan_err!(
            "`{name}` is about the current row, which FILTER may leave out; write `{name}(CASE WHEN … THEN x END)`"
        ),
        FrameUse::CurrentRow { .. } if !ends_at_current_row(window_frame) => plan_err!(
            "`{name}` is about the current row: its frame must end at CURRENT ROW, as ROWS BETWEEN 6 PRECEDING AND CURRENT ROW does"
        ),
        FrameUse::CurrentRow { .. }
            if order_by.is_empty() && window_frame.units != WindowFrameUnits::Rows =>
        {
            plan_err!("`{name}` is about the current row: it needs ORDER BY in its window")
        }
        FrameUse::PositionUnless { arguments }
            if filter.is_some() && call.params.args.len() < arguments =>
        {
            plan_err!(
                "`{name}` counts positions, which FILTER would change; write `{name}(CASE WHEN … THEN x END)`"
            )
        }
        FrameUse::Growing if !window_frame.start_bound.is_unbounded() => plan_err!(
            "`{name}` cannot be computed over a frame whose begin moves; let it begin at UNBOUNDED PRECEDING"
        ),
        _ => Ok(()),
    }
}

fn ends_at_current_row(frame: &WindowFrame) -> bool {
    match &frame.end_bound {
        WindowFrameBound::CurrentRow => true,
        // The parser also gives `0 PRECEDING` and `0 FOLLOWING`, which say the same of rows.
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            frame.units == WindowFrameUnits::Rows
                && distance
                    .to_string()
                    .parse::<u64>()
                    .is_ok_and(|rows| rows == 0)
        }
    }
}
