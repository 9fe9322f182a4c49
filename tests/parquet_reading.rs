//! Parquet files that another writer made: layouts, types, damage.

use std::fs;

use serde_json::Value;

use crate::support::{Lake, python, python_lines};

fn files() -> (Lake, Value) {
    let lake = Lake::new();
    let answer = python("write_parquet.py", &[&lake.path()]);
    (lake, answer)
}

#[test]
fn files_of_another_writer_give_its_rows() {
    let (lake, answer) = files();
    for (name, sql) in [
        ("plain", "select id, name from 'plain.parquet' order by id"),
        (
            "hive",
            "select year, city, sum(id) as ids, count(*) as n from 'hive' group by year, city order by year, city nulls last",
        ),
        (
            "hive",
            "select year, city, sum(id) as ids, count(*) as n from read_parquet('hive/**/*.parquet', hive_partitioning => true) group by year, city order by year, city nulls last",
        ),
        (
            "dictionary",
            "select word, count(*) as n from 'dictionary.parquet' group by word order by word nulls last",
        ),
        (
            "union",
            "select a, b, c from read_parquet('union/*.parquet', union_by_name => true) order by a",
        ),
        (
            "nested",
            "select id, list[1] as first, point['x'] as x, array_length(list) as n from 'nested.parquet' order by id",
        ),
        (
            "types",
            "select day, at, at_zone, amount, cast(price as decimal(20, 4)) as price, tiny, big from 'types.parquet' order by big",
        ),
        (
            "groups",
            "select count(*) as n, sum(id) as s, min(id) as low, max(id) as high from 'groups.parquet' where id between 2500 and 7499",
        ),
        ("old", "select id, name from 'old.parquet' order by id"),
        (
            "old_dictionary",
            "select count(*) as n, count(distinct word) as words, sum(id) as s from 'old_dictionary.parquet'",
        ),
    ] {
        assert_eq!(lake.rows(sql), python_lines(&answer, name), "{sql}");
    }
}

#[test]
fn pages_that_claim_not_to_be_compressed_are_refused() {
    let (lake, _) = files();
    let sql = "select count(word) from 'old_second_pages.parquet'";
    let stderr = lake.shell(["-c", sql]).run().fails(3);
    assert!(
        stderr.contains("old_second_pages.parquet") && stderr.contains("parquet-cpp before 3.0"),
        "{stderr}"
    );
}

#[test]
fn the_file_of_each_row_can_be_asked_for() {
    let (lake, _) = files();
    let rows = lake.rows("select distinct filename from read_parquet('union/*.parquet', filename => true, union_by_name => true) order by 1");
    let names: Vec<_> = rows
        .lines()
        .map(|line| line.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["one.parquet", "two.parquet"]);
    let total = lake.rows("select row_groups > 1 or num_row_groups > 1 from (select count(distinct row_group_id) as row_groups, 0 as num_row_groups from parquet_metadata('groups.parquet'))");
    assert_eq!(total, "true\n");
}

#[test]
fn different_columns_without_union_by_name_lose_nothing_silently() {
    let (lake, _) = files();
    let run = lake
        .shell([
            "--format",
            "csv",
            "-c",
            "select count(*) as n, count(b) as b, count(c) as c from 'union/*.parquet'",
        ])
        .run();
    match run.status.code() {
        Some(0) => assert_eq!(run.text(), "n,b,c\n4,2,2\n"),
        _ => assert!(run.fails(1).contains("`"), "{}", run.stderr),
    }
}

