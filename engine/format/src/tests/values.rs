//! What a value of each Arrow type looks like, and that the binary formats give it back.

use std::io::Cursor;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal32Array,
    Decimal128Array, Decimal256Array, DictionaryArray, DurationMillisecondArray,
    FixedSizeBinaryArray, FixedSizeListArray, Float16Array, Float32Array, Float64Array, Int8Array,
    Int32Array, IntervalDayTimeArray, IntervalMonthDayNanoArray, IntervalYearMonthArray,
    LargeListArray, LargeStringArray, ListArray, ListViewArray, MapArray, NullArray, RunArray,
    StringArray, StringViewArray, StructArray, Time32SecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array, UnionArray, new_null_array,
};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{
    DataType, Field, Fields, Float16Type, Int32Type, IntervalDayTime, IntervalMonthDayNano,
    UnionFields, i256,
};
use datafusion::arrow::ipc::reader::FileReader;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{FormatOptions, batch, text, written};

fn scalars() -> Vec<(ArrayRef, &'static str, &'static str)> {
    let half = <Float16Type as datafusion::arrow::array::ArrowPrimitiveType>::Native::from_f32(1.5);
    vec![
        (Arc::new(BooleanArray::from(vec![true])), "true", "true"),
        (Arc::new(Int8Array::from(vec![-128])), "-128", "-128"),
        (
            Arc::new(UInt64Array::from(vec![u64::MAX])),
            "18446744073709551615",
            "18446744073709551615",
        ),
        (Arc::new(Float16Array::from(vec![half])), "1.5", "1.5"),
        (Arc::new(Float32Array::from(vec![0.1])), "0.1", "0.1"),
        (Arc::new(Float64Array::from(vec![1.0])), "1.0", "1.0"),
        (Arc::new(Float64Array::from(vec![-0.0])), "-0.0", "-0.0"),
        (
            Arc::new(Float64Array::from(vec![1e300])),
            "1e+300",
            "1e+300",
        ),
        (
            Arc::new(Float64Array::from(vec![f64::NAN])),
            "NaN",
            "\"NaN\"",
        ),
        (
            Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])),
            "-Infinity",
            "\"-Infinity\"",
        ),
        (
            decimal(Decimal128Array::from(vec![-5]), 10, 3),
            "-0.005",
            "-0.005",
        ),
        (
            decimal(Decimal128Array::from(vec![12_345]), 10, 0),
            "12345",
            "12345",
        ),
        (
            decimal(Decimal128Array::from(vec![12]), 10, -3),
            "12000",
            "12000",
        ),
        (
            decimal(Decimal128Array::from(vec![10_i128.pow(37)]), 38, 37),
            "1.0000000000000000000000000000000000000",
            "1.0000000000000000000000000000000000000",
        ),
        (
            Arc::new(
                Decimal32Array::from(vec![7])
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
            "0.07",
            "0.07",
        ),
        (
            Arc::new(
                Decimal256Array::from(vec![i256::from_i128(-1234)])
                    .with_precision_and_scale(50, 2)
                    .unwrap(),
            ),
            "-12.34",
            "-12.34",
        ),
        (
            Arc::new(StringViewArray::from(vec!["a \"long\" text, in a buffer"])),
            "\"a \"\"long\"\" text, in a buffer\"",
            "\"a \\\"long\\\" text, in a buffer\"",
        ),
        (
            Arc::new(LargeStringArray::from(vec!["\u{0}"])),
            "\u{0}",
            "\"\\u0000\"",
        ),
        (
            Arc::new(BinaryArray::from(vec![b"\x00\xff".as_slice()])),
            "\\x00ff",
            "\"00ff\"",
        ),
        (
            Arc::new(FixedSizeBinaryArray::try_from_iter([[1_u8, 2]].into_iter()).unwrap()),
            "\\x0102",
            "\"0102\"",
        ),
    ]
}

fn decimal(array: Decimal128Array, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
}

