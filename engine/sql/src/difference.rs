//! What a query says that databases read in different ways, where somebody may mean the other one.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, visit_expressions};

use super::Query;

/// Returns a line for each such thing in a query; `docs/sql.md` says more.
#[must_use]
pub fn differences(query: &Query) -> Vec<&'static str> {
    let ParsedStatement::Statement(statement) = &query.tree else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    let raises = visit_expressions(statement, |expression| match expression {
        Expr::BinaryOp {
            op: BinaryOperator::PGExp,
            ..
        } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    if raises.is_break() {
        notes.push("`^` raises to a power, as in PostgreSQL and DuckDB; the exclusive or is `#`");
    }
    notes
}
