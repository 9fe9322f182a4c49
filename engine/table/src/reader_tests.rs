//! Tests of readers: binding arguments and explaining wrong calls.

#![allow(clippy::unwrap_used)]

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::reader::{Argument, read};
use super::testing::Bench;

fn call(path: ScalarValue, named: &[(&str, ScalarValue)]) -> Vec<Argument> {
    let named = named.iter().map(|(name, value)| Argument {
        name: Some(name.to_string()),
        value: value.clone(),
    });
    let path = Argument {
        name: None,
        value: path,
    };
    std::iter::once(path).chain(named).collect()
}

async fn read_rows(
    bench: &Bench,
    name: &str,
    arguments: Vec<Argument>,
    query: &str,
) -> Vec<String> {
    let table = read(name, arguments, &bench.context()).await.unwrap();
    bench.rows(&table, query).await
}

#[tokio::test]
async fn arguments_are_bound_by_name() {
    let bench = Bench::new();
    bench.write("a.csv", "1;x\n2;y\n");
    bench.write("b.csv", "3;z\n");
    let texts = [ScalarValue::from("a.csv"), ScalarValue::from("b.csv")];
    let list = ScalarValue::List(ScalarValue::new_list(&texts, &DataType::Utf8, true));
    let columns = ScalarValue::from("n INT, \"S\" VARCHAR");
    let arguments = call(
        list,
        &[
            ("sep", ";".into()),
            ("header", false.into()),
            ("columns", columns),
        ],
    );
    let rows = read_rows(
        &bench,
        "READ_CSV",
        arguments,
        "SELECT \"S\", n + 1 FROM t ORDER BY n",
    )
    .await;
    assert_eq!(rows, ["x|2", "y|3", "z|4"]);
    let query = bench
        .query("SELECT named_struct('k', 'DECIMAL(9,2)', 'v', 'VARCHAR') AS c")
        .await;
    let columns = ScalarValue::try_from_array(query[0].column(0), 0).unwrap();
    let arguments = call(
        "a.csv".into(),
        &[("columns", columns), ("header", false.into())],
    );
    let table = read("read_csv", arguments, &bench.context()).await.unwrap();
    assert_eq!(
        table.provider.schema().field(0).data_type(),
        &DataType::Decimal128(9, 2)
    );
}

#[tokio::test]
async fn wrong_calls_are_explained() {
    let bench = Bench::new();
    bench.write("a.csv", "x\n1\n");
    let path = || ScalarValue::from("a.csv");
    for (name, arguments, expect) in [
        (
            "read_cvs",
            call(path(), &[]),
            "there is no reader `read_cvs`",
        ),
        ("read_csv", vec![], "`read_csv` needs a path"),
        (
            "read_csv",
            call(1_i64.into(), &[]),
            "`read_csv` takes a path or a list of paths, as text, first",
        ),
        (
            "read_csv",
            call(path(), &[("heder", true.into())]),
            "`read_csv` has no option `heder`",
        ),
        (
            "read_csv",
            call(path(), &[("sep", ";".into()), ("delim", ";".into())]),
            "`read_csv` was given `delimiter` twice",
        ),
        (
            "read_csv",
            call(path(), &[("header", ScalarValue::Null)]),
            "`read_csv` cannot take NULL for `header`",
        ),
        (
            "read_delta",
            call(path(), &[("version", "x".into())]),
            "option `version` of `read_delta` cannot be `x`: expected a version number",
        ),
        (
            "read_parquet",
            call(path(), &[("columns", "a".into())]),
            "`read_parquet` has no option `columns`",
        ),
    ] {
        let error = read(name, arguments, &bench.context()).await.unwrap_err();
        assert_eq!(error.to_string(), expect);
    }
}

#[tokio::test]
async fn globs_list_files_and_may_be_empty() {
    let bench = Bench::new();
    bench.write("d/a.csv", "");
    bench.write("d/e/b.csv", "");
    let count = "SELECT count(*) FROM t";
    for (pattern, expect) in [("d/**/*.csv", "2"), ("d/*.csv", "1"), ("d/*.json", "0")] {
        let rows = read_rows(&bench, "glob", call(pattern.into(), &[]), count).await;
        assert_eq!(rows, [expect], "{pattern}");
    }
}
