//! Tests of Parquet tables: partitions, patterns, merged columns, file names, broken files, odd paths.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, DictionaryArray, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field, Int8Type, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Repetition, Type};
use datafusion::parquet::data_type::{Int96, Int96Type};
use datafusion::parquet::file::writer::SerializedFileWriter;
use datafusion::parquet::schema::types::Type as ParquetType;
use lakesh_catalog::definition::TableVersion;

use super::testing::{Bench, definition};

#[tokio::test]
async fn hive_folders_become_typed_columns() {
    let bench = Bench::new();
    for (folder, value) in [
        ("year=2023/day=2023-01-05/k=a%20b", 1),
        ("year=2024/day=2024-02-06/k=__HIVE_DEFAULT_PARTITION__", 2),
    ] {
        let query = format!("SELECT {value} AS x");
        bench
            .parquet(&format!("t/{folder}/f.parquet"), &query)
            .await;
    }
    bench.write("t/_SUCCESS", "");
    bench.write("t/.f.parquet.crc", "x");
    let table = bench.open("parquet", "t", &[]).await.unwrap();
    let rows = bench
        .rows(
            &table,
            "SELECT *, arrow_typeof(year), arrow_typeof(day) FROM t ORDER BY x",
        )
        .await;
    assert_eq!(
        rows,
        [
            "1|2023|2023-01-05|a b|Int64|Date32",
            "2|2024|2024-02-06||Int64|Date32"
        ]
    );
    for (condition, expect) in [
        ("year = 2024", "2"),
        ("k IS NULL", "2"),
        ("k = 'a b' AND x > 0", "1"),
        ("day < DATE '2024-01-01'", "1"),
        ("k IS NOT NULL OR x = 5", "1"),
    ] {
        let query = format!("SELECT x FROM t WHERE {condition}");
        assert_eq!(bench.rows(&table, &query).await, [expect], "{condition}");
    }
    assert_eq!(
        bench
            .rows(&table, "SELECT count(*), count(k), max(year) FROM t")
            .await,
        ["2|1|2024"]
    );
}

#[tokio::test]
async fn globs_choose_files() {
    let bench = Bench::new();
    for (name, value) in [("a1", 1), ("a2", 2), ("b1", 3), ("sub/a1", 4)] {
        bench
            .parquet(&format!("{name}.parquet"), &format!("SELECT {value} AS x"))
            .await;
    }
    bench.write("a1.txt", "no Parquet");
    for (pattern, expect) in [
        ("a*.parquet", vec!["1", "2"]),
        ("**/*.parquet", vec!["1", "2", "3", "4"]),
        ("{a,b}1.parquet", vec!["1", "3"]),
        ("?2.parquet", vec!["2"]),
        (".", vec!["1", "2", "3", "4"]),
        ("s*", vec!["4"]),
    ] {
        let table = bench.open("parquet", pattern, &[]).await.unwrap();
        assert_eq!(
            bench.rows(&table, "SELECT x FROM t ORDER BY x").await,
            expect,
            "{pattern}"
        );
    }
    let several = definition("parquet", &["a1.parquet", "sub", "a*.parquet"], &[]);
    let table = crate::open(&several, TableVersion::Latest, &bench.context())
        .await
        .unwrap();
    assert_eq!(
        bench.rows(&table, "SELECT x FROM t ORDER BY x").await,
        ["1", "2", "4"]
    );
    let error = bench.open("parquet", "z*.parquet", &[]).await.unwrap_err();
    assert!(
        error.to_string().starts_with("no data files at `"),
        "{error}"
    );
}

#[tokio::test]
async fn columns_are_united_by_name_on_request() {
    let bench = Bench::new();
    bench
        .parquet("t/1.parquet", "SELECT 1 AS a, 'x' AS \"B\"")
        .await;
    bench
        .parquet(
            "t/2.parquet",
            "SELECT CAST(2.5 AS DOUBLE) AS c, CAST(7 AS INT) AS a",
        )
        .await;
    let error = bench.open("parquet", "t", &[]).await.unwrap_err();
    assert!(
        error.to_string().contains("2.parquet` does not fit"),
        "{error}"
    );
    assert!(
        error.to_string().ends_with("it has no column `B`"),
        "{error}"
    );
    let table = bench
        .open("parquet", "t", &[("union_by_name", "true")])
        .await
        .unwrap();
    let rows = bench
        .rows(&table, "SELECT a, \"B\", c FROM t ORDER BY a")
        .await;
    assert_eq!(rows, ["1|x|", "7||2.5"]);
    assert_eq!(
        bench.rows(&table, "SELECT a FROM t WHERE c IS NULL").await,
        ["1"]
    );
}

