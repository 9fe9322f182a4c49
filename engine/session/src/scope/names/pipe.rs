//! Names behind `|>`: each operator sees the columns of the one before.

use datafusion::sql::sqlparser::ast::{Expr, PipeOperator};

use super::columns::Columns;
use super::{Level, Names, Resolved, looked_up};

impl Names<'_> {
    /// Resolves the names behind a query; returns the columns that are left at the end.
    pub(super) fn pipe(
        &mut self,
        mut columns: Columns,
        operators: &mut [PipeOperator],
    ) -> Resolved<Columns> {
        for operator in operators {
            columns = self.operator(columns, operator)?;
        }
        Ok(columns)
    }

    fn operator(&mut self, columns: Columns, operator: &mut PipeOperator) -> Resolved<Columns> {
        match operator {
            PipeOperator::Where { expr } => {
                self.over(&columns, |names| names.expression(expr))?;
                Ok(columns)
            }
            PipeOperator::OrderBy { exprs } => {
                self.over(&columns, |names| {
                    exprs
                        .iter_mut()
                        .try_for_each(|key| names.expression(&mut key.expr))
                })?;
                Ok(columns)
            }
            PipeOperator::Select { exprs } => {
                self.expand_items(exprs, &columns)?;
                self.over(&columns, |names| names.items(exprs))
            }
            PipeOperator::Extend { exprs } => {
                self.expand_items(exprs, &columns)?;
                let added = self.over(&columns, |names| names.items(exprs))?;
                let mut all = columns;
                all.extend(added);
                Ok(all)
            }
            PipeOperator::Aggregate {
                full_table_exprs,
                group_by_expr,
            } => {
                let mut output = Columns::default();
                for item in group_by_expr.iter_mut().chain(full_table_exprs) {
                    let expression = &mut item.expr.expr;
                    self.over(&columns, |names| names.expression(expression))?;
                    let name = match (&item.expr.alias, &*expression) {
                        (Some(alias), _) => looked_up(alias),
                        (None, Expr::Identifier(word)) => looked_up(word),
                        (None, other) => other.to_string(),
                    };
                    output.push(name, None);
                }
                Ok(output)
            }
            PipeOperator::As { alias } => Ok(columns.called(Some(&looked_up(alias)), &[])),
            PipeOperator::Union { queries, .. }
            | PipeOperator::Intersect { queries, .. }
            | PipeOperator::Except { queries, .. } => {
                for query in queries {
                    self.query(query)?;
                }
                Ok(columns)
            }
            PipeOperator::Join(join) => {
                let right = self.factor(&mut join.relation, &columns)?;
                self.join(join, columns, right)
            }
            PipeOperator::Limit { .. } => Ok(columns),
            // All others are refused by the parser.
            _ => Ok(Columns::unknown()),
        }
    }

    fn over<T>(
        &mut self,
        columns: &Columns,
        walk: impl FnOnce(&mut Self) -> Resolved<T>,
    ) -> Resolved<T> {
        self.within(Level::of(columns.clone()), walk)
    }
}
