//! Gives many joined relations their conditions, in a time that grows with their number.
//!
//! DataFusion 55.2 takes a tree of inner joins apart, looks at all relations and all conditions for each
//! join that it makes, and then begins again with the tree below: a chain of a hundred relations takes
//! seconds, one of five hundred hours. Small trees are left to its rule; it does no more than this one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{
    Column, JoinConstraint, JoinType, NullEquality, Result, internal_datafusion_err,
};
use datafusion::logical_expr::utils::{can_hash, conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, Join, LogicalPlan, Operator, Projection,
    build_join_schema,
};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::risk::may_fail;

/// Trees of so many relations are left to DataFusion's rule.
const MOST: usize = 24;

/// DataFusion's rule for few relations, and one of our own for many.
#[derive(Debug)]
pub(crate) struct ConnectJoins {
    inner: Arc<dyn OptimizerRule + Send + Sync>,
    most: usize,
}

impl ConnectJoins {
    pub(crate) fn new(inner: Arc<dyn OptimizerRule + Send + Sync>) -> Self {
        Self { inner, most: MOST }
    }

    fn is_large(&self, plan: &LogicalPlan) -> bool {
        relations(plan).is_some_and(|relations| relations > self.most)
    }

    fn has_large(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut found = false;
        plan.apply_with_subqueries(|node| {
            found = self.is_large(node);
            Ok(match found {
                true => TreeNodeRecursion::Stop,
                false => TreeNodeRecursion::Continue,
            })
        })?;
        Ok(found)
    }

    fn rewrite_inputs(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let rewritten = plan
            .map_uncorrelated_subqueries(|plan| self.rewrite(plan, config))?
            .transform_sibling(|plan| plan.map_children(|plan| self.rewrite(plan, config)))?;
        match rewritten.transformed {
            true => rewritten.map_data(LogicalPlan::recompute_schema),
            false => Ok(rewritten),
        }
    }
}

impl OptimizerRule for ConnectJoins {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if !self.has_large(&plan)? {
            return self.inner.rewrite(plan, config);
        }
        let parts = match &plan {
            LogicalPlan::Filter(filter) if self.is_large(&filter.input) => {
                Parts::of(&filter.input, Some(&filter.predicate))?
            }
            tree if self.is_large(tree) => Parts::of(tree, None)?,
            _ => return self.rewrite_inputs(plan, config),
        };
        let Some(mut parts) = parts else {
            return self.inner.rewrite(plan, config);
        };
        for relation in &mut parts.relations {
            let rewritten = self.rewrite(relation.clone(), config)?;
            *relation = rewritten.data;
        }
        let mut joined = parts.join()?;
        if plan.schema() != joined.schema() {
            let schema = Arc::clone(plan.schema());
            let projection = Projection::new_from_schema(Arc::new(joined), schema);
            joined = LogicalPlan::Projection(projection);
        }
        if let Some(filter) = conjunction(parts.filters) {
            joined = LogicalPlan::Filter(Filter::try_new(filter, Arc::new(joined))?);
        }
        Ok(Transformed::yes(joined))
    }
}

/// Counts the relations of a tree of inner joins; `None` for anything else.
fn relations(plan: &LogicalPlan) -> Option<usize> {
    let LogicalPlan::Join(_) = plan else {
        return None;
    };
    let mut count = 0;
    let mut open = vec![plan];
    while let Some(plan) = open.pop() {
        match plan {
            LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
                open.extend([join.right.as_ref(), join.left.as_ref()]);
            }
            _ => count += 1,
        }
    }
    Some(count)
}

/// Two values that must be equal, each of one relation.
struct Key {
    sides: [(usize, Expr); 2],
}

/// What a tree of inner joins consists of.
struct Parts {
    relations: Vec<LogicalPlan>,
    keys: Vec<Key>,
    /// What else must hold.
    filters: Vec<Expr>,
}

