//! Arrow's types in SQL's words, for people.
//!
//! It does not read types; the names are those that the SQL parser knows, where it knows any.

use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use crate::keyword::quoted_name;

/// Returns the SQL name of a type: `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `STRUCT<a INTEGER>`.
///
/// A dictionary is named by its values' type, because SQL does not see the encoding. Timestamps of
/// microseconds are plain `TIMESTAMP`; others carry their digits, of which seconds have none. A time
/// zone other than UTC is named.
pub fn sql_type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(unit, zone) => timestamp_name(*unit, zone.as_deref()),
        DataType::Interval(unit) => interval_name(*unit).to_owned(),
        DataType::FixedSizeBinary(length) => format!("BINARY({length})"),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::List(item)
        | DataType::ListView(item)
        | DataType::LargeList(item)
        | DataType::LargeListView(item) => format!("ARRAY<{}>", sql_type_name(item.data_type())),
        DataType::FixedSizeList(item, length) => {
            format!("ARRAY<{}, {length}>", sql_type_name(item.data_type()))
        }
        DataType::Struct(fields) => format!("STRUCT<{}>", field_list(fields.iter())),
        DataType::Union(fields, _) => {
            format!(
                "UNION<{}>",
                field_list(fields.iter().map(|(_, field)| field))
            )
        }
        DataType::Map(entries, _) => map_name(entries.data_type()),
        DataType::Dictionary(_, values) => sql_type_name(values),
        DataType::RunEndEncoded(_, values) => sql_type_name(values.data_type()),
        plain => plain_name(plain).to_owned(),
    }
}

fn plain_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "TINYINT UNSIGNED",
        DataType::UInt16 => "SMALLINT UNSIGNED",
        DataType::UInt32 => "INTEGER UNSIGNED",
        DataType::UInt64 => "BIGINT UNSIGNED",
        DataType::Float16 => "FLOAT16",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Time32(_) | DataType::Time64(_) => "TIME",
        DataType::Duration(_) => "DURATION",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BINARY",
        _ => "NULL",
    }
}

fn timestamp_name(unit: TimeUnit, zone: Option<&str>) -> String {
    let digits = match unit {
        TimeUnit::Second => "(0)",
        TimeUnit::Millisecond => "(3)",
        TimeUnit::Microsecond => "",
        TimeUnit::Nanosecond => "(9)",
    };
    match zone {
        None => format!("TIMESTAMP{digits}"),
        Some("UTC" | "+00:00" | "Z") => format!("TIMESTAMP{digits} WITH TIME ZONE"),
        Some(zone) => format!("TIMESTAMP{digits} WITH TIME ZONE '{zone}'"),
    }
}

fn interval_name(unit: IntervalUnit) -> &'static str {
    match unit {
        IntervalUnit::YearMonth => "INTERVAL YEAR TO MONTH",
        IntervalUnit::DayTime => "INTERVAL DAY TO SECOND",
        IntervalUnit::MonthDayNano => "INTERVAL",
    }
}

fn field_list<'a>(fields: impl Iterator<Item = &'a std::sync::Arc<Field>>) -> String {
    let fields: Vec<String> = fields
        .map(|field| {
            let data_type = sql_type_name(field.data_type());
            format!("{} {data_type}", quoted_name(field.name()))
        })
        .collect();
    fields.join(", ")
}

fn map_name(entries: &DataType) -> String {
    match entries {
        DataType::Struct(fields) if fields.len() == 2 => format!(
            "MAP<{}, {}>",
            sql_type_name(fields[0].data_type()),
            sql_type_name(fields[1].data_type())
        ),
        other => format!("MAP<{}>", sql_type_name(other)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

    use super::sql_type_name;

    #[test]
    fn types_have_sql_names() {
        let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
        let text_list = DataType::List(field("item", DataType::Utf8View));
        let entries = DataType::Struct(Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", text_list.clone(), true),
        ]));
        for (data_type, name) in [
            (DataType::Int64, "BIGINT"),
            (DataType::UInt8, "TINYINT UNSIGNED"),
            (DataType::Float32, "FLOAT"),
            (DataType::LargeUtf8, "VARCHAR"),
            (DataType::Null, "NULL"),
            (DataType::Decimal128(10, 2), "DECIMAL(10, 2)"),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "TIMESTAMP",
            ),
            (
                DataType::Timestamp(TimeUnit::Nanosecond, None),
                "TIMESTAMP(9)",
            ),
            (
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                "TIMESTAMP WITH TIME ZONE",
            ),
            (
                DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into())),
                "TIMESTAMP(0) WITH TIME ZONE 'Europe/Berlin'",
            ),
            (DataType::Interval(IntervalUnit::MonthDayNano), "INTERVAL"),
            (text_list, "ARRAY<VARCHAR>"),
            (
                DataType::FixedSizeList(field("item", DataType::Float64), 3),
                "ARRAY<DOUBLE, 3>",
            ),
            (
                DataType::Struct(Fields::from(vec![
                    Field::new("a", DataType::Int32, true),
                    Field::new("B c", DataType::Date32, true),
                ])),
                "STRUCT<a INTEGER, \"B c\" DATE>",
            ),
            (
                DataType::Map(field("entries", entries), false),
                "MAP<VARCHAR, ARRAY<VARCHAR>>",
            ),
            (
                DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8)),
                "VARCHAR",
            ),
        ] {
            assert_eq!(sql_type_name(&data_type), name);
        }
    }
}
