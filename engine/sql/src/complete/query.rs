//! What stands around a SELECT: WITH, set operations, ORDER BY, LIMIT, and the clauses of other databases.

use datafusion::sql::sqlparser::ast::{
    Cte, ExprWithAliasAndOrderBy, Fetch, ForClause, LimitClause, LockType, OrderBy, OrderByExpr,
    OrderByKind, OrderByOptions, PipeOperator, Query, SetExpr, SetOperator, SetQuantifier, Spanned,
    Values, With,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::{Checked, Refusal, relation, select};

/// Checks what a query has beside its body.
pub(super) fn query(query: &Query) -> Checked {
    let Query {
        with,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    let start = || query.body.span().start;
    let refuse = |words, message: &str| Err(Refusal::clause(start(), words, message));
    if let Some(with) = with {
        check_with(with)?;
    }
    check_body(body)?;
    if let Some(order_by) = order_by {
        check_order(order_by, &start)?;
    }
    check_limit(limit_clause.as_ref(), fetch.as_ref(), &start)?;
    if let Some(lock) = locks.first() {
        let (words, what) = match lock.lock_type {
            LockType::Share => ("for share", "FOR SHARE"),
            LockType::Update => ("for update", "FOR UPDATE"),
        };
        let message =
            format!("{what} is not supported: a query reads one version of a table, without locks");
        return refuse(words, &message);
    }
    if let Some(for_clause) = for_clause {
        let (words, what) = match for_clause {
            ForClause::Browse => ("for browse", "FOR BROWSE"),
            ForClause::Json { .. } => ("for json", "FOR JSON"),
            ForClause::Xml { .. } => ("for xml", "FOR XML"),
        };
        let message =
            format!("{what} is not supported; the output's format is chosen with --format or -o");
        return refuse(words, &message);
    }
    if settings.is_some() {
        let message = "SETTINGS is not supported; use SET, or the hint /*+ SET(name = value) */";
        return refuse("settings", message);
    }
    if format_clause.is_some() {
        let message = "FORMAT is not supported; the output's format is chosen with --format or -o";
        return refuse("format", message);
    }
    pipe_operators
        .iter()
        .try_for_each(|operator| pipe(operator, &start))
}

fn check_with(with: &With) -> Checked {
    let With {
        with_token: _,
        recursive: _,
        cte_tables,
    } = with;
    for cte in cte_tables {
        let Cte {
            alias,
            query: _,
            from,
            // What the hints of the statement see to.
            materialized: _,
            closing_paren_token: _,
        } = cte;
        relation::alias(alias)?;
        if let Some(from) = from {
            return Err(Refusal::at(
                from.span.start,
                "FROM behind a query of WITH is not supported",
            ));
        }
    }
    Ok(())
}

/// Checks the branches of a query that are no SELECT; a loop, since there may be thousands.
fn check_body(body: &SetExpr) -> Checked {
    let mut left_to_check = vec![body];
    while let Some(body) = left_to_check.pop() {
        let start = || body.span().start;
        match body {
            // Visited on their own.
            SetExpr::Select(_) | SetExpr::Query(_) => {}
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                left_to_check.extend([left.as_ref(), right.as_ref()]);
                check_quantifier(*op, *set_quantifier, &start)?;
            }
            SetExpr::Values(Values {
                explicit_row: _,
                value_keyword,
                rows: _,
            }) => {
                if *value_keyword {
                    let message = "VALUE is not supported; write VALUES";
                    return Err(Refusal::clause(start(), "value", message));
                }
            }
            SetExpr::Insert(_) => return change(start(), "insert", "INSERT"),
            SetExpr::Update(_) => return change(start(), "update", "UPDATE"),
            SetExpr::Delete(_) => return change(start(), "delete", "DELETE"),
            SetExpr::Merge(_) => return change(start(), "merge", "MERGE"),
            SetExpr::Table(table) => {
                let message = format!("`{table}` is not supported; write SELECT * FROM …");
                return Err(Refusal::clause(Location::empty(), "table", message));
            }
        }
    }
    Ok(())
}

fn check_quantifier(
    op: SetOperator,
    quantifier: SetQuantifier,
    start: &dyn Fn() -> Location,
) -> Checked {
    let is_union = match op {
        SetOperator::Union => true,
        SetOperator::Except | SetOperator::Intersect | SetOperator::Minus => false,
    };
    match quantifier {
        SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None => Ok(()),
        SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
            if is_union =>
        {
            Ok(())
        }
        SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => {
            let message = format!("{op} BY NAME is not supported; UNION BY NAME is");
            Err(Refusal::clause(start(), "by name", message))
        }
    }
}

fn change<T>(start: Location, words: &'static str, what: &str) -> Result<T, Refusal> {
    let message = format!("{what} cannot stand inside a query");
    Err(Refusal::clause(start, words, message))
}

fn check_order(order_by: &OrderBy, start: &dyn Fn() -> Location) -> Checked {
    let OrderBy { kind, interpolate } = order_by;
    if interpolate.is_some() {
        let message = "INTERPOLATE is not supported";
        return Err(Refusal::clause(start(), "interpolate", message));
    }
    match kind {
        // `scope::names` names the columns.
        OrderByKind::All(_) => Ok(()),
        OrderByKind::Expressions(keys) => sort_keys(keys),
    }
}

/// Checks the keys of an ORDER BY, wherever it stands.
pub(super) fn sort_keys(keys: &[OrderByExpr]) -> Checked {
    for key in keys {
        let OrderByExpr {
            expr,
            options:
                OrderByOptions {
                    asc: _,
                    nulls_first: _,
                },
            with_fill,
        } = key;
        if with_fill.is_some() {
            return Err(Refusal::clause(
                expr.span().start,
                "with fill",
                "WITH FILL is not supported; join with generate_series",
            ));
        }
    }
    Ok(())
}

fn check_limit(
    limit: Option<&LimitClause>,
    fetch: Option<&Fetch>,
    start: &dyn Fn() -> Location,
) -> Checked {
    let has_limit = match limit {
        None => false,
        Some(LimitClause::LimitOffset {
            limit,
            offset: _,
            limit_by,
        }) => {
            if let Some(first) = limit_by.first() {
                return Err(Refusal::at(
                    first.span().start,
                    "LIMIT … BY is not supported; use QUALIFY row_number() OVER (PARTITION BY …) <= n",
                ));
            }
            limit.is_some()
        }
        Some(LimitClause::OffsetCommaLimit {
            offset: _,
            limit: _,
        }) => true,
    };
    let Some(Fetch {
        with_ties,
        percent,
        quantity: _,
    }) = fetch
    else {
        return Ok(());
    };
    let refusal = match (with_ties, percent, has_limit) {
        (true, true, _) => "FETCH … PERCENT … WITH TIES is not supported",
        (_, _, true) => "FETCH cannot stand beside LIMIT",
        // `rewrite` makes windows of PERCENT and WITH TIES.
        (_, _, false) => return Ok(()),
    };
    Err(Refusal::clause(start(), "fetch", refusal))
}

/// Checks what stands behind `|>`.
fn pipe(operator: &PipeOperator, start: &dyn Fn() -> Location) -> Checked {
    let (words, what) = match operator {
        PipeOperator::Limit { expr: _, offset: _ }
        | PipeOperator::Where { expr: _ }
        | PipeOperator::As { alias: _ }
        | PipeOperator::Union {
            set_quantifier: _,
            queries: _,
        } => return Ok(()),
        PipeOperator::Intersect {
            set_quantifier,
            queries: _,
        } => return check_quantifier(SetOperator::Intersect, *set_quantifier, start),
        PipeOperator::Except {
            set_quantifier,
            queries: _,
        } => return check_quantifier(SetOperator::Except, *set_quantifier, start),
        PipeOperator::OrderBy { exprs } => return sort_keys(exprs),
        PipeOperator::Select { exprs } | PipeOperator::Extend { exprs } => {
            return select::items(exprs);
        }
        PipeOperator::Join(join) => return relation::join(join),
        PipeOperator::Aggregate {
            full_table_exprs,
            group_by_expr,
        } => {
            for ExprWithAliasAndOrderBy { expr, order_by } in
                full_table_exprs.iter().chain(group_by_expr)
            {
                let OrderByOptions { asc, nulls_first } = order_by;
                if asc.is_some() || nulls_first.is_some() {
                    return Err(Refusal::at(
                        expr.expr.span().start,
                        "an order in |> AGGREGATE is not supported; add |> ORDER BY",
                    ));
                }
            }
            return Ok(());
        }
        PipeOperator::Set { assignments: _ } => ("set", "SET"),
        PipeOperator::Drop { columns: _ } => ("drop", "DROP"),
        PipeOperator::TableSample { sample: _ } => ("tablesample", "TABLESAMPLE"),
        PipeOperator::Rename { mappings: _ } => ("rename", "RENAME"),
        PipeOperator::Call {
            function: _,
            alias: _,
        } => ("call", "CALL"),
        PipeOperator::Pivot {
            aggregate_functions: _,
            value_column: _,
            value_source: _,
            alias: _,
        } => ("pivot", "PIVOT"),
        PipeOperator::Unpivot {
            value_column: _,
            name_column: _,
            unpivot_columns: _,
            alias: _,
        } => ("unpivot", "UNPIVOT"),
    };
    Err(Refusal::clause(
        start(),
        words,
        format!("|> {what} is not supported"),
    ))
}
