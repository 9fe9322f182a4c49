//! A filter that leaves few rows of many columns.

use datafusion::sql::sqlparser::ast::{Expr, Select};

use crate::hint::ast::{columns, conjuncts, for_each_select};
use crate::hint::finding::Severity;
use crate::hint::scope::SelectScope;
use crate::hint::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "filter-pushdown",
    summary: "A filter leaves few rows, and all their columns are decoded before it is applied.",
    advice: "With `pushdown_filters` the columns of the filter are decoded first, and the others only \
             where rows are left. That pays where a filter leaves a few per cent of many columns, and \
             costs where it leaves most.",
    measured: false,
    setup: super::WIDE,
    fires: "SELECT a, b, c, d, e FROM './wide.parquet' WHERE k = 17",
    silent: "SELECT k FROM './wide.parquet' WHERE k < 900",
    inspect,
};

/// Filters that leave more are cheaper after decoding.
const SHARE: f64 = 0.1;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let mut found: Option<Finding> = None;
    for_each_select(&evidence.tree, &mut |select| {
        if found.is_none() {
            found = of_select(select, evidence);
        }
    });
    found.into_iter().collect()
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let conditions: Vec<&Expr> = select.selection.iter().flat_map(conjuncts).collect();
    let places = 0..scope.relations.len();
    places
        .filter_map(|place| {
            let table = scope.relations[place]
                .table
                .filter(|table| table.is_parquet())?;
            let scan = evidence.scans.get(table.scan?)?;
            let own = conditions
                .iter()
                .filter(|condition| scope.relations_of(condition) == Some(vec![place]));
            let (mut share, mut filtered, mut any) = (1.0, Vec::new(), false);
            for condition in own {
                share *= evidence.selectivity(table, condition, &scope);
                filtered.extend(columns(condition)?.iter().map(ToString::to_string));
                any = true;
            }
            filtered.sort();
            filtered.dedup();
            let others = scan.columns.saturating_sub(filtered.len());
            if !any || share > SHARE || others < 2 || scan.filters_rows {
                return None;
            }
            let severity = match evidence.is_large(table) {
                true => Severity::Advice,
                false => Severity::Info,
            };
            let text = format!(
                "the filter leaves about {:.1} % of the rows, and all {} columns are decoded first",
                share * 100.0,
                scan.columns
            );
            Some(
                Finding::new(severity, table.name.clone(), text)
                    .evidence(format!(
                        "{} rows; {others} columns beside those of the filter",
                        table.estimated_rows()
                    ))
                    .gain(1.0 + 0.1 * others as f64)
                    .setting("datafusion.execution.parquet.pushdown_filters", "true"),
            )
        })
        .next()
}
