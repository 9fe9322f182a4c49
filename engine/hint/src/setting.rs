//! Settings that a session has switched off, though the query would be faster with them.

use super::evidence::Evidence;
use super::finding::Finding;

/// Suggests to switch a setting on again.
pub(crate) fn switched_off(
    evidence: &Evidence,
    name: &'static str,
    text: &str,
    gain: f64,
) -> Finding {
    let severity = evidence.severity();
    Finding::new(severity, "session", text)
        .evidence(format!("{name} = false"))
        .gain(gain)
        .setting(name, "true")
}
