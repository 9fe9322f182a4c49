//! Functions that mean one or another thing by how their arguments are written.

pub(super) mod regexp;

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, Ident,
    TimezoneInfo, Value,
};
use lakesh_sql::normalized;

use crate::expand::{call, elements_of, expressions, in_brackets, sql};
use crate::read_pattern::format_of;

/// What a function of this file returns.
type Written = Result<Option<Expr>, String>;

/// DataFusion has a function of this name that takes a lambda, too.
pub(super) fn list_first(arguments: &[FunctionArg]) -> Written {
    let one = Expr::value(Value::Number("1".to_owned(), false));
    Ok(match expressions(arguments).as_deref() {
        Some([list]) => Some(call("array_element", vec![(*list).clone(), one])),
        _ => None,
    })
}

/// `array_push_front`: DataFusion has it under this name with its arguments in the other order.
pub(super) fn push_front(arguments: &[FunctionArg]) -> Written {
    Ok(match expressions(arguments).as_deref() {
        Some([list, value]) => {
            let arguments = vec![(*value).clone(), (*list).clone()];
            Some(call("array_prepend", arguments))
        }
        _ => None,
    })
}

/// `generate_subscripts`: lists have one dimension here.
pub(super) fn subscripts(arguments: &[FunctionArg]) -> Written {
    match expressions(arguments).as_deref() {
        Some([list, dimension]) if dimension.to_string() == "1" => {
            let body = "unnest(range(1, length(x) + 1))";
            sql(body, &[("x", (*list).clone())]).map(Some)
        }
        Some([_, _]) => Err("takes 1 for the dimension".to_owned()),
        _ => Ok(None),
    }
}

/// `to_timestamp` with a pattern of PostgreSQL's or Spark's; anything else is DataFusion's.
pub(super) fn to_timestamp(arguments: &[FunctionArg]) -> Written {
    read_by_pattern(arguments, "lakesh_dated(x, f)")
}

/// `to_date` with such a pattern.
pub(super) fn to_date(arguments: &[FunctionArg]) -> Written {
    read_by_pattern(arguments, "CAST(lakesh_dated(x, f) AS DATE)")
}

/// `strptime` with a list of formats, of which the first that fits counts.
pub(super) fn strptime(arguments: &[FunctionArg]) -> Written {
    by_formats(arguments, "strptime")
}

/// `try_strptime` with such a list.
pub(super) fn try_strptime(arguments: &[FunctionArg]) -> Written {
    by_formats(arguments, "try_strptime")
}

fn by_formats(arguments: &[FunctionArg], last: &str) -> Written {
    let values = expressions(arguments);
    let Some([value, formats]) = values.as_deref() else {
        return Ok(None);
    };
    let Some(formats) = elements_of(formats) else {
        return Ok(None);
    };
    let count = formats.len();
    let read = formats.into_iter().enumerate().map(|(place, format)| {
        let name = match place + 1 == count {
            true => last,
            false => "try_strptime",
        };
        call(name, vec![(*value).clone(), format])
    });
    let read: Vec<Expr> = read.collect();
    match read.is_empty() {
        true => Err("takes at least one format".to_owned()),
        false => Ok(Some(call("coalesce", read))),
    }
}

fn read_by_pattern(arguments: &[FunctionArg], body: &str) -> Written {
    let values = expressions(arguments);
    let Some([value, pattern]) = values.as_deref() else {
        return Ok(None);
    };
    match literal(pattern).map(format_of).transpose()?.flatten() {
        Some(format) => sql(body, &[("x", (*value).clone()), ("f", text(&format))]).map(Some),
        None => Ok(None),
    }
}

/// `list_concat`, which leaves out NULL that is written as such: it has no type by which lists are joined.
pub(super) fn list_concat(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let is_null = |value: &Expr| matches!(value, Expr::Value(value) if value.value == Value::Null);
    let lists: Vec<Expr> = values
        .iter()
        .filter(|value| !is_null(value))
        .map(|value| (*value).clone())
        .collect();
    if lists.len() == values.len() {
        return Ok(None);
    }
    Ok(match lists.len() {
        0 => None,
        1 => lists.into_iter().next(),
        _ => Some(call("array_concat", lists)),
    })
}

