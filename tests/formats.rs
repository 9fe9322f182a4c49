//! Every output format over the real binary: complete in a pipe, and never whole after a failure.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::{Lake, python};

/// Formats that are text on standard output.
const TEXT: [&str; 9] = [
    "table", "csv", "tsv", "json", "ndjson", "markdown", "html", "vertical", "none",
];

const ROWS: usize = 200_000;

#[test]
fn every_row_arrives_in_a_pipe() {
    let lake = Lake::new();
    let sql = format!(
        "select value as n, 'row ' || value as t from generate_series(1, {ROWS}) order by value"
    );
    let run = |format: &str| {
        lake.shell(["--format", format, "-c", &sql])
            .run()
            .succeeds()
    };

    let csv = run("csv");
    assert_eq!(csv.lines().count(), ROWS + 1);
    let whole = csv
        .lines()
        .skip(1)
        .enumerate()
        .all(|(index, line)| line == format!("{0},row {0}", index + 1));
    assert!(whole, "rows are missing or out of order");

    let ndjson = run("ndjson");
    assert_eq!(ndjson.lines().count(), ROWS);
    assert_eq!(
        ndjson.lines().last(),
        Some("{\"n\":200000,\"t\":\"row 200000\"}")
    );

    let json: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json.as_array().unwrap().len(), ROWS);
    assert_eq!(json[ROWS - 1]["n"], 200_000);

    assert!(run("tsv").ends_with("200000\trow 200000\n"));
}

#[test]
fn formats_for_people_are_whole_in_a_pipe_too() {
    let lake = Lake::new();
    let sql = "select value as n from generate_series(1, 20000) order by value";
    for format in ["table", "markdown", "html", "vertical"] {
        let text = lake.shell(["--format", format, "-c", sql]).run().succeeds();
        let words: HashSet<&str> = text
            .split(|letter: char| !letter.is_ascii_digit())
            .collect();
        let shown = (1..=20_000)
            .filter(|row: &i32| words.contains(row.to_string().as_str()))
            .count();
        assert_eq!(shown, 20_000, "{format}");
    }
    assert_eq!(
        lake.shell(["--format", "none", "-c", sql]).run().succeeds(),
        ""
    );
}

#[test]
fn a_row_that_fails_late_fails_the_run_in_every_format() {
    let lake = Lake::new();
    let sql = "select case when value = 150000 then 1 / (value - 150000) else value end as n from generate_series(1, 200000)";
    for format in TEXT {
        let run = lake.shell(["--format", format, "-c", sql]).run();
        let stderr = run.fails(1);
        assert!(
            stderr.to_lowercase().contains("division by zero"),
            "{format}: {stderr}"
        );
        let text = run.text();
        match format {
            "json" => assert!(
                serde_json::from_str::<Value>(&text).is_err(),
                "the array is closed"
            ),
            "html" => assert!(text.contains("lakesh-incomplete"), "it looks whole"),
            _ => {}
        }
    }
    for file in ["out.parquet", "out.arrow"] {
        let run = lake.shell(["-o", file, "-c", sql]).run();
        run.fails(1);
        assert!(!lake.path().join(file).exists(), "{file}");
    }
}

#[test]
fn a_value_that_cannot_be_cast_is_named() {
    let lake = Lake::new();
    let sql = "select cast(case when value = 150000 then 'twelve' else '1' end as int) as n from generate_series(1, 200000)";
    for format in ["csv", "table"] {
        let stderr = lake.shell(["--format", format, "-c", sql]).run().fails(1);
        assert!(stderr.contains("twelve"), "{format}: {stderr}");
    }
}

#[test]
fn null_is_told_from_the_empty_string() {
    let lake = Lake::new();
    let sql = "select null::varchar as a, '' as b, 'null' as c";
    let run = |format: &str| lake.shell(["--format", format, "-c", sql]).run().succeeds();
    assert_eq!(run("csv"), "a,b,c\n,\"\",null\n");
    assert_eq!(run("ndjson"), "{\"a\":null,\"b\":\"\",\"c\":\"null\"}\n");
    let table = run("table");
    assert!(table.contains("NULL"), "{table}");
    let run = lake
        .shell(["--format", "csv", "-c", "\\nullvalue <none>", "-c", sql])
        .run();
    assert_eq!(run.succeeds(), "a,b,c\n<none>,\"\",null\n");
}

#[test]
fn csv_and_json_survive_every_character() {
    let lake = Lake::new();
    let sql = "select 'a,b' as \"x,y\", 'line' || chr(10) || 'end' as two, 'say \"hi\"' as three, 'ä😀' as four, chr(9) as five, chr(1) as six";
    let csv = lake
        .shell(["--format", "csv", "-o", "out.csv", "-c", sql])
        .run();
    csv.succeeds();
    let rows = lake
        .shell([
            "--format",
            "ndjson",
            "-c",
            "select * from read_csv('out.csv', newlines_in_values => true)",
        ])
        .run()
        .succeeds();
    let direct = lake
        .shell(["--format", "ndjson", "-c", sql])
        .run()
        .succeeds();
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&rows), parsed(&direct));
    assert_eq!(parsed(&direct)["two"], "line\nend");
}

