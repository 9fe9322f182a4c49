//! Commands as users meet them: lines in, events out.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use lakesh_event::event::Event;
use lakesh_session::{Session, SessionOptions};
use lakesh_text::input;
use lakesh_text::input::{Cell, SplitOptions};
use lakesh_text::source::Source;

use super::{commands, included_script};

/// Runs a script and writes down what happened, a line an event; stops at the first failure.
async fn happened(session: &Arc<Session>, script: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for cell in input::cells(&Source::new("test", script), SplitOptions::default()) {
        let mut events = session.run(cell.unwrap());
        while let Some(event) = events.next().await {
            match event {
                Event::Started | Event::Finished(_) | Event::Progress(_) => {}
                Event::Schema(schema) => {
                    let names: Vec<_> = schema
                        .fields()
                        .iter()
                        .map(|field| field.name().as_str())
                        .collect();
                    lines.push(format!("columns {}", names.join(" ")));
                }
                Event::Batch(batch) => lines.push(format!("rows {}", batch.num_rows())),
                Event::Notice(text) => lines.push(format!("notice {text}")),
                Event::Text(text) | Event::Page(text) => lines.push(format!("text {text}")),
                Event::Display(_) => lines.push("display".to_owned()),
                Event::Output(file) => lines.push(format!("output {}", file.is_some())),
                Event::Save(_) => lines.push("save".to_owned()),
                Event::Once(_) => lines.push("once".to_owned()),
                Event::Clear => lines.push("clear".to_owned()),
                Event::Reads(_) | Event::Picture(_) => {}
                Event::Quit => lines.push("quit".to_owned()),
                Event::Step(summary) => lines.push(format!("step {}", summary.verb)),
                Event::Failed(failure) => {
                    let place = failure.place.as_ref().map_or("", |place| place.text());
                    let source = failure
                        .place
                        .as_ref()
                        .map_or("", |place| &place.source.name);
                    let hints = failure.hints.join("; ");
                    let source = Path::new(source).file_name().unwrap_or_default().display();
                    lines.push(format!("error {failure} [{source}: {place}] {hints}"));
                    return lines;
                }
            }
        }
    }
    lines
}

fn session(folder: &Path) -> Arc<Session> {
    crate::open(SessionOptions::in_folder(folder)).unwrap()
}

