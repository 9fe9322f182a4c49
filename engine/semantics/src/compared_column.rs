//! Gives the column that ANY and ALL compare with a name of its own.
//!
//! DataFusion puts the comparison into the subquery (`RewriteSetComparison`), where `k = ANY (SELECT k
//! FROM x)` over `x` compares `x.k` with itself.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::SetComparison;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::AnalyzerRule;

/// The prefix of columns that nobody sees.
const PREFIX: &str = "__compared";

/// Names what subqueries are compared with.
#[derive(Debug)]
pub(crate) struct NameComparedColumns;

impl AnalyzerRule for NameComparedColumns {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut count = 0;
        let plan = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let named = expression.transform_up(|part| named(part, &mut count))?;
                Ok(named.update_data(|expression| name.restore(expression)))
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "name_compared_columns"
    }
}

fn named(part: Expr, count: &mut usize) -> Result<Transformed<Expr>> {
    let Expr::SetComparison(SetComparison {
        expr,
        mut subquery,
        op,
        quantifier,
    }) = part
    else {
        return Ok(Transformed::no(part));
    };
    let schema = subquery.subquery.schema();
    let renamed = schema.fields().len() == 1 && !schema.field(0).name().starts_with(PREFIX);
    if renamed {
        *count += 1;
        let column = Expr::from(schema.qualified_field(0)).alias(format!("{PREFIX}_{count}"));
        let plan = Projection::try_new(vec![column], Arc::clone(&subquery.subquery))?;
        subquery.subquery = Arc::new(LogicalPlan::Projection(plan));
    }
    let part = Expr::SetComparison(SetComparison {
        expr,
        subquery,
        op,
        quantifier,
    });
    Ok(Transformed::new_transformed(part, renamed))
}
