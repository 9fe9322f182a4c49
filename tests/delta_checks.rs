//! CHECK TABLE and REPAIR TABLE: tables that were damaged in each of the ways that are known.

use std::path::{Path, PathBuf};

use crate::support::{Lake, python};

const FILLED: &str = "create table t (id bigint, name varchar) location 't';
    insert into t values (1, 'a'), (2, 'b');
    insert into t values (3, 'c');
    insert into t values (4, null);";

fn filled() -> Lake {
    let lake = Lake::project();
    lake.does(FILLED);
    lake
}

/// The checks that found something and what they say of it.
fn found(lake: &Lake) -> String {
    lake.rows(
        "select \"check\", verdict, finding, remedy from table_check('t') where verdict <> 'ok'",
    )
}

fn data_files(lake: &Lake) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(lake.path().join("t"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "parquet"))
        .collect();
    files.sort();
    files
}

fn log_file(lake: &Lake, version: u64) -> PathBuf {
    lake.path().join(format!("t/_delta_log/{version:020}.json"))
}

/// Rewrites a commit as text.
fn rewrite(lake: &Lake, version: u64, change: impl Fn(String) -> String) {
    let path = log_file(lake, version);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    std::fs::write(path, changed).unwrap();
}

#[test]
fn a_sound_table_is_found_sound() {
    let lake = filled();
    lake.does(
        "update t set name = 'x' where id = 2; delete from t where id = 3; optimize t;
        restore t to version as of 2; checkpoint t; insert into t values (9, 'i')",
    );
    assert_eq!(found(&lake), "");
    let checks = lake.rows("check table t");
    for check in [
        "log",
        "checkpoints",
        "protocol",
        "doubled rows",
        "paths",
        "files",
        "sizes",
        "footers",
        "statistics",
        "deletion vectors",
        "orphans",
    ] {
        assert!(
            checks.contains(&format!("{check},ok,")),
            "{check}: {checks}"
        );
    }
    assert_eq!(lake.rows("repair table t dry run"), "");
    lake.does("repair table t; check table 't'; fsck repair table t dry run");
    assert_eq!(
        lake.rows("select max(version) from table_history('t')"),
        "8\n"
    );
}

#[test]
fn a_file_that_is_gone_leaves_the_log_when_it_is_repaired() {
    let lake = filled();
    let gone = data_files(&lake).remove(0);
    let rows: u64 = {
        let shown = gone.to_str().unwrap();
        lake.rows(&format!("select count(*) from '{shown}'"))
            .trim()
            .parse()
            .unwrap()
    };
    std::fs::remove_file(&gone).unwrap();
    let name = gone.file_name().unwrap().to_str().unwrap();
    let text = lake.rows("check table t");
    assert!(text.contains("files,error,"), "{text}");
    assert!(
        text.contains(name) && text.contains("REPAIR TABLE t"),
        "{text}"
    );
    let steps = lake.rows("repair table t dry run");
    assert!(steps.contains(name) && steps.contains("is gone"), "{steps}");
    assert_eq!(
        lake.rows("select max(version) from table_history('t')"),
        "3\n"
    );
    lake.does("repair table t");
    assert_eq!(
        lake.rows("select count(*) from t"),
        format!("{}\n", 4 - rows)
    );
    assert_eq!(found(&lake), "");
    assert_eq!(
        lake.rows("select operation from table_history('t') limit 1"),
        "FSCK\n"
    );
}

#[test]
fn a_table_whose_files_are_all_gone_is_not_emptied() {
    let lake = filled();
    for file in data_files(&lake) {
        std::fs::remove_file(file).unwrap();
    }
    for sql in ["repair table t", "repair table t dry run"] {
        let error = lake.refuses(sql);
        assert!(error.contains("would leave an empty table"), "{error}");
    }
}

