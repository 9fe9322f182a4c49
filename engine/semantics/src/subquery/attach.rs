//! Joins what subqueries give to the rows that ask for it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, DataFusionError, Result, plan_datafusion_err};
use datafusion::functions_aggregate::expr_fn::{count, first_value};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison, SetQuantifier};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, lit, not,
    when,
};

use super::compare::Comparison;
use super::domain::Domain;
use super::flatten::{Flat, Flattener, Source, inside_outer, is_own};
use super::flatten_joins::only;
use super::names::Names;
use super::node;
use super::single_row::single_row;

/// Rows, and the expressions over them whose subqueries are replaced one after the other.
pub(super) struct Attach<'a> {
    pub(super) names: &'a Names,
    /// The rows that count, as they were: where the outer columns' values are taken from.
    rows: LogicalPlan,
    /// The columns that subqueries may name.
    pub(super) outer: DFSchemaRef,
    /// The rows with what was joined to them.
    pub(super) input: LogicalPlan,
    /// What has stood for a subquery before.
    seen: Vec<(Expr, Expr)>,
}

impl<'a> Attach<'a> {
    pub(super) fn new(rows: LogicalPlan, names: &'a Names) -> Self {
        Self::of_some(rows.clone(), rows, names)
    }

    /// Replaces the subqueries of expressions that only some rows of the input are asked for in the end.
    pub(super) fn of_some(input: LogicalPlan, rows: LogicalPlan, names: &'a Names) -> Self {
        Self {
            names,
            outer: Arc::clone(input.schema()),
            input,
            rows,
            seen: Vec::new(),
        }
    }

