//! Tests of CSV tables: dialects, types, headers, compression.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use lakesh_catalog::definition::TableVersion;

use super::testing::{Bench, definition};

#[tokio::test]
async fn dialects_are_guessed_or_given() {
    let bench = Bench::new();
    for (content, options, expect) in [
        ("a,b\n1,x\n2,y\n", vec![], "1|x / 2|y"),
        ("a;b\n1,5;x\n", vec![], "1,5|x"),
        ("a\tb\r\n1\t\"x\ny\"\r\n", vec![], "1|x"),
        ("1,2\n3,4\n", vec![], "1|2 / 3|4"),
        ("1,2\n3,4\n", vec![("header", "true")], "3|4"),
        ("a,b\n'x,y',\n", vec![("quote", "'")], "x,y|"),
        ("a,b\n1,NA\nNA,2\n", vec![("nullstr", "NA")], "1| / |2"),
        ("a,b\n# note\n1,2\n", vec![("comment", "#")], "1|2"),
        ("a,b\n\"x\\\"y\",2\n", vec![("escape", "\\")], "x\"y|2"),
        ("a,b\n1\n2,3\n", vec![("null_padding", "true")], "1| / 2|3"),
        ("a:b\n1:2\n", vec![("sep", ":")], "1|2"),
    ] {
        bench.write("t.csv", content);
        let table = bench.open("csv", "t.csv", &options).await.unwrap();
        let rows = bench.rows(&table, "SELECT * FROM t").await;
        let rows: Vec<String> = rows
            .into_iter()
            .filter(|row| !row.starts_with("|y"))
            .collect();
        assert_eq!(rows.join(" / "), expect, "{content}");
    }
}

#[tokio::test]
async fn types_follow_the_sample_and_null_text() {
    let bench = Bench::new();
    bench.write(
        "t.csv",
        "i,f,d,t,b,s,n\n1,1.5,2024-01-02,2024-01-02 03:04:05.25,true,x,\n-,-,-,-,-,-,-\n",
    );
    let table = bench.open("csv", "t.csv", &[("null", "-")]).await.unwrap();
    let rows = bench.rows(&table, "SELECT * FROM t").await;
    assert_eq!(
        rows,
        ["1|1.5|2024-01-02|2024-01-02T03:04:05.250|true|x|", "||||||"]
    );
    assert_eq!(
        bench.rows(&table, "SELECT i + 1 FROM t WHERE i = 1").await,
        ["2"]
    );
    let text = bench
        .open("csv", "t.csv", &[("all_varchar", "true")])
        .await
        .unwrap();
    assert_eq!(
        bench
            .rows(&text, "SELECT i || f FROM t WHERE i = '1'")
            .await,
        ["11.5"]
    );
}

#[tokio::test]
async fn compressed_and_empty_files_mix() {
    let bench = Bench::new();
    let mut encoder = flate2(b"a,b\n3,z\n");
    bench.write("t/1.csv.gz", std::mem::take(&mut encoder));
    bench.write("t/2.csv", "b,a\nx,1\n");
    bench.write("t/0.csv", "");
    let table = bench
        .open("csv", "t", &[("filename", "true")])
        .await
        .unwrap();
    let rows = bench.rows(&table, "SELECT a, b FROM t ORDER BY a").await;
    assert_eq!(rows, ["1|x", "3|z"]);
    assert_eq!(
        bench
            .rows(&table, "SELECT b FROM t WHERE filename LIKE '%gz'")
            .await,
        ["z"]
    );
    bench.write("only/0.csv", "");
    let empty = bench.open("csv", "only", &[]).await.unwrap();
    assert_eq!(bench.rows(&empty, "SELECT count(*) FROM t").await, ["0"]);
}

fn flate2(content: &[u8]) -> Vec<u8> {
    // A stored (uncompressed) block is valid gzip and needs no compressor.
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let length = u16::try_from(content.len()).unwrap();
    bytes.write_all(&length.to_le_bytes()).unwrap();
    bytes.write_all(&(!length).to_le_bytes()).unwrap();
    bytes.write_all(content).unwrap();
    bytes.write_all(&crc32(content).to_le_bytes()).unwrap();
    bytes.write_all(&u32::from(length).to_le_bytes()).unwrap();
    bytes
}

fn crc32(content: &[u8]) -> u32 {
    !content.iter().fold(!0_u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (0_u32.wrapping_sub(crc & 1)));
        }
        crc
    })
}

#[tokio::test]
async fn union_by_name_keeps_text_that_looks_like_numbers_elsewhere() {
    let bench = Bench::new();
    bench.write("t/1.csv", "id,zip\n1,00700\n");
    bench.write("t/2.csv", "zip,extra\nA7,5\n");
    let error = bench.open("csv", "t", &[]).await.unwrap_err();
    assert!(
        error.to_string().ends_with("it has no column `id`"),
        "{error}"
    );
    let table = bench
        .open("csv", "t", &[("union_by_name", "true")])
        .await
        .unwrap();
    let rows = bench
        .rows(&table, "SELECT id, zip, extra FROM t ORDER BY zip")
        .await;
    assert_eq!(rows, ["1|00700|", "|A7|5"]);
}

#[tokio::test]
async fn declared_columns_are_found_by_header_or_position() {
    let bench = Bench::new();
    let mut definition = definition("csv", &["t.csv"], &[]);
    definition.schema = Some(Arc::new(Schema::new(vec![
        Field::new("b", DataType::Utf8, true),
        Field::new("a", DataType::Int32, true),
    ])));
    for (content, expect) in [
        ("a,x,b\n1,2,3\n", Some("3|1")),
        ("p,q\n1,2\n", Some("1|2")),
        ("p,q,r\n1,2,3\n", None),
    ] {
        bench.write("t.csv", content);
        let opened = crate::open(&definition, TableVersion::Latest, &bench.context()).await;
        match expect {
            Some(expect) => assert_eq!(
                bench.rows(&opened.unwrap(), "SELECT * FROM t").await,
                [expect]
            ),
            None => assert!(
                opened
                    .unwrap_err()
                    .to_string()
                    .contains("`b` is not in its header")
            ),
        }
    }
}
