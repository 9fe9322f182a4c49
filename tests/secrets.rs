//! A canary: a secret that is put in by each of the ways there are is found in no file and in no output.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::StreamExt;
use lakesh_engine::event::Event;
use lakesh_engine::input::{SplitOptions, cells};
use lakesh_engine::secret::Secret;
use lakesh_engine::session::{CatalogChoice, Session, SessionOptions};
use lakesh_engine::source::Source;
use serde_json::json;

use crate::support::{Lake, on_terminal, python_in};

const CANARY: &str = "Canary'0xDEADBEEF/yellow";

/// Parts of the canary that no spelling of it is without.
const TRACES: &[&str] = &["0xDEADBEEF", "yellow"];

/// Names the files below a folder that hold the canary, but for those that the test itself wrote it into.
fn files_with_canary(folder: &Path, own: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with_canary(&path, own));
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap_or_default();
        let holds = |trace: &&str| {
            bytes
                .windows(trace.len())
                .any(|part| part == trace.as_bytes())
        };
        if !own.contains(&name) && TRACES.iter().any(holds) {
            found.push(path);
        }
    }
    found
}

#[track_caller]
fn is_silent(text: &str, what: &str) {
    for trace in TRACES {
        assert!(!text.contains(trace), "{what}: {text}");
    }
}

/// Runs statements and commands, and returns all that a front end would show of it.
async fn said(session: &Arc<Session>, text: &str) -> String {
    let source = Source::new("test", text);
    let mut said = String::new();
    for cell in cells(&source, SplitOptions::default()) {
        let mut events = session.run(cell.unwrap());
        while let Some(event) = events.next().await {
            match event {
                Event::Failed(failure) => said.push_str(&failure.report(false)),
                Event::Batch(batch) => {
                    said.push_str(&pretty_format_batches(&[batch]).unwrap().to_string());
                }
                other => said.push_str(&format!("{other:?}")),
            }
        }
        session.settle().await;
    }
    said
}

