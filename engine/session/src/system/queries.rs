//! `system.queries` and `system.operators`: what was run in this session, and what its operators did.

use std::time::Duration;

use datafusion::common::ScalarValue;
use lakesh_event::observation::{Considered, Observation, Operator};
use lakesh_text::failure::Failure;

use super::{Rows, optional, text};
use crate::{QueryRecord, StatementContext};

/// Lists the statements that were run, oldest first; the one that asks is not among them.
pub(super) async fn queries(context: &StatementContext) -> Result<Rows, Failure> {
    let queries = context.session.queries();
    Ok(queries.iter().map(|query| query_row(query)).collect())
}

/// Lists the operators of these statements in pre-order.
pub(super) async fn operators(context: &StatementContext) -> Result<Rows, Failure> {
    let queries = context.session.queries();
    let rows = queries.iter().flat_map(|query| {
        let operators = query.observation.operators.iter();
        operators.map(|operator| operator_row(query, operator))
    });
    Ok(rows.collect())
}

fn query_row(query: &QueryRecord) -> Vec<ScalarValue> {
    let observation: &Observation = &query.observation;
    let [files, files_pruned] = considered(observation.files());
    let [groups, groups_pruned] = considered(observation.row_groups());
    let tables = (!query.tables.is_empty()).then(|| query.tables.join(", "));
    vec![
        number(Some(query.id)),
        text(&query.sql),
        optional(query.verb.clone()),
        optional(query.label.clone()),
        ScalarValue::TimestampMicrosecond(
            Some(query.started_at.timestamp_micros()),
            Some("UTC".into()),
        ),
        milliseconds(Some(query.duration)),
        milliseconds(query.planning),
        milliseconds(query.execution),
        number(query.rows),
        number(observation.bytes_scanned()),
        files,
        files_pruned,
        groups,
        groups_pruned,
        number(Some(query.peak_memory)),
        number(Some(query.spilled_bytes)),
        optional(tables),
        text(query.status.as_text()),
        optional(query.error.map(|kind| kind.as_text().to_owned())),
    ]
}

fn operator_row(query: &QueryRecord, operator: &Operator) -> Vec<ScalarValue> {
    let [files, files_pruned] = considered(operator.files);
    let [groups, groups_pruned] = considered(operator.row_groups);
    let estimate = operator.estimated_rows;
    vec![
        number(Some(query.id)),
        optional(query.label.clone()),
        number(Some(operator.id as u64)),
        number(operator.parent.map(|parent| parent as u64)),
        number(Some(operator.depth as u64)),
        number(Some(operator.pipeline as u64)),
        text(&operator.name),
        text(&operator.line),
        number(Some(operator.partitions as u64)),
        number(estimate.map(|estimate| estimate.value)),
        ScalarValue::Boolean(estimate.map(|estimate| estimate.exact)),
        number(operator.rows),
        milliseconds(operator.elapsed),
        number(operator.bytes_scanned),
        files,
        files_pruned,
        groups,
        groups_pruned,
        number(operator.repartitioned_rows),
        number(operator.repartitioned_bytes),
        number(operator.output_bytes),
        number(operator.peak_memory),
        number(Some(operator.spill.count)),
        number(Some(operator.spill.bytes)),
        number(Some(operator.spill.rows)),
        ScalarValue::Float64(operator.skew),
    ]
}

fn number(value: Option<u64>) -> ScalarValue {
    ScalarValue::Int64(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
}

fn milliseconds(duration: Option<Duration>) -> ScalarValue {
    ScalarValue::Float64(duration.map(|duration| duration.as_secs_f64() * 1000.0))
}

fn considered(counts: Option<Considered>) -> [ScalarValue; 2] {
    [
        number(counts.map(|counts| counts.all)),
        number(counts.map(|counts| counts.pruned)),
    ]
}
