//! What is said when memory runs out, and how the session recognises it afterwards.
//!
//! DataFusion's operators decide by `ResourcesExhausted`, which carries text only, and wrap or quote
//! it on the way up. So the facts travel in the text: the writer and the reader of it are both here.

use std::fmt;

use datafusion::error::DataFusionError;
use lakesh_text::consumer::JOIN_BUILD;
use lakesh_text::quantity::format_size;

use super::limit::parse_size;

/// How the sentence starts, by which it is found in a longer text.
const START: &str = "not enough memory for the ";

/// A request for memory that the limit did not allow.
///
/// Sizes are in bytes; read back from an error they have the precision of what was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// What messages call the operator that asked.
    pub consumer: String,
    /// Whether a hash join's build side asked, or held a quarter of the limit while another failed:
    /// then sort-merge joins, which spill, can get the query through.
    pub was_join: bool,
    /// How much it asked for.
    pub requested: u64,
    /// How much it had already.
    pub held: u64,
    /// How much all operators together had.
    pub used: u64,
    /// The limit at that moment.
    pub limit: u64,
    /// The largest users by name with what they held, largest first.
    pub largest: Vec<(String, u64)>,
}

impl Exhausted {
    /// Says what to do about it.
    pub fn hint(&self) -> String {
        format!(
            "raise the limit of {} with `SET lakesh.memory_limit = '…'` or `--memory-limit`",
            format_size(self.limit)
        )
    }

    /// Decides whether sort-merge joins would help.
    pub(crate) fn joins_matter(consumer: &str, largest: &[(String, u64)], limit: u64) -> bool {
        consumer == JOIN_BUILD
            || largest
                .iter()
                .any(|(name, size)| name == JOIN_BUILD && *size >= limit / 4)
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{START}{}: it asked for {} on top of {}, and {} of {} are in use",
            self.consumer,
            format_size(self.requested),
            format_size(self.held),
            format_size(self.used),
            format_size(self.limit),
        )?;
        for (position, (name, size)) in self.largest.iter().enumerate() {
            let separator = if position == 0 { " (" } else { ", " };
            write!(formatter, "{separator}{name} {}", format_size(*size))?;
        }
        if !self.largest.is_empty() {
            formatter.write_str(")")?;
        }
        write!(formatter, "; {}", self.hint())
    }
}

/// Reads from an error that the memory limit was reached, and by whom.
///
/// [`Memory::exhausted_by`](super::runtime::Memory::exhausted_by) finds more, for it knows the pool.
pub(crate) fn exhausted_by(error: &DataFusionError) -> Option<Exhausted> {
    read(&error.to_string())
}

/// Reads the sentence that [`Exhausted`] writes out of a longer text.
fn read(text: &str) -> Option<Exhausted> {
    let (_, rest) = text.split_once(START)?;
    let (consumer, rest) = rest.split_once(": it asked for ")?;
    let (requested, rest) = rest.split_once(" on top of ")?;
    let (held, rest) = rest.split_once(", and ")?;
    let (used, rest) = rest.split_once(" of ")?;
    let (limit, rest) = rest.split_once(" are in use")?;
    let (users, _) = rest.split_once("; raise the limit")?;
    let largest: Vec<(String, u64)> = users
        .trim()
        .trim_start_matches('(')
        .trim_end_matches(')')
        .split(", ")
        .filter_map(read_user)
        .collect();
    let limit = parse_size(limit, 0).ok()?;
    Some(Exhausted {
        consumer: consumer.to_owned(),
        was_join: Exhausted::joins_matter(consumer, &largest, limit),
        requested: parse_size(requested, 0).ok()?,
        held: parse_size(held, 0).ok()?,
        used: parse_size(used, 0).ok()?,
        limit,
        largest,
    })
}

/// Reads `name 12.5 MiB`; the name may hold spaces, the size holds one.
fn read_user(text: &str) -> Option<(String, u64)> {
    let unit = text.rfind(' ')?;
    let number = text[..unit].rfind(' ')?;
    let size = parse_size(&text[number + 1..], 0).ok()?;
    Some((text[..number].to_owned(), size))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn example() -> Exhausted {
        Exhausted {
            consumer: "sort".to_owned(),
            was_join: true,
            requested: 3 * MIB,
            held: 0,
            used: 60 * MIB,
            limit: 64 * MIB,
            largest: vec![
                (JOIN_BUILD.to_owned(), 40 * MIB),
                ("exchange between partitions".to_owned(), 17),
            ],
        }
    }

    #[test]
    fn the_message_names_operators_and_the_setting() {
        assert_eq!(
            example().to_string(),
            "not enough memory for the sort: it asked for 3 MiB on top of 0 B, and 60 MiB of 64 MiB \
             are in use (hash join build side 40 MiB, exchange between partitions 17 B); raise the \
             limit of 64 MiB with `SET lakesh.memory_limit = '…'` or `--memory-limit`"
        );
    }

    #[test]
    fn it_is_recognised_however_it_is_wrapped() {
        let inner = DataFusionError::ResourcesExhausted(example().to_string());
        let quoted = DataFusionError::ResourcesExhausted(format!(
            "Failed to reserve memory for sort during spill: {inner}"
        ));
        let wrapped = DataFusionError::Shared(Arc::new(inner.context("while sorting")));
        let external = DataFusionError::External(Box::new(wrapped));
        for error in [quoted, external] {
            assert_eq!(exhausted_by(&error), Some(example()), "{error}");
        }
    }

    #[test]
    fn a_small_join_is_not_to_blame() {
        let mut small = example();
        small.largest = vec![(JOIN_BUILD.to_owned(), MIB)];
        small.was_join = false;
        assert_eq!(read(&small.to_string()), Some(small.clone()));
        small.largest.clear();
        assert_eq!(read(&small.to_string()), Some(small.clone()));
        small.consumer = JOIN_BUILD.to_owned();
        small.was_join = true;
        assert_eq!(read(&small.to_string()), Some(small));
    }

    #[test]
    fn other_errors_are_not_taken_for_it() {
        let error = DataFusionError::Execution("not enough memory for the world".to_owned());
        assert_eq!(exhausted_by(&error), None);
        let error = DataFusionError::ResourcesExhausted("disk is full".to_owned());
        assert_eq!(exhausted_by(&error), None);
    }
}
