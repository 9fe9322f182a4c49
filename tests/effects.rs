//! What a session may not do, it does not do: no statement, no command, no prompt changes a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lakesh_engine::effect::{Capabilities, Effect, Lack};
use lakesh_engine::failure::FailureKind;
use lakesh_engine::input::{Cell, SplitOptions, cells};
use lakesh_engine::session::{CatalogChoice, Session, SessionOptions};
use lakesh_engine::source::Source;

use crate::support::session::{outcome, run};
use crate::support::{Lake, on_terminal};

/// Every file and folder below a folder with what is in it, but for the temporary files of queries.
fn snapshot(lake: &Lake) -> BTreeMap<String, Vec<u8>> {
    fn collect(folder: &Path, lake: &Lake, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path == lake.temp() {
                continue;
            }
            let name = path
                .strip_prefix(lake.root())
                .unwrap()
                .display()
                .to_string();
            if path.is_dir() {
                found.insert(name + "/", Vec::new());
                collect(&path, lake, found);
            } else {
                // What SQLite's readers share while they are there holds nothing that lasts, and goes with the
                // last of them, between being listed and being read as well.
                let comes_and_goes = name.ends_with("-shm") || name.ends_with("-wal");
                let content = match fs::read(&path) {
                    Err(error) if comes_and_goes && error.kind() == ErrorKind::NotFound => continue,
                    content => content.unwrap(),
                };
                let shared = name.ends_with("-shm") || comes_and_goes && content.is_empty();
                if !shared {
                    found.insert(name, content);
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(lake.root(), lake, &mut found);
    found
}

/// Names what differs between two snapshots.
fn differences(
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let names = before.keys().chain(after.keys());
    let mut differing: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    differing.sort();
    differing.dedup();
    differing
}

#[track_caller]
fn unchanged(lake: &Lake, before: &BTreeMap<String, Vec<u8>>, what: &str) {
    let changed = differences(before, &snapshot(lake));
    assert!(changed.is_empty(), "{what} changed {changed:?}");
}

fn session(lake: &Lake, capabilities: Capabilities) -> Arc<Session> {
    let options = SessionOptions {
        catalog: CatalogChoice::Folder(lake.path().join(".lakesh")),
        capabilities,
        temp_folder: lake.temp(),
        ..SessionOptions::in_folder(lake.path())
    };
    lakesh_engine::open(options).unwrap()
}

/// Waits until nobody has the catalog open: its file is written once more when the last one closes it, and
/// a task may hold it a moment longer than its session.
fn closed(lake: &Lake) {
    let log = lake.path().join(".lakesh/catalog.db-wal");
    let deadline = Instant::now() + Duration::from_secs(30);
    while log.exists() {
        assert!(Instant::now() < deadline, "the catalog stays open");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A statement that answers in a read-only session too, and then does not leave in the catalog what it
/// confirmed. Whether it confirms anything depends on times that it measures.
fn answers_without_leaving_anything(text: &str) -> bool {
    text.starts_with("EXPLAIN HINTS VERIFY")
}

/// Runs an example twice: what changes a file when it may is refused when it may not. Returns how many of its
/// statements were refused.
fn refusals(runtime: &tokio::runtime::Runtime, example: &str) -> usize {
    let mut refused = 0;
    let lake = Lake::project();
    let source = Source::new("example", example);
    let mut changes = Vec::new();
    let writer = session(&lake, Capabilities::ALL);
    for cell in cells(&source, SplitOptions::default()) {
        let before = snapshot(&lake);
        runtime.block_on(async {
            let answer = outcome(&writer, cell.unwrap(), example).await;
            answer.unwrap_or_else(|failure| panic!("{example}: {failure}"));
            writer.settle().await;
        });
        changes.push(differences(&before, &snapshot(&lake)));
    }
    drop(writer);
    closed(&lake);

    let before = snapshot(&lake);
    let reader = session(&lake, Capabilities::ALL.read_only());
    for (cell, changed) in cells(&source, SplitOptions::default()).zip(&changes) {
        let Ok(Cell::Statement { place, .. }) = &cell else {
            panic!("{example} holds a command");
        };
        let text = place.text().to_owned();
        let answer = runtime.block_on(outcome(&reader, cell.unwrap(), example));
        unchanged(&lake, &before, &text);
        if answers_without_leaving_anything(&text) {
            assert!(answer.is_ok(), "{text}: {:?}", answer.err());
            continue;
        }
        if changed.is_empty() {
            continue;
        }
        let failure = answer.err().map(|failure| (failure.kind, failure.message));
        let kind = failure.as_ref().map(|(kind, _)| *kind);
        assert_eq!(
            kind,
            Some(FailureKind::Denied),
            "{text} changes {changed:?}: {failure:?}"
        );
        refused += 1;
    }
    drop(reader);
    unchanged(&lake, &before, example);
    refused
}

#[test]
fn no_statement_changes_anything_in_a_read_only_session() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut refused = 0;
    for kind in lakesh_engine::statements() {
        assert!(!kind.examples.is_empty(), "{} is not tried", kind.name);
        // The examples that are compiled need a compiler, and have a guard of their own.
        let examples = kind
            .examples
            .iter()
            .filter(|example| !example.contains("LANGUAGE RUST"));
        refused += examples
            .map(|example| refusals(&runtime, example))
            .sum::<usize>();
    }
    assert!(refused > 60, "{refused} statements that change something");
}

/// Table functions, and a query with each.
const FUNCTIONS: &[(&str, &str)] = &[
    (
        "compress",
        "SELECT * FROM compress('t', by => ['city', 'y'], weight => 'w')",
    ),
    ("drift", "SELECT * FROM drift('t', 't')"),
    ("encoder_outputs", "SELECT * FROM encoder_outputs('te')"),
    ("encoder_values", "SELECT * FROM encoder_values('te')"),
    ("feature_profile", "SELECT * FROM feature_profile('t')"),
    ("summarize", "SELECT * FROM summarize('t')"),
    ("table_changes", "SELECT * FROM table_changes('t', 0, 1)"),
    ("table_check", "SELECT * FROM table_check('t')"),
    ("table_columns", "SELECT * FROM table_columns('t')"),
    ("table_detail", "SELECT * FROM table_detail('t')"),
    (
        "table_diff",
        "SELECT * FROM table_diff('t', 0, 1, keys => ['id'])",
    ),
    (
        "table_diff_summary",
        "SELECT * FROM table_diff_summary('t', 0, 1)",
    ),
    ("table_history", "SELECT * FROM table_history('t')"),
    (
        "transform",
        "SELECT * FROM transform('t', 'te', on_unseen => 'null')",
    ),
    ("woe_table", "SELECT * FROM woe_table('t', 'city', 'y')"),
];

#[test]
fn nothing_that_stands_in_from_changes_anything_in_a_read_only_session() {
    let lake = Lake::project();
    lake.does(
        "CREATE TABLE t TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS
            SELECT value AS id, value % 3 AS city, value % 2 AS y, 1.5 * value AS w
            FROM generate_series(1, 20);
        INSERT INTO t VALUES (21, 1, 0, 1.5);
        CREATE ENCODER te AS SELECT target_encoder(city, y, smooth => 10) AS city_te FROM t",
    );
    let before = snapshot(&lake);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reader = session(&lake, Capabilities::ALL.read_only());
    for function in lakesh_engine::table_functions() {
        let found = FUNCTIONS.iter().find(|(name, _)| *name == function.name);
        let Some((_, sql)) = found else {
            panic!("`{}` is not tried", function.name);
        };
        let answer = runtime.block_on(run(&reader, sql));
        unchanged(&lake, &before, sql);
        assert!(answer.is_ok(), "{sql}: {:?}", answer.err());
    }
    drop(reader);
    unchanged(&lake, &before, "a table function");
}

#[test]
fn no_hint_changes_anything_in_a_read_only_session() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for word in lakesh_engine::directive::hint_words() {
        refusals(&runtime, word.example);
    }
}

#[test]
fn nothing_is_spilled_or_sent_where_that_is_lacking() {
    let lake = Lake::project();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refusal = |effect: Effect, sql: &str| {
        let session = session(&lake, Capabilities::ALL.without(effect, Lack::Unattended));
        let source = Source::new("test", sql);
        let cell = cells(&source, SplitOptions::default())
            .next()
            .unwrap()
            .unwrap();
        let answer = runtime.block_on(outcome(&session, cell, sql));
        answer.err().map(|failure| failure.kind)
    };
    let denied = Some(FailureKind::Denied);
    assert_eq!(
        refusal(
            Effect::Network,
            "SELECT * FROM read_csv('https://localhost:1/a.csv')"
        ),
        denied
    );
    let cached =
        "CACHE TABLE t OPTIONS ('storage' = 'disk') AS SELECT value FROM generate_series(1, 1000)";
    assert_eq!(refusal(Effect::Spill, cached), denied);
    assert_eq!(refusal(Effect::Network, cached), None);
    // A table may be refused where other files may be written.
    assert_eq!(
        refusal(Effect::WriteTables, "CREATE TABLE t AS SELECT 1 AS a"),
        denied
    );
    assert_eq!(
        refusal(Effect::WriteFiles, "COPY (SELECT 1 AS a) TO 'a.csv'"),
        denied
    );
}

/// Commands that write, run something or could, and a line that does it.
const LINES: &[(&str, &str)] = &[
    ("d", "\\d t"),
    ("dt", "\\dt"),
    ("dv", "\\dv"),
    ("df", "\\df"),
    ("dn", "\\dn"),
    ("versions", "\\versions t"),
    ("diff", "\\diff t"),
    ("undo", "\\undo"),
    ("apply", "\\apply 1"),
    ("l", "\\l"),
    ("profile", "\\profile t"),
    ("compare", "\\compare"),
    ("plan", "\\plan"),
    ("i", "\\i inner.sql"),
    ("o", "\\o out.csv"),
    ("o", "\\o"),
    ("save", "SELECT 1 AS a;\n\\save saved.csv"),
    ("once", "\\once once.csv\nSELECT 1 AS a;"),
    ("g", "SELECT 1 AS a \\g went.csv"),
    ("gx", "SELECT 1 AS a \\gx"),
    ("gset", "SELECT 1 AS a \\gset"),
    ("gexec", "SELECT 'INSERT INTO t VALUES (3)' AS a \\gexec"),
    ("gdesc", "SELECT 1 AS a \\gdesc"),
    ("watch", "SELECT 1 AS a \\watch 0 2"),
    (
        "crosstabview",
        "SELECT 1 AS a, 2 AS b, 3 AS c \\crosstabview",
    ),
    ("copy", "\\copy t to 'copied.csv'"),
    ("import", "\\import saved.csv imported"),
    ("if", "\\if false\n\\o if.csv"),
    ("elif", "\\elif true\n\\o elif.csv"),
    ("else", "\\else\n\\o else.csv"),
    ("endif", "\\endif"),
    ("conninfo", "\\conninfo"),
    ("errverbose", "\\errverbose"),
    ("pset", "\\pset pager on"),
    ("open", "\\open elsewhere"),
    ("width", "\\width 10"),
    ("prompt", "\\prompt 'a name: ' name"),
    ("history", "\\history 10"),
    ("x", "\\x off"),
    ("timing", "\\timing off"),
    ("header", "\\header on"),
    ("mode", "\\mode csv"),
    ("maxrows", "\\maxrows 10"),
    ("nullvalue", "\\nullvalue -"),
    ("set", "\\set a 1"),
    ("unset", "\\unset a"),
    ("param", "\\param a=1"),
    ("echo", "\\echo hello"),
    ("warn", "\\warn hello"),
    ("clear", "\\clear"),
    ("help", "\\help"),
    ("chart", "SELECT 1 AS a, 2 AS b;\n\\chart line a b"),
    ("!", "\\! touch touched"),
    ("shell", "\\shell touch touched"),
    ("e", "\\e edited.sql"),
    ("pager", "\\pager on"),
    ("cd", "\\cd ."),
    ("q", "\\q"),
];

/// What a script of all commands is refused.
const REFUSED: &[&str] = &[
    "`\\o`",
    "`\\save`",
    "`\\once`",
    "`\\g`",
    "`\\!`",
    "`\\shell`",
    "the pager",
];

#[test]
fn no_command_changes_anything_in_a_read_only_session() {
    for command in lakesh_engine::command::commands() {
        let names = command.names();
        let tried = LINES.iter().any(|(name, _)| names.contains(name));
        assert!(tried, "`\\{}` is not tried", names[0]);
    }
    let lake = Lake::project();
    // Those of the front ends too: whatever help lists is tried.
    let help = lake.shell(["-c", "\\help"]).run().succeeds();
    let listed = help.lines().filter_map(|line| line.strip_prefix("  \\"));
    let listed: Vec<&str> = listed
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(listed.len() > 30, "{help}");
    for name in listed {
        let tried = LINES.iter().any(|(tried, _)| *tried == name);
        assert!(tried, "`\\{name}` is not tried");
    }
    lake.does("CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2)");
    lake.write("inner.sql", "\\o inner.csv\nSELECT 1;\n");
    lake.write("saved.csv", "before");
    let lines: Vec<&str> = LINES.iter().map(|(_, line)| *line).collect();
    let script = lines.join("\n");
    let before = snapshot(&lake);
    let run = lake
        .shell([
            "--readonly",
            "--allow-programs",
            "--allow-native",
            "--keep-going",
        ])
        .input(&script)
        .variable("EDITOR", "touch")
        .run();
    unchanged(&lake, &before, "a command");
    for what in REFUSED {
        let refusal = format!("{what} is refused in a read-only session");
        assert!(run.stderr.contains(&refusal), "{refusal}: {}", run.stderr);
    }
    // `-o` is the user's own word at the start, not the script's.
    let run = lake
        .shell(["--readonly", "-o", "named.csv", "-c", "SELECT 1 AS a"])
        .run();
    run.succeeds();
    assert_eq!(lake.read("named.csv"), "a\n1\n");
}

#[test]
fn a_prompt_that_only_reads_leaves_nothing_behind() {
    let lake = Lake::project();
    lake.does("CREATE TABLE t AS SELECT 1 AS a");
    let before = snapshot(&lake);
    let mut session = on_terminal(&lake, 100, &["--readonly"], &[("EDITOR", "touch")]);
    session.set_expect_timeout(Some(std::time::Duration::from_secs(60)));
    use expectrl::Expect;
    for (line, sees) in [
        ("select a + 41 as answer from t;", " 42 │"),
        ("\\o out.csv", "refused in a read-only session"),
        ("\\save saved.csv", "refused in a read-only session"),
        ("\\! touch touched", "refused in a read-only session"),
        ("\\e edited.sql", "refused in a read-only session"),
        ("\\pager on", "refused in a read-only session"),
    ] {
        // The line editor reads once it has switched bracketed paste on.
        session.expect("\u{1b}[?2004h").unwrap();
        session.send(format!("{line}\r")).unwrap();
        session.expect(sees).unwrap();
    }
    session.expect("\u{1b}[?2004h").unwrap();
    session.send("\\q\r").unwrap();
    session.expect(expectrl::Eof).unwrap();
    unchanged(&lake, &before, "the prompt");
}

#[test]
fn scripts_run_programs_only_where_that_is_said() {
    let lake = Lake::new();
    lake.write("script.sql", "\\! echo hello > made\n");
    for arguments in [
        &["script.sql"][..],
        &["-f", "script.sql"],
        &["-c", "\\! echo hello > made"],
        &[],
    ] {
        let run = lake
            .shell(arguments.iter().copied())
            .input("\\i script.sql\n")
            .run();
        run.fails(1);
        assert!(
            run.stderr
                .contains("`\\!` is refused where nobody is at the prompt"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("--allow-programs"), "{}", run.stderr);
        assert!(!lake.path().join("made").exists(), "{arguments:?}");
    }
    lake.shell(["--allow-programs", "script.sql"])
        .run()
        .succeeds();
    assert_eq!(lake.read("made"), "hello\n");
}

#[test]
fn a_notebook_that_only_reads_is_written_elsewhere() {
    let lake = Lake::project();
    let notebook = r#"{"cells": [{"cell_type": "code", "source": ["SELECT 42 AS a\n"], "metadata": {},
        "outputs": [], "execution_count": null}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"#;
    lake.write("nb.ipynb", notebook);
    let before = snapshot(&lake);
    let run = lake.shell(["run", "nb.ipynb", "--readonly"]).run();
    assert!(!run.status.success());
    assert!(
        run.stderr.contains("`-o FILE` writes it elsewhere"),
        "{}",
        run.stderr
    );
    unchanged(&lake, &before, "the notebook");
    lake.shell(["run", "nb.ipynb", "--readonly", "-o", "done.ipynb"])
        .run()
        .succeeds();
    assert!(lake.read("done.ipynb").contains("42"));
    assert_eq!(lake.read("nb.ipynb"), notebook);
}
