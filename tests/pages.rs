//! The pages as a whole: every page is part of the site, and every link leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::support::repository;

/// Pages beside `docs` that people read in the repository itself.
const OUTSIDE: &[&str] = &["README.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// A link: the line that it is on, its text and where it leads.
#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    line: usize,
    text: &'a str,
    target: &'a str,
}

/// Collects the Markdown files below a folder, as paths from the repository's root.
fn collect(folder: &Path, pages: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(repository("").join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.insert(path);
        }
    }
}

#[track_caller]
fn read(page: &Path) -> String {
    fs::read_to_string(repository("").join(page))
        .unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// Returns the lines of a page that are prose, with their numbers from 1: blocks of code are left out.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut open = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            open = !open;
        } else if !open {
            lines.push((index + 1, line));
        }
    }
    lines
}

/// Finds `[text](target)`, pictures included. A title behind the target is left out.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (line, content) in prose(text) {
        let mut from = 0;
        while let Some(place) = content[from..].find("](") {
            let start = from + place + 2;
            let Some(length) = content[start..].find(')') else {
                break;
            };
            let words = &content[start..start + length];
            let opening = content[..start - 2].rfind('[').map_or(0, |place| place + 1);
            // An odd number of backticks before it: what looks like a link is code.
            if content[..opening].matches('`').count() % 2 == 0 {
                found.push(Link {
                    line,
                    text: &content[opening..start - 2],
                    target: words.split_whitespace().next().unwrap_or_default(),
                });
            }
            from = start + length;
        }
    }
    found
}

/// Returns the headings of a page without the marks in front of them.
fn headings(text: &str) -> Vec<&str> {
    prose(text)
        .into_iter()
        .filter_map(|(_, line)| {
            let rest = line.trim_start_matches('#');
            let level = line.len() - rest.len();
            (1..=6).contains(&level).then_some(rest)?.strip_prefix(' ')
        })
        .map(str::trim)
        .collect()
}

/// Returns the names that headings can be linked by, as GitHub and mdBook make them.
fn anchors(text: &str) -> Vec<String> {
    let mut plain: Vec<String> = Vec::new();
    for heading in headings(text) {
        let name: String = heading
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        plain.push(name);
    }
    let numbered = plain.iter().enumerate().map(|(index, name)| {
        let earlier = plain[..index].iter().filter(|other| *other == name);
        match earlier.count() {
            0 => name.clone(),
            times => format!("{name}-{times}"),
        }
    });
    numbered.collect()
}

/// Takes `..` out of a path; `None` when it leads out of the repository.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => plain.pop().then_some(())?,
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Some(plain)
}

/// Says what is wrong with a link, if something is.
fn problem(page: &Path, link: &Link<'_>) -> Option<String> {
    if link.target.contains("://") || link.target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.target.split_once('#').unwrap_or((link.target, ""));
    let folder = page.parent().unwrap_or(Path::new(""));
    let target = match path {
        "" => page.to_owned(),
        _ => match plain(&folder.join(path)) {
            Some(target) => target,
            None => return Some("it leads out of the repository".to_owned()),
        },
    };
    let place = repository("").join(&target);
    if !place.exists() {
        return Some("there is no such file".to_owned());
    }
    if page.starts_with("docs") && (!target.starts_with("docs") || place.is_dir()) {
        return Some("the site has files of `docs` only, and no page for a folder".to_owned());
    }
    if !anchor.is_empty() && !anchors(&read(&target)).iter().any(|name| name == anchor) {
        return Some("there is no such heading".to_owned());
    }
    None
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut pages: BTreeSet<PathBuf> = OUTSIDE.iter().map(PathBuf::from).collect();
    collect(Path::new("docs"), &mut pages);
    let mut problems = Vec::new();
    let mut checked = 0;
    for page in &pages {
        let text = read(page);
        for link in links(&text) {
            checked += 1;
            if let Some(problem) = problem(page, &link) {
                let (page, line, target) = (page.display(), link.line, link.target);
                problems.push(format!("{page}:{line}: `{target}`: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > pages.len(), "{checked} links");
}

#[test]
fn the_site_has_every_page_under_its_own_name() {
    let summary = read(Path::new("docs/SUMMARY.md"));
    let mut listed = BTreeSet::new();
    for link in links(&summary) {
        let page = Path::new("docs").join(link.target);
        let text = read(&page);
        let title = headings(&text).first().copied().unwrap_or_default();
        assert_eq!(link.text, title, "docs/SUMMARY.md:{}", link.line);
        assert!(listed.insert(page), "{} is there twice", link.target);
    }
    let mut pages = BTreeSet::new();
    collect(Path::new("docs"), &mut pages);
    pages.remove(Path::new("docs/SUMMARY.md"));
    assert_eq!(listed, pages);
}

#[test]
fn links_are_found_in_prose_only() {
    let text = "a [b](c.md#d) and ![e](f.png \"g\"), `[h](i)`\n```sh\n[j](k)\n```\n[`l` m](n)\n";
    let found = links(text);
    let expected = [(1, "b", "c.md#d"), (1, "e", "f.png"), (5, "`l` m", "n")];
    let expected = expected.map(|(line, text, target)| Link { line, text, target });
    assert_eq!(found, expected);
}

#[test]
fn headings_have_the_names_that_links_use() {
    let text = "# What a `feature` must not know\n```\n# no heading\n```\n## In Rust: 1.95\n## In Rust: 1.95\n#no\n";
    assert_eq!(
        anchors(text),
        [
            "what-a-feature-must-not-know",
            "in-rust-195",
            "in-rust-195-1"
        ]
    );
}

#[test]
fn wrong_links_are_told_apart() {
    let page = Path::new("docs/guide/files.md");
    #[track_caller]
    fn check(page: &Path, target: &str, expected: Option<&str>) {
        let link = Link {
            line: 1,
            text: "",
            target,
        };
        let found = problem(page, &link);
        let is_right = match expected {
            None => found.is_none(),
            Some(part) => found.as_ref().is_some_and(|found| found.contains(part)),
        };
        assert!(is_right, "{target}: {found:?}");
    }
    check(page, "scripts.md#parameters", None);
    check(page, "../delta.md", None);
    check(page, "https://example.com/x#y", None);
    check(page, "script.md", Some("no such file"));
    check(page, "scripts.md#parametres", Some("no such heading"));
    check(page, "../../README.md", Some("files of `docs` only"));
    check(page, "../decisions", Some("no page for a folder"));
    check(page, "../../../x", Some("out of the repository"));
    check(Path::new("README.md"), "docs/decisions", None);
}
