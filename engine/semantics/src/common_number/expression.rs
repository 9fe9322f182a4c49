//! Which parts of an expression must be of one type.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{
    Between, Case, InList, InSubquery, SetComparison, WindowFunction,
};
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{
    BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, Projection, Subquery,
};

use super::values::{Change, Value, changes};
use crate::time::is_text;

/// Makes the parts of an expression alike that DataFusion would make alike with a loss.
pub(crate) fn alike(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let mut sides = [*left, *right];
            let changed = match () {
                () if is_comparison(op) => make_alike(&mut sides, schema, true),
                () if is_arithmetic(op) => make_doubles(&mut sides, schema),
                () => false,
            };
            let [left, right] = sides;
            let binary = BinaryExpr::new(Box::new(left), op, Box::new(right));
            Ok(transformed(Expr::BinaryExpr(binary), changed))
        }
        Expr::Between(between) => {
            let Between {
                expr,
                negated,
                low,
                high,
            } = between;
            let mut values = [*expr, *low, *high];
            let changed = make_alike(&mut values, schema, true);
            let [expr, low, high] = values.map(Box::new);
            let between = Between::new(expr, negated, low, high);
            Ok(transformed(Expr::Between(between), changed))
        }
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) => {
            let mut values = vec![*expr];
            values.extend(list);
            let changed = make_alike(&mut values, schema, true);
            let expr = Box::new(values.remove(0));
            let in_list = InList::new(expr, values, negated);
            Ok(transformed(Expr::InList(in_list), changed))
        }
        Expr::Case(case) => Ok(case_alike(case, schema)),
        Expr::ScalarFunction(mut call) => {
            let places = places(call.func.name(), call.args.len());
            let changed = make_alike_at(&mut call.args, &places, schema);
            Ok(transformed(Expr::ScalarFunction(call), changed))
        }
        Expr::AggregateFunction(mut call) => {
            let changed = with_room_for_halves(call.func.name(), &mut call.params.args, schema);
            Ok(transformed(Expr::AggregateFunction(call), changed))
        }
        Expr::WindowFunction(mut call) => {
            let name = call.fun.name().to_owned();
            let changed = shifted_alike(&mut call, schema)
                | with_room_for_halves(&name, &mut call.params.args, schema);
            Ok(transformed(Expr::WindowFunction(call), changed))
        }
        Expr::InSubquery(InSubquery {
            expr,
            subquery,
            negated,
        }) => {
            let (expr, subquery, changed) = with_subquery(*expr, subquery, schema)?;
            let membership = InSubquery::new(Box::new(expr), subquery, negated);
            Ok(transformed(Expr::InSubquery(membership), changed))
        }
        Expr::SetComparison(SetComparison {
            expr,
            subquery,
            op,
            quantifier,
        }) => {
            let (expr, subquery, changed) = with_subquery(*expr, subquery, schema)?;
            let comparison = SetComparison::new(Box::new(expr), subquery, op, quantifier);
            Ok(transformed(Expr::SetComparison(comparison), changed))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn transformed(expression: Expr, changed: bool) -> Transformed<Expr> {
    match changed {
        true => Transformed::yes(expression),
        false => Transformed::no(expression),
    }
}

fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn is_arithmetic(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo
    )
}

/// Casts expressions to the type that they have in common; says whether one has changed.
fn make_alike(expressions: &mut [Expr], schema: &DFSchema, numbers_win: bool) -> bool {
    let values: Option<Vec<_>> = expressions
        .iter()
        .map(|expression| Value::of(expression, schema))
        .collect();
    let Some(made) = values.and_then(|values| changes(&values, numbers_win)) else {
        return false;
    };
    for (expression, change) in expressions.iter_mut().zip(made) {
        *expression = change.applied(std::mem::take(expression));
    }
    true
}

/// Operands of arithmetic need not be of one type, but beside a DOUBLE or a REAL a decimal is a DOUBLE.
fn make_doubles(sides: &mut [Expr; 2], schema: &DFSchema) -> bool {
    let types = sides.each_ref().map(|side| side.get_type(schema).ok());
    let [Some(left), Some(right)] = &types else {
        return false;
    };
    let mixed =
        (left.is_floating() && right.is_decimal()) || (left.is_decimal() && right.is_floating());
    mixed && make_alike(sides, schema, false)
}

/// What is compared, and what the result can be.
fn case_alike(case: Case, schema: &DFSchema) -> Transformed<Expr> {
    let Case {
        expr,
        when_then_expr,
        else_expr,
    } = case;
    let (mut whens, mut results): (Vec<_>, Vec<_>) = when_then_expr
        .into_iter()
        .map(|(when, then)| (*when, *then))
        .unzip();
    let has_else = else_expr.is_some();
    results.extend(else_expr.map(|other| *other));
    let mut changed = make_alike(&mut results, schema, false);
    let has_base = expr.is_some();
    if let Some(base) = expr {
        whens.insert(0, *base);
        changed |= make_alike(&mut whens, schema, true);
    }
    let base = has_base.then(|| Box::new(whens.remove(0)));
    let other = if has_else {
        results.pop().map(Box::new)
    } else {
        None
    };
    let pairs = whens.into_iter().zip(results);
    let pairs = pairs.map(|(when, then)| (Box::new(when), Box::new(then)));
    transformed(Expr::Case(Case::new(base, pairs.collect(), other)), changed)
}

