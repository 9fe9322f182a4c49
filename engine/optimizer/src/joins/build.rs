//! Makes the operators of an order of joins. Each drops the columns that nobody above needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinSide, JoinType, NullEquality, Result, internal_datafusion_err};
use datafusion::physical_expr::conjunction;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use crate::estimate::Estimator;

use super::graph::Graph;
use super::region::{Condition, Expression, Partner, Place, Plan, Region, Set, Side};
use super::search::{Found, Order};

/// Makes operators.
pub(super) struct Builder<'a> {
    pub(super) region: &'a Region,
    pub(super) graph: &'a Graph,
    pub(super) estimator: &'a Estimator,
    pub(super) options: &'a ConfigOptions,
    /// What is needed of the rows in the end.
    pub(super) output: BTreeSet<Place>,
}

/// Relations that are joined.
struct Built {
    plan: Plan,
    places: Vec<Place>,
    set: Set,
    rows: f64,
}

impl Builder<'_> {
    /// Returns the joins in an order, with these columns in the end, named as in a schema.
    pub(super) fn build(&self, found: &Found, output: &[Place], schema: &Schema) -> Result<Plan> {
        let built = self.joined(found)?;
        let columns = output.iter().zip(schema.fields()).map(|(place, field)| {
            Ok(ProjectionExpr {
                expr: built.column(*place)?,
                alias: field.name().clone(),
            })
        });
        let columns: Vec<ProjectionExpr> = columns.collect::<Result<_>>()?;
        Ok(Arc::new(ProjectionExec::try_new(columns, built.plan)?))
    }

    fn joined(&self, found: &Found) -> Result<Built> {
        let (mut built, parts) = match &found.order {
            Order::Relation(relation) => (self.relation(*relation, found)?, [0, 0]),
            Order::Join(one, other) => {
                let built = self.join(self.joined(one)?, self.joined(other)?, found)?;
                (built, [one.set, other.set])
            }
        };
        for partner in &self.region.partners {
            if is_new(partner.needs, found.set, parts) {
                built = self.ask(built, partner)?;
            }
        }
        self.pruned(built)
    }

    fn relation(&self, relation: usize, found: &Found) -> Result<Built> {
        let mut plan = Arc::clone(&self.region.relations[relation]);
        let columns = 0..plan.schema().fields().len();
        let places: Vec<Place> = columns.map(|column| Place { relation, column }).collect();
        let conditions: Vec<&Condition> = self.new_conditions(found.set, [0, 0]).collect();
        if !conditions.is_empty() {
            let parts = conditions.into_iter().map(|condition| {
                let columns: Vec<usize> =
                    condition.places.iter().map(|place| place.column).collect();
                moved(&condition.expression, &columns)
            });
            let predicate = conjunction(parts.collect::<Result<Vec<_>>>()?);
            plan = Arc::new(FilterExecBuilder::new(predicate, plan).build()?);
        }
        Ok(Built {
            plan,
            places,
            set: found.set,
            rows: found.rows,
        })
    }

    /// Joins two sets; what takes less memory is built on.
    fn join(&self, one: Built, other: Built, found: &Found) -> Result<Built> {
        let bytes = |side: &Built| side.rows * self.graph.width(side.set);
        let (left, right) = match bytes(&one) <= bytes(&other) {
            true => (one, other),
            false => (other, one),
        };
        let mut on = Vec::new();
        for class in &self.graph.classes {
            let of = |side: &Built| class.iter().copied().find(|place| side.has(*place));
            if let (Some(one), Some(other)) = (of(&left), of(&right)) {
                on.push((left.column(one)?, right.column(other)?));
            }
        }
        let filter = self.join_filter(&left, &right)?;
        let mode = self.mode(left.rows, bytes(&left));
        let mut places = left.places;
        places.extend(right.places);
        let join = HashJoinExec::try_new(
            left.plan,
            right.plan,
            on,
            filter,
            &JoinType::Inner,
            None,
            mode,
            NullEquality::NullEqualsNothing,
            false,
        )?;
        Ok(Built {
            plan: Arc::new(join),
            places,
            set: found.set,
            rows: found.rows,
        })
    }

    /// Returns the conditions that can be asked once two sides are joined.
    fn join_filter(&self, left: &Built, right: &Built) -> Result<Option<JoinFilter>> {
        let mut fields: Vec<Arc<Field>> = Vec::new();
        let mut indices = Vec::new();
        let mut parts = Vec::new();
        for condition in self.new_conditions(left.set | right.set, [left.set, right.set]) {
            let mut columns = Vec::with_capacity(condition.places.len());
            for (number, place) in condition.places.iter().enumerate() {
                columns.push(indices.len());
                let (side, built) = match left.has(*place) {
                    true => (JoinSide::Left, left),
                    false => (JoinSide::Right, right),
                };
                let index = built.index(*place)?;
                indices.push(ColumnIndex { index, side });
                fields.push(Arc::clone(&condition.schema.fields()[number]));
            }
            parts.push(moved(&condition.expression, &columns)?);
        }
        Ok((!parts.is_empty()).then(|| {
            let schema = Arc::new(Schema::new(fields));
            JoinFilter::new(conjunction(parts), indices, schema)
        }))
    }

    /// Leaves the rows with, or without, a partner; what has fewer rows is built on.
    fn ask(&self, own: Built, partner: &Partner) -> Result<Built> {
        let other = self.estimator.of(&partner.plan);
        let builds_own = own.rows < other.rows;
        let schema = partner.plan.schema();
        let mut on = Vec::with_capacity(partner.keys.len());
        for (place, column) in &partner.keys {
            let name = schema.field(*column).name();
            let of_other: Expression = Arc::new(Column::new(name, *column));
            let of_own = own.column(*place)?;
            on.push(match builds_own {
                true => (of_own, of_other),
                false => (of_other, of_own),
            });
        }
        let (own_side, other_side) = match builds_own {
            true => (JoinSide::Left, JoinSide::Right),
            false => (JoinSide::Right, JoinSide::Left),
        };
        let filter = match &partner.filter {
            None => None,
            Some((expression, schema, sides)) => {
                let indices = sides.iter().map(|side| {
                    Ok(match side {
                        Side::Own(place) => ColumnIndex {
                            index: own.index(*place)?,
                            side: own_side,
                        },
                        Side::Other(index) => ColumnIndex {
                            index: *index,
                            side: other_side,
                        },
                    })
                });
                let indices = indices.collect::<Result<Vec<_>>>()?;
                let (expression, schema) = (Arc::clone(expression), Arc::clone(schema));
                Some(JoinFilter::new(expression, indices, schema))
            }
        };
        let kind = match (builds_own, partner.stays) {
            (true, true) => JoinType::LeftSemi,
            (true, false) => JoinType::LeftAnti,
            (false, true) => JoinType::RightSemi,
            (false, false) => JoinType::RightAnti,
        };
        let (rows, bytes) = match builds_own {
            true => (own.rows, own.rows * self.graph.width(own.set)),
            false => (other.rows, other.rows * other.width()),
        };
        let (left, right) = match builds_own {
            true => (own.plan, Arc::clone(&partner.plan)),
            false => (Arc::clone(&partner.plan), own.plan),
        };
        let join = HashJoinExec::try_new(
            left,
            right,
            on,
            filter,
            &kind,
            None,
            self.mode(rows, bytes),
            NullEquality::NullEqualsNothing,
            false,
        )?;
        Ok(Built {
            plan: Arc::new(join),
            ..own
        })
    }

    fn new_conditions(&self, set: Set, parts: [Set; 2]) -> impl Iterator<Item = &Condition> {
        let conditions = self.region.conditions.iter();
        conditions.filter(move |condition| is_new(condition.needs, set, parts))
    }

    /// Drops the columns that nobody above needs.
    fn pruned(&self, built: Built) -> Result<Built> {
        let set = built.set;
        let mut needed: BTreeSet<Place> = self.output.clone();
        for condition in &self.region.conditions {
            if condition.needs & !set != 0 {
                needed.extend(&condition.places);
            }
        }
        for partner in &self.region.partners {
            if partner.needs & !set != 0 {
                needed.extend(partner.keys.iter().map(|(place, _)| *place));
                let sides = partner.filter.iter().flat_map(|(_, _, sides)| sides);
                needed.extend(sides.filter_map(|side| match side {
                    Side::Own(place) => Some(*place),
                    Side::Other(_) => None,
                }));
            }
        }
        for class in &self.graph.classes {
            let has_more = class.iter().any(|place| place.set() & !set != 0);
            let is_kept = |place: &Place| built.has(*place) && needed.contains(place);
            if has_more && !class.iter().any(is_kept) {
                let one = class.iter().find(|place| built.has(**place));
                needed.extend(one.copied());
            }
        }
        let kept = built.places.iter().copied();
        let mut kept: Vec<Place> = kept.filter(|place| needed.contains(place)).collect();
        if kept.is_empty() {
            kept.extend(built.places.first());
        }
        if kept.len() == built.places.len() {
            return Ok(built);
        }
        let schema = built.plan.schema();
        let columns = kept.iter().map(|place| {
            let name = schema.field(built.index(*place)?).name().clone();
            Ok(ProjectionExpr {
                expr: built.column(*place)?,
                alias: name,
            })
        });
        let columns: Vec<ProjectionExpr> = columns.collect::<Result<_>>()?;
        Ok(Built {
            plan: Arc::new(ProjectionExec::try_new(columns, built.plan)?),
            places: kept,
            ..built
        })
    }

    /// Says whether a side of so many rows and bytes is built on as a whole, or in parts.
    fn mode(&self, rows: f64, bytes: f64) -> PartitionMode {
        let optimizer = &self.options.optimizer;
        let fits = rows <= optimizer.hash_join_single_partition_threshold_rows as f64
            && bytes <= optimizer.hash_join_single_partition_threshold as f64;
        let distributes =
            self.options.execution.target_partitions > 1 && optimizer.repartition_joins;
        match fits || !distributes {
            true => PartitionMode::CollectLeft,
            false => PartitionMode::Partitioned,
        }
    }
}

/// Says whether something can be asked of a set and could not of its parts.
fn is_new(needs: Set, set: Set, parts: [Set; 2]) -> bool {
    needs & !set == 0 && parts.iter().all(|part| *part == 0 || needs & !part != 0)
}

/// Returns an expression that reads its columns at other places.
fn moved(expression: &Expression, columns: &[usize]) -> Result<Expression> {
    let moved = Arc::clone(expression).transform(|part| {
        let Some(column) = part.downcast_ref::<Column>() else {
            return Ok(Transformed::no(part));
        };
        let place = columns[column.index()];
        Ok(Transformed::yes(
            Arc::new(Column::new(column.name(), place)) as Expression,
        ))
    })?;
    Ok(moved.data)
}

impl Built {
    fn has(&self, place: Place) -> bool {
        self.places.contains(&place)
    }

    fn index(&self, place: Place) -> Result<usize> {
        let index = self.places.iter().position(|known| *known == place);
        index.ok_or_else(|| internal_datafusion_err!("a column was dropped that is needed"))
    }

    fn column(&self, place: Place) -> Result<Expression> {
        let index = self.index(place)?;
        let schema = self.plan.schema();
        Ok(Arc::new(Column::new(schema.field(index).name(), index)))
    }
}
