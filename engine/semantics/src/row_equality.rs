//! Compares rows as SQL does: `(a, b) = (c, d)` is `a = c AND b = d`.
//!
//! DataFusion compares them as values of a struct, in which NULL equals NULL, in filters as in the keys
//! of joins. The one row of a subquery is compared in the same way; that its fields name the subquery
//! several times does not evaluate it several times.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

/// Takes comparisons of rows apart.
#[derive(Debug)]
pub(crate) struct CompareRows;

impl AnalyzerRule for CompareRows {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let compared = expression.transform_up(|part| Ok(compared(part)))?;
                Ok(compared.update_data(|expression| name.restore(expression)))
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "compare_rows"
    }
}

/// Returns an expression in which a comparison of rows is one of their fields.
fn compared(expression: Expr) -> Transformed<Expr> {
    let found = match &expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (one, other) = (fields(left), fields(right));
            match (one, other, subquery_fields(left), subquery_fields(right)) {
                (Some(left), Some(right), ..) => same_length(left, right, *op),
                (Some(left), _, _, Some(right)) => same_length(left, &right, *op),
                (_, Some(right), Some(left), _) => same_length(&left, right, *op),
                _ => None,
            }
        }
        Expr::InList(list) => membership(list),
        _ => None,
    };
    match found {
        Some(found) => Transformed::yes(found),
        None => Transformed::no(expression),
    }
}

/// Returns the fields of a row that is written as such.
fn fields(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "struct" => {
            (!args.is_empty()).then_some(args.as_slice())
        }
        _ => None,
    }
}

/// Returns the fields of the row of a subquery that gives rows which are written as such.
fn subquery_fields(expression: &Expr) -> Option<Vec<Expr>> {
    let Expr::ScalarSubquery(subquery) = expression else {
        return None;
    };
    let LogicalPlan::Projection(projection) = subquery.subquery.as_ref() else {
        return None;
    };
    let [row] = projection.expr.as_slice() else {
        return None;
    };
    fields(row)?;
    let DataType::Struct(members) = projection.schema.field(0).data_type() else {
        return None;
    };
    let names = members.iter().map(|member| member.name().as_str());
    Some(
        names
            .map(|name| get_field(expression.clone(), name))
            .collect(),
    )
}

fn same_length(left: &[Expr], right: &[Expr], operator: Operator) -> Option<Expr> {
    (left.len() == right.len())
        .then(|| comparison(operator, left, right))
        .flatten()
}

/// Compares two rows of the same length; `None` for operators that do not compare.
pub(crate) fn comparison(operator: Operator, left: &[Expr], right: &[Expr]) -> Option<Expr> {
    let pairs = || left.iter().zip(right);
    let each = |operator| pairs().map(move |(left, right)| binary(left, operator, right));
    match operator {
        Operator::Eq | Operator::IsNotDistinctFrom => conjunction(each(operator)),
        Operator::NotEq | Operator::IsDistinctFrom => disjunction(each(operator)),
        Operator::Lt | Operator::LtEq => ordered(Operator::Lt, operator, left, right),
        Operator::Gt | Operator::GtEq => ordered(Operator::Gt, operator, left, right),
        _ => None,
    }
}

/// The first fields that differ decide; the last may be equal if the operator says so.
fn ordered(strict: Operator, last: Operator, left: &[Expr], right: &[Expr]) -> Option<Expr> {
    match (left, right) {
        ([left], [right]) => Some(binary(left, last, right)),
        ([left, left_rest @ ..], [right, right_rest @ ..]) => {
            let rest = ordered(strict, last, left_rest, right_rest)?;
            let equal = binary(left, Operator::Eq, right).and(rest);
            Some(binary(left, strict, right).or(equal))
        }
        _ => None,
    }
}

/// `(a, b) IN ((1, 2), (3, 4))`
fn membership(list: &InList) -> Option<Expr> {
    let row = fields(&list.expr)?;
    let mut equalities = Vec::with_capacity(list.list.len());
    for entry in &list.list {
        let entry = fields(entry).filter(|entry| entry.len() == row.len())?;
        equalities.push(comparison(Operator::Eq, row, entry)?);
    }
    let found = disjunction(equalities)?;
    Some(match list.negated {
        true => Expr::Not(Box::new(found)),
        false => found,
    })
}

fn binary(left: &Expr, operator: Operator, right: &Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(
        Box::new(left.clone()),
        operator,
        Box::new(right.clone()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::functions::core::expr_fn::r#struct;
    use datafusion::logical_expr::{col, lit};

    #[test]
    fn rows_are_compared_field_by_field() {
        let row = |first, second| r#struct(vec![col(first), col(second)]);
        let (left, right) = (row("a", "b"), row("c", "d"));
        let cases = [
            (left.clone().eq(right.clone()), "a = c AND b = d"),
            (left.clone().not_eq(right.clone()), "a != c OR b != d"),
            (
                left.clone().lt_eq(right.clone()),
                "a < c OR a = c AND b <= d",
            ),
            (left.clone().gt(right.clone()), "a > c OR a = c AND b > d"),
            (left.clone().in_list(vec![right], false), "a = c AND b = d"),
            (col("a").eq(lit(1_i64)), "a = Int64(1)"),
        ];
        for (expression, expected) in cases {
            assert_eq!(compared(expression).data.to_string(), expected);
        }
    }
}
