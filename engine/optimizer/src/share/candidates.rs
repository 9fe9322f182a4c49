//! Finds the subplans of a plan that are equal and worth to be computed once.
//!
//! Worth it is what groups, compares whole rows or computes windows: its result is smaller than what it is
//! made of, or took a sort. Scans with filters, and joins alone, are left to be computed where they are read,
//! since more can be pushed into them there.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::DefaultTableSource;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, TableSource};

use super::source::Placeholder;

/// Returns each subplan that is to be computed once, and of those that are nested the outermost.
pub(super) fn repeated(plan: &LogicalPlan) -> Result<Vec<LogicalPlan>> {
    if heavy_nodes(plan)? < 2 {
        return Ok(Vec::new());
    }
    let mut groups = Groups::default();
    let mut found = Vec::new();
    look(plan, &mut found)?;
    for candidate in found {
        groups.add(candidate);
    }
    groups.numbers.retain(|_, group| group.plans.len() > 1);
    let mut chosen = groups.split();
    // What is hidden in a larger one is not seen; one that is seen once only is not shared.
    while !chosen.is_empty() {
        let mut seen = vec![0_usize; chosen.len()];
        count(plan, &chosen, &mut seen)?;
        let before = chosen.len();
        let mut counts = seen.into_iter();
        chosen.retain(|_| counts.next().is_some_and(|count| count > 1));
        if chosen.len() == before {
            break;
        }
    }
    Ok(chosen)
}

/// Returns the plan with scans of placeholders in the place of their subplans.
pub(super) fn replaced(plan: LogicalPlan, placeholders: &[Placeholder]) -> Result<LogicalPlan> {
    let plan = plan.transform_down_with_subqueries(|node| {
        if is_opaque(&node) {
            return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
        }
        if !is_root(&node) {
            return Ok(Transformed::no(node));
        }
        let found = placeholders
            .iter()
            .find(|placeholder| are_same(&placeholder.subplan, &node));
        Ok(match found {
            Some(placeholder) => {
                Transformed::new(placeholder.scan()?, true, TreeNodeRecursion::Jump)
            }
            None => Transformed::no(node),
        })
    })?;
    Ok(plan.data)
}

/// Counts what is seen of each subplan from outside of all of them.
fn count(plan: &LogicalPlan, chosen: &[LogicalPlan], seen: &mut [usize]) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if is_opaque(node) {
            return Ok(TreeNodeRecursion::Jump);
        }
        if !is_root(node) {
            return Ok(TreeNodeRecursion::Continue);
        }
        let found = chosen.iter().position(|subplan| are_same(subplan, node));
        Ok(match found {
            Some(place) => {
                seen[place] += 1;
                TreeNodeRecursion::Jump
            }
            None => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(())
}

/// Says whether nothing below a node is looked at: another rule has decided there, or each step of a
/// recursion has rows of its own.
fn is_opaque(node: &LogicalPlan) -> bool {
    matches!(
        node,
        LogicalPlan::Extension(_) | LogicalPlan::RecursiveQuery(_)
    )
}

/// Says whether a subplan that is shared may begin with a node.
fn is_root(node: &LogicalPlan) -> bool {
    is_heavy(node) || matches!(node, LogicalPlan::SubqueryAlias(_))
}

fn is_heavy(node: &LogicalPlan) -> bool {
    matches!(
        node,
        LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) | LogicalPlan::Window(_)
    )
}

