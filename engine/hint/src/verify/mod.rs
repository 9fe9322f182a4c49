//! Measures remedies: the query with and without each of them in turn, and whether the rows are the same.
//!
//! Nothing of the user's is written. A layout is tried on a copy in the folder for temporary files, which
//! goes with the run, also when that is cancelled.

mod answer;
mod copy;
mod order;
mod run;
#[cfg(test)]
mod tests;
mod trial;

use std::time::{Duration, Instant};

use datafusion::error::DataFusionError;
use lakesh_session::StatementContext;
use lakesh_session::scope::Sources;
use lakesh_sql::Query;
use lakesh_text::failure::Failure;

use super::evidence::Evidence;
use super::report::Hint;

use answer::Answer;
use order::{Checkable, checkable};
use trial::Trial;

/// How often the query is run each way,
const RUNS: usize = 3;

/// and how often where the gain is small enough to be chance.
const MOST_RUNS: usize = 9;

/// A gain from here on is none of chance.
const CLEAR: f64 = 2.0;

/// Of so many pairs of runs, one may be slower with the remedy.
const PAIRS_FOR_ONE_SLOWER: usize = 8;

/// A remedy that takes so many times as long is broken off.
const PATIENCE: u32 = 10;

/// A remedy that gains less does not count as one.
const WORTHWHILE: f64 = 1.1;

/// What measuring a remedy showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The same rows, faster.
    Confirmed,
    /// The same rows, not faster.
    Refuted,
    /// Other rows.
    Unsafe,
    /// It could not be measured.
    NotVerifiable,
}

/// What measuring a remedy showed, with its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) baseline: Option<Duration>,
    pub(crate) hinted: Option<Duration>,
    /// How many times as fast, median against median.
    pub(crate) speedup: Option<f64>,
    /// The least and the largest speed-up of one pair of runs.
    pub(crate) spread: Option<(f64, f64)>,
    pub(crate) same_result: Option<bool>,
    /// What else is to be said.
    note: Option<String>,
}

impl Verdict {
    fn unmeasured(reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::NotVerifiable,
            baseline: None,
            hinted: None,
            speedup: None,
            spread: None,
            same_result: None,
            note: Some(reason.into()),
        }
    }

    /// Returns the word, and what else is to be said.
    pub(crate) fn text(&self) -> String {
        let word = match self.outcome {
            Outcome::Confirmed => "confirmed",
            Outcome::Refuted => "refuted",
            Outcome::Unsafe => "unsafe",
            Outcome::NotVerifiable => "not verifiable",
        };
        match &self.note {
            Some(note) => format!("{word}: {note}"),
            None => word.to_owned(),
        }
    }
}

/// Measures the remedies of hints, within the time that the settings give for all of them.
pub(crate) async fn verify(
    context: &StatementContext,
    open: &Sources,
    query: &Query,
    evidence: &Evidence,
    hints: &mut [Hint],
) -> Result<(), Failure> {
    let budget = evidence.thresholds.verify_budget;
    let end = Instant::now() + budget;
    let baseline = Trial::baseline(context, query);
    let begin = Instant::now();
    let (how, expected) = match expectation(context, open, evidence, &baseline).await? {
        Ok(found) => found,
        Err(reason) => {
            for hint in hints
                .iter_mut()
                .filter(|hint| hint.finding.remedy.is_some())
            {
                hint.verdict = Some(Verdict::unmeasured(reason.clone()));
            }
            return Ok(());
        }
    };
    // The query ran more than once by now.
    let patience = begin.elapsed() * PATIENCE / 2 + budget;
    let mut left = hints
        .iter()
        .filter(|hint| hint.finding.remedy.is_some())
        .count() as u32;
    for hint in hints.iter_mut() {
        let Some(remedy) = &hint.finding.remedy else {
            continue;
        };
        let share = end.saturating_duration_since(Instant::now()) / left.max(1);
        left = left.saturating_sub(1);
        let spill = context.session.memory().spill();
        let room = spill.limit().saturating_sub(spill.used());
        let copy_bytes = evidence.thresholds.copy_bytes.min(room);
        let trial = Trial::of(context, query, evidence, remedy, copy_bytes).await;
        let verdict = match trial {
            Err(reason) => Verdict::unmeasured(reason),
            Ok(trial) => {
                let pair = Pair {
                    open,
                    baseline: &baseline,
                    trial: &trial,
                };
                pair.measured(&how, &expected, patience, share).await
            }
        };
        hint.verdict = Some(verdict);
    }
    Ok(())
}

