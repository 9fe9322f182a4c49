//! Values put into texts: `printf` with C's formats, `format` with braces or with PostgreSQL's.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, StringBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::texts;

/// One argument in all forms that it can be written in.
struct Value {
    text: StringArray,
    whole: Option<Int64Array>,
    number: Option<Float64Array>,
}

impl Value {
    fn new(array: &ArrayRef) -> Result<Self> {
        let data_type = array.data_type();
        let is_number = data_type.is_numeric() || *data_type == DataType::Boolean;
        let is_whole = data_type.is_integer() || *data_type == DataType::Boolean;
        let as_type = |wanted: &DataType| cast(array, wanted);
        Ok(Self {
            text: as_type(&DataType::Utf8)?.as_string::<i32>().clone(),
            whole: match is_whole {
                true => Some(
                    as_type(&DataType::Int64)?
                        .as_primitive::<Int64Type>()
                        .clone(),
                ),
                false => None,
            },
            number: match is_number && *data_type != DataType::Boolean {
                true => Some(
                    as_type(&DataType::Float64)?
                        .as_primitive::<Float64Type>()
                        .clone(),
                ),
                false => None,
            },
        })
    }
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layout {
    /// The place of the argument, from 0.
    argument: Option<usize>,
    fill: char,
    /// `<`, `>` or `^`; nothing where the value decides.
    align: Option<char>,
    plus: bool,
    blank: bool,
    zeros: bool,
    commas: bool,
    prefix: bool,
    width: usize,
    precision: Option<usize>,
    /// `d`, `f`, `e`, `g`, `x`, `X`, `o`, `b`, `c`, `s`; nothing where the value decides.
    kind: Option<char>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            argument: None,
            fill: ' ',
            align: None,
            plus: false,
            blank: false,
            zeros: false,
            commas: false,
            prefix: false,
            width: 0,
            precision: None,
            kind: None,
        }
    }
}

/// A format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Layout),
}

/// `printf(format, …)`.
pub(crate) fn printf(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    written(arrays, c_pieces, |_| None)
}

/// `format(format, …)`: with braces where the format has any, else as PostgreSQL's.
pub(crate) fn format(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let pieces = |format: &str| match format.contains('{') {
        true => brace_pieces(format),
        false => c_pieces(format),
    };
    // DuckDB, which has the braces, makes NULL of it, PostgreSQL an empty text.
    let null = |format: &str| (!format.contains('{')).then_some("");
    written(arrays, pieces, null)
}

/// `null` says what is written for NULL by a format; without it a NULL among the arguments makes NULL.
fn written(
    arrays: &[ArrayRef],
    parse: impl Fn(&str) -> std::result::Result<Vec<Piece>, String>,
    null: impl Fn(&str) -> Option<&'static str>,
) -> Result<ArrayRef> {
    let [formats, values @ ..] = arrays else {
        return exec_err!("a format is needed");
    };
    let formats = texts(formats);
    let values: Vec<Value> = values.iter().map(Value::new).collect::<Result<_>>()?;
    let mut known: Option<(&str, Vec<Piece>)> = None;
    let mut rows = StringBuilder::new();
    'rows: for row in 0..formats.len() {
        if formats.is_null(row) {
            rows.append_null();
            continue;
        }
        let format = formats.value(row);
        if known.as_ref().is_none_or(|(known, _)| *known != format) {
            match parse(format) {
                Ok(pieces) => known = Some((format, pieces)),
                Err(problem) => return exec_err!("{problem} in the format '{format}'"),
            }
        }
        let mut out = String::with_capacity(format.len() + 16);
        let mut next = 0;
        for piece in known.iter().flat_map(|(_, pieces)| pieces) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(layout) => {
                    let place = layout.argument.unwrap_or(next);
                    next = place + 1;
                    let Some(value) = values.get(place) else {
                        return exec_err!(
                            "the format '{format}' asks for argument {}, and there are {}",
                            place + 1,
                            values.len()
                        );
                    };
                    if value.text.is_null(row) {
                        match (null(format), layout.kind) {
                            (_, Some('L')) => out.push_str("NULL"),
                            (Some(null), _) => out.push_str(null),
                            (None, _) => {
                                rows.append_null();
                                continue 'rows;
                            }
                        }
                        continue;
                    }
                    if let Err(problem) = write_value(value, row, layout, &mut out) {
                        return exec_err!("{problem} in the format '{format}'");
                    }
                }
            }
        }
        rows.append_value(out);
    }
    Ok(Arc::new(rows.finish()))
}