#[test]
fn names_are_unique_and_usages_begin_with_them() {
    let mut seen = HashSet::new();
    for command in commands() {
        let names = command.names();
        let begin = format!("\\{}", names[0]);
        assert!(command.usage().starts_with(&begin), "{}", command.usage());
        assert!(!command.summary().ends_with('.'), "{}", command.summary());
        for name in names {
            assert!(seen.insert(*name), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_run() {
    for command in commands() {
        for example in command.examples() {
            let folder = tempfile::tempdir().unwrap();
            let session = session(folder.path());
            let lines = happened(&session, example).await;
            let failed = lines.iter().any(|line| line.starts_with("error"));
            assert!(!failed, "{example}: {lines:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_do_what_they_say() {
    let cases: &[(&str, &[&str])] = &[
        ("\\echo a  'b c'", &["text a b c\n"]),
        (".print -n x", &["text x"]),
        ("\\warn a b", &["notice a b"]),
        ("\\set v x y\n\\echo :v", &["text xy\n"]),
        ("\\set v 'it''s'\n\\set", &["text v = 'it''s'\n"]),
        ("\\set v 1\n\\unset v\n\\echo :v", &["text :v\n"]),
        (
            "\\set v 2\nselect :v as n, 'x' as t;",
            &["columns n t", "rows 1"],
        ),
        ("\\x", &["display", "notice expanded display is on"]),
        ("\\x on", &["display"]),
        (
            "\\maxrows 5\n\\maxrows",
            &["display", "display", "notice tables show 5 rows at most"],
        ),
        (
            "\\mode csv\n\\mode",
            &["display", "display", "notice the format is csv"],
        ),
        ("\\q", &["quit"]),
        ("\\o out.csv\n\\o", &["output true", "output false"]),
        (
            "select 1;\n\\save x.csv",
            &["columns 1", "rows 1", "save", "columns 1", "rows 1"],
        ),
        (
            "\\save x.csv",
            &[
                "error no query stands before it [test: \\save x.csv] write `SELECT … \\save`, or run a query first",
            ],
        ),
        (
            "\\dd",
            &["error unknown command `\\dd` [test: dd] `\\help` lists the commands"],
        ),
        (
            "\\ecko",
            &["error unknown command `\\ecko` [test: ecko] did you mean `\\echo`?"],
        ),
        ("select 7 as n \\gset\n\\echo :n", &["text 7\n"]),
        (
            "select 'it' as a, null as b \\gset x_\n\\echo :x_a :x_b",
            &["text it :x_b\n"],
        ),
        (
            "select value as n from range(2) \\gset",
            &["error the query returns more than 1 rows [test: select value as n from range(2)] "],
        ),
        (
            "select 1 as n where false \\gset",
            &["error the query returns no row for `\\gset` [test: select 1 as n where false] "],
        ),
        (
            "select 'select ' || value || ' as n' from range(2) \\gexec",
            &[
                "columns n",
                "rows 1",
                "step SELECT",
                "columns n",
                "rows 1",
                "step SELECT",
            ],
        ),
        (
            "select 1 as a \\gdesc",
            &[
                "columns column_name data_type is_nullable comment",
                "rows 1",
            ],
        ),
        ("select 1 as a \\g x.csv", &["save", "columns a", "rows 1"]),
        (
            "select 1 as a;\n\\g",
            &["columns a", "rows 1", "columns a", "rows 1"],
        ),
        (
            "create table t as select 1 as a \\g\n\\g",
            &[
                "error the previous statement changes something and is not run again [test: \\g] `\\g` runs the previous query again",
            ],
        ),
        (
            "select 1 \\timing on",
            &[
                "error `\\timing` cannot end a statement [test: \\timing on] end the statement with `;`, and write the command behind it",
            ],
        ),
        (
            "\\if false\nselect 1;\n\\if nonsense\n\\q\n\\endif\n\\elif yes\n\\echo a\n\\else\n\\echo b\n\\endif\n\\echo c",
            &["text a\n", "text c\n"],
        ),
        (
            "\\if perhaps",
            &[
                "error `perhaps` is neither true nor false [test: perhaps] `SELECT count(*) > 0 AS some FROM t \\gset` sets a variable for `\\if :some`",
            ],
        ),
        (
            "\\endif",
            &["error `\\endif` has no `\\if` before it [test: \\endif] "],
        ),
        (
            "\\once x.csv\nselect 1 as a;",
            &["once", "columns a", "rows 1"],
        ),
        (
            "\\pset format csv\n\\pset tuples_only",
            &["display", "display"],
        ),
        (
            "\\open x",
            &[
                "error a session keeps the catalog that it began with [test: \\open x] ATTACH 'folder' AS name brings its tables in; `lakesh --catalog FOLDER` begins with another catalog",
            ],
        ),
        ("\\cd x", &["error `\\cd` needs a terminal [test: cd] "]),
        (
            "\\i",
            &["error `\\i` is missing an argument [test: i] usage: \\i FILE"],
        ),
        (
            "\\x on off",
            &["error `\\x` has too many arguments [test: off] usage: \\x [on|off]"],
        ),
        (
            "\\x of",
            &["error `of` is neither `on` nor `off` [test: of] "],
        ),
        (
            "\\mode cvs",
            &["error unknown format `cvs` [test: cvs] did you mean `csv`?"],
        ),
    ];
    for (script, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let lines = happened(&session(folder.path()), script).await;
        assert_eq!(lines, *expected, "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_are_statements() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let made = happened(&session, "create view \"My View\" as select 1 as n;").await;
    assert_eq!(made, Vec::<String>::new());
    for script in [
        "\\d \"My View\"",
        ".tables",
        "\\dv My*",
        "\\df substr",
        "\\dn",
        "\\l",
    ] {
        let lines = happened(&session, script).await;
        assert!(lines[0].starts_with("columns "), "{script}: {lines:?}");
        assert!(lines[1].starts_with("rows "), "{script}: {lines:?}");
    }
    let lines = happened(&session, "\\d nothing").await;
    assert!(lines[0].contains("[test: nothing]"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_include_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    write("outer.sql", "\\echo outer\n\\i sub/inner.sql\n\\echo back");
    write("sub/inner.sql", "\\i next.sql\n\\q\n\\echo never");
    write("sub/next.sql", "\\echo next");
    write("broken.sql", "select 1;\nselect nope;\n\\echo never");
    write("circle.sql", "\\i circle.sql");
    let cases: [(&str, &[&str]); 4] = [
        (
            "\\i outer.sql",
            &[
                "text outer\n",
                "step \\echo",
                "text next\n",
                "step \\echo",
                "step \\i",
                "step \\i",
                "text back\n",
                "step \\echo",
            ],
        ),
        (
            "\\i circle.sql",
            &["error `circle.sql` includes itself [circle.sql: \\i circle.sql] "],
        ),
        (
            "\\i no.sql",
            &["error cannot read `no.sql`: there is no such file [test: no.sql] "],
        ),
        (
            "\\i sub",
            &["error cannot read `sub`: it is a folder [test: sub] "],
        ),
    ];
    for (script, expected) in cases {
        assert_eq!(
            happened(&session(folder.path()), script).await,
            expected,
            "{script}"
        );
    }
    let lines = happened(&session(folder.path()), "\\i broken.sql").await;
    let last = lines.last().unwrap();
    assert!(last.contains("[broken.sql: nope]"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_knows_everything() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let cases = [
        ("\\help", "\\dt"),
        ("\\help", "CREATE VIEW"),
        ("\\help \\dt", "\\tables"),
        ("\\help create view", "CREATE"),
        ("\\help substr", "scalar function"),
        ("\\? avg", "aggregate function"),
        ("\\help creat view", "did you mean `CREATE VIEW`?"),
    ];
    for (script, expected) in cases {
        let text = happened(&session, script).await.join("\n");
        assert!(text.contains(expected), "{script}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_look_without_doing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.sql"), "select 1;").unwrap();
    let session = session(folder.path());
    let cases = [
        ("\\set v 1", None),
        ("select :v;", None),
        ("\\i a.sql", None),
        (
            "\\i b.sql",
            Some("cannot read `b.sql`: there is no such file"),
        ),
        ("\\mode nope", Some("unknown format `nope`")),
        ("\\nope", Some("unknown command `\\nope`")),
        (
            "\\save x.nope",
            Some("the suffix of `x.nope` names no format"),
        ),
    ];
    for (line, expected) in cases {
        let source = Source::new("test", line);
        let cell = input::cells(&source, SplitOptions::default())
            .next()
            .unwrap()
            .unwrap();
        let script = match &cell {
            Cell::Command { place, .. } => included_script(&session, place).ok().flatten(),
            Cell::Statement { .. } => None,
        };
        assert_eq!(script.is_some(), line == "\\i a.sql", "{line}");
        let outcome = session.check(cell).await.map_err(|failure| failure.message);
        assert_eq!(outcome.err().as_deref(), expected, "{line}");
    }
}
