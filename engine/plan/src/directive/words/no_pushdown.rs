//! NO_PUSHDOWN(t): filters stay above the scan of t.

use super::super::HintWord;
use super::super::node::Effect;

pub(in super::super) static NO_PUSHDOWN: HintWord = HintWord {
    names: &["NO_PUSHDOWN"],
    usage: "NO_PUSHDOWN[(t, …)]",
    summary: "Keeps filters above the scan of t, or of every table of the FROM clause.",
    example: "SELECT /*+ NO_PUSHDOWN(t) */ * FROM generate_series(1, 9) t(i) WHERE i > 5;",
    apply: |block, hint| {
        if hint.arguments.is_empty() {
            return block.mark_all(hint, &Effect::KeepFilters);
        }
        block.mark_each(hint, |_| Effect::KeepFilters)
    },
};
