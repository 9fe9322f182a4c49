//! Evaluates a subquery for all outer rows at once.
//!
//! The outcome is a plan without the outer columns, and what must hold between one of its rows and an outer
//! row for it to belong to that row's subquery.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, Result};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, lit,
};

use super::domain::Domain;
use super::names::{Names, is_made};
use super::repeatable::HINT;

/// A subquery that no longer names the outer row.
pub(super) struct Flat {
    pub(super) plan: LogicalPlan,
    /// What an outer row must share with a row of the plan.
    pub(super) pairs: Vec<Pair>,
    /// What else must be true of an outer row and a row of the plan.
    pub(super) rest: Vec<Expr>,
}

/// An expression over the outer row, and the one over the plan that must equal it.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) outer: Expr,
    pub(super) inner: Expr,
    /// Whether NULL belongs to NULL.
    pub(super) null_safe: bool,
}

/// How the values of the outer row come into the plan.
pub(super) enum Source<'a> {
    /// Columns of the plan that are compared with them by `=` stand for them.
    Compared,
    /// The distinct values of all outer rows are joined in.
    Domain(&'a Domain),
}

/// Flattens one subquery.
pub(super) struct Flattener<'a> {
    pub(super) names: &'a Names,
    /// The outer row.
    pub(super) outer: &'a DFSchema,
    pub(super) source: Source<'a>,
}

