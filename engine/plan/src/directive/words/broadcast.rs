//! BROADCAST(t): t is collected, and every partition of the other side is joined with all of it.

use super::super::HintWord;
use super::super::node::{Effect, Strategy};

pub(in super::super) static BROADCAST: HintWord = HintWord {
    names: &["BROADCAST", "BROADCASTJOIN", "MAPJOIN"],
    usage: "BROADCAST(t, …)",
    summary: "Collects t and joins every partition of the other side with all of it.",
    example: "SELECT /*+ BROADCAST(b) */ count(*) FROM generate_series(1, 9) a(i) JOIN (VALUES (1), (2)) b(i) ON a.i = b.i;",
    apply: |block, hint| block.mark_each(hint, |_| Effect::Join(Strategy::Broadcast)),
};
