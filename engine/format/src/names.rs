//! Names of columns for readers that know columns by their names alone.

use std::collections::HashSet;

use datafusion::arrow::datatypes::Fields;

/// Returns a name for each field; one that occurs again gets `_1`, `_2` and so on, whichever is free.
pub(crate) fn distinct_names(fields: &Fields) -> Vec<String> {
    let names: HashSet<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let mut used = HashSet::with_capacity(fields.len());
    let mut distinct = Vec::with_capacity(fields.len());
    for field in fields {
        let mut name = field.name().clone();
        let mut number = 0;
        while used.contains(&name) || (number > 0 && names.contains(name.as_str())) {
            number += 1;
            name = format!("{}_{number}", field.name());
        }
        used.insert(name.clone());
        distinct.push(name);
    }
    distinct
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn names_that_occur_again_are_numbered() {
        for (names, expect) in [
            (vec!["a", "b"], vec!["a", "b"]),
            (vec!["a", "a", "a"], vec!["a", "a_1", "a_2"]),
            (vec!["a", "a", "a_1"], vec!["a", "a_2", "a_1"]),
        ] {
            let fields: Fields = names
                .into_iter()
                .map(|name| Field::new(name, DataType::Int64, true))
                .collect();
            assert_eq!(distinct_names(&fields), expect);
        }
    }
}
