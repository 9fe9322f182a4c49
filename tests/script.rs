//! Scripts over the real binary: where results and messages go, and what the exit status says.

use std::fs::{self, File};

use crate::support::{Lake, Shell};

/// A query whose rows come at once and that then runs for minutes.
const LONG: &str = "select sum(a.value * b.value) from generate_series(1, 1000000) a cross join generate_series(1, 1000000) b";

#[track_caller]
fn check(arguments: &[&str], input: &str, code: i32, stdout: &str) -> String {
    let lake = Lake::new();
    let run = lake.shell(arguments.iter().copied()).input(input).run();
    let stderr = if code == 0 {
        run.succeeds();
        run.stderr.clone()
    } else {
        run.fails(code)
    };
    assert_eq!(run.text(), stdout, "stderr: {stderr}");
    stderr
}

#[test]
fn results_come_from_commands_files_and_standard_input_alike() {
    check(
        &["-c", "select 1 as a"],
        "",
        0,
        "┌────────┐\n│      a │\n│ bigint │\n├────────┤\n│      1 │\n└────────┘\n",
    );
    check(&["--format", "csv", "-c", "select 1 as a"], "", 0, "a\n1\n");
    check(
        &[
            "--format",
            "csv",
            "-c",
            "select 1 as a",
            "-c",
            "select 2 as b",
        ],
        "",
        0,
        "a\n1\n\nb\n2\n",
    );
    check(
        &["--format", "csv"],
        "select 1 as a;\nselect 2 as b",
        0,
        "a\n1\n\nb\n2\n",
    );
    let lake = Lake::new();
    lake.write("one.sql", "select 1 as a;");
    lake.write("two.sql", "select 2 as b");
    for arguments in [
        ["one.sql", "two.sql"].as_slice(),
        &["-f", "one.sql", "-f", "two.sql"],
    ] {
        let run = lake
            .shell(["--format", "csv"])
            .arguments(arguments.iter().copied())
            .run();
        assert_eq!(run.succeeds(), "a\n1\n\nb\n2\n");
    }
}

#[test]
fn the_first_error_stops_every_source_that_is_not_a_terminal() {
    let script = "select 1 as a; select nonsense; select 3 as c;";
    let stderr = check(&["--format", "csv"], script, 1, "a\n1\n");
    assert!(stderr.contains("nonsense"), "{stderr}");
    let commands = [
        "--format",
        "csv",
        "-c",
        "select 1 as a",
        "-c",
        "select nonsense",
        "-c",
        "select 3 as c",
    ];
    check(&commands, "", 1, "a\n1\n");
    let lake = Lake::new();
    lake.write("first.sql", script);
    lake.write("second.sql", "select 4 as d;");
    let run = lake
        .shell(["--format", "csv", "first.sql", "second.sql"])
        .run();
    run.fails(1);
    assert_eq!(run.text(), "a\n1\n");
}

#[test]
fn keep_going_runs_the_rest_and_still_fails() {
    let script = "select 1 as a; select nonsense; select 3 as c;";
    check(
        &["--format", "csv", "--keep-going"],
        script,
        1,
        "a\n1\n\nc\n3\n",
    );
}

