//! Flattens joins whose sides or conditions name the outer row.

use datafusion::common::{DFSchema, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder};

use super::domain::same;
use super::flatten::{Flat, Flattener, join_plans};

impl Flattener<'_> {
    /// Conditions on the outer row move up through inner joins and past the side that outer joins keep.
    pub(super) fn join_compared(&self, join: &Join, loose: bool) -> Result<Option<Flat>> {
        let (left_moves, right_moves) = match join.join_type {
            JoinType::Inner => (true, true),
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                (true, false)
            }
            JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                (false, true)
            }
            JoinType::Full => (false, false),
        };
        let fixed = !left_moves && self.depends(&join.left)?
            || !right_moves && self.depends(&join.right)?;
        if fixed
            || join
                .on
                .iter()
                .any(|(a, b)| self.names_outer(a) || self.names_outer(b))
        {
            return Ok(None);
        }
        let Some(left) = self.flatten(&join.left, loose)? else {
            return Ok(None);
        };
        let Some(right) = self.flatten(&join.right, loose)? else {
            return Ok(None);
        };
        let parts = join.filter.as_ref().map(split_conjunction);
        let (outer, kept): (Vec<_>, Vec<_>) = parts
            .unwrap_or_default()
            .into_iter()
            .partition(|part| self.names_outer(part));
        if !outer.is_empty() && join.join_type != JoinType::Inner {
            return Ok(None);
        }
        let rebuilt = Join::try_new(
            left.plan.into(),
            right.plan.into(),
            join.on.clone(),
            conjunction(kept.into_iter().cloned()),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?;
        let mut flat = Flat {
            plan: LogicalPlan::Join(rebuilt),
            pairs: left.pairs,
            rest: left.rest,
        };
        flat.pairs.extend(right.pairs);
        flat.rest.extend(right.rest);
        match conjunction(outer.into_iter().cloned()) {
            Some(predicate) => self.filter(flat, &predicate, loose),
            None => Ok(Some(flat)),
        }
    }

    /// Sides that depend on the outer row carry its values; two that do meet on them.
    pub(super) fn join_domain(&self, join: &Join) -> Result<Option<Flat>> {
        if join.null_aware {
            return self.null_aware_domain(join);
        }
        let keeps_left = matches!(
            join.join_type,
            JoinType::Left
                | JoinType::LeftSemi
                | JoinType::LeftAnti
                | JoinType::LeftMark
                | JoinType::Full
        );
        let keeps_right = matches!(
            join.join_type,
            JoinType::Right
                | JoinType::RightSemi
                | JoinType::RightAnti
                | JoinType::RightMark
                | JoinType::Full
        );
        let (left_depends, right_depends) = (self.depends(&join.left)?, self.depends(&join.right)?);
        let left_carries = left_depends || keeps_left || (!right_depends && !keeps_right);
        let right_carries = right_depends || keeps_right;
        let carried = |plan: &LogicalPlan, carries: bool| {
            if carries {
                self.flatten(plan, false)
            } else {
                Ok(Some(Flat {
                    plan: plan.clone(),
                    pairs: Vec::new(),
                    rest: Vec::new(),
                }))
            }
        };
        let Some(left) = carried(&join.left, left_carries)? else {
            return Ok(None);
        };
        let Some(right) = carried(&join.right, right_carries)? else {
            return Ok(None);
        };
        let pairs = if left_carries && (keeps_left || !keeps_right) {
            &left.pairs
        } else {
            &right.pairs
        };
        let mut conditions = Vec::new();
        if let Some(filter) = &join.filter {
            let Some(resolved) = self.resolve(filter, pairs)? else {
                return Ok(None);
            };
            conditions.push(resolved);
        }
        for (one, other) in &join.on {
            let resolved = (self.resolve(one, pairs)?, self.resolve(other, pairs)?);
            let (Some(one), Some(other)) = resolved else {
                return Ok(None);
            };
            match join.null_equality {
                datafusion::common::NullEquality::NullEqualsNothing => {
                    conditions.push(one.eq(other));
                }
                datafusion::common::NullEquality::NullEqualsNull => {
                    let schemas = (left.plan.schema(), right.plan.schema());
                    conditions.extend(same(one, schemas.0, other, schemas.1)?);
                }
            }
        }
        for (one, other) in left.pairs.iter().zip(&right.pairs) {
            let (one, other) = (one.inner.clone(), other.inner.clone());
            let schemas = (left.plan.schema(), right.plan.schema());
            conditions.extend(same(one, schemas.0, other, schemas.1)?);
        }
        let mut pairs = pairs.clone();
        if join.join_type == JoinType::Full {
            for (pair, other) in pairs.iter_mut().zip(&right.pairs) {
                pair.inner = coalesce(vec![pair.inner.clone(), other.inner.clone()]);
            }
        }
        let plan = join_plans(left.plan, right.plan, join.join_type, conditions)?;
        let mut flat = Flat {
            plan,
            pairs,
            rest: Vec::new(),
        };
        self.materialize(&mut flat)?;
        Ok(Some(flat))
    }
    /// NOT IN looks at all rows of its right side, which do not depend on the outer row.
    fn null_aware_domain(&self, join: &Join) -> Result<Option<Flat>> {
        let compares = |part: &Expr| self.names_outer(part);
        if self.depends(&join.right)? || join.filter.as_ref().is_some_and(compares) {
            return Ok(None);
        }
        let Some(mut left) = self.flatten(&join.left, false)? else {
            return Ok(None);
        };
        let plan = std::mem::take(&mut left.plan);
        left.plan = LogicalPlan::Join(Join::try_new(
            plan.into(),
            join.right.clone(),
            join.on.clone(),
            join.filter.clone(),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?);
        Ok(Some(left))
    }
}

/// Returns the conditions on which a flat plan belongs to the outer rows.
pub(super) fn belongs(
    flat: &Flat,
    inner: &LogicalPlan,
    outer: &DFSchema,
    inside_outer: impl Fn(Expr) -> Result<Expr>,
) -> Result<Vec<Expr>> {
    let mut conditions = Vec::new();
    for pair in &flat.pairs {
        let key = inside_outer(pair.outer.clone())?;
        if pair.null_safe {
            conditions.extend(same(key, outer, pair.inner.clone(), inner.schema())?);
        } else {
            conditions.push(key.eq(pair.inner.clone()));
        }
    }
    for condition in &flat.rest {
        conditions.push(inside_outer(condition.clone())?);
    }
    Ok(conditions)
}

/// Keeps the named columns of a plan.
pub(super) fn only(plan: LogicalPlan, columns: Vec<Expr>) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
