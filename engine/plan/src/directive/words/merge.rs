//! MERGE(t): the join of t sorts both sides by the keys and merges them; it can spill.

use super::super::HintWord;
use super::super::node::{Effect, Strategy};

pub(in super::super) static MERGE: HintWord = HintWord {
    names: &["MERGE", "MERGEJOIN", "SHUFFLE_MERGE"],
    usage: "MERGE(t, …)",
    summary: "Joins t by sorting both sides and merging them, which needs no memory for a hash table.",
    example: "SELECT /*+ MERGE(b) */ count(*) FROM generate_series(1, 9) a(i) JOIN (VALUES (1), (2)) b(i) ON a.i = b.i;",
    apply: |block, hint| block.mark_each(hint, |_| Effect::Join(Strategy::Merge)),
};
