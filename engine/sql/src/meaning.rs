//! What a name stands for among names of any case.

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::Ident;

use super::syntax_error;

/// What a folded name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// Something that is spelled so.
    Exact,
    /// The one thing that is spelled in another case.
    Folded(&'a str),
    /// Several things, spelled in other cases.
    Several(Vec<&'a str>),
    /// Nothing.
    Nothing,
}

/// Finds what a folded name stands for: what is spelled so, or else the only one in another case.
pub fn meaning<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Meaning<'a> {
    let folded = wanted.to_lowercase();
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if name == wanted {
            return Meaning::Exact;
        }
        if !found.contains(&name) && name.to_lowercase() == folded {
            found.push(name);
        }
    }
    match found.as_slice() {
        [] => Meaning::Nothing,
        [only] => Meaning::Folded(only),
        _ => Meaning::Several(found),
    }
}

/// Returns the error for a name that fits several things.
#[must_use]
pub fn ambiguous(word: &Ident, names: &[&str]) -> DataFusionError {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let message = format!(
        "`{}` can be {}; write the one that is meant in double quotes",
        word.value,
        names.join(" or ")
    );
    syntax_error(&message, word.span.start)
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn the_exact_spelling_wins() {
        let names = ["a", "A", "Bb", "C", "ÄÖ"];
        let find = |wanted| meaning(names.into_iter(), wanted);
        assert_eq!(find("a"), Meaning::Exact);
        assert_eq!(find("bb"), Meaning::Folded("Bb"));
        assert_eq!(find("äö"), Meaning::Folded("ÄÖ"));
        assert_eq!(find("d"), Meaning::Nothing);
        let twins = ["Aa", "aA", "Aa"];
        let found = meaning(twins.into_iter(), "aa");
        assert_eq!(found, Meaning::Several(vec!["Aa", "aA"]));
    }
}