#[tokio::test]
async fn the_filename_is_a_column_like_any_other() {
    let bench = Bench::new();
    for value in [1, 2] {
        bench
            .parquet(
                &format!("p/k={value}/f{value}.parquet"),
                &format!("SELECT {value} AS x, {value} AS k"),
            )
            .await;
    }
    let table = bench
        .open("parquet", "p", &[("filename", "true")])
        .await
        .unwrap();
    let second = bench
        .folder()
        .join("p/k=2/f2.parquet")
        .display()
        .to_string();
    assert_eq!(
        bench
            .rows(
                &table,
                "SELECT filename, x FROM t WHERE filename LIKE '%/f2.parquet'"
            )
            .await,
        [format!("{second}|2")]
    );
    assert_eq!(
        bench
            .rows(
                &table,
                "SELECT x, k FROM t WHERE filename LIKE '%f1%' AND k = 1"
            )
            .await,
        ["1|1"]
    );
    assert_eq!(
        bench
            .rows(&table, "SELECT count(DISTINCT filename) FROM t")
            .await,
        ["2"]
    );
    let plan = bench
        .select(
            &table,
            "EXPLAIN SELECT x FROM t WHERE filename LIKE '%/f2.parquet'",
        )
        .await
        .unwrap();
    assert!(!plan.contains("f1.parquet"), "{plan}");
    let table = bench
        .open("parquet", "p", &[("filename", "Origin")])
        .await
        .unwrap();
    assert_eq!(table.provider.schema().field(2).name(), "Origin");
}

#[tokio::test]
async fn a_broken_file_is_named() {
    let bench = Bench::new();
    let whole = std::fs::read(bench.parquet("t/a.parquet", "SELECT 1 AS x").await).unwrap();
    bench.write("t/cut.parquet", &whole[..whole.len() / 2]);
    let error = bench.open("parquet", "t", &[]).await.unwrap_err();
    assert!(error.to_string().contains("t/cut.parquet`"), "{error}");
    bench.write("t/cut.parquet", "");
    let error = bench.open("parquet", "t", &[]).await.unwrap_err();
    assert!(error.to_string().contains("t/cut.parquet`"), "{error}");
}

#[tokio::test]
async fn paths_may_hold_any_character() {
    let bench = Bench::new();
    for (index, name) in [
        "a b%20é#?.parquet",
        "x=y/z.parquet",
        "100%/[1].parquet",
        "q'\"&.parquet",
    ]
    .into_iter()
    .enumerate()
    {
        bench.parquet(name, &format!("SELECT {index} AS n")).await;
        let table = bench
            .open("parquet", name, &[("filename", "true")])
            .await
            .unwrap();
        let expect = format!("{index}|{}", bench.folder().join(name).display());
        assert_eq!(bench.rows(&table, "SELECT * FROM t").await, [expect]);
    }
    let table = bench.open("parquet", "x=y", &[]).await.unwrap();
    assert_eq!(table.provider.schema().fields().len(), 1);
    let whole = bench
        .open("parquet", "x=y", &[("hive_partitioning", "true")])
        .await
        .unwrap();
    assert_eq!(bench.rows(&whole, "SELECT x FROM t").await, ["y"]);
}

#[tokio::test]
async fn options_reach_the_reader_and_unknown_ones_are_refused() {
    let bench = Bench::new();
    bench.parquet("a.parquet", "SELECT 1 AS x").await;
    let error = bench
        .open("parquet", "a.parquet", &[("pushdown", "true")])
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "`parquet` has no option `pushdown`");
    let error = bench
        .open("parquet", "a.parquet", &[("pruning", "maybe")])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("expected `true` or `false`"),
        "{error}"
    );
    let table = bench
        .open("parquet", "a.parquet", &[("pushdown_filters", "true")])
        .await
        .unwrap();
    assert_eq!(
        bench.rows(&table, "SELECT x FROM t WHERE x = 1").await,
        ["1"]
    );
}

