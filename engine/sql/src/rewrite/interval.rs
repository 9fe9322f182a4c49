//! Clocks in intervals: `INTERVAL '1 day 04:05:06'`, which Arrow cannot read; and `INTERVAL (n + 1) HOUR`, which
//! is so many times an hour.
//!
//! PostgreSQL's manual, "Interval Input": `04:05` is hours and minutes, and a sign before the clock holds for
//! all of it.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Interval, UnaryOperator, Value, ValueWithSpan,
};

/// Writes the clocks of an interval's text as units, and what is computed as a product.
pub(super) fn rewrite(expression: &mut Expr) {
    if let Expr::Interval(Interval {
        value,
        leading_field: Some(_),
        ..
    }) = expression
        && !is_constant(value)
    {
        let one = Expr::value(Value::SingleQuotedString("1".to_owned()));
        let count = std::mem::replace(value.as_mut(), one);
        let count = match count {
            nested @ Expr::Nested(_) => nested,
            other => Expr::Nested(Box::new(other)),
        };
        let unit = expression.clone();
        *expression = Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(count),
            op: BinaryOperator::Multiply,
            right: Box::new(unit),
        }));
        return;
    }
    let text = match expression {
        Expr::Interval(Interval {
            value,
            leading_field: None,
            ..
        }) => value.as_mut(),
        Expr::Cast {
            expr,
            data_type: DataType::Interval { .. },
            ..
        } => expr.as_mut(),
        _ => return,
    };
    if let Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text),
        ..
    }) = text
        && text.contains(':')
    {
        let words: Vec<String> = text.split_whitespace().map(units).collect();
        *text = words.join(" ");
    }
}

/// Says whether the planner reads the value of an interval by itself.
fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Value(value) => !matches!(value.value, Value::Placeholder(_)),
        Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr,
        } => is_constant(expr),
        _ => false,
    }
}

/// Writes `04:05:06` as units; other words stay.
fn units(word: &str) -> String {
    clock(word).unwrap_or_else(|| word.to_owned())
}

fn clock(word: &str) -> Option<String> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", word.strip_prefix('+').unwrap_or(word)),
    };
    let mut parts = digits.split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("0");
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let below_sixty = |text: &str| text.parse::<u8>().is_ok_and(|number| number < 60);
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_clock = parts.next().is_none()
        && [hours, minutes, whole, fraction].into_iter().all(is_whole)
        && below_sixty(minutes)
        && below_sixty(whole);
    is_clock.then(|| {
        format!("{sign}{hours} hours {sign}{minutes} minutes {sign}{whole}.{fraction} seconds")
    })
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn clocks_become_units() {
        for (word, expected) in [
            ("04:05:06", "04 hours 05 minutes 06.0 seconds"),
            ("-1:02", "-1 hours -02 minutes -0.0 seconds"),
            ("100:00:00.25", "100 hours 00 minutes 00.25 seconds"),
            ("1:60", "1:60"),
            ("1:2:3:4", "1:2:3:4"),
            ("days", "days"),
        ] {
            assert_eq!(units(word), expected);
        }
    }
}
