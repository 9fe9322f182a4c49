//! Estimates of operators from those of their inputs.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column as ColumnExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;

use super::condition::narrowed;
use super::{Column, Estimate, Estimator, of_scan};

type Plan = Arc<dyn ExecutionPlan>;
type Key = (Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>);

/// The share of pairs that pass a condition of a join beside its keys.
const OF_JOIN_FILTER: f64 = 0.5;

pub(super) fn estimate(estimator: &Estimator, plan: &Plan) -> Estimate {
    let mut estimate = without_limit(estimator, plan);
    if let Some(fetch) = plan.fetch() {
        estimate.rows = estimate.rows.min(fetch as f64);
    }
    estimate
}

fn without_limit(estimator: &Estimator, plan: &Plan) -> Estimate {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let mut rows = (*estimator.of(filter.input())).clone();
        narrowed(filter.predicate(), &mut rows);
        return projected(rows, filter.projection().as_deref());
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let input = estimator.of(projection.input());
        let schema = plan.schema();
        let mut rows = Estimate::of_schema(&schema, input.rows);
        rows.is_known = input.is_known;
        for (place, column) in projection.expr().iter().enumerate() {
            if let Some(from) = place_of(&column.expr)
                && let Some(known) = input.columns.get(from)
            {
                rows.columns[place] = known.clone();
            }
        }
        return rows;
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return of_aggregate(estimator, plan, aggregate);
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let sides = (estimator.of(join.left()), estimator.of(join.right()));
        let filtered = join.filter().is_some();
        let rows = of_join(&sides.0, &sides.1, *join.join_type(), join.on(), filtered);
        return projected(rows, join.projection.as_deref());
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        let children = join.children();
        let sides = (estimator.of(children[0]), estimator.of(children[1]));
        let filtered = join.filter().is_some();
        return of_join(&sides.0, &sides.1, join.join_type(), join.on(), filtered);
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        let sides = (estimator.of(join.left()), estimator.of(join.right()));
        let filtered = join.filter().is_some();
        let rows = of_join(&sides.0, &sides.1, *join.join_type(), &[], filtered);
        return projected(rows, join.projection().as_deref());
    }
    if let Some(join) = plan.downcast_ref::<CrossJoinExec>() {
        let sides = (estimator.of(join.left()), estimator.of(join.right()));
        return of_join(&sides.0, &sides.1, JoinType::Inner, &[], false);
    }
    if plan.is::<UnionExec>() {
        return of_union(estimator, plan);
    }
    match plan.children().as_slice() {
        [] => of_scan(plan),
        [input] => {
            let mut rows = (*estimator.of(input)).clone();
            if !rows.is_known {
                // The scan of a table that knows more than its files do.
                let own = of_scan(plan);
                if own.is_known {
                    return own;
                }
            }
            let schema = plan.schema();
            let fields = schema.fields();
            rows.columns.truncate(fields.len());
            let more = fields.iter().skip(rows.columns.len());
            let more: Vec<Column> = more
                .map(|field| Column::of_type(field.data_type()))
                .collect();
            rows.columns.extend(more);
            rows
        }
        _ => of_scan(plan),
    }
}

fn place_of(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    let column = expression.downcast_ref::<ColumnExpr>()?;
    Some(column.index())
}

fn projected(mut rows: Estimate, places: Option<&[usize]>) -> Estimate {
    if let Some(places) = places {
        let columns = places.iter();
        let columns = columns.map(|place| rows.columns.get(*place).cloned().unwrap_or_default());
        rows.columns = columns.collect();
    }
    rows
}

fn of_aggregate(estimator: &Estimator, plan: &Plan, aggregate: &AggregateExec) -> Estimate {
    let input = estimator.of(aggregate.input());
    let mut rows = Estimate::of_schema(&plan.schema(), input.rows);
    rows.is_known = input.is_known;
    let keys = aggregate.group_expr().expr();
    let mut groups = 1.0;
    for (place, (key, _)) in keys.iter().enumerate() {
        let known = place_of(key).and_then(|from| input.columns.get(from));
        if let Some(known) = known {
            rows.columns[place] = known.clone();
        }
        // A text is taken for a key here, unlike in conditions: too many groups are a smaller mistake.
        groups *= known
            .and_then(|known| known.distinct)
            .unwrap_or(input.rows)
            .max(1.0);
    }
    if *aggregate.mode() == AggregateMode::Partial {
        return rows;
    }
    rows.rows = groups.min(input.rows.max(1.0));
    if let [_] = keys {
        rows.columns[0].distinct = Some(rows.rows);
    }
    rows
}