impl Parts {
    /// Takes a tree with the filter above it apart; `None` where this rule cannot.
    fn of(tree: &LogicalPlan, predicate: Option<&Expr>) -> Result<Option<Self>> {
        let mut relations = Vec::new();
        let mut equal = Vec::new();
        let mut conditions = Vec::new();
        let mut open = vec![tree];
        while let Some(plan) = open.pop() {
            match plan {
                LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
                    if join.null_aware || join.null_equality != NullEquality::NullEqualsNothing {
                        return Ok(None);
                    }
                    equal.extend(join.on.iter().cloned());
                    conditions.extend(join.filter.iter().cloned());
                    open.extend([join.right.as_ref(), join.left.as_ref()]);
                }
                relation => relations.push(relation.clone()),
            }
        }
        conditions.extend(predicate.cloned());
        let mut filters = Vec::new();
        for condition in conditions.into_iter().flat_map(split_conjunction_owned) {
            // Only what cannot fail may be computed before the other conditions.
            let moves = !condition.is_volatile() && !may_fail(&condition, tree.schema());
            match condition {
                Expr::BinaryExpr(BinaryExpr {
                    left,
                    op: Operator::Eq,
                    right,
                }) if moves => equal.push((*left, *right)),
                other => filters.push(other),
            }
        }
        let Some(owners) = owners(&relations) else {
            return Ok(None);
        };
        let mut keys = Vec::with_capacity(equal.len());
        for (left, right) in equal {
            match (owner(&left, &owners), owner(&right, &owners)) {
                (Some(one), Some(other))
                    if one != other && can_hash(&left.get_type(relations[one].schema())?) =>
                {
                    keys.push(Key {
                        sides: [(one, left), (other, right)],
                    });
                }
                _ => filters.push(left.eq(right)),
            }
        }
        Ok(Some(Self {
            relations,
            keys,
            filters,
        }))
    }

    /// Joins the relations: next comes the first one that has a condition with those before it.
    fn join(&self) -> Result<LogicalPlan> {
        let mut keys_of = vec![Vec::new(); self.relations.len()];
        for (number, key) in self.keys.iter().enumerate() {
            for (relation, _) in &key.sides {
                keys_of[*relation].push(number);
            }
        }
        let mut open: BTreeSet<usize> = (0..self.relations.len()).collect();
        let mut ready = BTreeSet::new();
        let mut joined: Option<LogicalPlan> = None;
        while let Some(next) = ready.pop_first().or_else(|| open.first().copied()) {
            open.remove(&next);
            let right = self.relations[next].clone();
            let mut on: Vec<(Expr, Expr)> = Vec::new();
            for number in &keys_of[next] {
                let [one, other] = &self.keys[*number].sides;
                let (ours, theirs) = if one.0 == next {
                    (one, other)
                } else {
                    (other, one)
                };
                if open.contains(&theirs.0) {
                    ready.insert(theirs.0);
                    continue;
                }
                let pair = (theirs.1.clone(), ours.1.clone());
                if !on.contains(&pair) {
                    on.push(pair);
                }
            }
            joined = Some(match joined {
                None => right,
                Some(left) => inner_join(left, right, on)?,
            });
        }
        joined.ok_or_else(|| internal_datafusion_err!("a join of no relations"))
    }
}

fn inner_join(left: LogicalPlan, right: LogicalPlan, on: Vec<(Expr, Expr)>) -> Result<LogicalPlan> {
    let schema = build_join_schema(left.schema(), right.schema(), &JoinType::Inner)?;
    Ok(LogicalPlan::Join(Join {
        left: Arc::new(left),
        right: Arc::new(right),
        on,
        filter: None,
        join_type: JoinType::Inner,
        join_constraint: JoinConstraint::On,
        schema: Arc::new(schema),
        null_equality: NullEquality::NullEqualsNothing,
        null_aware: false,
    }))
}

