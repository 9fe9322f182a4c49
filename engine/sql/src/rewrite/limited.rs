//! FETCH … WITH TIES and FETCH … PERCENT, by the windows that say the same.
//!
//! A row stands among the first n or ties with one of them where its rank is n at most; the first p per cent are
//! the rows whose number is at most p per cent of their count, rounded down as in DuckDB.

use datafusion::sql::sqlparser::ast::Ident;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Fetch, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr,
    Spanned, TableAlias, TableFactor, Value, WindowType,
};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Location;

use super::{Rewritten, distinct_on};
use crate::complete::Refusal;
use crate::{DIALECT, select_from_nothing};

/// Writes a query's FETCH as a condition on windows, where it is no plain number of rows.
pub(super) fn rewrite(query: &mut Query) -> Rewritten {
    let Some(fetch) = &query.fetch else {
        return Ok(());
    };
    if !fetch.with_ties && !fetch.percent {
        return Ok(());
    }
    let place = query.body.span().start;
    let fetch = fetch.clone();
    let keys = keys(query, &fetch, place)?;
    let offset = offset(query, &fetch, place)?;
    let in_place = matches!(query.body.as_ref(), SetExpr::Select(select)
        if select.distinct.is_none() && select.qualify.is_none());
    let mut keys = keys;
    match query.body.as_mut() {
        SetExpr::Select(select) if in_place => {
            for key in &mut keys {
                distinct_on::resolve(&mut key.expr, &select.projection)?;
            }
        }
        _ => {
            if let Some(key) = keys.iter().find(|key| matches!(key.expr, Expr::Value(_))) {
                return Err(Refusal::at(
                    key.expr.span().start,
                    "name the column here: the rows are counted outside of this query",
                ));
            }
            wrap(query);
        }
    }
    let condition = match fetch.with_ties {
        true => ties(&keys, fetch.quantity, offset),
        false => share(&keys, fetch.quantity),
    }
    .map_err(|error| Refusal::at(place, error.to_string()))?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.qualify = Some(condition);
    }
    query.fetch = None;
    Ok(())
}

fn keys(query: &Query, fetch: &Fetch, place: Location) -> Result<Vec<OrderByExpr>, Refusal> {
    match &query.order_by {
        Some(OrderBy {
            kind: OrderByKind::Expressions(keys),
            ..
        }) => Ok(keys.clone()),
        Some(_) => Err(Refusal::at(
            place,
            "ORDER BY ALL cannot stand beside PERCENT and WITH TIES; name the columns",
        )),
        None if fetch.with_ties => Err(Refusal::at(
            place,
            "FETCH … WITH TIES needs an ORDER BY, which says what ties",
        )),
        None => Ok(Vec::new()),
    }
}

/// Takes the rows out that are skipped.
fn offset(query: &mut Query, fetch: &Fetch, place: Location) -> Result<Option<Expr>, Refusal> {
    let taken = match query.limit_clause.take() {
        None => None,
        Some(LimitClause::LimitOffset {
            limit: None,
            offset,
            ..
        }) => offset.map(|offset| offset.value),
        Some(_) => return Err(Refusal::at(place, "FETCH cannot stand beside LIMIT")),
    };
    match taken {
        Some(_) if !fetch.with_ties => Err(Refusal::at(
            place,
            "OFFSET cannot stand beside a LIMIT of PERCENT; number the rows with row_number()",
        )),
        taken => Ok(taken),
    }
}

/// Puts a query around the rows, since conditions on windows see all rows that are there.
fn wrap(query: &mut Query) {
    let mut inner = select_from_nothing();
    std::mem::swap(&mut inner.body, &mut query.body);
    let mut outer = select_from_nothing();
    if let SetExpr::Select(select) = outer.body.as_mut()
        && let Some(from) = select.from.first_mut()
    {
        from.relation = TableFactor::Derived {
            lateral: false,
            subquery: Box::new(inner),
            alias: Some(TableAlias {
                explicit: true,
                name: Ident::with_quote('"', "_lakesh_limited"),
                columns: Vec::new(),
                at: None,
            }),
            sample: None,
        };
    }
    query.body = outer.body;
}

