//! Columns that the table computes from others: they follow when those change.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, VisitMut, VisitorMut};
use lakesh_session::StatementContext;
use lakesh_table::GENERATION_EXPRESSION;
use lakesh_text::failure::Failure;

use super::{Target, mentioned_columns};

/// Adds to new values of columns those of the generated columns that depend on them, unless the
/// statement gives them itself. `table` is what the statement calls the table.
pub(crate) fn with_generated(
    context: &StatementContext,
    target: &Target,
    table: &Ident,
    mut assigned: Vec<(usize, SqlExpr)>,
) -> Result<Vec<(usize, SqlExpr)>, Failure> {
    let schema = target.schema();
    for name in &target.generated {
        let Ok(index) = schema.index_of(name) else {
            continue;
        };
        let Some(text) = schema.field(index).metadata().get(GENERATION_EXPRESSION) else {
            continue;
        };
        if assigned.iter().any(|(known, _)| *known == index) {
            continue;
        }
        let mut expression = generation_expression(text).map_err(|error| context.failure(error))?;
        let mentioned = mentioned_columns(&[&expression]);
        let depends = assigned
            .iter()
            .any(|(known, _)| mentioned.contains(&schema.field(*known).name().to_lowercase()));
        if !depends {
            continue;
        }
        let mut replace = Replace {
            table,
            values: assigned
                .iter()
                .map(|(known, value)| (schema.field(*known).name().to_lowercase(), value))
                .collect(),
        };
        // The visitor never breaks off.
        let _: ControlFlow<()> = expression.visit(&mut replace);
        assigned.push((index, expression));
    }
    Ok(assigned)
}

/// Reads the expression of a generated column; it may be stored as a JSON string.
fn generation_expression(text: &str) -> lakesh_sql::ParseResult<SqlExpr> {
    let plain = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
    lakesh_sql::parse_expression(&plain)
}

/// Puts new values in the place of columns, and the table's name before the other columns.
struct Replace<'a> {
    table: &'a Ident,
    values: Vec<(String, &'a SqlExpr)>,
}

impl VisitorMut for Replace<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut SqlExpr) -> ControlFlow<()> {
        if let SqlExpr::Identifier(name) = expression {
            let wanted = name.value.to_lowercase();
            let value = self.values.iter().find(|(column, _)| *column == wanted);
            *expression = match value {
                Some((_, value)) => SqlExpr::Nested(Box::new((*value).clone())),
                None => SqlExpr::CompoundIdentifier(vec![self.table.clone(), name.clone()]),
            };
        }
        ControlFlow::Continue(())
    }
}
