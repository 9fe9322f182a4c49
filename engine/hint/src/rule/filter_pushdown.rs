//! A filter that leaves few rows of many columns.

use datafusion::sql::sqlparser::ast::{Expr, Select};

use crate::ast::columns;
use crate::finding::Severity;
use crate::rewrite::filters;
use crate::scans::{ranges, share_of_a_point};
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule, first_in_selects};

pub(super) static RULE: Rule = Rule {
    name: "filter-pushdown",
    summary: "A filter leaves few rows, and all their columns are decoded before it is applied.",
    advice: "With `pushdown_filters` the columns of the filter are decoded first, and the others only \
             where rows are left. That pays where a filter leaves a few per cent of many columns, and \
             costs where it leaves most.",
    measured: false,
    setup: super::lakes::WIDE,
    fires: "SELECT a, b, c, d, e FROM './wide.parquet' WHERE k = 17",
    silent: "SELECT k FROM './wide.parquet' WHERE k < 900",
    inspect,
};

/// Filters that leave more are cheaper after decoding.
const SHARE: f64 = 0.1;

/// So many columns beside those of the filter are worth decoding later.
const OTHERS: usize = 4;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    first_in_selects(evidence, of_select)
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let conditions: Vec<&Expr> = filters(select);
    let places = 0..scope.relations.len();
    places
        .filter_map(|place| {
            let relation = &scope.relations[place];
            let table = relation
                .table
                .filter(|table| table.is_parquet() && !relation.is_optional)?;
            let scan = evidence.scans.get(table.scan?)?;
            let own = conditions
                .iter()
                .filter(|condition| scope.relations_of(condition) == Some(vec![place]));
            let (mut share, mut filtered, mut any) = (1.0, Vec::new(), false);
            let mut clustered = false;
            for condition in own {
                share *= evidence.selectivity(table, condition, &scope);
                let named = columns(condition)?;
                clustered |= named
                    .iter()
                    .any(|name| is_clustered(name, &scope, evidence));
                filtered.extend(named.iter().map(ToString::to_string));
                any = true;
            }
            filtered.sort();
            filtered.dedup();
            let others = scan.columns.saturating_sub(filtered.len());
            // Files that are left out already say that the rows lie well.
            clustered |= scan.files.len() < table.files.files.len();
            if !any || clustered || share > SHARE || others < OTHERS || !scan.has_undone_filter() {
                return None;
            }
            // Numbers are decoded about as fast as they are skipped.
            let severity = match scan.texts > 0 {
                true => evidence.severity_of(table),
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

/// Says whether a filter over a column skips most parts of its table already.
fn is_clustered(column: &Expr, scope: &SelectScope<'_>, evidence: &Evidence) -> bool {
    let share = scope.column(column).and_then(|column| {
        let ranges = ranges(column.table, &evidence.scans, column.field.name());
        share_of_a_point(&ranges)
    });
    share.is_some_and(|share| share < 0.5)
}