type Parsed<T> = Result<T, datafusion::sql::sqlparser::parser::ParserError>;

/// `rank() <= count`, and behind the rows that are skipped.
fn ties(keys: &[OrderByExpr], count: Option<Expr>, offset: Option<Expr>) -> Parsed<Expr> {
    let count = count.unwrap_or_else(|| Expr::value(Value::Number("1".to_owned(), false)));
    let rank = over("rank()", keys)?;
    Ok(match offset {
        None => binary(rank, BinaryOperator::LtEq, count),
        Some(offset) => {
            let last = Expr::Nested(Box::new(binary(
                offset.clone(),
                BinaryOperator::Plus,
                count,
            )));
            let number = over("row_number()", keys)?;
            binary(
                binary(number, BinaryOperator::Gt, offset),
                BinaryOperator::And,
                binary(rank, BinaryOperator::LtEq, last),
            )
        }
    })
}

/// `row_number() <= count(*) * share / 100`
fn share(keys: &[OrderByExpr], share: Option<Expr>) -> Parsed<Expr> {
    let share = share.unwrap_or_else(|| Expr::value(Value::Number("1".to_owned(), false)));
    let hundred = Expr::value(Value::Number("100".to_owned(), false));
    let count = over("count(*)", &[])?;
    let part = binary(
        binary(count, BinaryOperator::Multiply, share),
        BinaryOperator::Divide,
        hundred,
    );
    Ok(binary(
        over("row_number()", keys)?,
        BinaryOperator::LtEq,
        part,
    ))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

/// Makes a window function over all rows in an order.
fn over(call: &str, keys: &[OrderByExpr]) -> Parsed<Expr> {
    let mut expression = Parser::new(&DIALECT)
        .try_with_sql(&format!("{call} OVER ()"))?
        .parse_expr()?;
    if let Expr::Function(function) = &mut expression
        && let Some(WindowType::WindowSpec(window)) = &mut function.over
    {
        window.order_by = keys.to_vec();
    }
    Ok(expression)
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
    fn ties_have_a_rank() {
        check(
            "SELECT a, b AS c FROM t ORDER BY 2 DESC, a FETCH FIRST 3 ROWS WITH TIES",
            "SELECT a, b AS c FROM t QUALIFY rank() OVER (ORDER BY b DESC, a) <= 3 ORDER BY 2 DESC, a",
        );
        check(
            "SELECT a FROM t ORDER BY a OFFSET 2 ROWS FETCH NEXT ROW WITH TIES",
            "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) > 2 AND rank() OVER (ORDER BY a) <= (2 + 1) ORDER BY a",
        );
        check(
            "SELECT DISTINCT a FROM t ORDER BY a FETCH FIRST ROW WITH TIES",
            "SELECT * FROM (SELECT DISTINCT a FROM t) AS \"_lakesh_limited\" QUALIFY rank() OVER (ORDER BY a) <= 1 ORDER BY a",
        );
    }

    #[test]
    fn shares_are_counted() {
        for text in [
            "SELECT a FROM t LIMIT 50 PERCENT",
            "SELECT a FROM t LIMIT 50%",
            "SELECT a FROM t FETCH FIRST 50 PERCENT ROWS ONLY",
        ] {
            check(
                text,
                "SELECT a FROM t QUALIFY row_number() OVER () <= count(*) OVER () * 50 / 100",
            );
        }
        check(
            "SELECT a FROM t LIMIT 10 % 3",
            "SELECT a FROM t LIMIT 10 % 3",
        );
    }

    #[test]
    fn what_is_not_settled_is_refused() {
        for (text, message) in [
            (
                "SELECT a FROM t FETCH FIRST ROW WITH TIES",
                "needs an ORDER BY",
            ),
            (
                "SELECT a FROM t OFFSET 1 LIMIT 5 PERCENT",
                "OFFSET cannot stand",
            ),
        ] {
            let error = parse_query(text).expect_err("it is refused").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
