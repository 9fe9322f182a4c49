//! What the tests of this crate share: random numbers that repeat, and a session with all functions.

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::FrameRule;

/// Numbers that look random (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// A session with all functions of this crate.
pub(crate) fn session(partitions: usize, batch_size: usize) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_batch_size(batch_size);
    let mut state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_analyzer_rule(std::sync::Arc::new(FrameRule))
        .build();
    crate::register(&mut state).unwrap();
    SessionContext::new_with_state(state)
}

/// Runs a query and returns its rows as text: values joined by commas, NULL as `NULL`.
pub(crate) async fn rows(session: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batches = session.sql(sql).await?.collect().await?;
    let options = FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in &batches {
        let columns = batch.columns().iter();
        let columns = columns.map(|column| ArrayFormatter::try_new(column, &options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let values: Vec<_> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            lines.push(values.join(","));
        }
    }
    Ok(lines)
}

/// Runs a query and returns its rows, or the message of its error.
#[track_caller]
pub(crate) fn run(sql: &str) -> Result<Vec<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let found = runtime.block_on(rows(&session(2, 8192), sql));
    found.map_err(|error| error.strip_backtrace())
}

/// Checks the rows of a query.
#[track_caller]
pub(crate) fn check(sql: &str, expected: &[&str]) {
    assert_eq!(run(sql).unwrap(), expected, "{sql}");
}

/// Checks that a query fails with a message that has a part in it.
#[track_caller]
pub(crate) fn check_error(sql: &str, part: &str) {
    let error = run(sql).unwrap_err();
    assert!(error.contains(part), "{sql}\n{error}");
}
