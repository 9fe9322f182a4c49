//! Gives numbers their types before they are planned: `0.1` is a DECIMAL, `1e-1` a DOUBLE.
//!
//! DataFusion knows one switch for both. With it on, `1e5` is a DECIMAL of scale -5; with it off, `0.1` is a
//! DOUBLE. Here the switch is on, and a number with an exponent becomes a cast of its text. Whole numbers
//! beyond BIGINT are DECIMAL too; DataFusion would take them for UBIGINT, which no Delta table can hold.
//! The rows of VALUES, whose types are found where nobody can help, are made alike here.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, ExactNumberInfo, Expr, Query, SelectItem, SetExpr,
    UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut, WindowFrame, WindowFrameBound,
    WindowType,
};

use super::{ParseResult, syntax_error};
use crate::digits::{Digits, MOST_DIGITS, PLAIN_DIGITS};

/// The digits behind the point of a recursive query's DECIMAL that starts with a number written out.
const RECURSIVE_SCALE: usize = 18;

/// Finds the type of an expression that names no column; `None` where it has none.
pub type TypeOf<'a> = &'a dyn Fn(&Expr) -> Option<DataType>;

/// Gives the numbers of a statement their types.
pub fn type_numbers(statement: &mut ParsedStatement, type_of: TypeOf<'_>) -> ParseResult<()> {
    match statement {
        ParsedStatement::Statement(statement) => type_numbers_in(statement.as_mut(), type_of),
        ParsedStatement::Explain(explain) => type_numbers(&mut explain.statement, type_of),
        ParsedStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => type_numbers_in(query, type_of),
            CopyToSource::Relation(_) => Ok(()),
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(()),
    }
}

/// Gives the numbers of a tree their types.
pub fn type_numbers_in<T: VisitMut>(tree: &mut T, type_of: TypeOf<'_>) -> ParseResult<()> {
    match tree.visit(&mut Typing { type_of }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Typing<'a> {
    type_of: TypeOf<'a>,
}

impl VisitorMut for Typing<'_> {
    type Break = DataFusionError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        if let Some(with) = query.with.as_mut().filter(|with| with.recursive) {
            for table in &mut with.cte_tables {
                widen_first_row(&mut table.query);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        let mut left_to_do = vec![query.body.as_mut()];
        while let Some(body) = left_to_do.pop() {
            match body {
                SetExpr::Values(values) => {
                    let rows = values.rows.iter_mut();
                    let mut rows: Vec<_> = rows.map(|row| row.content.as_mut_slice()).collect();
                    self.make_alike(&mut rows);
                }
                SetExpr::SetOperation { left, right, .. } => {
                    left_to_do.extend([left.as_mut(), right.as_mut()]);
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<DataFusionError> {
        let typed = match expression {
            Expr::Value(ValueWithSpan {
                value: Value::Number(text, _),
                span,
            }) => match typed(text) {
                Ok(typed) => typed,
                Err(message) => {
                    return ControlFlow::Break(syntax_error(&message, span.start));
                }
            },
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => {
                least_integer(expr);
                None
            }
            Expr::Function(function) => {
                if let Some(WindowType::WindowSpec(window)) = &mut function.over
                    && let Some(frame) = &mut window.window_frame
                {
                    bounds_as_written(frame);
                }
                None
            }
            _ => None,
        };
        if let Some(typed) = typed {
            *expression = typed;
        }
        ControlFlow::Continue(())
    }
}

/// Returns what stands for a number that the planner would take for something else.
fn typed(text: &str) -> Result<Option<Expr>, String> {
    if text.contains(['e', 'E']) {
        return match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(double(text))),
            _ => Err(format!("`{text}` is out of the range of a DOUBLE")),
        };
    }
    let Some(digits) = Digits::of(text) else {
        return Ok(None);
    };
    if digits.count() > usize::from(MOST_DIGITS) {
        return Err(format!(
            "a number of {} digits: a DECIMAL has {MOST_DIGITS} at most, and `{}e0` is a DOUBLE",
            digits.count(),
            shortened(text)
        ));
    }
    let is_whole = !text.contains('.');
    Ok((is_whole && text.parse::<i64>().is_err()).then(|| number(format!("{text}."))))
}

fn shortened(text: &str) -> String {
    let start: String = text.chars().take(20).collect();
    format!("{start}…")
}

fn number(text: String) -> Expr {
    Expr::value(Value::Number(text, false))
}

fn double(text: &str) -> Expr {
    cast(
        Expr::value(Value::SingleQuotedString(text.to_owned())),
        SqlType::Double(ExactNumberInfo::None),
    )
}

fn cast(expression: Expr, data_type: SqlType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expression),
        data_type,
        array: false,
        format: None,
    }
}

/// `-9223372036854775808` is a BIGINT, although the number behind the sign is none.
fn least_integer(operand: &mut Expr) {
    if let Expr::Value(ValueWithSpan {
        value: Value::Number(text, _),
        ..
    }) = operand
        && let Some(digits) = text.strip_suffix('.')
        && format!("-{digits}").parse::<i64>().is_ok()
    {
        *text = digits.to_owned();
    }
}

/// The first row of a recursive query gives the types of all, and `1.0` has no room for what comes.
fn widen_first_row(query: &mut Query) {
    let SetExpr::SetOperation { left, .. } = query.body.as_mut() else {
        return;
    };
    let SetExpr::Select(select) = left.as_mut() else {
        return;
    };
    for item in &mut select.projection {
        let (SelectItem::UnnamedExpr(expression)
        | SelectItem::ExprWithAlias {
            expr: expression, ..
        }) = item
        else {
            continue;
        };
        let mut number = &*expression;
        while let Expr::UnaryOp { expr, .. } | Expr::Nested(expr) = number {
            number = expr;
        }
        if let Expr::Value(ValueWithSpan {
            value: Value::Number(text, _),
            ..
        }) = number
            && text.contains('.')
            && let Some(digits) = Digits::of(text)
            && digits.scale <= RECURSIVE_SCALE
        {
            let room =
                ExactNumberInfo::PrecisionAndScale(PLAIN_DIGITS.into(), RECURSIVE_SCALE as i64);
            *expression = cast(expression.clone(), SqlType::Decimal(room));
        }
    }
}

/// The planner reads the bounds of frames as they are written.
fn bounds_as_written(frame: &mut WindowFrame) {
    for bound in [Some(&mut frame.start_bound), frame.end_bound.as_mut()] {
        if let Some(
            WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)),
        ) = bound
            && let Expr::Cast { expr, .. } = bound.as_ref()
            && let Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) = expr.as_ref()
            && text.parse::<f64>().is_ok()
        {
            **bound = number(text.clone());
        }
    }
}