fn temporals() -> Vec<(ArrayRef, &'static str, &'static str)> {
    let at = 1_704_164_645_i64; // 2024-01-02 03:04:05 UTC
    let zoned = |zone: &str, seconds| -> ArrayRef {
        Arc::new(TimestampSecondArray::from(vec![seconds]).with_timezone(zone.to_owned()))
    };
    vec![
        (
            Arc::new(Date32Array::from(vec![19_724])),
            "2024-01-02",
            "\"2024-01-02\"",
        ),
        (
            Arc::new(Date32Array::from(vec![-719_529])),
            "-0001-12-31",
            "\"-0001-12-31\"",
        ),
        (
            Arc::new(Date32Array::from(vec![i32::MAX])),
            "+5881580-07-11",
            "\"+5881580-07-11\"",
        ),
        (
            Arc::new(Date64Array::from(vec![19_724 * 86_400_000])),
            "2024-01-02",
            "\"2024-01-02\"",
        ),
        (
            Arc::new(Date64Array::from(vec![at * 1_000])),
            "2024-01-02 03:04:05",
            "\"2024-01-02T03:04:05\"",
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![at])),
            "2024-01-02 03:04:05",
            "\"2024-01-02T03:04:05\"",
        ),
        (
            Arc::new(TimestampMillisecondArray::from(vec![-1])),
            "1969-12-31 23:59:59.999",
            "\"1969-12-31T23:59:59.999\"",
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![at * 1_000_000 + 120])),
            "2024-01-02 03:04:05.000120",
            "\"2024-01-02T03:04:05.000120\"",
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![i64::MIN])),
            "1677-09-21 00:12:43.145224192",
            "\"1677-09-21T00:12:43.145224192\"",
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![i64::MAX])),
            "+292277026596-12-04 15:30:07",
            "\"+292277026596-12-04T15:30:07\"",
        ),
        (
            zoned("+05:30", at),
            "2024-01-02 08:34:05+05:30",
            "\"2024-01-02T08:34:05+05:30\"",
        ),
        (
            zoned("Europe/Vienna", at),
            "2024-01-02 04:04:05+01:00",
            "\"2024-01-02T04:04:05+01:00\"",
        ),
        (
            zoned("Europe/Vienna", at + 182 * 86_400),
            "2024-07-02 05:04:05+02:00",
            "\"2024-07-02T05:04:05+02:00\"",
        ),
        (
            zoned("Nowhere/At_All", at),
            "2024-01-02 03:04:05+00:00",
            "\"2024-01-02T03:04:05+00:00\"",
        ),
        (
            zoned("Europe/Vienna", i64::MAX),
            "+292277026596-12-04 15:30:07+00:00",
            "\"+292277026596-12-04T15:30:07+00:00\"",
        ),
        (
            Arc::new(Time32SecondArray::from(vec![11_045])),
            "03:04:05",
            "\"03:04:05\"",
        ),
        (
            Arc::new(Time64NanosecondArray::from(vec![1])),
            "00:00:00.000000001",
            "\"00:00:00.000000001\"",
        ),
        (
            Arc::new(DurationMillisecondArray::from(vec![-360_000_500])),
            "-100:00:00.500",
            "\"-100:00:00.500\"",
        ),
        (
            Arc::new(IntervalYearMonthArray::from(vec![25])),
            "2 years 1 mon",
            "\"2 years 1 mon\"",
        ),
        (
            Arc::new(IntervalDayTimeArray::from(vec![IntervalDayTime::new(
                -1, 1_500,
            )])),
            "-1 day 1.500 secs",
            "\"-1 day 1.500 secs\"",
        ),
        (
            Arc::new(IntervalMonthDayNanoArray::from(vec![
                IntervalMonthDayNano::new(-14, 3, -1_000),
            ])),
            "-1 year -2 mons 3 days -0.000001 secs",
            "\"-1 year -2 mons 3 days -0.000001 secs\"",
        ),
        (
            Arc::new(IntervalMonthDayNanoArray::from(vec![
                IntervalMonthDayNano::new(0, 0, 0),
            ])),
            "0 secs",
            "\"0 secs\"",
        ),
    ]
}

fn numbers() -> ArrayRef {
    Arc::new(Int32Array::from(vec![Some(1), None]))
}

