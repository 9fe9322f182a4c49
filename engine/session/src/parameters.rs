//! Reads `--param name=value` into a typed value.

use chrono::{NaiveDate, NaiveDateTime};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use lakesh_text::failure::{Failure, FailureKind};

/// Reads `name=value` or `name:type=value`. Without a type, `null`, `true`, `false`, whole numbers,
/// numbers, dates (`2024-01-31`) and timestamps are told by their form; everything else is text.
pub fn parse_parameter(text: &str) -> Result<(String, ScalarValue), Failure> {
    let wrong = |message: String| {
        Failure::new(FailureKind::Usage, message)
            .hint("write name=value or name:type=value, for example day:date=2024-01-31")
    };
    let Some((head, value)) = text.split_once('=') else {
        return Err(wrong(format!("parameter `{text}` has no value")));
    };
    let (name, kind) = match head.split_once(':') {
        Some((name, kind)) => (name, Some(kind)),
        None => (head, None),
    };
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
    if !is_name {
        return Err(wrong(format!("`{name}` is not a parameter's name")));
    }
    let value = match kind {
        None => inferred(value),
        Some(kind) => {
            let target = named_type(kind)
                .ok_or_else(|| wrong(format!("`{kind}` is not a parameter's type")))?;
            ScalarValue::try_from_string(value.to_owned(), &target)
                .map_err(|_| wrong(format!("`{value}` is not a value of type {kind}")))?
        }
    };
    Ok((name.to_owned(), value))
}

fn inferred(value: &str) -> ScalarValue {
    match value {
        "null" | "NULL" => return ScalarValue::Null,
        "true" | "TRUE" => return ScalarValue::Boolean(Some(true)),
        "false" | "FALSE" => return ScalarValue::Boolean(Some(false)),
        _ => {}
    }
    // `007` is a code, not a number.
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_code = digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code {
        if let Ok(number) = value.parse::<i64>() {
            return ScalarValue::Int64(Some(number));
        }
        let is_number = value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if is_number && let Ok(number) = value.parse::<f64>() {
            // As a number in a query: with an exponent it is a DOUBLE.
            return decimal(value).unwrap_or(ScalarValue::Float64(Some(number)));
        }
    }
    let temporal = if NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok() {
        Some(DataType::Date32)
    } else if NaiveDateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f").is_ok()
        || NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
    {
        Some(DataType::Timestamp(TimeUnit::Microsecond, None))
    } else {
        None
    };
    temporal
        .and_then(|target| ScalarValue::try_from_string(value.to_owned(), &target).ok())
        .unwrap_or_else(|| ScalarValue::Utf8(Some(value.to_owned())))
}

/// Reads a number without an exponent, each digit counting; `None` where it has one, or too many digits.
fn decimal(value: &str) -> Option<ScalarValue> {
    let digits = lakesh_sql::Digits::of(value.trim_start_matches(['-', '+']))?;
    ScalarValue::try_from_string(value.to_owned(), &digits.decimal()?).ok()
}

fn named_type(name: &str) -> Option<DataType> {
    Some(match name.to_lowercase().as_str() {
        "text" | "string" | "varchar" => DataType::Utf8,
        "int" | "integer" => DataType::Int32,
        "bigint" | "long" => DataType::Int64,
        "double" | "float" => DataType::Float64,
        "bool" | "boolean" => DataType::Boolean,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::parse_parameter;

    #[test]
    fn infers_types() {
        for (text, expected) in [
            ("n=12", "Int64(12)"),
            ("n=-1.5", "Decimal128(-1.5,2,1)"),
            ("n=0.30", "Decimal128(0.30,2,2)"),
            ("n=1e-1", "Float64(0.1)"),
            (
                "n=9223372036854775808",
                "Decimal128(9223372036854775808,19,0)",
            ),
            ("n=007", "Utf8(\"007\")"),
            ("n=true", "Boolean(true)"),
            ("n=null", "NULL"),
            ("n=", "Utf8(\"\")"),
            ("n=a=b", "Utf8(\"a=b\")"),
            ("n=2024-02-31", "Utf8(\"2024-02-31\")"),
            ("n=2024-01-31", "Date32(\"2024-01-31\")"),
            ("n:text=12", "Utf8(\"12\")"),
            ("n=infinity", "Utf8(\"infinity\")"),
        ] {
            let (name, value) = parse_parameter(text).unwrap();
            assert_eq!(
                (name.as_str(), format!("{value:?}").as_str()),
                ("n", expected)
            );
        }
    }

    #[test]
    fn refuses_what_is_wrong() {
        for (text, message) in [
            ("n", "parameter `n` has no value"),
            ("=1", "`` is not a parameter's name"),
            ("a b=1", "`a b` is not a parameter's name"),
            ("n:date=x", "`x` is not a value of type date"),
            ("n:colour=x", "`colour` is not a parameter's type"),
        ] {
            assert_eq!(parse_parameter(text).unwrap_err().message, message);
        }
    }
}
