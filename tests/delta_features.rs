//! Delta features that Spark writes, in tables built by hand: rows known by construction.

use std::fs;

use crate::support::{Lake, python, python_lines};

#[test]
fn every_feature_that_is_read_gives_the_right_rows() {
    let lake = Lake::new();
    let answer = python("delta_fixtures.py", &[&lake.path()]);
    let mut differences = String::new();
    for name in answer.as_object().unwrap().keys() {
        let sql = format!("select * from '{name}' order by 1");
        let run = lake.shell(["--format", "csv", "-c", &sql]).run();
        let found: String = run
            .text()
            .lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect();
        // NULL comes last in lakesh, first or last in the list: both are sorted as text here.
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let expected = python_lines(&answer, name);
        if !run.status.success() || sorted(&found) != sorted(&expected) {
            differences.push_str(&format!(
                "-- {sql}\nexpected\n{expected}found\n{found}{}\n",
                run.stderr
            ));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn deleted_rows_stay_deleted_under_filters_limits_and_counts() {
    let lake = Lake::new();
    python("delta_fixtures.py", &[&lake.path()]);
    for (sql, expected) in [
        ("select count(*) from 'inline_deletion_vector'", "12\n"),
        (
            "select count(*) from 'inline_deletion_vector' where id <= 3",
            "2\n",
        ),
        (
            "select min(id), max(id) from 'inline_deletion_vector' where id < 10",
            "1,8\n",
        ),
        (
            "select count(*) from (select id from 'inline_deletion_vector' limit 12)",
            "12\n",
        ),
        (
            "select count(*) from 'inline_deletion_vector' version as of 0",
            "15\n",
        ),
        (
            "select \"new name, odd\" from 'column_mapping_name' where id = 1 and part = 'p'",
            "x\n",
        ),
        (
            "select \"new name, odd\" from 'column_mapping_id' where id = 1 and part = 'p'",
            "x\n",
        ),
    ] {
        assert_eq!(lake.rows(sql), expected, "{sql}");
    }
}

#[test]
fn files_with_deletion_vectors_are_scanned_apart() {
    let lake = Lake::new();
    python("delta_fixtures.py", &[&lake.path()]);
    let plan = lake.rows("explain select id from 'inline_deletion_vector' where id > 7");
    assert!(plan.contains("UnionExec"), "{plan}");
    // The file without one keeps its push-down, the one with a vector has none.
    assert_eq!(plan.matches("predicate=id@0 > 7").count(), 1, "{plan}");
    let whole = lake.rows("explain select id from 'inline_deletion_vector' version as of 0");
    assert!(!whole.contains("UnionExec"), "{whole}");
    assert_eq!(
        lake.rows("select id from 'inline_deletion_vector' where id > 7 order by id limit 3"),
        "8\n10\n11\n"
    );
    assert_eq!(
        lake.rows("select 1 from 'inline_deletion_vector' limit 2"),
        "1\n1\n"
    );
    assert_eq!(
        lake.rows(
            "select _change_type, id from table_diff('./inline_deletion_vector', 0, 1) order by id"
        ),
        "delete,0\ndelete,3\ndelete,9\n"
    );
}

#[test]
fn a_damaged_file_with_a_deletion_vector_is_named() {
    let lake = Lake::new();
    python("delta_fixtures.py", &[&lake.path()]);
    let path = lake.path().join("inline_deletion_vector/one.parquet");
    let whole = fs::read(&path).unwrap();
    let mut failed = 0;
    // Of a damaged footer the library says so while it plans the scan, and of which file only it knows.
    let length = whole[whole.len() - 8..].first_chunk().unwrap();
    let pages = whole.len() - 8 - u32::from_le_bytes(*length) as usize;
    for at in (4..pages - 3).step_by(pages / 30) {
        let mut damaged = whole.clone();
        for byte in damaged.iter_mut().skip(at).take(3) {
            *byte = byte.wrapping_mul(31).wrapping_add(0x5b);
        }
        fs::write(&path, damaged).unwrap();
        let sql = "select sum(id) from 'inline_deletion_vector'";
        let run = lake.shell(["--format", "csv", "-c", sql]).run();
        if run.status.success() {
            continue;
        }
        failed += 1;
        let said = &run.stderr;
        assert!(
            said.contains("inline_deletion_vector/one.parquet`"),
            "{at}: {said}"
        );
        for internal in ["panicked", "thread '", "internal error"] {
            assert!(!said.contains(internal), "{at}: {said}");
        }
    }
    assert!(failed > 0, "no damage was found");
}

#[test]
fn columns_that_only_their_numbers_tell_are_refused() {
    let lake = Lake::new();
    python("delta_fixtures.py", &[&lake.path()]);
    for sql in [
        "select * from 'column_mapping_by_number'",
        "select count(*) from 'column_mapping_by_number' version as of 0",
    ] {
        let run = lake.shell(["--format", "csv", "-c", sql]).run();
        let stderr = run.fails(1);
        assert!(stderr.contains("column mapping by id"), "{stderr}");
        assert!(stderr.contains("`anything`"), "{stderr}");
    }
}

#[test]
fn a_table_that_cannot_be_read_says_why() {
    let lake = Lake::new();
    python("delta_fixtures.py", &[&lake.path()]);
    for (name, reason) in [
        ("unsupported_typeWidening", "typeWidening"),
        ("unsupported_inventedFeature", "inventedFeature"),
        ("missing_file", "one.parquet"),
        ("broken_log", "broken_log"),
        ("gap_in_log", "gap_in_log"),
        ("empty_log", "empty_log"),
    ] {
        let sql = format!("select * from '{name}'");
        let run = lake.shell(["--format", "csv", "-c", &sql]).run();
        // A file that is not there is a failure of reading, all else one of the statement.
        let stderr = run.fails(if name == "missing_file" { 3 } else { 1 });
        assert!(stderr.contains(reason), "{name}: {stderr}");
        for internal in ["ParsedLogPath", "<unknown>", "LocationMeta", "Url {"] {
            assert!(!stderr.contains(internal), "{name}: {stderr}");
        }
    }
}
