//! Names of types that people know from DuckDB, PostgreSQL and Spark, and that DataFusion does not.
//!
//! HUGEINT has the 38 digits that a DECIMAL has, UHUGEINT one more; a UUID and JSON are their texts.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{DataType as SqlType, ExactNumberInfo};

use super::{MOST_DIGITS, PLAIN_DIGITS};

/// Returns the type that a name stands for.
pub(super) fn known_type(sql_type: &SqlType) -> Option<DataType> {
    Some(match sql_type {
        SqlType::HugeInt => DataType::Decimal128(PLAIN_DIGITS, 0),
        SqlType::UTinyInt | SqlType::UInt8 => DataType::UInt8,
        SqlType::USmallInt | SqlType::UInt16 => DataType::UInt16,
        SqlType::UInt32 => DataType::UInt32,
        SqlType::UHugeInt => huge_without_sign(),
        SqlType::UBigInt | SqlType::UInt64 => DataType::UInt64,
        SqlType::Int16 => DataType::Int16,
        SqlType::Int32 | SqlType::MediumInt(_) => DataType::Int32,
        SqlType::Int64 => DataType::Int64,
        SqlType::Float32 => DataType::Float32,
        SqlType::Float64 => DataType::Float64,
        SqlType::Uuid
        | SqlType::JSON
        | SqlType::JSONB
        | SqlType::Nvarchar(None)
        | SqlType::Character(None)
        | SqlType::CharacterVarying(None)
        | SqlType::CharVarying(None)
        | SqlType::Clob(None)
        | SqlType::TinyText
        | SqlType::MediumText
        | SqlType::LongText => DataType::Utf8,
        SqlType::Binary(None)
        | SqlType::Varbinary(None)
        | SqlType::Blob(None)
        | SqlType::Bytes(None)
        | SqlType::TinyBlob
        | SqlType::MediumBlob
        | SqlType::LongBlob => DataType::Binary,
        SqlType::Date32 => DataType::Date32,
        SqlType::Dec(digits) => decimal(*digits)?,
        SqlType::Custom(name, arguments) if arguments.is_empty() => {
            named(&name.to_string().to_lowercase())?
        }
        _ => return None,
    })
}

/// Returns the type of a name that DataFusion knows too.
pub(super) fn plain_type(sql_type: &SqlType) -> Option<DataType> {
    Some(match sql_type {
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) | SqlType::Int2(_) => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) | SqlType::Int4(_) => DataType::Int32,
        SqlType::BigInt(_) | SqlType::Int8(_) => DataType::Int64,
        SqlType::Float(_) | SqlType::Real | SqlType::Float4 => DataType::Float32,
        SqlType::Double(ExactNumberInfo::None) | SqlType::DoublePrecision | SqlType::Float8 => {
            DataType::Float64
        }
        SqlType::Varchar(None) | SqlType::Char(None) | SqlType::Text | SqlType::String(None) => {
            DataType::Utf8
        }
        SqlType::Date => DataType::Date32,
        SqlType::Bytea => DataType::Binary,
        SqlType::Decimal(digits) | SqlType::Numeric(digits) => decimal(*digits)?,
        _ => return None,
    })
}

fn named(name: &str) -> Option<DataType> {
    Some(match name {
        "hugeint" => DataType::Decimal128(PLAIN_DIGITS, 0),
        "uhugeint" => huge_without_sign(),
        "long" | "int64" => DataType::Int64,
        "short" | "int16" => DataType::Int16,
        "byte" | "int1" => DataType::Int8,
        "int32" => DataType::Int32,
        "utinyint" | "uint8" => DataType::UInt8,
        "usmallint" | "uint16" => DataType::UInt16,
        "uinteger" | "uint" | "uint32" => DataType::UInt32,
        "ubigint" | "uint64" => DataType::UInt64,
        "bpchar" | "uuid" => DataType::Utf8,
        "blob" | "binary" | "bytes" => DataType::Binary,
        "logical" => DataType::Boolean,
        _ => return None,
    })
}

/// UHUGEINT goes up to 340282366920938463463374607431768211455, which has 39 digits.
fn huge_without_sign() -> DataType {
    DataType::Decimal256(PLAIN_DIGITS + 1, 0)
}

fn decimal(digits: ExactNumberInfo) -> Option<DataType> {
    let (precision, scale) = match digits {
        // As DECIMAL without digits.
        ExactNumberInfo::None => (u64::from(PLAIN_DIGITS), 10),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    let precision = u8::try_from(precision).ok().filter(|count| *count > 0)?;
    let scale = i8::try_from(scale).ok()?;
    if i16::from(scale) > i16::from(precision) || scale < 0 {
        return None;
    }
    match precision {
        _ if precision <= PLAIN_DIGITS => Some(DataType::Decimal128(precision, scale)),
        _ if precision <= MOST_DIGITS => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::DataType;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::known_type;
    use crate::DIALECT;

    #[track_caller]
    fn check(name: &str, expected: &DataType) {
        let parser = Parser::new(&DIALECT).try_with_sql(name);
        let parsed = parser.and_then(|mut parser| parser.parse_data_type());
        let parsed = parsed.expect("it is a type");
        assert_eq!(known_type(&parsed).as_ref(), Some(expected), "{name}");
    }

    #[test]
    fn names_of_others_are_known() {
        check("HUGEINT", &DataType::Decimal128(38, 0));
        check("utinyint", &DataType::UInt8);
        check("USMALLINT", &DataType::UInt16);
        check("UINTEGER", &DataType::UInt32);
        check("UBIGINT", &DataType::UInt64);
        check("SHORT", &DataType::Int16);
        check("BYTE", &DataType::Int8);
        check("UUID", &DataType::Utf8);
        check("JSON", &DataType::Utf8);
        check("UHUGEINT", &DataType::Decimal256(39, 0));
        check("BLOB", &DataType::Binary);
        check("BINARY", &DataType::Binary);
        check("DEC(5, 2)", &DataType::Decimal128(5, 2));
        check("BPCHAR", &DataType::Utf8);
    }
}
