//! The memory limit against what the process really held at most: within it, or an error that names it.

use std::fmt::Write as _;

use crate::support::{Lake, Shell};

const MIB: u64 = 1024 * 1024;

/// So much may be held beside the limit.
const BESIDE: u64 = 200 * MIB;

/// What a process held at most, in bytes, and what it said.
struct Run {
    peak: u64,
    stdout: String,
    stderr: String,
}

/// Runs statements; a line of the shell reads what its parent held at most.
fn run(lake: &Lake, limit: &str, sql: &str) -> Run {
    let input = format!("{sql};\n\\! grep VmHWM /proc/$PPID/status >&2\n");
    let run = lake
        .shell(["--memory-limit", limit, "--threads", "2", "--format", "csv"])
        .arguments(["--allow-programs", "--keep-going"])
        .variable("SHELL", "/bin/sh")
        .input(input)
        .run();
    let said = run.stderr.clone();
    let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let line = line.unwrap_or_else(|| panic!("{sql}: the process is gone: {said}"));
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    Run {
        peak: kib * 1024,
        stdout: run.text(),
        stderr: said,
    }
}

fn doubling(depth: usize) -> String {
    let mut sql = "WITH c0 AS (SELECT 1 AS a)".to_owned();
    for level in 1..=depth {
        let below = level - 1;
        write!(
            sql,
            ", c{level} AS (SELECT x.a FROM c{below} x JOIN c{below} y ON x.a = y.a)"
        )
        .unwrap();
    }
    sql + &format!(" SELECT count(*) FROM c{depth}")
}

#[test]
fn what_a_process_holds_stays_near_the_limit() {
    let lake = Lake::new();
    let texts: Vec<String> = (0..6)
        .map(|column| format!("repeat(chr({}), 40) || value AS c{column}", 97 + column))
        .collect();
    let rows = format!(
        "(SELECT value, {} FROM generate_series(1, 400000))",
        texts.join(", ")
    );
    let firsts: Vec<String> = (0..6)
        .map(|column| format!("first_value(c{column}) OVER w AS f{column}"))
        .collect();
    let gathered = format!(
        "SELECT count(*), min(f0), max(f5) FROM (SELECT {} FROM {rows} WINDOW w AS (ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))",
        firsts.join(", ")
    );
    let baseline = run(&lake, "64MB", "SELECT 1").peak;
    // `None`: an error that names the setting.
    let queries: Vec<(String, Option<&str>)> = vec![
        ("SELECT array_length(range(0, 10000000000)) AS n".into(), None),
        ("SELECT array_length(range(0, n)) AS n FROM (VALUES (500000000)) AS t (n)".into(), None),
        ("SELECT array_length(generate_series(1, 500000000)) AS n".into(), None),
        ("SELECT length(repeat('x', 1000000000)) AS n".into(), None),
        ("SELECT length(lpad('x', 1000000000, 'y')) AS n".into(), None),
        ("SELECT array_length(array_repeat('abc', 100000000)) AS n".into(), None),
        (gathered, None),
        (doubling(14), None),
        (doubling(60), None),
        ("SELECT sum(array_length(range(0, value))) AS n FROM generate_series(1, 2000)".into(), Some("2001000")),
        ("SELECT sum(n) AS n FROM (SELECT count(*) OVER (PARTITION BY value % 1000) AS n FROM generate_series(1, 100000))".into(), Some("10000000")),
        ("SELECT count(*) AS n FROM (SELECT value FROM generate_series(1, 1000000) ORDER BY value DESC)".into(), Some("1000000")),
        (doubling(4), Some("1")),
    ];
    // Answered or refused, as the rows fit.
    let either =
        "SELECT sum(n) AS n FROM (SELECT count(*) OVER () AS n FROM generate_series(1, 6000000))";
    let counted = run(&lake, "64MB", either);
    let held = counted.peak.saturating_sub(baseline);
    assert!(held < 64 * MIB + BESIDE, "{either}: {held} bytes");
    assert!(
        counted.stdout.contains("36000000000000") || counted.stderr.contains("lakesh.memory_limit"),
        "{either}: {}{}",
        counted.stdout,
        counted.stderr
    );
    for (sql, expected) in &queries {
        let run = run(&lake, "64MB", sql);
        let held = run.peak.saturating_sub(baseline) / MIB;
        assert!(
            held * MIB < 64 * MIB + BESIDE,
            "{sql}: {held} MiB: {}",
            run.stderr
        );
        match expected {
            Some(answer) => assert!(run.stdout.contains(answer), "{sql}: {}", run.stderr),
            None => assert!(
                run.stderr.contains("lakesh.memory_limit"),
                "{sql}: {}{}",
                run.stdout,
                run.stderr
            ),
        }
    }
}

/// Writes what a script of `sh` gives into a file of a lake.
fn made(lake: &Lake, name: &str, script: &str) {
    let path = lake.path().join(name);
    let made = std::process::Command::new("sh")
        .args(["-c", &format!("{script} > '{}'", path.display())])
        .status()
        .unwrap();
    assert!(made.success(), "{script}");
}

