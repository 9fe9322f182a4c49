//! SHUFFLE_HASH(t): both sides are partitioned by the keys, and the hash table is built on t.

use super::super::HintWord;
use super::super::node::{Effect, Strategy};

pub(in super::super) static SHUFFLE_HASH: HintWord = HintWord {
    names: &["SHUFFLE_HASH"],
    usage: "SHUFFLE_HASH(t, …)",
    summary: "Partitions both sides of the join by its keys and builds the hash table on t.",
    example: "SELECT /*+ SHUFFLE_HASH(b) */ count(*) FROM generate_series(1, 9) a(i) JOIN (VALUES (1), (2)) b(i) ON a.i = b.i;",
    apply: |block, hint| block.mark_each(hint, |_| Effect::Join(Strategy::ShuffleHash)),
};
