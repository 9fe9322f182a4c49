//! Functions in Rust: types, NULL, panics, what rustc says, and where they may run.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Lake, Run};

fn run(lake: &Lake, sql: &str) -> Run {
    lake.write("script.sql", sql);
    lake.shell(["--allow-native", "--format", "csv", "script.sql"])
        .with_rustc()
        .run()
}

#[test]
fn every_type_goes_in_and_comes_out() {
    let lake = Lake::project();
    let mut sql = String::new();
    for (name, sql_type, rust) in [
        ("i8", "TINYINT", "i8"),
        ("i16", "SMALLINT", "i16"),
        ("i32", "INT", "i32"),
        ("i64", "BIGINT", "i64"),
        ("u8", "TINYINT UNSIGNED", "u8"),
        ("u64", "BIGINT UNSIGNED", "u64"),
        ("f32", "REAL", "f32"),
        ("f64", "DOUBLE", "f64"),
    ] {
        sql.push_str(&format!(
            "CREATE FUNCTION up_{name}(x {sql_type}) RETURNS {sql_type} LANGUAGE RUST AS $$ x.map(|x: {rust}| x + 1 as {rust}) $$;\n"
        ));
    }
    sql.push_str(
        "CREATE FUNCTION negated(x BOOLEAN) RETURNS BOOLEAN LANGUAGE RUST AS $$ x.map(|x| !x) $$;
         CREATE FUNCTION shout(s VARCHAR, n INT) RETURNS VARCHAR LANGUAGE RUST STRICT AS $$ s.to_uppercase() + &\"!\".repeat(n as usize) $$;
         CREATE FUNCTION answer() RETURNS BIGINT LANGUAGE RUST AS $$ Some(42) $$;
         CREATE TABLE t AS SELECT value AS n, CASE WHEN value % 3 > 0 THEN value END AS x, CASE WHEN value <> 2 THEN 'ä' || value END AS s FROM generate_series(1, 5);
         SELECT up_i8(x) AS a, up_i16(x) AS b, up_i32(x) AS c, up_i64(x) AS d, up_u8(x) AS e, up_u64(x) AS f, up_f32(x) AS g, up_f64(x + 0.5) AS h,
                negated(x > 1) AS i, shout(s, 2) AS j, answer() AS k FROM t WHERE n > 1 ORDER BY n;
         SELECT up_i64(x) AS a, shout(s, 1) AS b, negated(b) AS c FROM (SELECT x, s, x > 4 AS b FROM t ORDER BY n LIMIT 2 OFFSET 3);
         SELECT sum(up_i64(value)) AS s, count(*) AS c FROM generate_series(1, 100000) WHERE negated(value % 2 = 0);",
    );
    let answer = run(&lake, &sql).succeeds();
    let rows: Vec<&str> = answer.lines().collect();
    assert_eq!(
        rows[1..5],
        [
            "3,3,3,3,3,3,3.0,3.5,false,,42",
            ",,,,,,,,,Ä3!!,42",
            "5,5,5,5,5,5,5.0,5.5,false,Ä4!!,42",
            "6,6,6,6,6,6,6.0,6.5,false,Ä5!!,42",
        ]
    );
    // Arrays that begin in the middle of their buffers.
    assert_eq!(rows[7..9], ["5,Ä4!,true", "6,Ä5!,false"]);
    assert_eq!(rows.last(), Some(&"2500050000,50000"));
}

#[test]
fn null_is_an_option_or_gives_null() {
    let lake = Lake::project();
    let sql = "CREATE FUNCTION either(a BIGINT, b BIGINT) RETURNS BIGINT LANGUAGE RUST AS $$ a.or(b) $$;
        CREATE FUNCTION less(a BIGINT, b BIGINT) RETURNS BIGINT RETURNS NULL ON NULL INPUT LANGUAGE RUST AS $$ a - b $$;
        CREATE FUNCTION root(x DOUBLE) RETURNS DOUBLE LANGUAGE RUST CALLED ON NULL INPUT AS $$
            let x = x?;
            if x < 0.0 { return None; }
            Some(x.sqrt())
        $$;
        SELECT either(a, b) AS e, less(a, b => b) AS l, root(a) AS r FROM (VALUES (4, 1), (NULL, 2), (-9, NULL), (NULL, NULL)) AS t(a, b);
        SELECT either(NULL, 5) AS e, root(CAST(9 AS DOUBLE)) AS r;";
    let answer = run(&lake, sql).succeeds();
    assert_eq!(answer, "e,l,r\n4,3,2.0\n2,,\n-9,,\n,,\n\ne,r\n5,3.0\n");
}

#[test]
fn a_panic_is_an_error_of_its_query() {
    let lake = Lake::project();
    let sql = "CREATE FUNCTION nth(s VARCHAR, n BIGINT) RETURNS VARCHAR LANGUAGE RUST STRICT AS $$
    let letters: Vec<char> = s.chars().collect();
    letters[n as usize].to_string()
$$;
CREATE FUNCTION up(n INT) RETURNS INT LANGUAGE RUST STRICT AS $$ n + 1 $$;
SELECT nth('abc', value) AS c FROM generate_series(0, 5);
SELECT up(CAST(2147483646 + value AS INT)) AS n FROM generate_series(0, 1);
SELECT nth('abc', value) AS c FROM generate_series(0, 2);";
    lake.write("script.sql", sql);
    let run = lake
        .shell([
            "--allow-native",
            "--keep-going",
            "--format",
            "csv",
            "script.sql",
        ])
        .with_rustc()
        .run();
    assert_eq!(run.status.code(), Some(1));
    let said = &run.stderr;
    assert!(said.contains("`nth` panicked in line 3 of its body: index out of bounds: the len is 3 but the index is 3"), "{said}");
    assert!(
        said.contains("`up` panicked in line 1 of its body: attempt to add with overflow"),
        "{said}"
    );
    let rows = String::from_utf8(run.stdout.clone()).unwrap();
    assert!(rows.ends_with("c\na\nb\nc\n"), "{rows}");
}