/// Finds the relation of each column; `None` where two relations have the same one.
fn owners(relations: &[LogicalPlan]) -> Option<HashMap<Column, usize>> {
    let mut owners = HashMap::new();
    for (number, relation) in relations.iter().enumerate() {
        for column in relation.schema().columns() {
            if owners.insert(column, number).is_some() {
                return None;
            }
        }
    }
    Some(owners)
}

/// Finds the one relation that an expression is about.
fn owner(expression: &Expr, owners: &HashMap<Column, usize>) -> Option<usize> {
    let mut found = None;
    for column in expression.column_refs() {
        let owner = owners.get(column)?;
        if *found.get_or_insert(*owner) != *owner {
            return None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::logical_expr::{LogicalPlanBuilder, col, table_scan};
    use datafusion::optimizer::OptimizerContext;
    use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;

    use super::*;

    fn relation(number: usize) -> LogicalPlan {
        let columns = ["k", "v"].map(|name| Field::new(name, DataType::Int64, true));
        let schema = Schema::new(columns.to_vec());
        let scan = table_scan(Some(format!("t{number}")), &schema, None).expect("a scan");
        scan.build().expect("a scan")
    }

    fn crossed(relations: usize) -> LogicalPlanBuilder {
        (1..relations).fold(LogicalPlanBuilder::from(relation(0)), |plan, number| {
            plan.cross_join(relation(number)).expect("a join")
        })
    }

    fn rewritten(plan: LogicalPlan, most: usize) -> LogicalPlan {
        let rule = ConnectJoins {
            inner: Arc::new(EliminateCrossJoin::new()),
            most,
        };
        let schema = Arc::clone(plan.schema());
        let config = OptimizerContext::new();
        let rewritten = rule.rewrite(plan, &config).expect("joins").data;
        assert_eq!(rewritten.schema(), &schema);
        rewritten
    }

    /// Counts the joins with a condition and those without.
    fn joins(plan: &LogicalPlan) -> (usize, usize) {
        let text = plan.display_indent().to_string();
        let count = |kind: &str| text.matches(kind).count();
        (count("Inner Join: "), count("Cross Join:"))
    }

    fn chain(relations: usize) -> LogicalPlan {
        let filter = (1..relations)
            .map(|number| col(format!("t{number}.k")).eq(col(format!("t{}.k", number - 1))));
        let filter = conjunction(filter).expect("conditions");
        let plan = crossed(relations).filter(filter).expect("a filter");
        plan.build().expect("a plan")
    }

    #[test]
    fn conditions_become_those_of_joins() {
        for (relations, most) in [(4, 2), (4, 1000), (60, MOST)] {
            let plan = rewritten(chain(relations), most);
            assert_eq!(joins(&plan), (relations - 1, 0), "{relations} {most}");
            assert!(matches!(plan, LogicalPlan::Join(_)));
        }
    }

    #[test]
    fn relations_without_a_condition_come_after_those_that_have_one() {
        let filter = col("t0.k").eq(col("t2.v")).and(col("t0.v").gt(col("t1.v")));
        for most in [1, 1000] {
            let plan = crossed(3).filter(filter.clone()).expect("a filter");
            let plan = rewritten(plan.build().expect("a plan"), most);
            assert_eq!(joins(&plan), (1, 1), "{most}");
            // What is no equality stays above, and columns have their places.
            let text = plan.display_indent().to_string();
            assert!(text.starts_with("Filter: t0.v > t1.v"), "{text}");
            assert!(text.contains("Projection: t0.k, t0.v, t1.k"), "{text}");
        }
    }

    #[test]
    fn conditions_of_one_relation_or_of_three_stay_conditions() {
        let filter = col("t0.k")
            .eq(col("t0.v"))
            .and((col("t0.k") + col("t1.k")).eq(col("t2.k")));
        let plan = crossed(3).filter(filter).expect("a filter");
        let plan = rewritten(plan.build().expect("a plan"), 1);
        assert_eq!(joins(&plan), (0, 2));
        assert!(matches!(plan, LogicalPlan::Filter(_)));
    }
}
