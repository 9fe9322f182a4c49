//! Says in words that DataFusion's planner understands what it would misread, drop or refuse.
//!
//! It runs once over each tree that is parsed, after `complete` has refused what no rewriting helps, and after
//! the columns of the result have got their names, which are what was written.

mod casts;
mod distinct_on;
mod grouping;
mod interval;
mod json;
mod limited;
mod names;
mod operator;
mod pattern;
mod quantified;
mod row_query;
mod row_value;
mod sample;
mod series;
mod slice;
mod using;
mod values;
mod wildcard;
mod window;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Fetch, JoinOperator, LimitClause, ObjectNamePart, Query, Select, SetExpr, SetOperator,
    SetQuantifier, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::parser::Parser;

use crate::complete::Refusal;
use crate::{ParseResult, normalized, select_everything};
use using::Merged;
use window::Windows;

pub use casts::AS_WRITTEN;
pub use operator::PRODUCT_OF_ROWS;
pub use pattern::{LIKE_PATTERN, SIMILAR_PATTERN, like_pattern, similar_pattern};
pub use series::is_series;
pub use wildcard::REPLACING;

/// Says whether a function is one that the parser puts into expressions, and that nobody else calls.
#[must_use]
pub fn is_of_the_parser(name: &str) -> bool {
    name.starts_with("_lakesh_")
}

/// What a rewriting gives.
type Rewritten = Result<(), Refusal>;

/// Rewrites a tree in place.
pub(crate) fn rewrite<T: VisitMut>(tree: &mut T, parser: &Parser<'_>) -> ParseResult<()> {
    match tree.visit(&mut Rewriter::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(refusal.into_error(parser)),
    }
}

/// What the expressions of one SELECT can refer to.
#[derive(Default)]
struct Scope {
    windows: Windows,
    merged: Merged,
}

#[derive(Default)]
struct Rewriter {
    /// The queries around the node that is visited, and the SELECTs among them.
    scopes: Vec<Scope>,
}

fn flow(rewritten: Rewritten) -> ControlFlow<Refusal> {
    match rewritten {
        Ok(()) => ControlFlow::Continue(()),
        Err(refusal) => ControlFlow::Break(refusal),
    }
}

impl Rewriter {
    fn query(&mut self, query: &mut Query) -> Rewritten {
        select_everything(&mut query.body);
        values::rewrite(&mut query.body);
        limited::rewrite(query)?;
        limit_by_fetch(query);
        minus_is_except(&mut query.body);
        for select in branches(&mut query.body) {
            distinct_on::resolve_keys(select)?;
        }
        for select in later_branches(&mut query.body) {
            names::forget_twins(select);
        }
        distinct_on::rewrite(query)?;
        // ORDER BY stands outside the SELECT whose windows and columns it names.
        let scope = match query.body.as_ref() {
            SetExpr::Select(select) => Scope {
                windows: Windows::of(select)?,
                merged: Merged::of(select).without_results(select),
            },
            _ => Scope::default(),
        };
        self.scopes.push(scope);
        match query.body.as_mut() {
            SetExpr::Select(select) => casts::keep_apart(select, query.order_by.as_mut()),
            body => {
                for select in branches(body) {
                    casts::keep_apart(select, None);
                }
            }
        }
        Ok(())
    }

    fn select(&mut self, select: &mut Select) -> Rewritten {
        for from in &mut select.from {
            name_sides(from);
        }
        grouping::rewrite(select)?;
        let windows = Windows::of(select)?;
        let merged = Merged::of(select);
        merged.name_items(select);
        wildcard::rewrite(select);
        names::make_unique(select);
        self.scopes.push(Scope { windows, merged });
        Ok(())
    }
}

impl VisitorMut for Rewriter {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Refusal> {
        flow(self.query(query))
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Refusal> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Refusal> {
        flow(self.select(select))
    }

