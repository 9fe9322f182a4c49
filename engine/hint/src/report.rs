//! Hints as rows of a table, and what the session remembers of them for `\apply`.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use lakesh_event::picture::HintCard;
use lakesh_session::{LastHint, LastHints};

use super::finding::Finding;
use super::rule::Rule;
use super::verify::{Outcome, Verdict};

/// A finding, the rule that it comes from, and what measuring its remedy showed.
pub(crate) struct Hint {
    pub(crate) rule: &'static Rule,
    pub(crate) finding: Finding,
    pub(crate) verdict: Option<Verdict>,
}

impl Hint {
    pub(crate) fn new(rule: &'static Rule, finding: Finding) -> Self {
        Self {
            rule,
            finding,
            verdict: None,
        }
    }

    pub(super) fn statement(&self) -> Option<String> {
        let remedy = self.finding.remedy.as_ref();
        remedy.map(super::finding::Remedy::statement)
    }
}

impl Hint {
    /// Describes it for front ends that draw.
    pub(crate) fn card(&self, number: usize) -> HintCard {
        let verdict = self.verdict.as_ref();
        let times = verdict.and_then(|verdict| Some((verdict.baseline?, verdict.hinted?)));
        HintCard {
            number,
            rule: self.rule.name,
            severity: self.finding.severity.name(),
            finding: self.finding.text.clone(),
            evidence: self.finding.evidence.clone(),
            remedy: self.statement(),
            verdict: verdict.map(Verdict::text),
            times: times.map(|(baseline, hinted)| (milliseconds(baseline), milliseconds(hinted))),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Returns what there is to apply of hints, for `\apply`.
pub(crate) fn last_hints(hints: &[Hint]) -> LastHints {
    LastHints(hints.iter().map(last).collect())
}

/// Returns what there is to apply of a hint, if anything.
fn last(hint: &Hint) -> Option<LastHint> {
    let outcome = hint.verdict.as_ref().map(|verdict| verdict.outcome);
    let objection = match outcome {
        Some(Outcome::Unsafe) => Some("it changes the result"),
        Some(Outcome::Refuted) => Some("it was measured and does not help"),
        _ if hint.finding.changes_result => Some("it may change the result"),
        _ => None,
    };
    Some(LastHint {
        rule: hint.rule.name,
        statement: hint.statement()?,
        objection: objection.map(str::to_owned),
        was_verified: outcome == Some(Outcome::Confirmed),
    })
}

/// Returns the columns of the table of hints.
pub(crate) fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let number = |name| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(vec![
        Field::new("hint", DataType::Int64, false),
        text("rule"),
        text("severity"),
        text("node"),
        text("finding"),
        text("evidence"),
        text("remedy"),
        text("kind"),
        number("baseline_ms"),
        number("hinted_ms"),
        number("speedup"),
        text("spread"),
        Field::new("same_result", DataType::Boolean, true),
        text("verdict"),
    ]))
}

/// Writes hints as rows.
pub(crate) fn report(hints: &[Hint]) -> Result<RecordBatch, DataFusionError> {
    let text = |value: &dyn Fn(&Hint) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(hints.iter().map(value)))
    };
    let number = |value: &dyn Fn(&Verdict) -> Option<f64>| -> ArrayRef {
        let values = hints.iter().map(|hint| value(hint.verdict.as_ref()?));
        Arc::new(Float64Array::from_iter(values))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(1..=hints.len() as i64)),
        text(&|hint| Some(hint.rule.name.to_owned())),
        text(&|hint| Some(hint.finding.severity.name().to_owned())),
        text(&|hint| Some(hint.finding.node.clone())),
        text(&|hint| Some(hint.finding.text.clone())),
        text(&|hint| {
            let evidence = hint.finding.evidence.join("; ");
            (!evidence.is_empty()).then_some(evidence)
        }),
        text(&|hint| hint.statement()),
        text(&|hint| Some(hint.finding.remedy.as_ref()?.kind().name().to_owned())),
        number(&|verdict| verdict.baseline.map(milliseconds)),
        number(&|verdict| verdict.hinted.map(milliseconds)),
        number(&|verdict| {
            verdict
                .speedup
                .map(|speedup| (speedup * 100.0).round() / 100.0)
        }),
        text(&|hint| {
            let (low, high) = hint.verdict.as_ref()?.spread?;
            Some(format!("{low:.2} to {high:.2}"))
        }),
        Arc::new(BooleanArray::from_iter(
            hints.iter().map(|hint| hint.verdict.as_ref()?.same_result),
        )),
        text(&|hint| Some(hint.verdict.as_ref()?.text())),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