fn nested() -> Vec<(ArrayRef, &'static str, &'static str)> {
    let item = Arc::new(Field::new_list_field(DataType::Int32, true));
    let offsets = || OffsetBuffer::from_lengths([2]);
    let fields = Fields::from(vec![
        Field::new("a", DataType::Int32, true),
        Field::new("b \"", DataType::Utf8, true),
    ]);
    let object = StructArray::new(
        fields,
        vec![
            Arc::new(Int32Array::from(vec![None])),
            Arc::new(StringArray::from(vec!["x,"])),
        ],
        None,
    );
    let entries = Fields::from(vec![
        Field::new("keys", DataType::Int32, false),
        Field::new("values", DataType::Int32, true),
    ]);
    let entries = StructArray::new(
        entries,
        vec![Arc::new(Int32Array::from(vec![7, 8])), numbers()],
        None,
    );
    let map_field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let members = UnionFields::try_new(
        [3, 5],
        [
            Field::new("i", DataType::Int32, true),
            Field::new("s", DataType::Utf8, true),
        ],
    )
    .unwrap();
    let children: Vec<ArrayRef> = vec![numbers(), Arc::new(StringArray::from(vec!["a,b"]))];
    let union = UnionArray::try_new(
        members,
        ScalarBuffer::from(vec![5_i8]),
        Some(ScalarBuffer::from(vec![0_i32])),
        children,
    )
    .unwrap();
    let words: DictionaryArray<Int32Type> = vec!["y,z"].into_iter().collect();
    let runs =
        RunArray::try_new(&Int32Array::from(vec![1]), &StringArray::from(vec!["run"])).unwrap();
    let lists = ListArray::new(Arc::clone(&item), offsets(), numbers(), None);
    let of_lists = Arc::new(Field::new_list_field(lists.data_type().clone(), true));
    vec![
        (Arc::new(lists.clone()), "\"[1,null]\"", "[1,null]"),
        (
            Arc::new(ListArray::new(
                of_lists,
                OffsetBuffer::from_lengths([1]),
                Arc::new(lists),
                None,
            )),
            "\"[[1,null]]\"",
            "[[1,null]]",
        ),
        (
            Arc::new(LargeListArray::new(
                Arc::clone(&item),
                OffsetBuffer::from_lengths([1]),
                numbers().slice(0, 1),
                None,
            )),
            "[1]",
            "[1]",
        ),
        (
            Arc::new(FixedSizeListArray::new(
                Arc::clone(&item),
                2,
                numbers(),
                None,
            )),
            "\"[1,null]\"",
            "[1,null]",
        ),
        (
            Arc::new(ListViewArray::new(
                item,
                vec![1].into(),
                vec![1].into(),
                numbers(),
                None,
            )),
            "[null]",
            "[null]",
        ),
        (
            Arc::new(object),
            "\"{\"\"a\"\":null,\"\"b \\\"\"\"\":\"\"x,\"\"}\"",
            "{\"a\":null,\"b \\\"\":\"x,\"}",
        ),
        (
            Arc::new(MapArray::new(map_field, offsets(), entries, None, false)),
            "\"{\"\"7\"\":1,\"\"8\"\":null}\"",
            "{\"7\":1,\"8\":null}",
        ),
        (Arc::new(union), "\"a,b\"", "\"a,b\""),
        (Arc::new(words), "\"y,z\"", "\"y,z\""),
        (Arc::new(runs), "run", "\"run\""),
        (Arc::new(NullArray::new(1)), "", "null"),
    ]
}

fn all() -> Vec<(ArrayRef, &'static str, &'static str)> {
    [scalars(), temporals(), nested()].concat()
}

