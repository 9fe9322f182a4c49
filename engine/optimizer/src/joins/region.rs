//! A tree of inner joins taken apart: its relations, and what is asked of their rows.
//!
//! Semi and anti joins above or among them are conditions on the rows of the relation that has the key.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinSide, JoinType, NullEquality, Result};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use lakesh_semantics::may_fail_physical;

pub(super) type Plan = Arc<dyn ExecutionPlan>;
pub(super) type Expression = Arc<dyn PhysicalExpr>;

/// So many relations have a place in a set.
const MOST: usize = 60;

/// Relations, by their numbers.
pub(super) type Set = u64;

/// A column of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) relation: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn set(self) -> Set {
        1 << self.relation
    }
}

/// A condition on columns of several relations.
pub(super) struct Condition {
    /// Its columns are numbers of `places`.
    pub(super) expression: Expression,
    pub(super) schema: SchemaRef,
    pub(super) places: Vec<Place>,
    /// It is asked once these are joined.
    pub(super) needs: Set,
}

/// Where a column of the condition of a semi join comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Own(Place),
    Other(usize),
}

/// Rows that have, or do not have, a partner in another plan.
pub(super) struct Partner {
    pub(super) plan: Plan,
    /// Columns of the relations, and those of the other plan that they equal.
    pub(super) keys: Vec<(Place, usize)>,
    /// A condition on pairs: its expression, its schema, and where its columns come from.
    pub(super) filter: Option<(Expression, SchemaRef, Vec<Side>)>,
    /// Whether rows with a partner stay, and not those without.
    pub(super) stays: bool,
    /// The relations that it was asked of.
    pub(super) written: Set,
    /// The one relation that has all columns of it, if one has.
    pub(super) owner: Option<usize>,
    /// It is asked once these are joined.
    pub(super) needs: Set,
}

/// How the joins were written.
pub(super) enum Shape {
    Relation(usize),
    /// A projection or a filter.
    Above(Plan, Box<Shape>),
    Join(Plan, Box<Shape>, Box<Shape>),
    /// A semi or anti join, whose partner has this number.
    Partner(Plan, usize, Box<Shape>),
}

/// Inner joins taken apart.
#[derive(Default)]
pub(super) struct Region {
    pub(super) relations: Vec<Plan>,
    pub(super) equalities: Vec<(Place, Place)>,
    pub(super) conditions: Vec<Condition>,
    pub(super) partners: Vec<Partner>,
    /// Whether semi joins are taken apart too.
    takes_partners: bool,
}

/// Takes the joins that end in a node apart; `None` where it is none that can be.
pub(super) fn taken_apart(
    plan: &Plan,
    takes_partners: bool,
) -> Option<(Region, Shape, Vec<Place>)> {
    let join = plan.downcast_ref::<HashJoinExec>()?;
    if !is_plain(join) || !(*join.join_type() == JoinType::Inner || takes_partners) {
        return None;
    }
    let mut region = Region {
        takes_partners,
        ..Region::default()
    };
    let (shape, places) = region.take(plan)?;
    (!matches!(shape, Shape::Relation(_))).then_some((region, shape, places))
}

/// Says whether the equalities of a join are those of SQL, between columns of one type.
fn is_plain(join: &HashJoinExec) -> bool {
    let (left, right) = (join.left().schema(), join.right().schema());
    let is_column = |(one, other): &(Expression, Expression)| match (column(one), column(other)) {
        (Some(one), Some(other)) => left.field(one).data_type() == right.field(other).data_type(),
        _ => false,
    };
    join.null_equality() == NullEquality::NullEqualsNothing
        && !join.null_aware
        && join.fetch().is_none()
        && !join.on().is_empty()
        && join.on().iter().all(is_column)
}

pub(super) fn column(expression: &Expression) -> Option<usize> {
    let column = expression.downcast_ref::<Column>()?;
    Some(column.index())
}

/// Says whether a condition may be asked of other rows than those that it was written for.
fn may_move(condition: &Expression, schema: &Schema) -> bool {
    !may_fail_physical(condition, schema) && !is_volatile(condition)
}

fn set_of(places: &[Place]) -> Set {
    places.iter().fold(0, |set, place| set | place.set())
}

