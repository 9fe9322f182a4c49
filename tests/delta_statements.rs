//! What each statement leaves is read by an independent reader: the same rows, the same promises.

use serde_json::{Value, json};

use crate::support::{Lake, python};

/// A table of three partitions that every case begins with; `{t}` is its name.
const BEGIN: &str = "
    create table {t} (id bigint, n bigint, name varchar, day date)
        using delta partitioned by (day) location 'tables/{t}';
    insert into {t}
        select value, value * 10, case when value % 4 = 0 then null else 'näme ' || value end,
               date '2024-02-28' + cast(value % 3 as int)
        from generate_series(1, 12);";

/// One statement each, by the name of the table that it works on.
const CASES: &[(&str, &str)] = &[
    ("inserted", "insert into {t} (id, day) values (100, '2024-03-05'), (101, null)"),
    ("inserted_by_name", "insert into {t} by name select 'x' as name, 100 as id"),
    ("evolved", "insert with schema evolution into {t} by name select 100 as id, 2.5e0 as more, true as flag"),
    ("overwritten", "insert overwrite {t} values (1, 2, '', '2024-03-05')"),
    ("replaced", "insert into {t} replace where day = '2024-02-28' values (50, 1, 'new', '2024-02-28')"),
    ("updated", "update {t} set n = n + 1, name = upper(name) where id % 2 = 0"),
    ("updated_key", "update {t} set day = '2024-12-31' where id = 3"),
    ("updated_from", "update {t} set n = s.m from (values (1, 7), (2, 8)) as s (k, m) where id = s.k"),
    ("deleted", "delete from {t} where id in (select n / 10 from {t} where n > 60)"),
    ("deleted_partition", "delete from {t} where day = '2024-02-29'"),
    ("emptied", "delete from {t}"),
    (
        "merged",
        "merge into {t} as t using (select value as id, value as n from generate_series(10, 15)) as s on t.id = s.id
         when matched and s.n = 10 then delete
         when matched then update set n = s.n
         when not matched then insert (id, n, name) values (s.id, s.n, 'merged')
         when not matched by source and t.id < 3 then update set name = 'gone'",
    ),
    ("widened", "alter table {t} add columns (note varchar comment 'free', size double); insert into {t} (id, size) values (100, 0.1)"),
    ("packed", "insert into {t} select id + 100, n, name, day from {t}; optimize {t}"),
    ("ordered", "insert into {t} select id + 100, n, name, day from {t}; optimize {t} where day >= '2024-02-29' zorder by (n, id)"),
    ("restored", "delete from {t} where id < 9; update {t} set n = 0; restore table {t} to version as of 1"),
    (
        "vacuumed",
        "update {t} set n = -n; set lakesh.vacuum_retention_check = false; vacuum {t} retain 0 hours; reset lakesh.vacuum_retention_check",
    ),
    ("checkpointed", "update {t} set n = 1 where id = 1; checkpoint {t}; delete from {t} where id = 2"),
    ("constrained", "alter table {t} add constraint positive check (n > 0)"),
    ("freed", "alter table {t} add constraint positive check (n > 0); alter table {t} drop constraint positive; update {t} set n = -1"),
    (
        "configured",
        "alter table {t} set tblproperties ('delta.enableChangeDataFeed' = 'true', owner = 'lab'); update {t} set n = 5 where id = 5",
    ),
    (
        "made",
        "create or replace table {t} (id bigint not null, n bigint comment 'how many', name varchar, day date,
            constraint few check (n between 0 and 100)) using delta partitioned by (day) location 'tables/{t}' comment 'made anew';
         insert into {t} values (1, 100, 'most', '2024-01-01'), (2, 0, 'least', null)",
    ),
    ("selected", "create or replace table {t} using delta location 'tables/{t}' as select id, day, sum(n) as n from {t} group by id, day"),
];

fn of(text: &str, name: &str) -> String {
    text.replace("{t}", name)
}

#[test]
fn the_other_reader_finds_what_each_statement_left() {
    let lake = Lake::project();
    let script: String = CASES
        .iter()
        .map(|(name, sql)| format!("{}\n{};\n", of(BEGIN, name), of(sql, name)))
        .collect();
    lake.write("statements.sql", script);
    lake.shell(["-q", "statements.sql"]).run().succeeds();

    let found = python("read_statements.py", &[&lake.path().join("tables")]);
    for (name, _) in CASES {
        let ours = lake.shell([
            "--format",
            "json",
            "-c",
            &format!(
                "select * from {name} version as of {}",
                found[name]["version"]
            ),
        ]);
        let mut ours: Vec<Value> = serde_json::from_str(&ours.run().succeeds()).unwrap();
        ours.sort_by_key(|row| row["id"].to_string());
        let mut theirs = found[name]["rows"].as_array().unwrap().clone();
        theirs.sort_by_key(|row| row["id"].to_string());
        assert_eq!(json!(ours), json!(theirs), "{name}");
    }
    promises(&found);
}

/// What tables promise besides their rows holds for the other writer too.
#[track_caller]
fn promises(found: &Value) {
    let condition = |name: &str, constraint: &str| {
        found[name]["constraints"][format!("delta.constraints.{constraint}")].clone()
    };
    assert_eq!(condition("constrained", "positive"), "n > 0");
    assert_eq!(found["freed"]["constraints"], json!({}));
    assert!(condition("made", "few").as_str().unwrap().contains("100"));
    for name in ["constrained", "made"] {
        let refusal = found[name]["broken"].as_str().unwrap();
        assert!(refusal.contains("failed validation"), "{name}: {refusal}");
    }
    assert_eq!(found["made"]["required"], json!(["id"]));
    assert_ne!(found["made"]["missing"], "accepted");
    assert_eq!(found["made"]["comment"], "made anew");
    assert_eq!(found["merged"]["partitions"], json!(["day"]));
    assert_eq!(found["emptied"]["rows"], json!([]));
}
