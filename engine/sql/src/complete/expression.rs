//! Expressions and literals.

use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, CastKind, CeilFloorKind, DateTimeField, Expr, Interval, LambdaFunction,
    Spanned, TypedString, UnaryOperator, Value, ValueWithSpan,
};

use super::{Checked, Refusal, call};
use crate::dialect::POWER;

/// Checks one expression; those below it are visited on their own.
pub(super) fn expression(expression: &Expr) -> Checked {
    let what = match expression {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::JsonAccess { value: _, path: _ }
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(_, _)
        | Expr::IsNotDistinctFrom(_, _)
        | Expr::InList {
            expr: _,
            list: _,
            negated: _,
        }
        | Expr::InSubquery {
            expr: _,
            subquery: _,
            negated: _,
        }
        | Expr::Between {
            expr: _,
            negated: _,
            low: _,
            high: _,
        }
        | Expr::AnyOp {
            left: _,
            compare_op: _,
            right: _,
            is_some: _,
        }
        | Expr::AllOp {
            left: _,
            compare_op: _,
            right: _,
        }
        | Expr::AtTimeZone {
            timestamp: _,
            time_zone: _,
        }
        | Expr::Extract {
            field: _,
            syntax: _,
            expr: _,
        }
        | Expr::Position { expr: _, r#in: _ }
        | Expr::Substring {
            expr: _,
            substring_from: _,
            substring_for: _,
            special: _,
            shorthand: _,
        }
        | Expr::Overlay {
            expr: _,
            overlay_what: _,
            overlay_from: _,
            overlay_for: _,
        }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(TypedString {
            data_type: _,
            value: _,
            uses_odbc_syntax: _,
        })
        | Expr::Exists {
            subquery: _,
            negated: _,
        }
        | Expr::Subquery(_)
        | Expr::GroupingSets(_)
        | Expr::Cube(_)
        | Expr::Rollup(_)
        | Expr::Tuple(_)
        | Expr::Named { expr: _, name: _ }
        | Expr::Dictionary(_)
        | Expr::Map(_)
        | Expr::Array(Array { elem: _, named: _ })
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(_, _)
        | Expr::Lambda(LambdaFunction {
            params: _,
            body: _,
            syntax: _,
        }) => return Ok(()),
        Expr::CompoundFieldAccess {
            root: _,
            access_chain: _,
        } => return Ok(()),
        Expr::Like {
            negated: _,
            any,
            expr: _,
            pattern: _,
            escape_char: _,
        }
        | Expr::ILike {
            negated: _,
            any,
            expr: _,
            pattern: _,
            escape_char: _,
        } => match any {
            false => return Ok(()),
            true => "LIKE ANY (join conditions with OR)",
        },
        Expr::SimilarTo {
            negated: _,
            expr: _,
            pattern: _,
            escape_char: _,
        } => return Ok(()),
        Expr::RLike {
            negated: _,
            expr: _,
            pattern: _,
            regexp: _,
        } => return Ok(()),
        Expr::BinaryOp {
            left: _,
            op,
            right: _,
        } => return binary(op, expression),
        Expr::UnaryOp { op, expr: _ } => match op {
            UnaryOperator::Plus
            | UnaryOperator::Minus
            | UnaryOperator::Not
            | UnaryOperator::BitwiseNot => return Ok(()),
            UnaryOperator::AtDashAt
            | UnaryOperator::BangNot
            | UnaryOperator::DoubleAt
            | UnaryOperator::Hash
            | UnaryOperator::PGAbs
            | UnaryOperator::PGCubeRoot
            | UnaryOperator::PGPostfixFactorial
            | UnaryOperator::PGPrefixFactorial
            | UnaryOperator::PGSquareRoot
            | UnaryOperator::QuestionDash
            | UnaryOperator::QuestionPipe => {
                return refused(expression, &format!("the operator `{op}`"));
            }
        },
        Expr::Cast {
            kind: CastKind::Cast | CastKind::TryCast | CastKind::SafeCast | CastKind::DoubleColon,
            expr: _,
            data_type: _,
            array,
            format,
        } => match (array, format) {
            (true, _) => "CAST … ARRAY",
            (_, Some(_)) => "CAST … FORMAT (use to_char or to_timestamp)",
            (false, None) => return Ok(()),
        },
        Expr::Ceil { expr: _, field } => match has_field(field) {
            true => "CEIL … TO (use date_trunc, or a division)",
            false => return Ok(()),
        },
        Expr::Floor { expr: _, field } => match has_field(field) {
            true => "FLOOR … TO (use date_trunc)",
            false => return Ok(()),
        },
        Expr::Trim {
            trim_where: _,
            trim_what: _,
            expr: _,
            trim_characters,
        } => match trim_characters.as_ref().map_or(0, Vec::len) {
            0 | 1 => return Ok(()),
            _ => "TRIM with more than one text of characters",
        },
        Expr::Function(function) => return call::function(function),
        Expr::Case {
            case_token: _,
            end_token: _,
            operand: _,
            conditions: _,
            else_result: _,
        } => return Ok(()),
        Expr::Struct { values: _, fields } => match fields.is_empty() {
            true => return Ok(()),
            false => "STRUCT with types (use named_struct and CAST)",
        },
        Expr::Interval(Interval {
            value: _,
            leading_field: _,
            leading_precision,
            last_field,
            fractional_seconds_precision,
        }) => match (leading_precision, last_field, fractional_seconds_precision) {
            (None, None, None) => return Ok(()),
            (_, Some(_), _) => "INTERVAL … TO",
            _ => "an INTERVAL with a precision",
        },
        Expr::IsNormalized {
            expr: _,
            form: _,
            negated: _,
        } => "IS NORMALIZED",
        Expr::InUnnest {
            expr: _,
            array_expr: _,
            negated: _,
        } => "IN UNNEST (use array_has)",
        Expr::Convert { .. } => "CONVERT (use CAST)",
        Expr::Collate {
            expr: _,
            collation: _,
        } => {
            return Err(Refusal::at(
                expression.span().start,
                "COLLATE is not supported: texts are ordered by their bytes",
            ));
        }
        Expr::Prefixed {
            prefix: _,
            value: _,
        } => "a text with the name of its characters",
        Expr::MatchAgainst { .. } => "MATCH … AGAINST",
        Expr::OuterJoin(_) => "(+) (write LEFT JOIN)",
        Expr::Prior(_) => "PRIOR (use WITH RECURSIVE)",
        Expr::MemberOf(_) => "MEMBER OF (use array_has)",
    };
    refused(expression, what)
}

fn refused(expression: &Expr, what: &str) -> Checked {
    Err(Refusal::at(
        expression.span().start,
        format!("{what} is not supported"),
    ))
}

fn has_field(kind: &CeilFloorKind) -> bool {
    match kind {
        CeilFloorKind::DateTimeField(field) => *field != DateTimeField::NoDateTime,
        CeilFloorKind::Scale(_) => true,
    }
}

fn binary(op: &BinaryOperator, expression: &Expr) -> Checked {
    match op {
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::StringConcat
        | BinaryOperator::Gt
        | BinaryOperator::Lt
        | BinaryOperator::GtEq
        | BinaryOperator::LtEq
        | BinaryOperator::Spaceship
        | BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::And
        | BinaryOperator::Or
        | BinaryOperator::Xor
        | BinaryOperator::BitwiseOr
        | BinaryOperator::BitwiseAnd
        | BinaryOperator::BitwiseXor
        | BinaryOperator::DuckIntegerDivide
        | BinaryOperator::MyIntegerDivide
        | BinaryOperator::PGBitwiseXor
        | BinaryOperator::PGBitwiseShiftLeft
        | BinaryOperator::PGBitwiseShiftRight
        | BinaryOperator::PGExp
        | BinaryOperator::PGRegexMatch
        | BinaryOperator::PGRegexIMatch
        | BinaryOperator::PGRegexNotMatch
        | BinaryOperator::PGRegexNotIMatch
        | BinaryOperator::PGLikeMatch
        | BinaryOperator::PGILikeMatch
        | BinaryOperator::PGNotLikeMatch
        | BinaryOperator::PGNotILikeMatch
        | BinaryOperator::PGOverlap
        // These have a meaning where a function for them is registered, and an error elsewhere.
        | BinaryOperator::Arrow
        | BinaryOperator::LongArrow
        | BinaryOperator::HashArrow
        | BinaryOperator::HashLongArrow
        | BinaryOperator::AtAt
        | BinaryOperator::AtArrow
        | BinaryOperator::ArrowAt
        | BinaryOperator::HashMinus
        | BinaryOperator::AtQuestion
        | BinaryOperator::Question
        | BinaryOperator::QuestionAnd
        | BinaryOperator::QuestionPipe => Ok(()),
        BinaryOperator::Custom(word) if word == POWER => Ok(()),
        BinaryOperator::Match
        | BinaryOperator::Regexp
        | BinaryOperator::Custom(_)
        | BinaryOperator::PGStartsWith
        | BinaryOperator::PGCustomBinaryOperator(_)
        | BinaryOperator::Overlaps
        | BinaryOperator::DoubleHash
        | BinaryOperator::LtDashGt
        | BinaryOperator::AndLt
        | BinaryOperator::AndGt
        | BinaryOperator::LtLtPipe
        | BinaryOperator::PipeGtGt
        | BinaryOperator::AndLtPipe
        | BinaryOperator::PipeAndGt
        | BinaryOperator::LtCaret
        | BinaryOperator::GtCaret
        | BinaryOperator::QuestionHash
        | BinaryOperator::QuestionDash
        | BinaryOperator::QuestionDashPipe
        | BinaryOperator::QuestionDoublePipe
        | BinaryOperator::At
        | BinaryOperator::TildeEq
        | BinaryOperator::Assignment => refused(expression, &format!("the operator `{op}`")),
    }
}

/// Checks one literal.
pub(super) fn value(value: &ValueWithSpan) -> Checked {
    let ValueWithSpan { value, span } = value;
    match value {
        Value::Number(_, _)
        | Value::SingleQuotedString(_)
        | Value::DoubleQuotedString(_)
        | Value::DollarQuotedString(_)
        | Value::EscapedStringLiteral(_)
        | Value::UnicodeStringLiteral(_)
        | Value::NationalStringLiteral(_)
        | Value::HexStringLiteral(_)
        | Value::Boolean(_)
        | Value::Null
        | Value::Placeholder(_) => Ok(()),
        Value::TripleSingleQuotedString(_)
        | Value::TripleDoubleQuotedString(_)
        | Value::SingleQuotedByteStringLiteral(_)
        | Value::DoubleQuotedByteStringLiteral(_)
        | Value::TripleSingleQuotedByteStringLiteral(_)
        | Value::TripleDoubleQuotedByteStringLiteral(_)
        | Value::SingleQuotedRawStringLiteral(_)
        | Value::DoubleQuotedRawStringLiteral(_)
        | Value::TripleSingleQuotedRawStringLiteral(_)
        | Value::TripleDoubleQuotedRawStringLiteral(_)
        | Value::QuoteDelimitedStringLiteral(_)
        | Value::NationalQuoteDelimitedStringLiteral(_) => Err(Refusal::at(
            span.start,
            format!("a text written as {value} is not supported; write '…', E'…' or X'…'"),
        )),
    }
}
