//! Replaces the subqueries in each kind of plan node, and keeps the node's columns as they were.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, Result, Spans, plan_err};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Alias, Exists, InSubquery, SetComparison, SetQuantifier};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Distinct, Expr, FetchType, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator,
    SkipType, Subquery, lit, not,
};

use super::attach::{Attach, names_any_outer};
use super::flatten_joins::only;
use super::names::Names;
use super::{has_subquery, holds_subqueries, lateral};

/// Replaces the subqueries of a plan, those of its inputs first.
pub(super) fn rewrite(plan: LogicalPlan, names: &Names) -> Result<LogicalPlan> {
    let marked = match &plan {
        LogicalPlan::Join(join) => lateral::marked(join)?,
        _ => Vec::new(),
    };
    let plan = match rewrite_inputs(plan, !marked.is_empty(), names)? {
        // The mark of a LATERAL query.
        LogicalPlan::Subquery(lateral) => return Ok(Arc::unwrap_or_clone(lateral.subquery)),
        LogicalPlan::Join(join) if lateral::depends(&join, &marked, names)? => {
            return lateral::join(join, names);
        }
        other => other,
    };
    let mut concerned = false;
    plan.apply_expressions(|expression| {
        concerned |= has_subquery(expression);
        Ok(TreeNodeRecursion::Continue)
    })?;
    if !concerned {
        return Ok(plan);
    }
    match plan {
        LogicalPlan::Filter(filter) => rewrite_filter(filter, names),
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner && join.on.is_empty() => {
            inner_join(join, names)
        }
        LogicalPlan::Join(join) if asks_about_both(&join)? => join_of_both(join, names),
        LogicalPlan::Join(join) => outer_join(join, names),
        LogicalPlan::Projection(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Sort(_) => over_one_input(plan, names),
        other => Ok(other),
    }
}

/// Replaces the subqueries of a plan's inputs; the right side of a LATERAL join stands within rows of the left.
fn rewrite_inputs(plan: LogicalPlan, is_lateral: bool, names: &Names) -> Result<LogicalPlan> {
    let left = match &plan {
        LogicalPlan::Join(join) if is_lateral => Some(Arc::clone(join.left.schema())),
        _ => None,
    };
    let mut is_first = true;
    let rewritten = plan.map_children(|child| {
        let around = left.as_ref().filter(|_| !is_first);
        is_first = false;
        if !holds_subqueries(&child)? {
            return Ok(Transformed::no(child));
        }
        let rewrite = || rewrite(child, names);
        let child = match around {
            Some(left) => names.within(left, rewrite)?,
            None => rewrite()?,
        };
        Ok(Transformed::yes(child))
    })?;
    if rewritten.transformed {
        rewritten.data.recompute_schema()
    } else {
        Ok(rewritten.data)
    }
}

/// Conditions that are subqueries become joins that keep rows; others read what joins add to them.
pub(super) fn rewrite_filter(filter: Filter, names: &Names) -> Result<LogicalPlan> {
    let columns = filter.input.schema().columns();
    let conditions = split_conjunction_owned(filter.predicate).into_iter();
    let (asking, plain): (Vec<_>, Vec<_>) = conditions.map(without_not).partition(asks_for_rows);
    let input = Arc::unwrap_or_clone(filter.input);
    let mut attach = Attach::new(input.clone(), names);
    let plain = conjunction(plain);
    let plain = plain
        .map(|predicate| attach.replace(predicate, true))
        .transpose()?;
    // The conditions without subqueries stay above the joins: DataFusion moves them below, and infers more
    // from them on the way.
    let mut rows = LogicalPlanBuilder::from(input.clone());
    if let Some(predicate) = &plain {
        rows = rows.filter(predicate.clone())?;
    }
    let mut attach = Attach::of_some(input, rows.build()?, names);
    let mut kept: Vec<_> = plain.into_iter().collect();
    for condition in asking {
        if !attach.keep_rows(&condition)? {
            kept.push(attach.replace(condition, true)?);
        }
    }
    let mut plan = LogicalPlanBuilder::from(attach.input);
    if let Some(predicate) = conjunction(kept) {
        plan = plan.filter(predicate)?;
    }
    if plan.schema().fields().len() != columns.len() {
        plan = plan.project(columns.into_iter().map(Expr::Column))?;
    }
    plan.build()
}

impl Attach<'_> {
    /// Makes a semi or an anti join of a condition; returns whether it was one.
    fn keep_rows(&mut self, condition: &Expr) -> Result<bool> {
        let (condition, wanted) = match condition {
            Expr::Not(inner) => (inner.as_ref(), false),
            other => (other, true),
        };
        match condition {
            Expr::Exists(Exists { subquery, negated }) => {
                let plan = self.rewritten(&subquery.subquery)?;
                let Some(plan) = looked_for(&plan) else {
                    return Ok(false);
                };
                if may_be_one_row(plan) || !names_any_outer(plan)? {
                    return Ok(false);
                }
                let flat = self.flatten(plan, true)?;
                let flat = self.narrowed(flat, Vec::new())?;
                let kind = if wanted == *negated {
                    JoinType::LeftAnti
                } else {
                    JoinType::LeftSemi
                };
                self.join(flat, kind, Vec::new())?;
                Ok(true)
            }
            Expr::InSubquery(InSubquery {
                expr,
                subquery,
                negated,
            }) => {
                let (operator, quantifier) = if *negated {
                    (Operator::NotEq, SetQuantifier::All)
                } else {
                    (Operator::Eq, SetQuantifier::Any)
                };
                let value = expr.as_ref().clone();
                let comparison =
                    self.comparison(value, operator, quantifier, &subquery.subquery)?;
                self.keep(&comparison, wanted)
            }
            Expr::SetComparison(SetComparison {
                expr,
                subquery,
                op,
                quantifier,
            }) => {
                let value = expr.as_ref().clone();
                let comparison = self.comparison(value, *op, *quantifier, &subquery.subquery)?;
                self.keep(&comparison, wanted)
            }
            _ => Ok(false),
        }
    }
}