impl Region {
    /// Takes a plan apart, and says where its columns come from; `None` where there are too many relations.
    fn take(&mut self, plan: &Plan) -> Option<(Shape, Vec<Place>)> {
        if let Some(join) = plan.downcast_ref::<HashJoinExec>()
            && is_plain(join)
        {
            match join.join_type() {
                JoinType::Inner => return self.inner(plan, join),
                JoinType::LeftSemi
                | JoinType::RightSemi
                | JoinType::LeftAnti
                | JoinType::RightAnti
                    if self.takes_partners && filter_may_move(join) =>
                {
                    return self.partner(plan, join);
                }
                _ => {}
            }
        }
        if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            let columns: Option<Vec<usize>> = projection
                .expr()
                .iter()
                .map(|output| column(&output.expr))
                .collect();
            if let Some(columns) = columns
                && is_join(projection.input())
            {
                let (shape, places) = self.take(projection.input())?;
                let places = columns.into_iter().map(|column| places[column]).collect();
                return Some((Shape::Above(Arc::clone(plan), Box::new(shape)), places));
            }
        }
        if let Some(filter) = plan.downcast_ref::<FilterExec>()
            && filter.fetch().is_none()
            && is_join(filter.input())
            && may_move(filter.predicate(), &filter.input().schema())
        {
            return self.filter(plan, filter);
        }
        if self.relations.len() >= MOST {
            return None;
        }
        let relation = self.relations.len();
        self.relations.push(Arc::clone(plan));
        let columns = 0..plan.schema().fields().len();
        let places = columns.map(|column| Place { relation, column }).collect();
        Some((Shape::Relation(relation), places))
    }

    fn inner(&mut self, plan: &Plan, join: &HashJoinExec) -> Option<(Shape, Vec<Place>)> {
        let (left_shape, left) = self.take(join.left())?;
        let (right_shape, right) = self.take(join.right())?;
        for (one, other) in join.on() {
            self.equalities
                .push((left[column(one)?], right[column(other)?]));
        }
        if let Some(filter) = join.filter() {
            let indices = filter.column_indices().iter();
            let places: Vec<Place> = indices
                .map(|index| match index.side {
                    JoinSide::Left => left[index.index],
                    _ => right[index.index],
                })
                .collect();
            let needs = match may_move(filter.expression(), filter.schema()) {
                true => set_of(&places),
                // No row is asked that was not asked before.
                false => left_shape.relations() | right_shape.relations(),
            };
            self.conditions.push(Condition {
                expression: Arc::clone(filter.expression()),
                schema: Arc::clone(filter.schema()),
                places,
                needs,
            });
        }
        let mut places = left;
        places.extend(right);
        if let Some(columns) = join.projection.as_deref() {
            places = columns.iter().map(|column| places[*column]).collect();
        }
        let shape = Shape::Join(
            Arc::clone(plan),
            Box::new(left_shape),
            Box::new(right_shape),
        );
        Some((shape, places))
    }

    fn partner(&mut self, plan: &Plan, join: &HashJoinExec) -> Option<(Shape, Vec<Place>)> {
        let kind = *join.join_type();
        let is_left = matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti);
        let (own, other) = match is_left {
            true => (join.left(), join.right()),
            false => (join.right(), join.left()),
        };
        let (shape, mut places) = self.take(own)?;
        let mut keys = Vec::with_capacity(join.on().len());
        for (left, right) in join.on() {
            let (own, other) = if is_left {
                (left, right)
            } else {
                (right, left)
            };
            keys.push((places[column(own)?], column(other)?));
        }
        let own_side = if is_left {
            JoinSide::Left
        } else {
            JoinSide::Right
        };
        let filter = join.filter().map(|filter| {
            let indices = filter.column_indices().iter();
            let sides = indices.map(|index| match index.side == own_side {
                true => Side::Own(places[index.index]),
                false => Side::Other(index.index),
            });
            let expression = Arc::clone(filter.expression());
            (
                expression,
                Arc::clone(filter.schema()),
                sides.collect::<Vec<_>>(),
            )
        });
        let mut asked = keys.iter().fold(0, |set, (place, _)| set | place.set());
        for side in filter.iter().flat_map(|(_, _, sides)| sides) {
            if let Side::Own(place) = side {
                asked |= place.set();
            }
        }
        let written = shape.relations();
        let number = self.partners.len();
        self.partners.push(Partner {
            plan: Arc::clone(other),
            keys,
            filter,
            stays: matches!(kind, JoinType::LeftSemi | JoinType::RightSemi),
            written,
            owner: (asked.count_ones() == 1).then(|| asked.trailing_zeros() as usize),
            needs: written,
        });
        if let Some(columns) = join.projection.as_deref() {
            places = columns.iter().map(|column| places[*column]).collect();
        }
        Some((
            Shape::Partner(Arc::clone(plan), number, Box::new(shape)),
            places,
        ))
    }

    fn filter(&mut self, plan: &Plan, filter: &FilterExec) -> Option<(Shape, Vec<Place>)> {
        let (shape, mut places) = self.take(filter.input())?;
        let schema = filter.input().schema();
        for part in split_conjunction(filter.predicate()) {
            let (expression, columns) = compact(part).ok()?;
            let fields: Vec<_> = columns
                .iter()
                .map(|column| Arc::clone(&schema.fields()[*column]))
                .collect();
            let of_part: Vec<Place> = columns.iter().map(|column| places[*column]).collect();
            let needs = match of_part.is_empty() {
                true => shape.relations(),
                false => set_of(&of_part),
            };
            self.conditions.push(Condition {
                expression,
                schema: Arc::new(Schema::new(fields)),
                places: of_part,
                needs,
            });
        }
        if let Some(columns) = filter.projection().as_deref() {
            places = columns.iter().map(|column| places[*column]).collect();
        }
        Some((Shape::Above(Arc::clone(plan), Box::new(shape)), places))
    }
}

