//! Snapshots of what people see: tables in fixed widths, errors with carets, help.
//!
//! Times, versions and paths are filtered out.

use std::time::Duration;

use expectrl::{Eof, Expect};

use crate::support::{Lake, on_terminal};

/// Rows with everything that makes a table hard to lay out.
const ROWS: &str = "select * from (values
    (1, 'short', 1.5, null::varchar, true),
    (20000, 'ein längerer Text mit Umlauten äöü', -0.25, '', false),
    (3, '日本語 and emoji 😀', null, E'two\\nlines', null)
) as t(id, description, amount, note, flag)";

#[track_caller]
fn snapshot(name: &str, text: &str, lake: &Lake) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = filtered(text, lake);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Takes out what differs between runs: paths and times.
fn filtered(text: &str, lake: &Lake) -> String {
    let text = text
        .replace(lake.path().to_str().unwrap(), "[work]")
        .replace(lake.home().to_str().unwrap(), "[home]")
        .replace(lake.temp().to_str().unwrap(), "[temp]")
        .replace(env!("CARGO_PKG_VERSION"), "[version]");
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

fn shown(lake: &Lake, width: &str, arguments: &[&str]) -> String {
    lake.shell(arguments.iter().copied())
        .variable("COLUMNS", width)
        .run()
        .succeeds()
}

#[test]
fn tables_fit_their_width() {
    let lake = Lake::new();
    snapshot(
        "table_in_a_pipe",
        &shown(&lake, "200", &["-c", ROWS]),
        &lake,
    );
    for format in [
        "csv", "tsv", "json", "ndjson", "markdown", "html", "vertical",
    ] {
        snapshot(
            &format!("format_{format}"),
            &shown(&lake, "200", &["--format", format, "-c", ROWS]),
            &lake,
        );
    }
}

/// Returns what a terminal of some width shows.
fn on_screen(lake: &Lake, columns: u16, arguments: &[&str]) -> String {
    let mut terminal = on_terminal(lake, columns, arguments, &[("NO_COLOR", "1")]);
    terminal.set_expect_timeout(Some(Duration::from_secs(60)));
    let shown = terminal.expect(Eof).expect("the program ends");
    String::from_utf8_lossy(shown.as_bytes()).replace('\r', "")
}

#[test]
fn a_table_on_a_screen_is_fitted_and_says_what_it_leaves_out() {
    let lake = Lake::new();
    let many = "select value, value * value as square from generate_series(1, 1000) order by value";
    let nested = "select [1, null] as list, {'a': 1, 'b': 'x'} as struct, date '2024-02-29' as day";
    for (name, columns, arguments) in [
        ("screen_wide", 120, ["-q", "-c", ROWS].as_slice()),
        ("screen_narrow", 50, &["-q", "-c", ROWS]),
        ("screen_cut", 80, &["-q", "--maxrows", "6", "-c", many]),
        (
            "screen_empty",
            80,
            &["-q", "-c", "select 1 as a, 'x' as b where false"],
        ),
        ("screen_nested", 80, &["-q", "-c", nested]),
        ("screen_expanded", 60, &["-q", "-c", "\\x on", "-c", ROWS]),
    ] {
        snapshot(name, &on_screen(&lake, columns, arguments), &lake);
    }
}

#[test]
fn errors_show_the_place_and_a_way_out() {
    let lake = Lake::new();
    lake.does("create table trips as select 1 as trip_distance, 'x' as zone");
    lake.write("text.csv", "a,b\n1,2\n");
    for (name, sql) in [
        ("error_syntax", "select zone\n  form trips"),
        ("error_keyword", "selct 1"),
        ("error_table", "select *\n  from trip"),
        (
            "error_column",
            "select zone,\n       trip_distence\n  from trips",
        ),
        ("error_function", "select lenght(zone) from trips"),
        ("error_types", "select zone + interval '1 day' from trips"),
        (
            "error_group",
            "select zone, count(*), trip_distance from trips group by zone",
        ),
        ("error_file", "select * from 'missing/*.parquet'"),
        ("error_format", "select * from read_parquet('text.csv')"),
        (
            "error_option",
            "select * from read_csv('text.csv', heder => true)",
        ),
        ("error_cast", "select cast('twelve' as int)"),
        (
            "error_division",
            "select 1 / (trip_distance - 1) from trips",
        ),
        ("error_version", "select * from 'text.csv' version as of 3"),
        ("error_setting", "set lakesh.max_row = 3"),
        ("error_command", "\\timming on"),
        ("error_variable", "select :nothing"),
    ] {
        lake.write("night.sql", sql);
        let run = lake.shell(["night.sql"]).run();
        let code = run.status.code().unwrap_or(-1);
        let stderr = run.fails(code);
        assert_ne!(code, 0, "{sql}");
        snapshot(name, &format!("exit status {code}\n{stderr}"), &lake);
    }
}

#[test]
fn help_is_complete() {
    let lake = Lake::new();
    snapshot("help_usage", &shown(&lake, "100", &["--help"]), &lake);
    snapshot(
        "help_commands",
        &shown(&lake, "100", &["-c", "\\help"]),
        &lake,
    );
    let version = shown(&lake, "100", &["--version"]);
    assert!(version.starts_with("lakesh "), "{version}");
}
