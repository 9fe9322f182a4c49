//! Flattens what orders, numbers, cuts or appends rows: each outer row's part is one of its own.

use std::sync::Arc;

use datafusion::common::{Column, Result, ScalarValue, not_impl_err};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{
    Distinct, DistinctOn, Expr, ExprFunctionExt, FetchType, Limit, LogicalPlan, LogicalPlanBuilder,
    Projection, SkipType, SortExpr, Union, Unnest, Values, Window, case, cast, lit,
};

use super::flatten::{Flat, Flattener, Source};
use super::flatten_joins::only;
use crate::repeated_keys::drop_repeated;

impl Flattener<'_> {
    pub(super) fn window(&self, window: &Window) -> Result<Option<Flat>> {
        let Some(mut flat) = self.flatten(&window.input, false)? else {
            return Ok(None);
        };
        self.materialize(&mut flat)?;
        let Some(resolved) = self.resolve_named(&window.window_expr, &flat.pairs)? else {
            return Ok(None);
        };
        let keys = flat.keys();
        let mut kept: Vec<_> = flat
            .plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let mut functions = Vec::new();
        for (written, resolved) in window.window_expr.iter().zip(resolved) {
            let Expr::WindowFunction(mut function) = resolved.unalias() else {
                return not_impl_err!(
                    "`{written}` in a subquery that uses columns of the outer query"
                );
            };
            function.params.partition_by.extend(keys.iter().cloned());
            let function = Expr::WindowFunction(function);
            let value = Expr::Column(Column::new_unqualified(function.schema_name().to_string()));
            let (relation, name) = written.qualified_name();
            kept.push(Expr::Alias(Alias::new(value, relation, name)));
            functions.push(function);
        }
        let numbered = LogicalPlanBuilder::from(flat.plan)
            .window(functions)?
            .build()?;
        flat.plan = only(numbered, kept)?;
        Ok(Some(flat))
    }

    pub(super) fn distinct(&self, distinct: &Distinct) -> Result<Option<Flat>> {
        let Some(mut flat) = self.flatten(distinct.input(), false)? else {
            return Ok(None);
        };
        self.materialize(&mut flat)?;
        let Distinct::On(on) = distinct else {
            let Distinct::All(input) = distinct else {
                return Ok(None);
            };
            let mut kept: Vec<_> = input
                .schema()
                .columns()
                .into_iter()
                .map(Expr::Column)
                .collect();
            let keys = flat.keys().into_iter().filter(|key| !kept.contains(key));
            let keys: Vec<_> = keys.collect();
            kept.extend(keys);
            flat.plan = LogicalPlanBuilder::from(only(flat.plan, kept)?)
                .distinct()?
                .build()?;
            return Ok(Some(flat));
        };
        let keys = flat.keys();
        let Some(mut selected) = self.resolve_named(&on.select_expr, &flat.pairs)? else {
            return Ok(None);
        };
        // No names: ORDER BY has to begin with the very same expressions, each of them once.
        let mut compared = keys.clone();
        for key in &on.on_expr {
            let Some(key) = self.resolve(key, &flat.pairs)? else {
                return Ok(None);
            };
            if !compared.contains(&key) {
                compared.push(key);
            }
        }
        let added: Vec<_> = keys
            .iter()
            .filter(|key| !selected.contains(key))
            .cloned()
            .collect();
        selected.extend(added);
        let order = match &on.sort_expr {
            None => None,
            Some(order) => {
                let Some(order) = self.resolve_order(order, &flat)? else {
                    return Ok(None);
                };
                let first = keys.iter().map(|key| key.clone().sort(true, false));
                let mut order = first.chain(order).collect();
                drop_repeated(&mut order);
                Some(order)
            }
        };
        let on = DistinctOn::try_new(compared, selected, order, Arc::new(flat.plan))?;
        flat.plan = LogicalPlan::Distinct(Distinct::On(on));
        Ok(Some(flat))
    }

    pub(super) fn limited(&self, limit: &Limit) -> Result<Option<Flat>> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return not_impl_err!(
                "LIMIT or OFFSET that is not a number in a subquery that uses columns of the outer query"
            );
        };
        self.limit(&limit.input, skip, fetch)
    }

    /// Keeps some rows of those that belong to one outer row, by their order.
    pub(super) fn limit(
        &self,
        plan: &LogicalPlan,
        skip: usize,
        fetch: Option<usize>,
    ) -> Result<Option<Flat>> {
        if let LogicalPlan::Projection(projection) = plan
            && is_ordered(&projection.input)
        {
            // The order is that of rows below the projection, which keeps their number.
            let limited = LogicalPlanBuilder::from(Arc::clone(&projection.input))
                .limit(skip, fetch)?
                .build()?;
            let above = Projection::try_new(projection.expr.clone(), Arc::new(limited))?;
            return self.flatten(&LogicalPlan::Projection(above), false);
        }
        let (input, order, fetch) = match plan {
            LogicalPlan::Sort(sort) => {
                let fetch = match (sort.fetch, fetch) {
                    (Some(all), Some(fetch)) => Some(fetch.min(all.saturating_sub(skip))),
                    (Some(all), None) => Some(all.saturating_sub(skip)),
                    (None, fetch) => fetch,
                };
                (sort.input.as_ref(), sort.expr.as_slice(), fetch)
            }
            other => (other, [].as_slice(), fetch),
        };
        let Some(mut flat) = self.flatten(input, false)? else {
            return Ok(None);
        };
        self.materialize(&mut flat)?;
        let Some(order) = self.resolve_order(order, &flat)? else {
            return Ok(None);
        };
        let kept: Vec<_> = flat
            .plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let number = row_number()
            .partition_by(flat.keys())
            .order_by(order)
            .build()?;
        let name = Column::new_unqualified(number.schema_name().to_string());
        let place = Expr::Column(name);
        let mut condition = place.clone().gt(count(skip));
        if let Some(fetch) = fetch {
            condition = condition.and(place.lt_eq(count(skip.saturating_add(fetch))));
        }
        flat.plan = LogicalPlanBuilder::from(flat.plan)
            .window(vec![number])?
            .filter(condition)?
            .project(kept)?
            .build()?;
        Ok(Some(flat))
    }

    fn resolve_order(&self, order: &[SortExpr], flat: &Flat) -> Result<Option<Vec<SortExpr>>> {
        let mut resolved = Vec::new();
        for sort in order {
            let Some(expression) = self.resolve(&sort.expr, &flat.pairs)? else {
                return Ok(None);
            };
            resolved.push(SortExpr::new(expression, sort.asc, sort.nulls_first));
        }
        Ok(Some(resolved))
    }

    pub(super) fn union(&self, union: &Union) -> Result<Option<Flat>> {
        let Source::Domain(domain) = self.source else {
            return Ok(None);
        };
        let columns: Vec<_> = domain
            .columns
            .iter()
            .map(|column| Column::new_unqualified(self.names.fresh(&column.name)))
            .collect();
        let mut inputs = Vec::new();
        for input in &union.inputs {
            let Some(flat) = self.flatten(input, false)? else {
                return Ok(None);
            };
            let places = input
                .schema()
                .columns()
                .into_iter()
                .zip(union.schema.iter());
            let mut kept: Vec<_> = places
                .map(|(column, (relation, field))| {
                    let value = Expr::Column(column);
                    Expr::Alias(Alias::new(value, relation.cloned(), field.name().clone()))
                })
                .collect();
            for (pair, column) in flat.pairs.iter().zip(&columns) {
                kept.push(pair.inner.clone().alias(column.name.clone()));
            }
            inputs.push(Arc::new(only(flat.plan, kept)?));
        }
        Ok(Some(Flat {
            plan: LogicalPlan::Union(Union::try_new(inputs)?),
            pairs: self.domain_pairs(domain, columns),
            rest: Vec::new(),
        }))
    }

    /// Each outer row meets all rows; a value that names the outer row is computed where they have met.
    pub(super) fn values(&self, values: &Values) -> Result<Option<Flat>> {
        let Source::Domain(domain) = self.source else {
            return Ok(None);
        };
        let (mut plan, keys) = domain.rows(self.names)?;
        let pairs = self.domain_pairs(domain, keys);
        let places: Vec<_> = (0..values.values.len())
            .map(|row| vec![lit(row as i64)])
            .collect();
        let place = match places.len() {
            1 => None,
            _ => {
                let rows = LogicalPlanBuilder::values(places)?;
                let written = rows.schema().columns().swap_remove(0);
                let (expression, place) = self.names.column(Expr::Column(written), "row");
                let rows = rows.project(vec![expression])?.build()?;
                plan = LogicalPlanBuilder::from(plan).cross_join(rows)?.build()?;
                Some(Expr::Column(place))
            }
        };
        let mut kept = Vec::new();
        for (column, (relation, field)) in values.schema.iter().enumerate() {
            let mut cells = Vec::new();
            for row in &values.values {
                let Some(cell) = self.resolve(&row[column], &pairs)? else {
                    return Ok(None);
                };
                cells.push(cast(cell, field.data_type().clone()));
            }
            let last = cells.pop().unwrap_or_default();
            let value = match &place {
                Some(place) if cells.iter().any(|cell| *cell != last) => {
                    let mut chosen = case(place.clone());
                    for (row, cell) in cells.into_iter().enumerate() {
                        chosen = chosen.when(lit(row as i64), cell);
                    }
                    chosen.otherwise(last)?
                }
                _ => last,
            };
            let name = field.name().clone();
            kept.push(Expr::Alias(Alias::new(value, relation.cloned(), name)));
        }
        kept.extend(pairs.iter().map(|pair| pair.inner.clone()));
        let plan = only(plan, kept)?;
        Ok(Some(Flat {
            plan,
            pairs,
            rest: Vec::new(),
        }))
    }

    pub(super) fn unnest(&self, unnest: &Unnest) -> Result<Option<Flat>> {
        let Some(mut flat) = self.flatten(&unnest.input, false)? else {
            return Ok(None);
        };
        // A key may be a column that is unnested: another of the same values stays as it is.
        self.give_own_keys(&mut flat)?;
        let columns = unnest.exec_columns.clone();
        let unnested = Unnest::try_new(Arc::new(flat.plan), columns, unnest.options.clone())?;
        flat.plan = LogicalPlan::Unnest(unnested);
        Ok(Some(flat))
    }
}

/// Whether rows come in an order that was asked for.
fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_ordered(&projection.input),
        _ => false,
    }
}

fn count(rows: usize) -> Expr {
    lit(ScalarValue::UInt64(Some(rows as u64)))
}
