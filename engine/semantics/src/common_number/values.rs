//! Which type values have in common, and how each gets it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable};
use lakesh_sql::{Digits, MOST_DIGITS, PLAIN_DIGITS};

use crate::time::is_text;

/// Up to as many digits a DECIMAL and the DOUBLE nearest to it are written the same.
const DIGITS_OF_DOUBLE: usize = 15;

/// A value of which the type is known, and perhaps more.
#[derive(Debug, Clone)]
pub(super) struct Value {
    data_type: DataType,
    literal: Option<ScalarValue>,
}

impl Value {
    pub(super) fn of(expression: &Expr, schema: &DFSchema) -> Option<Self> {
        match expression {
            Expr::Literal(literal, _) => Some(Self::literal(literal.clone())),
            other => other.get_type(schema).ok().map(Self::column),
        }
    }

    pub(super) fn column(data_type: DataType) -> Self {
        Self {
            data_type,
            literal: None,
        }
    }

    pub(super) fn literal(literal: ScalarValue) -> Self {
        Self {
            data_type: literal.data_type(),
            literal: Some(literal),
        }
    }

    /// Returns the type, that of the elements for a list.
    fn base(&self) -> &DataType {
        base(&self.data_type)
    }
}

fn base(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => base(field.data_type()),
        DataType::Dictionary(_, value) => base(value),
        other => other,
    }
}

