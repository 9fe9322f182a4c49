//! REPARTITION(n, columns): the rows of the SELECT are dealt to n partitions, by hash of columns if named.

use datafusion::common::Column;
use datafusion::logical_expr::Expr;

use super::super::node::Effect;
use super::super::{HintWord, Refusal};
use super::count;

pub(in super::super) static REPARTITION: HintWord = HintWord {
    names: &["REPARTITION"],
    usage: "REPARTITION(n[, column, …])",
    summary: "Deals the rows of the SELECT to n partitions, by hash of columns where they are named.",
    example: "SELECT /*+ REPARTITION(4, k) */ value % 3 AS k FROM generate_series(1, 9);",
    apply: |block, hint| {
        let partitions = count(hint)?;
        if block.is_sorted {
            return Err(Refusal::new(
                "ORDER BY puts the rows into one partition; write the SELECT as a subquery",
            ));
        }
        let columns = hint.arguments[1..]
            .iter()
            .map(|argument| match argument.text.rsplit_once('.') {
                Some((table, name)) => Expr::Column(Column::new(Some(table), name)),
                None => Expr::Column(Column::new_unqualified(&argument.text)),
            })
            .collect();
        let effect = Effect::Repartition {
            partitions,
            columns,
        };
        block.put_above(hint, effect);
        Ok(())
    },
};
