//! Odd input: byte order marks, line ends, quotes, encodings, sizes. A clear error or the right rows.

use crate::support::Lake;

#[track_caller]
fn check(script: impl AsRef<[u8]>, expected: &str) {
    let lake = Lake::new();
    let run = lake.shell(["--format", "csv"]).input(&script).run();
    assert_eq!(run.succeeds(), expected, "{}", run.stderr);
    // A file and standard input are read alike.
    lake.write("script.sql", &script);
    let run = lake.shell(["--format", "csv", "script.sql"]).run();
    assert_eq!(run.succeeds(), expected, "{}", run.stderr);
}

#[track_caller]
fn check_refused(script: impl AsRef<[u8]>, expected: &[&str]) {
    let lake = Lake::new();
    lake.write("script.sql", script);
    let stderr = lake.shell(["--format", "csv", "script.sql"]).run().fails(1);
    for part in expected {
        assert!(stderr.contains(part), "no `{part}` in:\n{stderr}");
    }
}

#[test]
fn semicolons_end_statements_only_outside_quotes_and_comments() {
    check("select ';' as a; select 2 as b", "a\n;\n\nb\n2\n");
    check("select 'it''s; so' as a;", "a\nit's; so\n");
    check("select 1 as \"a;b\";", "a;b\n1\n");
    check(
        "select 1 as a -- no; end\n; select 2 as b /* nor; /* here; */ ; */;",
        "a\n1\n\nb\n2\n",
    );
    check(
        "select $$one; two$$ as a; select $tag$three; $$ four$tag$ as b;",
        "a\none; two\n\nb\nthree; $$ four\n",
    );
    check(";;\n ; select 1 as a;;", "a\n1\n");
    check("-- nothing\n/* at all */", "");
    check("", "");
}

#[test]
fn marks_and_line_ends_of_other_systems_are_understood() {
    check("\u{feff}select 1 as a;", "a\n1\n");
    check(
        "select 1\r\n as a;\r\n\\echo done\r\nselect 2 as b;\r\n",
        "a\n1\ndone\n\nb\n2\n",
    );
    check("#!/usr/bin/env lakesh\nselect 1 as a;", "a\n1\n");
    check("\u{feff}#!/usr/bin/env lakesh\r\nselect 1 as a;", "a\n1\n");
    check("select 'ä€😀' as \"ü\";", "ü\nä€😀\n");
}

#[test]
fn lines_are_counted_over_marks_and_comments() {
    check_refused(
        "\u{feff}#!/usr/bin/env lakesh\r\n-- one\r\nselect 'ä',\r\n  nonsense;",
        &["script.sql:4:3", "nonsense"],
    );
    check_refused("select '😀', nonsense;", &["script.sql:1:13"]);
}

#[test]
fn text_that_never_ends_is_an_error_at_its_beginning() {
    check_refused("select 1 as a;\nselect 'open", &["script.sql:2:8"]);
    check_refused("select 1 as a;\n  /* open", &["script.sql:2:3"]);
    check_refused("select \"open", &["script.sql:1:8"]);
    check_refused("select $$open", &["script.sql:1:8"]);
}

#[test]
fn bytes_that_are_no_text_are_an_error_with_their_place() {
    check_refused(
        b"select 1 as a;\nselect '\xff\xfe' as b;".as_slice(),
        &["script.sql:2:9", "UTF-8"],
    );
    check_refused(
        b"\xff\xfes\0e\0l\0e\0c\0t\0 \x001\0".as_slice(),
        &["script.sql"],
    );
}

#[test]
fn deep_nesting_is_refused_and_breaks_nothing() {
    for depth in [100_000, 2_000] {
        let nested = format!("select {}1{} as a", "(".repeat(depth), ")".repeat(depth));
        check_refused(nested, &["script.sql:1:"]);
    }
    let queries = format!(
        "{}select 1 as a{}",
        "select * from (".repeat(2_000),
        ")".repeat(2_000)
    );
    check_refused(queries, &["script.sql:1:"]);
    let negations = format!("select {} true as a", "not ".repeat(100_000));
    check_refused(negations, &["script.sql:1:"]);
}

#[test]
fn a_long_chain_of_operators_breaks_nothing() {
    let chain = format!("select {} as a", vec!["1"; 20_000].join(" + "));
    let lake = Lake::new();
    lake.write("script.sql", chain);
    let run = lake.shell(["--format", "csv", "script.sql"]).run();
    match run.status.code() {
        Some(0) => assert_eq!(run.text(), "a\n20000\n"),
        _ => assert!(run.fails(1).contains("script.sql:1:"), "{}", run.stderr),
    }
}

#[test]
fn a_statement_of_a_megabyte_in_one_line_runs_and_its_errors_stay_short() {
    let values: Vec<String> = (0..100_000).map(|value| format!("{value:09}")).collect();
    let list = values.join(",");
    assert!(list.len() > 900_000);
    check(format!("select 5 in ({list}) as a;"), "a\ntrue\n");
    let lake = Lake::new();
    lake.write(
        "script.sql",
        format!("select 5 in ({list}) as a, nonsense;"),
    );
    let stderr = lake.shell(["script.sql"]).run().fails(1);
    assert!(
        stderr.contains("nonsense"),
        "{}",
        &stderr[..stderr.len().min(2000)]
    );
    assert!(
        stderr.len() < 2_000,
        "the message repeats {} bytes of the line",
        stderr.len()
    );
}

#[test]
fn no_input_ends_in_a_panic() {
    let lake = Lake::new();
    let scripts = [
        "select",
        "select 1 from",
        "from",
        "create",
        "create table",
        "create external table",
        "copy",
        "copy (",
        "explain",
        "explain explain select 1",
        "attach",
        "detach",
        "summarize",
        "describe",
        "show",
        "set",
        "reset",
        "use",
        "drop",
        "insert into",
        "select * from ''",
        "select * from '/'",
        "select * from '.'",
        "select * from '*'",
        "select * from '['",
        "select * from read_csv()",
        "select * from read_csv(null)",
        "select * from read_parquet([])",
        "select * from read_csv('a', header => 'maybe')",
        "select * from read_csv('a', no_such => 1)",
        "select * from generate_series(1, 2, 0)",
        "select 1 version as of 3",
        "select * from t@v",
        "select * from t@v999999999999999999999999",
        "values",
        "with",
        "select * from t version as of -1",
        "\\",
        "\\nonsense",
        "\\d",
        "\\d nowhere",
        "\\i nowhere.sql",
        "\\format",
        "\\set",
        "\\o",
        "\\maxrows many",
        "\\mode nonsense",
        ".nonsense",
        "select \u{0}",
        "select 1 \\gx",
        "\\gx",
        "\\help nonsense",
        "set lakesh.memory_limit = 'lots'",
        "set lakesh.nonsense = 1",
        "set nonsense = 1",
        "select :",
        "select $",
        "select ?",
        "select @",
        "select #",
        "select 99999999999999999999999999999999999999999",
        "select 1e999",
        "select date '2024-13-41'",
        "select interval 'x'",
    ];
    for script in scripts {
        let run = lake
            .shell(["--format", "csv", "--keep-going"])
            .input(script)
            .run();
        assert!(
            matches!(run.status.code(), Some(0..=3)),
            "{script}: {}\n{}",
            run.status,
            run.stderr
        );
        for internal in [
            "panicked",
            "DataFusionError",
            "SchemaError",
            "ParserError",
            "Some(",
            "None)",
        ] {
            assert!(!run.stderr.contains(internal), "{script}: {}", run.stderr);
        }
    }
}
