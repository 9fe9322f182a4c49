//! Joins LATERAL queries with the rows that they depend on.
//!
//! DataFusion's own rule moves comparisons with the outer row above what counts, numbers or cuts rows, and
//! loses the columns of USING. Here a LATERAL query is flattened as any other subquery, and stays a bag of
//! rows: each outer row meets all of its rows, whether another outer row has the same values or not.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, NullEquality, Result, plan_err};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder, lit, when,
};

use super::attach::Attach;
use super::domain::Domain;
use super::flatten::{Flat, Flattener, Source};
use super::flatten_joins::only;
use super::has_subquery;
use super::names::Names;
use super::node::rewrite_filter;
use super::repeatable::HINT;

/// Returns the columns of a join's left side that a query marked as LATERAL on its right side names.
pub(super) fn marked(join: &Join) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    join.right.apply(|node| {
        if let LogicalPlan::Subquery(lateral) = node {
            columns.extend(outer_columns(&lateral.subquery, join.left.schema())?);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(columns)
}

/// Whether the right side of a join depends on rows of the left one.
///
/// The planner marks a query as LATERAL where the query itself names a row before it, but not where only a
/// subquery in it does. A query without the word can name a row around the whole FROM; where that row and
/// one of the left side have a column of the same name, nothing tells which is meant.
pub(super) fn depends(join: &Join, marked: &[Column], names: &Names) -> Result<bool> {
    // INTERSECT and EXCEPT are joins too, but not of what stands in one FROM.
    if join.null_equality == NullEquality::NullEqualsNull {
        return Ok(false);
    }
    let named = outer_columns(&join.right, join.left.schema())?;
    for column in &named {
        if names.is_around(column) && !marked.contains(column) {
            return plan_err!(
                "`{}` is a column of two tables, one in this FROM and one around it; \
                 give one of them an alias",
                column.flat_name()
            );
        }
    }
    Ok(!named.is_empty())
}

fn outer_columns(plan: &LogicalPlan, outer: &DFSchema) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::OuterReferenceColumn(_, column) = part
                    && outer.maybe_index_of_column(column).is_some()
                    && !columns.contains(column)
                {
                    columns.push(column.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(columns)
}

/// Makes a join whose right side does not depend on the left one; its columns stay as they are.
pub(super) fn join(join: Join, names: &Names) -> Result<LogicalPlan> {
    let kind = join.join_type;
    if !matches!(
        kind,
        JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti
    ) {
        return plan_err!(
            "a LATERAL query on the right side of a RIGHT or FULL JOIN cannot use columns of its left side; \
             write it as a LEFT JOIN or a CROSS JOIN"
        );
    }
    let filter = join.filter.map(split_conjunction_owned).unwrap_or_default();
    let (asking, mut conditions): (Vec<_>, Vec<_>) = filter.into_iter().partition(has_subquery);
    let on = join.on.into_iter();
    conditions.extend(on.map(|(one, other)| one.eq(other)));
    let left = Arc::unwrap_or_clone(join.left);
    let mut right = join.right;
    if let Some(predicate) = conjunction(asking) {
        // Who asks a subquery about a row of both sides may as well ask within the LATERAL query.
        let predicate = seen_from_right(predicate, left.schema(), right.schema())?;
        right = Arc::new(rewrite_filter(Filter::try_new(predicate, right)?, names)?);
    }
    let lateral = Lateral {
        columns: right.schema().columns(),
        attach: Attach::new(left, names),
        kind,
        conditions,
        right: Arc::unwrap_or_clone(right),
    };
    lateral.join()
}

/// Turns columns of the left side into references from a query on the right side.
fn seen_from_right(predicate: Expr, left: &DFSchema, right: &DFSchema) -> Result<Expr> {
    predicate
        .transform_down(|part| {
            let Expr::Column(column) = &part else {
                return Ok(Transformed::no(part));
            };
            if right.maybe_index_of_column(column).is_some() {
                return Ok(Transformed::no(part));
            }
            let field = Arc::clone(left.field_from_column(column)?);
            let outer = Expr::OuterReferenceColumn(field, column.clone());
            Ok(Transformed::new(outer, true, TreeNodeRecursion::Jump))
        })
        .data()
}

struct Lateral<'a> {
    attach: Attach<'a>,
    kind: JoinType,
    /// What ON and USING ask of a row of both sides.
    conditions: Vec<Expr>,
    right: LogicalPlan,
    /// The right side's columns.
    columns: Vec<Column>,
}

impl Lateral<'_> {
    fn join(mut self) -> Result<LogicalPlan> {
        if let Some(row) = self.attach.one_row(&self.right)? {
            return self.beside(row.values, row.guard);
        }
        if let Some(flat) = self.attach.by_comparison().flatten(&self.right, true)? {
            return self.with_flat(flat);
        }
        if self.kind == JoinType::Inner
            && let Some(plan) = self.over_rows()?
        {
            return Ok(plan);
        }
        let flat = self.attach.flatten_domain(&self.right, &[])?;
        self.with_flat(flat)
    }

    /// Computes the one row of the right side as columns of the left side's rows.
    fn beside(self, values: Vec<Expr>, guard: Option<Expr>) -> Result<LogicalPlan> {
        let mut kept = columns(self.attach.outer.columns());
        if self.kind == JoinType::Inner {
            let mut input = LogicalPlanBuilder::from(self.attach.input);
            if let Some(guard) = guard {
                input = input.filter(guard)?;
            }
            kept.extend(self.columns.into_iter().zip(values).map(named));
            let mut rows = input.project(kept)?;
            if let Some(predicate) = conjunction(self.conditions) {
                rows = rows.filter(predicate)?;
            }
            return rows.build();
        }
        let conditions = replaced(self.conditions, &self.columns, &values)?;
        let there = match (guard, conjunction(conditions)) {
            (Some(guard), Some(met)) => Some(when(guard, met).otherwise(lit(false))?),
            (guard, met) => guard.or(met),
        };
        let input = LogicalPlanBuilder::from(self.attach.input);
        let is_left = self.kind == JoinType::Left;
        let input = match (self.kind, &there) {
            (JoinType::LeftSemi, Some(there)) => input.filter(there.clone())?,
            (JoinType::LeftAnti, Some(there)) => input.filter(there.clone().is_not_true())?,
            (JoinType::LeftAnti, None) => input.filter(lit(false))?,
            _ => input,
        };
        if is_left {
            for (column, value) in self.columns.into_iter().zip(values) {
                let value = match &there {
                    None => value,
                    Some(there) => when(there.clone(), value).end()?,
                };
                kept.push(named((column, value)));
            }
        }
        input.project(kept)?.build()
    }

    /// Carries the left side's rows through the query, which neither counts nor cuts rows.
    fn over_rows(&self) -> Result<Option<LogicalPlan>> {
        let outer = &self.attach.outer;
        let rows = Domain::of_rows(&self.attach.input);
        let flattener = Flattener {
            names: self.attach.names,
            outer,
            source: Source::Domain(&rows),
        };
        if !flattener.goes_row_by_row(&self.right)? {
            return Ok(None);
        }
        let Some(flat) = flattener.flatten(&self.right, false)? else {
            return Ok(None);
        };
        let inner = flat.pairs.into_iter().map(|pair| pair.inner);
        let mut kept: Vec<_> = outer.columns().into_iter().zip(inner).map(named).collect();
        kept.extend(columns(self.columns.clone()));
        let mut plan = LogicalPlanBuilder::from(flat.plan).project(kept)?;
        if let Some(predicate) = conjunction(self.conditions.clone()) {
            plan = plan.filter(predicate)?;
        }
        plan.build().map(Some)
    }

    /// Joins a flattened right side.
    fn with_flat(mut self, flat: Flat) -> Result<LogicalPlan> {
        let flat = self.attach.narrowed(flat, columns(self.columns.clone()))?;
        let mut made = flat.plan.schema().columns();
        made.truncate(self.columns.len());
        let values = columns(made.clone());
        let conditions = replaced(self.conditions, &self.columns, &values)?;
        let mut kept = columns(self.attach.outer.columns());
        let relation = self.attach.join(flat, self.kind, conditions)?;
        if matches!(self.kind, JoinType::LeftSemi | JoinType::LeftAnti) {
            return Ok(self.attach.input);
        }
        for (column, made) in self.columns.into_iter().zip(made) {
            let value = Expr::Column(Column::new(Some(relation.clone()), made.name));
            kept.push(named((column, value)));
        }
        only(self.attach.input, kept)
    }
}

impl Flattener<'_> {
    /// Whether each row of the plan stems from one row of the outer plan, which it reads once, and does not
    /// depend on others that do.
    fn goes_row_by_row(&self, plan: &LogicalPlan) -> Result<bool> {
        if !self.depends(plan)? {
            return Ok(true);
        }
        match plan {
            LogicalPlan::Filter(_)
            | LogicalPlan::Projection(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Unnest(_) => self.goes_row_by_row(plan.inputs()[0]),
            LogicalPlan::Sort(sort) => {
                Ok(sort.fetch.is_none() && self.goes_row_by_row(&sort.input)?)
            }
            LogicalPlan::Values(_) => Ok(true),
            LogicalPlan::Extension(extension) if extension.node.name() == HINT => {
                self.goes_row_by_row(plan.inputs()[0])
            }
            LogicalPlan::Join(join) => {
                let (left, right) = (self.depends(&join.left)?, self.depends(&join.right)?);
                let (carrying, other) = match join.join_type {
                    _ if join.null_aware => return Ok(false),
                    JoinType::Inner if right => (&join.right, left),
                    JoinType::Inner
                    | JoinType::Left
                    | JoinType::LeftSemi
                    | JoinType::LeftAnti
                    | JoinType::LeftMark => (&join.left, right),
                    JoinType::Right
                    | JoinType::RightSemi
                    | JoinType::RightAnti
                    | JoinType::RightMark => (&join.right, left),
                    JoinType::Full => return Ok(false),
                };
                Ok(!other && self.goes_row_by_row(carrying)?)
            }
            _ => Ok(false),
        }
    }
}

/// Puts the values of the right side's columns into conditions that name these.
fn replaced(conditions: Vec<Expr>, columns: &[Column], values: &[Expr]) -> Result<Vec<Expr>> {
    let replace = |condition: Expr| {
        let outcome = condition.transform_down(|part| {
            let place = match &part {
                Expr::Column(column) => columns.iter().position(|known| known == column),
                _ => None,
            };
            Ok(match place {
                Some(place) => {
                    Transformed::new(values[place].clone(), true, TreeNodeRecursion::Jump)
                }
                None => Transformed::no(part),
            })
        });
        outcome.data()
    };
    conditions.into_iter().map(replace).collect()
}

fn columns(columns: Vec<Column>) -> Vec<Expr> {
    columns.into_iter().map(Expr::Column).collect()
}

/// Gives a value a column's name.
fn named((column, value): (Column, Expr)) -> Expr {
    Expr::Alias(Alias::new(value, column.relation, column.name))
}
