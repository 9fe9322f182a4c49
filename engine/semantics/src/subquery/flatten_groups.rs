//! Flattens aggregates: the rows of each outer row are groups of their own.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result, not_impl_err, plan_err};
use datafusion::logical_expr::expr::{Alias, GroupingSet};
use datafusion::logical_expr::{
    Aggregate, Expr, JoinType, LogicalPlanBuilder, bitwise_and, cast, lit, when,
};

use super::domain::same;
use super::flatten::{Flat, Flattener, Source, join_plans};
use super::flatten_joins::only;
use super::one_row::without_rows;

/// A column of an aggregate, and its value where no row belongs to an outer row; `None` is NULL.
type Filled = (Column, Option<Expr>);

/// As many columns as the sets of a CUBE may have: DataFusion takes 4096 sets.
const MOST_CUBED: usize = 12;

impl Flattener<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Result<Option<Flat>> {
        if let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() {
            return self.grouping_sets(aggregate, sets_of(sets)?);
        }
        let Some(mut flat) = self.flatten(&aggregate.input, false)? else {
            return Ok(None);
        };
        self.materialize(&mut flat)?;
        let groups = self.resolve_named(&aggregate.group_expr, &flat.pairs)?;
        let values = self.resolve_named(&aggregate.aggr_expr, &flat.pairs)?;
        let (Some(mut groups), Some(values)) = (groups, values) else {
            return Ok(None);
        };
        let ungrouped = groups.is_empty();
        for key in flat.keys() {
            if !groups.contains(&key) {
                groups.push(key);
            }
        }
        flat.plan = LogicalPlanBuilder::from(flat.plan)
            .aggregate(groups, values)?
            .build()?;
        if !ungrouped {
            return Ok(Some(flat));
        }
        let columns = aggregate.schema.columns().into_iter();
        let filled = columns.zip(&aggregate.aggr_expr).map(|(column, value)| {
            let default = without_rows(value, &aggregate.input)?;
            Ok((column, default))
        });
        self.one_for_each(flat, filled.collect::<Result<_>>()?)
    }

    /// Groups by the outer row in each set; `()` has a group for each outer row, also where no row belongs
    /// to it.
    fn grouping_sets(&self, aggregate: &Aggregate, sets: Vec<Vec<Expr>>) -> Result<Option<Flat>> {
        let totals = sets.iter().filter(|set| set.is_empty()).count();
        if totals > 1 {
            return not_impl_err!(
                "a grouping set `()` that is there twice, in a subquery that uses columns of the outer query"
            );
        }
        if totals > 0 && matches!(self.source, Source::Compared) {
            return Ok(None);
        }
        let Some(mut flat) = self.flatten(&aggregate.input, false)? else {
            return Ok(None);
        };
        // A set that lacks a column makes NULL of it, but never of the outer row's value.
        self.give_own_keys(&mut flat)?;
        let keys = flat.keys();
        let mut groups = Vec::new();
        for set in &sets {
            let Some(set) = self.resolve_named(set, &flat.pairs)? else {
                return Ok(None);
            };
            // The keys come first, so that the bits of GROUPING() stay in their places.
            groups.push(keys.iter().cloned().chain(set).collect());
        }
        let Some(values) = self.resolve_named(&aggregate.aggr_expr, &flat.pairs)? else {
            return Ok(None);
        };
        let groups = Expr::GroupingSet(GroupingSet::GroupingSets(groups));
        let grouped = LogicalPlanBuilder::from(flat.plan)
            .aggregate(vec![groups], values)?
            .build()?;
        let columns = aggregate.schema.columns();
        let number = columns.len() - aggregate.aggr_expr.len() - 1;
        let id_type = aggregate.schema.field(number).data_type().clone();
        // As many low bits as there are columns to group by; those above tell repeated sets apart.
        let bits = u64::MAX.checked_shr(64 - number as u32).unwrap_or(0);
        let mut kept = Vec::new();
        let mut filled = Vec::new();
        for (place, column) in columns.into_iter().enumerate() {
            if place != number {
                let default = match place.checked_sub(number + 1) {
                    Some(place) => without_rows(&aggregate.aggr_expr[place], &aggregate.input)?,
                    None => None,
                };
                kept.push(Expr::Column(column.clone()));
                filled.push((column, default));
                continue;
            }
            let id = cast(Expr::Column(column.clone()), DataType::UInt64);
            let id = cast(bitwise_and(id, lit(bits)), id_type.clone());
            kept.push(id.alias(column.name.clone()));
            filled.push((column, Some(cast(lit(bits), id_type.clone()))));
        }
        kept.extend(keys);
        flat.plan = only(grouped, kept)?;
        if totals == 0 {
            return Ok(Some(flat));
        }
        self.one_for_each(flat, filled)
    }

    /// Adds a row for each outer row that has none.
    fn one_for_each(&self, mut flat: Flat, filled: Vec<Filled>) -> Result<Option<Flat>> {
        let Source::Domain(domain) = self.source else {
            return Ok(None);
        };
        let (rows, columns) = domain.rows(self.names)?;
        let (found, found_column) = self.names.column(lit(true), "found");
        let there = flat.plan.schema().columns().into_iter();
        let kept = there.map(Expr::Column).chain([found]).collect();
        let counted = only(flat.plan, kept)?;
        let mut conditions = Vec::new();
        for (pair, column) in flat.pairs.iter().zip(&columns) {
            let (one, other) = (Expr::Column(column.clone()), pair.inner.clone());
            conditions.extend(same(one, rows.schema(), other, counted.schema())?);
        }
        let joined = join_plans(rows, counted, JoinType::Left, conditions)?;
        let mut kept: Vec<_> = columns.iter().cloned().map(Expr::Column).collect();
        for (column, default) in filled {
            let value = Expr::Column(column.clone());
            kept.push(match default {
                None => value,
                Some(default) => {
                    let filled = when(Expr::Column(found_column.clone()).is_null(), default)
                        .otherwise(value)?;
                    Expr::Alias(Alias::new(filled, column.relation, column.name))
                }
            });
        }
        flat.plan = only(joined, kept)?;
        flat.pairs = self.domain_pairs(domain, columns);
        Ok(Some(flat))
    }

    /// Makes columns that nobody else reads of the plan's values of the outer row.
    pub(super) fn give_own_keys(&self, flat: &mut Flat) -> Result<()> {
        let columns = flat.plan.schema().columns().into_iter();
        let mut kept: Vec<_> = columns.map(Expr::Column).collect();
        for pair in &mut flat.pairs {
            let (expression, column) = self.names.column(pair.inner.clone(), "key");
            kept.push(expression);
            pair.inner = Expr::Column(column);
        }
        flat.plan = only(std::mem::take(&mut flat.plan), kept)?;
        Ok(())
    }
}

/// Writes ROLLUP and CUBE as the sets that they stand for; that of all columns comes first, which keeps their
/// order.
fn sets_of(sets: &GroupingSet) -> Result<Vec<Vec<Expr>>> {
    Ok(match sets {
        GroupingSet::GroupingSets(sets) => sets.clone(),
        GroupingSet::Rollup(columns) => (0..=columns.len())
            .rev()
            .map(|count| columns[..count].to_vec())
            .collect(),
        GroupingSet::Cube(columns) if columns.len() > MOST_CUBED => {
            return plan_err!(
                "CUBE of {} columns makes too many groups in a subquery that uses columns of the outer query; \
                 it can have {MOST_CUBED}",
                columns.len()
            );
        }
        GroupingSet::Cube(columns) => (0..1u64 << columns.len())
            .map(|left_out| {
                let places = columns.iter().enumerate();
                let kept = places.filter(|(place, _)| left_out & (1 << place) == 0);
                kept.map(|(_, column)| column.clone()).collect()
            })
            .collect(),
    })
}
