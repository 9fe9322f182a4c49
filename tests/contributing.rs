//! The pages on adding something tell the truth: each kind of thing is one file and one line in one list.

use std::fs;
use std::path::Path;

use crate::support::repository;

/// A page, the thing that it takes as its example, and the words by which other files would know it: the name
/// of its static or type.
const PAGES: &[(&str, &str)] = &[
    ("statement", "checkpoint::CHECKPOINT"),
    ("command", "clear::Clear"),
    ("output-format", "ndjson::FORMAT"),
    ("reader", "text::Text"),
    ("hint-rule", "limit_without_order::RULE"),
    ("function", "clip::CLIP"),
];

#[track_caller]
fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the text between a heading and the next one of the same depth.
#[track_caller]
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no heading `{heading}` in {page}"));
    let rest = &page[start + 1..];
    let end = rest[1..].find("\n## ").map_or(rest.len(), |end| end + 1);
    &rest[..end]
}

/// The texts in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Counts the lines of code below a folder that name a thing, by file; tests do not count.
fn places(folder: &Path, wanted: &str, found: &mut Vec<(String, usize)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["tests", "target"].contains(&name) {
                places(&path, wanted, found);
            }
            continue;
        }
        if !name.ends_with(".rs") || name.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains(wanted)
        });
        let count = lines.count();
        if count > 0 {
            let shown = path.strip_prefix(repository("")).unwrap_or(&path);
            found.push((shown.display().to_string(), count));
        }
    }
}

#[test]
fn each_kind_of_thing_is_one_line_in_one_list() {
    for (page, thing) in PAGES {
        let text = read(&format!("docs/contributing/{page}.md"));
        let line = section(&text, "The line");
        let words = quoted(line);
        let (list, file) = (words[0], words[1]);
        let listed = read(file);
        let name = list.trim_end_matches("()");
        assert!(listed.contains(name), "{page}: no `{list}` in {file}");
        let block = line.split("```").nth(1).unwrap();
        let shown = block.trim_start_matches("rust").trim();
        assert!(shown.contains(thing), "{page}: {shown}");
        let times = listed.lines().filter(|other| other.trim() == shown);
        assert_eq!(times.count(), 1, "{page}: `{shown}` in {file}");
        let mut found = Vec::new();
        for folder in ["engine", "kernel", "shell", "udfs"] {
            places(&repository(folder), thing, &mut found);
        }
        assert_eq!(found, [(file.to_owned(), 1)], "{page}: `{thing}`");
    }
}

#[test]
fn the_entry_that_a_page_shows_is_in_the_file_that_it_names() {
    for (page, _) in PAGES {
        let text = read(&format!("docs/contributing/{page}.md"));
        let before = text.split("\n## ").next().unwrap();
        let file = quoted(before)
            .into_iter()
            .find(|word| word.ends_with(".rs"))
            .unwrap_or_else(|| panic!("{page} names no file"));
        let source = read(file);
        let entry = section(&text, "The entry");
        let first = entry.split("```").nth(1).unwrap();
        let code = first.trim_start_matches("rust");
        // Long bodies are cut with a comment; what is shown up to there is what stands in the file.
        let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in lines.take_while(|line| !line.contains('…')) {
            assert!(
                source.lines().any(|other| other.trim() == line),
                "{page}: `{line}` is not in {file}"
            );
        }
    }
}

#[test]
fn each_page_has_the_same_parts() {
    for (page, _) in PAGES {
        let text = read(&format!("docs/contributing/{page}.md"));
        for heading in ["The entry", "The line", "Its tests", "Its page"] {
            let section = section(&text, heading);
            assert!(section.lines().count() > 2, "{page}: {heading}");
        }
    }
}
