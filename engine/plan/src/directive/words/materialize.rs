//! MATERIALIZE: the rows of a CTE or a subquery are computed once, whoever reads them, and kept.

use super::super::node::Effect;
use super::super::{HintWord, Refusal};
use crate::cache::shared_rows;

pub(in super::super) static MATERIALIZE: HintWord = HintWord {
    names: &["MATERIALIZE"],
    usage: "MATERIALIZE",
    summary: "Computes a CTE once and keeps its rows for all that read it, in memory or in temporary files.",
    example: "WITH c AS (SELECT /*+ MATERIALIZE */ value AS i FROM generate_series(1, 9)) SELECT count(*) FROM c a JOIN c b ON a.i = b.i;",
    apply: |block, hint| {
        if let Some(argument) = hint.arguments.first() {
            return Err(Refusal {
                reason: "MATERIALIZE takes no argument".to_owned(),
                at: Some(argument.at.clone()),
            });
        }
        if block.is_outermost {
            return Err(Refusal::new(
                "only a CTE or a subquery can be read more than once",
            ));
        }
        block.put_above(hint, Effect::Materialize(shared_rows()));
        Ok(())
    },
};
