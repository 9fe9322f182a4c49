//! Computes the arguments of an aggregate only for the rows that its FILTER leaves, if they may fail.
//!
//! DataFusion computes them for all rows and filters the values, so that
//! `sum(10 / k) FILTER (WHERE k <> 0)` fails.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan, when};
use datafusion::optimizer::AnalyzerRule;

use crate::exclusion::ends_with_filter;
use crate::risk::may_fail;

/// Puts the filter of an aggregate before those of its arguments that may fail.
#[derive(Debug)]
pub(crate) struct FilterArguments;

impl AnalyzerRule for FilterArguments {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            let schema = merge_schema(&node.inputs());
            let names = NamePreserver::new(&node);
            let node = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let filtered = expression.transform_up(|part| filtered(part, &schema))?;
                Ok(filtered.update_data(|expression| name.restore(expression)))
            })?;
            match node.transformed {
                true => Ok(Transformed::yes(node.data.recompute_schema()?)),
                false => Ok(node),
            }
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "filter_arguments"
    }
}

fn filtered(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match part {
        Expr::AggregateFunction(mut function) => {
            let params = &mut function.params;
            let changed = guard(&mut params.args, params.filter.as_deref(), schema)?;
            let part = Expr::AggregateFunction(function);
            Ok(Transformed::new_transformed(part, changed))
        }
        Expr::WindowFunction(mut function) => {
            let filter = match ends_with_filter(&function) {
                true => function.params.args.pop(),
                false => None,
            };
            let params = &mut function.params;
            let condition = filter.as_ref().or(params.filter.as_deref());
            let changed = guard(&mut params.args, condition, schema)?;
            params.args.extend(filter);
            let part = Expr::WindowFunction(function);
            Ok(Transformed::new_transformed(part, changed))
        }
        part => Ok(Transformed::no(part)),
    }
}

fn guard(arguments: &mut [Expr], filter: Option<&Expr>, schema: &DFSchema) -> Result<bool> {
    let Some(filter) = filter.filter(|filter| !filter.is_volatile()) else {
        return Ok(false);
    };
    let mut changed = false;
    for argument in arguments {
        if may_fail(argument, schema) && !is_guarded(argument, filter) {
            *argument = when(filter.clone(), argument.clone()).end()?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Says whether this rule has been here before: a view's plan is analyzed again with what reads it.
fn is_guarded(argument: &Expr, filter: &Expr) -> bool {
    let Expr::Case(case) = argument else {
        return false;
    };
    case.when_then_expr
        .first()
        .is_some_and(|(when, _)| when.as_ref() == filter)
}