/// Runs the query twice and returns what it gives; the reason where that cannot be compared.
async fn expectation(
    context: &StatementContext,
    open: &Sources,
    evidence: &Evidence,
    baseline: &Trial,
) -> Result<Result<(Checkable, Answer), String>, Failure> {
    let how = match checkable(context, open, evidence).await {
        Ok(how) => how,
        Err(reason) => return Ok(Err(reason)),
    };
    let failed = |error: DataFusionError| context.failure(error);
    let first = baseline.answer(open, &how).await.map_err(failed)?;
    let second = baseline.answer(open, &how).await.map_err(failed)?;
    Ok(match first.differs_from(&second) {
        None => Ok((how, first)),
        Some(_) => Err("two runs of the query gave different rows".to_owned()),
    })
}

/// The query as it is, and with a remedy.
struct Pair<'a> {
    open: &'a Sources,
    baseline: &'a Trial,
    trial: &'a Trial,
}

impl Pair<'_> {
    async fn measured(
        &self,
        how: &Checkable,
        expected: &Answer,
        patience: Duration,
        budget: Duration,
    ) -> Verdict {
        let answer = self.trial.answer(self.open, how);
        let answer = match tokio::time::timeout(patience, answer).await {
            Ok(Ok(answer)) => answer,
            Err(_) => return Verdict::unmeasured("it takes more than ten times as long"),
            Ok(Err(error)) => return Verdict::unmeasured(format!("it fails: {}", short(&error))),
        };
        let difference = expected.differs_from(&answer);
        let times = match self.times(budget).await {
            Ok(times) => times,
            Err(error) => return Verdict::unmeasured(format!("it fails: {}", short(&error))),
        };
        let (baseline, hinted) = medians(&times);
        let ratios = times
            .iter()
            .map(|(baseline, hinted)| ratio(*baseline, *hinted));
        let spread = ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), ratio| {
            (low.min(ratio), high.max(ratio))
        });
        let speedup = ratio(baseline, hinted);
        let outcome = match (&difference, is_faster(&times)) {
            (Some(_), _) => Outcome::Unsafe,
            (None, true) => Outcome::Confirmed,
            (None, false) => Outcome::Refuted,
        };
        Verdict {
            outcome,
            baseline: Some(baseline),
            hinted: Some(hinted),
            speedup: Some(speedup),
            spread: Some(spread),
            same_result: Some(difference.is_none()),
            note: difference.or_else(|| self.trial.note().map(str::to_owned)),
        }
    }

    /// Runs both ways in turn, each first in every other pair, until that was often enough or the time is up.
    async fn times(&self, budget: Duration) -> Result<Vec<Times>, DataFusionError> {
        let begin = Instant::now();
        let mut times = Vec::with_capacity(RUNS);
        while wants_more(&times) && (times.is_empty() || begin.elapsed() < budget) {
            let pair = if times.len() % 2 == 0 {
                let baseline = self.baseline.time(self.open).await?;
                (baseline, self.trial.time(self.open).await?)
            } else {
                let hinted = self.trial.time(self.open).await?;
                (self.baseline.time(self.open).await?, hinted)
            };
            times.push(pair);
        }
        Ok(times)
    }
}

/// The times of one run as the query is, and of one with a remedy.
type Times = (Duration, Duration);

/// Says whether more runs could change what is said of a remedy.
fn wants_more(times: &[Times]) -> bool {
    let (baseline, hinted) = medians(times);
    let in_doubt = is_faster(times) && ratio(baseline, hinted) < CLEAR;
    times.len() < RUNS || in_doubt && times.len() < MOST_RUNS
}

/// Says whether a remedy makes a query faster: by the medians, and in nearly every pair of runs.
fn is_faster(times: &[Times]) -> bool {
    let (baseline, hinted) = medians(times);
    let slower = times.iter().filter(|(baseline, hinted)| hinted >= baseline);
    ratio(baseline, hinted) >= WORTHWHILE && slower.count() <= times.len() / PAIRS_FOR_ONE_SLOWER
}

fn ratio(baseline: Duration, hinted: Duration) -> f64 {
    baseline.as_secs_f64() / hinted.as_secs_f64().max(1e-9)
}

fn medians(times: &[Times]) -> Times {
    let (baseline, hinted): (Vec<_>, Vec<_>) = times.iter().copied().unzip();
    (median(baseline), median(hinted))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn short(error: &DataFusionError) -> String {
    Failure::from_error(DataFusionError::Execution(error.strip_backtrace())).message
}