/// What stands in one place of VALUES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Null,
    Whole(Digits),
    Decimal(Digits),
    Double,
    /// A text that is a number, if one is wanted.
    Text(Digits),
    /// A text that is a number which no DECIMAL holds, `'NaN'` for one.
    TextOfDouble,
}

impl Typing<'_> {
    /// Casts the numbers of each column to one type where the planner's would lose something.
    fn make_alike(&self, rows: &mut [&mut [Expr]]) {
        let columns = rows.first().map_or(0, |row| row.len());
        if rows.len() < 2 || rows.iter().any(|row| row.len() != columns) {
            return;
        }
        for column in 0..columns {
            // The first value that is no number decides: of long columns of days or texts one is looked at.
            let cells = rows.iter().map(|row| self.cell(&row[column]));
            let Some(cells) = cells.collect::<Option<Vec<_>>>() else {
                continue;
            };
            let Some(target) = common(&cells) else {
                continue;
            };
            for (row, cell) in rows.iter_mut().zip(&cells) {
                if !matches!(cell, Cell::Null | Cell::Double) {
                    row[column] = cast_to(&row[column], &target);
                }
            }
        }
    }

    /// Returns what stands in a place; `None` where that is no number.
    fn cell(&self, expression: &Expr) -> Option<Cell> {
        match expression {
            Expr::Value(ValueWithSpan { value, .. }) => match value {
                Value::Null => Some(Cell::Null),
                Value::Number(text, _) => {
                    let digits = Digits::of(text)?;
                    Some(match text.contains('.') {
                        true => Cell::Decimal(digits),
                        false => Cell::Whole(digits),
                    })
                }
                Value::SingleQuotedString(text) => {
                    let number = text.trim().trim_start_matches(['-', '+']);
                    match Digits::of(number) {
                        Some(digits) => Some(Cell::Text(digits)),
                        None => number.parse::<f64>().ok().map(|_| Cell::TextOfDouble),
                    }
                }
                Value::Boolean(_) => None,
                _ => self.planned(expression),
            },
            Expr::TypedString(_) | Expr::Interval(_) => None,
            Expr::UnaryOp {
                op: UnaryOperator::Minus | UnaryOperator::Plus,
                expr,
            }
            | Expr::Nested(expr) => match self.cell(expr)? {
                Cell::Text(_) | Cell::TextOfDouble => None,
                number => Some(number),
            },
            other => self.planned(other),
        }
    }

    fn planned(&self, expression: &Expr) -> Option<Cell> {
        let data_type = (self.type_of)(expression)?;
        if data_type.is_null() {
            return Some(Cell::Null);
        }
        if data_type.is_floating() {
            return Some(Cell::Double);
        }
        let digits = Digits::of_type(&data_type)?;
        Some(match data_type.is_decimal() {
            true => Cell::Decimal(digits),
            false => Cell::Whole(digits),
        })
    }
}