/// Returns a type with another base.
fn with_base(data_type: &DataType, new: &DataType) -> DataType {
    let inner = |field: &Arc<datafusion::arrow::datatypes::Field>| {
        let element = with_base(field.data_type(), new);
        Arc::new(field.as_ref().clone().with_data_type(element))
    };
    match data_type {
        DataType::List(field) => DataType::List(inner(field)),
        DataType::LargeList(field) => DataType::LargeList(inner(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(inner(field), *size),
        DataType::ListView(field) => DataType::ListView(inner(field)),
        DataType::LargeListView(field) => DataType::LargeListView(inner(field)),
        _ => new.clone(),
    }
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Keep,
    To(DataType),
    Literal(ScalarValue, DataType),
}

impl Change {
    pub(super) fn applied(self, expression: Expr) -> Expr {
        match self {
            Self::Keep => expression,
            Self::Literal(literal, _) => Expr::Literal(literal, None),
            to => to.cast(expression),
        }
    }

    /// Casts what only stands for a literal.
    pub(super) fn cast(self, expression: Expr) -> Expr {
        match self {
            Self::Keep => expression,
            Self::To(to) | Self::Literal(_, to) => Expr::Cast(Cast::new(Box::new(expression), to)),
        }
    }
}

/// Says how values get one type; `None` where DataFusion finds the right one.
///
/// `numbers_win` says whether DataFusion makes numbers of texts that stand beside numbers.
pub(super) fn changes(values: &[Value], numbers_win: bool) -> Option<Vec<Change>> {
    if !values.iter().any(|value| value.base().is_decimal()) {
        return None;
    }
    let is_known =
        |data_type: &DataType| data_type.is_numeric() || is_text(data_type) || data_type.is_null();
    if !values.iter().all(|value| is_known(value.base())) {
        return None;
    }
    let has_text = values.iter().any(|value| is_text(value.base()));
    if has_text && !numbers_win {
        return None;
    }
    // What a text says is taken for the number, and for a DOUBLE where it is not known.
    let mut seen = values.to_vec();
    if has_text {
        let digits = values
            .iter()
            .filter_map(digits)
            .fold(Digits::default(), Digits::both);
        for value in seen.iter_mut().filter(|value| is_text(value.base())) {
            *value = read(value, digits)?;
        }
    }
    let target = target(&seen, has_text)?;
    let change = |(value, seen): (&Value, &Value)| {
        if value.base().is_null() || *value.base() == target {
            return Change::Keep;
        }
        // REAL becomes DOUBLE beside a DOUBLE without help.
        if target == DataType::Float64 && !value.base().is_decimal() && !is_text(value.base()) {
            return Change::Keep;
        }
        let literal = seen
            .literal
            .as_ref()
            .and_then(|literal| number_as(literal, &target));
        match literal {
            Some(literal) => Change::Literal(literal, target.clone()),
            None => Change::To(with_base(&value.data_type, &target)),
        }
    };
    Some(values.iter().zip(&seen).map(change).collect())
}

/// Returns the number that a text beside decimals with such digits stands for.
fn read(text: &Value, others: Digits) -> Option<Value> {
    let Some(literal) = &text.literal else {
        // A text can have more digits than a DOUBLE, and those that it has count where the decimals do.
        let number = match others.count() <= DIGITS_OF_DOUBLE {
            true => DataType::Float64,
            false => DataType::Decimal256(MOST_DIGITS, PLAIN_DIGITS as i8),
        };
        return Some(Value::column(with_base(&text.data_type, &number)));
    };
    let written = literal.try_as_str()??.trim();
    let number = written.trim_start_matches(['-', '+']);
    if let Some(digits) = Digits::of(number) {
        let number = ScalarValue::try_from_string(written.to_owned(), &digits.decimal()?).ok()?;
        return Some(Value::literal(number));
    }
    let number = written.parse::<f64>().ok()?;
    Some(Value::literal(ScalarValue::Float64(Some(number))))
}

/// Returns the type that all numbers get; `None` where DataFusion finds it.
fn target(values: &[Value], must: bool) -> Option<DataType> {
    if values.iter().any(|value| value.base().is_floating()) {
        return Some(DataType::Float64);
    }
    let digits = values
        .iter()
        .filter_map(digits)
        .fold(Digits::default(), Digits::both);
    let nominal = values
        .iter()
        .filter_map(|value| Digits::of_type(value.base()))
        .fold(Digits::default(), Digits::both);
    let is_wide = |value: &Value| matches!(value.base(), DataType::Decimal256(..));
    let limit = match values.iter().any(is_wide) {
        true => MOST_DIGITS,
        false => PLAIN_DIGITS,
    };
    if nominal.count() <= usize::from(limit) && !must {
        return None;
    }
    digits.decimal()
}

/// Counts the digits that a value can have.
fn digits(value: &Value) -> Option<Digits> {
    let of_type = Digits::of_type(value.base())?;
    match &value.literal {
        Some(literal) if !literal.is_null() => {
            let written = literal.to_string();
            match literal.data_type().is_integer() {
                true => Some(Digits {
                    whole: written.trim_start_matches('-').len(),
                    scale: 0,
                }),
                false => Some(of_type),
            }
        }
        Some(_) => Some(Digits::default()),
        None => Some(of_type),
    }
}

/// Returns a number as one of another type, each digit counting.
fn number_as(literal: &ScalarValue, to: &DataType) -> Option<ScalarValue> {
    if literal.is_null() || !(literal.data_type().is_decimal() || literal.data_type().is_integer())
    {
        return None;
    }
    // Arrow divides, and rounds twice where a number has more than 15 digits.
    let written = literal.cast_to(&DataType::Utf8).ok()?;
    let written = written.try_as_str()??;
    match to {
        DataType::Float64 => Some(ScalarValue::Float64(Some(written.parse().ok()?))),
        to => ScalarValue::try_from_string(written.to_owned(), to).ok(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use DataType::{Decimal128, Decimal256, Float32, Float64, Int64, Utf8};

    fn decimal(text: &str, precision: u8, scale: i8) -> Value {
        let to = Decimal128(precision, scale);
        Value::literal(ScalarValue::try_from_string(text.to_owned(), &to).unwrap())
    }

    #[track_caller]
    fn check(values: &[Value], expect: Option<&[&str]>) {
        let found = changes(values, true).map(|changes| {
            let written = changes.iter().map(|change| match change {
                Change::Keep => "-".to_owned(),
                Change::To(to) => to.to_string(),
                Change::Literal(literal, to) => {
                    let text = literal.cast_to(&Utf8).unwrap();
                    format!("{} as {to}", text.try_as_str().unwrap().unwrap())
                }
            });
            written.collect::<Vec<_>>()
        });
        let expect = expect.map(|expect| expect.iter().map(ToString::to_string).collect());
        assert_eq!(found, expect);
    }

    #[test]
    fn beside_a_double_all_are() {
        let column = Value::column;
        check(
            &[column(Float64), decimal("0.30000000000000004", 17, 17)],
            Some(&["-", "0.30000000000000004 as Float64"]),
        );
        check(
            &[column(Float32), column(Decimal128(10, 2))],
            Some(&["-", "Float64"]),
        );
        check(&[column(Float64), column(Int64)], None);
    }

    #[test]
    fn decimals_have_room() {
        let column = Value::column;
        check(&[column(Decimal128(10, 2)), column(Int64)], None);
        check(
            &[column(Decimal128(38, 0)), column(Decimal128(38, 38))],
            Some(&["Decimal256(76, 38)", "Decimal256(76, 38)"]),
        );
        let five = Value::literal(ScalarValue::Int64(Some(5)));
        check(
            &[column(Decimal128(38, 20)), five],
            Some(&["-", "5.00000000000000000000 as Decimal128(38, 20)"]),
        );
        check(
            &[column(Decimal128(38, 20)), column(Int64)],
            Some(&["Decimal256(40, 20)", "Decimal256(40, 20)"]),
        );
    }

    #[test]
    fn texts_keep_their_digits() {
        let column = Value::column;
        let text = |text: &str| Value::literal(ScalarValue::Utf8(Some(text.to_owned())));
        check(
            &[text("0.55"), decimal("0.5", 1, 1)],
            Some(&["0.55 as Decimal128(2, 2)", "0.50 as Decimal128(2, 2)"]),
        );
        check(
            &[text("1e5"), column(Decimal128(10, 2))],
            Some(&["Float64", "Float64"]),
        );
        check(
            &[column(Utf8), decimal("0.5", 1, 1)],
            Some(&["Float64", "0.5 as Float64"]),
        );
        check(
            &[column(Utf8), column(Decimal128(38, 2))],
            Some(&["Decimal256(76, 38)", "Decimal256(76, 38)"]),
        );
        check(&[text("x"), column(Decimal128(10, 2))], None);
        let list = |element| DataType::new_list(element, true);
        check(
            &[column(list(Float64)), decimal("0.5", 1, 1)],
            Some(&["-", "0.5 as Float64"]),
        );
        check(
            &[column(list(Decimal128(2, 1))), column(Float64)],
            Some(&["List(Float64)", "-"]),
        );
        check(&[column(Decimal256(60, 5)), column(Int64)], None);
    }
}