    fn post_visit_select(&mut self, _select: &mut Select) -> ControlFlow<Refusal> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Refusal> {
        sample::rewrite(factor);
        if let TableFactor::NestedJoin {
            table_with_joins, ..
        } = factor
        {
            name_sides(table_with_joins);
        }
        in_lower_case(factor);
        series::rewrite(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Refusal> {
        let none = Windows::default();
        let windows = self.scopes.last().map_or(&none, |scope| &scope.windows);
        // Before what stands in a window is visited, and before rows are taken for structures.
        flow(
            windows
                .rewrite(expression)
                .and_then(|()| row_query::rewrite(expression))
                .and_then(|()| row_value::rewrite(expression)),
        )
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Refusal> {
        if let Some(scope) = self.scopes.last() {
            scope.merged.rewrite(expression);
        }
        operator::rewrite(expression);
        interval::rewrite(expression);
        json::rewrite(expression);
        slice::rewrite(expression);
        quantified::rewrite(expression);
        flow(pattern::rewrite(expression))
    }
}

/// Writes the name of a function in FROM as the planner knows it, unless it is in quotes.
fn in_lower_case(factor: &mut TableFactor) {
    let name = match factor {
        TableFactor::Table {
            name,
            args: Some(_),
            ..
        }
        | TableFactor::Function { name, .. } => name,
        _ => return,
    };
    if let [ObjectNamePart::Identifier(word)] = name.0.as_mut_slice() {
        word.value = normalized(word);
    }
}

/// Writes FETCH FIRST n ROWS ONLY as LIMIT.
fn limit_by_fetch(query: &mut Query) {
    let Some(Fetch { quantity, .. }) = query.fetch.take() else {
        return;
    };
    let one = || Expr::value(Value::Number("1".to_owned(), false));
    let count = Some(quantity.unwrap_or_else(one));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, .. }) => *limit = count,
        other => {
            *other = Some(LimitClause::LimitOffset {
                limit: count,
                offset: None,
                limit_by: Vec::new(),
            });
        }
    }
}

/// Returns the SELECTs that set operations join.
fn branches(body: &mut SetExpr) -> Vec<&mut Select> {
    let mut left_to_do = vec![body];
    let mut found = Vec::new();
    while let Some(body) = left_to_do.pop() {
        match body {
            SetExpr::Select(select) => found.push(select.as_mut()),
            SetExpr::SetOperation { left, right, .. } => {
                left_to_do.extend([left.as_mut(), right.as_mut()]);
            }
            _ => {}
        }
    }
    found
}

/// Returns the SELECTs of a set operation whose names of columns nobody sees.
fn later_branches(body: &mut SetExpr) -> Vec<&mut Select> {
    let mut left_to_do = vec![(body, false)];
    let mut found = Vec::new();
    while let Some((body, is_later)) = left_to_do.pop() {
        match body {
            SetExpr::Select(select) if is_later => found.push(select.as_mut()),
            SetExpr::SetOperation {
                left,
                set_quantifier,
                right,
                ..
            } if !is_by_name(*set_quantifier) => {
                left_to_do.extend([(left.as_mut(), is_later), (right.as_mut(), true)]);
            }
            SetExpr::Query(query) => left_to_do.push((query.body.as_mut(), is_later)),
            _ => {}
        }
    }
    found
}

fn is_by_name(quantifier: SetQuantifier) -> bool {
    matches!(
        quantifier,
        SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
    )
}

/// Writes MINUS as EXCEPT.
fn minus_is_except(body: &mut SetExpr) {
    let mut left_to_do = vec![body];
    while let Some(body) = left_to_do.pop() {
        if let SetExpr::SetOperation {
            left, op, right, ..
        } = body
        {
            if *op == SetOperator::Minus {
                *op = SetOperator::Except;
            }
            left_to_do.extend([left.as_mut(), right.as_mut()]);
        }
    }
}

/// Names the side of SEMI JOIN and ANTI JOIN, which is the left one.
fn name_sides(from: &mut TableWithJoins) {
    for join in &mut from.joins {
        join.join_operator = match join.join_operator.clone() {
            JoinOperator::Semi(constraint) => JoinOperator::LeftSemi(constraint),
            JoinOperator::Anti(constraint) => JoinOperator::LeftAnti(constraint),
            other => other,
        };
    }
}

/// Joins conditions by a balanced tree of one operator, so that thousands do not make it deep.
fn balanced(
    mut conditions: Vec<Expr>,
    op: datafusion::sql::sqlparser::ast::BinaryOperator,
) -> Expr {
    match conditions.len() {
        0 => Expr::value(Value::Boolean(true)),
        1 => conditions.remove(0),
        count => {
            let right = conditions.split_off(count / 2);
            Expr::Nested(Box::new(Expr::BinaryOp {
                left: Box::new(balanced(conditions, op.clone())),
                op: op.clone(),
                right: Box::new(balanced(right, op)),
            }))
        }
    }
}

/// Makes a call of one of our functions, at the place of what it stands for.
pub(crate) fn call(
    name: &str,
    arguments: Vec<Expr>,
    place: datafusion::sql::sqlparser::tokenizer::Span,
) -> Expr {
    use datafusion::sql::sqlparser::ast::{
        Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
        ObjectName,
    };
    let mut ident = Ident::new(name);
    ident.span = place;
    let arguments = arguments.into_iter();
    Expr::Function(Function {
        name: ObjectName::from(vec![ident]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments
                .map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value)))
                .collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Makes a text.
fn text(value: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(value.into()))
}