/// `encode` and `decode` of UTF-8; with a format they are DataFusion's.
pub(super) fn encode(arguments: &[FunctionArg]) -> Written {
    match expressions(arguments).as_deref() {
        Some([value]) => sql(
            "CAST(CAST(x AS VARCHAR) AS BLOB)",
            &[("x", (*value).clone())],
        )
        .map(Some),
        _ => Ok(None),
    }
}

/// A text as an expression.
fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

/// What an expression says, where it is a text between quotes.
fn literal(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// A unit of time: `'day'` or `day`, which is then no column.
fn unit(expression: &Expr) -> Expr {
    match expression {
        Expr::Identifier(word) if word.quote_style.is_none() => text(&normalized(word)),
        other => other.clone(),
    }
}

fn unit_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(word) => Some(normalized(word)),
        other => literal(other).map(str::to_lowercase),
    }
}

/// A day or a moment: a text between quotes is read as what it looks like.
fn moment(expression: &Expr) -> Expr {
    let Some(written) = literal(expression) else {
        return in_brackets(expression.clone());
    };
    let data_type = match written.contains(':') {
        true => DataType::Timestamp(None, TimezoneInfo::None),
        false => DataType::Date,
    };
    cast(expression.clone(), data_type)
}

fn cast(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expression),
        data_type,
        array: false,
        format: None,
    }
}

fn binary(left: Expr, operator: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op: operator,
        right: Box::new(right),
    }
}

/// `date_diff`: Spark's `(end, start)` in days, else `(unit, start, end)`.
pub(super) fn date_diff(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    match values[..] {
        [end, start] => {
            let days = |value: &Expr| in_brackets(cast(moment(value), DataType::Date));
            let difference = binary(days(end), BinaryOperator::Minus, days(start));
            Ok(Some(Expr::Nested(Box::new(difference))))
        }
        [name, start, end] => {
            let arguments = vec![unit(name), start.clone(), end.clone()];
            Ok(Some(call("lakesh_date_borders", arguments)))
        }
        _ => Err(format!("takes 2 or 3 arguments, not {}", values.len())),
    }
}

/// `timestampdiff(unit, start, end)`, whose unit may be written without quotes.
pub(super) fn timestampdiff(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let [name, start, end] = values[..] else {
        return Err(format!("takes 3 arguments, not {}", values.len()));
    };
    let arguments = vec![unit(name), start.clone(), end.clone()];
    Ok(Some(call("lakesh_whole_units", arguments)))
}

/// `date_sub`: a day less days or an interval, else DuckDB's `(unit, start, end)`.
pub(super) fn date_sub(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    match values[..] {
        [day, count] => Ok(Some(Expr::Nested(Box::new(binary(
            moment(day),
            BinaryOperator::Minus,
            in_brackets(count.clone()),
        ))))),
        [name, start, end] => {
            let arguments = vec![unit(name), start.clone(), end.clone()];
            Ok(Some(call("datesub", arguments)))
        }
        _ => Err(format!("takes 2 or 3 arguments, not {}", values.len())),
    }
}

/// `date_add`: a day and days or an interval, else `(unit, count, day)`.
pub(super) fn date_add(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    match values[..] {
        [day, count] => Ok(Some(Expr::Nested(Box::new(binary(
            moment(day),
            BinaryOperator::Plus,
            in_brackets(count.clone()),
        ))))),
        [name, count, day] => {
            let name = unit_name(name).ok_or("takes the name of a unit first, as day")?;
            let one = match name.trim_end_matches('s') {
                "quarter" => "INTERVAL '3 months'",
                "year" | "yyyy" | "yy" => "INTERVAL '1 year'",
                "month" | "mon" | "mm" => "INTERVAL '1 month'",
                "week" => "INTERVAL '7 days'",
                "day" | "dd" | "d" | "dayofyear" => "INTERVAL '1 day'",
                "hour" => "INTERVAL '1 hour'",
                "minute" => "INTERVAL '1 minute'",
                "second" => "INTERVAL '1 second'",
                "millisecond" => "INTERVAL '1 millisecond'",
                "microsecond" => "INTERVAL '1 microsecond'",
                _ => return Err(format!("knows no unit `{name}`")),
            };
            let values = [("d", moment(day)), ("n", count.clone())];
            sql(&format!("d + n * {one}"), &values).map(Some)
        }
        _ => Err(format!("takes 2 or 3 arguments, not {}", values.len())),
    }
}