fn heavy_nodes(plan: &LogicalPlan) -> Result<usize> {
    let mut count = 0;
    plan.apply_with_subqueries(|node| {
        count += usize::from(is_heavy(node));
        Ok(match is_opaque(node) {
            true => TreeNodeRecursion::Jump,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(count)
}

/// A subplan that may be shared.
struct Candidate {
    plan: LogicalPlan,
    /// Equal for equal subplans.
    shape: u64,
}

/// What is known of a subplan.
#[derive(Clone, Copy)]
struct Seen {
    shape: u64,
    is_heavy: bool,
    reads_table: bool,
    is_fixed: bool,
}

/// Looks at a subplan and all below it; candidates come from the outermost to the innermost.
fn look(plan: &LogicalPlan, found: &mut Vec<Candidate>) -> Result<Seen> {
    let at = found.len();
    let mut hasher = DefaultHasher::new();
    discriminant(plan).hash(&mut hasher);
    let mut seen = Seen {
        shape: 0,
        is_heavy: is_heavy(plan),
        reads_table: false,
        is_fixed: !is_opaque(plan) && is_fixed(plan)?,
    };
    match plan {
        LogicalPlan::TableScan(scan) => {
            scan.table_name.hash(&mut hasher);
            seen.reads_table = true;
        }
        LogicalPlan::SubqueryAlias(alias) => alias.alias.hash(&mut hasher),
        _ => {}
    }
    if !is_opaque(plan) {
        for input in plan.inputs() {
            let below = look(input, found)?;
            below.shape.hash(&mut hasher);
            seen.is_heavy |= below.is_heavy;
            seen.reads_table |= below.reads_table;
            seen.is_fixed &= below.is_fixed;
        }
        for subquery in subqueries(plan)? {
            let below = look(&subquery, found)?;
            below.shape.hash(&mut hasher);
            seen.is_fixed &= below.is_fixed;
        }
    }
    seen.shape = hasher.finish();
    if is_root(plan) && seen.is_heavy && seen.reads_table && seen.is_fixed {
        let shape = seen.shape;
        let plan = plan.clone();
        found.insert(at, Candidate { plan, shape });
    }
    Ok(seen)
}

/// Returns the plans of the subqueries in a node's expressions.
fn subqueries(plan: &LogicalPlan) -> Result<Vec<Arc<LogicalPlan>>> {
    let mut found = Vec::new();
    plan.apply_expressions(|expression| {
        expression.apply(|part| {
            match part {
                Expr::ScalarSubquery(subquery) => found.push(Arc::clone(&subquery.subquery)),
                Expr::Exists(exists) => found.push(Arc::clone(&exists.subquery.subquery)),
                Expr::InSubquery(within) => found.push(Arc::clone(&within.subquery.subquery)),
                Expr::SetComparison(compared) => {
                    found.push(Arc::clone(&compared.subquery.subquery))
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

/// Says whether a node's expressions have the same values whoever reads its rows, and whenever.
fn is_fixed(plan: &LogicalPlan) -> Result<bool> {
    let mut fixed = true;
    plan.apply_expressions(|expression| {
        let varies = expression.exists(|part| {
            Ok(part.is_volatile_node() || matches!(part, Expr::OuterReferenceColumn(..)))
        })?;
        fixed &= !varies;
        Ok(match fixed {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    })?;
    Ok(fixed)
}

/// Candidates of one shape.
#[derive(Default)]
struct Group {
    order: usize,
    plans: Vec<LogicalPlan>,
}

#[derive(Default)]
struct Groups {
    numbers: HashMap<u64, Group>,
}

impl Groups {
    fn add(&mut self, candidate: Candidate) {
        let order = self.numbers.len();
        let group = self
            .numbers
            .entry(candidate.shape)
            .or_insert_with(|| Group {
                order,
                plans: Vec::new(),
            });
        group.plans.push(candidate.plan);
    }

    /// Returns one of each set of equal subplans, in the order in which they were found.
    fn split(self) -> Vec<LogicalPlan> {
        let mut groups: Vec<Group> = self.numbers.into_values().collect();
        groups.sort_by_key(|group| group.order);
        let mut chosen = Vec::new();
        for group in groups {
            let mut rest = group.plans;
            while let Some(first) = rest.pop() {
                let before = rest.len();
                rest.retain(|plan| !are_same(&first, plan));
                if rest.len() < before {
                    chosen.push(first);
                }
            }
        }
        chosen
    }
}

/// Says whether two subplans are the same query over the same rows.
fn are_same(one: &LogicalPlan, other: &LogicalPlan) -> bool {
    if one != other {
        return false;
    }
    let (Ok(of_one), Ok(of_other)) = (sources(one), sources(other)) else {
        return false;
    };
    let mut pairs = of_one.iter().zip(&of_other);
    of_one.len() == of_other.len() && pairs.all(|(one, other)| are_same_table(one, other))
}

fn sources(plan: &LogicalPlan) -> Result<Vec<Arc<dyn TableSource>>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(TableScan { source, .. }) = node {
            found.push(Arc::clone(source));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn are_same_table(one: &Arc<dyn TableSource>, other: &Arc<dyn TableSource>) -> bool {
    if Arc::ptr_eq(one, other) {
        return true;
    }
    let provider = |source: &Arc<dyn TableSource>| {
        let source: &dyn Any = source.as_ref();
        let source: Option<&DefaultTableSource> = source.downcast_ref();
        source.map(|source| Arc::clone(&source.table_provider))
    };
    match (provider(one), provider(other)) {
        (Some(one), Some(other)) => Arc::ptr_eq(&one, &other),
        _ => false,
    }
}
