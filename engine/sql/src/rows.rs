//! Rows of several values beside a subquery: `(a, b) IN (SELECT c, d FROM t)`, `= ANY`, `<> ALL`.
//!
//! DataFusion's planner takes subqueries of one column only. Both sides become one value that has the
//! others as its fields; `semantics` takes them apart again and compares field by field.

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    Expr, Query, SetExpr, TableFactor, VisitMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::parser::ParserError;

use super::parse_query_tree;

/// Makes one value of each row that a statement compares with a subquery's rows.
pub fn compare_rows(statement: &mut ParsedStatement) -> Result<(), ParserError> {
    match statement {
        ParsedStatement::Statement(statement) => in_expressions(statement),
        ParsedStatement::Explain(explain) => compare_rows(&mut explain.statement),
        ParsedStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => in_expressions(query),
            CopyToSource::Relation(_) => Ok(()),
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(()),
    }
}

fn in_expressions<T: VisitMut>(tree: &mut T) -> Result<(), ParserError> {
    let outcome = visit_expressions_mut(tree, |expression| {
        let row_and_query = match expression {
            Expr::InSubquery { expr, subquery, .. } => Some((expr, subquery)),
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                match right.as_mut() {
                    Expr::Subquery(subquery) => Some((left, subquery)),
                    _ => None,
                }
            }
            _ => None,
        };
        match row_and_query.map_or(Ok(()), |(row, query)| as_values(row, query)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    });
    match outcome {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn as_values(row: &mut Expr, query: &mut Query) -> Result<(), ParserError> {
    let Expr::Tuple(values) = row else {
        return Ok(());
    };
    if values.len() < 2 {
        return Ok(());
    }
    let names: Vec<_> = (0..values.len()).map(|place| format!("c{place}")).collect();
    let names = names.join(", ");
    let mut outer = parse_query_tree(&format!(
        "SELECT struct({names}) FROM (SELECT 1) AS __row({names})"
    ))?;
    if let SetExpr::Select(select) = outer.body.as_mut()
        && let Some(table) = select.from.first_mut()
        && let TableFactor::Derived { subquery, .. } = &mut table.relation
    {
        std::mem::swap(subquery.as_mut(), query);
        *query = outer;
    }
    let values = std::mem::take(values);
    *row = Expr::Struct {
        values,
        fields: Vec::new(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::compare_rows;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut statements = DFParser::parse_sql(text).expect("it parses");
        compare_rows(&mut statements[0]).expect("rows are rewritten");
        assert_eq!(statements[0].to_string(), expected);
    }

    #[test]
    fn rows_become_values() {
        check(
            "SELECT 1 FROM t WHERE (a, b + 1) NOT IN (SELECT c, d FROM u)",
            "SELECT 1 FROM t WHERE STRUCT(a, b + 1) NOT IN (SELECT STRUCT(c0, c1) FROM (SELECT c, d FROM u) AS __row (c0, c1))",
        );
    }

    #[test]
    fn single_values_stay() {
        check(
            "SELECT 1 FROM t WHERE (a) IN (SELECT c FROM u) AND (a, b) IN ((1, 2))",
            "SELECT 1 FROM t WHERE (a) IN (SELECT c FROM u) AND (a, b) IN ((1, 2))",
        );
    }
}