/// Reads C's formats, and PostgreSQL's `%I` and `%L` beside them.
fn c_pieces(format: &str) -> std::result::Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut layout = Layout::default();
        let mut digits = String::new();
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        if letters.next_if_eq(&'$').is_some() {
            let place: usize = digits
                .parse()
                .map_err(|_| "no argument has a place".to_owned())?;
            let place = place.checked_sub(1);
            layout.argument = Some(place.ok_or("arguments are counted from 1")?);
            digits.clear();
        }
        if let Some(rest) = digits.strip_prefix('0') {
            layout.zeros = true;
            digits = rest.to_owned();
        }
        if digits.is_empty() {
            while let Some(flag) = letters.next_if(|letter| "-+ 0,#".contains(*letter)) {
                match flag {
                    '-' => layout.align = Some('<'),
                    '+' => layout.plus = true,
                    ' ' => layout.blank = true,
                    '0' => layout.zeros = true,
                    ',' => layout.commas = true,
                    _ => layout.prefix = true,
                }
            }
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
        }
        layout.width = digits.parse().unwrap_or(0);
        if letters.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            layout.precision = Some(digits.parse().unwrap_or(0));
        }
        while letters
            .next_if(|letter| "lhqjzt".contains(*letter))
            .is_some()
        {}
        match letters.next() {
            Some('%') => text.push('%'),
            Some('n') => text.push('\n'),
            Some('d' | 'i' | 'u') => {
                layout.kind = Some('d');
                push(&mut pieces, &mut text, layout);
            }
            Some(
                kind @ ('s' | 'S' | 'f' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o' | 'c' | 'b' | 'I'
                | 'L'),
            ) => {
                layout.kind = Some(kind);
                push(&mut pieces, &mut text, layout);
            }
            Some(other) => return Err(format!("`%{other}` is not known")),
            None => return Err("a `%` stands at the end".to_owned()),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn push(pieces: &mut Vec<Piece>, text: &mut String, layout: Layout) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
    pieces.push(Piece::Value(layout));
}

