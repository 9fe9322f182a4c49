//! The share of rows that pass a condition.

use std::sync::Arc;

use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column as ColumnExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr,
    Literal, NotExpr,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};

use super::{Column, Estimate, number};

type Expression = Arc<dyn PhysicalExpr>;

/// Shares of conditions of which nothing is known.
const OF_COMPARISON: f64 = 0.33;
const OF_TWO_COLUMNS: f64 = 0.6;
const OF_PATTERN: f64 = 0.1;
const OF_EQUALITY: f64 = 0.1;
const OF_ANY: f64 = 0.25;

/// Returns the share of rows that pass a condition.
pub(crate) fn selectivity(condition: &Expression, rows: &Estimate) -> f64 {
    share(condition, rows).clamp(0.0, 1.0)
}

/// Leaves the rows that pass a condition: fewer of them, and columns with narrower bounds.
pub(super) fn narrowed(condition: &Expression, rows: &mut Estimate) {
    let before = rows.rows;
    for part in split_conjunction(condition) {
        let share = selectivity(part, rows);
        rows.rows = (rows.rows * share).max(if before > 0.0 { 1.0 } else { 0.0 });
        narrow(part, rows);
    }
}

/// Moves the bounds of the column that a comparison with a constant is about.
fn narrow(condition: &Expression, rows: &mut Estimate) {
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        if let Some(place) = place(list.expr())
            && !list.negated()
        {
            let column = &mut rows.columns[place];
            let count = list.list().len() as f64;
            column.distinct = Some(column.distinct.map_or(count, |known| known.min(count)));
        }
        return;
    }
    let Some((place, operator, value)) = comparison(condition) else {
        return;
    };
    let Some(column) = rows.columns.get_mut(place) else {
        return;
    };
    let before = column.high.zip(column.low).map(|(high, low)| high - low);
    match (operator, value) {
        (Operator::Eq, value) => {
            column.distinct = Some(1.0);
            column.low = value.or(column.low);
            column.high = value.or(column.high);
            return;
        }
        (Operator::Lt | Operator::LtEq, Some(value)) => {
            column.high = Some(column.high.map_or(value, |high| high.min(value)));
        }
        (Operator::Gt | Operator::GtEq, Some(value)) => {
            column.low = Some(column.low.map_or(value, |low| low.max(value)));
        }
        _ => return,
    }
    let after = column.high.zip(column.low).map(|(high, low)| high - low);
    if let (Some(before), Some(after), Some(distinct)) = (before, after, column.distinct)
        && before > 0.0
    {
        column.distinct = Some((distinct * (after / before).clamp(0.0, 1.0)).max(1.0));
    }
}

fn share(condition: &Expression, rows: &Estimate) -> f64 {
    if let Some(binary) = condition.downcast_ref::<BinaryExpr>() {
        return of_binary(condition, binary, rows);
    }
    if let Some(negated) = condition.downcast_ref::<NotExpr>() {
        return 1.0 - selectivity(negated.arg(), rows);
    }
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        let one = place(list.expr()).map_or(OF_EQUALITY, |place| of_value(place, rows));
        let share = (one * list.list().len() as f64).min(1.0);
        return if list.negated() { 1.0 - share } else { share };
    }
    if let Some(like) = condition.downcast_ref::<LikeExpr>() {
        return if like.negated() {
            1.0 - OF_PATTERN
        } else {
            OF_PATTERN
        };
    }
    if let Some(null) = condition.downcast_ref::<IsNullExpr>() {
        return place(null.arg()).map_or(OF_EQUALITY, |place| nulls(place, rows));
    }
    if let Some(present) = condition.downcast_ref::<IsNotNullExpr>() {
        return place(present.arg()).map_or(1.0 - OF_EQUALITY, |place| 1.0 - nulls(place, rows));
    }
    OF_ANY
}

fn of_binary(condition: &Expression, binary: &BinaryExpr, rows: &Estimate) -> f64 {
    let (left, right) = (binary.left(), binary.right());
    match binary.op() {
        Operator::And => {
            let mut left_rows = rows.clone();
            narrowed(left, &mut left_rows);
            selectivity(left, rows) * selectivity(right, &left_rows)
        }
        Operator::Or => {
            let (one, other) = (selectivity(left, rows), selectivity(right, rows));
            one + other - one * other
        }
        Operator::Eq | Operator::IsNotDistinctFrom => of_equality(binary, rows),
        Operator::NotEq | Operator::IsDistinctFrom => 1.0 - of_equality(binary, rows),
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
            of_range(condition, binary, rows)
        }
        _ => OF_ANY,
    }
}

fn of_equality(binary: &BinaryExpr, rows: &Estimate) -> f64 {
    match (place(binary.left()), place(binary.right())) {
        (Some(left), Some(right)) => 1.0 / rows.distinct(left).max(rows.distinct(right)),
        (Some(place), None) if reads_nothing(binary.right()) => of_value(place, rows),
        (None, Some(place)) if reads_nothing(binary.left()) => of_value(place, rows),
        _ => OF_EQUALITY,
    }
}

/// The share of one value.
fn of_value(place: usize, rows: &Estimate) -> f64 {
    rows.columns.get(place).map_or(OF_EQUALITY, |column| {
        (1.0 - column.nulls) / column.values(rows.rows)
    })
}

fn nulls(place: usize, rows: &Estimate) -> f64 {
    rows.columns
        .get(place)
        .map_or(OF_EQUALITY, |column| column.nulls)
}

fn of_range(condition: &Expression, binary: &BinaryExpr, rows: &Estimate) -> f64 {
    let Some((place, operator, value)) = comparison(condition) else {
        let two = place(binary.left()).is_some() && place(binary.right()).is_some();
        return if two { OF_TWO_COLUMNS } else { OF_COMPARISON };
    };
    let column = rows.columns.get(place);
    let bounds = column.and_then(|column: &Column| column.low.zip(column.high));
    let (Some((low, high)), Some(value)) = (bounds, value) else {
        return OF_COMPARISON;
    };
    if high <= low {
        let inside = match operator {
            Operator::Lt => low < value,
            Operator::LtEq => low <= value,
            Operator::Gt => low > value,
            _ => low >= value,
        };
        return if inside { 1.0 } else { 0.0 };
    }
    let below = ((value - low) / (high - low)).clamp(0.0, 1.0);
    match operator {
        Operator::Lt | Operator::LtEq => below,
        _ => 1.0 - below,
    }
}

/// Returns the column that is compared with a constant, with the column on the left side, and the constant if
/// it is a number.
fn comparison(condition: &Expression) -> Option<(usize, Operator, Option<f64>)> {
    let binary = condition.downcast_ref::<BinaryExpr>()?;
    let value = |side: &Expression| {
        let literal = side.downcast_ref::<Literal>();
        literal.and_then(|literal| number(literal.value()))
    };
    if let Some(place) = place(binary.left())
        && reads_nothing(binary.right())
    {
        return Some((place, *binary.op(), value(binary.right())));
    }
    let place = place(binary.right()).filter(|_| reads_nothing(binary.left()))?;
    Some((place, binary.op().swap()?, value(binary.left())))
}

/// Returns the column that an expression is, or a cast of.
fn place(expression: &Expression) -> Option<usize> {
    if let Some(cast) = expression.downcast_ref::<CastExpr>() {
        return place(cast.expr());
    }
    let column = expression.downcast_ref::<ColumnExpr>()?;
    Some(column.index())
}

fn reads_nothing(expression: &Expression) -> bool {
    collect_columns(expression).is_empty()
}
