//! What the operators that ask for memory are called, and how each of them behaves when refused.
//!
//! DataFusion gives a consumer no more than a name and whether it spills; the rest is read off the
//! names of the version in use, and a name that is not known is treated by that flag alone.

use datafusion::execution::memory_pool::MemoryConsumer;

/// How an operator behaves when it is refused memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The build side of a hash join: fails, and a sort-merge join would have spilled.
    JoinBuild,
    /// The buffer of a sort: spills what it holds, but fails when it holds nothing.
    Sorter,
    /// What a sort needs to merge its runs: fails, or merges fewer runs at once.
    SortMerge,
    /// An aggregation or another operator that spills: fails when it holds nothing.
    Spilling,
    /// Writes the batch in hand to disk and goes on, so that a refusal never fails the query.
    Yielding,
    /// Gives all that it holds to another operator when it is refused, and asks for nothing more.
    HandsOver,
    /// Fails when it is refused.
    Unspillable,
}

/// The beginnings of consumers' names, their kind where DataFusion's flag does not tell, and what
/// people call them. The first that fits counts.
const NAMES: [(&str, Option<Kind>, &str); 20] = [
    ("HashJoinInput", Some(Kind::JoinBuild), JOIN_BUILD),
    ("ExternalSorterMerge", Some(Kind::SortMerge), "sort"),
    ("ExternalSorter", Some(Kind::Sorter), "sort"),
    // To a sort of DataFusion's.
    ("KeySort", Some(Kind::HandsOver), "sort"),
    (
        "SortPreservingMergeExec",
        None,
        "merge of sorted partitions",
    ),
    ("RepartitionExec[Merge", None, "merge of sorted partitions"),
    (
        "RepartitionExec",
        Some(Kind::Yielding),
        "exchange between partitions",
    ),
    ("SMJStream", Some(Kind::Yielding), "sort-merge join"),
    ("NestedLoopJoin", None, NESTED_LOOP_JOIN),
    ("CrossJoinExec", None, "cross join"),
    ("PiecewiseMergeJoin", None, "range join"),
    ("SymmetricHashJoin", None, "streaming join"),
    ("TopK", None, "top rows"),
    ("PartitionedTopK", None, "top rows"),
    ("ParquetSink", None, "parquet writer"),
    ("RecursiveQuery", None, "recursive query"),
    ("BufferExec", None, "read-ahead buffer"),
    ("GroupedHashAggregate", None, "aggregation"),
    ("AggregateStream", None, "aggregation"),
    ("WindowAgg", None, "window functions"),
];

/// What people call the side of a hash join that has to fit into memory.
pub(crate) const JOIN_BUILD: &str = "hash join build side";

/// What people call a join on a condition without equality, which holds one side in memory.
pub(crate) const NESTED_LOOP_JOIN: &str = "nested loop join";

/// Tells how a consumer behaves and what people call it.
pub(crate) fn describe(consumer: &MemoryConsumer) -> (Kind, String) {
    let name = consumer.name();
    let by_flag = if consumer.can_spill() {
        Kind::Spilling
    } else {
        Kind::Unspillable
    };
    if let Some((_, kind, people)) = NAMES.iter().find(|(start, _, _)| name.starts_with(start)) {
        return (kind.unwrap_or(by_flag), (*people).to_owned());
    }
    if name.contains("Aggregate") {
        return (by_flag, "aggregation".to_owned());
    }
    let plain = name.split('[').next().unwrap_or(name).trim();
    (by_flag, plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_have_names_for_people() {
        let cases = [
            (
                "HashJoinInput[3]",
                false,
                Kind::JoinBuild,
                "hash join build side",
            ),
            (
                "HashJoinInput",
                false,
                Kind::JoinBuild,
                "hash join build side",
            ),
            ("ExternalSorter[0]", true, Kind::Sorter, "sort"),
            ("ExternalSorterMerge[0]", false, Kind::SortMerge, "sort"),
            ("KeySort[0]", true, Kind::HandsOver, "sort"),
            (
                "RepartitionExec[1]",
                true,
                Kind::Yielding,
                "exchange between partitions",
            ),
            (
                "RepartitionExec[Merge 1]",
                false,
                Kind::Unspillable,
                "merge of sorted partitions",
            ),
            (
                "FinalHashAggregateStream[2]",
                true,
                Kind::Spilling,
                "aggregation",
            ),
            (
                "AggregateStream[2]",
                false,
                Kind::Unspillable,
                "aggregation",
            ),
            ("SMJStream[2]", false, Kind::Yielding, "sort-merge join"),
            ("feature window[2]", true, Kind::Spilling, "feature window"),
        ];
        for (name, spills, kind, people) in cases {
            let consumer = MemoryConsumer::new(name).with_can_spill(spills);
            assert_eq!(describe(&consumer), (kind, people.to_owned()), "{name}");
        }
    }
}
