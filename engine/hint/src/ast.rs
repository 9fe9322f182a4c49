//! Small pieces of syntax trees: taken apart, and put together with the brackets that they need.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Query as SqlQuery, Select, SetExpr, Value, Visit, Visitor,
};
use lakesh_sql::normalized;

/// Takes brackets away.
pub(crate) fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// Puts brackets around what needs them inside another expression.
pub(crate) fn bracketed(expression: Expr) -> Expr {
    match expression {
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Between { .. } => {
            Expr::Nested(Box::new(expression))
        }
        other => other,
    }
}

/// Makes `left op right`.
pub(crate) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

/// Joins conditions by AND, an OR among them in brackets; `None` for none.
pub(crate) fn all_of(conditions: Vec<Expr>) -> Option<Expr> {
    let several = conditions.len() > 1;
    conditions
        .into_iter()
        .map(|condition| match condition {
            Expr::BinaryOp {
                op: BinaryOperator::Or | BinaryOperator::Xor,
                ..
            } if several => Expr::Nested(Box::new(condition)),
            other => other,
        })
        .reduce(|left, right| binary(left, BinaryOperator::And, right))
}

/// Takes a condition apart at its ANDs.
pub(crate) fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::Nested(inner)
            if matches!(
                bare(inner),
                Expr::BinaryOp {
                    op: BinaryOperator::And,
                    ..
                }
            ) =>
        {
            conjuncts(inner)
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        other => vec![other],
    }
}

/// Takes a condition apart at its ORs.
pub(crate) fn disjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::Nested(inner) => disjuncts(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Or,
            right,
        } => {
            let mut parts = disjuncts(left);
            parts.extend(disjuncts(right));
            parts
        }
        other => vec![other],
    }
}

/// Turns a comparison around, as in `3 < x` for `x > 3`.
pub(crate) fn turned(op: &BinaryOperator) -> Option<BinaryOperator> {
    Some(match op {
        BinaryOperator::Eq => BinaryOperator::Eq,
        BinaryOperator::NotEq => BinaryOperator::NotEq,
        BinaryOperator::Lt => BinaryOperator::Gt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        _ => return None,
    })
}

/// A comparison with the side that is no literal on the left.
pub(crate) struct Comparison<'a> {
    pub(crate) left: &'a Expr,
    pub(crate) op: BinaryOperator,
    pub(crate) right: &'a Expr,
}

/// Reads a comparison of something with a literal.
pub(crate) fn comparison(expression: &Expr) -> Option<Comparison<'_>> {
    let Expr::BinaryOp { left, op, right } = bare(expression) else {
        return None;
    };
    let (left, right) = (bare(left), bare(right));
    let turned = turned(op)?;
    match (is_literal(left), is_literal(right)) {
        (false, true) => Some(Comparison {
            left,
            op: op.clone(),
            right,
        }),
        (true, false) => Some(Comparison {
            left: right,
            op: turned,
            right: left,
        }),
        _ => None,
    }
}

/// Says whether an expression is a value that stands in the text.
pub(crate) fn is_literal(expression: &Expr) -> bool {
    match bare(expression) {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => true,
        Expr::UnaryOp { expr, .. } | Expr::Cast { expr, .. } => is_literal(expr),
        Expr::BinaryOp { left, op, right } => {
            // A day that many days from another is a literal but for its spelling.
            let shifted = matches!(op, BinaryOperator::Plus | BinaryOperator::Minus)
                && (matches!(bare(left), Expr::TypedString(_)) || clock(left).is_some())
                && matches!(bare(right), Expr::Interval(_));
            shifted || integer(expression).is_some()
        }
        other => moment_call(other).is_some() || clock(other).is_some(),
    }
}

/// What the moment at which a query runs is asked for as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Day,
    Moment,
}

/// Reads `current_date`, `now()` and `current_timestamp`, which are one value for a whole query.
pub(crate) fn clock(expression: &Expr) -> Option<Clock> {
    let Expr::Function(function) = bare(expression) else {
        return None;
    };
    let alone = match &function.args {
        FunctionArguments::None => true,
        FunctionArguments::List(list) => list.args.is_empty(),
        FunctionArguments::Subquery(_) => false,
    };
    match function.name.to_string().to_lowercase().as_str() {
        "current_date" | "today" if alone => Some(Clock::Day),
        "now" | "current_timestamp" if alone => Some(Clock::Moment),
        _ => None,
    }
}

/// Returns the function and the text of `to_date('…')` and `to_timestamp('…')`, which are literals but for
/// their spelling.
pub(crate) fn moment_call(expression: &Expr) -> Option<(String, &str)> {
    let (name, arguments) = call(expression)?;
    match (name.as_str(), arguments.as_slice()) {
        ("to_date" | "to_timestamp", [argument]) => Some((name, text(argument)?)),
        _ => None,
    }
}

