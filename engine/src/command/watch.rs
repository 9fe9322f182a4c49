//! `\watch`: runs a query again and again, and says what has changed.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_event::footer::rows_text;
use lakesh_session::command::{Argument, Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

use super::query::{Rows, rows};

/// The seconds between two runs unless the user says.
const USUAL_PAUSE: f64 = 2.0;

/// More rows are for no screen, and `\watch` remembers them from one run to the next.
const MOST_ROWS: usize = 10_000;

pub(super) struct Watch;

#[async_trait]
impl Command for Watch {
    fn names(&self) -> &'static [&'static str] {
        &["watch"]
    }

    fn usage(&self) -> &'static str {
        "\\watch [SECONDS] [TIMES]"
    }

    fn summary(&self) -> &'static str {
        "runs the query that it ends again and again, until Ctrl-C or so many times; says what changed"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "SELECT 1 AS a \\watch 0.1 2",
            "SELECT 1 AS a \\watch i=0.1 c=1",
        ]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=2)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        Plan::read(invocation).map(drop)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let plan = Plan::read(invocation)?;
        let mut before: Option<Rows> = None;
        let mut run = 0;
        loop {
            run += 1;
            let begin = std::time::Instant::now();
            let now = rows(invocation, MOST_ROWS).await?;
            let summary = show(invocation, &now, before.as_ref(), begin.elapsed()).await?;
            if plan.times == Some(run) {
                return Ok(summary);
            }
            invocation.send(Event::Step(summary)).await?;
            before = Some(now);
            tokio::time::sleep(plan.pause).await;
        }
    }
}

/// How often the query runs.
struct Plan {
    pause: Duration,
    times: Option<u64>,
}

impl Plan {
    /// Reads `2 10`, or psql's `i=2 c=10`.
    fn read(invocation: &Invocation) -> Result<Self, Failure> {
        let mut plan = Self {
            pause: Duration::from_secs_f64(USUAL_PAUSE),
            times: None,
        };
        for (position, argument) in invocation.arguments().iter().enumerate() {
            match argument.value.split_once('=') {
                Some(("i" | "interval", value)) => plan.pause = pause(invocation, argument, value)?,
                Some(("c" | "count", value)) => {
                    plan.times = Some(times(invocation, argument, value)?)
                }
                Some(_) => {
                    return Err(invocation
                        .wrong(format!("`{}` is no option of `\\watch`", argument.value))
                        .hint("`i=2` is the pause in seconds, `c=10` the number of runs")
                        .at(argument.place.clone()));
                }
                None if position == 0 => plan.pause = pause(invocation, argument, &argument.value)?,
                None => plan.times = Some(times(invocation, argument, &argument.value)?),
            }
        }
        Ok(plan)
    }
}

fn pause(invocation: &Invocation, argument: &Argument, value: &str) -> Result<Duration, Failure> {
    let seconds = value.parse::<f64>().ok();
    let pause = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    pause.ok_or_else(|| {
        invocation
            .wrong(format!("`{value}` is not a number of seconds"))
            .at(argument.place.clone())
    })
}

fn times(invocation: &Invocation, argument: &Argument, value: &str) -> Result<u64, Failure> {
    let times = value.parse::<u64>().ok().filter(|times| *times > 0);
    times.ok_or_else(|| {
        invocation
            .wrong(format!("`{value}` is not a number of runs"))
            .at(argument.place.clone())
    })
}

/// Shows the rows of one run, and what differs from the run before.
async fn show(
    invocation: &Invocation,
    now: &Rows,
    before: Option<&Rows>,
    elapsed: Duration,
) -> Result<Summary, Failure> {
    if before.is_some() {
        invocation.send(Event::Clear).await?;
    }
    let clock = chrono::Local::now().format("%Y-%m-%d %H:%M:%S");
    let changed = match before {
        Some(before) => format!(", {}", difference(&before.texts(), &now.texts())),
        None => String::new(),
    };
    invocation.notice(format!("{clock}{changed}")).await?;
    invocation.send(Event::Schema(now.schema.clone())).await?;
    let mut count = 0;
    for batch in now.batches.iter().filter(|batch| batch.num_rows() > 0) {
        count += batch.num_rows() as u64;
        invocation.send(Event::Batch(batch.clone())).await?;
    }
    Ok(Summary {
        rows: Some(count),
        returned_rows: true,
        elapsed,
        ..invocation.done()
    })
}

/// Says how the rows of two runs differ, as bags: which place a row has is no change.
fn difference(before: &[Vec<Option<String>>], now: &[Vec<Option<String>>]) -> String {
    let mut counts: BTreeMap<&[Option<String>], i64> = BTreeMap::new();
    for row in now {
        *counts.entry(row).or_default() += 1;
    }
    for row in before {
        *counts.entry(row).or_default() -= 1;
    }
    let sum = |wanted: fn(i64) -> i64| {
        let rows: i64 = counts.values().map(|count| wanted(*count).max(0)).sum();
        rows.unsigned_abs()
    };
    match (sum(|count| count), sum(|count| -count)) {
        (0, 0) => "nothing changed".to_owned(),
        (new, 0) => format!("{} new", rows_text(new)),
        (0, gone) => format!("{} gone", rows_text(gone)),
        (new, gone) => format!("{} new, {} gone", rows_text(new), rows_text(gone)),
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn rows_are_compared_as_bags() {
        let rows = |text: &str| -> Vec<Vec<Option<String>>> {
            text.chars()
                .map(|row| vec![Some(row.to_string())])
                .collect()
        };
        let cases = [
            ("ab", "ba", "nothing changed"),
            ("ab", "abb", "1 row new"),
            ("abcc", "ab", "2 rows gone"),
            ("ab", "ac", "1 row new, 1 row gone"),
        ];
        for (before, now, expected) in cases {
            assert_eq!(difference(&rows(before), &rows(now)), expected);
        }
    }
}
