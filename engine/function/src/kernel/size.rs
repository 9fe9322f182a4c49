//! Numbers of bytes as texts: `1.5 KiB`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, exec_err};

/// `formatReadableSize`: units of 1024 bytes.
pub(crate) fn binary(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    shown(arrays, 1024, &UNITS)
}

/// `formatReadableDecimalSize`: units of 1000 bytes.
pub(crate) fn decimal(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    shown(arrays, 1000, &UNITS)
}

fn shown(arrays: &[ArrayRef], step: u64, units: &[&str]) -> Result<ArrayRef> {
    let [sizes] = arrays else {
        return exec_err!("a number of bytes is needed");
    };
    let sizes = sizes.as_primitive::<Int64Type>().iter();
    let texts = sizes.map(|size| {
        let size = size?;
        let sign = if size < 0 { "-" } else { "" };
        Some(format!(
            "{sign}{}",
            written(size.unsigned_abs(), step, units)
        ))
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

/// With one digit behind the point, which is cut off as DuckDB does it.
fn written(bytes: u64, step: u64, units: &[&str]) -> String {
    if bytes < step {
        return match bytes {
            1 => "1 byte".to_owned(),
            bytes => format!("{bytes} bytes"),
        };
    }
    let mut unit = 1;
    let mut name = "";
    for next in units {
        match u64::checked_mul(unit, step) {
            Some(larger) if larger <= bytes => (unit, name) = (larger, next),
            _ => break,
        }
    }
    let tenths = bytes % unit * 10 / unit;
    format!("{}.{tenths} {name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::written;

    /// Values of DuckDB's.
    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        let units = ["KiB", "MiB"];
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1_048_576, "1.0 MiB"),
        ] {
            assert_eq!(written(bytes, 1024, &units), expected);
        }
    }
}