/// Returns a function's name in lower case and its arguments, if it is an ordinary call.
pub(crate) fn call(expression: &Expr) -> Option<(String, Vec<&Expr>)> {
    let Expr::Function(function) = bare(expression) else {
        return None;
    };
    plain_call(function)
}

/// As `call`, of a function: no window, no filter, no DISTINCT, arguments by place.
pub(crate) fn plain_call(function: &Function) -> Option<(String, Vec<&Expr>)> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let plain = function.over.is_none()
        && function.filter.is_none()
        && function.within_group.is_empty()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    let arguments: Option<Vec<&Expr>> = list
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
            _ => None,
        })
        .collect();
    let name = function.name.to_string().to_lowercase();
    arguments
        .filter(|_| plain)
        .map(|arguments| (name, arguments))
}

/// Returns the text of a string literal.
pub(crate) fn text(expression: &Expr) -> Option<&str> {
    match bare(expression) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Makes a string literal.
pub(crate) fn string(text: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(text.into()))
}

/// Returns the value of a whole number, or of a sum, difference or product of some.
pub(crate) fn integer(expression: &Expr) -> Option<i64> {
    use datafusion::sql::sqlparser::ast::UnaryOperator;
    match bare(expression) {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => integer(expr)?.checked_neg(),
        Expr::BinaryOp { left, op, right } => {
            let (left, right) = (integer(left)?, integer(right)?);
            match op {
                BinaryOperator::Plus => left.checked_add(right),
                BinaryOperator::Minus => left.checked_sub(right),
                BinaryOperator::Multiply => left.checked_mul(right),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Makes a whole number.
pub(crate) fn number(value: i64) -> Expr {
    Expr::value(Value::Number(value.to_string(), false))
}

/// Lists the names of columns in an expression; `None` if it holds a subquery.
pub(crate) fn columns(expression: &Expr) -> Option<Vec<Expr>> {
    struct Columns(Vec<Expr>);
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_query(&mut self, _: &SqlQuery) -> ControlFlow<()> {
            ControlFlow::Break(())
        }

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if matches!(
                expression,
                Expr::Identifier(_) | Expr::CompoundIdentifier(_)
            ) {
                self.0.push(expression.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut columns = Columns(Vec::new());
    match expression.visit(&mut columns) {
        ControlFlow::Continue(()) => Some(columns.0),
        ControlFlow::Break(()) => None,
    }
}

/// Returns the names of all common table expressions of a query.
pub(crate) fn cte_names(tree: &SqlQuery) -> Vec<String> {
    let mut names = Vec::new();
    for_each_query(tree, &mut |query| {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        names.extend(ctes.map(|cte| normalized(&cte.alias.name)));
    });
    names
}

/// Calls a function with a query and every query in it.
pub(crate) fn for_each_query(tree: &SqlQuery, act: &mut dyn FnMut(&SqlQuery)) {
    struct Queries<'a>(&'a mut dyn FnMut(&SqlQuery));
    impl Visitor for Queries<'_> {
        type Break = ();

        fn pre_visit_query(&mut self, query: &SqlQuery) -> ControlFlow<()> {
            (self.0)(query);
            ControlFlow::Continue(())
        }
    }
    let _: ControlFlow<()> = tree.visit(&mut Queries(act));
}

/// Calls a function with every SELECT of a query.
pub(crate) fn for_each_select(tree: &SqlQuery, act: &mut dyn FnMut(&Select)) {
    struct Selects<'a>(&'a mut dyn FnMut(&Select));
    impl Visitor for Selects<'_> {
        type Break = ();

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            (self.0)(select);
            ControlFlow::Continue(())
        }
    }
    let _: ControlFlow<()> = tree.visit(&mut Selects(act));
}

/// Returns the SELECT that a query is, if it is one SELECT.
pub(crate) fn select_of(query: &SqlQuery) -> Option<&Select> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(inner) if inner.order_by.is_none() && inner.limit_clause.is_none() => {
            select_of(inner)
        }
        _ => None,
    }
}

/// Parses a small expression whose text is known to be one.
pub(crate) fn parsed(text: &str) -> Option<Expr> {
    lakesh_sql::parse_expression(text).ok()
}

/// Makes a query without any clause, whose body is to be replaced.
pub(crate) fn empty_query() -> Option<SqlQuery> {
    let query = lakesh_sql::parse_query("SELECT 1").ok()?;
    super::text::readable(&query).map(|(tree, _)| tree)
}
