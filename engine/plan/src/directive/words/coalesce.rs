//! COALESCE(n): the rows of the SELECT are in at most n partitions, without being shuffled.

use super::super::node::Effect;
use super::super::{HintWord, Refusal};
use super::count;

pub(in super::super) static COALESCE: HintWord = HintWord {
    names: &["COALESCE"],
    usage: "COALESCE(n)",
    summary: "Puts the rows of the SELECT into at most n partitions without shuffling them.",
    example: "SELECT count(*) FROM (SELECT /*+ COALESCE(1) */ value FROM generate_series(1, 9));",
    apply: |block, hint| {
        let partitions = count(hint)?;
        if block.is_sorted {
            return Err(Refusal::new(
                "ORDER BY puts the rows into one partition; write the SELECT as a subquery",
            ));
        }
        block.put_above(hint, Effect::Coalesce(partitions));
        Ok(())
    },
};
