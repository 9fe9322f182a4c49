//! What the system refuses: files too large, a closed standard output, a process that is killed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Lake, Shell};

/// Runs a script of `sh` in which `$LAKESH` is the binary.
fn sh(lake: &Lake, script: &str) -> crate::support::Run {
    Shell::through_sh(lake, script).run()
}

#[test]
fn a_file_that_may_not_grow_is_status_3_and_leaves_nothing() {
    let lake = Lake::project();
    lake.does("create table t (n bigint, x varchar)");
    let rows =
        "select value as n, repeat(md5(value::varchar), 4) as x from generate_series(1, 300000)";
    for sql in [
        format!("insert into t {rows}"),
        format!("create table u as {rows}"),
        format!("copy ({rows}) to 'out.parquet'"),
        format!("copy ({rows}) to 'out.csv'"),
        format!("copy ({rows}) to 'out.json'"),
    ] {
        let run = sh(&lake, &format!("ulimit -f 2000; $LAKESH -c \"{sql}\""));
        let error = run.fails(3).to_lowercase();
        assert!(error.contains("file too large"), "{sql}: {error}");
    }
    let run = sh(
        &lake,
        &format!("ulimit -f 2000; $LAKESH -o out.csv -c \"{rows}\""),
    );
    assert!(run.fails(3).contains("file too large"));
    assert_eq!(left_behind(&lake.path()), Vec::<PathBuf>::new());
    assert_eq!(lake.rows("select count(*) from t"), "0\n");
}

#[test]
fn a_closed_standard_output_loses_no_result_in_silence() {
    let lake = Lake::project();
    let error = sh(&lake, "$LAKESH -c 'select 1' >&-").fails(3);
    assert!(error.contains("standard output is closed"), "{error}");
    for script in [
        "$LAKESH -c 'create table t as select 1 as n' >&-",
        "$LAKESH -c 'select 1' -o out.csv >&-",
        "$LAKESH -c 'select 1' >/dev/null",
        "$LAKESH -c 'select 1' 1<>/dev/null",
    ] {
        sh(&lake, script).succeeds();
    }
}

/// Temporary names of ours below a folder.
fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(".lakesh-") || name.ends_with(".unfinished") {
            found.push(path);
        } else if path.is_dir() {
            found.extend(left_behind(&path));
        }
    }
    found
}

/// Waits until something is true; the machine may be busy.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_signal_or_a_kill_cuts_off_goes() {
    let rows =
        "select value as n, repeat(md5(value::varchar), 4) as x from generate_series(1, 100000000)";
    for script in [
        format!("exec $LAKESH -c \"copy ({rows}) to 'out.parquet'\""),
        format!("exec $LAKESH -c \"copy ({rows}) to 'out' (format csv)\""),
        format!("exec $LAKESH -o out.csv -c \"{rows}\""),
    ] {
        for signal in ["TERM", "HUP", "KILL"] {
            let lake = Lake::project();
            let running = Shell::through_sh(&lake, &script).start();
            eventually("something is written", || {
                !left_behind(&lake.path()).is_empty()
            });
            running.signal(signal);
            running.wait();
            if signal == "KILL" {
                assert!(!left_behind(&lake.path()).is_empty());
                // A short process may end before its sweep has.
                eventually("a later start sweeps", || {
                    lake.does("select count(*) from generate_series(1, 3000000)");
                    left_behind(&lake.path()).is_empty()
                });
            }
            assert_eq!(
                left_behind(&lake.path()),
                Vec::<PathBuf>::new(),
                "{signal}: {script}"
            );
            let registry = lake.home().join("data/lakesh/unfinished");
            eventually("nothing is written down", || {
                std::fs::read_dir(&registry).map_or(true, |mut entries| entries.next().is_none())
            });
        }
    }
}
