//! Queries larger than the memory limit, at a size that a debug build bears.
//!
//! The real sizes, with peak memory of the process, are measured in `tests/bench`.

use std::fs;

use crate::support::Lake;

/// About 120 MB in memory when held whole.
const WIDE: &str = "select value as n, (value * 7919) % 1000003 as shuffled, lpad(value::varchar, 100, '0') as pad from generate_series(1, 800000)";

fn lake() -> Lake {
    let lake = Lake::new();
    lake.does(&format!("copy ({WIDE}) to 'wide.parquet'"));
    lake
}

#[track_caller]
fn limited(lake: &Lake, sql: &str) -> String {
    let arguments = [
        "--memory-limit",
        "64MB",
        "--threads",
        "2",
        "--format",
        "csv",
        "-c",
        sql,
    ];
    lake.shell(arguments).run().succeeds()
}

#[test]
fn sort_aggregation_and_copy_spill() {
    let lake = lake();
    let sorted = limited(
        &lake,
        "select sum(n * place) % 1000003 as a, count(*) as b from (select n, pad, row_number() over (order by pad desc, shuffled) as place from 'wide.parquet')",
    );
    // n runs against its place: n * (800001 - n), summed in closed form.
    let expected: u128 = (1..=800_000_u128).map(|n| n * (800_001 - n)).sum::<u128>() % 1_000_003;
    assert_eq!(sorted, format!("a,b\n{expected},800000\n"));
    let grouped = limited(
        &lake,
        "select count(*) as groups, sum(rows) as rows from (select pad, shuffled, count(*) as rows from 'wide.parquet' group by pad, shuffled)",
    );
    assert_eq!(grouped, "groups,rows\n800000,800000\n");
    limited(
        &lake,
        "copy (select * from 'wide.parquet' order by pad desc) to 'sorted.parquet'",
    );
    assert_eq!(
        lake.rows("select count(*), min(n), max(n) from 'sorted.parquet'"),
        "800000,1,800000\n"
    );
    let left: Vec<_> = fs::read_dir(lake.temp())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "spilled files were left behind: {left:?}");
}

#[test]
fn a_join_that_does_not_fit_finishes() {
    let lake = lake();
    let sql = "select count(*) as a, sum(length(l.pad) + length(r.pad)) as b from 'wide.parquet' l join 'wide.parquet' r on l.n = r.n and l.pad = r.pad";
    assert_eq!(limited(&lake, sql), "a,b\n800000,160000000\n");
}

#[test]
fn a_copy_with_more_partitions_than_fit_is_written_folder_by_folder() {
    let lake = lake();
    limited(
        &lake,
        "copy (select n, pad, n % 1000 as bucket, case when n % 3 = 0 then null else 'a/b %' || (n % 2)::varchar end as odd from 'wide.parquet' order by n desc) to 'parts' stored as parquet partitioned by (bucket, odd)",
    );
    assert_eq!(
        lake.rows("select count(*), sum(n), count(distinct bucket), count(distinct odd), sum((odd is null)::int), sum((n % 1000 <> bucket)::int) from 'parts'"),
        "800000,320000400000,1000,2,266666,0\n"
    );
    let first_rows = "select bool_and(n >= next) from (select n, lead(n, 1, 0) over (order by place) as next from (select n, row_number() over () as place from 'parts/bucket=7/odd=a%2Fb %251/'))";
    assert_eq!(
        lake.rows(first_rows),
        "true\n",
        "the query's order is kept within a file"
    );
}

#[test]
fn what_cannot_spill_says_which_setting_helps() {
    let lake = Lake::new();
    let sql = "select length(string_agg(lpad(value::varchar, 1000, 'x'), ',')) as a from generate_series(1, 200000)";
    let arguments = ["--memory-limit", "32MB", "--format", "csv", "-c", sql];
    let stderr = lake.shell(arguments).run().fails(1);
    assert!(stderr.contains("memory"), "{stderr}");
    assert!(
        stderr.contains("--memory-limit") || stderr.contains("memory_limit"),
        "{stderr}"
    );
}

#[test]
fn files_of_a_killed_process_are_swept_by_a_later_one() {
    let lake = lake();
    // A sort that spills and then waits on a reader which never reads on.
    let script = "\"$LAKESH\" --memory-limit 64MB --threads 2 --format csv -c \"select * from 'wide.parquet' order by pad desc\" > pipe & pid=$!
        exec 3< pipe; read -r line <&3; kill -s KILL $pid; wait $pid; echo $?";
    let made = std::process::Command::new("mkfifo")
        .arg(lake.path().join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let run = crate::support::Shell::through_sh(&lake, script).run();
    assert_eq!(run.text().trim(), "137", "{}", run.stderr);
    let left = || -> Vec<_> {
        let entries = fs::read_dir(lake.temp()).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    };
    // A process sweeps beside its work, and what it does not come to, the next one does.
    for _ in 0..5 {
        limited(
            &lake,
            "select count(*) as a from (select * from 'wide.parquet' order by pad desc limit 700000)",
        );
        if left().is_empty() {
            return;
        }
    }
    let left = left();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn the_connection_shows_the_limit_that_was_set_last() {
    let lake = Lake::new();
    let script = "set lakesh.memory_limit = '64MiB';\n\\conninfo\n";
    let text = lake.shell(["-q"]).input(script).run().succeeds();
    let limit = text
        .lines()
        .find_map(|line| line.strip_prefix("memory limit"));
    assert_eq!(limit.map(str::trim), Some("64 MiB"), "{text}");
}

#[test]
fn the_limit_shows_in_the_session_and_takes_units() {
    let lake = Lake::new();
    let shown = |limit: &'static str| {
        let options = ["--memory-limit", limit, "--format", "csv"];
        let session = lake.shell(options.into_iter().chain(["-c", "show session"]));
        let rows = session.run().succeeds();
        let row = rows
            .lines()
            .find_map(|row| row.strip_prefix("memory_limit,"));
        row.unwrap_or_else(|| panic!("{rows}")).to_owned()
    };
    assert_eq!(shown("64MiB"), "64 MiB");
    assert_eq!(shown("64MB"), "61 MiB");
    assert_eq!(shown("1GB"), "953.7 MiB");
    assert_eq!(shown("1073741824"), "1 GiB");
    // A share of what the machine has, whatever that is.
    let bytes = |limit| {
        let shown = shown(limit);
        let (number, unit) = shown.split_once(' ').unwrap();
        let factor = match unit {
            "MiB" => 1.0,
            "GiB" => 1024.0,
            "TiB" => 1024.0 * 1024.0,
            _ => panic!("{shown}"),
        };
        number.replace(',', "").parse::<f64>().unwrap() * factor
    };
    let ratio = bytes("50%") / bytes("25%");
    assert!((ratio - 2.0).abs() < 0.1, "{ratio}");
}
