//! What is known of a name, for the front end's tooltip: HTML and plain text.

use std::fmt::Write as _;

use lakesh_engine::inspection::Inspection;
use serde_json::{Map, Value};

/// JupyterLab aligns cells to the right.
const LEFT: &str = "style=\"text-align:left\"";

/// Columns of a table that are listed.
const MOST_COLUMNS: usize = 200;

/// Writes what is known of a name in every form.
pub(crate) fn inspection(found: &Inspection) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("text/plain".to_owned(), plain(found).into());
    data.insert("text/html".to_owned(), html(found).into());
    data
}

fn plain(found: &Inspection) -> String {
    let mut text = format!("{}\n", found.title);
    let width = found
        .facts
        .iter()
        .chain(found.columns.iter().take(MOST_COLUMNS))
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    for (name, value) in &found.facts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:width$}  {value}");
    }
    if !found.columns.is_empty() {
        text.push_str("columns\n");
    }
    for (name, data_type) in found.columns.iter().take(MOST_COLUMNS) {
        let _ = writeln!(text, "  {name:width$}  {data_type}");
    }
    if found.columns.len() > MOST_COLUMNS {
        let _ = writeln!(text, "  … {} more", found.columns.len() - MOST_COLUMNS);
    }
    text.push_str(&found.text);
    text
}

fn html(found: &Inspection) -> String {
    let mut text = format!("<div><b>{}</b></div>", escaped(&found.title));
    let rows = |text: &mut String, rows: &[(String, String)]| {
        text.push_str("<table>");
        for (name, value) in rows.iter().take(MOST_COLUMNS) {
            let _ = write!(
                text,
                "<tr><td {LEFT}>{}</td><td {LEFT}>{}</td></tr>",
                escaped(name),
                escaped(value)
            );
        }
        text.push_str("</table>");
    };
    if !found.facts.is_empty() {
        rows(&mut text, &found.facts);
    }
    if !found.columns.is_empty() {
        text.push_str("<div>columns</div>");
        rows(&mut text, &found.columns);
    }
    if !found.text.is_empty() {
        let _ = write!(text, "<pre>{}</pre>", escaped(&found.text));
    }
    text
}

/// Escapes what means something in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use lakesh_engine::inspection::Inspection;

    use super::{LEFT, inspection};

    #[test]
    fn names_are_escaped() {
        let found = Inspection {
            title: "table <b>".to_owned(),
            facts: vec![("format".to_owned(), "delta".to_owned())],
            columns: vec![("a<script>".to_owned(), "bigint".to_owned())],
            text: "x & y\n".to_owned(),
        };
        let data = inspection(&found);
        assert_eq!(
            data["text/plain"],
            "table <b>\n  format     delta\ncolumns\n  a<script>  bigint\nx & y\n"
        );
        let html = data["text/html"]
            .as_str()
            .unwrap_or_default()
            .replace(LEFT, "");
        assert_eq!(
            html,
            "<div><b>table &lt;b&gt;</b></div><table><tr><td >format</td><td >delta</td></tr></table>\
             <div>columns</div><table><tr><td >a&lt;script&gt;</td><td >bigint</td></tr></table>\
             <pre>x &amp; y\n</pre>"
        );
    }
}
