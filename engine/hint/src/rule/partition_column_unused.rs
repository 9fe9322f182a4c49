//! A partitioned table that is read in all its partitions.

use datafusion::sql::sqlparser::ast::Select;

use crate::ast::{columns, conjuncts};
use crate::evidence::TableFacts;
use crate::finding::Severity;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule, first_in_selects};

pub(super) static RULE: Rule = Rule {
    name: "partition-column-unused",
    summary: "A filter asks for some rows of a partitioned table, but not by the column that it is partitioned by.",
    advice: "A condition on the partition column leaves whole folders unread, before any file is opened. Where \
             the partition follows from the column that is filtered, as a day follows from a time, say both.",
    measured: false,
    setup: super::lakes::PARTITIONED,
    fires: "SELECT sum(amount) AS amount FROM visits WHERE kind = 7",
    silent: "SELECT sum(amount) AS amount FROM visits WHERE kind = 7 AND day = 3",
    inspect,
};

/// Tables of fewer files are read in one go.
const FILES: usize = 8;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    first_in_selects(evidence, of_select)
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let used = |table: &TableFacts, of_partition: bool| -> bool {
        let conditions = select.selection.iter().flat_map(conjuncts);
        let mut names = conditions.filter_map(columns).flatten();
        names.any(|name| {
            scope.column(&name).is_some_and(|column| {
                column.table.name == table.name && column.is_partition() == of_partition
            })
        })
    };
    let table = scope
        .relations
        .iter()
        .filter_map(|relation| relation.table)
        .find(|table| {
            !table.files.partition_columns.is_empty() && used(table, false) && !used(table, true)
        })?;
    let all = table.files.files.len();
    let read = evidence.scans.get(table.scan?)?.files.len();
    if all < FILES || read < all {
        return None;
    }
    let severity = match evidence.is_large(table) && all >= 4 * FILES {
        true => Severity::Advice,
        false => Severity::Info,
    };
    let columns = table.files.partition_columns.join("`, `");
    let text =
        format!("no condition names the partition column `{columns}`, so that no file is left out");
    Some(
        Finding::new(severity, table.name.clone(), text)
            .evidence(format!("{read} of {all} files are read"))
            .gain(1.2),
    )
}
