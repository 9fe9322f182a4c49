//! The examples of readers and table functions run, and give the rows that they are to give.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lakesh_engine::session::Session;

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// What the examples name.
const SETUP: &[&str] = &[
    "copy (select 1 as id, 2.5 as fare) to 'trips/a.parquet'",
    "copy (select 2 as id, 3.5 as fare) to 'trips/b.parquet'",
    "copy (select 1 as id, 2.5 as fare) to 'trips.parquet'",
    "copy (select 1 as n) to 'batch.arrow'",
    "create table trips (id bigint, fare double) tblproperties ('delta.enableChangeDataFeed' = 'true')",
    "insert into trips values (1, 2.5)",
    "insert into trips values (2, 3.5)",
    "insert into trips values (3, 4.5)",
    "delete from trips where id = 1",
    "update trips set fare = 5 where id = 2",
    "copy (select 0 as n) to 'lake/sales' stored as delta",
    "insert into 'lake/sales' values (1)",
    "insert into 'lake/sales' values (2)",
    "insert into 'lake/sales' values (3)",
    "insert into 'lake/sales' values (4)",
    "insert into 'lake/sales' values (5)",
    "insert into 'lake/sales' values (6)",
    "create table train as select * from (values ('a', 1, 1), ('a', 0, 1), ('b', 1, 2), ('b', 1, 1), \
     ('b', 0, 1)) as t(city, y, w)",
    "create table test as select * from (values ('a'), ('c')) as t(city)",
    "create table today as select * from (values ('c', 1, 1), ('c', 0, 1), ('b', 1, 2)) as t(city, y, w)",
    "create table scores as select * from (values (1, 0, 2), (1, 0, 3), (2, 1, 4)) as t(bin, y, w)",
    "create encoder te as select target_encoder(city, y) as city_te from train",
];

/// The rows of each example, in any order.
const ANSWERS: &[(&str, &[&str])] = &[
    ("compress", &["1 0 2 5", "2 1 1 4"]),
    ("drift", &["city 9.342569916769659"]),
    ("encoder_outputs", &["city_te 0.6"]),
    (
        "encoder_values",
        &["a 0.5342465753424658", "b 0.6509433962264151"],
    ),
    (
        "feature_profile",
        &["city 0.0 NULL", "y 0.0 -0.9682458365518541"],
    ),
    ("glob", &["LAKE/zones.csv"]),
    ("parquet_metadata", &["fare ZSTD", "id ZSTD"]),
    (
        "parquet_schema",
        &["arrow_schema NULL", "fare INT32", "id INT64"],
    ),
    ("read_arrow", &["1"]),
    ("read_avro", &["7", "8"]),
    ("read_csv", &["1 north", "2 south"]),
    ("read_delta", &["0", "1", "2", "3", "4", "5"]),
    ("read_json", &["1 a", "2 b"]),
    (
        "read_parquet",
        &["1 2.5 LAKE/trips/a.parquet", "2 3.5 LAKE/trips/b.parquet"],
    ),
    ("read_text", &["LAKE/notes/a.md 6", "LAKE/notes/b.md 4"]),
    // Of the system's own tables: how many there are is no matter of this test.
    (
        "summarize",
        &[
            "table_catalog VARCHAR lakesh lakesh 1 NULL NULL NULL NULL NULL MANY 0.0",
            "table_name VARCHAR cache views MANY NULL NULL NULL NULL NULL MANY 0.0",
            "table_schema VARCHAR information_schema system 3 NULL NULL NULL NULL NULL MANY 0.0",
            "table_type VARCHAR BASE TABLE SYSTEM VIEW 2 NULL NULL NULL NULL NULL MANY 0.0",
        ],
    ),
    (
        "table_changes",
        &[
            "1 2.5 delete 4 MOMENT",
            "2 3.5 update_preimage 5 MOMENT",
            "2 5.0 update_postimage 5 MOMENT",
            "3 4.5 insert 3 MOMENT",
        ],
    ),
    ("table_check", &[]),
    (
        "table_columns",
        &["table_catalog", "table_name", "table_schema", "table_type"],
    ),
    ("table_detail", &["2"]),
    (
        "table_diff",
        &[
            "delete 1 2.5",
            "update_postimage 2 5.0",
            "update_preimage 2 3.5",
        ],
    ),
    (
        "table_diff_summary",
        &[
            "files_added 1",
            "files_removed 2",
            "files_unchanged 1",
            "rows_deleted 2",
            "rows_inserted 1",
            "rows_updated 0",
        ],
    ),
    (
        "table_history",
        &[
            "0 WRITE", "1 WRITE", "2 WRITE", "3 WRITE", "4 DELETE", "5 UPDATE",
        ],
    ),
    ("transform", &["a 0.5342465753424658", "c NULL"]),
    (
        "woe_table",
        &[
            "a 0.4054651081081644 0.0675775180180274",
            "b -0.2876820724517809 0.04794701207529681",
        ],
    ),
];

