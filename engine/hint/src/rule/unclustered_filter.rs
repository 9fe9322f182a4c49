//! A selective filter over a column whose values lie everywhere.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Select};

use crate::ast::{Comparison, comparison, disjuncts};
use crate::finding::{CopyLayout, Remedy};
use crate::layout::clustered;
use crate::rewrite::filters;
use crate::scans::{ranges, share_of_a_point};
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule, first_in_selects};

pub(super) static RULE: Rule = Rule {
    name: "unclustered-filter",
    summary: "A filter asks for few values of a column, and every file holds values from its whole range.",
    advice: "Files and row groups are skipped by the range of their values. Order the table by the column \
             that filters ask for: `OPTIMIZE … ZORDER BY` for Delta tables. The evidence says which share \
             of the files or row groups a search reads now, and would read then.",
    measured: false,
    setup: super::lakes::UNCLUSTERED,
    fires: "SELECT sum(amount) AS amount FROM mixed WHERE code = 77",
    silent: "SELECT sum(amount) AS amount FROM mixed WHERE id = 77",
    inspect,
};

/// Filters that leave more rows than this would read most of the table anyway.
const SHARE_OF_ROWS: f64 = 0.1;

/// A search that reads less is clustered well enough.
const SHARE_OF_PARTS: f64 = 0.5;

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    first_in_selects(evidence, of_select)
}

fn of_select(select: &Select, evidence: &Evidence) -> Option<Finding> {
    let scope = SelectScope::of(select, evidence);
    let conditions: Vec<&Expr> = filters(select);
    // One column that skips well is enough.
    let shares = conditions
        .iter()
        .filter_map(|condition| share(condition, &scope, evidence));
    let shares: Vec<_> = shares.collect();
    if shares
        .iter()
        .any(|found| found.parts < SHARE_OF_PARTS && found.rows < 0.5)
    {
        return None;
    }
    let best = shares
        .into_iter()
        .filter(|found| found.rows <= SHARE_OF_ROWS && found.parts >= SHARE_OF_PARTS)
        .min_by(|left, right| left.rows.total_cmp(&right.rows))?;
    let table = best.column.table;
    let severity = evidence.severity_of(table);
    let name = best.column.field.name();
    let after = (best.rows * best.count as f64).ceil().max(1.0);
    Some(
        Finding::new(
            severity,
            table.name.clone(),
            format!("values of `{name}` lie in every part of the table, so that the filter skips none"),
        )
        .evidence(format!(
            "a search reads {:.0} % of {} files or row groups; ordered by `{name}` it would read about {after:.0}",
            best.parts * 100.0,
            best.count
        ))
        .gain((best.count as f64 / after).clamp(1.0, 8.0) * 0.8)
        .remedy(Remedy::Layout {
            statement: clustered(table, name),
            table: table.name.clone(),
            copy: CopyLayout {
                order: vec![name.clone()],
                group_rows: usize::try_from(table.estimated_rows() / best.count.max(8) as u64)
                    .ok()
                    .map(|rows| rows.clamp(4096, 128 * 1024)),
                ..CopyLayout::default()
            },
        }),
    )
}

struct Share<'a> {
    column: crate::scope::ColumnFacts<'a>,
    /// The share of rows that the condition leaves.
    rows: f64,
    /// The share of parts that a search for one value reads.
    parts: f64,
    count: usize,
}

fn share<'a>(
    condition: &Expr,
    scope: &SelectScope<'a>,
    evidence: &'a Evidence,
) -> Option<Share<'a>> {
    let left = match crate::ast::bare(condition) {
        Expr::Between {
            expr,
            negated: false,
            ..
        } => expr,
        Expr::InList {
            expr,
            negated: false,
            ..
        } => expr,
        other if disjuncts(other).len() > 1 => {
            let parts: Option<Vec<_>> = disjuncts(other).into_iter().map(comparison).collect();
            let parts = parts?;
            let first = parts.first()?.left;
            let same = |part: &Comparison<'_>| part.op == BinaryOperator::Eq && part.left == first;
            parts.iter().all(same).then_some(first)?
        }
        other => {
            let found = comparison(other)?;
            if found.op == BinaryOperator::NotEq {
                return None;
            }
            found.left
        }
    };
    let column = scope.column(left)?;
    if !column.table.is_parquet() || column.is_partition() {
        return None;
    }
    let ranges = ranges(column.table, &evidence.scans, column.field.name());
    Some(Share {
        rows: evidence.selectivity(column.table, condition, scope),
        parts: share_of_a_point(&ranges)?,
        count: ranges.len(),
        column,
    })
}