fn filter_may_move(join: &HashJoinExec) -> bool {
    let filter = join.filter();
    filter.is_none_or(|filter| may_move(filter.expression(), filter.schema()))
}

/// Says whether a join stands below columns and filters.
fn is_join(plan: &Plan) -> bool {
    if plan.is::<HashJoinExec>() {
        return true;
    }
    let passes = plan.is::<ProjectionExec>() || plan.is::<FilterExec>();
    passes && plan.children().into_iter().all(is_join)
}

/// Returns an expression over the columns that it reads alone, and which these are.
fn compact(expression: &Expression) -> Result<(Expression, Vec<usize>)> {
    let mut columns: Vec<usize> = collect_columns(expression)
        .iter()
        .map(Column::index)
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let new = Arc::clone(expression).transform(|part| {
        let Some(column) = part.downcast_ref::<Column>() else {
            return Ok(Transformed::no(part));
        };
        let place = columns.binary_search(&column.index()).unwrap_or_default();
        Ok(Transformed::yes(
            Arc::new(Column::new(column.name(), place)) as Expression,
        ))
    })?;
    Ok((new.data, columns))
}

impl Shape {
    /// The relations below.
    pub(super) fn relations(&self) -> Set {
        match self {
            Self::Relation(number) => 1 << number,
            Self::Above(_, input) | Self::Partner(_, _, input) => input.relations(),
            Self::Join(_, left, right) => left.relations() | right.relations(),
        }
    }

    /// Puts the joins together as they were, over the relations and partners as they are now.
    pub(super) fn as_written(&self, region: &Region) -> Result<Plan> {
        match self {
            Self::Relation(number) => Ok(Arc::clone(&region.relations[*number])),
            Self::Above(plan, input) => {
                replace_children_if_necessary(Arc::clone(plan), vec![input.as_written(region)?])
            }
            Self::Join(plan, left, right) => {
                let children = vec![left.as_written(region)?, right.as_written(region)?];
                replace_children_if_necessary(Arc::clone(plan), children)
            }
            Self::Partner(plan, number, input) => {
                let own = input.as_written(region)?;
                let other = Arc::clone(&region.partners[*number].plan);
                let is_left = plan.downcast_ref::<HashJoinExec>().is_some_and(|join| {
                    matches!(join.join_type(), JoinType::LeftSemi | JoinType::LeftAnti)
                });
                let children = if is_left {
                    vec![own, other]
                } else {
                    vec![other, own]
                };
                replace_children_if_necessary(Arc::clone(plan), children)
            }
        }
    }
}
