//! Aggregates that are joined compute only the groups that the join can use.
//!
//! `l_quantity < (SELECT avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)` becomes a join with the
//! averages of all parts, of which 204 are needed. The keys of these are there: the rows of `part` that pass
//! its filter are computed once and kept, and the rows that are grouped are semi-joined with them first.
//!
//! # Why the rows are the same
//!
//! All members of a class of equal columns have one value in each row that a tree of inner and semi joins
//! returns, and it is a value of each relation of the class. Groups by a column of the class whose key is
//! no value of one of these relations, or NULL, are joined with nothing and are nobody's partner; without
//! them the rows are the same, for semi, anti and inner joins. A semi join below GROUP BY by the key itself
//! takes whole groups away and leaves the others as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use lakesh_plan::cache::{shared_operator, shared_rows};

use crate::estimate::Estimator;

use super::graph::classes;
use super::region::{Expression, Place, Plan, Region, column};

/// Fewer rows are grouped at once.
const LEAST_ROWS: f64 = 50_000.0;
/// So many keys at most are kept.
const MOST_KEYS: f64 = 200_000.0;
/// There must be so many groups for each key.
const LEAST_GAIN: f64 = 4.0;

/// A relation, or the partner of a semi or anti join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Relation(usize),
    Partner(usize),
}

/// Puts semi joins below the aggregates of a region; says whether there are any.
pub(super) fn restrict(region: &mut Region, estimator: &Estimator) -> Result<bool> {
    let mut restricted = false;
    for class in members(region) {
        let targets: Vec<(Part, usize, f64)> = class
            .iter()
            .filter_map(|(part, column)| {
                let (input, key) = grouped(plan_of(region, *part), *column)?;
                let rows = estimator.of(&input);
                let groups = rows.distinct(key).min(rows.rows);
                (rows.is_known && rows.rows >= LEAST_ROWS).then_some((*part, *column, groups))
            })
            .collect();
        if targets.is_empty() {
            continue;
        }
        // Its keys, and how many these are.
        let source = class
            .iter()
            .filter(|(part, _)| targets.iter().all(|(target, ..)| target != part))
            .filter(|(part, _)| is_source(region, *part))
            .map(|(part, column)| (*part, *column, estimator.of(plan_of(region, *part))))
            .filter(|(_, _, rows)| rows.is_known && rows.rows <= MOST_KEYS)
            .min_by(|one, other| one.2.rows.total_cmp(&other.2.rows));
        let Some((source, key, rows)) = source else {
            continue;
        };
        let targets: Vec<_> = targets
            .into_iter()
            .filter(|(_, _, groups)| rows.rows * LEAST_GAIN <= *groups)
            .collect();
        if targets.is_empty() {
            continue;
        }
        let kept = shared_operator(Arc::clone(plan_of(region, source)), shared_rows());
        for (target, column, _) in targets {
            let old = plan_of(region, target);
            let Some(new) = semi_joined(old, column, &kept, key)? else {
                continue;
            };
            *plan_of_mut(region, target) = new;
            *plan_of_mut(region, source) = Arc::clone(&kept);
            restricted = true;
        }
    }
    Ok(restricted)
}

/// Returns the columns of each class, those of partners too.
fn members(region: &Region) -> Vec<Vec<(Part, usize)>> {
    let mut all: BTreeMap<Place, usize> = BTreeMap::new();
    let mut members: Vec<Vec<(Part, usize)>> = Vec::new();
    let mut add = |places: &[Place]| {
        let number = members.len();
        let columns = places.iter();
        members.push(
            columns
                .map(|place| (Part::Relation(place.relation), place.column))
                .collect(),
        );
        all.extend(places.iter().map(|place| (*place, number)));
    };
    for class in classes(&region.equalities) {
        add(&class);
    }
    for (number, partner) in region.partners.iter().enumerate() {
        for (place, column) in &partner.keys {
            let class = *all.entry(*place).or_insert_with(|| {
                members.push(vec![(Part::Relation(place.relation), place.column)]);
                members.len() - 1
            });
            members[class].push((Part::Partner(number), *column));
        }
    }
    members
}

