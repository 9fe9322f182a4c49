//! `SELECT *` of a wide table, in full.

use datafusion::sql::sqlparser::ast::{SelectItem, SetExpr};

use crate::finding::Severity;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "select-star",
    summary: "All columns of a wide table are read.",
    advice: "Columns are stored apart and read apart. Name those that are needed: the others are then not \
             even decompressed. Inside a subquery `*` costs nothing, since columns that nobody asks for \
             are left out.",
    measured: false,
    setup: super::lakes::WIDE,
    fires: "SELECT * FROM './wide.parquet' WHERE k > 3",
    silent: "SELECT sum(a) AS a FROM (SELECT * FROM './wide.parquet') w",
    inspect,
};

const WIDE: usize = 8;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let SetExpr::Select(select) = evidence.tree.body.as_ref() else {
        return Vec::new();
    };
    let star = select.projection.iter().any(|item| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    });
    let columns = evidence.scans.iter().map(|scan| scan.columns).max();
    match columns.filter(|columns| star && *columns >= WIDE) {
        None => Vec::new(),
        Some(columns) => vec![
            Finding::new(
                Severity::Info,
                "SELECT",
                format!("all {columns} columns are read and returned"),
            )
            .evidence(format!("{columns} columns")),
        ],
    }
}