/// Returns the type for a column of VALUES; `None` where the planner's is right.
fn common(cells: &[Cell]) -> Option<SqlType> {
    let mut digits = Digits::default();
    let (mut has_double, mut has_decimal, mut has_text) = (false, false, false);
    for cell in cells {
        match cell {
            Cell::Null => {}
            Cell::Whole(more) => digits = digits.both(*more),
            Cell::Decimal(more) => {
                has_decimal = true;
                digits = digits.both(*more);
            }
            Cell::Text(more) => {
                has_text = true;
                digits = digits.both(*more);
            }
            Cell::Double | Cell::TextOfDouble => has_double = true,
        }
    }
    if !has_decimal {
        return None;
    }
    if has_double {
        return Some(SqlType::Double(ExactNumberInfo::None));
    }
    let fits = digits.count() <= usize::from(PLAIN_DIGITS) && !has_text;
    let (precision, scale) = (digits.count().max(1), digits.scale);
    let decimal = ExactNumberInfo::PrecisionAndScale(precision as u64, scale as i64);
    (!fits && precision <= usize::from(MOST_DIGITS)).then_some(SqlType::Decimal(decimal))
}

/// Casts a number; one that is written out goes from its text, so that no digit is lost on the way.
fn cast_to(expression: &Expr, target: &SqlType) -> Expr {
    match expression {
        Expr::Value(ValueWithSpan {
            value: Value::Number(text, _),
            ..
        }) => cast(
            Expr::value(Value::SingleQuotedString(
                text.trim_end_matches('.').to_owned(),
            )),
            target.clone(),
        ),
        Expr::UnaryOp { op, expr } => Expr::UnaryOp {
            op: *op,
            expr: Box::new(cast_to(expr, target)),
        },
        Expr::Nested(expr) => Expr::Nested(Box::new(cast_to(expr, target))),
        other => cast(other.clone(), target.clone()),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::DataType;
    use datafusion::sql::parser::DFParser;
    use datafusion::sql::sqlparser::ast::Expr;

    use super::type_numbers;

    fn typed(text: &str) -> Result<String, String> {
        let mut statements = DFParser::parse_sql(text).expect("it parses");
        // The only casts of these statements are those to DOUBLE.
        let type_of = |expression: &Expr| match expression {
            Expr::Cast { .. } => Some(DataType::Float64),
            _ => None,
        };
        type_numbers(&mut statements[0], &type_of).map_err(|error| error.strip_backtrace())?;
        Ok(statements[0].to_string())
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(typed(text).as_deref(), Ok(expected));
    }

    #[test]
    fn an_exponent_makes_a_double() {
        check(
            "SELECT 1.50, 1e5, -2.5E-3",
            "SELECT 1.50, CAST('1e5' AS DOUBLE), -CAST('2.5E-3' AS DOUBLE)",
        );
        check(
            "SELECT sum(x) OVER (ORDER BY x RANGE BETWEEN 1e1 PRECEDING AND CURRENT ROW)",
            "SELECT sum(x) OVER (ORDER BY x RANGE BETWEEN 1e1 PRECEDING AND CURRENT ROW)",
        );
        assert!(typed("SELECT 1e999").is_err());
    }

    #[test]
    fn what_is_beyond_bigint_is_a_decimal() {
        check(
            "SELECT 9223372036854775807, 9223372036854775808, -9223372036854775808, -9223372036854775809",
            "SELECT 9223372036854775807, 9223372036854775808., -9223372036854775808, -9223372036854775809.",
        );
        let digits = "1".repeat(77);
        assert!(typed(&format!("SELECT {digits}")).is_err());
        assert!(typed(&format!("SELECT {}", &digits[1..])).is_ok());
    }

    #[test]
    fn columns_of_values_are_of_one_type() {
        check("VALUES (1), (0.5)", "VALUES (1), (0.5)");
        check(
            "VALUES (0.5), (1e0), (NULL), (-2)",
            "VALUES (CAST('0.5' AS DOUBLE)), (CAST('1e0' AS DOUBLE)), (NULL), (-CAST('2' AS DOUBLE))",
        );
        check(
            "VALUES (0.55), ('0.555')",
            "VALUES (CAST('0.55' AS DECIMAL(3,3))), (CAST('0.555' AS DECIMAL(3,3)))",
        );
        check("VALUES (0.5), ('a')", "VALUES (0.5), ('a')");
        check(
            "VALUES (0.5), ('NaN')",
            "VALUES (CAST('0.5' AS DOUBLE)), (CAST('NaN' AS DOUBLE))",
        );
    }

    #[test]
    fn a_recursive_query_has_room() {
        check(
            "WITH RECURSIVE r AS (SELECT 1 AS n, 1.0 AS x UNION ALL SELECT n + 1, x * 1.5 FROM r) SELECT x FROM r",
            "WITH RECURSIVE r AS (SELECT 1 AS n, CAST(1.0 AS DECIMAL(38,18)) AS x UNION ALL SELECT n + 1, x * 1.5 FROM r) SELECT x FROM r",
        );
    }
}