/// Says whether all rows of a region have a key of a part.
fn is_source(region: &Region, part: Part) -> bool {
    match part {
        Part::Relation(_) => true,
        Part::Partner(number) => region.partners[number].stays,
    }
}

fn plan_of(region: &Region, part: Part) -> &Plan {
    match part {
        Part::Relation(number) => &region.relations[number],
        Part::Partner(number) => &region.partners[number].plan,
    }
}

fn plan_of_mut(region: &mut Region, part: Part) -> &mut Plan {
    match part {
        Part::Relation(number) => &mut region.relations[number],
        Part::Partner(number) => &mut region.partners[number].plan,
    }
}

/// Returns the column of the input that a column of an operator is, if the operator hands groups or rows on
/// as they are or makes groups by that column.
fn below(plan: &Plan, output: usize) -> Option<usize> {
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return column(&projection.expr().get(output)?.expr);
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        if plan.fetch().is_some() {
            return None;
        }
        return match filter.projection().as_deref() {
            Some(columns) => columns.get(output).copied(),
            None => Some(output),
        };
    }
    if plan.is::<CoalescePartitionsExec>() && plan.fetch().is_none() {
        return Some(output);
    }
    let aggregate = plan.downcast_ref::<AggregateExec>()?;
    let groups = aggregate.group_expr();
    if groups.has_grouping_set() || aggregate.limit_options().is_some() {
        return None;
    }
    column(&groups.expr().get(output)?.0)
}

/// Says whether an operator makes groups of rows, and not of other groups.
fn makes_groups(plan: &Plan) -> bool {
    plan.downcast_ref::<AggregateExec>()
        .is_some_and(|aggregate| {
            matches!(
                aggregate.mode(),
                AggregateMode::Partial | AggregateMode::Single | AggregateMode::SinglePartitioned
            )
        })
}

/// Returns the rows that are grouped by a column of a plan, and the column by which they are.
fn grouped(plan: &Plan, output: usize) -> Option<(Plan, usize)> {
    let key = below(plan, output)?;
    let input = Arc::clone(plan.children().first()?);
    match makes_groups(plan) {
        true => Some((input, key)),
        false => grouped(&input, key),
    }
}

/// Returns a plan that groups only the rows whose key is one of a source's.
fn semi_joined(plan: &Plan, output: usize, source: &Plan, key: usize) -> Result<Option<Plan>> {
    let (Some(column), Some(input)) = (below(plan, output), plan.children().first().copied())
    else {
        return Ok(None);
    };
    let new = match makes_groups(plan) {
        false => semi_joined(input, column, source, key)?,
        true => Some(with_keys(input, column, source, key)?),
    };
    new.map(|input| replace_children_if_necessary(Arc::clone(plan), vec![input]))
        .transpose()
}

fn with_keys(rows: &Plan, own: usize, source: &Plan, key: usize) -> Result<Plan> {
    let of = |plan: &Plan, place: usize| -> Expression {
        Arc::new(Column::new(plan.schema().field(place).name(), place))
    };
    let alias = source.schema().field(key).name().clone();
    let expr = of(source, key);
    let keys = vec![ProjectionExpr { expr, alias }];
    let keys: Plan = Arc::new(ProjectionExec::try_new(keys, Arc::clone(source))?);
    let on = vec![(of(&keys, 0), of(rows, own))];
    let join = HashJoinExec::try_new(
        keys,
        Arc::clone(rows),
        on,
        None,
        &JoinType::RightSemi,
        None,
        PartitionMode::CollectLeft,
        NullEquality::NullEqualsNothing,
        false,
    )?;
    Ok(Arc::new(join))
}
