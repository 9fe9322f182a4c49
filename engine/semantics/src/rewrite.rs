//! Rewrites the expressions of a whole plan, subqueries included, without a change of its names.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

/// What becomes of one expression whose parts have been rewritten; the schema is that of its input.
pub(crate) type Rewrite = fn(Expr, &DFSchema) -> Result<Transformed<Expr>>;

/// An analyzer rule that looks at one expression after the other, from the leaves upwards.
///
/// It must keep types: plans above have been made for them.
#[derive(Debug)]
pub(crate) struct RewriteExpressions {
    /// The rule's name.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) rewrite: Rewrite,
}

impl AnalyzerRule for RewriteExpressions {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| with_rewritten(node, self.rewrite))?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        self.name
    }
}

/// Returns a node with rewritten expressions.
pub(crate) fn with_rewritten(
    node: LogicalPlan,
    rewrite: Rewrite,
) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&node)?;
    let names = NamePreserver::new(&node);
    let mut rewrite_one = |expression: Expr| {
        let name = names.save(&expression);
        let new = expression.transform_up(|part| rewrite(part, &schema))?;
        Ok(new.update_data(|expression| name.restore(expression)))
    };
    let node = node.map_expressions(|expression| match expression {
        // An alias may not stand inside of GROUPING SETS.
        Expr::GroupingSet(_) => expression.map_children(&mut rewrite_one),
        expression => rewrite_one(expression),
    })?;
    match node.transformed {
        true => node.map_data(LogicalPlan::recompute_schema),
        false => Ok(node),
    }
}

/// Returns the columns that the expressions of a node can name.
pub(crate) fn input_schema(node: &LogicalPlan) -> Result<DFSchema> {
    match node {
        LogicalPlan::TableScan(scan) => {
            DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())
        }
        node => Ok(merge_schema(&node.inputs())),
    }
}
