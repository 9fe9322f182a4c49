//! EXPLAIN HINTS: every rule fires where it should, stays silent where it should, and what it suggests
//! runs and returns the same rows.
//!
//! `LAKESH_HINT_ROWS=2000000` makes the lake large enough to measure by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lakesh_engine::hint::{Rule, rules};
use lakesh_engine::input::{SplitOptions, cells};
use lakesh_engine::session::{CatalogChoice, Session, SessionOptions};
use lakesh_engine::source::Source;

use crate::support::session::{Answer, outcome, run};
use crate::support::{Lake, repository};

mod corpus;

/// Columns of the table of hints.
const RULE: usize = 1;
const SEVERITY: usize = 2;
const EVIDENCE: usize = 5;
const REMEDY: usize = 6;
const KIND: usize = 7;
const SPEEDUP: usize = 10;
const SAME_RESULT: usize = 12;
const VERDICT: usize = 13;

/// Runs the statements of a script, which must succeed.
async fn script(session: &Arc<Session>, text: &str) {
    for cell in cells(&Source::new("test", text), SplitOptions::default()) {
        let cell = cell.unwrap();
        outcome(session, cell, text)
            .await
            .unwrap_or_else(|failure| panic!("{text}: {failure}"));
    }
}

async fn hints(session: &Arc<Session>, mode: &str, query: &str) -> Vec<Vec<String>> {
    let sql = format!("EXPLAIN HINTS {mode} {query}");
    let answer = run(session, &sql).await;
    answer
        .unwrap_or_else(|failure| panic!("{query}: {failure}"))
        .rows
}

fn named<'a>(hints: &'a [Vec<String>], rule: &str) -> Option<&'a Vec<String>> {
    hints.iter().find(|hint| hint[RULE] == rule)
}

/// Opens a session whose plans do not depend on the machine.
fn open(lake: &Lake) -> Arc<Session> {
    lakesh_engine::open(SessionOptions {
        catalog: CatalogChoice::Nearest,
        threads: Some(2),
        temp_folder: lake.temp(),
        ..SessionOptions::in_folder(lake.path())
    })
    .unwrap()
}

async fn session_for(lake: &Lake, rule: &Rule) -> Arc<Session> {
    let session = open(lake);
    script(&session, rule.setup).await;
    session
}

