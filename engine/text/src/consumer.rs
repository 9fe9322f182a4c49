//! What the operators that ask for memory are called in messages.
//!
//! DataFusion gives each a name of its own, often that of a type with a number behind it. Whoever says
//! something of an operator's memory asks here, so that it has one name in all messages.

/// The side of a hash join that has to fit into memory.
pub const JOIN_BUILD: &str = "hash join build side";

/// A join on a condition without equality, which holds one side in memory.
pub const NESTED_LOOP_JOIN: &str = "nested loop join";

/// The beginnings of DataFusion's names, and what stands for them. The first that fits counts.
const NAMES: &[(&str, &str)] = &[
    ("HashJoinInput", JOIN_BUILD),
    ("ExternalSorter", "sort"),
    ("KeySort", "sort"),
    ("SortPreservingMergeExec", "merge of sorted partitions"),
    ("RepartitionExec[Merge", "merge of sorted partitions"),
    ("RepartitionExec", "exchange between partitions"),
    ("SMJStream", "sort-merge join"),
    ("NestedLoopJoin", NESTED_LOOP_JOIN),
    ("CrossJoinExec", "cross join"),
    ("PiecewiseMergeJoin", "range join"),
    ("SymmetricHashJoin", "streaming join"),
    ("TopK", "top rows"),
    ("PartitionedTopK", "top rows"),
    ("ParquetSink", "parquet writer"),
    ("RecursiveQuery", "recursive query"),
    ("BufferExec", "read-ahead buffer"),
    ("GroupedHashAggregate", "aggregation"),
    ("AggregateStream", "aggregation"),
    ("WindowAgg", "window functions"),
];

/// Names an operator that asked for memory; what is unknown keeps its name.
pub fn consumer_name(name: &str) -> &str {
    let known = NAMES.iter().find(|(start, _)| name.starts_with(start));
    match known {
        Some((_, shown)) => shown,
        None if name.contains("Aggregate") => "aggregation",
        None => name.split(['[', '#', '(']).next().unwrap_or(name).trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::consumer_name;

    #[test]
    fn operators_have_names() {
        for (name, shown) in [
            ("HashJoinInput[3]", "hash join build side"),
            ("HashJoinInput", "hash join build side"),
            ("ExternalSorter[0]", "sort"),
            ("ExternalSorterMerge[0]", "sort"),
            ("RepartitionExec[1]", "exchange between partitions"),
            ("RepartitionExec[Merge 1]", "merge of sorted partitions"),
            ("FinalHashAggregateStream[2]", "aggregation"),
            ("AggregateStream[2]", "aggregation"),
            ("NestedLoopJoinLoad[0]", "nested loop join"),
            ("feature window[2]", "feature window"),
            ("Other#7(can spill: false)", "Other"),
        ] {
            assert_eq!(consumer_name(name), shown, "{name}");
        }
    }
}
