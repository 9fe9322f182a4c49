//! What is left of a UNION whose other branches are empty keeps its columns by their places.
//!
//! DataFusion 55.2 reads the columns of the branch that is left by the names of the first branch:
//! `SELECT a, b FROM t WHERE false UNION ALL SELECT DISTINCT b, a FROM t` gives `a` as `b` and `b` as `a`, and
//! fails where the names are others (`PropagateEmptyRelation`). Everything else is left to its rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Union};
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Leaves empty parts of a plan out.
#[derive(Debug, Default)]
pub(crate) struct DropEmptyParts {
    inner: PropagateEmptyRelation,
}

impl OptimizerRule for DropEmptyParts {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Union(union) => match only_branch(&union) {
                Some(branch) => Ok(Transformed::yes(in_the_place_of(&union, branch)?)),
                None => self.inner.rewrite(LogicalPlan::Union(union), config),
            },
            plan => self.inner.rewrite(plan, config),
        }
    }
}

/// Returns the branch that may have rows, where it is the only one of several.
fn only_branch(union: &Union) -> Option<&Arc<LogicalPlan>> {
    let mut left = union.inputs.iter().filter(|branch| match branch.as_ref() {
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        _ => true,
    });
    match (left.next(), left.next()) {
        (Some(branch), None) if union.inputs.len() > 1 => Some(branch),
        _ => None,
    }
}

/// Gives the columns of a branch the names of the whole.
fn in_the_place_of(union: &Union, branch: &Arc<LogicalPlan>) -> Result<LogicalPlan> {
    if branch.schema() == &union.schema {
        return Ok(LogicalPlan::clone(branch));
    }
    let columns = branch.schema().columns().into_iter();
    let named = columns.zip(union.schema.columns()).map(|(column, name)| {
        if column == name {
            return Expr::Column(column);
        }
        Expr::Column(column).alias_qualified(name.relation, name.name)
    });
    let schema = Arc::clone(&union.schema);
    let named = Projection::try_new_with_schema(named.collect(), Arc::clone(branch), schema)?;
    Ok(LogicalPlan::Projection(named))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::logical_expr::{EmptyRelation, LogicalPlanBuilder, col, table_scan};
    use datafusion::optimizer::OptimizerContext;

    use super::*;

    #[test]
    fn columns_stay_in_their_places() {
        let columns = ["a", "b"].map(|name| Field::new(name, DataType::Int64, true));
        let schema = Schema::new(columns.to_vec());
        let scan = table_scan(Some("t"), &schema, None).expect("a scan");
        let branch = scan.project([col("b"), col("a")]).expect("two columns");
        let empty = table_scan(None::<&str>, &schema, None).expect("a scan");
        let empty = empty.build().expect("a plan");
        let whole = LogicalPlanBuilder::from(empty.clone())
            .union(branch.build().expect("a plan"))
            .expect("a union");
        let LogicalPlan::Union(mut union) = whole.build().expect("a plan") else {
            panic!("a union");
        };
        union.inputs[0] = Arc::new(LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema: Arc::clone(empty.schema()),
        }));
        let config = OptimizerContext::new();
        let rewritten = DropEmptyParts::default()
            .rewrite(LogicalPlan::Union(union), &config)
            .expect("a plan");
        let text = rewritten.data.display_indent().to_string();
        assert!(text.starts_with("Projection: t.b AS a, t.a AS b"), "{text}");
    }
}