#[test]
fn a_line_without_end_is_refused_before_memory_runs_out() {
    let lake = Lake::new();
    let zeros = "head -c 200000000 /dev/zero";
    made(&lake, "bomb.csv.gz", &format!("{zeros} | gzip -1"));
    made(
        &lake,
        "bomb.json.gz",
        &format!("(printf '{{\"a\":\"'; {zeros} | tr '\\0' x; printf '\"}}\\n') | gzip -1"),
    );
    made(
        &lake,
        "array.json.gz",
        &format!("(printf '[{{\"a\":\"'; {zeros} | tr '\\0' x; printf '\"}}]\\n') | gzip -1"),
    );
    // The first lines are short, so that only the reader meets the long one.
    let late = "seq 1 2000000; head -c 200000000 /dev/zero | tr '\\0' 7";
    made(&lake, "late.csv.gz", &format!("(echo n; {late}) | gzip -1"));
    made(
        &lake,
        "late.json.gz",
        &format!(
            "(seq 1 1500000 | sed 's/.*/{{\"n\":&}}/'; printf '{{\"n\":\"'; {zeros} | tr '\\0' 7; printf '\"}}\\n') | gzip -1"
        ),
    );
    let baseline = run(&lake, "64MB", "SELECT 1").peak;
    for name in [
        "bomb.csv.gz",
        "bomb.json.gz",
        "array.json.gz",
        "late.csv.gz",
        "late.json.gz",
    ] {
        let run = run(&lake, "64MB", &format!("SELECT count(*) FROM '{name}'"));
        let held = run.peak.saturating_sub(baseline) / MIB;
        assert!(
            held * MIB < 64 * MIB + BESIDE,
            "{name}: {held} MiB: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains(name) && run.stderr.contains("lakesh.memory_limit"),
            "{name}: {}{}",
            run.stdout,
            run.stderr
        );
    }
}

#[test]
fn long_lines_that_fit_are_read() {
    let lake = Lake::new();
    let long = "x".repeat(1_000_000);
    let mut csv = "id,text\n".to_owned();
    let mut json = String::new();
    for id in 0..20 {
        writeln!(csv, "{id},\"{long}\n{long}\"").unwrap();
        writeln!(json, "{{\"id\":{id},\"text\":\"{long}{long}\"}}").unwrap();
    }
    lake.write("long.csv", &csv);
    lake.write("long.json", &json);
    for name in ["long.csv", "long.json"] {
        let sql = format!(
            "SELECT count(*) AS n, sum(id) AS ids, min(length(text)) >= 2000000 AS whole FROM '{name}'"
        );
        let run = run(&lake, "64MB", &sql);
        assert!(run.stdout.contains("20,190,true"), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_whole_text_is_held_once() {
    let lake = Lake::new();
    made(&lake, "fits.txt", "head -c 220000000 /dev/zero");
    made(&lake, "large.txt", "head -c 400000000 /dev/zero");
    let baseline = run(&lake, "256MB", "SELECT 1").peak;
    for (name, answer) in [("fits.txt", Some("220000000")), ("large.txt", None)] {
        let sql = format!("SELECT octet_length(content) AS n FROM read_text('{name}')");
        let run = run(&lake, "256MB", &sql);
        let held = run.peak.saturating_sub(baseline);
        let most = match answer {
            Some(_) => 256 * MIB + BESIDE,
            // Its size is known before anything of it is read.
            None => BESIDE,
        };
        assert!(held < most, "{name}: {} MiB: {}", held / MIB, run.stderr);
        match answer {
            Some(answer) => assert!(run.stdout.contains(answer), "{name}: {}", run.stderr),
            None => assert!(run.stderr.contains("lakesh.memory_limit"), "{}", run.stderr),
        }
    }
}

#[test]
fn files_that_lie_about_their_lengths_take_no_memory() {
    let lake = Lake::new();
    lake.does(
        "COPY (SELECT value AS n, 'x' || value AS s FROM generate_series(1, 100)) TO 'right.arrow'",
    );
    let right = std::fs::read(lake.path().join("right.arrow")).unwrap();
    let noise: Vec<u8> = (0..1000_u32)
        .map(|place| place.wrapping_mul(2_654_435_761).to_be_bytes()[1] | 1)
        .collect();
    let mut footer = right.clone();
    let end = footer.len() - 10;
    footer[end..end + 4].copy_from_slice(&0x7fff_fff0_i32.to_le_bytes());
    lake.write("noise.arrow", &noise);
    lake.write(
        "magic.arrow",
        [b"ARROW1\0\0".to_vec(), noise.clone(), b"ARROW1".to_vec()].concat(),
    );
    lake.write("footer.arrow", footer);
    // A file that cannot be read ends a script: what the process takes is bounded from outside.
    let bounded = |name: &str| {
        let script = format!(
            "ulimit -v 6000000; $LAKESH --memory-limit 64MB --threads 2 --format csv -c \"SELECT count(n) FROM '{name}'\""
        );
        Shell::through_sh(&lake, &script).run()
    };
    assert!(bounded("right.arrow").text().contains("100"));
    for name in ["noise.arrow", "magic.arrow", "footer.arrow"] {
        let stderr = bounded(name).fails(3);
        assert!(
            stderr.contains(&format!("{name}` is damaged: ")),
            "{stderr}"
        );
    }
}
