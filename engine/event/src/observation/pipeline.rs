//! Which operators work on a batch without waiting for others.
//!
//! A pipeline ends where all rows must be there before the first can go on: below a sort, an aggregation
//! by hash, a window over whole partitions, on the build side of a join; and where rows change their
//! partition.

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::InputOrderMode;
use datafusion::physical_plan::aggregates::AggregateExec;

/// Says whether an input of a node is a pipeline of its own.
pub(super) fn begins_at(node: &dyn ExecutionPlan, input: usize) -> bool {
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return *aggregate.input_order_mode() == InputOrderMode::Linear;
    }
    match node.name() {
        "SortExec"
        | "KeySortExec"
        | "WindowAggExec"
        | "RepartitionExec"
        | "RepartitionByHintExec"
        | "CoalescePartitionsExec"
        | "CoalesceByHintExec"
        | "SortPreservingMergeExec"
        | "MaterializeExec" => true,
        // The first input is the build side, or the one that is held.
        "HashJoinExec" | "NestedLoopJoinExec" | "CrossJoinExec" | "PiecewiseMergeJoinExec" => {
            input == 0
        }
        _ => false,
    }
}
