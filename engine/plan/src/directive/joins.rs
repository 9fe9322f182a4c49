//! The physical rule that gives joins the form that hints ask for.
//!
//! It runs behind DataFusion's own choice of joins, which decides whatever no hint decides. A mark counts
//! for the join that has its relation on a side, with nothing but filters, columns and the like between.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, JoinType, internal_err};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode, SortMergeJoinExec,
};

use super::mark::MarkExec;
use super::node::{Asked, Effect, Strategy};

/// The name of DataFusion's rule that chooses joins.
const JOIN_SELECTION: &str = "join_selection";

type Plan = Arc<dyn ExecutionPlan>;
type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// Gives joins the form that hints ask for.
#[derive(Debug)]
struct ApplyJoinHints;

/// Returns DataFusion's physical rules with ours behind the one that chooses joins.
pub fn after_join_selection() -> Result<Vec<Rule>, DataFusionError> {
    with_join_hints(PhysicalOptimizer::new().rules)
}

/// Puts the rule where it decides last. At any other place hints of joins would be read too early and
/// overruled, which nobody would notice: a list without that place is an error.
fn with_join_hints(mut rules: Vec<Rule>) -> Result<Vec<Rule>, DataFusionError> {
    let Some(selection) = rules.iter().position(|rule| rule.name() == JOIN_SELECTION) else {
        return internal_err!("there is no rule `{JOIN_SELECTION}` for hints of joins to follow");
    };
    rules.insert(selection + 1, Arc::new(ApplyJoinHints));
    Ok(rules)
}

