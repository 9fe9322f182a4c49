//! Messages about memory that ran out: who wanted how much, and which setting gives more.

use super::explain::Finding;
use super::rules::{capture, fill};
use super::wording::tidy;
use crate::consumer::consumer_name;
use crate::failure::FailureKind;

/// Explains the text of DataFusion's `ResourcesExhausted`.
pub(super) fn exhausted(text: &str) -> Finding {
    // The tracking pool lists the largest consumers first and repeats the pool's own error after them.
    let largest = capture("{}as:\n{} consumed {},", text)
        .map(|captures| consumer_name(captures[1].trim()).to_owned())
        .filter(|name| !name.is_empty());
    let own = text.rsplit("\nError: ").next().unwrap_or(text);
    let pattern = "Failed to allocate additional {} for {} with {} already allocated for this \
                   reservation - {} remain available";
    let Some(captures) = capture(pattern, own) else {
        return Finding::new(FailureKind::Resources, tidy(text));
    };
    let name = consumer_name(captures[1]);
    let message = fill(
        "out of memory: the {1} has {2} and needs {0} more, {3} are left",
        &[captures[0], name, captures[2], captures[3]],
    );
    let mut finding = Finding::new(FailureKind::Resources, message);
    if let Some(largest) = largest.filter(|largest| largest != name) {
        finding
            .hints
            .push(format!("the most memory is held by the {largest}"));
    }
    finding
        .hints
        .push("raise the limit with SET lakesh.memory_limit = '…'".to_owned());
    finding
}

#[cfg(test)]
mod tests {
    use super::exhausted;

    #[test]
    fn exhaustion_names_operator_and_setting() {
        let own = "Failed to allocate additional 150.0 B for ExternalSorter[3] with 2.0 KB already \
                   allocated for this reservation - 5.0 B remain available for the total memory pool: \
                   greedy(used: 95.0 B, pool_size: 100.0 B)";
        let message = "out of memory: the sort has 2.0 KB and needs 150.0 B more, 5.0 B are left";
        let finding = exhausted(own);
        assert_eq!(finding.message, message);
        assert_eq!(finding.hints.len(), 1);
        let tracked = format!(
            "Additional allocation failed for ExternalSorter[3] with top memory consumers (across \
             reservations) as:\n  HashJoinInput[0]#9(can spill: false) consumed 50.0 B, peak 70.0 B.\n\
             Error: {own}"
        );
        let finding = exhausted(&tracked);
        assert_eq!(finding.message, message);
        assert_eq!(
            finding.hints[0],
            "the most memory is held by the hash join build side"
        );
        assert_eq!(exhausted("Too much of it.").message, "too much of it");
    }
}
