//! Aggregates: what a group's row sees of the rows of its group.

use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr};

use super::{
    CauseKind, Found, Level, Linear, Link, Origin, Relation, Term, Value, Walker, function_name,
    guarded, keeps, merge, unaliased,
};

impl Walker<'_> {
    /// Groups rows: an aggregate sees all rows of its group, of which the keys are known.
    pub(in crate::leakage) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        rows: &Relation,
    ) -> Found<Relation> {
        let schema = aggregate.input.schema();
        let mut keys = Vec::new();
        for expression in &aggregate.group_expr {
            match expression {
                Expr::GroupingSet(sets) => {
                    for key in sets.distinct_expr() {
                        keys.push(self.value(key, schema, rows)?);
                    }
                }
                key => keys.push(self.value(key, schema, rows)?),
            }
        }
        let kept: Vec<Origin> = keys
            .iter()
            .filter_map(|key| key.linear.as_ref())
            .flat_map(Linear::columns)
            .collect();
        let mut links: Vec<Link> = kept
            .iter()
            .map(|origin| Link {
                from: Term::Column(*origin),
                to: Term::Column(*origin),
                level: Level::Grouped,
            })
            .collect();
        links.extend(self.fixed_links(&rows.facts));
        let width = aggregate.schema.fields().len();
        let mut columns = keys;
        while columns.len() + aggregate.aggr_expr.len() < width {
            // The number of the grouping set.
            columns.push(Value::default());
        }
        for expression in &aggregate.aggr_expr {
            let cause = self.cause_of(CauseKind::Aggregate, expression, function_name(expression));
            let value = self.aggregated(expression, schema, rows)?;
            let mut seen = value.dependencies;
            merge(&mut seen, rows.conditions.iter().cloned());
            let seen = seen
                .iter()
                .map(|dependency| self.seen(dependency, &rows.facts, &links, false, cause));
            columns.push(Value::of(seen.collect()));
        }
        let cause = self.cause_of(
            CauseKind::Aggregate,
            aggregate
                .aggr_expr
                .first()
                .or(aggregate.group_expr.first())
                .unwrap_or(&Expr::default()),
            None,
        );
        let is_kept = |origin: Origin| kept.contains(&origin) || self.is_outer(origin.scan);
        let facts = rows.facts.iter();
        let facts = facts.filter(|fact| keeps(fact, &is_kept)).cloned();
        let whole = rows.rows.iter();
        Ok(Relation {
            columns,
            facts: facts.collect(),
            rows: whole
                .map(|dependency| self.seen(dependency, &rows.facts, &links, false, cause))
                .collect(),
            conditions: Vec::new(),
        })
    }

    /// Returns what an aggregate reads of each row of its group.
    fn aggregated(
        &mut self,
        expression: &Expr,
        schema: &DFSchemaRef,
        rows: &Relation,
    ) -> Found<Value> {
        let Expr::AggregateFunction(AggregateFunction { params, .. }) = unaliased(expression)
        else {
            return self.parts(expression, schema, rows);
        };
        let mut all = Vec::new();
        for argument in &params.args {
            merge(&mut all, self.value(argument, schema, rows)?.dependencies);
        }
        if all.is_empty() {
            merge(&mut all, rows.rows.iter().cloned());
        }
        for sort in &params.order_by {
            merge(&mut all, self.value(&sort.expr, schema, rows)?.dependencies);
        }
        let Some(filter) = &params.filter else {
            return Ok(Value::of(all));
        };
        let guards = self.facts(filter, schema, rows)?;
        merge(&mut all, self.deciding(filter, schema, rows)?);
        Ok(guarded(Value::of(all), &guards))
    }
}
