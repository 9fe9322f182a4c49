//! Tests of Delta tables: reading, time travel, writing, and changes from outside.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};
use lakesh_catalog::definition::TableVersion;
use lakesh_text::erased::Erased;

use super::testing::{Bench, definition};
use super::{
    OpenTable, SchemaChange, TableContext, TableError, WriteInput, WriteMode, WriteReport,
    WriteRequest, delta_commit_times, delta_table, open, write_delta,
};

impl Bench {
    async fn plan(&self, query: &str) -> LogicalPlan {
        let batches = self.query(query).await;
        let table = MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
        let source = provider_as_source(Arc::new(table));
        LogicalPlanBuilder::scan("v", source, None)
            .unwrap()
            .build()
            .unwrap()
    }

    async fn put(
        &self,
        path: &str,
        mode: WriteMode,
        query: &str,
    ) -> Result<WriteReport, TableError> {
        let request = WriteRequest::new(WriteInput::Query(self.plan(query).await.into()), mode);
        write_delta(&definition("delta", &[path], &[]), request, &self.context()).await
    }

    async fn at(&self, path: &str, version: TableVersion) -> Result<OpenTable, TableError> {
        open(&definition("delta", &[path], &[]), version, &self.context()).await
    }

    async fn all(&self, path: &str, version: TableVersion) -> String {
        let table = self.at(path, version).await.unwrap();
        self.rows(&table, "SELECT * FROM t ORDER BY 1")
            .await
            .join(" ")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_make_versions_that_stay_readable() {
    let bench = Bench::new();
    let path = "a b%é#?{x}[y]|@'";
    let created = bench
        .put(path, WriteMode::Create, "SELECT 1 AS x, 'a' AS k")
        .await
        .unwrap();
    assert_eq!((created.rows, created.files, created.version), (1, 1, 0));
    let query = "SELECT * FROM (VALUES (2, 'b'), (3, 'c')) v(x, k)";
    assert_eq!(
        bench
            .put(path, WriteMode::Append, query)
            .await
            .unwrap()
            .version,
        1
    );
    bench
        .put(path, WriteMode::Overwrite, "SELECT 9 AS x, 'z' AS k")
        .await
        .unwrap();
    let replace = WriteMode::Replace(col("k").eq(lit("z")));
    let report = bench
        .put(path, replace, "SELECT 10 AS x, 'z' AS k")
        .await
        .unwrap();
    assert_eq!((report.rows, report.version), (1, 3));
    for (version, expect) in [
        (TableVersion::Number(0), "1|a"),
        (TableVersion::Number(1), "1|a 2|b 3|c"),
        (TableVersion::Number(2), "9|z"),
        (TableVersion::Latest, "10|z"),
    ] {
        assert_eq!(bench.all(path, version).await, expect);
    }
    let opened = bench.at(path, TableVersion::Latest).await.unwrap();
    assert_eq!((opened.version, opened.format), (Some(3), "delta"));
    assert!(
        opened
            .location
            .as_str()
            .ends_with("/a%20b%25%C3%A9%23%3F%7Bx%7D%5By%5D%7C%40%27/"),
        "{}",
        opened.location
    );
    let error = bench.at(path, TableVersion::Number(4)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("has no version 4; its log holds versions 0 to 3"),
        "{error}"
    );
    let error = bench
        .put(path, WriteMode::Create, "SELECT 1 AS x")
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a Delta table exists already at"),
        "{error}"
    );
    let error = bench
        .put("nowhere", WriteMode::Append, "SELECT 1 AS x")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_find_the_version_that_was_current() {
    let bench = Bench::new();
    for (value, mode) in [
        (0, WriteMode::Create),
        (1, WriteMode::Overwrite),
        (2, WriteMode::Overwrite),
    ] {
        bench
            .put("t", mode, &format!("SELECT {value} AS x"))
            .await
            .unwrap();
    }
    let time = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
    for version in 0..3_u64 {
        let path = bench
            .folder()
            .join(format!("t/_delta_log/{version:020}.json"));
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(time(1000 * (i64::try_from(version).unwrap() + 1)).into())
            .unwrap();
    }
    for (seconds, expect) in [
        (1000, "0"),
        (1999, "0"),
        (2000, "1"),
        (3000, "2"),
        (9999, "2"),
    ] {
        assert_eq!(
            bench.all("t", TableVersion::Timestamp(time(seconds))).await,
            expect
        );
    }
    let error = bench
        .at("t", TableVersion::Timestamp(time(999)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, TableError::TooEarly { first: 0, .. }),
        "{error}"
    );
    let times = delta_commit_times(&definition("delta", &["t"], &[]), &bench.context())
        .await
        .unwrap();
    assert_eq!(times, [(0, time(1000)), (1, time(2000)), (2, time(3000))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_from_outside_are_seen_at_the_next_open() {
    let bench = Bench::new();
    bench
        .put("t", WriteMode::Create, "SELECT 1 AS x")
        .await
        .unwrap();
    assert_eq!(bench.all("t", TableVersion::Latest).await, "1");
    let other = Erased::new(super::TableCache::default());
    let elsewhere = TableContext {
        cache: &other,
        ..bench.context()
    };
    let request = WriteRequest::new(
        WriteInput::Query(bench.plan("SELECT 2 AS x").await.into()),
        WriteMode::Append,
    );
    write_delta(&definition("delta", &["t"], &[]), request, &elsewhere)
        .await
        .unwrap();
    assert_eq!(bench.all("t", TableVersion::Latest).await, "1 2");
    std::fs::remove_dir_all(bench.folder().join("t")).unwrap();
    let error = bench.at("t", TableVersion::Latest).await.unwrap_err();
    assert!(
        error.to_string().contains("is not a Delta table") || error.to_string().contains("no file"),
        "{error}"
    );
    let again = Erased::new(super::TableCache::default());
    let elsewhere = TableContext {
        cache: &again,
        ..bench.context()
    };
    for (mode, query) in [
        (WriteMode::Create, "SELECT 'new' AS y"),
        (WriteMode::Append, "SELECT 'er' AS y"),
    ] {
        let request = WriteRequest::new(WriteInput::Query(bench.plan(query).await.into()), mode);
        write_delta(&definition("delta", &["t"], &[]), request, &elsewhere)
            .await
            .unwrap();
    }
    assert_eq!(bench.all("t", TableVersion::Latest).await, "er new");
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_columns_are_plain_and_prune_files() {
    let bench = Bench::new();
    let query = "SELECT x, 'p/' || (x % 3) AS p, DATE '2024-01-01' + CAST(x AS INT) AS d \
                 FROM generate_series(1, 6) s(x) UNION ALL SELECT 7, NULL, NULL";
    let mut request = WriteRequest::new(
        WriteInput::Query(bench.plan(query).await.into()),
        WriteMode::Create,
    );
    request.partition_columns = vec!["p".into(), "d".into()];
    let report = write_delta(&definition("delta", &["t"], &[]), request, &bench.context())
        .await
        .unwrap();
    assert_eq!((report.rows, report.files), (7, 7));
    let table = bench.at("t", TableVersion::Latest).await.unwrap();
    let types = "SELECT DISTINCT arrow_typeof(p), arrow_typeof(d) FROM t";
    assert_eq!(bench.rows(&table, types).await, ["Utf8View|Date32"]);
    for (condition, expect) in [
        ("p = 'p/1'", "1 4"),
        ("p IS NULL", "7"),
        ("d > DATE '2024-01-06' OR p = 'p/0'", "3 6"),
        ("p IN ('p/1', 'p/2') AND x > 2", "4 5"),
    ] {
        let query = format!("SELECT x FROM t WHERE {condition} ORDER BY x");
        assert_eq!(
            bench.rows(&table, &query).await.join(" "),
            expect,
            "{condition}"
        );
    }
    let joined = "SELECT count(*) FROM t a JOIN (VALUES ('p/1'), ('p/2')) v(p) ON a.p = v.p";
    assert_eq!(bench.rows(&table, joined).await, ["4"]);
    let grouped = "SELECT p, count(*) FROM t GROUP BY p ORDER BY p NULLS LAST";
    assert_eq!(
        bench.rows(&table, grouped).await,
        ["p/0|2", "p/1|2", "p/2|2", "|1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_keep_versions_readable_after_the_log_was_cleaned() {
    let bench = Bench::new();
    bench
        .put("t", WriteMode::Create, "SELECT 0 AS x")
        .await
        .unwrap();
    for value in 1..4 {
        bench
            .put("t", WriteMode::Append, &format!("SELECT {value} AS x"))
            .await
            .unwrap();
    }
    let at_two = delta_table(
        &definition("delta", &["t"], &[]),
        TableVersion::Number(2),
        &bench.context(),
    )
    .await
    .unwrap();
    deltalake::checkpoints::create_checkpoint(&at_two, None)
        .await
        .unwrap();
    for version in 0..2 {
        std::fs::remove_file(
            bench
                .folder()
                .join(format!("t/_delta_log/{version:020}.json")),
        )
        .unwrap();
    }
    let fresh = Erased::new(super::TableCache::default());
    let context = TableContext {
        cache: &fresh,
        ..bench.context()
    };
    let definition = definition("delta", &["t"], &[]);
    for (version, expect) in [(TableVersion::Latest, "6"), (TableVersion::Number(2), "3")] {
        let table = open(&definition, version, &context).await.unwrap();
        assert_eq!(bench.rows(&table, "SELECT sum(x) FROM t").await, [expect]);
    }
    let error = open(&definition, TableVersion::Number(1), &context)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("has no version 1; its log holds versions 2 to 3"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn created_tables_keep_types_constraints_and_properties() {
    let bench = Bench::new();
    let columns = Arc::new(Schema::new(vec![
        Field::new("d", DataType::Decimal128(20, 3), true),
        Field::new("t", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new(
            "l",
            DataType::List(Arc::new(Field::new("element", DataType::Int64, true))),
            true,
        ),
        Field::new(
            "s",
            DataType::Struct(vec![Field::new("k", DataType::Utf8, true)].into()),
            true,
        ),
        Field::new("n", DataType::Int32, false),
    ]));
    let empty = MemTable::try_new(columns, vec![Vec::new()]).unwrap();
    let plan = LogicalPlanBuilder::scan("v", provider_as_source(Arc::new(empty)), None)
        .unwrap()
        .build()
        .unwrap();
    let input = WriteInput::Query(plan.into());
    let mut request = WriteRequest::new(input, WriteMode::Create);
    request.comment = Some("all sorts".into());
    request.properties = BTreeMap::from([("delta.appendOnly".to_string(), "true".to_string())]);
    let wanted = definition("delta", &["t"], &[]);
    let created = write_delta(&wanted, request, &bench.context()).await;
    let table = created.unwrap().table;
    assert_eq!(
        table.snapshot().unwrap().metadata().description(),
        Some("all sorts")
    );
    let query = "SELECT CAST(1.5 AS DECIMAL(20,3)) AS d, TIMESTAMP '2024-01-02 03:04:05' AS t, \
                 [CAST(1 AS BIGINT), 2] AS l, named_struct('k', 'v') AS s, CAST(1 AS INT) AS n";
    bench.put("t", WriteMode::Append, query).await.unwrap();
    assert_eq!(
        bench.all("t", TableVersion::Latest).await,
        "1.500|2024-01-02T03:04:05|[1, 2]|{k: v}|1"
    );
    let error = bench
        .put("t", WriteMode::Overwrite, query)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("append"), "{error}");
    let null = query.replace("CAST(1 AS INT)", "CAST(NULL AS INT)");
    assert!(bench.put("t", WriteMode::Append, &null).await.is_err());
    let constrained = table
        .add_constraint()
        .with_constraint("small", "n < 10")
        .await
        .unwrap();
    assert_eq!(constrained.version(), Some(1).max(constrained.version()));
    let big = query.replace("CAST(1 AS INT)", "CAST(11 AS INT)");
    let error = bench.put("t", WriteMode::Append, &big).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("t`: Invalid data found: 1 rows failed validation check"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_added_on_request_only() {
    let bench = Bench::new();
    bench
        .put("t", WriteMode::Create, "SELECT 1 AS x")
        .await
        .unwrap();
    let wider = "SELECT 2 AS x, 'n' AS y";
    assert!(bench.put("t", WriteMode::Append, wider).await.is_err());
    let mut request = WriteRequest::new(
        WriteInput::Query(bench.plan(wider).await.into()),
        WriteMode::Append,
    );
    request.schema_change = SchemaChange::Merge;
    write_delta(&definition("delta", &["t"], &[]), request, &bench.context())
        .await
        .unwrap();
    assert_eq!(bench.all("t", TableVersion::Latest).await, "1| 2|n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_cannot_be_read_is_named() {
    let bench = Bench::new();
    bench
        .put("t", WriteMode::Create, "SELECT 1 AS x")
        .await
        .unwrap();
    let path = bench
        .folder()
        .join("t/_delta_log/00000000000000000000.json");
    let log = std::fs::read_to_string(&path).unwrap();
    let protocol = "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\
                    \"readerFeatures\":[\"typeWidening\"],\"writerFeatures\":[\"typeWidening\"]}}";
    let changed: Vec<&str> = log
        .lines()
        .map(|line| {
            if line.contains("\"protocol\"") {
                protocol
            } else {
                line
            }
        })
        .collect();
    std::fs::write(&path, changed.join("\n")).unwrap();
    let error = bench.at("t", TableVersion::Latest).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("uses the Delta table feature `typeWidening`"),
        "{error}"
    );
}

#[tokio::test]
async fn only_delta_has_versions() {
    let bench = Bench::new();
    bench.write("a.csv", "x\n1\n");
    let csv = definition("csv", &["a.csv"], &[]);
    for version in [
        TableVersion::Number(0),
        TableVersion::Timestamp(DateTime::UNIX_EPOCH),
    ] {
        let error = open(&csv, version, &bench.context()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "a table of format `csv` has no versions, only Delta tables do"
        );
    }
}

/// Writes a log of one commit over one Parquet file.
async fn foreign_table(bench: &Bench, query: &str, protocol: &str, metadata: &str, vector: &str) {
    let size = std::fs::metadata(bench.parquet("t/f.parquet", query).await)
        .unwrap()
        .len();
    let log = format!(
        "{{\"protocol\":{protocol}}}\n{{\"metaData\":{{\"id\":\"i\",\"format\":{{\"provider\":\"parquet\",\
         \"options\":{{}}}},\"partitionColumns\":[],{metadata}}}}}\n{{\"add\":{{\"path\":\"f.parquet\",\
         \"partitionValues\":{{}},\"size\":{size},\"modificationTime\":0,\"dataChange\":true{vector}}}}}"
    );
    bench.write("t/_delta_log/00000000000000000000.json", log);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_vectors_hide_rows() {
    let bench = Bench::new();
    let features = "[\"deletionVectors\"]";
    let protocol = format!(
        "{{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":{features},\"writerFeatures\":{features}}}"
    );
    let column = r#"{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}"#;
    let metadata = format!(
        r#""schemaString":"{{\"type\":\"struct\",\"fields\":[{column}]}}","configuration":{{"delta.enableDeletionVectors":"true"}}"#
    );
    // A 64-bit roaring bitmap of the rows 3, 4, 7, 11, 18 and 29 in Z85.
    let vector = r#","deletionVector":{"storageType":"i","pathOrInlineDv":"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":44,"cardinality":6}"#;
    let query = "SELECT value AS x FROM generate_series(0, 29)";
    foreign_table(&bench, query, &protocol, &metadata, vector).await;
    let table = bench.at("t", TableVersion::Latest).await.unwrap();
    let count = "SELECT count(*), sum(x), max(x) FROM t";
    assert_eq!(bench.rows(&table, count).await, ["24|363|28"]);
    assert_eq!(
        bench
            .rows(&table, "SELECT x FROM t WHERE x IN (3, 5, 29)")
            .await,
        ["5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mapped_columns_have_their_logical_names() {
    let bench = Bench::new();
    let protocol = r#"{"minReaderVersion":2,"minWriterVersion":5}"#;
    let column = |name: &str, id: usize| {
        format!(
            r#"{{\"name\":\"{name}\",\"type\":\"long\",\"nullable\":true,\"metadata\":{{\"delta.columnMapping.id\":{id},\"delta.columnMapping.physicalName\":\"col-{id}\"}}}}"#
        )
    };
    let metadata = format!(
        r#""schemaString":"{{\"type\":\"struct\",\"fields\":[{},{}]}}","configuration":{{"delta.columnMapping.mode":"name","delta.columnMapping.maxColumnId":"2"}}"#,
        column("First Name", 1),
        column("b", 2),
    );
    let query = r#"SELECT CAST(2 AS BIGINT) AS "col-2", CAST(1 AS BIGINT) AS "col-1""#;
    foreign_table(&bench, query, protocol, &metadata, "").await;
    let table = bench.at("t", TableVersion::Latest).await.unwrap();
    let query = r#"SELECT b, "First Name" FROM t WHERE "First Name" = 1"#;
    assert_eq!(bench.rows(&table, query).await, ["2|1"]);
}