/// What a user might do with a secret that was asked for. `true`: it is refused.
const USES: &[(&str, bool)] = &[
    ("SELECT :'pw' AS shown", false),
    ("SELECT :'pw'", false),
    (
        "SELECT upper(a) FROM (VALUES ('x')) AS t (a) WHERE a <> :'pw'",
        false,
    ),
    ("SELECT {'a': [:'pw']}", false),
    ("SELECT CAST(:'pw' AS INT)", true),
    ("SELECT * FROM nothing WHERE password = :'pw'", true),
    ("SELECT :\"pw\"", true),
    ("SELECT * FROM :pw", true),
    ("SELEC :'pw'", true),
    ("EXPLAIN SELECT * FROM t WHERE a = :'pw'", false),
    ("EXPLAIN ANALYZE SELECT * FROM t WHERE a = :'pw'", false),
    (
        "EXPLAIN HINTS SELECT * FROM t WHERE upper(a) = :'pw'",
        false,
    ),
    (
        "EXPLAIN COMPARE (SELECT a FROM t WHERE a = :'pw') WITH (SELECT a FROM t)",
        false,
    ),
    ("SELECT * FROM t WHERE a = :'pw'", false),
    ("CREATE VIEW v AS SELECT :'pw' AS a", true),
    ("CREATE TABLE copied AS SELECT :'pw' AS a", true),
    ("INSERT INTO t VALUES (:'pw')", true),
    ("DELETE FROM t WHERE a = :'pw'", true),
    ("UPDATE t SET a = 'b' WHERE a = :'pw'", true),
    ("COPY (SELECT :'pw' AS a) TO 'copied.csv'", true),
    ("CACHE TABLE c AS SELECT :'pw' AS a", true),
    (
        "CREATE FUNCTION f(x VARCHAR) RETURNS BOOLEAN RETURN x = :'pw'",
        true,
    ),
    (
        "CREATE EXTERNAL TABLE e STORED AS CSV LOCATION 'x.csv' OPTIONS ('aws_secret_access_key' :'pw')",
        true,
    ),
    (
        "SELECT * FROM read_csv('x.csv', aws_secret_access_key => :'pw')",
        false,
    ),
    ("\\set", false),
    ("\\echo :pw", false),
    ("\\warn :pw", false),
    ("\\set copied :pw", false),
    ("SELECT :'copied' AS shown", false),
    ("\\param value=:pw", false),
    ("SELECT $value AS shown", false),
    ("INSERT INTO t SELECT $value", true),
    ("\\i :pw", true),
    ("\\mode :pw", true),
    ("\\nonsense :pw", true),
    ("SELECT sql FROM system.queries", false),
    ("SELECT * FROM system.operators", false),
    ("SHOW SESSION", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_is_used_and_never_seen() {
    let lake = Lake::project();
    lake.write("x.csv", "a\n1\n");
    let session = lakesh_engine::open(SessionOptions {
        catalog: CatalogChoice::Folder(lake.path().join(".lakesh")),
        temp_folder: lake.temp(),
        pictures: true,
        ..SessionOptions::in_folder(lake.path())
    })
    .unwrap();
    said(&session, "CREATE TABLE t AS SELECT 'x' AS a").await;
    session.set_secret("pw", &Secret::new(CANARY));
    for (text, refused) in USES {
        let said = said(&session, text).await;
        is_silent(&said, text);
        assert_eq!(said.contains("error:"), *refused, "{text}: {said}");
    }
    // It is used all the same.
    let compared = said(
        &session,
        &format!("SELECT length(:'pw') = {} AS same", CANARY.len()),
    )
    .await;
    assert!(compared.contains("true"), "{compared}");
    drop(session);
    assert_eq!(files_with_canary(lake.root(), &[]), Vec::<PathBuf>::new());
}

#[test]
fn what_is_named_like_a_secret_stays_out_of_messages_and_files() {
    let lake = Lake::project();
    let quoted = CANARY.replace('\'', "''");
    let script = format!(
        "\\set pw {CANARY_WORD}
SELECT * FROM nothing WHERE a = :'pw';
SELECT CAST(:'pw' AS INT);
CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x.csv' OPTIONS ('aws.secret_access_key' '{quoted}' oops);
CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x.csv' OPTIONS ('aws_secret_access_key'
    '{quoted}');
SELECT * FROM read_csv('x.csv', aws_secret_access_key => $${CANARY}$$, oops => 1);
SELECT a FROM nothing WHERE password = $${CANARY}$$ oops;
CREATE VIEW v AS SELECT * FROM read_csv('x.csv', token => '{quoted}');
\\param token={CANARY_WORD}
SELECT CAST($token AS INT);
SELECT CAST($password AS INT);
\\set
\\unset token pw
SELECT sql FROM system.queries;
SELECT line FROM system.operators;
SELECT nonsense FROM nothing;
SELECT * FROM 'https://user:{CANARY_WORD}@localhost:1/x.csv';
",
        CANARY_WORD = "0xDEADBEEF-yellow"
    );
    lake.write("x.csv", "a\n1\n");
    lake.write("script.sql", script);
    let run = lake
        .shell(["--keep-going", "-v", "db_password=0xDEADBEEF-yellow"])
        .arguments(["--param", "password=0xDEADBEEF-yellow", "script.sql"])
        .variable("AWS_SECRET_ACCESS_KEY", CANARY)
        .variable("HTTPS_PROXY", "http://me:0xDEADBEEF-yellow@localhost:1")
        .run();
    is_silent(&run.text(), "results");
    is_silent(&run.stderr, "messages");
    // Nothing of it was skipped but what stands behind a store that cannot be reached.
    assert!(run.stderr.contains("nonsense"), "{}", run.stderr);
    assert_eq!(
        files_with_canary(lake.root(), &["script.sql"]),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn the_prompt_keeps_no_secret() {
    let lake = Lake::project();
    let mut session = on_terminal(
        &lake,
        100,
        &[],
        &[("AWS_SESSION_TOKEN", "token-0xDEADBEEF")],
    );
    session.set_expect_timeout(Some(std::time::Duration::from_secs(60)));
    use expectrl::Expect;
    for line in [
        "\\set pw yellow-yellow",
        "\\set password 0xDEADBEEF",
        "\\param token=0xDEADBEEF",
        "select 'token-0xDEADBEEF' as typed;",
        "select 1 where password = $$yellow$$;",
        "select 40 + 2 as answer;",
        "\\q",
    ] {
        session.expect("\u{1b}[?2004h").unwrap();
        session.send(format!("{line}\r")).unwrap();
    }
    session.expect(expectrl::Eof).unwrap();
    assert_eq!(files_with_canary(lake.root(), &[]), Vec::<PathBuf>::new());
    let history = fs::read_to_string(lake.home().join("state/lakesh/history")).unwrap();
    assert!(history.contains("40 + 2"), "{history}");
}

/// The process must not write its memory to a file when it fails.
#[test]
fn no_core_is_dumped_while_a_secret_is_held() {
    let lake = Lake::new();
    let run = lake
        .shell(["--allow-programs", "-c", "\\! ulimit -c"])
        .variable("SHELL", "/bin/sh")
        .variable("AWS_SECRET_ACCESS_KEY", CANARY)
        .run();
    assert_eq!(run.succeeds(), "0\n");
}

/// Whoever may list processes sees what programs were started with, and the programs see all variables.
#[test]
fn programs_that_are_started_get_no_secret() {
    let lake = Lake::new();
    let script = "\\set password 0xDEADBEEF-yellow
\\param token=0xDEADBEEF-yellow
\\! tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' ' ' < /proc/$$/cmdline; env; echo :password :'password'
SELECT length(:'password') + length($token) AS n;
";
    let run = lake
        .shell(["--allow-programs", "--format", "csv"])
        .input(script)
        .variable("SHELL", "/bin/sh")
        .run();
    let said = run.succeeds();
    is_silent(&said, "a program");
    assert!(
        said.contains("PATH=") && said.ends_with("n\n34\n"),
        "{said}"
    );
}

#[test]
fn a_notebook_that_runs_by_itself_writes_no_secret() {
    let lake = Lake::project();
    let cells: Vec<_> = [
        "SELECT length($password) AS n",
        "EXPLAIN SELECT 1 AS one WHERE upper('a') = $password",
        "SELECT CAST($password AS INT)",
        "SELECT sql FROM system.queries",
    ]
    .iter()
    .map(|source| {
        json!({ "cell_type": "code", "source": source, "outputs": [], "execution_count": null,
            "metadata": { "tags": ["raises-exception"] } })
    })
    .collect();
    let notebook = json!({ "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4 });
    lake.write("nb.ipynb", notebook.to_string());
    let run = lake
        .shell(["run", "nb.ipynb", "-o", "out.ipynb"])
        .arguments(["--param", "password=0xDEADBEEF-yellow"])
        .run();
    is_silent(&run.text(), "results");
    is_silent(&run.stderr, "messages");
    run.succeeds();
    let written = lake.read("out.ipynb");
    assert!(
        written.contains("password=***") && written.contains("17"),
        "{written}"
    );
    assert_eq!(files_with_canary(lake.root(), &[]), Vec::<PathBuf>::new());
}

#[test]
fn a_notebook_shows_no_secret() {
    let lake = Lake::project();
    lake.shell(["kernel", "install", "--user"]).run().succeeds();
    let answer = python_in(&lake, "kernel_secret.py", &[]);
    assert_eq!(answer, json!({ "leaks": [], "rows": "ok" }), "{answer:#}");
    assert_eq!(files_with_canary(lake.root(), &[]), Vec::<PathBuf>::new());
}
