//! Names in queries: WITH, set operations, ORDER BY.

use datafusion::sql::sqlparser::ast::{
    Expr, LimitClause, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query, SetExpr, Spanned,
    Value, With,
};
use lakesh_sql::syntax_error;

use super::columns::Columns;
use super::form::Given;
use super::from::called;
use super::{Level, Names, Resolved, looked_up};

/// What a query without its ORDER BY is.
#[derive(Default)]
pub(super) struct Body {
    /// Its columns.
    pub(super) output: Columns,
    /// What else ORDER BY can name.
    pub(super) from: Columns,
}

impl Names<'_> {
    /// Resolves the names of a query; returns its columns.
    pub(super) fn query(&mut self, query: &mut Query) -> Resolved<Columns> {
        let around = self.ctes.len();
        let resolved = self.query_with_ctes(query);
        self.ctes.truncate(around);
        resolved
    }

    fn query_with_ctes(&mut self, query: &mut Query) -> Resolved<Columns> {
        if let Some(with) = &mut query.with {
            self.with(with)?;
        }
        let body = self.body(&mut query.body)?;
        if let Some(order_by) = &mut query.order_by {
            let place = query.body.span().start;
            if let OrderByKind::All(options) = &order_by.kind {
                if body.output.is_open {
                    return Err(syntax_error(
                        "the columns that ORDER BY ALL sorts by are not known here; name them",
                        place,
                    ));
                }
                order_by.kind =
                    OrderByKind::Expressions(all_keys(body.output.list.len(), *options));
            }
            let level = Level {
                results: given(&body.output),
                columns: body.from,
                writes_out: false,
            };
            self.within(level, |names| names.order(order_by))?;
        }
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
            if let Some(limit) = limit {
                self.expression(limit)?;
            }
            if let Some(offset) = offset {
                self.expression(&mut offset.value)?;
            }
        }
        self.pipe(body.output, &mut query.pipe_operators)
    }

    fn order(&mut self, order_by: &mut OrderBy) -> Resolved {
        match &mut order_by.kind {
            OrderByKind::All(_) => Ok(()),
            OrderByKind::Expressions(keys) => keys
                .iter_mut()
                .try_for_each(|key| self.expression(&mut key.expr)),
        }
    }

    fn with(&mut self, with: &mut With) -> Resolved {
        for cte in &mut with.cte_tables {
            let name = looked_up(&cte.alias.name);
            if with.recursive {
                // What the query calls itself has the columns of its first branch.
                let mut first = first_branch(&cte.query.body).clone();
                let columns = self.body(&mut first)?.output;
                let columns = called(columns, Some(&cte.alias), None);
                self.ctes.push((name.clone(), columns));
            }
            let columns = self.query(&mut cte.query)?;
            let columns = called(columns, Some(&cte.alias), None);
            if with.recursive {
                self.ctes.pop();
            }
            self.ctes.push((name, columns));
        }
        Ok(())
    }

    /// Resolves what a query has beside WITH and ORDER BY.
    pub(super) fn body(&mut self, body: &mut SetExpr) -> Resolved<Body> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => Ok(Body {
                output: self.query(query)?,
                from: Columns::default(),
            }),
            SetExpr::SetOperation { .. } => Ok(Body {
                output: self.branches(body)?,
                from: Columns::default(),
            }),
            SetExpr::Values(values) => {
                let count = values.rows.first().map_or(0, |row| row.len());
                self.expression(values)?;
                let mut output = Columns::default();
                for place in 1..=count {
                    output.push(format!("column{place}"), None);
                }
                Ok(Body {
                    output,
                    from: Columns::default(),
                })
            }
            _ => Ok(Body {
                output: Columns::unknown(),
                from: Columns::default(),
            }),
        }
    }
}

impl Names<'_> {
    /// Resolves the branches of set operations, of which there may be thousands; the first gives the columns.
    fn branches(&mut self, body: &mut SetExpr) -> Resolved<Columns> {
        let mut others = Vec::new();
        let mut first = body;
        while let SetExpr::SetOperation { left, right, .. } = first {
            others.push(right.as_mut());
            first = left.as_mut();
        }
        let output = self.body(first)?.output;
        for other in others.into_iter().rev() {
            self.body(other)?;
        }
        Ok(output)
    }
}

/// Returns results that ORDER BY can name.
pub(super) fn given(output: &Columns) -> Vec<Given> {
    output
        .list
        .iter()
        .map(|column| Given {
            name: column.name.clone(),
            value: None,
        })
        .collect()
}

/// Orders by every column in turn.
fn all_keys(count: usize, options: OrderByOptions) -> Vec<OrderByExpr> {
    (1..=count)
        .map(|place| OrderByExpr {
            expr: Expr::value(Value::Number(place.to_string(), false)),
            options,
            with_fill: None,
        })
        .collect()
}

fn first_branch(body: &SetExpr) -> &SetExpr {
    let mut first = body;
    while let SetExpr::SetOperation { left, .. } = first {
        first = left;
    }
    first
}