#[tokio::test]
async fn new_and_changed_files_are_seen_at_the_next_open() {
    let bench = Bench::new();
    bench.parquet("t/a.parquet", "SELECT 1 AS x").await;
    let count = "SELECT count(*), sum(x) FROM t";
    let table = bench.open("parquet", "t", &[]).await.unwrap();
    assert_eq!(bench.rows(&table, count).await, ["1|1"]);
    bench.parquet("t/b.parquet", "SELECT 2 AS x").await;
    bench
        .parquet("t/a.parquet", "SELECT * FROM (VALUES (10), (20)) v(x)")
        .await;
    let table = bench.open("parquet", "t", &[]).await.unwrap();
    assert_eq!(bench.rows(&table, count).await, ["3|32"]);
}

#[tokio::test]
async fn categories_of_several_files_are_texts() {
    let bench = Bench::new();
    for file in 0..4 {
        let words = (0..100).map(|word| format!("v{file}_{word}"));
        let words: Vec<String> = words.collect();
        let categories: DictionaryArray<Int8Type> = words.iter().map(String::as_str).collect();
        let rows = RecordBatch::try_from_iter([("c", Arc::new(categories) as ArrayRef)]).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        bench.write(&format!("t/{file}.parquet"), bytes);
    }
    let table = bench.open("parquet", "t", &[]).await.unwrap();
    let query = "SELECT count(*) FROM (SELECT c FROM t GROUP BY c)";
    assert_eq!(bench.rows(&table, query).await, ["400"]);
    let query = "SELECT count(*), max(c) FROM t WHERE c >= 'v3_98'";
    assert_eq!(bench.rows(&table, query).await, ["2|v3_99"]);
}

#[tokio::test]
async fn two_columns_of_one_name_are_refused() {
    let bench = Bench::new();
    let column = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let field = || Field::new("v", DataType::Int64, true);
    let schema = Arc::new(Schema::new(vec![field(), field()]));
    let rows = RecordBatch::try_new(schema, vec![column(), column()]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    bench.write("t.parquet", bytes);
    let refused = bench.open("parquet", "t.parquet", &[]).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("two of its columns are named `v`"),
        "{refused}"
    );
}

/// Writes a file with one column of INT96: days since 4714 BC and nanoseconds of the day.
fn int96(values: &[(u32, u64)]) -> Vec<u8> {
    let column = ParquetType::primitive_type_builder("at", Type::INT96)
        .with_repetition(Repetition::REQUIRED)
        .build()
        .unwrap();
    let root = ParquetType::group_type_builder("root")
        .with_fields(vec![Arc::new(column)])
        .build()
        .unwrap();
    let values: Vec<Int96> = values
        .iter()
        .map(|(day, nanoseconds)| {
            let mut value = Int96::new();
            let low = u32::try_from(nanoseconds & 0xffff_ffff).unwrap();
            let high = u32::try_from(nanoseconds >> 32).unwrap();
            value.set_data(low, high, *day);
            value
        })
        .collect();
    let mut file =
        SerializedFileWriter::new(Vec::new(), Arc::new(root), Default::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<Int96Type>()
        .write_batch(&values, None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[tokio::test]
async fn int96_has_years_that_nanoseconds_do_not_reach() {
    let bench = Bench::new();
    let hour = 3_600_000_000_000;
    // 2440588 is the first of January 1970.
    let file = int96(&[(2_440_588, 3 * hour + 123_456_789), (5_373_484, 3 * hour)]);
    bench.write("t.parquet", file);
    let table = bench.open("parquet", "t.parquet", &[]).await.unwrap();
    let text = "SELECT CAST(at AS VARCHAR) AS said FROM t ORDER BY said";
    assert_eq!(
        bench.rows(&table, text).await,
        ["1970-01-01T03:00:00.123456", "9999-12-31T03:00:00"]
    );
    let late = "SELECT count(*) FROM t \
                WHERE at > arrow_cast('5000-01-01T00:00:00', 'Timestamp(Microsecond, None)')";
    assert_eq!(bench.rows(&table, late).await, ["1"]);
    let options = [("coerce_int96", "ns")];
    let table = bench.open("parquet", "t.parquet", &options).await.unwrap();
    let rows = bench.rows(&table, text).await;
    assert!(
        rows.contains(&"1970-01-01T03:00:00.123456789".to_owned()),
        "{rows:?}"
    );
}
