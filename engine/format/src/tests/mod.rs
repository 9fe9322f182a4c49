//! Tests that all formats share: what each writes for the same results, and how it fails.

mod table;
mod values;

use std::io::{self, Write};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array,
};
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::datatypes::{DataType, IntervalUnit, Schema};
use datafusion::arrow::ipc::reader::FileReader;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use lakesh_text::display::DisplayOptions;

use super::{
    Compression, FormatError, FormatOptions, ResultEnd, by_suffix, find, for_display, formats,
    similar,
};

/// Writes batches of one schema in a format.
fn write_to(
    format: &str,
    options: &FormatOptions,
    batches: &[RecordBatch],
    complete: bool,
    out: &mut dyn Write,
) -> Result<(), FormatError> {
    let mut writer = find(format).unwrap().writer(options);
    writer.start(&batches[0].schema(), out)?;
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        writer.batch(batch, out)?;
    }
    let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    writer.finish(&ResultEnd { rows, complete }, out)
}

fn written(
    format: &str,
    options: &FormatOptions,
    batches: &[RecordBatch],
    complete: bool,
) -> Vec<u8> {
    let mut out = Vec::new();
    write_to(format, options, batches, complete, &mut out).unwrap();
    out
}

fn text(format: &str, options: &FormatOptions, batches: &[RecordBatch]) -> String {
    String::from_utf8(written(format, options, batches, true)).unwrap()
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn integers<const N: usize>(values: [i64; N]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn strings<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Two columns whose text every format has to escape in its own way.
fn hostile() -> RecordBatch {
    batch([
        ("n|<1>", integers([1, -2, 3, 4])),
        (
            "a \"b\"\t",
            strings([
                Some("x,\"y\"\r\nz\\|"),
                None,
                Some(""),
                Some("<script>&'\u{1b}[2J\u{202e} é_b_ *"),
            ]),
        ),
    ])
}

#[test]
fn hostile_text_is_escaped() {
    let cases = [
        (
            "csv",
            concat!(
                "n|<1>,\"a \"\"b\"\"\t\"\n",
                "1,\"x,\"\"y\"\"\r\nz\\|\"\n",
                "-2,\n",
                "3,\"\"\n",
                "4,<script>&'\u{1b}[2J\u{202e} é_b_ *\n"
            ),
        ),
        (
            "tsv",
            concat!(
                "n|<1>\t\"a \"\"b\"\"\t\"\n",
                "1\t\"x,\"\"y\"\"\r\nz\\|\"\n",
                "-2\t\n",
                "3\t\"\"\n",
                "4\t<script>&'\u{1b}[2J\u{202e} é_b_ *\n"
            ),
        ),
        (
            "ndjson",
            concat!(
                r#"{"n|<1>":1,"a \"b\"\t":"x,\"y\"\r\nz\\|"}"#,
                "\n",
                r#"{"n|<1>":-2,"a \"b\"\t":null}"#,
                "\n",
                r#"{"n|<1>":3,"a \"b\"\t":""}"#,
                "\n",
                r#"{"n|<1>":4,"a \"b\"\t":"<script>&'\u001b[2J"#,
                "\u{202e} é_b_ *\"}\n"
            ),
        ),
        (
            "markdown",
            concat!(
                "| n\\|&lt;1&gt; | a \"b\"\\t |\n",
                "| ---: | --- |\n",
                "| 1 | x,\"y\"<br>z\\\\\\| |\n",
                "| -2 | NULL |\n",
                "| 3 |  |\n",
                "| 4 | &lt;script&gt;&amp;'\\u{1b}\\[2J\\u{202e} é_b\\_ \\* |\n"
            ),
        ),
        (
            "vertical",
            concat!(
                "-[ RECORD 1 ]-------------------------\n",
                "n|<1>   | 1\n",
                "a \"b\"\\t | x,\"y\"\\r\\nz\\|\n",
                "-[ RECORD 2 ]-------------------------\n",
                "n|<1>   | -2\n",
                "a \"b\"\\t | NULL\n",
                "-[ RECORD 3 ]-------------------------\n",
                "n|<1>   | 3\n",
                "a \"b\"\\t | \n",
                "-[ RECORD 4 ]-------------------------\n",
                "n|<1>   | 4\n",
                "a \"b\"\\t | <script>&'\\u{1b}[2J\\u{202e} é_b_ *\n",
            ),
        ),
        (
            "table",
            concat!(
                "┌────────┬────────────────────────────────────┐\n",
                "│  n|<1> │ a \"b\"\\t                            │\n",
                "│ bigint │ varchar                            │\n",
                "├────────┼────────────────────────────────────┤\n",
                "│      1 │ x,\"y\"\\r\\nz\\|                       │\n",
                "│     -2 │ NULL                               │\n",
                "│      3 │                                    │\n",
                "│      4 │ <script>&'\\u{1b}[2J\\u{202e} é_b_ * │\n",
                "└────────┴────────────────────────────────────┘\n"
            ),
        ),
        ("none", ""),
    ];
    for (format, expected) in cases {
        let found = text(format, &FormatOptions::default(), &[hostile()]);
        assert_eq!(found, expected, "{format}\n{found}");
    }
}

#[test]
fn html_is_escaped_and_marks_nulls() {
    let html = text("html", &FormatOptions::default(), &[hostile()]);
    for expected in [
        "<th scope=\"col\" class=\"number\" style=\"text-align:right\">n|&lt;1&gt;<br><small class=\"type\">bigint</small></th>",
        "<td class=\"number\" style=\"text-align:right\">-2</td><td class=\"null\">NULL</td></tr>",
        "x,&quot;y&quot;\\r<br>z\\|</td>",
        "&lt;script&gt;&amp;&#39;\\u{1b}[2J\\u{202e} é_b_ *</td></tr>\n</tbody>\n</table>\n",
    ] {
        assert!(html.contains(expected), "{expected}\n{html}");
    }
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn results_without_rows_or_columns_are_whole() {
    let no_rows = batch([("a", integers([])), ("b", strings([]))]);
    let options = RecordBatchOptions::new().with_row_count(Some(2));
    let no_columns =
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let cases = [
        ("csv", "a,b\n", "\n\n\n"),
        ("tsv", "a\tb\n", "\n\n\n"),
        ("json", "[]\n", "[\n{},\n{}\n]\n"),
        ("ndjson", "", "{}\n{}\n"),
        ("markdown", "| a | b |\n| ---: | --- |\n", ""),
        (
            "vertical",
            "",
            "-[ RECORD 1 ]-------------------------\n-[ RECORD 2 ]-------------------------\n",
        ),
        (
            "table",
            concat!(
                "┌────────┬─────────┐\n",
                "│      a │ b       │\n",
                "│ bigint │ varchar │\n",
                "├────────┼─────────┤\n",
                "└────────┴─────────┘\n"
            ),
            "2 rows without columns\n",
        ),
        ("none", "", ""),
    ];
    for (format, empty, without_columns) in cases {
        let options = FormatOptions::default();
        assert_eq!(
            text(format, &options, std::slice::from_ref(&no_rows)),
            empty,
            "{format}"
        );
        assert_eq!(
            text(format, &options, std::slice::from_ref(&no_columns)),
            without_columns,
            "{format}"
        );
    }
}

#[test]
fn the_header_and_the_word_for_null_can_be_set() {
    let rows = [batch([("a", strings([None, Some("-"), Some("")]))])];
    let display = DisplayOptions {
        header: false,
        null_value: Some("-".to_owned()),
        ..Default::default()
    };
    let options = FormatOptions {
        display,
        ..Default::default()
    };
    let cases = [
        ("csv", "-\n\"-\"\n\"\"\n"),
        ("tsv", "-\n\"-\"\n\"\"\n"),
        (
            "table",
            "┌─────────┐\n│ -       │\n│ '-'     │\n│         │\n└─────────┘\n",
        ),
    ];
    for (format, expected) in cases {
        assert_eq!(text(format, &options, &rows), expected, "{format}");
    }
}

#[test]
fn an_incomplete_result_is_no_readable_document() {
    let rows = [batch([("a", integers([1, 2]))])];
    let incomplete = |format| written(format, &FormatOptions::default(), &rows, false);
    assert_eq!(incomplete("json"), b"[\n{\"a\":1},\n{\"a\":2}\n");
    assert!(serde_json::from_slice::<serde_json::Value>(&incomplete("json")).is_err());
    assert!(FileReader::try_new(io::Cursor::new(incomplete("arrow")), None).is_err());
    let parquet = bytes::Bytes::from(incomplete("parquet"));
    assert!(ParquetRecordBatchReaderBuilder::try_new(parquet).is_err());
    for format in ["table", "html"] {
        let text = String::from_utf8(incomplete(format)).unwrap();
        assert!(
            text.contains("incomplete: it stopped after 2 rows"),
            "{text}"
        );
    }
}

/// Takes so many bytes and then fails as a full disk does.
struct FullDisk(usize);

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_surfaces_as_such() {
    for format in formats().iter().filter(|format| format.name != "none") {
        let whole = written(format.name, &FormatOptions::default(), &[hostile()], true).len();
        for room in [0, 1, whole / 2, whole - 1] {
            let error = write_to(
                format.name,
                &FormatOptions::default(),
                &[hostile()],
                true,
                &mut FullDisk(room),
            );
            match error {
                Err(FormatError::Write(error)) => {
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull)
                }
                other => panic!("{} with room for {room}: {other:?}", format.name),
            }
        }
    }
}

#[test]
fn all_but_the_table_stream() {
    let rows = batch([("a", integers([1, 2, 3]))]);
    for format in [
        "csv", "tsv", "json", "ndjson", "markdown", "html", "vertical", "arrow",
    ] {
        let mut writer = find(format).unwrap().writer(&FormatOptions::default());
        let mut out = Vec::new();
        writer.start(&rows.schema(), &mut out).unwrap();
        for _ in 0..3 {
            let before = out.len();
            writer.batch(&rows, &mut out).unwrap();
            assert!(out.len() > before, "{format} holds rows back");
        }
    }
}

#[test]
fn csv_reads_back_as_it_was() {
    let original = batch([
        ("id", integers([1, i64::MIN, i64::MAX, 0])),
        (
            "t",
            strings([Some("plain"), Some(" a,b \"c\"\n\r\n"), Some("é😀"), None]),
        ),
        (
            "f",
            Arc::new(datafusion::arrow::array::Float64Array::from(vec![
                Some(0.1 + 0.2),
                Some(f64::NEG_INFINITY),
                Some(5e-324),
                None,
            ])),
        ),
        (
            "d",
            Arc::new(
                datafusion::arrow::array::Decimal128Array::from(vec![
                    Some(-5),
                    Some(12_345),
                    None,
                    Some(0),
                ])
                .with_precision_and_scale(20, 3)
                .unwrap(),
            ),
        ),
        (
            "at",
            Arc::new(datafusion::arrow::array::TimestampMicrosecondArray::from(
                vec![Some(-1), Some(1_704_164_645_123_000), None, Some(0)],
            )),
        ),
        (
            "day",
            Arc::new(datafusion::arrow::array::Date32Array::from(vec![
                Some(-1),
                Some(19_724),
                None,
                Some(0),
            ])),
        ),
    ]);
    let text = text(
        "csv",
        &FormatOptions::default(),
        std::slice::from_ref(&original),
    );
    let mut reader = ReaderBuilder::new(original.schema())
        .with_header(true)
        .build(io::Cursor::new(text.clone()))
        .unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), original, "{text}");
}