/// `make_timestamp`: six numbers, or microseconds.
pub(super) fn make_timestamp(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let name = match values.len() {
        1 => "to_timestamp_micros",
        6 => "lakesh_timestamp_of_parts",
        other => return Err(format!("takes 1 or 6 arguments, not {other}")),
    };
    let values = values.into_iter().cloned();
    Ok(Some(call(name, values.collect())))
}

/// `make_timestamptz`: six numbers by the clocks of the session or of a zone, or microseconds.
pub(super) fn make_timestamptz(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let parts = |values: &[&Expr]| {
        let values = values.iter().map(|value| (*value).clone()).collect();
        call("lakesh_timestamp_of_parts", values)
    };
    match &values[..] {
        [micros] => sql(
            "to_timestamp_micros(x) AT TIME ZONE 'UTC'",
            &[("x", (*micros).clone())],
        ),
        [numbers @ .., zone] if numbers.len() == 6 => sql(
            "x AT TIME ZONE z",
            &[("x", parts(numbers)), ("z", (*zone).clone())],
        ),
        numbers if numbers.len() == 6 => sql(
            "CAST(x AS TIMESTAMP WITH TIME ZONE)",
            &[("x", parts(numbers))],
        ),
        other => Err(format!("takes 1, 6 or 7 arguments, not {}", other.len())),
    }
    .map(Some)
}

/// `make_interval`: numbers in their order, or by name.
pub(super) fn make_interval(arguments: &[FunctionArg]) -> Written {
    const PARTS: [(&str, &str); 7] = [
        ("years", "INTERVAL '1 year'"),
        ("months", "INTERVAL '1 month'"),
        ("weeks", "INTERVAL '7 days'"),
        ("days", "INTERVAL '1 day'"),
        ("hours", "INTERVAL '1 hour'"),
        ("mins", "INTERVAL '1 minute'"),
        ("secs", "INTERVAL '1 second'"),
    ];
    let mut sum: Option<Expr> = None;
    for (position, argument) in arguments.iter().enumerate() {
        let (place, value) = match argument {
            FunctionArg::Unnamed(value) => (Some(position), value),
            FunctionArg::Named { name, arg, .. }
            | FunctionArg::ExprNamed {
                name: Expr::Identifier(name),
                arg,
                ..
            } => {
                let name = normalized(name);
                (PARTS.iter().position(|(known, _)| *known == name), arg)
            }
            FunctionArg::ExprNamed { arg, .. } => (None, arg),
        };
        let part = place.and_then(|place| PARTS.get(place));
        let (Some((_, one)), FunctionArgExpr::Expr(value)) = (part, value) else {
            return Err(format!("cannot take `{argument}`"));
        };
        let part = sql(&format!("n * {one}"), &[("n", value.clone())])?;
        sum = Some(match sum {
            Some(sum) => binary(sum, BinaryOperator::Plus, part),
            None => part,
        });
    }
    match sum {
        Some(sum) => Ok(Some(Expr::Nested(Box::new(sum)))),
        None => Err("takes at least one number".to_owned()),
    }
}

/// `time_bucket`: where buckets begin depends on whether they are of months.
pub(super) fn time_bucket(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    match values[..] {
        [width, value] => {
            let shown = width.to_string().to_lowercase();
            let is_of_months = ["mon", "year", "quarter", "decade", "centur"]
                .iter()
                .any(|unit| shown.contains(unit));
            let origin = match is_of_months {
                true => "TIMESTAMP '2000-01-01 00:00:00'",
                false => "TIMESTAMP '2000-01-03 00:00:00'",
            };
            let values = [("w", width.clone()), ("x", moment(value))];
            sql(&format!("date_bin(w, x, {origin})"), &values).map(Some)
        }
        [width, value, origin] => {
            let arguments = vec![width.clone(), moment(value), moment(origin)];
            Ok(Some(call("date_bin", arguments)))
        }
        _ => Err(format!("takes 2 or 3 arguments, not {}", values.len())),
    }
}