/// Reads formats with braces, `{}`, `{1:>8.2f}`.
fn brace_pieces(format: &str) -> std::result::Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' if letters.next_if_eq(&'{').is_some() => text.push('{'),
            '}' if letters.next_if_eq(&'}').is_some() => text.push('}'),
            '{' => {
                let mut inner = String::new();
                loop {
                    match letters.next() {
                        Some('}') => break,
                        Some(letter) => inner.push(letter),
                        None => return Err("a `{` is not closed".to_owned()),
                    }
                }
                push(&mut pieces, &mut text, brace_layout(&inner)?);
            }
            '}' => return Err("a `}` closes nothing".to_owned()),
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn brace_layout(inner: &str) -> std::result::Result<Layout, String> {
    let mut layout = Layout::default();
    let (place, rules) = inner.split_once(':').unwrap_or((inner, ""));
    if !place.is_empty() {
        let number = place.parse();
        layout.argument = Some(number.map_err(|_| format!("`{{{inner}}}` names no argument"))?);
    }
    let mut letters = rules.chars().peekable();
    let mut ahead = rules.chars();
    if let (Some(fill), Some(align)) = (ahead.next(), ahead.next())
        && "<>^".contains(align)
    {
        layout.fill = fill;
        layout.align = Some(align);
        letters.next();
        letters.next();
    } else if let Some(align) = letters.next_if(|letter| "<>^".contains(*letter)) {
        layout.align = Some(align);
    }
    while let Some(flag) = letters.next_if(|letter| "+- #0".contains(*letter)) {
        match flag {
            '+' => layout.plus = true,
            ' ' => layout.blank = true,
            '#' => layout.prefix = true,
            '0' => layout.zeros = true,
            _ => {}
        }
    }
    let mut digits = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    layout.width = digits.parse().unwrap_or(0);
    if letters.next_if_eq(&',').is_some() {
        layout.commas = true;
    }
    if letters.next_if_eq(&'.').is_some() {
        let mut digits = String::new();
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        layout.precision = Some(digits.parse().unwrap_or(0));
    }
    layout.kind = letters.next();
    match layout.kind {
        None
        | Some('d' | 'f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o' | 'b' | 'c' | 's') => {
            Ok(layout)
        }
        Some(other) => Err(format!("`{other}` is not known")),
    }
}

fn write_value(
    value: &Value,
    row: usize,
    layout: &Layout,
    out: &mut String,
) -> std::result::Result<(), String> {
    let whole = value.whole.as_ref().map(|array| array.value(row));
    let number = value.number.as_ref().map(|array| array.value(row));
    let text = value.text.value(row);
    let needs = |what: &str| format!("'{text}' is no {what}");
    let (sign, digits) = match layout.kind {
        Some('d') => signed(whole.ok_or_else(|| needs("whole number"))?),
        Some('x' | 'X' | 'o' | 'b') => {
            let whole = whole.ok_or_else(|| needs("whole number"))?;
            (false, in_radix(whole, layout))
        }
        Some('c') => {
            let code = whole.and_then(|code| u32::try_from(code).ok());
            let letter = match code {
                Some(code) => char::from_u32(code),
                None => text.chars().next(),
            };
            let letter = letter.ok_or_else(|| needs("character"))?;
            pad(&letter.to_string(), layout, '<', out);
            return Ok(());
        }
        Some(kind @ ('f' | 'F' | 'e' | 'E' | 'g' | 'G')) => {
            let number = number.ok_or_else(|| needs("number"))?;
            let digits = fractional(number.abs(), kind, layout.precision);
            (number.is_sign_negative() && !number.is_nan(), digits)
        }
        Some('I') => {
            pad(&identifier(text), layout, '>', out);
            return Ok(());
        }
        Some('L') => {
            let quoted = format!("'{}'", text.replace('\'', "''"));
            pad(&quoted, layout, '>', out);
            return Ok(());
        }
        Some('S') => {
            pad(&text.to_uppercase(), layout, '>', out);
            return Ok(());
        }
        Some('s') => {
            let shown: String = match layout.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text.to_owned(),
            };
            pad(&shown, layout, '>', out);
            return Ok(());
        }
        _ => match (whole, number) {
            (Some(whole), Some(_)) => signed(whole),
            (_, Some(number)) if layout.precision.is_some() => {
                let digits = fractional(number.abs(), 'g', layout.precision);
                (number.is_sign_negative() && !number.is_nan(), digits)
            }
            _ => {
                pad(text, layout, '<', out);
                return Ok(());
            }
        },
    };
    let digits = match layout.commas {
        true => with_commas(&digits),
        false => digits,
    };
    let sign = match (sign, layout.plus, layout.blank) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    };
    if layout.zeros && layout.align.is_none() {
        let missing = layout
            .width
            .saturating_sub(sign.len() + digits.chars().count());
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(&digits);
        return Ok(());
    }
    pad(&format!("{sign}{digits}"), layout, '>', out);
    Ok(())
}

fn signed(whole: i64) -> (bool, String) {
    (whole < 0, whole.unsigned_abs().to_string())
}

fn in_radix(whole: i64, layout: &Layout) -> String {
    let (digits, prefix) = match layout.kind {
        Some('X') => (format!("{whole:X}"), "0X"),
        Some('o') => (format!("{whole:o}"), "0"),
        Some('b') => (format!("{whole:b}"), "0b"),
        _ => (format!("{whole:x}"), "0x"),
    };
    match layout.prefix {
        true => format!("{prefix}{digits}"),
        false => digits,
    }
}

