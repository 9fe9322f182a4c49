//! Subqueries that have one row for every outer row: aggregates without GROUP BY, and SELECT without FROM.
//!
//! What stands above the aggregate is computed beside the outer row, so that it sees `count(*)` as 0, and
//! HAVING as a condition, where no row belongs to that outer row.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, EmptyRelation, Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder,
    Subquery, lit, when,
};

use super::attach::Attach;
use super::flatten::{inside_outer, join_plans};
use super::flatten_joins::{belongs, only};

/// What a subquery of one row gives, as expressions over the outer row.
pub(super) struct OneRow {
    /// The values of its columns.
    pub(super) values: Vec<Expr>,
    /// What must be true for the row to be there.
    pub(super) guard: Option<Expr>,
}

/// Expressions that stand for the columns of a plan.
type Known = Vec<(Column, Expr)>;

impl Attach<'_> {
    /// Returns `None` where the subquery may have another number of rows.
    pub(super) fn one_row(&mut self, plan: &LogicalPlan) -> Result<Option<OneRow>> {
        if !has_one_row(plan) {
            return Ok(None);
        }
        let mut guard = Vec::new();
        let known = self.one_row_columns(plan, &mut guard)?;
        Ok(Some(OneRow {
            values: known.into_iter().map(|(_, value)| value).collect(),
            guard: conjunction(guard),
        }))
    }

    fn one_row_columns(&mut self, plan: &LogicalPlan, guard: &mut Vec<Expr>) -> Result<Known> {
        match plan {
            LogicalPlan::Aggregate(aggregate) => self.attach_aggregate(aggregate),
            LogicalPlan::Projection(projection) => {
                let known = self.one_row_columns(&projection.input, guard)?;
                let columns = projection.schema.columns().into_iter();
                columns
                    .zip(&projection.expr)
                    .map(|(column, expression)| Ok((column, self.known(expression, &known)?)))
                    .collect()
            }
            LogicalPlan::Filter(filter) => {
                let known = self.one_row_columns(&filter.input, guard)?;
                guard.push(self.known(&filter.predicate, &known)?);
                Ok(known)
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let known = self.one_row_columns(&alias.input, guard)?;
                let columns = alias.schema.columns().into_iter();
                Ok(columns
                    .zip(known)
                    .map(|(column, (_, value))| (column, value))
                    .collect())
            }
            LogicalPlan::Sort(sort) => self.one_row_columns(&sort.input, guard),
            LogicalPlan::Distinct(distinct) => self.one_row_columns(distinct.input(), guard),
            _ => Ok(Known::new()),
        }
    }

    /// Computes an expression beside the outer row.
    fn known(&self, expression: &Expr, known: &Known) -> Result<Expr> {
        let expression = expression.clone().unalias();
        let replaced = expression.transform_down(|part| {
            let Expr::Column(column) = &part else {
                return Ok(Transformed::no(part));
            };
            Ok(match known.iter().find(|(name, _)| name == column) {
                Some((_, value)) => Transformed::new(value.clone(), true, TreeNodeRecursion::Jump),
                None => Transformed::no(part),
            })
        });
        inside_outer(replaced.data()?, &self.outer)
    }

    /// Joins the aggregates of all outer rows; returns what stands for the columns.
    fn attach_aggregate(&mut self, aggregate: &Aggregate) -> Result<Known> {
        let columns = aggregate.schema.columns();
        let mut flat = self.flatten(&aggregate.input, false)?;
        let mut arguments = self.resolved_arguments(aggregate, &flat)?;
        if arguments.is_none() {
            flat = self.flatten_domain(&aggregate.input, &aggregate.aggr_expr)?;
            arguments = self.resolved_arguments(aggregate, &flat)?;
        }
        let arguments = arguments.ok_or_else(Attach::refusal)?;
        self.materialize(&mut flat)?;
        let keys = flat.keys();
        flat.plan = LogicalPlanBuilder::from(flat.plan)
            .aggregate(keys, arguments)?
            .build()?;
        let mut kept = Vec::new();
        let mut names = Vec::new();
        for column in &columns {
            let (expression, name) = self.names.column(Expr::Column(column.clone()), "value");
            kept.push(expression);
            names.push(name);
        }
        let (found, found_name) = self.names.column(lit(true), "found");
        kept.push(found);
        for pair in &mut flat.pairs {
            let (expression, name) = self.names.column(pair.inner.clone(), "key");
            kept.push(expression);
            pair.inner = Expr::Column(name);
        }
        let always = flat.pairs.is_empty();
        flat.plan = only(flat.plan, kept)?;
        let relation = self.join(flat, JoinType::Left, Vec::new())?;
        let place = |column: &Column| {
            Expr::Column(Column::new(Some(relation.clone()), column.name.clone()))
        };
        let mut known = Known::new();
        for ((column, name), expression) in
            columns.into_iter().zip(&names).zip(&aggregate.aggr_expr)
        {
            let value = place(name);
            let value = match without_rows(expression, &aggregate.input)? {
                Some(default) if !always => {
                    when(place(&found_name).is_null(), default).otherwise(value)?
                }
                _ => value,
            };
            known.push((column, value));
        }
        Ok(known)
    }

    /// Joins a flat plan, whose columns have made names, to the input; returns the relation's name.
    pub(super) fn join(
        &mut self,
        mut flat: super::flatten::Flat,
        kind: JoinType,
        more: Vec<Expr>,
    ) -> Result<String> {
        let (plan, relation) = self.names.wrap(std::mem::take(&mut flat.plan))?;
        let inside =
            |column: Column| Expr::Column(Column::new(Some(relation.clone()), column.name));
        flat.map_inner(inside)?;
        let outer = Arc::clone(&self.outer);
        let mut conditions = belongs(&flat, &plan, &outer, |part| inside_outer(part, &outer))?;
        for condition in more {
            let renamed = condition.transform_down(|part| {
                Ok(match part {
                    Expr::Column(column)
                        if super::names::is_made(&column)
                            && plan.schema().has_column_with_unqualified_name(&column.name) =>
                    {
                        Transformed::new(inside(column), true, TreeNodeRecursion::Jump)
                    }
                    other => Transformed::no(other),
                })
            });
            conditions.push(renamed.data()?);
        }
        let input = std::mem::take(&mut self.input);
        self.input = join_plans(input, plan, kind, conditions)?;
        Ok(relation)
    }
}

