//! Hint comments: `SELECT /*+ BROADCAST(t) */ …`, which change how a query runs and not what it returns.
//!
//! A word of a hint is one file in `words/` and one line in [`WORDS`]. Where a word is read it changes
//! the syntax tree or puts a mark on a relation; marks become nodes that filters and columns pass
//! through, until a physical rule reads them. What has no effect is said with its place, never passed
//! over. See `docs/decisions/0015-observation-and-cache.md`.

mod block;
mod comment;
mod joins;
mod mark;
mod node;
mod partitions;
mod relation;
mod rewrite;
mod settings;
#[cfg(test)]
mod tests;
mod usage;
mod words;

pub use block::Marks;
pub use joins::after_join_selection;
pub(crate) use node::HintExtensionPlanner;
pub use node::hinted;
pub use relation::HintRelationPlanner;
pub use rewrite::rewrite;
pub use settings::apply_settings;
pub use usage::{HintSource, HintUses, strays};

use block::Block;
use comment::Hint;

/// A word that may stand in a hint comment.
pub struct HintWord {
    /// Its names; the first is the one that help shows.
    pub names: &'static [&'static str],
    /// Its form.
    pub usage: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// A script that runs as it stands in an empty session.
    pub example: &'static str,
    /// Does what the hint asks for to the SELECT that it stands in, or says why it cannot.
    apply: fn(&mut Block<'_>, &Hint) -> Result<(), Refusal>,
}

/// Why a hint does nothing, and which part of it is to blame.
struct Refusal {
    reason: String,
    /// Bytes of the statement; `None` is the whole hint.
    at: Option<std::ops::Range<usize>>,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            at: None,
        }
    }
}

/// The words, in alphabetical order.
static WORDS: &[&HintWord] = &[
    &words::broadcast::BROADCAST,
    &words::coalesce::COALESCE,
    &words::join_order::JOIN_ORDER,
    &words::materialize::MATERIALIZE,
    &words::merge::MERGE,
    &words::no_pushdown::NO_PUSHDOWN,
    &words::repartition::REPARTITION,
    &words::salt::SALT,
    &words::set::SET,
    &words::shuffle_hash::SHUFFLE_HASH,
];

/// Returns the words that hint comments know, in alphabetical order.
pub fn hint_words() -> &'static [&'static HintWord] {
    WORDS
}

/// Finds a word by any of its names, in any case.
pub fn find(name: &str) -> Option<&'static HintWord> {
    WORDS.iter().copied().find(|word| {
        word.names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}
