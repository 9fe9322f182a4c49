//! How the operators that ask for memory behave when they are refused.
//!
//! DataFusion gives a consumer no more than a name and whether it spills; the rest is read off the
//! names of the version in use, and a name that is not known is treated by that flag alone.

use datafusion::execution::memory_pool::MemoryConsumer;
use lakesh_text::consumer::consumer_name;

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

/// The beginnings of consumers' names and how they behave, where the flag does not tell. The first that fits
/// counts.
const KINDS: [(&str, Kind); 5] = [
    ("HashJoinInput", Kind::JoinBuild),
    ("ExternalSorterMerge", Kind::SortMerge),
    ("ExternalSorter", Kind::Sorter),
    // To a sort of DataFusion's.
    ("KeySort", Kind::HandsOver),
    ("SMJStream", Kind::Yielding),
];

/// Tells how a consumer behaves and what messages call it.
pub(crate) fn describe(consumer: &MemoryConsumer) -> (Kind, String) {
    let name = consumer.name();
    let known = KINDS.iter().find(|(start, _)| name.starts_with(start));
    let kind = match known {
        Some((_, kind)) => *kind,
        // An exchange yields; the merge behind one that keeps an order is a consumer like others.
        None if name.starts_with("RepartitionExec")
            && !name.starts_with("RepartitionExec[Merge") =>
        {
            Kind::Yielding
        }
        None if consumer.can_spill() => Kind::Spilling,
        None => Kind::Unspillable,
    };
    (kind, consumer_name(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_are_told_apart() {
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
        for (name, spills, kind, shown) in cases {
            let consumer = MemoryConsumer::new(name).with_can_spill(spills);
            assert_eq!(describe(&consumer), (kind, shown.to_owned()), "{name}");
        }
    }
}
