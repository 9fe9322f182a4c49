//! A key that stands twice in an ORDER BY orders nothing the second time.
//!
//! DataFusion 55.2 drops it from the order that it makes and counts it in the function that asks for the order:
//! `DISTINCT ON (id) … ORDER BY id, k, id` and `first_value(x ORDER BY k, k)` panic. Here it is dropped at once.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// Drops keys that are there already.
#[derive(Debug)]
pub(crate) struct DropRepeatedKeys;

impl AnalyzerRule for DropRepeatedKeys {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(without_repeated)?.data)
    }

    fn name(&self) -> &str {
        "drop_repeated_keys"
    }
}

fn without_repeated(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if let LogicalPlan::Distinct(Distinct::On(mut on)) = node {
        let dropped = on.sort_expr.as_mut().is_some_and(drop_repeated);
        let node = LogicalPlan::Distinct(Distinct::On(on));
        return Ok(Transformed::new_transformed(node, dropped));
    }
    let names = NamePreserver::new(&node);
    node.map_expressions(|expression| {
        let name = names.save(&expression);
        let kept = expression.transform_up(|part| match part {
            Expr::AggregateFunction(mut function) => {
                let dropped = drop_repeated(&mut function.params.order_by);
                Ok(Transformed::new_transformed(
                    Expr::AggregateFunction(function),
                    dropped,
                ))
            }
            part => Ok(Transformed::no(part)),
        })?;
        Ok(kept.update_data(|expression| name.restore(expression)))
    })
}

/// Drops keys of which there is an earlier one; says whether there were any.
pub(crate) fn drop_repeated(keys: &mut Vec<Sort>) -> bool {
    let before = keys.len();
    let mut kept: Vec<Sort> = Vec::with_capacity(before);
    for key in keys.drain(..) {
        if !kept.iter().any(|earlier| earlier.expr == key.expr) {
            kept.push(key);
        }
    }
    *keys = kept;
    keys.len() < before
}
