//! Rows that are the same whenever they are evaluated.
//!
//! The values of the outer columns are evaluated twice, once as outer rows and once as what a subquery is
//! evaluated for. LIMIT may choose others the second time, and a random function gives others.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, ExprSchema, Result};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{
    Distinct, Expr, FetchType, Join, JoinType, Limit, LogicalPlan, LogicalPlanBuilder, SkipType,
    Sort, SubqueryAlias, Union,
};

use super::has_subquery;
use crate::risk::may_fail;

/// The node by which a hint says something about its one input, whose rows it keeps.
pub(super) const HINT: &str = "Hint";

/// Returns a plan that has all values of the columns, and maybe more, whenever it is evaluated.
pub(super) fn with_all_values(
    plan: &LogicalPlan,
    columns: &[Column],
) -> Result<Option<LogicalPlan>> {
    if is_repeatable(plan)? || gives_same(plan, columns)? {
        return Ok(Some(plan.clone()));
    }
    match plan {
        LogicalPlan::Filter(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => of_input(plan.inputs()[0], columns),
        LogicalPlan::Extension(extension) if extension.node.name() == HINT => {
            of_input(plan.inputs()[0], columns)
        }
        LogicalPlan::Projection(projection) => {
            let places = places(plan, columns);
            let written = places.map(|places| pick(&projection.expr, &places));
            computed(&projection.input, columns, written)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let written = places(plan, columns).and_then(|places| {
                let groups = aggregate.group_expr.len();
                let grouped = places.iter().all(|place| *place < groups);
                let sets = |group: &Expr| matches!(group, Expr::GroupingSet(_));
                let plain = grouped
                    && !aggregate.group_expr.iter().any(sets)
                    && aggregate.schema.fields().len() == groups + aggregate.aggr_expr.len();
                plain.then(|| pick(&aggregate.group_expr, &places))
            });
            computed(&aggregate.input, columns, written)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let inner = alias.input.schema().columns();
            let Some(places) = places(plan, columns) else {
                return Ok(None);
            };
            let inner: Vec<_> = places
                .into_iter()
                .map(|place| inner[place].clone())
                .collect();
            let input = narrowed(&alias.input, &inner)?;
            let aliased =
                input.map(|input| SubqueryAlias::try_new(input.into(), alias.alias.clone()));
            Ok(aliased.transpose()?.map(LogicalPlan::SubqueryAlias))
        }
        LogicalPlan::Join(join) => of_join(join, columns),
        LogicalPlan::Union(union) => {
            let Some(places) = places(plan, columns) else {
                return Ok(None);
            };
            let mut inputs = Vec::new();
            for input in &union.inputs {
                let inner = input.schema().columns();
                let written = places
                    .iter()
                    .map(|place| Expr::Column(inner[*place].clone()));
                let Some(input) = computed(input, columns, Some(written.collect()))? else {
                    return Ok(None);
                };
                inputs.push(Arc::new(input));
            }
            Ok(Some(LogicalPlan::Union(Union::try_new(inputs)?)))
        }
        _ => Ok(None),
    }
}

/// The values of columns that a plan takes over from its input, more of whose rows do no harm.
fn of_input(input: &LogicalPlan, columns: &[Column]) -> Result<Option<LogicalPlan>> {
    if !has_all(input, columns) {
        return Ok(None);
    }
    with_all_values(input, columns)
}

/// The values of expressions over an input, as the given columns.
fn computed(
    input: &LogicalPlan,
    columns: &[Column],
    written: Option<Vec<Expr>>,
) -> Result<Option<LogicalPlan>> {
    let Some(written) = written else {
        return Ok(None);
    };
    // They are computed for rows too that LIMIT leaves out.
    let harmless = |value: &Expr| is_fixed(value) && !may_fail(value, input.schema());
    if !written.iter().all(harmless) {
        return Ok(None);
    }
    let Some(input) = with_all_values(input, &read_by(&written))? else {
        return Ok(None);
    };
    let named = columns.iter().cloned().zip(written).map(|(column, value)| {
        Expr::Alias(Alias::new(value.unalias(), column.relation, column.name))
    });
    LogicalPlanBuilder::from(input)
        .project(named)?
        .build()
        .map(Some)
}

/// The values of columns, and no other column.
fn narrowed(input: &LogicalPlan, columns: &[Column]) -> Result<Option<LogicalPlan>> {
    let Some(input) = with_all_values(input, columns)? else {
        return Ok(None);
    };
    let kept = columns.iter().cloned().map(Expr::Column);
    LogicalPlanBuilder::from(input)
        .project(kept)?
        .build()
        .map(Some)
}

fn of_join(join: &Join, columns: &[Column]) -> Result<Option<LogicalPlan>> {
    let keeps_left = matches!(
        join.join_type,
        JoinType::Inner
            | JoinType::Left
            | JoinType::LeftSemi
            | JoinType::LeftAnti
            | JoinType::LeftMark
    );
    if keeps_left && has_all(&join.left, columns) {
        return with_all_values(&join.left, columns);
    }
    if join.join_type == JoinType::Inner && has_all(&join.right, columns) {
        return with_all_values(&join.right, columns);
    }
    let pairs = join.on.iter().flat_map(|(one, other)| [one, other]);
    let conditions: Vec<_> = pairs.chain(&join.filter).cloned().collect();
    let harmless = |part: &Expr| is_fixed(part) && !may_fail(part, &join.schema);
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left)
        || !conditions.iter().all(harmless)
    {
        return Ok(None);
    }
    let read: HashSet<_> = read_by(&conditions)
        .into_iter()
        .chain(columns.iter().cloned())
        .collect();
    let side = |plan: &LogicalPlan| -> Vec<Column> {
        let own = plan.schema().columns().into_iter();
        own.filter(|column| read.contains(column)).collect()
    };
    let Some(left) = with_all_values(&join.left, &side(&join.left))? else {
        return Ok(None);
    };
    let right = match join.join_type {
        // More rows on this side would take away those that no row belongs to.
        JoinType::Left if !gives_same(&join.right, &side(&join.right))? => return Ok(None),
        JoinType::Left => Some(join.right.as_ref().clone()),
        _ => with_all_values(&join.right, &side(&join.right))?,
    };
    let Some(right) = right else {
        return Ok(None);
    };
    let joined = Join::try_new(
        left.into(),
        right.into(),
        join.on.clone(),
        join.filter.clone(),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    Ok(Some(LogicalPlan::Join(joined)))
}

/// Whether a plan gives the same rows whenever it is evaluated, as nothing in it chooses.
fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut repeatable = true;
    plan.apply_with_subqueries(|node| {
        let mut chosen = match node {
            LogicalPlan::Limit(_) => true,
            LogicalPlan::Sort(sort) => sort.fetch.is_some(),
            LogicalPlan::Extension(extension) => extension.node.name() != HINT,
            _ => false,
        };
        node.apply_expressions(|expression| {
            chosen |= expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        repeatable &= !chosen;
        Ok(if repeatable {
            TreeNodeRecursion::Continue
        } else {
            TreeNodeRecursion::Stop
        })
    })?;
    Ok(repeatable)
}

/// Whether a plan gives the same values of some columns whenever it is evaluated, although LIMIT chooses rows.
fn gives_same(plan: &LogicalPlan, columns: &[Column]) -> Result<bool> {
    if is_repeatable(plan)? {
        return Ok(true);
    }
    let read = |expressions: &[Expr]| {
        let fixed = expressions.iter().all(is_fixed);
        fixed.then(|| read_by(expressions))
    };
    match plan {
        LogicalPlan::Limit(limit) => limit_gives_same(limit, columns),
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => gives_same(&sort.input, columns),
        LogicalPlan::Sort(sort) => chosen_by_order(sort, columns),
        LogicalPlan::SubqueryAlias(alias) => {
            let inner = alias.input.schema().columns();
            let Some(places) = places(plan, columns) else {
                return Ok(false);
            };
            let inner: Vec<_> = places
                .into_iter()
                .map(|place| inner[place].clone())
                .collect();
            gives_same(&alias.input, &inner)
        }
        LogicalPlan::Projection(projection) => {
            let written = places(plan, columns).map(|places| pick(&projection.expr, &places));
            match written.and_then(|written| read(&written)) {
                Some(inner) => gives_same(&projection.input, &inner),
                None => Ok(false),
            }
        }
        LogicalPlan::Filter(filter) => match read(std::slice::from_ref(&filter.predicate)) {
            Some(mut inner) => {
                inner.extend(columns.iter().cloned());
                gives_same(&filter.input, &inner)
            }
            None => Ok(false),
        },
        LogicalPlan::Aggregate(aggregate) => {
            let all = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
            match read(&all.cloned().collect::<Vec<_>>()) {
                Some(inner) => gives_same(&aggregate.input, &inner),
                None => Ok(false),
            }
        }
        LogicalPlan::Distinct(Distinct::All(input)) => gives_same(input, &input.schema().columns()),
        LogicalPlan::Join(join) => {
            let pairs = join.on.iter().flat_map(|(one, other)| [one, other]);
            let conditions: Vec<_> = pairs.chain(&join.filter).cloned().collect();
            let Some(mut inner) = read(&conditions) else {
                return Ok(false);
            };
            inner.extend(columns.iter().cloned());
            let side = |plan: &LogicalPlan| {
                let own = plan.schema().columns().into_iter();
                let own: Vec<_> = own.filter(|column| inner.contains(column)).collect();
                gives_same(plan, &own)
            };
            Ok(side(&join.left)? && side(&join.right)?)
        }
        LogicalPlan::Extension(extension) if extension.node.name() == HINT => {
            gives_same(plan.inputs()[0], columns)
        }
        _ => Ok(false),
    }
}

/// A limit chooses nothing where its input has no more rows, where only their number is asked for, or where
/// its order decides all that is asked for.
fn limit_gives_same(limit: &Limit, columns: &[Column]) -> Result<bool> {
    let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
        (limit.get_skip_type()?, limit.get_fetch_type()?)
    else {
        return Ok(false);
    };
    let takes_all = match (fetch, limit.input.max_rows()) {
        (None, _) => true,
        (Some(fetch), Some(rows)) => rows <= fetch,
        (Some(_), None) => false,
    };
    if skip == 0 && takes_all || columns.is_empty() {
        return gives_same(&limit.input, columns);
    }
    let mut input = limit.input.as_ref();
    let mut columns = columns.to_vec();
    loop {
        match input {
            LogicalPlan::Sort(sort) => return chosen_by_order(sort, &columns),
            LogicalPlan::Projection(projection) => {
                let Some(places) = places(input, &columns) else {
                    return Ok(false);
                };
                let written = pick(&projection.expr, &places);
                if !written.iter().all(is_fixed) {
                    return Ok(false);
                }
                columns = read_by(&written);
                input = projection.input.as_ref();
            }
            _ => return Ok(false),
        }
    }
}

/// Whether rows that an order puts first have the same values of some columns: rows between which the order
/// does not decide differ in none of them.
fn chosen_by_order(sort: &Sort, columns: &[Column]) -> Result<bool> {
    let keys: Vec<_> = sort.expr.iter().map(|key| key.expr.clone()).collect();
    let is_key = |column: &Column| {
        let known = keys.iter().any(|key| *key == Expr::Column(column.clone()));
        // 0.0 and -0.0 are in no order.
        let field = sort.input.schema().field_from_column(column);
        known
            && field.is_ok_and(|field| {
                !field.data_type().is_floating() && !field.data_type().is_nested()
            })
    };
    if !columns.iter().all(is_key) || !keys.iter().all(is_fixed) {
        return Ok(false);
    }
    gives_same(&sort.input, &read_by(&keys))
}

/// Whether an expression gives the same for the same row; what a subquery gives is not looked at.
fn is_fixed(expression: &Expr) -> bool {
    !expression.is_volatile() && !has_subquery(expression)
}

fn has_all(plan: &LogicalPlan, columns: &[Column]) -> bool {
    places(plan, columns).is_some()
}

/// Returns where a plan has the columns.
fn places(plan: &LogicalPlan, columns: &[Column]) -> Option<Vec<usize>> {
    let schema = plan.schema();
    let places = columns
        .iter()
        .map(|column| schema.maybe_index_of_column(column));
    places.collect()
}

fn pick(expressions: &[Expr], places: &[usize]) -> Vec<Expr> {
    places
        .iter()
        .map(|place| expressions[*place].clone())
        .collect()
}

/// Returns the columns that expressions read, each once.
fn read_by(expressions: &[Expr]) -> Vec<Column> {
    let mut read: Vec<Column> = Vec::new();
    for expression in expressions {
        for column in expression.column_refs() {
            if !read.contains(column) {
                read.push(column.clone());
            }
        }
    }
    read.sort();
    read
}