fn of_union(estimator: &Estimator, plan: &Plan) -> Estimate {
    let mut all = Estimate::of_schema(&plan.schema(), 0.0);
    for (number, input) in plan.children().into_iter().enumerate() {
        let rows = estimator.of(input);
        all.rows += rows.rows;
        all.is_known &= rows.is_known;
        for (column, more) in all.columns.iter_mut().zip(&rows.columns) {
            if number == 0 {
                *column = more.clone();
                continue;
            }
            let both = |one: Option<f64>, other: Option<f64>| one.zip(other);
            column.distinct = both(column.distinct, more.distinct).map(|(a, b)| a.max(b));
            column.low = both(column.low, more.low).map(|(a, b)| a.min(b));
            column.high = both(column.high, more.high).map(|(a, b)| a.max(b));
        }
    }
    all
}

/// The number of different keys of a side, and whether it is known.
fn keys<'a>(side: &Estimate, places: impl Iterator<Item = &'a Arc<dyn PhysicalExpr>>) -> f64 {
    let mut product = 1.0;
    for key in places {
        product *= place_of(key).map_or(side.rows.max(1.0), |place| side.distinct(place));
    }
    product
}

fn of_join(
    left: &Estimate,
    right: &Estimate,
    kind: JoinType,
    on: &[Key],
    is_filtered: bool,
) -> Estimate {
    let of_left = keys(left, on.iter().map(|(key, _)| key));
    let of_right = keys(right, on.iter().map(|(_, key)| key));
    // Several columns have no more keys than the smaller side has rows.
    let domain = match on.len() {
        0 | 1 => of_left.max(of_right),
        _ => of_left
            .min(left.rows)
            .min(of_right.min(right.rows))
            .max(1.0),
    };
    let passed = if is_filtered { OF_JOIN_FILTER } else { 1.0 };
    let inner = left.rows * right.rows / domain.max(1.0) * passed;
    let share = |own: f64, own_rows: f64, other: f64, other_rows: f64| {
        (other.min(other_rows) / own.min(own_rows.max(1.0)).max(other).max(1.0)).min(1.0) * passed
    };
    let of_left_rows = share(of_left, left.rows, of_right, right.rows);
    let of_right_rows = share(of_right, right.rows, of_left, left.rows);
    let rows = match kind {
        JoinType::Inner => inner,
        JoinType::Left => inner.max(left.rows),
        JoinType::Right => inner.max(right.rows),
        JoinType::Full => inner.max(left.rows) + right.rows,
        JoinType::LeftSemi => left.rows * of_left_rows,
        JoinType::RightSemi => right.rows * of_right_rows,
        JoinType::LeftAnti => left.rows * (1.0 - of_left_rows).max(0.1),
        JoinType::RightAnti => right.rows * (1.0 - of_right_rows).max(0.1),
        JoinType::LeftMark => left.rows,
        JoinType::RightMark => right.rows,
    };
    let mark = Column {
        distinct: Some(2.0),
        bytes: 1.0,
        ..Column::default()
    };
    let (of_left, of_right) = (left.columns.iter(), right.columns.iter());
    let columns = match kind {
        JoinType::LeftSemi | JoinType::LeftAnti => of_left.cloned().collect(),
        JoinType::RightSemi | JoinType::RightAnti => of_right.cloned().collect(),
        JoinType::LeftMark => of_left.cloned().chain([mark]).collect(),
        JoinType::RightMark => of_right.cloned().chain([mark]).collect(),
        _ => of_left.chain(of_right).cloned().collect(),
    };
    Estimate {
        rows: rows.max(1.0),
        columns,
        is_known: left.is_known && right.is_known,
    }
}
