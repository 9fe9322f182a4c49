//! What is said of files that do not hold what they say.
//!
//! Decoders of the libraries trust the lengths and codes in a file and may panic on false ones; what they
//! say then is about their own structures, and nobody can use it.

use super::{Failure, FailureKind};

/// What can be done about a damaged file.
const DAMAGE_HINT: &str = "write the file again, or take it from where it was copied from";

/// Says that a file is damaged, and how: `its footer is longer than the file`.
pub fn damaged(path: &str, how: &str) -> Failure {
    let message = format!("`{path}` is damaged: {how}");
    Failure::new(FailureKind::InputOutput, message).hint(DAMAGE_HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_named_and_something_can_be_done() {
        let failure = damaged("/lake/a.arrow", "it ends in a batch");
        assert_eq!(
            failure.message,
            "`/lake/a.arrow` is damaged: it ends in a batch"
        );
        assert_eq!(failure.kind, FailureKind::InputOutput);
        assert_eq!(failure.hints, [DAMAGE_HINT]);
    }
}