/// `decode` with searches; with a format it is the function that reads bytes.
pub(super) fn decode(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let [value, pairs @ ..] = &values[..] else {
        return Ok(None);
    };
    if pairs.is_empty() {
        return sql(
            "CAST(CAST(x AS BLOB) AS VARCHAR)",
            &[("x", (*value).clone())],
        )
        .map(Some);
    }
    if pairs.len() < 2 {
        return Ok(None);
    }
    let same = |search: &Expr| {
        let value = Box::new(in_brackets((*value).clone()));
        Expr::IsNotDistinctFrom(value, Box::new(in_brackets(search.clone())))
    };
    let mut conditions = Vec::new();
    let mut otherwise = None;
    for pair in pairs.chunks(2) {
        match pair {
            [search, result] => conditions.push(CaseWhen {
                condition: same(search),
                result: (*result).clone(),
            }),
            [last] => otherwise = Some(Box::new((*last).clone())),
            _ => {}
        }
    }
    Ok(Some(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result: otherwise,
    }))
}

/// `sort_array`: Spark's order of NULL.
pub(super) fn sort_array(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let order = match values[..] {
        [_] => Some(true),
        [_, order] => match order.to_string().to_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => return Err("takes true or false for its order".to_owned()),
        },
        _ => None,
    };
    let Some(ascending) = order else {
        return Err(format!("takes 1 or 2 arguments, not {}", values.len()));
    };
    let order = match ascending {
        true => "array_sort(x, 'ASC', 'NULLS FIRST')",
        false => "array_sort(x, 'DESC', 'NULLS LAST')",
    };
    sql(order, &[("x", values[0].clone())]).map(Some)
}

/// `list_aggregate`: the aggregates that there are for lists.
pub(super) fn list_aggregate(arguments: &[FunctionArg]) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let [list, name] = values[..] else {
        return Err(format!("takes 2 arguments, not {}", values.len()));
    };
    let Some(name) = literal(name) else {
        return Err("takes the name of an aggregate as a text".to_owned());
    };
    let body = match name.to_lowercase().as_str() {
        "sum" => "array_sum(x)",
        "avg" | "mean" => "array_avg(x)",
        "min" => "array_min(x)",
        "max" => "array_max(x)",
        "product" => "array_product(x)",
        "count" => "length(array_compact(x))",
        "first" => "(x)[1]",
        "last" => "(x)[-1]",
        "any_value" => "array_any_value(x)",
        other => {
            return Err(format!(
                "knows no `{other}` over a list; unnest the list and aggregate its rows"
            ));
        }
    };
    sql(body, &[("x", list.clone())]).map(Some)
}

/// `struct_pack(name := value, …)`.
pub(super) fn struct_pack(arguments: &[FunctionArg]) -> Written {
    let mut values = Vec::with_capacity(arguments.len() * 2);
    for argument in arguments {
        let (name, value) =
            match argument {
                FunctionArg::Named { name, arg, .. }
                | FunctionArg::ExprNamed {
                    name: Expr::Identifier(name),
                    arg,
                    ..
                } => (name.clone(), arg),
                // A column has a name of its own.
                FunctionArg::Unnamed(arg @ FunctionArgExpr::Expr(Expr::Identifier(name))) => {
                    (name.clone(), arg)
                }
                FunctionArg::Unnamed(
                    arg @ FunctionArgExpr::Expr(Expr::CompoundIdentifier(names)),
                ) if !names.is_empty() => (names[names.len() - 1].clone(), arg),
                _ => return Err(format!("needs a name for `{argument}`")),
            };
        let FunctionArgExpr::Expr(value) = value else {
            return Err(format!("cannot take `{value}`"));
        };
        values.push(text(&field_name(&name)));
        values.push(value.clone());
    }
    match values.is_empty() {
        true => Err("takes at least one value".to_owned()),
        false => Ok(Some(call("named_struct", values))),
    }
}

fn field_name(name: &Ident) -> String {
    normalized(name)
}