/// Lets the second of two commits that move the same files land, as writers do that do not look.
fn doubled(lake: &Lake) -> u64 {
    lake.does("optimize t");
    let first = lake.rows("select max(version) from table_history('t')");
    let first: u64 = first.trim().parse().unwrap();
    let entry = std::fs::read_to_string(log_file(lake, first)).unwrap();
    let added = entry.split("\"add\":{\"path\":\"").nth(1).unwrap();
    let name = added.split('"').next().unwrap().to_owned();
    let copy = format!("copy-{name}");
    std::fs::copy(
        lake.path().join("t").join(&name),
        lake.path().join("t").join(&copy),
    )
    .unwrap();
    std::fs::write(log_file(lake, first + 1), entry.replace(&name, &copy)).unwrap();
    first + 1
}

#[test]
fn rows_that_two_optimize_doubled_are_found_and_taken_back() {
    let lake = filled();
    let second = doubled(&lake);
    assert_eq!(lake.rows("select count(*) from t"), "8\n");
    let text = found(&lake);
    assert!(
        text.contains("doubled rows,error,")
            && text.contains(&format!("OPTIMIZE of version {second}"))
            && text.contains(&format!("that version {} had replaced", second - 1))
            && text.contains("4 rows stand in the table twice")
            && text.contains("REPAIR TABLE t"),
        "{text}"
    );
    let steps = lake.rows("repair table t dry run");
    assert!(
        steps.contains(&format!("take back version {second}")),
        "{steps}"
    );
    lake.does("repair table t");
    assert_eq!(lake.rows("select id from t order by id"), "1\n2\n3\n4\n");
    let text = found(&lake);
    assert!(
        !text.contains("error") && text.contains("gone since"),
        "{text}"
    );
}

#[test]
fn rows_that_were_doubled_and_then_written_anew_are_not_touched() {
    let lake = filled();
    let second = doubled(&lake);
    lake.does("update t set name = 'x' where id = 2");
    let text = found(&lake);
    let remedy = format!("RESTORE TABLE t TO VERSION AS OF {}", second - 1);
    assert!(
        text.contains("doubled rows,error,") && text.contains(&remedy),
        "{text}"
    );
    assert_eq!(lake.rows("repair table t dry run"), "");
}

#[test]
fn the_deltalake_package_doubles_rows_and_check_finds_it() {
    let lake = filled();
    let answer = python("double_delta.py", &[&lake.path().join("t")]);
    if answer["rows"] == 4 {
        // The package has learnt to look; then this test has nothing left to find.
        return;
    }
    let text = found(&lake);
    assert!(text.contains("doubled rows,error,"), "{text}");
    lake.does("repair table t");
    assert_eq!(lake.rows("select id from t order by id"), "1\n2\n3\n4\n");
}

#[test]
fn false_counts_sizes_and_bounds_are_found_and_set_right() {
    for (from, to, check, says) in [
        (
            "\\\"numRecords\\\":1",
            "\\\"numRecords\\\":7",
            "statistics",
            "1 rows and 7 by the log",
        ),
        (
            "\\\"id\\\":3",
            "\\\"id\\\":2",
            "statistics",
            "column `id` ends at 3",
        ),
        (
            "\\\"name\\\":\\\"c\\\"",
            "\\\"name\\\":\\\"b\\\"",
            "statistics",
            "column `name` ends at `c`",
        ),
        ("\\\"id\\\":0", "\\\"id\\\":1", "statistics", "0 NULLs"),
        ("\"size\":", "\"size\":1", "sizes", "by the log"),
    ] {
        let lake = filled();
        rewrite(&lake, 2, |text| text.replace(from, to));
        let text = found(&lake);
        assert!(
            text.contains(&format!("{check},error,")) && text.contains(says),
            "{from}: {text}"
        );
        assert!(text.contains("REPAIR TABLE t"), "{from}: {text}");
        lake.does("repair table t");
        assert_eq!(found(&lake), "", "{from}");
        assert_eq!(
            lake.rows("select id from t where id >= 3 order by id"),
            "3\n4\n",
            "{from}"
        );
        assert_eq!(lake.rows("select count(*) from t"), "4\n", "{from}");
    }
}

