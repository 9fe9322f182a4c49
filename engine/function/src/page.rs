//! The page that compares functions by name: `docs/compared-sql.md`.

use std::fmt::Write as _;

use crate::entry::{ABSENT, GROUPS};

/// Returns the tables of the page; what stands around them is written by hand.
pub fn compared() -> String {
    const TITLES: [&str; 7] = [
        "Choosing and the rest",
        "Numbers",
        "Texts",
        "Dates and times",
        "Lists, structs and maps",
        "Aggregates",
        "JSON",
    ];
    let mut page = String::new();
    for (title, group) in TITLES.iter().zip(GROUPS) {
        let _ = writeln!(page, "### {title}\n");
        page.push_str("| here | what it gives | DuckDB | PostgreSQL | Spark |\n");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for function in group.iter().filter(|function| !function.is_internal()) {
            let aliases = function.aliases.iter().map(|name| format!(", `{name}`"));
            let aliases: String = aliases.collect();
            let _ = writeln!(
                page,
                "| `{}`{aliases} | {} | {} | {} | {} |",
                cell(function.usage),
                cell(&format!("{} {}", function.summary, function.nulls)),
                cell(function.duckdb),
                cell(function.postgres),
                cell(function.spark),
            );
        }
        page.push('\n');
    }
    page.push_str("### What there is not\n\n| there | here |\n| --- | --- |\n");
    for absent in ABSENT {
        let _ = writeln!(page, "| `{}` | {} |", absent.name, cell(absent.instead));
    }
    page
}

/// A text that stays in its cell.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::compared;

    #[test]
    fn the_page_is_that_of_the_registry() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compared-sql.md");
        let page = std::fs::read_to_string(path).unwrap();
        let tables = compared();
        let begin = page.find("### ").unwrap();
        assert_eq!(
            &page[begin..],
            tables,
            "write what is on the right into {path}"
        );
    }
}
