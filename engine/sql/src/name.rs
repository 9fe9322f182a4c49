//! Names as they stand in a syntax tree, and the names that they are looked up by.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName};

/// Returns the identifiers of a name, or `None` where it holds something else.
pub fn identifiers(name: &ObjectName) -> Option<Vec<Ident>> {
    name.0
        .iter()
        .map(|part| part.as_ident().cloned())
        .collect::<Option<Vec<_>>>()
}

/// Folds an identifier as DataFusion does: in lower case unless it is quoted.
pub fn normalized(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// Writes a name as a word without quotes, which may stand for something in another case, unless it has a case
/// itself.
#[must_use]
pub fn word(name: &str) -> Ident {
    match name == name.to_ascii_lowercase() {
        true => Ident::new(name),
        false => Ident::with_quote('"', name),
    }
}

/// Returns the name by which columns of a file are qualified: its name without folder and suffix.
pub fn stem(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    let file = trimmed.rsplit('/').next().unwrap_or(trimmed);
    let stem = file.split('.').next().unwrap_or(file);
    let plain = if stem.is_empty() || stem.contains('*') {
        trimmed
            .rsplit('/')
            .find(|part| !part.contains('*') && !part.is_empty())
            .unwrap_or("files")
    } else {
        stem
    };
    plain.to_owned()
}