#[test]
fn standard_output_carries_results_only() {
    let stderr = check(
        &["--format", "csv"],
        "\\timing on\nselect 1 as a;\n\\warn to standard error\ncreate view v as select 1;\n\\echo to standard output\n",
        0,
        "a\n1\nto standard output\n",
    );
    assert!(stderr.contains("to standard error"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "colour in a pipe: {stderr}");
}

#[test]
fn an_error_names_file_line_and_column_and_shows_the_place() {
    let lake = Lake::new();
    lake.write(
        "night.sql",
        "select 1 as a;\n\nselect 1,\n       nonsense\nfrom (select 1 as sense);\n",
    );
    let stderr = lake.shell(["--format", "csv", "night.sql"]).run().fails(1);
    assert!(stderr.contains("night.sql:4:8"), "{stderr}");
    assert!(
        stderr.contains("       nonsense") && stderr.contains('^'),
        "{stderr}"
    );
    assert!(!stderr.contains('\u{1b}'), "colour in a pipe: {stderr}");
}

#[test]
fn usage_and_files_have_exit_statuses_of_their_own() {
    check(&["--no-such-option"], "", 2, "");
    check(&["--format", "no-such-format", "-c", "select 1"], "", 2, "");
    check(&["--memory-limit", "lots", "-c", "select 1"], "", 2, "");
    let stderr = check(&["no-such-file.sql"], "", 3, "");
    assert!(stderr.contains("no-such-file.sql"), "{stderr}");
    check(
        &["-o", "no-such-folder/out.csv", "-c", "select 1"],
        "",
        3,
        "",
    );
}

#[test]
fn variables_are_text_names_or_literals() {
    let script =
        "select :n + 1 as a, :'who' as b, :\"column\" as c from (select 7 as \"odd name\");";
    let arguments = [
        "--format",
        "csv",
        "-v",
        "n=41",
        "-v",
        "who=O'Hara",
        "-v",
        "column=odd name",
    ];
    check(&arguments, script, 0, "a,b,c\n42,O'Hara,7\n");
    check(
        &["--format", "csv"],
        "\\set n 2\nselect :n as a;\n\\unset n\nselect 3 as b;",
        0,
        "a\n2\n\nb\n3\n",
    );
    // What is no variable stays SQL.
    check(
        &["--format", "csv", "-v", "n=1"],
        "select [1,2,3][2:3] as a, ':n' as b, '1'::int as c;",
        0,
        "a,b,c\n\"[2,3]\",:n,1\n",
    );
}

#[test]
fn parameters_are_values_and_never_text() {
    let script = "select $n + 1 as a, $who as b, $day as c, arrow_typeof($day) as d;";
    let arguments = [
        "--format",
        "csv",
        "--param",
        "n=41",
        "--param",
        "who='; drop table t; --",
        "--param",
        "day=2024-02-29",
    ];
    check(
        &arguments,
        script,
        0,
        "a,b,c,d\n42,'; drop table t; --,2024-02-29,Date32\n",
    );
    let stderr = check(&["--format", "csv"], "select $missing as a;", 1, "");
    assert!(stderr.contains("missing"), "{stderr}");
}

#[test]
fn an_output_file_is_whole_or_absent() {
    let lake = Lake::new();
    lake.shell(["-o", "out.csv", "-c", "select 1 as a"])
        .run()
        .succeeds();
    assert_eq!(lake.read("out.csv"), "a\n1\n");
    let late = "select case when value = 150000 then 1 / (value - 150000) else value end as a from generate_series(1, 200000)";
    let run = lake.shell(["-o", "out.csv", "-c", late]).run();
    run.fails(1);
    assert_eq!(
        lake.read("out.csv"),
        "a\n1\n",
        "a failed run replaced the old file"
    );
    lake.shell(["-o", "new.json", "-c", late]).run().fails(1);
    let names: Vec<_> = fs::read_dir(lake.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["out.csv"], "half-written files were left behind");
}

#[test]
fn a_suffix_that_names_no_format_is_an_error() {
    let lake = Lake::new();
    let said = lake
        .shell(["-c", "select 1 as a", "-o", "rows.xyz"])
        .run()
        .fails(2);
    assert!(said.contains("the suffix `xyz` names no format"), "{said}");
    assert!(said.contains("--format"), "{said}");
    assert!(!lake.path().join("rows.xyz").exists());
    let arguments = ["-c", "select 1 as a", "-o", "rows.xyz", "--format", "csv"];
    lake.shell(arguments).run().succeeds();
    assert_eq!(lake.read("rows.xyz"), "a\n1\n");
}

#[test]
fn a_temporary_folder_that_cannot_be_written_is_an_error() {
    let lake = Lake::new();
    let said = lake
        .shell(["--temp-dir", "/proc/none", "-c", "select 1"])
        .run()
        .fails(3);
    assert!(said.contains("`/proc/none`"), "{said}");
    lake.shell(["--temp-dir", "new/folder", "-c", "select 1"])
        .run()
        .succeeds();
    assert!(lake.path().join("new/folder").is_dir());
}

#[test]
fn an_output_file_takes_its_format_from_its_suffix() {
    let lake = Lake::new();
    for (file, content) in [
        ("a.csv", "a,b\n1,x\n"),
        ("a.tsv", "a\tb\n1\tx\n"),
        ("a.json", "[{\"a\":1,\"b\":\"x\"}]"),
        ("a.ndjson", "{\"a\":1,\"b\":\"x\"}\n"),
    ] {
        lake.shell(["-o", file, "-c", "select 1 as a, 'x' as b"])
            .run()
            .succeeds();
        let written: String = lake.read(file);
        let compact = |text: &str| {
            text.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace("[ ", "[")
                .replace(" ]", "]")
        };
        assert_eq!(compact(&written), compact(content), "{file}");
    }
    for file in ["a.parquet", "a.arrow"] {
        lake.shell(["-o", file, "-c", "select 1 as a, 'x' as b"])
            .run()
            .succeeds();
        assert_eq!(lake.rows(&format!("select * from '{file}'")), "1,x\n");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let lake = Lake::new();
    let script = "\"$LAKESH\" --format csv -c 'select value from generate_series(1, 1000000000)' | head -2; echo done";
    let run = Shell::through_sh(&lake, script).run();
    assert_eq!(run.succeeds(), "value\n1\ndone\n");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_full_disk_is_an_error() {
    let lake = Lake::new();
    for format in [
        "csv", "tsv", "json", "ndjson", "markdown", "html", "vertical", "table",
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let run = lake
            .shell(["--format", format, "-c", "select 1 as a"])
            .output_to(full)
            .run();
        let stderr = run.fails(3);
        assert!(!stderr.is_empty(), "{format}");
    }
}

#[test]
fn an_interrupt_ends_a_script_with_130_and_leaves_nothing_half_written() {
    let lake = Lake::new();
    lake.write(
        "long.sql",
        format!(
            "select value from generate_series(1, 100000);\n\\warn started\n{LONG};\nselect 2;"
        ),
    );
    let mut running = lake.shell(["-o", "out.csv", "long.sql"]).start();
    // Not before the script itself says that it runs.
    running.says("started");
    running.signal("INT");
    let run = running.wait();
    run.fails(130);
    let mut names: Vec<_> = fs::read_dir(lake.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["long.sql"]);
}

#[test]
fn check_reports_every_error_at_once_and_runs_nothing() {
    let lake = Lake::new();
    lake.write(
        "wrong.sql",
        "create view v as select 1 as a;\nselect a from v;\nselect b from v;\nselect * from nowhere;\nselect 1 +;\ncopy (select 1 as a) to 'made.csv';\n",
    );
    let run = lake.shell(["--check", "wrong.sql"]).run();
    let stderr = run.fails(1);
    for place in ["wrong.sql:3:8", "wrong.sql:4:15", "wrong.sql:5:"] {
        assert!(stderr.contains(place), "no {place} in:\n{stderr}");
    }
    assert!(
        !stderr.contains("wrong.sql:1:") && !stderr.contains("wrong.sql:2:"),
        "{stderr}"
    );
    assert!(!lake.path().join("made.csv").exists());
    assert!(
        lake.refuses("select * from v").contains("`v`"),
        "--check has made a view"
    );

    lake.write(
        "right.sql",
        "create table t as select 1 as a;\nselect a + 1 from t;\ndrop table t;\n",
    );
    assert_eq!(lake.shell(["--check", "right.sql"]).run().succeeds(), "");
}

#[test]
fn readonly_refuses_what_writes() {
    let lake = Lake::new();
    lake.does("create table t as select 1 as a");
    for sql in [
        "create table u as select 1 as a",
        "create view v as select 1 as a",
        "create schema s",
        "drop table t",
        "copy (select 1 as a) to 'made.csv'",
        "insert into t values (2)",
    ] {
        let stderr = lake.shell(["--readonly", "-c", sql]).run().fails(1);
        assert!(
            stderr.contains("read-only") || stderr.contains("readonly"),
            "{sql}: {stderr}"
        );
    }
    let run = lake
        .shell(["--readonly", "--format", "csv", "-c", "select * from t"])
        .run();
    assert_eq!(run.succeeds(), "a\n1\n");
    assert!(!lake.path().join("made.csv").exists());
}

#[test]
fn configuration_counts_for_scripts_and_the_start_script_does_not() {
    let lake = Lake::new();
    let folder = lake.home().join("config/lakesh");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "format = 'csv'\n").unwrap();
    fs::write(folder.join("lakeshrc.sql"), "\\set greeting hello\n").unwrap();
    let run = lake.shell(["-c", "select 1 as a"]).run();
    assert_eq!(run.succeeds(), "a\n1\n");
    let run = lake
        .shell(["--format", "ndjson", "-c", "select 1 as a"])
        .run();
    assert_eq!(run.succeeds(), "{\"a\":1}\n");
    let run = lake.shell(["--no-rc", "-c", "select 1 as a"]).run();
    assert!(run.succeeds().contains('│'));
    lake.shell(["-c", "select :'greeting' as a"]).run().fails(1);
    fs::write(folder.join("config.toml"), "fromat = 'csv'\n").unwrap();
    let stderr = lake.shell(["-c", "select 1 as a"]).run().fails(2);
    assert!(stderr.contains("fromat"), "{stderr}");
}

#[test]
fn history_is_not_written_for_scripts() {
    let lake = Lake::new();
    check(&["--format", "csv"], "select 1 as a;", 0, "a\n1\n");
    lake.shell(["--format", "csv"])
        .input("select 1 as a;")
        .run()
        .succeeds();
    assert_eq!(fs::read_dir(lake.path()).unwrap().count(), 0);
    let state = lake.home().join("state");
    let history = walk(&state)
        .into_iter()
        .find(|path| path.contains("history"));
    assert_eq!(history, None);
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            let mut found = walk(&path);
            found.push(path.display().to_string());
            found
        })
        .collect()
}
