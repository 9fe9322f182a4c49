//! `\history`: what was typed before, in this shell and in others.

use async_trait::async_trait;
use lakesh_engine::command::{Arguments, Command, Invocation};
use lakesh_engine::event::{Event, Summary};
use lakesh_engine::failure::Failure;
use lakesh_kernel::History;

use crate::repl::KeptHistory;

/// So many entries are shown unless the user says.
const USUAL_COUNT: usize = 20;

pub(crate) struct ShowHistory;

#[async_trait]
impl Command for ShowHistory {
    fn names(&self) -> &'static [&'static str] {
        &["history", "hist", "s"]
    }

    fn usage(&self) -> &'static str {
        "\\history [N|TEXT…]"
    }

    fn summary(&self) -> &'static str {
        "shows the last statements of all prompts and notebooks, or those that have a text in them"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\history 5", "\\history count"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=usize::MAX)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let words: Vec<_> = invocation
            .arguments()
            .iter()
            .map(|word| word.value.as_str())
            .collect();
        let sought = words.join(" ").to_lowercase();
        let count = sought.parse::<usize>().ok();
        let earlier = KeptHistory::new(false).earlier();
        let found = earlier
            .iter()
            .enumerate()
            .filter(|(_, entry)| count.is_some() || entry.to_lowercase().contains(&sought));
        let mut lines: Vec<String> = found
            .map(|(index, entry)| {
                format!("{:>6}  {}\n", index + 1, entry.replace('\n', "\n        "))
            })
            .collect();
        if count.is_some() || sought.is_empty() {
            let shown = count.unwrap_or(USUAL_COUNT).min(lines.len());
            lines.drain(..lines.len() - shown);
        }
        match lines.is_empty() {
            true => invocation.notice("the history has no such entry").await?,
            false => invocation.send(Event::Page(lines.concat())).await?,
        }
        Ok(invocation.done())
    }
}