/// Whether a plan has one row, or none where a condition above the aggregate says so.
pub(super) fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Projection(projection) => {
            !projection.expr.iter().any(Expr::is_volatile) && has_one_row(&projection.input)
        }
        LogicalPlan::Filter(filter) => {
            !filter.predicate.is_volatile() && has_one_row(&filter.input)
        }
        LogicalPlan::SubqueryAlias(alias) => has_one_row(&alias.input),
        LogicalPlan::Sort(sort) => sort.fetch != Some(0) && has_one_row(&sort.input),
        LogicalPlan::Distinct(distinct @ datafusion::logical_expr::Distinct::All(_)) => {
            has_one_row(distinct.input())
        }
        _ => false,
    }
}

/// Aggregates that are NULL where there is no row.
const NULL_WITHOUT_ROWS: [&str; 4] = ["avg", "max", "min", "sum"];

/// Returns what an aggregate gives where there is no row; `None` for NULL.
pub(super) fn without_rows(expression: &Expr, input: &LogicalPlan) -> Result<Option<Expr>> {
    let Expr::AggregateFunction(function) = expression.clone().unalias() else {
        return Ok(None);
    };
    let data_type = expression.get_type(input.schema())?;
    let default = function.func.default_value(&data_type)?;
    if !default.is_null() {
        return Ok(Some(lit(default)));
    }
    if NULL_WITHOUT_ROWS.contains(&function.func.name()) || expression.contains_outer() {
        return Ok(None);
    }
    // Any other function is asked: it gets no row.
    let nothing = LogicalPlan::EmptyRelation(EmptyRelation {
        produce_one_row: false,
        schema: Arc::clone(input.schema()),
    });
    let plan = LogicalPlanBuilder::from(nothing)
        .aggregate(Vec::<Expr>::new(), vec![expression.clone()])?
        .build()?;
    Ok(Some(Expr::ScalarSubquery(Subquery {
        subquery: Arc::new(plan),
        outer_ref_columns: Vec::new(),
        spans: datafusion::common::Spans::new(),
    })))
}
