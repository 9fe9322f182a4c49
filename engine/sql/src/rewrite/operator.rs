//! Operators and calls that DataFusion lacks, by those that it has.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, CaseWhen, CastKind, DataType, DuplicateTreatment, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, NullTreatment,
    Spanned, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};

use super::{balanced, call};
use crate::dialect::POWER;
use crate::normalized;

/// Rewrites one expression.
pub(super) fn rewrite(expression: &mut Expr) {
    match expression {
        // All bits turned over.
        Expr::UnaryOp {
            op: UnaryOperator::BitwiseNot,
            expr,
        } => {
            let minus_one = Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: Box::new(Expr::value(Value::Number("1".to_owned(), false))),
            };
            *expression = Expr::Nested(Box::new(Expr::BinaryOp {
                left: expr.clone(),
                op: BinaryOperator::PGBitwiseXor,
                right: Box::new(minus_one),
            }));
        }
        Expr::BinaryOp { left, op, right } => {
            if let Some(written) = operation(left, op, right) {
                *expression = written;
            }
        }
        Expr::RLike {
            negated,
            expr,
            pattern,
            ..
        } => {
            *expression = Expr::BinaryOp {
                left: expr.clone(),
                op: match negated {
                    true => BinaryOperator::PGRegexNotMatch,
                    false => BinaryOperator::PGRegexMatch,
                },
                right: pattern.clone(),
            };
        }
        Expr::Value(value) => {
            if let Value::UnicodeStringLiteral(text) = &value.value {
                value.value = Value::SingleQuotedString(text.clone());
            }
        }
        Expr::AtTimeZone {
            timestamp,
            time_zone,
        } => {
            let place = timestamp.span();
            let arguments = vec![time_zone.as_ref().clone(), timestamp.as_ref().clone()];
            *expression = call("timezone", arguments, place);
        }
        // The planner forgets the rows around a query while it reads a list, but not for a call.
        Expr::Array(Array { elem, named: _ }) if !elem.is_empty() => {
            let place = elem[0].span();
            *expression = call("make_array", std::mem::take(elem), place);
        }
        // A row that is not compared is a structure.
        Expr::Tuple(values) if !values.is_empty() => {
            *expression = Expr::Struct {
                values: std::mem::take(values),
                fields: Vec::new(),
            };
        }
        Expr::Function(function) => match called(function).as_deref() {
            Some("count") => count(function),
            Some("any_value") => any_value(function),
            Some("product") => product(function),
            _ => {}
        },
        _ => {}
    }
}

/// Writes the operators of other databases by ours.
fn operation(left: &Expr, op: &mut BinaryOperator, right: &Expr) -> Option<Expr> {
    match op {
        // As DuckDB's: a quotient without a rest of integers, and any other quotient as it is.
        BinaryOperator::DuckIntegerDivide => {
            *op = BinaryOperator::Divide;
            None
        }
        // Lists that have an element in common, as in PostgreSQL and DuckDB.
        BinaryOperator::PGOverlap => {
            let place = left.span();
            let lists = vec![left.clone(), right.clone()];
            Some(call("array_has_any", lists, place))
        }
        BinaryOperator::MyIntegerDivide => Some(whole_quotient(left, right)),
        BinaryOperator::Custom(word) if word == POWER => {
            let place = left.span();
            Some(call("power", vec![left.clone(), right.clone()], place))
        }
        _ => None,
    }
}

/// `a DIV b` is the quotient without what is behind its point, as a BIGINT.
fn whole_quotient(left: &Expr, right: &Expr) -> Expr {
    let operation = |left: Expr, op, right: &Expr| {
        Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(left),
            op,
            right: Box::new(right.clone()),
        }))
    };
    let rest = operation(left.clone(), BinaryOperator::Modulo, right);
    let without_rest = operation(left.clone(), BinaryOperator::Minus, &rest);
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(operation(without_rest, BinaryOperator::Divide, right)),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    }
}

fn called(function: &Function) -> Option<String> {
    match function.name.0.as_slice() {
        [only] => only.as_ident().map(normalized),
        _ => None,
    }
}

/// `count(a, b)` counts the rows in which neither is NULL, as in Spark; DataFusion's count looks at the
/// first only where it counts by groups.
fn count(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else {
        return;
    };
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if list.args.len() < 2 {
        return;
    }
    let values: Option<Vec<Expr>> = list
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
            _ => None,
        })
        .collect();
    let Some(values) = values else { return };
    let known = values
        .iter()
        .map(|value| Expr::IsNotNull(Box::new(value.clone())));
    let condition = balanced(known.collect(), BinaryOperator::And);
    let result = match is_distinct {
        true => Expr::Struct {
            values,
            fields: Vec::new(),
        },
        false => Expr::value(Value::Boolean(true)),
    };
    let counted = Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result }],
        else_result: None,
    };
    list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(counted))];
}

/// `any_value(x ORDER BY y)` is the first value that is not NULL; DataFusion's drops the order.
fn any_value(function: &mut Function) {
    let FunctionArguments::List(list) = &function.args else {
        return;
    };
    let is_ordered = list
        .clauses
        .iter()
        .any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    if is_ordered && function.over.is_none() {
        let mut name = Ident::new("first_value");
        if let Some(written) = function.name.0.first().and_then(|part| part.as_ident()) {
            name.span = written.span;
        }
        function.name = ObjectName::from(vec![name]);
        function.null_treatment = Some(NullTreatment::IgnoreNulls);
    }
}

/// The aggregate that `product` is with one argument.
pub const PRODUCT_OF_ROWS: &str = "product_of_rows";

/// `product(x)` is the product over rows; with more arguments it multiplies the columns of a row.
fn product(function: &mut Function) {
    let FunctionArguments::List(list) = &function.args else {
        return;
    };
    if list.args.len() == 1 {
        let mut name = Ident::new(PRODUCT_OF_ROWS);
        if let Some(written) = function.name.0.first().and_then(|part| part.as_ident()) {
            name.span = written.span;
        }
        function.name = ObjectName::from(vec![name]);
    }
}