#[test]
fn every_type_has_a_text_in_every_format() {
    let lake = Lake::new();
    let sql = "select true as b, 1::tinyint as i, 1.5::double as d, 'NaN'::double as nan, 12.30::decimal(9, 2) as dec, date '2024-02-29' as day, \
        timestamp '2024-02-29 12:00:00.123456' as ts, interval '1 day 2 hours' as iv, [1, null, 3] as list, \
        {'a': 1, 'b': 'x'} as struct, map {'k': 1} as map, arrow_cast('x', 'Binary') as bin, time '10:11:12' as t, \
        arrow_cast('x', 'Dictionary(Int32, Utf8)') as dict, null as nothing, 18446744073709551615::bigint unsigned as big";
    for format in TEXT {
        lake.shell(["--format", format, "-c", sql]).run().succeeds();
    }
    let json: Value =
        serde_json::from_str(&lake.shell(["--format", "json", "-c", sql]).run().succeeds())
            .unwrap();
    let row = &json[0];
    assert_eq!(row["list"], serde_json::json!([1, null, 3]));
    assert_eq!(row["struct"], serde_json::json!({"a": 1, "b": "x"}));
    assert_eq!(row["big"].to_string(), "18446744073709551615");
    assert_eq!(row["day"], "2024-02-29");
}

#[test]
fn an_empty_result_keeps_its_columns() {
    let lake = Lake::new();
    let sql = "select 1 as a, 'x' as b where false";
    for (format, expected) in [("csv", "a,b\n"), ("tsv", "a\tb\n"), ("ndjson", "")] {
        assert_eq!(
            lake.shell(["--format", format, "-c", sql]).run().succeeds(),
            expected,
            "{format}"
        );
    }
    let json: Value =
        serde_json::from_str(&lake.shell(["--format", "json", "-c", sql]).run().succeeds())
            .unwrap();
    assert_eq!(json, serde_json::json!([]));
    lake.shell(["-o", "empty.parquet", "-c", sql])
        .run()
        .succeeds();
    assert_eq!(
        lake.shell(["--format", "csv", "-c", "select * from 'empty.parquet'"])
            .run()
            .succeeds(),
        "a,b\n"
    );
}

#[test]
fn columns_of_one_name_are_shown_under_it() {
    let lake = Lake::project();
    let run =
        |format: &str, sql: &str| lake.shell(["--format", format, "-c", sql]).run().succeeds();
    let sql = "select a, a, b as a from (values (1, 2)) as q (a, b) order by b";
    for (sql, expected) in [
        (sql, "a,a,a\n1,1,2\n"),
        ("select 1, 1", "1,1\n1,1\n"),
        (
            "select distinct a as x, b as x from (values (1, 2)) as q (a, b)",
            "x,x\n1,2\n",
        ),
        (
            "with q as (select 1 as a) select a, a from q union all select 3, 4 order by a",
            "a,a\n1,1\n3,4\n",
        ),
        ("select a from (select 1 as a, 1 as b) as q", "a\n1\n"),
    ] {
        assert_eq!(run("csv", sql), expected, "{sql}");
    }
    // Readers of these know columns by their names alone.
    assert_eq!(run("ndjson", sql), "{\"a\":1,\"a_1\":1,\"a_2\":2}\n");
    for file in ["o.parquet", "o.arrow"] {
        lake.shell(["-o", file, "-c", sql]).run().succeeds();
        let rows = lake.rows(&format!("select a_2, a_1, a from '{file}'"));
        assert_eq!(rows, "2,1,1\n", "{file}");
    }
}

#[test]
fn another_reader_finds_the_same_rows_in_our_files() {
    let lake = Lake::new();
    let sql = "select value as n, value * 1.5 as d, 'row ' || value as t, case when value % 3 = 0 then null else date '2024-01-31' end as day \
        from generate_series(1, 5000) order by value";
    for file in ["out.parquet", "out.arrow", "out.csv"] {
        lake.shell(["-o", file, "-c", sql]).run().succeeds();
    }
    let answer = python("read_outputs.py", &[&lake.path()]);
    for file in ["out.parquet", "out.arrow", "out.csv"] {
        assert_eq!(answer[file]["rows"], 5000, "{file}");
        assert_eq!(answer[file]["sum"], 12_502_500, "{file}");
        assert_eq!(answer[file]["nulls"], 1666, "{file}");
        assert_eq!(answer[file]["last"], "row 5000", "{file}");
    }
}

#[test]
fn a_file_takes_no_second_result_that_its_readers_would_not() {
    let lake = Lake::new();
    let two = ["-c", "select 1 as a", "-c", "select 2 as b, 3 as c"];
    for file in ["two.csv", "two.tsv", "two.json", "two.csv.gz"] {
        let arguments = [&["-o", file][..], &two].concat();
        let stderr = lake.shell(arguments).run().fails(1);
        assert!(stderr.contains("holds one result"), "{file}: {stderr}");
        assert!(!lake.path().join(file).exists(), "{file}");
    }
    // A person or a program that reads a stream tells them apart.
    let streamed = lake.shell([&["--format", "csv"][..], &two].concat()).run();
    assert_eq!(streamed.succeeds(), "a\n1\n\nb,c\n2,3\n");
    let lines = [&["-o", "two.ndjson"][..], &two].concat();
    lake.shell(lines).run().succeeds();
    assert_eq!(
        std::fs::read_to_string(lake.path().join("two.ndjson")).unwrap(),
        "{\"a\":1}\n{\"b\":2,\"c\":3}\n"
    );
}
