//! The words that are painted and completed as keywords, and names that need quotes beside them.
//!
//! They are the words that users write in statements. The parser knows many more, most of which are more
//! often names of columns.

/// Keywords in alphabetical order.
pub const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ANTI",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "ASOF",
    "ATTACH",
    "BETWEEN",
    "BY",
    "CACHE",
    "CASE",
    "CAST",
    "CHECK",
    "COLUMN",
    "COLUMNS",
    "CONSTRAINT",
    "CONVERT",
    "COPY",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT",
    "DEFAULT",
    "DELETE",
    "DELTA",
    "DESC",
    "DESCRIBE",
    "DETACH",
    "DETAIL",
    "DIFF",
    "DISTINCT",
    "DROP",
    "DRY",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXCLUDE",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL",
    "EXTRACT",
    "FALSE",
    "FETCH",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FOR",
    "FROM",
    "FULL",
    "FUNCTION",
    "FUNCTIONS",
    "GROUP",
    "GROUPING",
    "HAVING",
    "HISTORY",
    "IF",
    "ILIKE",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "MATCHED",
    "MERGE",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OF",
    "OFFSET",
    "ON",
    "OPTIMIZE",
    "OPTIONS",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "OVERWRITE",
    "PARTITION",
    "PARTITIONED",
    "PIVOT",
    "PRECEDING",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "RENAME",
    "REPLACE",
    "RESET",
    "RESTORE",
    "RIGHT",
    "ROLLUP",
    "ROW",
    "ROWS",
    "SCHEMA",
    "SCHEMAS",
    "SELECT",
    "SEMI",
    "SESSION",
    "SET",
    "SETS",
    "SHOW",
    "STORED",
    "SUMMARIZE",
    "TABLE",
    "TABLES",
    "TABLESAMPLE",
    "THEN",
    "TIMESTAMP",
    "TO",
    "TRUE",
    "TRUNCATE",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "UNPIVOT",
    "UPDATE",
    "USE",
    "USING",
    "VACUUM",
    "VALUES",
    "VERSION",
    "VIEW",
    "VIEWS",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
    "ZORDER",
];

/// Tells whether a word is a keyword, in whatever case.
pub fn is_keyword(word: &str) -> bool {
    // No keyword is longer; a long word need not be copied to know that it is none.
    word.len() <= 16
        && KEYWORDS
            .binary_search(&word.to_ascii_uppercase().as_str())
            .is_ok()
}

/// Writes a name as SQL reads it back: plain where it is in lower case and no keyword, else in quotes.
pub fn quoted_name(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|part| part.is_ascii_lowercase() || part.is_ascii_digit() || part == '_')
        && !is_keyword(name);
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::{KEYWORDS, is_keyword, quoted_name};

    #[test]
    fn names_get_the_quotes_they_need() {
        for (name, expected) in [
            ("a_1", "a_1"),
            ("_a", "_a"),
            ("1a", "\"1a\""),
            ("A", "\"A\""),
            ("ä", "\"ä\""),
            ("", "\"\""),
            ("order", "\"order\""),
            ("select", "\"select\""),
            ("a b", "\"a b\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(quoted_name(name), expected);
        }
    }

    #[test]
    fn words_are_found() {
        assert!(KEYWORDS.is_sorted());
        for (word, expected) in [
            ("select", true),
            ("From", true),
            ("name", false),
            ("", false),
        ] {
            assert_eq!(is_keyword(word), expected, "{word}");
        }
    }
}
