//! What a user should know of a plan's windows although it runs.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, LogicalPlan, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use crate::frame_rule::frame_use;

/// Says which feature functions have the default frame, in which rows that tie are together.
pub fn notes_on_ties(plan: &LogicalPlan) -> Vec<String> {
    collect(plan, |call| {
        let WindowFunctionDefinition::AggregateUDF(function) = &call.fun else {
            return None;
        };
        frame_use(function)?;
        let frame = &call.params.window_frame;
        let is_default = frame.units == WindowFrameUnits::Range
            && frame.start_bound.is_unbounded()
            && frame.end_bound == WindowFrameBound::CurrentRow;
        (is_default && !call.params.order_by.is_empty()).then(|| {
            format!(
                "`{}` has the default frame, RANGE up to the current row: rows that tie in ORDER BY are in each other's frame; ROWS UNBOUNDED PRECEDING counts rows",
                function.name()
            )
        })
    })
}

/// Says which functions of DataFusion's are not exact over the frames that they have, and what is.
pub fn notes_on_exactness(plan: &LogicalPlan) -> Vec<String> {
    collect(plan, |call| {
        let WindowFunctionDefinition::AggregateUDF(function) = &call.fun else {
            return None;
        };
        if call.params.window_frame.start_bound.is_unbounded() {
            return None;
        }
        let exact = match function.name() {
            "avg" => "x - momentum(x)",
            "stddev" => "volatility(x)",
            "var" => "power(volatility(x), 2)",
            _ => return None,
        };
        Some(format!(
            "`{}` subtracts what leaves the frame, so that one NaN or one very large value spoils the rows after it; `{exact}` over the same window is exact",
            function.name()
        ))
    })
}

/// Asks something of all window functions of a plan; each answer comes once.
fn collect(plan: &LogicalPlan, note: impl Fn(&WindowFunction) -> Option<String>) -> Vec<String> {
    let mut notes = Vec::new();
    let visited = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::WindowFunction(call) = part
                    && let Some(found) = note(call)
                    && !notes.contains(&found)
                {
                    notes.push(found);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    // Nothing above fails; a plan that cannot be walked has nothing to say.
    drop(visited);
    notes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{notes_on_exactness, notes_on_ties};
    use crate::testing::session;

    #[track_caller]
    fn check(call: &str, ties: usize, exactness: Option<&str>) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sql =
            format!("select * from (select {call} as c from generate_series(1, 3)) where c > 0");
        let session = session(1, 100);
        let planned = runtime.block_on(session.state().create_logical_plan(&sql));
        let plan = planned.unwrap();
        assert_eq!(notes_on_ties(&plan).len(), ties, "{call}");
        let notes = notes_on_exactness(&plan);
        match exactness {
            None => assert!(notes.is_empty(), "{notes:?}"),
            Some(part) => assert!(notes[0].contains(part), "{notes:?}"),
        }
    }

    #[test]
    fn windows_that_need_a_word_get_one() {
        let sliding = "(order by value rows between 2 preceding and current row)";
        check("volatility(value) over (order by value)", 1, None);
        check(
            "volatility(value) over (order by value) + volatility(value) over (order by value)",
            1,
            None,
        );
        check(&format!("volatility(value) over {sliding}"), 0, None);
        check("minmax_range(value) over ()", 0, None);
        check("delta(value) over (order by value)", 0, None);
        check("avg(value) over (order by value)", 0, None);
        check(&format!("avg(value) over {sliding}"), 0, Some("momentum"));
        check(
            &format!("stddev_samp(value) over {sliding}"),
            0,
            Some("volatility"),
        );
        check(&format!("sum(value) over {sliding}"), 0, None);
    }
}