/// Arguments of a function that get one type.
struct Places {
    first: usize,
    count: usize,
    /// Whether texts beside numbers are read as numbers.
    numbers_win: bool,
}

/// Returns which arguments of a function are compared with each other or can each be its result.
fn places(function: &str, arguments: usize) -> Places {
    let (first, count, numbers_win) = match function {
        "coalesce" | "nvl" | "ifnull" | "greatest" | "least" | "nullif" | "make_array"
        | "array_has" | "array_has_all" | "array_has_any" | "array_append" | "array_prepend"
        | "array_concat" | "array_positions" | "array_remove" | "array_remove_all"
        | "array_replace" | "array_replace_all" | "array_except" | "array_intersect"
        | "array_union" | "nanvl" => (0, arguments, true),
        // The rest is a place or a number of elements.
        "array_position" | "array_remove_n" => (0, arguments.min(2), true),
        "array_replace_n" => (0, arguments.min(3), true),
        "nvl2" if arguments == 3 => (1, 2, false),
        _ => (0, 0, false),
    };
    Places {
        first,
        count,
        numbers_win,
    }
}

fn make_alike_at(arguments: &mut [Expr], places: &Places, schema: &DFSchema) -> bool {
    let end = places.first + places.count;
    match arguments.get_mut(places.first..end) {
        Some(some) if some.len() > 1 => make_alike(some, schema, places.numbers_win),
        _ => false,
    }
}

/// The third argument of `lead` and `lag` stands for a value that is not there, and DataFusion casts it to the
/// type of the first, whatever it loses.
fn shifted_alike(call: &mut WindowFunction, schema: &DFSchema) -> bool {
    if !matches!(call.fun.name(), "lead" | "lag") {
        return false;
    }
    let [value, _, default] = call.params.args.as_mut_slice() else {
        return false;
    };
    let mut both = [std::mem::take(value), std::mem::take(default)];
    let mut changed = make_alike(&mut both, schema, false);
    let types = both.each_ref().map(|side| side.get_type(schema).ok());
    // A text beside a number is read as one, as PostgreSQL reads what stands in quotes.
    if let [Some(of_value), Some(of_default)] = &types
        && of_value != of_default
        && is_text(of_value) == is_text(of_default)
        && let Some(common) = type_union_coercion(of_value, of_default)
    {
        changed = true;
        both = both.map(|side| Expr::Cast(Cast::new(Box::new(side), common.clone())));
    }
    [*value, *default] = both;
    changed
}

/// The median of two decimals has a digit more than they have; DataFusion cuts it.
fn with_room_for_halves(function: &str, arguments: &mut [Expr], schema: &DFSchema) -> bool {
    // What a frame leaves out stands behind the name, and what its filter leaves behind the argument.
    let [argument, ..] = arguments else {
        return false;
    };
    let data_type = match (function.split(' ').next(), argument.get_type(schema)) {
        (Some("median"), Ok(data_type)) => data_type,
        _ => return false,
    };
    let wider = match data_type {
        DataType::Decimal128(precision, scale) if precision < 38 => {
            DataType::Decimal128(precision + 1, scale + 1)
        }
        DataType::Decimal128(..) => DataType::Float64,
        _ => return false,
    };
    *argument = Expr::Cast(Cast::new(Box::new(std::mem::take(argument)), wider));
    true
}

/// Makes an expression and the column of a subquery alike that it is compared with.
fn with_subquery(
    expression: Expr,
    subquery: Subquery,
    schema: &DFSchema,
) -> Result<(Expr, Subquery, bool)> {
    let column = match subquery.subquery.schema().fields().first() {
        Some(field) => Value::column(field.data_type().clone()),
        None => return Ok((expression, subquery, false)),
    };
    let made = Value::of(&expression, schema).and_then(|value| changes(&[value, column], true));
    let Some([of_expression, of_column]) = made.and_then(|made| <[Change; 2]>::try_from(made).ok())
    else {
        return Ok((expression, subquery, false));
    };
    let expression = of_expression.applied(expression);
    let subquery = match of_column {
        Change::Keep => subquery,
        change => cast_subquery_column(subquery, change)?,
    };
    Ok((expression, subquery, true))
}

fn cast_subquery_column(subquery: Subquery, change: Change) -> Result<Subquery> {
    let plan = subquery.subquery;
    let columns = plan.schema().columns();
    let Some(column) = columns.into_iter().next() else {
        return Ok(Subquery {
            subquery: plan,
            ..subquery
        });
    };
    let (relation, name) = (column.relation.clone(), column.name.clone());
    let cast = change
        .cast(Expr::Column(column))
        .alias_qualified(relation, name);
    let projection = Projection::try_new(vec![cast], plan)?;
    Ok(Subquery {
        subquery: Arc::new(LogicalPlan::Projection(projection)),
        ..subquery
    })
}