#[test]
fn equal_names_are_numbered_in_json() {
    let rows = batch([
        ("a", integers([1])),
        ("a", integers([2])),
        ("a_1", integers([3])),
        ("a", integers([4])),
    ]);
    let found = text("ndjson", &FormatOptions::default(), &[rows]);
    assert_eq!(found, "{\"a\":1,\"a_2\":2,\"a_1\":3,\"a_3\":4}\n");
}

#[test]
fn parquet_refuses_what_it_cannot_hold() {
    let span = new_null_array(&DataType::Interval(IntervalUnit::MonthDayNano), 1);
    let cases = [
        (
            RecordBatch::new_empty(Arc::new(Schema::empty())),
            "a result without columns",
        ),
        (batch([("span", span)]), "column `span` of type interval"),
    ];
    for (rows, what) in cases {
        let error = write_to(
            "parquet",
            &FormatOptions::default(),
            &[rows],
            true,
            &mut Vec::new(),
        );
        let expected = format!("format `parquet` does not support {what}");
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}

#[test]
fn formats_are_found_by_name_and_suffix() {
    for (name, expected) in [
        ("CSV", Some("csv")),
        ("jsonlines", Some("ndjson")),
        ("md", Some("markdown")),
        ("xls", None),
    ] {
        assert_eq!(find(name).map(|format| format.name), expected, "{name}");
    }
    for (name, expected) in [
        ("cvs", Some("csv")),
        ("Jason", Some("json")),
        ("tabel", Some("table")),
        ("quux", None),
    ] {
        assert_eq!(similar(name), expected, "{name}");
    }
    let cases = [
        ("out.csv", Some(("csv", Compression::None))),
        ("dir.json/out.TSV.gz", Some(("tsv", Compression::Gzip))),
        ("s3://b/out.jsonl.zst", Some(("ndjson", Compression::Zstd))),
        ("out.pq", Some(("parquet", Compression::None))),
        ("out.gz", None),
        ("csv", None),
        ("dir.csv/out", None),
    ];
    for (path, expected) in cases {
        let found = by_suffix(path)
            .unwrap()
            .map(|file| (file.format.name, file.compression));
        assert_eq!(found, expected, "{path}");
    }
    let error = by_suffix("out.parquet.gz").unwrap_err().to_string();
    assert_eq!(
        error,
        "format `parquet` does not support compression of the whole file: name it without `.gz`"
    );
}

#[test]
fn names_and_suffixes_are_unique() {
    let names = || {
        formats()
            .iter()
            .flat_map(|format| std::iter::once(&format.name).chain(format.aliases))
    };
    for name in names() {
        assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
    }
    let suffixes = || formats().iter().flat_map(|format| format.suffixes);
    for suffix in suffixes() {
        assert_eq!(
            suffixes().filter(|other| *other == suffix).count(),
            1,
            "{suffix}"
        );
    }
}

#[test]
fn expanded_display_turns_a_table_only() {
    for (format, expected) in [
        (None, "vertical"),
        (Some("box"), "vertical"),
        (Some("csv"), "csv"),
    ] {
        let display = DisplayOptions {
            format: format.map(str::to_owned),
            expanded: true,
            ..Default::default()
        };
        assert_eq!(for_display(&display).unwrap().name, expected);
    }
}