impl Flattener<'_> {
    /// Returns `None` where the plan cannot be flattened from this source.
    ///
    /// A `loose` result may leave conditions other than equalities to the join with the outer rows. That is
    /// right where rows are only looked for: nothing above counts, orders or numbers them.
    pub(super) fn flatten(&self, plan: &LogicalPlan, loose: bool) -> Result<Option<Flat>> {
        if !self.depends(plan)? {
            return self.independent(plan).map(Some);
        }
        match plan {
            LogicalPlan::Filter(filter) => {
                let Some(flat) = self.flatten(&filter.input, loose)? else {
                    return Ok(None);
                };
                self.filter(flat, &filter.predicate, loose)
            }
            LogicalPlan::Projection(projection) => {
                let Some(mut flat) = self.flatten(&projection.input, loose)? else {
                    return Ok(None);
                };
                let Some(mut expressions) = self.resolve_named(&projection.expr, &flat.pairs)?
                else {
                    return Ok(None);
                };
                self.carry(&mut flat, &mut expressions);
                flat.plan = LogicalPlanBuilder::from(flat.plan)
                    .project(expressions)?
                    .build()?;
                Ok(Some(flat))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let Some(mut flat) = self.flatten(&alias.input, loose)? else {
                    return Ok(None);
                };
                self.materialize(&mut flat)?;
                flat.plan = LogicalPlanBuilder::from(flat.plan)
                    .alias(alias.alias.clone())?
                    .build()?;
                let requalified = |column: Column| {
                    Expr::Column(Column::new(Some(alias.alias.clone()), column.name))
                };
                flat.map_inner(requalified)?;
                Ok(Some(flat))
            }
            LogicalPlan::Join(join) => match self.source {
                Source::Compared => self.join_compared(join, loose),
                Source::Domain(_) => self.join_domain(join),
            },
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Distinct(distinct) => self.distinct(distinct),
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => self.flatten(&sort.input, loose),
            LogicalPlan::Sort(sort) => self.limit(plan, 0, sort.fetch),
            LogicalPlan::Limit(limit) => self.limited(limit),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            // What a hint asks for rows of one outer row is nothing to do for those of all.
            LogicalPlan::Extension(extension) if extension.node.name() == HINT => {
                self.flatten(plan.inputs()[0], loose)
            }
            _ => Ok(None),
        }
    }

    /// Whether a plan names the outer row.
    pub(super) fn depends(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut found = false;
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expression| {
                found |= self.names_outer(expression);
                Ok(TreeNodeRecursion::Continue)
            })?;
            Ok(if found {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        })?;
        Ok(found)
    }

    /// Whether an expression names the outer row; the rows around that one are constants here.
    pub(super) fn names_outer(&self, expression: &Expr) -> bool {
        expression
            .exists(|part| Ok(is_own(part, self.outer)))
            .expect("looking at an expression does not fail")
    }

    fn independent(&self, plan: &LogicalPlan) -> Result<Flat> {
        let mut flat = Flat {
            plan: plan.clone(),
            pairs: Vec::new(),
            rest: Vec::new(),
        };
        if let Source::Domain(domain) = self.source {
            let (rows, columns) = domain.rows(self.names)?;
            flat.pairs = self.domain_pairs(domain, columns);
            flat.plan = match plan {
                LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => rows,
                _ => LogicalPlanBuilder::from(plan.clone())
                    .cross_join(rows)?
                    .build()?,
            };
        }
        Ok(flat)
    }

    pub(super) fn domain_pairs(&self, domain: &Domain, columns: Vec<Column>) -> Vec<Pair> {
        let outer = domain.columns.iter().cloned();
        outer
            .zip(columns)
            .map(|(outer, inner)| Pair {
                outer: outer_reference(outer, self.outer),
                inner: Expr::Column(inner),
                null_safe: true,
            })
            .collect()
    }

    /// Applies a condition of the subquery.
    pub(super) fn filter(
        &self,
        mut flat: Flat,
        predicate: &Expr,
        loose: bool,
    ) -> Result<Option<Flat>> {
        let mut kept = Vec::new();
        let mut outer = Vec::new();
        for part in split_conjunction(predicate) {
            if !self.names_outer(part) {
                kept.push(part.clone());
            } else if let Some(pair) = self.pair(part) {
                flat.pairs.push(pair);
            } else {
                outer.push(part);
            }
        }
        for part in outer {
            if let Some(resolved) = self.resolve(part, &flat.pairs)? {
                kept.push(resolved);
            } else if loose {
                flat.rest.push(part.clone());
            } else {
                return Ok(None);
            }
        }
        if let Some(predicate) = conjunction(kept) {
            flat.plan = LogicalPlanBuilder::from(flat.plan)
                .filter(predicate)?
                .build()?;
        }
        Ok(Some(flat))
    }

    /// Reads `outer = inner`, where values of the outer row are to be compared.
    pub(super) fn pair(&self, condition: &Expr) -> Option<Pair> {
        let Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) = condition
        else {
            return None;
        };
        if !matches!(self.source, Source::Compared) || condition.is_volatile() {
            return None;
        }
        let is_outer = |side: &Expr| self.names_outer(side) && side.column_refs().is_empty();
        let is_inner = |side: &Expr| !self.names_outer(side) && !side.column_refs().is_empty();
        let (outer, inner) = if is_outer(left) && is_inner(right) {
            (left, right)
        } else if is_inner(left) && is_outer(right) {
            (right, left)
        } else {
            return None;
        };
        Some(Pair {
            outer: outer.as_ref().clone(),
            inner: inner.as_ref().clone(),
            null_safe: false,
        })
    }

    /// Puts the plan's own values into the places of the outer row's; `None` where one is not known.
    pub(super) fn resolve(&self, expression: &Expr, pairs: &[Pair]) -> Result<Option<Expr>> {
        let mut all = true;
        let resolved = expression.clone().transform_down(|part| {
            if !is_own(&part, self.outer) {
                return Ok(Transformed::no(part));
            }
            let known = pairs.iter().find(|pair| {
                is_same_column(&pair.outer, &part)
                    && (pair.null_safe || is_same_when_equal(&pair.outer))
            });
            Ok(match known {
                Some(pair) => Transformed::new(pair.inner.clone(), true, TreeNodeRecursion::Jump),
                None => {
                    all = false;
                    Transformed::no(part)
                }
            })
        });
        Ok(all.then_some(resolved.data()?))
    }

    /// Resolves expressions that name columns; the names stay.
    pub(super) fn resolve_named(
        &self,
        expressions: &[Expr],
        pairs: &[Pair],
    ) -> Result<Option<Vec<Expr>>> {
        let mut all = Vec::new();
        for expression in expressions {
            if !self.names_outer(expression) {
                all.push(expression.clone());
                continue;
            }
            let Some(resolved) = self.resolve(expression, pairs)? else {
                return Ok(None);
            };
            let (relation, name) = expression.qualified_name();
            all.push(match resolved {
                Expr::Alias(alias) => Expr::Alias(alias),
                other => Expr::Alias(Alias::new(other, relation, name)),
            });
        }
        Ok(Some(all))
    }

    /// Adds what pairs and conditions need to the columns that a projection keeps.
    fn carry(&self, flat: &mut Flat, kept: &mut Vec<Expr>) {
        let mut carried: Vec<(Expr, Column)> = Vec::new();
        let mut carry = |inner: &Expr| -> Expr {
            if let Expr::Column(column) = inner {
                if kept.contains(inner) {
                    return inner.clone();
                }
                if is_made(column) {
                    kept.push(inner.clone());
                    return inner.clone();
                }
            }
            if let Some((_, column)) = carried.iter().find(|(known, _)| known == inner) {
                return Expr::Column(column.clone());
            }
            let (expression, column) = self.names.column(inner.clone(), "key");
            kept.push(expression);
            carried.push((inner.clone(), column.clone()));
            Expr::Column(column)
        };
        for pair in &mut flat.pairs {
            pair.inner = carry(&pair.inner);
        }
        for condition in &mut flat.rest {
            let taken = std::mem::take(condition);
            *condition = taken
                .transform_down(|part| {
                    Ok(match part {
                        Expr::Column(_) => {
                            Transformed::new(carry(&part), true, TreeNodeRecursion::Jump)
                        }
                        other => Transformed::no(other),
                    })
                })
                .data()
                .expect("renaming columns does not fail");
        }
    }

    /// Makes columns of the expressions that pairs compare.
    pub(super) fn materialize(&self, flat: &mut Flat) -> Result<()> {
        let is_column = |pair: &Pair| matches!(pair.inner, Expr::Column(_));
        if flat.pairs.iter().all(is_column) {
            return Ok(());
        }
        let columns = flat.plan.schema().columns();
        let mut expressions: Vec<_> = columns.into_iter().map(Expr::Column).collect();
        for pair in &mut flat.pairs {
            if !is_column(pair) {
                let (expression, column) = self.names.column(pair.inner.clone(), "key");
                expressions.push(expression);
                pair.inner = Expr::Column(column);
            }
        }
        flat.plan = LogicalPlanBuilder::from(std::mem::take(&mut flat.plan))
            .project(expressions)?
            .build()?;
        Ok(())
    }
}

