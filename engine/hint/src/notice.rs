//! One line after a query that took long: what would make it faster, as far as its plan tells.

use std::time::Duration;

use lakesh_session::scope::Resolver;
use lakesh_session::{HintMode, StatementContext};
use lakesh_text::failure::Failure;

use super::evidence::Evidence;
use super::finding::Severity;

/// Tells the user the most important hint for the statement that has just run, if it took long and there
/// is one above `info`. Plans it once more and runs nothing.
pub(super) async fn after(context: &StatementContext, elapsed: Duration) -> Result<(), Failure> {
    let threshold = context.session.hint_settings().threshold;
    if context.session.hint_mode() == HintMode::Off || elapsed < threshold {
        return Ok(());
    }
    match line(context).await {
        Some(line) => context.notice(line).await,
        None => Ok(()),
    }
}

async fn line(context: &StatementContext) -> Option<String> {
    // What is no query has no hints; what cannot be planned again has said so before.
    let query = lakesh_sql::parse_query(&context.text.text).ok()?;
    let aside = context.aside(context.text.clone());
    let mut resolver = Resolver::new(&aside);
    let gathered = Evidence::gather(&aside, &mut resolver, &query).await;
    let evidence = gathered.ok()??;
    let hints = super::inspect(&aside, &resolver.sources(), &evidence).await;
    let first = hints.first()?;
    (first.finding.severity > Severity::Info).then(|| {
        format!(
            "hint: {} ({}); EXPLAIN HINTS shows what to do",
            first.finding.text, first.rule.name
        )
    })
}