#[test]
fn what_rustc_says_stands_at_its_line() {
    let lake = Lake::project();
    let sql = "SELECT 1;\nCREATE FUNCTION f(x DOUBLE) RETURNS DOUBLE LANGUAGE RUST STRICT AS $$\n    let y = x * 2.0;\n    y + missing\n$$;";
    let failed = run(&lake, sql);
    assert_eq!(failed.status.code(), Some(1));
    let said = &failed.stderr;
    assert!(
        said.contains("error: rustc: cannot find value `missing` in this scope"),
        "{said}"
    );
    assert!(said.contains("script.sql:4:9"), "{said}");
    assert!(
        said.contains("4 |     y + missing\n  |         ^^^^^^^"),
        "{said}"
    );
    // Plain values where Option is meant get a hint.
    let said = run(
        &lake,
        "CREATE FUNCTION g(x DOUBLE) RETURNS DOUBLE LANGUAGE RUST AS $$ x * 2.0 $$;",
    )
    .stderr;
    assert!(said.contains("STRICT before AS"), "{said}");
    // Nothing was stored.
    let said = run(&lake, "SELECT g(1)").stderr;
    assert!(said.contains("error: function `g` not found"), "{said}");
}

#[test]
fn declarations_that_make_no_sense_are_refused() {
    let lake = Lake::project();
    for (sql, message) in [
        (
            "CREATE FUNCTION f(d DATE) RETURNS BIGINT LANGUAGE RUST AS $$ None $$",
            "parameter `d` is DATE",
        ),
        (
            "CREATE FUNCTION f() RETURNS TIMESTAMP LANGUAGE RUST AS $$ None $$",
            "the result is TIMESTAMP",
        ),
        (
            "CREATE FUNCTION f(x INT) RETURNS INT STRICT RETURN x",
            "functions in Rust only",
        ),
        (
            "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE RUST RETURN x",
            "expected as",
        ),
        (
            "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS $$ x $$",
            "sql or rust",
        ),
    ] {
        let said = run(&lake, sql).stderr;
        assert!(
            said.to_lowercase().contains(&message.to_lowercase()),
            "{sql}: {said}"
        );
    }
}

#[test]
fn functions_are_kept_compiled() {
    let lake = Lake::project();
    let create = "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE RUST STRICT AS $$ x + 1 $$;";
    run(&lake, create).succeeds();
    let folder = lake.home().join("cache/lakesh/functions");
    let list = || {
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name(),
                    entry.metadata().unwrap().modified().unwrap(),
                )
            })
            .collect();
        names.sort();
        names
    };
    let kept = list();
    assert_eq!(kept.len(), 2, "a source and a library");
    assert_eq!(
        run(&lake, "SELECT f(1) AS n, f(2) AS m").succeeds(),
        "n,m\n2,3\n"
    );
    assert_eq!(list(), kept);
    // Another body is another library; a damaged one is made anew.
    let library = kept
        .iter()
        .find(|(name, _)| name.to_string_lossy().ends_with(".rs"))
        .unwrap();
    std::fs::write(folder.join(&library.0), "something else").unwrap();
    assert_eq!(run(&lake, "SELECT f(1) AS n").succeeds(), "n\n2\n");
    assert_eq!(list().len(), 2);
    // What others could have put there is not loaded.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = run(&lake, "SELECT f(1) AS n");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.stderr.contains("others can write to it"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_machine_without_rustc_is_told_so() {
    let lake = Lake::project();
    lake.write(
        "script.sql",
        "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE RUST STRICT AS $$ x $$;",
    );
    let run = lake
        .shell(["--allow-native", "script.sql"])
        .variable("PATH", "/nowhere")
        .run();
    assert_eq!(run.status.code(), Some(1));
    assert!(
        run.stderr
            .contains("need `rustc`, which is in no folder of PATH"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("https://rustup.rs"), "{}", run.stderr);
}

#[test]
fn nothing_native_runs_unasked() {
    let lake = Lake::project();
    let create = "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE RUST STRICT AS $$ x $$;";
    run(&lake, create).succeeds();
    let piped = |arguments: &[&str], sql: &str| {
        let shell = lake.shell(arguments.iter().copied()).with_rustc();
        shell.input(sql).run()
    };
    for sql in [
        create,
        "SELECT f(1);",
        "SET lakesh.allow_native_functions = true;",
    ] {
        let refused = piped(&[], sql);
        assert_eq!(refused.status.code(), Some(1), "{sql}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("--allow-native"),
            "{sql}: {}",
            refused.stderr
        );
    }
    let refused = piped(&["--readonly", "--allow-native"], "SELECT f(1);");
    assert!(
        refused.stderr.contains("read-only session"),
        "{}",
        refused.stderr
    );
    let off = "SET lakesh.allow_native_functions = false; SELECT f(1);";
    let refused = piped(&["--allow-native"], off);
    assert!(
        refused.stderr.contains("lakesh.allow_native_functions"),
        "{}",
        refused.stderr
    );
    // What other functions there are runs on.
    piped(&[], "SELECT abs(-1);").succeeds();
}
