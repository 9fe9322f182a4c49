//! Names for columns and relations that no text gave, each used once in a plan.

use std::cell::Cell;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// What all made names begin with.
const PREFIX: &str = "__sq";

/// The names of one plan.
#[derive(Default)]
pub(super) struct Names {
    given: Cell<usize>,
}

impl Names {
    /// Returns a name that no column and no relation of the plan has.
    pub(super) fn fresh(&self, hint: &str) -> String {
        let number = self.given.get() + 1;
        self.given.set(number);
        format!("{PREFIX}{number}_{hint}")
    }

    /// Gives a column's values a name of their own.
    pub(super) fn column(&self, expression: Expr, hint: &str) -> (Expr, Column) {
        let name = self.fresh(hint);
        (
            expression.alias(name.clone()),
            Column::new_unqualified(name),
        )
    }

    /// Wraps a plan whose columns have made names, so that a join may take it beside any other.
    pub(super) fn wrap(
        &self,
        plan: LogicalPlan,
    ) -> datafusion::common::Result<(LogicalPlan, String)> {
        let name = self.fresh("rows");
        let plan = LogicalPlanBuilder::from(plan)
            .alias(name.clone())?
            .build()?;
        Ok((plan, name))
    }
}

/// Whether a column has a made name, which nothing else can have.
pub(super) fn is_made(column: &Column) -> bool {
    column.relation.is_none() && column.name.starts_with(PREFIX)
}