#[test]
fn statistics_that_are_none_are_named_and_set_right() {
    for (from, to) in [
        ("\"stats\":\"{", "\"stats\":\"{{"),
        ("\\\"numRecords\\\":1", "\\\"numRecords\\\":\\\"one\\\""),
    ] {
        let lake = filled();
        rewrite(&lake, 2, |text| text.replace(from, to));
        assert_eq!(lake.rows("select count(*) from t where id >= 3"), "2\n");
        let text = found(&lake);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("statistics,warning,") && text.contains("REPAIR TABLE t"),
            "{text}"
        );
        let file = lake.rows("select file from table_check('t') where verdict = 'warning'");
        let entry = std::fs::read_to_string(log_file(&lake, 2)).unwrap();
        assert!(entry.contains(file.trim()), "{file}: {entry}");
        lake.does("repair table t");
        assert_eq!(found(&lake), "", "{from}");
        assert_eq!(
            lake.rows("select id from t where id >= 3 order by id"),
            "3\n4\n"
        );
    }
}

#[test]
fn a_file_that_is_another_one_is_left_to_a_person() {
    let lake = filled();
    lake.does(
        "copy (select value as id, 'z' as name from generate_series(1, 50)) to 'other.parquet'",
    );
    let file = data_files(&lake).remove(0);
    std::fs::copy(lake.path().join("other.parquet"), &file).unwrap();
    let text = found(&lake);
    assert!(
        text.contains("sizes,error,") && text.contains("not the file that was written"),
        "{text}"
    );
    std::fs::write(&file, "no Parquet at all").unwrap();
    let text = found(&lake);
    assert!(
        text.contains("footers,error,") && text.contains("RESTORE TABLE t"),
        "{text}"
    );
    assert_eq!(lake.rows("repair table t dry run"), "");
}

#[test]
fn what_else_is_wrong_is_said_with_a_remedy() {
    let lake = filled();
    std::fs::write(lake.path().join("t/orphan.parquet"), "nobody's").unwrap();
    let text = found(&lake);
    assert!(
        text.contains("orphans,note,") && text.contains("VACUUM t"),
        "{text}"
    );
    std::fs::remove_file(lake.path().join("t/orphan.parquet")).unwrap();

    lake.write("t/_delta_log/_last_checkpoint", r#"{"version":2,"size":9}"#);
    let text = found(&lake);
    assert!(
        text.contains("checkpoints,error,") && text.contains("_delta_log/_last_checkpoint"),
        "{text}"
    );
    std::fs::remove_file(lake.path().join("t/_delta_log/_last_checkpoint")).unwrap();
    assert_eq!(found(&lake), "");

    let lake = filled();
    rewrite(&lake, 2, |text| {
        text.replace("\"add\":{\"path\":\"", "\"add\":{\"path\":\"../")
    });
    let text = found(&lake);
    assert!(
        text.contains("paths,error,") && text.contains("lies outside"),
        "{text}"
    );

    let lake = filled();
    std::fs::write(log_file(&lake, 2), "{ no JSON").unwrap();
    let text = found(&lake);
    assert!(
        text.contains("log,error,") && text.contains("no valid JSON"),
        "{text}"
    );
    std::fs::remove_file(log_file(&lake, 2)).unwrap();
    let text = found(&lake);
    assert!(
        text.contains("the commit of version 2 is missing"),
        "{text}"
    );

    let lake = filled();
    lake.does("create view v as select 1 as n");
    for sql in ["check table v", "repair table v", "check table nothing"] {
        lake.refuses(sql);
    }
}

#[test]
fn a_read_only_session_checks_and_does_not_repair() {
    let lake = filled();
    std::fs::remove_file(data_files(&lake).remove(0)).unwrap();
    let before = snapshot(&lake.path());
    let run = lake
        .shell([
            "--readonly",
            "--format",
            "csv",
            "-c",
            "check table t; repair table t dry run",
        ])
        .run();
    run.succeeds();
    let error = lake
        .shell(["--readonly", "-c", "repair table t"])
        .run()
        .fails(1);
    assert!(error.contains("read-only"), "{error}");
    assert_eq!(snapshot(&lake.path()), before);
}

/// Every file below a folder with its size.
fn snapshot(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(snapshot(&path)),
            false => found.push((path.clone(), std::fs::metadata(&path).unwrap().len())),
        }
    }
    found.sort();
    found
}