#[test]
fn every_type_has_a_text_form() {
    for (array, csv, json) in all() {
        let data_type = array.data_type().to_string();
        let rows = [batch([("v", array)])];
        let options = FormatOptions::default();
        assert_eq!(
            text("csv", &options, &rows),
            format!("v\n{csv}\n"),
            "{data_type}"
        );
        let object = text("ndjson", &options, &rows);
        assert_eq!(object, format!("{{\"v\":{json}}}\n"), "{data_type}");
        serde_json::from_str::<serde_json::Value>(&object).unwrap();
        for format in ["tsv", "markdown", "html", "vertical", "table"] {
            assert!(
                !text(format, &options, &rows).is_empty(),
                "{format} of {data_type}"
            );
        }
    }
}

#[test]
fn sliced_arrays_and_nulls_of_every_type_keep_their_place() {
    for (array, csv, json) in all() {
        let data_type = array.data_type().clone();
        // Arrow joins no arrays of these types.
        if matches!(data_type, DataType::Union(..) | DataType::RunEndEncoded(..)) {
            continue;
        }
        let nulls = new_null_array(&data_type, 2);
        let joined = concat(&[&nulls, &array, &nulls]).unwrap().slice(1, 2);
        let rows = [batch([
            ("v", joined),
            ("w", Arc::new(Int32Array::from(vec![1, 2]))),
        ])];
        let options = FormatOptions::default();
        assert_eq!(
            text("csv", &options, &rows),
            format!("v,w\n,1\n{csv},2\n"),
            "{data_type}"
        );
        let expected = format!("{{\"v\":null,\"w\":1}}\n{{\"v\":{json},\"w\":2}}\n");
        assert_eq!(text("ndjson", &options, &rows), expected, "{data_type}");
    }
}

/// Reads a file that holds one batch.
fn read_back(format: &str, file: Vec<u8>) -> RecordBatch {
    if format == "arrow" {
        FileReader::try_new(Cursor::new(file), None)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
    } else {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap();
        builder.build().unwrap().next().unwrap().unwrap()
    }
}

#[test]
fn arrow_and_parquet_give_values_back() {
    for (array, ..) in all() {
        let data_type = array.data_type().clone();
        for format in ["arrow", "parquet"] {
            let rows = [batch([("v", Arc::clone(&array))])];
            let mut file = Vec::new();
            match super::write_to(format, &FormatOptions::default(), &rows, true, &mut file) {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(format, "parquet", "{data_type}: {error}");
                    assert!(refused_by_parquet(&data_type), "{data_type}: {error}");
                    assert!(
                        matches!(error, super::FormatError::Unsupported { .. }),
                        "{data_type}: {error}"
                    );
                    continue;
                }
            }
            let found = read_back(format, file).column(0).clone();
            let found = if found.data_type() == &data_type {
                found
            } else {
                cast(&found, &data_type).unwrap()
            };
            assert_eq!(&found, &array, "{format} of {data_type}");
        }
    }
}

fn refused_by_parquet(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) | DataType::Interval(_) => true,
        DataType::Decimal128(_, scale) => *scale < 0,
        _ => false,
    }
}

#[test]
fn a_binary_file_with_dictionaries_that_change_is_readable() {
    let words = |word: &str| -> RecordBatch {
        let words: DictionaryArray<Int32Type> = vec![word].into_iter().collect();
        batch([("v", Arc::new(words))])
    };
    let rows = [words("a"), words("b")];
    for format in ["arrow", "parquet"] {
        let file = written(format, &FormatOptions::default(), &rows, true);
        assert_eq!(read_back(format, file).num_columns(), 1, "{format}");
    }
}

#[test]
fn intervals_read_back_as_they_were() {
    let spans = [
        (25, 0, 0),
        (-14, 3, -1_000),
        (0, -1, 1_500_000_000),
        (1, 1, 3_600_000_000_000),
        (0, 0, 0),
    ];
    let spans = spans
        .map(|(months, days, nanoseconds)| IntervalMonthDayNano::new(months, days, nanoseconds));
    let spans: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(spans.to_vec()));
    let rows = [batch([("v", Arc::clone(&spans))])];
    let text = text("csv", &FormatOptions::default(), &rows);
    let texts: ArrayRef = Arc::new(text.lines().skip(1).map(Some).collect::<StringArray>());
    assert_eq!(&cast(&texts, spans.data_type()).unwrap(), &spans, "{text}");
}