/// An inner join's condition may as well stand above it.
fn inner_join(mut join: Join, names: &Names) -> Result<LogicalPlan> {
    let conditions = join.filter.take().map(split_conjunction_owned);
    let (asking, plain): (Vec<_>, Vec<_>) = conditions
        .unwrap_or_default()
        .into_iter()
        .partition(has_subquery);
    join.filter = conjunction(plain);
    let joined = Arc::new(LogicalPlan::Join(join));
    match conjunction(asking) {
        Some(predicate) => rewrite_filter(Filter::try_new(predicate, joined)?, names),
        None => Ok(Arc::unwrap_or_clone(joined)),
    }
}

/// A condition of another join is computed beside the rows of the one side that it depends on.
fn outer_join(mut join: Join, names: &Names) -> Result<LogicalPlan> {
    let schema = Arc::clone(&join.schema);
    let conditions = join.filter.take().map(split_conjunction_owned);
    let mut left = Attach::new(Arc::unwrap_or_clone(join.left), names);
    let mut right = Attach::new(Arc::unwrap_or_clone(join.right), names);
    let mut all = Vec::new();
    for condition in conditions.unwrap_or_default() {
        all.push(replace_by_side(condition, &mut left, &mut right)?);
    }
    let mut on = Vec::new();
    for (one, other) in join.on {
        on.push((left.replace(one, false)?, right.replace(other, false)?));
    }
    let joined = Join::try_new(
        Arc::new(left.input),
        Arc::new(right.input),
        on,
        conjunction(all),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    let columns = schema.columns().into_iter().map(Expr::Column).collect();
    only(LogicalPlan::Join(joined), columns)
}

/// Whether a condition of a join asks a subquery about columns of both sides.
fn asks_about_both(join: &Join) -> Result<bool> {
    let both = |part: &Expr| {
        Ok(is_subquery(part)
            && names(part, join.left.schema())?
            && names(part, join.right.schema())?)
    };
    join.filter
        .as_ref()
        .map_or(Ok(false), |filter| filter.exists(both))
}

/// Such a condition is one within a LATERAL query: that of the side whose rows need not stay.
fn join_of_both(join: Join, names: &Names) -> Result<LogicalPlan> {
    let columns = join.schema.columns();
    let join = match join.join_type {
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti => {
            let on = join.on.into_iter().map(|(left, right)| (right, left));
            Join::try_new(
                join.right,
                join.left,
                on.collect(),
                join.filter,
                join.join_type.swap(),
                join.join_constraint,
                join.null_equality,
                join.null_aware,
            )?
        }
        JoinType::Full => {
            return plan_err!(
                "a subquery in the ON clause of a FULL JOIN that uses columns of both sides is not supported"
            );
        }
        _ => join,
    };
    let joined = lateral::join(join, names)?;
    only(joined, columns.into_iter().map(Expr::Column).collect())
}

/// Replaces each subquery of a join's condition on the side whose columns it names.
fn replace_by_side(expression: Expr, left: &mut Attach, right: &mut Attach) -> Result<Expr> {
    if !has_subquery(&expression) {
        return Ok(expression);
    }
    if !is_subquery(&expression) {
        return expression
            .map_children(|part| Ok(Transformed::yes(replace_by_side(part, left, right)?)))
            .data();
    }
    if names(&expression, &right.outer)? {
        right.replace(expression, false)
    } else {
        left.replace(expression, false)
    }
}

fn is_subquery(part: &Expr) -> bool {
    matches!(
        part,
        Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
    )
}

/// Whether a subquery, or the value that it is compared with, names columns of a schema.
fn names(expression: &Expr, schema: &DFSchemaRef) -> Result<bool> {
    let mut found = false;
    let mut look = |part: &Expr| {
        if let Expr::Column(column) | Expr::OuterReferenceColumn(_, column) = part {
            found |= schema.maybe_index_of_column(column).is_some();
        }
        Ok(TreeNodeRecursion::Continue)
    };
    expression.apply(&mut look)?;
    let subquery = match expression {
        Expr::ScalarSubquery(subquery) => subquery,
        Expr::Exists(exists) => &exists.subquery,
        Expr::InSubquery(inside) => &inside.subquery,
        Expr::SetComparison(set) => &set.subquery,
        _ => return Ok(found),
    };
    subquery.subquery.apply_with_subqueries(|node| {
        node.apply_expressions(|part| {
            part.apply(|part| {
                if let Expr::OuterReferenceColumn(_, column) = part {
                    found |= schema.maybe_index_of_column(column).is_some();
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

/// Projections, aggregates, windows and sorts read values that are joined to their input.
fn over_one_input(plan: LogicalPlan, names: &Names) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let input = plan.inputs()[0].clone();
    let below = input.schema().fields().len();
    let mut attach = Attach::new(input, names);
    let mut expressions = Vec::new();
    for expression in plan.expressions() {
        let (relation, name) = expression.qualified_name();
        let asks = has_subquery(&expression);
        let replaced = attach.replace(expression, false)?;
        expressions.push(match replaced {
            replaced if !asks || !matches!(plan, LogicalPlan::Projection(_)) => replaced,
            Expr::Alias(alias) => Expr::Alias(alias),
            other => Expr::Alias(Alias::new(other, relation, name)),
        });
    }
    let added = attach.input.schema().fields().len() - below;
    let rebuilt = plan.with_new_exprs(expressions, vec![attach.input])?;
    if matches!(rebuilt, LogicalPlan::Projection(_)) {
        return Ok(rebuilt);
    }
    let mut now = rebuilt.schema().columns();
    if !matches!(rebuilt, LogicalPlan::Aggregate(_)) {
        now.drain(below..below + added);
    }
    if now == schema.columns() && added == 0 {
        return Ok(rebuilt);
    }
    let named = now.into_iter().zip(schema.columns()).map(|(now, before)| {
        if now == before {
            Expr::Column(now)
        } else {
            Expr::Alias(Alias::new(Expr::Column(now), before.relation, before.name))
        }
    });
    only(rebuilt, named.collect())
}

/// Whether an expression asks whether a subquery has rows, or depends on a subquery's outer row.
fn asks_for_rows(expression: &Expr) -> bool {
    let asks = |part: &Expr| {
        Ok(match part {
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => true,
            Expr::ScalarSubquery(subquery) => names_any_outer(&subquery.subquery)?,
            _ => false,
        })
    };
    expression.exists(asks).unwrap_or(true)
}

/// Turns NOT around what it stands before, as far as that is as true as before.
fn without_not(expression: Expr) -> Expr {
    match expression {
        Expr::Not(inner) => match *inner {
            Expr::Not(inner) => without_not(*inner),
            Expr::InSubquery(mut inside) => {
                inside.negated = !inside.negated;
                Expr::InSubquery(inside)
            }
            Expr::Exists(mut exists) => {
                exists.negated = !exists.negated;
                Expr::Exists(exists)
            }
            other => not(other),
        },
        other => other,
    }
}

/// Leaves away what does not change whether a plan has rows; `None` where it always has one.
pub(super) fn looked_for(plan: &LogicalPlan) -> Option<&LogicalPlan> {
    match plan {
        LogicalPlan::Projection(projection) => looked_for(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => looked_for(&alias.input),
        LogicalPlan::Window(window) => looked_for(&window.input),
        LogicalPlan::Distinct(distinct) => looked_for(distinct.input()),
        LogicalPlan::Sort(sort) if sort.fetch != Some(0) => looked_for(&sort.input),
        LogicalPlan::Limit(limit) => {
            let skips = !matches!(limit.get_skip_type(), Ok(SkipType::Literal(0)));
            let none = !matches!(
                limit.get_fetch_type(),
                Ok(FetchType::Literal(None | Some(1..)))
            );
            if skips || none {
                Some(plan)
            } else {
                looked_for(&limit.input)
            }
        }
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => None,
        LogicalPlan::Aggregate(aggregate) => {
            let sets = |group: &Expr| matches!(group, Expr::GroupingSet(_));
            if aggregate.group_expr.iter().any(sets) {
                Some(plan)
            } else {
                looked_for(&aggregate.input)
            }
        }
        LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => None,
        other => Some(other),
    }
}

/// Leaves away order and repetition, which do not matter to who compares with each row.
pub(super) fn unordered(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
            unordered(Arc::unwrap_or_clone(sort.input))
        }
        LogicalPlan::Distinct(Distinct::All(input)) => unordered(Arc::unwrap_or_clone(input)),
        other => other,
    }
}

/// Whether `one_row` may take a plan.
pub(super) fn may_be_one_row(plan: &LogicalPlan) -> bool {
    super::one_row::has_one_row(plan)
}

/// Asks a plan that depends on nothing, once, whether it has rows.
pub(super) fn has_rows(plan: LogicalPlan) -> Result<Expr> {
    let rows = count(lit(1)).alias("count");
    let counted = LogicalPlanBuilder::from(plan)
        .limit(0, Some(1))?
        .aggregate(Vec::<Expr>::new(), vec![rows])?
        .project(vec![Expr::Column(Column::new_unqualified("count"))])?
        .build()?;
    let subquery = Expr::ScalarSubquery(Subquery {
        subquery: Arc::new(counted),
        outer_ref_columns: Vec::new(),
        spans: Spans::new(),
    });
    Ok(subquery.gt(lit(0i64)))
}