fn sorted(answer: &Answer) -> Vec<Vec<String>> {
    let mut rows = answer.rows.clone();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_fire_on_their_examples_and_stay_silent_on_the_others() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let lake = Lake::project();
        let session = session_for(&lake, rule).await;
        let mode = if rule.measured { "ANALYZE" } else { "" };
        let fired = hints(&session, mode, rule.fires).await;
        if named(&fired, rule.name).is_none() {
            wrong.push(format!("{} does not fire: {fired:?}", rule.name));
        }
        let silent = hints(&session, mode, rule.silent).await;
        if named(&silent, rule.name).is_some() {
            wrong.push(format!("{} is not silent: {silent:?}", rule.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn remedies_run_and_rewrites_return_the_same_rows() {
    let mut wrong = Vec::new();
    let mut with_remedy = 0;
    for rule in rules() {
        let lake = Lake::project();
        let session = session_for(&lake, rule).await;
        let fired = hints(&session, "ANALYZE", rule.fires).await;
        let Some(hint) = named(&fired, rule.name).filter(|hint| hint[REMEDY] != "NULL") else {
            continue;
        };
        with_remedy += 1;
        let before = run(&session, rule.fires).await.unwrap();
        let source = Source::new("remedy", hint[REMEDY].as_str());
        let mut last = None;
        for cell in cells(&source, SplitOptions::default()) {
            match outcome(&session, cell.unwrap(), &hint[REMEDY]).await {
                Ok(answer) => last = Some(answer),
                Err(failure) => wrong.push(format!("{}: {}: {failure}", rule.name, hint[REMEDY])),
            }
        }
        let returns_rows = ["rewrite", "cache"].contains(&hint[KIND].as_str());
        let same = last.is_some_and(|after| sorted(&after) == sorted(&before));
        if returns_rows && !same {
            wrong.push(format!("{}: {}", rule.name, hint[REMEDY]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(with_remedy >= 24, "{with_remedy}");
}

#[test]
fn each_file_is_a_rule_and_their_names_are_in_order() {
    let names: Vec<_> = rules().iter().map(|rule| rule.name).collect();
    let mut ordered = names.clone();
    ordered.sort_unstable();
    ordered.dedup();
    assert_eq!(names, ordered);
    // Each file is a rule of the list, by its name.
    let files = std::fs::read_dir(repository("engine/hint/src/rule")).unwrap();
    let mut files: Vec<String> = files
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.replace('_', "-")))
        .filter(|name| !["mod", "lakes"].contains(&name.as_str()))
        .collect();
    files.sort_unstable();
    assert_eq!(names, files);
}

#[test]
fn the_page_of_hints_has_every_rule_in_the_words_of_the_registry() {
    let path = repository("docs/hints.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once("\n## The rules\n").unwrap();
    let mut expected = format!("{before}\n## The rules\n");
    for rule in rules() {
        let text = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        expected.push_str(&format!(
            "\n### {}\n\n{} {}\n\nFires on:\n\n    {}\n\nLeaves alone:\n\n    {}\n",
            rule.name,
            text(rule.summary),
            text(rule.advice),
            text(rule.fires),
            text(rule.silent)
        ));
    }
    if std::env::var_os("LAKESH_WRITE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap();
    assert_eq!(page, expected, "LAKESH_WRITE_DOCS=1 writes the page anew");
}

/// Lists all files below a folder, but those of the catalog's journal and the mark of a session's folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            match path.is_dir() {
                true => waiting.push(path),
                false if name.contains("catalog.db") || name.ends_with("/lock") => {}
                false => drop(found.insert(name)),
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_compares_and_writes_nothing() {
    let lake = Lake::project();
    let session = open(&lake);
    script(&session, corpus::LAKE_FOR_VERIFY).await;
    let before = files(lake.root());
    for (query, rule, same, verdict) in corpus::VERIFIED {
        let found = hints(&session, "VERIFY", query).await;
        let hint = named(&found, rule).unwrap_or_else(|| panic!("{query}: {found:?}"));
        assert_eq!(hint[SAME_RESULT], *same, "{query}: {hint:?}");
        assert!(hint[VERDICT].contains(verdict), "{query}: {hint:?}");
        assert_eq!(hint[SPEEDUP] == "NULL", *same == "NULL", "{hint:?}");
    }
    assert_eq!(files(lake.root()), before);
}

#[test]
fn an_interrupted_verify_leaves_nothing_behind() {
    let lake = Lake::project();
    let make = "COPY (SELECT value % 100 AS kind, CAST(value AS DOUBLE) AS amount
        FROM generate_series(1, 300000)) TO 'events.csv';";
    lake.shell(["-c", make]).run().succeeds();
    let before = files(lake.root());
    // Should the first end before the signal comes, the second is interrupted.
    let sql = "SET lakesh.hint_rows = 100;
        EXPLAIN HINTS VERIFY SELECT kind, sum(amount) FROM './events.csv' GROUP BY kind;
        SELECT count(*) FROM range(2000000000) a, range(2000000000) b WHERE a.value % 7 = b.value % 5";
    let folder = lake.temp().display().to_string();
    let running = lake.shell(["--temp-dir", &folder, "-c", sql]).start();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !has_copy(&lake.temp()) {
        assert!(Instant::now() < deadline, "no copy is made");
        thread::yield_now();
    }
    running.signal("INT");
    running.wait().fails(130);
    assert_eq!(files(lake.root()), before);
}

/// Says whether there is a copy of a table among the temporary files.
fn has_copy(temporary: &Path) -> bool {
    let folders = fs::read_dir(temporary).into_iter().flatten().flatten();
    folders.into_iter().any(|folder| {
        let inside = fs::read_dir(folder.path()).into_iter().flatten().flatten();
        inside
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("hint-"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_tables_are_refused_with_the_reason() {
    let lake = Lake::project();
    let session = open(&lake);
    script(&session, "CREATE TABLE t AS SELECT 1 AS n;").await;
    for change in [
        "DELETE FROM t",
        "INSERT INTO t VALUES (2)",
        "UPDATE t SET n = 3",
    ] {
        for mode in ["", "ANALYZE ", "VERIFY "] {
            let sql = format!("EXPLAIN HINTS {mode}{change}");
            let failure = run(&session, &sql).await.err().expect(&sql);
            assert!(failure.message.contains("nothing is written"), "{failure}");
        }
    }
    let rows = run(&session, "SELECT n FROM t").await.unwrap().rows;
    assert_eq!(rows, [["1"]]);
}

#[test]
fn apply_runs_and_prints_what_was_suggested() {
    let lake = Lake::project();
    let query = "SELECT DISTINCT k, count(*) AS n FROM t GROUP BY k";
    let make = "CREATE TABLE t AS SELECT value % 3 AS k FROM generate_series(1, 9);";
    let script = format!("{make}\nEXPLAIN HINTS {query};\n\\apply 1 --print\n\\apply 1\n");
    lake.write("apply.sql", script);
    let shown = lake
        .shell(["--format", "csv", "apply.sql"])
        .run()
        .succeeds();
    let rewritten = "SELECT k, count(*) AS n FROM t GROUP BY k";
    assert!(shown.contains(&format!("{rewritten};\n")), "{shown}");
    assert!(shown.ends_with("3\n"), "{shown}");
    lake.write("wrong.sql", "EXPLAIN HINTS SELECT 1;\n\\apply 1\n");
    let message = lake.shell(["wrong.sql"]).run().fails(1);
    assert!(message.contains("there are no hints to apply"), "{message}");
}

/// A remedy that was confirmed is applied to the same query over the same versions, and to no other.
#[test]
fn auto_applies_what_was_confirmed_until_a_table_changes() {
    let lake = Lake::project();
    // Every row of one side against every row of the other: what is confirmed does not hang on a moment.
    let query = "SELECT count(*) AS n FROM a JOIN b ON a.x = b.x OR a.y = b.x";
    let make = "CREATE TABLE a AS SELECT value AS x, value * 7 AS y FROM generate_series(1, 4000);
        CREATE TABLE b AS SELECT value * 3 AS x FROM generate_series(1, 4000);";
    let verify = format!("{make} EXPLAIN HINTS VERIFY {query};");
    let shown = lake
        .shell(["--format", "csv", "-c", &verify])
        .run()
        .succeeds();
    assert!(shown.contains("confirmed"), "{shown}");
    let again = |before: &str, query: &str| {
        let sql = format!("{before} SET lakesh.hints = 'auto'; {query};");
        let run = lake.shell(["--format", "csv", "-c", &sql]).run();
        (run.stderr.clone(), run.succeeds())
    };
    let plain = lake
        .shell(["--format", "csv", "-c", query])
        .run()
        .succeeds();
    let (said, rows) = again("", query);
    assert!(said.contains("auto: `or-in-join` applied"), "{said}");
    assert_eq!(rows, plain);
    let (said, rows) = again(
        "",
        &query
            .replace("  ", " ")
            .replace("JOIN", "/* typed otherwise */ join"),
    );
    assert!(said.contains("auto: `or-in-join` applied"), "{said}");
    assert_eq!(rows, plain);
    let other = query.replace("a.y = b.x", "a.y = b.x + 1");
    let (said, _) = again("", &other);
    assert!(!said.contains("auto:"), "{said}");
    let (said, _) = again("INSERT INTO b VALUES (1);", query);
    assert!(!said.contains("auto:"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrite_keeps_the_hints_that_the_query_has() {
    let lake = Lake::project();
    let session = open(&lake);
    script(
        &session,
        "CREATE TABLE t AS SELECT value % 7 AS k FROM generate_series(1, 1000);",
    )
    .await;
    let query = "SELECT /*+ REPARTITION(3) */ DISTINCT k, count(*) AS n FROM t GROUP BY k";
    let found = hints(&session, "", query).await;
    let hint = named(&found, "redundant-distinct").unwrap_or_else(|| panic!("{found:?}"));
    assert!(hint[REMEDY].contains("/*+ REPARTITION(3) */"), "{hint:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_queries_get_the_right_hint_and_healthy_ones_none_that_matters() {
    let lake = Lake::project();
    let session = open(&lake);
    let rows = std::env::var("LAKESH_HINT_ROWS").unwrap_or_else(|_| "20000".to_owned());
    script(&session, &corpus::lake(rows.parse().unwrap())).await;
    let threshold = rows.parse::<u64>().unwrap() / 10;
    script(&session, &format!("SET lakesh.hint_rows = {threshold};")).await;
    let mut found_late = Vec::new();
    let slow = corpus::slow();
    for (rule, query) in &slow {
        let found = hints(&session, "", query).await;
        let place = found.iter().position(|hint| hint[RULE] == *rule);
        if place.is_none_or(|place| place > 1) {
            let seen: Vec<_> = found.iter().map(|hint| &hint[RULE]).collect();
            found_late.push(format!("{rule}: {query}: {seen:?}"));
        }
    }
    let healthy = corpus::healthy();
    let disturbed = disturbed(&session, &healthy).await;
    assert!(slow.len() >= 30 && healthy.len() >= 30);
    assert!(disturbed.is_empty(), "{}", disturbed.join("\n"));
    assert!(found_late.is_empty(), "{}", found_late.join("\n"));
}

/// Finds the hints that matter in queries that nothing is wrong with.
async fn disturbed(session: &Arc<Session>, queries: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for query in queries {
        let shown = hints(session, "", query).await;
        let loud = shown.iter().filter(|hint| hint[SEVERITY] != "info");
        found.extend(loud.map(|hint| format!("{query}: {hint:?}")));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_queries_keep_their_rows_and_healthy_ones_are_left_alone() {
    let lake = Lake::project();
    let session = open(&lake);
    script(&session, corpus::ODD_LAKE).await;
    script(&session, "SET lakesh.hint_rows = 1000;").await;
    let mut wrong = Vec::new();
    let mut rewritten = 0;
    for query in corpus::odd() {
        let before = run(&session, query).await;
        let before = before.unwrap_or_else(|failure| panic!("{query}: {failure}"));
        for hint in hints(&session, "", query).await {
            // What is said to give other rows may do so.
            let may_differ =
                hint[EVIDENCE].contains("other rows") || hint[EVIDENCE].contains("per cent");
            if hint[KIND] != "rewrite" && hint[KIND] != "cache"
                || may_differ
                || hint[REMEDY] == "NULL"
            {
                continue;
            }
            rewritten += 1;
            match run(&session, &hint[REMEDY]).await {
                Ok(after) if sorted(&after) == sorted(&before) => {}
                Ok(_) => wrong.push(format!("{query}: {}: {}", hint[RULE], hint[REMEDY])),
                Err(failure) => wrong.push(format!("{query}: {}: {failure}", hint[REMEDY])),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rewritten >= 50, "{rewritten}");
    let disturbed = disturbed(&session, &corpus::odd_healthy()).await;
    assert!(disturbed.is_empty(), "{}", disturbed.join("\n"));
}