    /// Replaces the subqueries of an expression. Where `lenient`, NULL and false mean the same to whoever
    /// reads the expression's value, as in WHERE.
    pub(super) fn replace(&mut self, expression: Expr, lenient: bool) -> Result<Expr> {
        if !super::has_subquery(&expression) {
            return Ok(expression);
        }
        if let Some((_, known)) = self.seen.iter().find(|(seen, _)| *seen == expression) {
            return Ok(known.clone());
        }
        match expression {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if lenient && matches!(op, Operator::And | Operator::Or) =>
            {
                let left = self.replace(*left, true)?;
                let right = self.replace(*right, true)?;
                Ok(Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(left),
                    op,
                    Box::new(right),
                )))
            }
            Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_) => {
                let value = self.subquery(expression.clone(), lenient)?;
                if !lenient {
                    self.seen.push((expression, value.clone()));
                }
                Ok(value)
            }
            other => other
                .map_children(|part| Ok(Transformed::yes(self.replace(part, false)?)))
                .data(),
        }
    }

    fn subquery(&mut self, expression: Expr, lenient: bool) -> Result<Expr> {
        match expression {
            Expr::ScalarSubquery(mut subquery) => {
                let plan = self.rewritten(&subquery.subquery)?;
                if names_any_outer(&plan)? {
                    return self.scalar(&plan);
                }
                let may_be_null = plan.schema().field(0).is_nullable() || always_has_row(&plan);
                subquery.subquery = Arc::new(plan);
                subquery.outer_ref_columns.clear();
                let value = Expr::ScalarSubquery(subquery);
                // DataFusion takes the value for one that is never NULL, forgetting that no row is NULL.
                Ok(if may_be_null {
                    value
                } else {
                    single_row().call(vec![value, lit(1i64)])
                })
            }
            Expr::Exists(Exists { subquery, negated }) => {
                let plan = self.rewritten(&subquery.subquery)?;
                let value = self.exists(&plan)?;
                Ok(if negated { not(value) } else { value })
            }
            Expr::InSubquery(InSubquery {
                expr,
                subquery,
                negated,
            }) => {
                let comparison = self.comparison(
                    *expr,
                    if negated {
                        Operator::NotEq
                    } else {
                        Operator::Eq
                    },
                    if negated {
                        SetQuantifier::All
                    } else {
                        SetQuantifier::Any
                    },
                    &subquery.subquery,
                )?;
                self.compared(&comparison, lenient)
            }
            Expr::SetComparison(SetComparison {
                expr,
                subquery,
                op,
                quantifier,
            }) => {
                let comparison = self.comparison(*expr, op, quantifier, &subquery.subquery)?;
                self.compared(&comparison, lenient)
            }
            other => Ok(other),
        }
    }

    /// Replaces the subqueries in a subquery.
    pub(super) fn rewritten(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        let rewrite = || node::rewrite(plan.clone(), self.names);
        self.names.within(&self.outer, rewrite)
    }

    /// Prepares a comparison with the rows of a subquery.
    pub(super) fn comparison(
        &mut self,
        value: Expr,
        operator: Operator,
        quantifier: SetQuantifier,
        plan: &LogicalPlan,
    ) -> Result<Comparison> {
        let value = self.replace(value, false)?;
        let plan = self.rewritten(plan)?;
        Comparison::new(value, operator, quantifier, plan, &self.input, self.names)
    }

    /// Returns the truth of EXISTS.
    fn exists(&mut self, plan: &LogicalPlan) -> Result<Expr> {
        let Some(plan) = node::looked_for(plan) else {
            return Ok(lit(true));
        };
        if let Some(row) = self.one_row(plan)? {
            return Ok(row.guard.map_or_else(|| lit(true), Expr::is_true));
        }
        if !names_any_outer(plan)? {
            return node::has_rows(plan.clone());
        }
        let flat = self.flatten(plan, true)?;
        let flat = self.narrowed(flat, Vec::new())?;
        self.mark(flat, Vec::new())
    }

    /// Joins whether a row is there that meets the conditions; returns the column that says so.
    pub(super) fn mark(&mut self, mut flat: Flat, more: Vec<Expr>) -> Result<Expr> {
        let reads = |condition: &Expr| {
            condition
                .column_refs()
                .into_iter()
                .any(|column| flat.plan.schema().maybe_index_of_column(column).is_some())
        };
        if flat.pairs.is_empty() && !flat.rest.iter().chain(&more).any(reads) {
            // The conditions are about the outer row alone. DataFusion loses a mark join's column where
            // no column of its right side is read.
            let mut conditions = Vec::new();
            for condition in std::mem::take(&mut flat.rest).into_iter().chain(more) {
                conditions.push(inside_outer(condition, &self.outer)?);
            }
            let (rows, name) = (count(lit(1)), self.names.fresh("count"));
            flat.plan = LogicalPlanBuilder::from(flat.plan)
                .aggregate(Vec::<Expr>::new(), vec![rows.alias(name.clone())])?
                .build()?;
            let relation = self.join(flat, JoinType::Left, Vec::new())?;
            conditions.push(Expr::Column(Column::new(Some(relation), name)).gt(lit(0i64)));
            let all = conjunction(conditions).unwrap_or_else(|| lit(true));
            return Ok(all.is_true());
        }
        let before: Vec<_> = self
            .input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let relation = self.join(flat, JoinType::LeftMark, more)?;
        let mark = Expr::Column(Column::new(Some(relation), "mark"));
        let (named, column) = self.names.column(mark, "mark");
        let input = std::mem::take(&mut self.input);
        self.input = only(input, before.into_iter().chain([named]).collect())?;
        Ok(Expr::Column(column))
    }

    /// Joins the one value of a scalar subquery.
    fn scalar(&mut self, plan: &LogicalPlan) -> Result<Expr> {
        if let Some(mut row) = self.one_row(plan)? {
            let value = row.values.swap_remove(0);
            return match row.guard {
                None => Ok(value),
                Some(guard) => when(guard, value).end(),
            };
        }
        let mut flat = self.flatten(plan, false)?;
        let value = Expr::Column(plan.schema().columns().swap_remove(0));
        if has_at_most_one_row(plan) {
            let flat = self.narrowed(flat, vec![value])?;
            let column = flat.plan.schema().columns().swap_remove(0);
            let relation = self.join(flat, JoinType::Left, Vec::new())?;
            return Ok(Expr::Column(Column::new(Some(relation), column.name)));
        }
        let first = first_value(value, Vec::new()).alias(self.names.fresh("first"));
        let rows = count(lit(1)).alias(self.names.fresh("count"));
        let values = [&first, &rows]
            .map(|value| Expr::Column(Column::new_unqualified(value.schema_name().to_string())));
        self.materialize(&mut flat)?;
        let keys = flat.keys();
        flat.plan = LogicalPlanBuilder::from(flat.plan)
            .aggregate(keys, vec![first, rows])?
            .build()?;
        let outer: Vec<_> = flat.pairs.iter().map(|pair| pair.outer.clone()).collect();
        let flat = self.narrowed(flat, values.to_vec())?;
        let columns = flat.plan.schema().columns();
        let relation = self.join(flat, JoinType::Left, Vec::new())?;
        let place = |column: &Column| {
            Expr::Column(Column::new(Some(relation.clone()), column.name.clone()))
        };
        let mut arguments = vec![place(&columns[0]), place(&columns[1])];
        // With a column of the outer row among the arguments it is not evaluated before the join: a value
        // of several rows is an error only where an outer row asks for it.
        for outer in outer {
            arguments.push(inside_outer(outer, &self.outer)?);
        }
        Ok(single_row().call(arguments))
    }

    /// Keeps the named values of a flat plan and what its conditions need, under made names.
    pub(super) fn narrowed(&self, mut flat: Flat, values: Vec<Expr>) -> Result<Flat> {
        let mut kept = Vec::new();
        for value in values {
            kept.push(self.names.column(value, "value").0);
        }
        let mut renamed: Vec<(Expr, Column)> = Vec::new();
        let mut rename = |inner: &Expr| -> Column {
            if let Some((_, column)) = renamed.iter().find(|(known, _)| known == inner) {
                return column.clone();
            }
            let (expression, column) = self.names.column(inner.clone(), "key");
            kept.push(expression);
            renamed.push((inner.clone(), column.clone()));
            column
        };
        for pair in &mut flat.pairs {
            pair.inner = Expr::Column(rename(&pair.inner));
        }
        for condition in &mut flat.rest {
            let outcome = std::mem::take(condition).transform_down(|part| {
                Ok(match part {
                    Expr::Column(_) => {
                        let column = Expr::Column(rename(&part));
                        Transformed::new(column, true, TreeNodeRecursion::Jump)
                    }
                    other => Transformed::no(other),
                })
            });
            *condition = outcome.data()?;
        }
        if kept.is_empty() {
            kept.push(self.names.column(lit(true), "row").0);
        }
        flat.plan = only(flat.plan, kept)?;
        Ok(flat)
    }

    /// Flattens a subquery in the cheaper of the two ways that works.
    pub(super) fn flatten(&self, plan: &LogicalPlan, loose: bool) -> Result<Flat> {
        if let Some(flat) = self.by_comparison().flatten(plan, loose)? {
            return Ok(flat);
        }
        self.flatten_domain(plan, &[])
    }

    /// Flattens a subquery for the distinct values of the outer columns that it and `more` name.
    pub(super) fn flatten_domain(&self, plan: &LogicalPlan, more: &[Expr]) -> Result<Flat> {
        let mut columns = Vec::new();
        let mut note = |expression: &Expr| {
            expression.apply(|part| {
                if let Expr::OuterReferenceColumn(_, column) = part
                    && is_own(part, &self.outer)
                    && !columns.contains(column)
                {
                    columns.push(column.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        };
        for expression in more {
            note(expression)?;
        }
        plan.apply_with_subqueries(|node| node.apply_expressions(&mut note))?;
        let domain = Domain::new(&self.rows, columns)?;
        let flattener = Flattener {
            names: self.names,
            outer: &self.outer,
            source: Source::Domain(&domain),
        };
        // Nothing is left to compare with: what names the outer row reads the domain.
        flattener.flatten(plan, false)?.ok_or_else(Self::refusal)
    }

    /// Makes columns of the expressions that the subquery compares with the outer row.
    pub(super) fn materialize(&self, flat: &mut Flat) -> Result<()> {
        self.by_comparison().materialize(flat)
    }

    /// Resolves the arguments of aggregates over a flat plan.
    pub(super) fn resolved_arguments(
        &self,
        aggregate: &Aggregate,
        flat: &Flat,
    ) -> Result<Option<Vec<Expr>>> {
        let arguments = &aggregate.aggr_expr;
        self.by_comparison().resolve_named(arguments, &flat.pairs)
    }

    pub(super) fn by_comparison(&self) -> Flattener<'_> {
        Flattener {
            names: self.names,
            outer: &self.outer,
            source: Source::Compared,
        }
    }

    pub(super) fn refusal() -> DataFusionError {
        plan_datafusion_err!(
            "this subquery uses columns of the outer query in a way that is not supported; write it as a join"
        )
    }
}

/// Whether a plan names a row around it, whichever.
pub(super) fn names_any_outer(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= node.contains_outer_reference();
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}

/// Whether a plan has a row whatever its tables hold.
fn always_has_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Projection(projection) => always_has_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => always_has_row(&alias.input),
        _ => false,
    }
}

/// Whether a plan has at most one row for each outer row.
fn has_at_most_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Limit(limit) => matches!(
            limit.get_fetch_type(),
            Ok(datafusion::logical_expr::FetchType::Literal(Some(0 | 1)))
        ),
        LogicalPlan::Sort(sort) => {
            matches!(sort.fetch, Some(0 | 1)) || has_at_most_one_row(&sort.input)
        }
        LogicalPlan::Projection(projection) => has_at_most_one_row(&projection.input),
        LogicalPlan::Filter(filter) => has_at_most_one_row(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => has_at_most_one_row(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        _ => false,
    }
}