impl PhysicalOptimizerRule for ApplyJoinHints {
    fn optimize(&self, plan: Plan, config: &ConfigOptions) -> Result<Plan, DataFusionError> {
        if !plan.exists(|node| Ok(node.downcast_ref::<MarkExec>().is_some()))? {
            return Ok(plan);
        }
        let shuffles = config.execution.target_partitions > 1;
        let plan = plan
            .transform_up(|node| Ok(changed(chosen(&node, shuffles)?, node)))?
            .data;
        let plan = plan.transform_up(|node| {
            let mark = node.downcast_ref::<MarkExec>();
            let input = mark
                .filter(|mark| mark.is_for_joins())
                .map(|mark| Arc::clone(&mark.input));
            Ok(changed(input, node))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "apply_join_hints"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn changed(new: Option<Plan>, old: Plan) -> Transformed<Plan> {
    match new {
        Some(new) => Transformed::yes(new),
        None => Transformed::no(old),
    }
}

/// Returns a join in the form that the hints on its sides ask for, if that is another.
fn chosen(node: &Plan, shuffles: bool) -> Result<Option<Plan>, DataFusionError> {
    let Some(sides) = Sides::of(node) else {
        return Ok(None);
    };
    let strategies = sides.strategies();
    if let Some((strategy, right, asked)) = strategies.first() {
        for (_, _, other) in &strategies[1..] {
            other.used.refuse("another hint decides how this join runs");
        }
        let outcome = match *strategy {
            Strategy::Broadcast => broadcast(node, *right)?,
            Strategy::ShuffleHash => shuffle_hash(node, *right)?,
            Strategy::Merge => merge(node)?,
        };
        return Ok(outcome.settled(asked));
    }
    let Some(ranks) = sides.ranks() else {
        return Ok(None);
    };
    let outcome = match ranks.is_reversed {
        false => Outcome::AsItIs,
        true => swapped(node, shuffles)?,
    };
    let mut plan = None;
    for asked in ranks.asked {
        plan = outcome.clone().settled(asked).or(plan);
    }
    Ok(plan)
}

/// What a hint leads to.
#[derive(Clone)]
enum Outcome {
    Changed(Plan),
    /// The plan is what the hint asks for already.
    AsItIs,
    Refused(&'static str),
}

impl Outcome {
    fn settled(self, asked: &Asked) -> Option<Plan> {
        match self {
            Self::Changed(plan) => {
                asked.used.succeeded();
                Some(plan)
            }
            Self::AsItIs => {
                asked.used.succeeded();
                None
            }
            Self::Refused(reason) => {
                asked.used.refuse(reason);
                None
            }
        }
    }
}

const FIXED: &str = "the kind of this join fixes which side is built on";
const NO_KEYS: &str = "the join has no equality for its keys";
const MERGED: &str =
    "`datafusion.optimizer.prefer_hash_join` is off, and the join is a sort-merge join";

/// Collects one side of a join.
fn broadcast(node: &Plan, right: bool) -> Result<Outcome, DataFusionError> {
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let collected = *join.partition_mode() == PartitionMode::CollectLeft;
        return Ok(match (right, collected) {
            (false, true) => Outcome::AsItIs,
            (false, false) => Outcome::Changed(with_mode(join, PartitionMode::CollectLeft)?),
            (true, _) if can_swap(join) => {
                Outcome::Changed(join.swap_inputs(PartitionMode::CollectLeft)?)
            }
            (true, _) => Outcome::Refused(FIXED),
        });
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return Ok(match right {
            false => Outcome::AsItIs,
            true if join.join_type().supports_swap() => Outcome::Changed(join.swap_inputs()?),
            true => Outcome::Refused(FIXED),
        });
    }
    if let Some(join) = node.downcast_ref::<CrossJoinExec>() {
        return Ok(match right {
            false => Outcome::AsItIs,
            true => Outcome::Changed(join.swap_inputs()?),
        });
    }
    Ok(Outcome::Refused(MERGED))
}

/// Partitions both sides by the keys and builds on one.
fn shuffle_hash(node: &Plan, right: bool) -> Result<Outcome, DataFusionError> {
    let Some(join) = node.downcast_ref::<HashJoinExec>() else {
        let merged = node.downcast_ref::<SortMergeJoinExec>().is_some();
        return Ok(Outcome::Refused(if merged { MERGED } else { NO_KEYS }));
    };
    if join.null_aware {
        return Ok(Outcome::Refused(
            "NOT IN looks for NULL in all partitions at once",
        ));
    }
    let partitioned = *join.partition_mode() == PartitionMode::Partitioned;
    Ok(match (right, partitioned) {
        (false, true) => Outcome::AsItIs,
        (false, false) => Outcome::Changed(with_mode(join, PartitionMode::Partitioned)?),
        (true, _) if can_swap(join) => {
            Outcome::Changed(join.swap_inputs(PartitionMode::Partitioned)?)
        }
        (true, _) => Outcome::Refused(FIXED),
    })
}

/// Sorts both sides by the keys and merges them.
fn merge(node: &Plan) -> Result<Outcome, DataFusionError> {
    if node.downcast_ref::<SortMergeJoinExec>().is_some() {
        return Ok(Outcome::AsItIs);
    }
    let Some(join) = node.downcast_ref::<HashJoinExec>() else {
        return Ok(Outcome::Refused(NO_KEYS));
    };
    if join.null_aware || join.projection.is_some() {
        return Ok(Outcome::Refused("this join cannot be a sort-merge join"));
    }
    let merged = SortMergeJoinExec::try_new(
        Arc::clone(join.left()),
        Arc::clone(join.right()),
        join.on().to_vec(),
        join.filter().cloned(),
        *join.join_type(),
        vec![SortOptions::default(); join.on().len()],
        join.null_equality(),
    )?;
    Ok(Outcome::Changed(Arc::new(merged)))
}

/// Exchanges the sides of a join whose relations a hint gives another order.
fn swapped(node: &Plan, shuffles: bool) -> Result<Outcome, DataFusionError> {
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        // What was small enough to be collected is not what is built on now.
        let mode = match shuffles {
            true => PartitionMode::Partitioned,
            false => PartitionMode::CollectLeft,
        };
        return Ok(match can_swap(join) {
            true => Outcome::Changed(join.swap_inputs(mode)?),
            false => Outcome::Refused(FIXED),
        });
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return Ok(match join.join_type().supports_swap() {
            true => Outcome::Changed(join.swap_inputs()?),
            false => Outcome::Refused(FIXED),
        });
    }
    match node.downcast_ref::<CrossJoinExec>() {
        Some(join) => Ok(Outcome::Changed(join.swap_inputs()?)),
        // A merge reads both sides alike.
        None => Ok(Outcome::AsItIs),
    }
}

fn can_swap(join: &HashJoinExec) -> bool {
    let kind: &JoinType = join.join_type();
    kind.supports_swap() && !join.null_aware
}

fn with_mode(join: &HashJoinExec, mode: PartitionMode) -> Result<Plan, DataFusionError> {
    Ok(Arc::new(join.builder().with_partition_mode(mode).build()?))
}

/// The inputs of a join.
struct Sides<'a> {
    left: &'a Plan,
    right: &'a Plan,
}

/// The ranks that one hint gives to the relations of a join.
struct Ranks<'a> {
    /// Whether the right side has the lower rank.
    is_reversed: bool,
    asked: Vec<&'a Asked>,
}

impl<'a> Sides<'a> {
    fn of(node: &'a Plan) -> Option<Self> {
        let is_join = node.downcast_ref::<HashJoinExec>().is_some()
            || node.downcast_ref::<SortMergeJoinExec>().is_some()
            || node.downcast_ref::<NestedLoopJoinExec>().is_some()
            || node.downcast_ref::<CrossJoinExec>().is_some();
        match node.children().as_slice() {
            [left, right] if is_join => Some(Self {
                left: *left,
                right: *right,
            }),
            _ => None,
        }
    }