impl Flat {
    /// Renames the plan's columns in pairs and conditions.
    pub(super) fn map_inner(&mut self, rename: impl Fn(Column) -> Expr) -> Result<()> {
        let renamed = |expression: Expr| {
            let outcome = expression.transform_down(|part| {
                Ok(match part {
                    Expr::Column(column) => {
                        Transformed::new(rename(column), true, TreeNodeRecursion::Jump)
                    }
                    other => Transformed::no(other),
                })
            });
            outcome.data()
        };
        for pair in &mut self.pairs {
            pair.inner = renamed(std::mem::take(&mut pair.inner))?;
        }
        for condition in &mut self.rest {
            *condition = renamed(std::mem::take(condition))?;
        }
        Ok(())
    }

    /// Returns the plan's columns that stand for the outer row, each once.
    pub(super) fn keys(&self) -> Vec<Expr> {
        let mut keys: Vec<Expr> = Vec::new();
        for pair in &self.pairs {
            if !keys.contains(&pair.inner) {
                keys.push(pair.inner.clone());
            }
        }
        keys
    }
}

/// Joins two plans on all the conditions; without one every row meets every row.
pub(super) fn join_plans(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    mut conditions: Vec<Expr>,
) -> Result<LogicalPlan> {
    if conditions.is_empty() {
        conditions.push(lit(true));
    }
    LogicalPlanBuilder::from(left)
        .join_on(right, kind, conditions)?
        .build()
}

/// Whether an expression is a column of the outer row, and not of a row around that one.
pub(super) fn is_own(expression: &Expr, outer: &DFSchema) -> bool {
    matches!(expression, Expr::OuterReferenceColumn(_, column)
        if outer.maybe_index_of_column(column).is_some())
}

/// Whether two references name one column; what is known of its field may differ.
fn is_same_column(one: &Expr, other: &Expr) -> bool {
    matches!((one, other), (Expr::OuterReferenceColumn(_, one), Expr::OuterReferenceColumn(_, other))
        if one == other)
}

/// Whether values that are equal cannot be told apart: of floating-point numbers 0.0 equals -0.0.
fn is_same_when_equal(outer: &Expr) -> bool {
    let Expr::OuterReferenceColumn(field, _) = outer else {
        return false;
    };
    let kind = field.data_type();
    !kind.is_floating() && !kind.is_nested() && !matches!(kind, DataType::Interval(_))
}

fn outer_reference(column: Column, outer: &DFSchema) -> Expr {
    let field = outer
        .field_from_column(&column)
        .expect("the domain's columns are the outer row's");
    Expr::OuterReferenceColumn(Arc::clone(field), column)
}

/// Puts the outer row's columns into the places of references to them.
pub(super) fn inside_outer(expression: Expr, outer: &DFSchema) -> Result<Expr> {
    expression
        .transform_down(|part| {
            Ok(match part {
                Expr::OuterReferenceColumn(_, ref column) if is_own(&part, outer) => {
                    Transformed::new(Expr::Column(column.clone()), true, TreeNodeRecursion::Jump)
                }
                other => Transformed::no(other),
            })
        })
        .data()
}
