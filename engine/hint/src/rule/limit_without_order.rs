//! LIMIT without ORDER BY.

use datafusion::sql::sqlparser::ast::LimitClause;

use crate::finding::Severity;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "limit-without-order",
    summary: "LIMIT takes some rows, and nothing says which.",
    advice: "Which rows come depends on which file was read first. Add an ORDER BY that no two rows tie \
             in, or say `LIMIT` only to have a look.",
    measured: false,
    setup: super::lakes::ORDERS,
    fires: "SELECT * FROM orders LIMIT 10",
    silent: "SELECT * FROM orders ORDER BY id LIMIT 10",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let mut found = false;
    crate::ast::for_each_query(&evidence.tree, &mut |query| {
        let limits = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, .. }) => limit.is_some(),
            Some(LimitClause::OffsetCommaLimit { .. }) => true,
            None => query.fetch.is_some(),
        };
        let reads = crate::ast::select_of(query).is_none_or(|select| !select.from.is_empty());
        found |= limits && reads && query.order_by.is_none();
    });
    let columns = evidence.scans.iter().map(|scan| scan.columns).max();
    let finding = Finding::new(
        Severity::Info,
        "LIMIT",
        "LIMIT without ORDER BY gives other rows from run to run",
    );
    let finding = match columns {
        Some(columns) => finding.evidence(format!("{columns} columns are read for them")),
        None => finding,
    };
    match found {
        true => vec![finding],
        false => Vec::new(),
    }
}
