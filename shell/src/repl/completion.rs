//! What Tab offers at the prompt: the engine's candidates in the line editor's form.

use std::sync::Arc;

use lakesh_engine::completion::{Candidate, complete};
use lakesh_engine::session::Session;
use rustyline::completion::Pair;
use tokio::runtime::Handle;

/// Finds what Tab offers.
pub(super) struct Completer {
    session: Arc<Session>,
    runtime: Handle,
}

impl Completer {
    pub(super) fn new(session: Arc<Session>, runtime: Handle) -> Self {
        Self { session, runtime }
    }

    /// Returns where the replaced text begins, and what may stand there.
    pub(super) fn complete(&self, text: &str, cursor: usize) -> (usize, Vec<Pair>) {
        let found = self.runtime.block_on(complete(&self.session, text, cursor));
        let pairs = found.candidates.into_iter().map(|candidate| {
            let Candidate {
                display,
                replacement,
                ..
            } = candidate;
            Pair {
                display,
                replacement,
            }
        });
        (found.start, pairs.collect())
    }
}
