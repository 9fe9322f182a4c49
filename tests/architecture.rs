//! What `docs/architecture.md` promises of the code as a whole, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository;

mod modules;

use modules::Modules;

/// The one crate of the engine that may be `unsafe`: it calls what others have compiled.
const UNSAFE: &str = "native";

/// The largest circle that there is today, in the session; larger ones have no order at all. It may only sink:
/// beyond some 25 files nobody reads a circle as one idea.
const LARGEST_CIRCLE: usize = 25;

/// The crates of the engine: the name of each and its folder.
fn rooms() -> BTreeMap<String, PathBuf> {
    let engine = repository("engine");
    let folders = fs::read_dir(&engine)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("Cargo.toml").exists())
        .map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), folder.clone())
        })
        .collect()
}

/// The crates of the engine that a manifest names below `[dependencies]`.
fn dependencies(folder: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let names = manifest["dependencies"].as_table().unwrap().keys();
    names
        .filter_map(|name| name.strip_prefix("lakesh-"))
        // Plain functions, which any crate may use.
        .filter(|name| *name != "udfs")
        .map(str::to_owned)
        .collect()
}

/// The table of the page: each crate and what it uses.
fn promised() -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(repository("docs/architecture.md")).unwrap();
    page.lines()
        .filter_map(|line| line.strip_prefix("| `lakesh-"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
            let [name, _, uses] = cells[..] else {
                panic!("not three cells: {line}")
            };
            let uses = uses.split(", ").filter(|name| *name != "-");
            let name = name.trim_end_matches('`').to_owned();
            (name, uses.map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn crates_use_what_the_page_says() {
    let found: BTreeMap<_, _> = rooms()
        .into_iter()
        .map(|(name, folder)| (name, dependencies(&folder)))
        .collect();
    assert!(found.contains_key("text"), "{found:?}");
    assert_eq!(found, promised());
}

#[test]
fn unsafe_is_forbidden_everywhere_but_where_compiled_functions_are_called() {
    let mut roots: Vec<(String, PathBuf)> = rooms().into_iter().collect();
    for name in ["engine", "kernel", "udfs"] {
        roots.push((name.to_owned(), repository(name)));
    }
    assert!(roots.len() > 15, "{roots:?}");
    for (name, folder) in roots {
        let root = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        let forbidden = root.contains("\n#![forbid(unsafe_code)]\n");
        assert_eq!(forbidden, name != UNSAFE, "{name}");
    }
}

#[test]
fn no_circle_of_files_is_large() {
    let mut rooms = rooms();
    for name in ["engine", "kernel", "shell", "udfs"] {
        rooms.insert(format!("{name} (whole)"), repository(name));
    }
    let mut files = 0;
    for (name, folder) in rooms {
        let modules = Modules::read(&folder.join("src"));
        files += modules.len();
        for circle in modules.circles() {
            assert!(
                circle.len() <= LARGEST_CIRCLE,
                "{name}: {} files import each other in a circle: {circle:#?}",
                circle.len()
            );
        }
    }
    assert!(files > 500, "{files}");
}
