//! Gives what a projection computes a name of its own if the projection above computes under that name.
//!
//! DataFusion (`merge_consecutive_projections`) takes two projections with equal expressions for one
//! that stands twice, but `a + 1 AS a` over `a + 1 AS a` adds two.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The prefix of names that nobody sees.
const PREFIX: &str = "__computed";

/// Renames columns between two projections.
#[derive(Debug)]
pub(crate) struct NameProjections;

impl OptimizerRule for NameProjections {
    fn name(&self) -> &str {
        "name_projections"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Projection(above) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let LogicalPlan::Projection(below) = above.input.as_ref() else {
            return Ok(Transformed::no(plan));
        };
        let mut renamed = vec![None; below.expr.len()];
        let mut expressions = Vec::with_capacity(below.expr.len());
        for (place, expression) in below.expr.iter().enumerate() {
            let name = below.schema.field(place).name();
            if is_plain(expression) || !computes(above, name) {
                expressions.push(expression.clone());
                continue;
            }
            let name = config.alias_generator().next(PREFIX);
            expressions.push(expression.clone().unalias().alias(&name));
            renamed[place] = Some(Column::new_unqualified(name));
        }
        if renamed.iter().all(Option::is_none) {
            return Ok(Transformed::no(plan));
        }
        let input = Projection::try_new(expressions, Arc::clone(&below.input))?;
        let columns = above.expr.iter().zip(above.schema.iter());
        let columns = columns.map(|(expression, (qualifier, field))| {
            let expression = expression.clone().unalias();
            let renamed = with_names(expression, &below.schema, &renamed)?;
            Ok(renamed.alias_qualified(qualifier.cloned(), field.name()))
        });
        let above = Projection::try_new_with_schema(
            columns.collect::<Result<_>>()?,
            Arc::new(LogicalPlan::Projection(input)),
            Arc::clone(&above.schema),
        )?;
        Ok(Transformed::yes(LogicalPlan::Projection(above)))
    }
}

fn is_plain(expression: &Expr) -> bool {
    matches!(expression, Expr::Column(_))
}

fn computes(projection: &Projection, name: &str) -> bool {
    let mut columns = projection.expr.iter().zip(projection.schema.fields());
    columns.any(|(expression, field)| field.name() == name && !is_plain(expression))
}

fn with_names(expression: Expr, schema: &DFSchema, renamed: &[Option<Column>]) -> Result<Expr> {
    let expression = expression.transform_up(|part| {
        let Expr::Column(column) = &part else {
            return Ok(Transformed::no(part));
        };
        let place = schema.maybe_index_of_column(column);
        let name = place.and_then(|place| renamed[place].clone());
        Ok(name.map_or_else(
            || Transformed::no(part),
            |name| Transformed::yes(Expr::Column(name)),
        ))
    });
    expression.data()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::logical_expr::{col, lit, table_scan};
    use datafusion::optimizer::optimize_projections::OptimizeProjections;
    use datafusion::optimizer::{Optimizer, OptimizerContext};

    /// `a + 1 AS a`, three times.
    fn additions(rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>) -> usize {
        let fields = vec![Field::new("a", DataType::Int64, true)];
        let mut plan = table_scan(None::<&str>, &Schema::new(fields), None).unwrap();
        for _ in 0..3 {
            plan = plan.project([(col("a") + lit(1_i64)).alias("a")]).unwrap();
        }
        let context = OptimizerContext::new();
        let optimizer = Optimizer::with_rules(rules);
        let plan = optimizer.optimize(plan.build().unwrap(), &context, |_, _| {});
        plan.unwrap()
            .display_indent()
            .to_string()
            .matches('+')
            .count()
    }

    #[test]
    fn each_of_equal_projections_computes() {
        let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
            Arc::new(NameProjections),
            Arc::new(OptimizeProjections::new()),
        ];
        assert_eq!(additions(rules), 3);
    }

    /// When this fails DataFusion has mended it, and this rule may go.
    #[test]
    fn datafusion_leaves_one_out() {
        assert!(additions(vec![Arc::new(OptimizeProjections::new())]) < 3);
    }
}
