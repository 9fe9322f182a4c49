//! Names for columns and relations that no text gave, each used once in a plan.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use datafusion::common::{Column, DFSchemaRef};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// What all made names begin with.
const PREFIX: &str = "__sq";

/// The names of one plan.
#[derive(Default)]
pub(super) struct Names {
    given: Cell<usize>,
    /// The rows around the query that is being rewritten, the outermost first.
    around: RefCell<Vec<DFSchemaRef>>,
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

    /// Rewrites a query that stands within rows of the given columns.
    pub(super) fn within<T>(&self, rows: &DFSchemaRef, rewrite: impl FnOnce() -> T) -> T {
        self.around.borrow_mut().push(Arc::clone(rows));
        let outcome = rewrite();
        self.around.borrow_mut().pop();
        outcome
    }

    /// Whether a row around the query has a column.
    pub(super) fn is_around(&self, column: &Column) -> bool {
        let around = self.around.borrow();
        let mut rows = around.iter();
        rows.any(|rows| rows.maybe_index_of_column(column).is_some())
    }
}

/// Whether a column has a made name, which nothing else can have.
pub(super) fn is_made(column: &Column) -> bool {
    column.relation.is_none() && column.name.starts_with(PREFIX)
}