#[test]
fn damaged_files_are_named() {
    let (lake, _) = files();
    let whole = fs::read(lake.path().join("plain.parquet")).unwrap();
    lake.write("truncated.parquet", &whole[..whole.len() - 20]);
    lake.write("half.parquet", &whole[..whole.len() / 2]);
    lake.write("empty.parquet", "");
    lake.write("text.parquet", "this is a text and no Parquet file");
    let mut damaged = whole.clone();
    for byte in &mut damaged[4..60] {
        *byte = 0xff;
    }
    lake.write("damaged.parquet", damaged);
    for name in ["truncated", "half", "empty", "text", "damaged"] {
        let file = format!("{name}.parquet");
        for sql in [
            format!("select * from '{file}'"),
            format!("select * from read_parquet('{file}')"),
            format!("create external table t stored as parquet location '{file}'; select * from t"),
        ] {
            // Reading failed: that is status 3.
            let stderr = lake.shell(["-c", &sql]).run().fails(3);
            assert!(
                stderr.contains(&file) || stderr.contains("`t`"),
                "{sql}: {stderr}"
            );
        }
    }
}

#[test]
fn whatever_byte_is_wrong_no_panic_shows() {
    let lake = Lake::new();
    lake.does(
        "copy (select value as a, 'x' || (value % 50) as b, [value, value] as c from generate_series(1, 1000)) to 'whole.parquet'",
    );
    let whole = fs::read(lake.path().join("whole.parquet")).unwrap();
    let mut sql = Vec::new();
    for (number, at) in (4..whole.len()).step_by(whole.len() / 40).enumerate() {
        let mut damaged = whole.clone();
        for byte in damaged.iter_mut().skip(at).take(3) {
            *byte = byte.wrapping_mul(31).wrapping_add(0x5b);
        }
        let name = format!("d{number}.parquet");
        lake.write(&name, damaged);
        sql.push((
            name.clone(),
            format!("select count(a), max(b), count(c) from '{name}'"),
        ));
    }
    for (name, sql) in sql {
        let run = lake.shell(["--format", "csv", "-c", &sql]).run();
        if run.status.success() {
            continue;
        }
        let said = &run.stderr;
        assert!(said.contains(&name), "{sql}: {said}");
        for internal in ["panicked", "thread '", "internal error"] {
            assert!(!said.contains(internal), "{sql}: {said}");
        }
    }
}

#[test]
fn what_is_not_there_is_named() {
    let lake = Lake::new();
    fs::create_dir(lake.path().join("nothing")).unwrap();
    for place in [
        "missing.parquet",
        "missing/*.parquet",
        "nothing",
        "nothing/",
        "nothing/*.parquet",
    ] {
        for sql in [
            format!("select * from '{place}'"),
            format!("select * from read_parquet('{place}')"),
            format!("select * from read_delta('{place}')"),
            format!(
                "create external table t stored as parquet location '{place}'; select * from t"
            ),
        ] {
            let stderr = lake.refuses(&sql);
            assert!(
                stderr.contains(place.trim_end_matches('/')),
                "{sql}: {stderr}"
            );
        }
    }
}

#[test]
fn our_partitions_are_read_by_the_other_reader() {
    let lake = Lake::new();
    lake.does(
        "copy (select value as id, case value % 3 when 0 then 'a b/c' when 1 then 'ü=%' else 'x' end as part from generate_series(1, 100)) \
         to 'ours/' stored as parquet partitioned by (part)",
    );
    let answer = python("read_hive.py", &[&lake.path().join("ours")]);
    assert_eq!(lake.rows("select part, count(*) as n, sum(id) as s from 'ours' group by part order by part nulls last"), python_lines(&answer, "rows"));
    assert_eq!(answer["rows"].as_array().unwrap().len(), 3);
}

#[test]
fn a_null_partition_stays_null() {
    let lake = Lake::new();
    lake.does(
        "copy (select value as id, case when value % 2 = 0 then 'even' end as part from generate_series(1, 10)) \
         to 'ours/' stored as parquet partitioned by (part)",
    );
    let rows = "select part is null as missing, count(*) as n from 'ours' group by 1 order by 1";
    assert_eq!(lake.rows(rows), "false,5\ntrue,5\n");
    let answer = python("read_hive.py", &[&lake.path().join("ours")]);
    assert_eq!(answer["missing"], 5);
}