/// A number of at least 0 with a point or an exponent.
fn fractional(number: f64, kind: char, precision: Option<usize>) -> String {
    if !number.is_finite() {
        return if number.is_nan() { "nan" } else { "inf" }.to_owned();
    }
    let precision = precision.unwrap_or(6);
    match kind {
        'f' | 'F' => format!("{number:.precision$}"),
        'e' => c_exponent(&format!("{number:.precision$e}")),
        'E' => c_exponent(&format!("{number:.precision$e}")).to_uppercase(),
        _ => shortest(number, precision.max(1)),
    }
}

/// `1e5` as C writes it: `1e+05`.
fn c_exponent(written: &str) -> String {
    let Some((digits, exponent)) = written.split_once('e') else {
        return written.to_owned();
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(rest) => ('-', rest),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// C's `%g`: so many digits, without zeros at the end.
fn shortest(number: f64, digits: usize) -> String {
    let scientific = format!("{number:.*e}", digits - 1);
    let exponent = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse::<i64>().ok())
        .unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let most = i64::try_from(digits).unwrap_or(i64::MAX);
    if exponent < -4 || exponent >= most {
        let (mantissa, _) = scientific.split_once('e').unwrap_or((&scientific, ""));
        return c_exponent(&format!("{}e{exponent}", trimmed(mantissa)));
    }
    let behind = usize::try_from(most - 1 - exponent).unwrap_or(0);
    trimmed(&format!("{number:.behind$}"))
}

fn with_commas(digits: &str) -> String {
    let (whole, rest) = match digits.find('.') {
        Some(point) => digits.split_at(point),
        None => (digits, ""),
    };
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(rest);
    grouped
}

/// A name as SQL takes it: in quotes, where it needs any.
fn identifier(name: &str) -> String {
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_lowercase() || letter == '_');
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    match begins && letters.all(plain) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn pad(text: &str, layout: &Layout, usual: char, out: &mut String) {
    let missing = layout.width.saturating_sub(text.chars().count());
    let before = match layout.align.unwrap_or(usual) {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    out.extend(std::iter::repeat_n(layout.fill, before));
    let _ = out.write_str(text);
    out.extend(std::iter::repeat_n(layout.fill, missing - before));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StringArray};

    use super::{format, printf};

    fn arguments(pattern: &str) -> Vec<ArrayRef> {
        vec![
            Arc::new(StringArray::from(vec![pattern])),
            Arc::new(Int64Array::from(vec![-1234567])),
            Arc::new(Float64Array::from(vec![2.5])),
            Arc::new(StringArray::from(vec!["it's ñ"])),
        ]
    }

    #[track_caller]
    fn check_printf(pattern: &str, expected: &str) {
        let written = printf(&arguments(pattern)).unwrap();
        assert_eq!(written.as_string::<i32>().value(0), expected);
    }

    #[track_caller]
    fn check_format(pattern: &str, expected: &str) {
        let written = format(&arguments(pattern)).unwrap();
        assert_eq!(written.as_string::<i32>().value(0), expected);
    }

    #[test]
    fn writes_as_c() {
        check_printf("%d %.2f %s%%", "-1234567 2.50 it's ñ%");
        check_printf("%,d|%10.1f|%-8s|", "-1,234,567|       2.5|it's ñ  |");
        check_printf("%3$s %2$e", "it's ñ 2.500000e+00");
        check_printf("%012d", "-00001234567");
        check_printf("%2$g", "2.5");
    }

    #[test]
    fn writes_with_braces_and_as_postgresql() {
        check_format("{} {} {}", "-1234567 2.5 it's ñ");
        check_format("{2:>8}|{1:.3f}|{0:,}|{{}}", "  it's ñ|2.500|-1,234,567|{}");
        check_format("%3$L %3$I", "'it''s ñ' \"it's ñ\"");
        check_format("%s %s", "-1234567 2.5");
    }

    #[test]
    fn says_what_cannot_be_written() {
        assert!(printf(&arguments("%3$d")).is_err());
        assert!(printf(&arguments("%y")).is_err());
        assert!(format(&arguments("{9}")).is_err());
    }
}