/// An Avro file with the numbers 7 and 8 in the column `n`, as the specification lays it out.
fn avro() -> Vec<u8> {
    // A length or a number that is small takes one byte: twice its value.
    let small = |number: usize| u8::try_from(2 * number).unwrap();
    let schema =
        br#"{"type":"record","name":"r","fields":[{"name":"n","type":"long"}]}"#.as_slice();
    let sync = b"0123456789abcdef".as_slice();
    let mut bytes = b"Obj\x01".to_vec();
    bytes.extend([small(1), small("avro.schema".len())]);
    bytes.extend(b"avro.schema");
    // 66 does not fit into one byte of seven bits.
    assert_eq!(schema.len(), 66);
    bytes.extend([0x84, 0x01]);
    bytes.extend(schema);
    bytes.push(0);
    bytes.extend(sync);
    bytes.extend([small(2), small(2), small(7), small(8)]);
    bytes.extend(sync);
    bytes
}

async fn lake() -> (Lake, Arc<Session>) {
    let lake = Lake::project();
    lake.write("zones.csv", "id;zone\n1;north\n2;south\n");
    lake.write(
        "events.jsonl",
        "{\"at\": 1, \"what\": \"a\"}\n{\"at\": 2, \"what\": \"b\"}\n",
    );
    lake.write("notes/a.md", "# one\n");
    lake.write("notes/b.md", "two\n");
    lake.write("log.avro", avro());
    let session = session_in(&lake);
    for sql in SETUP {
        run(&session, sql)
            .await
            .unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    }
    (lake, session)
}

/// A row as one text, with what differs from run to run replaced.
fn shown(row: &[String], lake: &str, function: &str) -> String {
    let cells = row.iter().enumerate().map(|(place, cell)| {
        let is_moment = cell.len() > 18 && cell.as_bytes()[4] == b'-' && cell.contains(':');
        let counts = function == "summarize" && (place == 10 || (place == 4 && cell.len() > 1));
        if is_moment {
            "MOMENT".to_owned()
        } else if counts {
            "MANY".to_owned()
        } else {
            cell.replace(lake, "LAKE")
        }
    });
    cells.collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_in_from_give_their_rows() {
    let (lake, session) = lake().await;
    let list = "select name, example from system.functions \
                where kind = 'table' and example is not null";
    let examples = run(&session, list).await.unwrap().rows;
    let examples: BTreeMap<&str, &str> = examples
        .iter()
        .map(|row| (row[0].as_str(), row[1].as_str()))
        .collect();
    let listed: BTreeSet<&str> = ANSWERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(examples.keys().copied().collect::<BTreeSet<_>>(), listed);
    let folder = lake.path().display().to_string();
    let mut wrong = Vec::new();
    for (name, expected) in ANSWERS {
        let example = examples[name];
        match run(&session, example).await {
            Ok(answer) => {
                let rows = answer.rows.iter();
                let mut rows: Vec<String> = rows.map(|row| shown(row, &folder, name)).collect();
                rows.sort();
                if rows != *expected {
                    wrong.push(format!("{name}: {example}\n{rows:#?}"));
                }
            }
            Err(failure) => wrong.push(format!("{name}: {example}: {failure}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