    /// The strategies that are asked for, with whether they are of the right side; the strongest first.
    fn strategies(&self) -> Vec<(Strategy, bool, &'a Asked)> {
        let of_side = |side: &'a Plan, right: bool| {
            direct(side)
                .into_iter()
                .filter_map(move |asked| match asked.effect {
                    Effect::Join(strategy) => Some((strategy, right, asked)),
                    _ => None,
                })
        };
        let mut found: Vec<_> = of_side(self.left, false)
            .chain(of_side(self.right, true))
            .collect();
        found.sort_by_key(|(strategy, _, _)| *strategy);
        found
    }

    fn ranks(&self) -> Option<Ranks<'a>> {
        let mut of_left = Vec::new();
        let mut of_right = Vec::new();
        ordered(self.left, &mut of_left);
        ordered(self.right, &mut of_right);
        let (group, left) = of_left
            .iter()
            .map(|(group, rank, _)| (*group, *rank))
            .min()?;
        let right = of_right.iter().filter(|(other, _, _)| *other == group);
        let right = right.map(|(_, rank, _)| *rank).min()?;
        let all = of_left.iter().chain(&of_right);
        Some(Ranks {
            is_reversed: right < left,
            asked: all
                .filter(|(other, _, _)| *other == group)
                .map(|(_, _, asked)| *asked)
                .collect(),
        })
    }
}

/// The marks of the relation that a side consists of.
fn direct(side: &Plan) -> Vec<&Asked> {
    let mut found = Vec::new();
    let mut node = side;
    loop {
        if let Some(mark) = node.downcast_ref::<MarkExec>() {
            found.push(&mark.asked);
        }
        match node.children().as_slice() {
            [input] if node.downcast_ref::<AggregateExec>().is_none() => node = *input,
            _ => return found,
        }
    }
}

/// The ranks of all relations below a node.
fn ordered<'a>(node: &'a Plan, found: &mut Vec<(usize, usize, &'a Asked)>) {
    if let Some(mark) = node.downcast_ref::<MarkExec>()
        && let Effect::Order { group, rank } = mark.asked.effect
    {
        found.push((group, rank, &mark.asked));
    }
    for input in node.children() {
        ordered(input, found);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{JOIN_SELECTION, after_join_selection, with_join_hints};

    #[test]
    fn hints_of_joins_decide_after_datafusion() {
        let rules = after_join_selection().unwrap();
        let names: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
        let place = names.iter().position(|name| *name == JOIN_SELECTION);
        assert_eq!(names[place.unwrap() + 1], "apply_join_hints", "{names:?}");
        assert!(with_join_hints(Vec::new()).is_err());
    }
}
