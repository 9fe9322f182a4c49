//! Draws what is drawn anew each time, such as `random()`, once for each row where DataFusion draws twice.
//!
//! It makes two comparisons of BETWEEN and a CASE of COALESCE, and asks the function in each
//! (<https://github.com/apache/datafusion/issues/25457>, 25477). Here a projection below draws, and the
//! node above reads the column.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::AnalyzerRule;

/// The prefix of columns that nobody sees.
const PREFIX: &str = "__drawn";

/// Functions that DataFusion writes as a CASE in which an argument stands twice.
const DOUBLING: &[&str] = &["coalesce", "ifnull", "nvl", "nvl2", "nullif"];

/// Moves what is drawn into projections of its own.
#[derive(Debug)]
pub(crate) struct DrawOnce;

impl AnalyzerRule for DrawOnce {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut count = 0;
        let plan = plan.transform_up_with_subqueries(|node| with_draws_below(node, &mut count))?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "draw_once"
    }
}

/// Returns a node that reads what it would draw twice.
fn with_draws_below(node: LogicalPlan, count: &mut usize) -> Result<Transformed<LogicalPlan>> {
    let rows_of_one_input = matches!(
        node,
        LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Window(_)
    );
    if !rows_of_one_input {
        return Ok(Transformed::no(node));
    }
    let schema = Arc::clone(node.schema());
    let names = NamePreserver::new(&node);
    let mut draws = Vec::new();
    let node = node.map_expressions(|expression| {
        let name = names.save(&expression);
        let read = expression.transform_down(|part| moved(part, &mut draws, count))?;
        Ok(read.update_data(|expression| name.restore(expression)))
    })?;
    if draws.is_empty() {
        return Ok(node);
    }
    let node = node.data;
    let input = node.inputs()[0].clone();
    let columns = input.schema().iter().map(Expr::from);
    let columns = columns.chain(draws).collect();
    let input = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?);
    let node = node.with_new_exprs(node.expressions(), vec![input])?;
    // A filter hands the new columns on.
    if node.schema().fields().len() == schema.fields().len() {
        return Ok(Transformed::yes(node));
    }
    let columns = schema.iter().map(Expr::from).collect();
    let node = Projection::try_new(columns, Arc::new(node))?;
    Ok(Transformed::yes(LogicalPlan::Projection(node)))
}

/// Moves the operands of an expression that DataFusion would write twice.
fn moved(mut part: Expr, draws: &mut Vec<Expr>, count: &mut usize) -> Result<Transformed<Expr>> {
    let mut changed = false;
    let mut draw = |operand: &mut Expr| {
        let of_rows = operand.exists(|part| {
            Ok(matches!(
                part,
                Expr::AggregateFunction(_) | Expr::WindowFunction(_)
            ))
        })?;
        if operand.is_volatile() && !of_rows {
            *count += 1;
            let name = format!("{PREFIX}_{count}");
            let column = Expr::Column(Column::new_unqualified(name.clone()));
            draws.push(std::mem::replace(operand, column).alias(name));
            changed = true;
        }
        Ok::<_, datafusion::error::DataFusionError>(())
    };
    match &mut part {
        Expr::Between(between) => draw(&mut between.expr)?,
        Expr::ScalarFunction(function) if DOUBLING.contains(&function.name()) => {
            for argument in &mut function.args {
                draw(argument)?;
            }
        }
        _ => {}
    }
    Ok(Transformed::new_transformed(part, changed))
}
