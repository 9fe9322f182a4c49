//! What the words that begin statements say about a text that could not be parsed.
//!
//! sqlparser does not know ours, and who explains its errors knows no statements at all.

use datafusion::common::{DataFusionError, Diagnostic};

use super::first_words;
use crate::failure::unexpected_token;
use crate::similar::closest;

/// Adds to an error of the parser which statement was probably meant, or that one begins where another
/// should have ended.
pub(super) fn with_hint(error: DataFusionError) -> DataFusionError {
    let hint = match &error {
        DataFusionError::SQL(error, _) => {
            unexpected_token(error).and_then(|(expected, found)| hint(expected, found))
        }
        _ => None,
    };
    match hint {
        Some(hint) => {
            let diagnostic = Diagnostic::new_error("", None).with_help(hint, None);
            error.with_diagnostic(diagnostic)
        }
        None => error,
    }
}

fn hint(expected: &str, found: &str) -> Option<String> {
    let words = first_words();
    let found = found.to_lowercase();
    match expected {
        "an SQL statement" => {
            let similar = closest(&found, words.iter().map(String::as_str))?;
            Some(format!("did you mean `{}`?", similar.to_uppercase()))
        }
        "end of statement" if words.contains(&found) => {
            Some("a `;` may be missing before it".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::parse;
    use crate::input::Substituted;

    #[track_caller]
    fn check(sql: &str, message: &str, hint: Option<&str>) {
        let failure = parse(&Substituted::detached(sql)).err().unwrap();
        assert_eq!(failure.message, message, "{sql}");
        let hints: Vec<&str> = failure.hints.iter().map(String::as_str).collect();
        assert_eq!(hints, hint.into_iter().collect::<Vec<_>>(), "{sql}");
    }

    #[test]
    fn words_that_begin_statements_are_known() {
        let meant = |word: &str| format!("did you mean `{word}`?");
        check(
            "selct 1",
            "expected a statement, found `selct`",
            Some(&meant("SELECT")),
        );
        check(
            "compres t",
            "expected a statement, found `compres`",
            Some(&meant("COMPRESS")),
        );
        check(
            "explain selct 1",
            "expected a statement, found `selct`",
            Some(&meant("SELECT")),
        );
        check("qqqqqq 1", "expected a statement, found `qqqqqq`", None);
        let missing = Some("a `;` may be missing before it");
        check(
            "select 1\nselect 2",
            "expected the end of the statement, found `select`",
            missing,
        );
        check(
            "select 1\nfrom t vacuum t",
            "expected the end of the statement, found `t`",
            None,
        );
        check(
            "drop table t drop table u",
            "expected the end of the statement, found `drop`",
            missing,
        );
    }
}
