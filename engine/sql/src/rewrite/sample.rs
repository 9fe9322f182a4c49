//! TABLESAMPLE, by conditions and orders on chance.
//!
//! `10 PERCENT` keeps each row with a chance of a tenth, as BERNOULLI says; SYSTEM, which may keep whole blocks,
//! does the same. `10 ROWS` draws ten rows.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, LimitClause, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, SetExpr,
    TableAlias, TableFactor, TableSampleKind, Value,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::call;
use super::using::visible;
use crate::sampling::counts_rows;
use crate::{identifiers, select_from_nothing};

/// Writes a relation of which a sample is asked for as a query over it.
pub(super) fn rewrite(factor: &mut TableFactor) {
    let (TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. }) = factor else {
        return;
    };
    let Some(TableSampleKind::BeforeTableAlias(taken) | TableSampleKind::AfterTableAlias(taken)) =
        sample.take()
    else {
        return;
    };
    let (Some(counts), Some(quantity)) = (counts_rows(&taken), taken.quantity) else {
        return;
    };
    let name = visible(factor).or_else(|| match &*factor {
        TableFactor::Table { name, .. } => identifiers(name)?.pop(),
        _ => None,
    });
    let mut query = select_from_nothing();
    let chance = || call("random", Vec::new(), Span::empty());
    if let SetExpr::Select(select) = query.body.as_mut() {
        if let Some(from) = select.from.first_mut() {
            from.relation = factor.clone();
        }
        if !counts {
            let hundred = Expr::value(Value::Number("100".to_owned(), false));
            let share = binary(
                quantity.value.clone(),
                BinaryOperator::Divide,
                decimal(hundred),
            );
            select.selection = Some(binary(chance(), BinaryOperator::Lt, share));
        }
    }
    if counts {
        query.order_by = Some(OrderBy {
            kind: OrderByKind::Expressions(vec![OrderByExpr {
                expr: chance(),
                options: OrderByOptions::default(),
                with_fill: None,
            }]),
            interpolate: None,
        });
        query.limit_clause = Some(LimitClause::LimitOffset {
            limit: Some(quantity.value),
            offset: None,
            limit_by: Vec::new(),
        });
    }
    *factor = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: name.map(|name| TableAlias {
            explicit: true,
            name,
            columns: Vec::new(),
            at: None,
        }),
        sample: None,
    };
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

/// Makes a number one whose quotients have a fraction.
fn decimal(number: Expr) -> Expr {
    match number {
        Expr::Value(mut value) => {
            if let Value::Number(digits, _) = &mut value.value {
                digits.push_str(".0");
            }
            Expr::Value(value)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::parse_query;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let query = parse_query(text).expect("it parses");
        assert_eq!(query.tree.to_string(), expected);
    }

    #[test]
    fn shares_are_chances() {
        for text in [
            "SELECT * FROM t TABLESAMPLE (10 PERCENT)",
            "SELECT * FROM t TABLESAMPLE BERNOULLI (10)",
            "SELECT * FROM t TABLESAMPLE SYSTEM (10)",
        ] {
            check(
                text,
                "SELECT * FROM (SELECT * FROM t WHERE random() < 10 / 100.0) AS t",
            );
        }
    }

    #[test]
    fn rows_are_drawn() {
        check(
            "SELECT u.a FROM t AS u TABLESAMPLE (3 ROWS) WHERE u.a > 1",
            "SELECT u.a FROM (SELECT * FROM t AS u ORDER BY random() LIMIT 3) AS u WHERE u.a > 1",
        );
    }

    #[test]
    fn what_is_not_said_is_refused() {
        for (text, message) in [
            ("SELECT * FROM t TABLESAMPLE (10)", "say ROWS or PERCENT"),
            (
                "SELECT * FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (1)",
                "REPEATABLE",
            ),
        ] {
            let error = parse_query(text).expect_err("it is refused").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
