//! What the words that begin statements say about a text that could not be parsed.
//!
//! sqlparser does not know ours, and who explains its errors knows no statements at all.

use datafusion::common::{DataFusionError, Diagnostic};
use lakesh_text::failure::unexpected_token;
use lakesh_text::similar::closest;

use super::{StatementKind, first_words};

/// Adds to an error of the parser which statement was probably meant, or that one begins where another
/// should have ended.
pub(super) fn with_hint(error: DataFusionError, statements: &[&StatementKind]) -> DataFusionError {
    let hint = match &error {
        DataFusionError::SQL(error, _) => unexpected_token(error)
            .and_then(|(expected, found)| hint(expected, found, &first_words(statements))),
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

fn hint(expected: &str, found: &str, words: &[String]) -> Option<String> {
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
