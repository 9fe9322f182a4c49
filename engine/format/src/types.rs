//! The SQL names of Arrow types in short form, for the headers of tables.

use datafusion::arrow::datatypes::{DataType, Field};

/// The SQL name of a type: `bigint`, `varchar`, `decimal(15,2)`, `struct(a bigint, b varchar)`.
pub(super) fn short_type(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Null => "null",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "int",
        DataType::Int64 => "bigint",
        DataType::UInt8 => "utinyint",
        DataType::UInt16 => "usmallint",
        DataType::UInt32 => "uint",
        DataType::UInt64 => "ubigint",
        DataType::Float16 => "half",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamptz",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Duration(_) => "duration",
        DataType::Interval(_) => "interval",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::FixedSizeBinary(size) => return format!("binary({size})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar",
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => return format!("{}[]", short_type(item.data_type())),
        DataType::FixedSizeList(item, size) => {
            return format!("{}[{size}]", short_type(item.data_type()));
        }
        DataType::Struct(fields) => return members("struct", fields.iter().map(AsRef::as_ref)),
        DataType::Union(fields, _) => {
            return members("union", fields.iter().map(|(_, field)| field.as_ref()));
        }
        DataType::Dictionary(_, value) => return short_type(value),
        DataType::RunEndEncoded(_, value) => return short_type(value.data_type()),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => return format!("decimal({precision},{scale})"),
        DataType::Map(entries, _) => return map(entries),
    };
    name.to_owned()
}

/// Whether values of this type are numbers, which stand at the right of their column.
pub(super) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_number(value),
        DataType::RunEndEncoded(_, value) => is_number(value.data_type()),
        other => other.is_numeric(),
    }
}

fn members<'a>(name: &str, fields: impl Iterator<Item = &'a Field>) -> String {
    let members = fields.map(|field| format!("{} {}", field.name(), short_type(field.data_type())));
    format!("{name}({})", members.collect::<Vec<_>>().join(", "))
}

fn map(entries: &Field) -> String {
    match entries.data_type() {
        DataType::Struct(fields) => {
            let types = fields.iter().map(|field| short_type(field.data_type()));
            format!("map({})", types.collect::<Vec<_>>().join(", "))
        }
        other => format!("map({})", short_type(other)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::{Fields, TimeUnit};

    use super::*;

    #[test]
    fn types_have_short_sql_names() {
        let item = |data_type| Arc::new(Field::new("item", data_type, true));
        let pair = Fields::from(vec![
            Field::new("keys", DataType::Utf8View, false),
            Field::new("values", DataType::Int32, true),
        ]);
        let cases = [
            (DataType::Int64, "bigint"),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "timestamp",
            ),
            (
                DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
                "timestamptz",
            ),
            (DataType::Decimal128(15, 2), "decimal(15,2)"),
            (DataType::List(item(DataType::Utf8)), "varchar[]"),
            (
                DataType::FixedSizeList(item(DataType::Float32), 3),
                "float[3]",
            ),
            (
                DataType::Struct(pair.clone()),
                "struct(keys varchar, values int)",
            ),
            (
                DataType::Map(item(DataType::Struct(pair)), false),
                "map(varchar, int)",
            ),
            (
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
                "varchar",
            ),
        ];
        for (data_type, expected) in cases {
            assert_eq!(short_type(&data_type), expected);
        }
    }
}
