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

/// What belongs to the process and not to a session: the file, and why it cannot belong to one.
const OF_THE_PROCESS: &[(&str, &str)] = &[
    (
        "engine/memory/src/unfinished.rs",
        "the next process sweeps up what this one has begun, whichever session did",
    ),
    (
        "engine/memory/src/watchdog.rs",
        "what a process really holds is known for the process only",
    ),
    (
        "engine/plan/src/directive/words/join_order.rs",
        "a counter that tells hints apart; nobody reads anything out of it",
    ),
    (
        "shell/src/process.rs",
        "how the process was started is seen before there is a session",
    ),
];

/// Where queries are written as text: the file, and what is put into the text.
const QUERIES_AS_TEXT: &[(&str, &str)] = &[
    (
        "engine/catalog/src/entries.rs",
        "SQLite's queries, with constants; values are parameters",
    ),
    (
        "engine/hint/src/rule/repeated_subquery.rs",
        "a query that was parsed, printed",
    ),
    (
        "engine/plan/src/directive/words/salt.rs",
        "a number and a constant",
    ),
    (
        "engine/session/src/facts.rs",
        "what the cursor stands on, parsed as a name",
    ),
    (
        "engine/sql/src/rewrite/row_query.rs",
        "names that the rewrite makes up",
    ),
    ("engine/src/command/delta.rs", "a name, quoted as a literal"),
    (
        "engine/src/command/go.rs",
        "DESCRIBE before a query that the user wrote",
    ),
    (
        "engine/src/command/habits.rs",
        "a file and a table, as the command quotes them",
    ),
    (
        "engine/src/command/show.rs",
        "a name, as the command quotes it",
    ),
    (
        "kernel/src/chart/query.rs",
        "expressions and a source that were parsed one by one",
    ),
    (
        "kernel/src/executor.rs",
        "an expression of the front end's, which has all rights of the user's own",
    ),
];

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

/// Calls a function with the path and the code of each file, without its tests.
fn each_file(folder: &Path, act: &mut dyn FnMut(String, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["cases", "target", "tests"].contains(&name) {
                each_file(&path, act);
            }
            continue;
        }
        let is_test = name.ends_with("tests.rs") || ["cases.rs", "testing.rs"].contains(&name);
        if name.ends_with(".rs") && !is_test {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("mod tests {").next().unwrap_or_default();
            let shown = path.strip_prefix(repository("")).unwrap_or(&path);
            act(shown.display().to_string(), code);
        }
    }
}

/// Returns the files whose code has something.
fn files_with(has: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["engine", "kernel", "shell", "udfs"] {
        each_file(&repository(folder), &mut |file, code| {
            if has(code) {
                found.insert(file);
            }
        });
    }
    found
}

/// Returns the files of a list, each with its reason.
fn listed(list: &[(&str, &str)]) -> BTreeSet<String> {
    list.iter().map(|(file, _)| (*file).to_owned()).collect()
}

#[test]
fn sessions_share_no_state_but_that_of_the_process() {
    let is_static = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix("pub").map_or(line, |rest| {
            rest.split_once(' ').map_or(rest, |(_, rest)| rest)
        });
        rest.starts_with("static ")
    };
    // What is computed once and stays is a constant.
    let changes = ["Mutex<", "RwLock<", "Atomic", "OnceLock<", "Cell<"];
    let found = files_with(|code| {
        code.lines().any(|line| {
            line.trim_start().starts_with("thread_local!")
                || (is_static(line) && changes.iter().any(|word| line.contains(word)))
        })
    });
    assert_eq!(found, listed(OF_THE_PROCESS));
}

#[test]
fn queries_are_trees_but_where_the_list_says() {
    let begins = [
        "SELECT ",
        "WITH ",
        "DESCRIBE ",
        "INSERT INTO ",
        "DELETE FROM ",
    ];
    let found = files_with(|code| {
        code.split("format!(").skip(1).any(|rest| {
            let text = rest.trim_start().strip_prefix('"').unwrap_or_default();
            begins.iter().any(|begin| text.starts_with(begin))
        })
    });
    assert_eq!(found, listed(QUERIES_AS_TEXT));
}

#[test]
fn no_text_is_split_at_semicolons() {
    assert_eq!(
        files_with(|code| code.contains("split(';')")),
        BTreeSet::new()
    );
}
