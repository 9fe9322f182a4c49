//! `x -> x + 1` as an argument: a function that is called for each element of a list.
//!
//! The arrow is also the operator that takes a value out of a JSON text, so that only the functions that are
//! known to take one read their last argument as a lambda. The parser has read the arrow as an operator, of the
//! rank that such operators have: `x -> x > 1` came as `(x -> x) > 1`. The arrow is looked for at the left end.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    LambdaFunction, LambdaFunctionParameter, LambdaSyntax, OneOrManyWithParens,
};

use crate::expand::renamed as called;

/// The call under another name, with lambdas in the place of arrows.
pub(crate) fn renamed(call: &Function, other: &str) -> Result<Expr, String> {
    let mut call = call.clone();
    let FunctionArguments::List(list) = &mut call.args else {
        return Err("takes arguments in brackets".to_owned());
    };
    let mut found = false;
    for argument in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument {
            found |= matches!(value, Expr::Lambda(_));
            if let Some(lambda) = lambda(value) {
                *value = lambda;
                found = true;
            }
        }
    }
    match found {
        true => Ok(called(&call, other)),
        false => Err("takes a lambda, as in x -> x + 1".to_owned()),
    }
}

/// Says whether a lambda of a call takes the place of an element too.
pub(crate) fn takes_place(call: &Function) -> bool {
    let FunctionArguments::List(list) = &call.args else {
        return false;
    };
    list.args.iter().any(|argument| {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument else {
            return false;
        };
        let found = lambda(value);
        matches!(
            found.as_ref().unwrap_or(value),
            Expr::Lambda(LambdaFunction {
                params: OneOrManyWithParens::Many(names),
                ..
            }) if names.len() == 2
        )
    })
}

/// Says whether a call has been given lambdas already.
pub(crate) fn has_lambda(call: &Function) -> bool {
    match &call.args {
        FunctionArguments::List(list) => list.args.iter().any(|argument| {
            matches!(
                argument,
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Lambda(_)))
            )
        }),
        _ => false,
    }
}

/// Reads an expression with an arrow at its left end as a lambda.
pub fn lambda(expression: &Expr) -> Option<Expr> {
    let mut body = expression.clone();
    let parameters = take_parameters(&mut body)?;
    Some(Expr::Lambda(LambdaFunction {
        params: parameters,
        body: Box::new(body),
        syntax: LambdaSyntax::Arrow,
    }))
}

/// Takes `x ->` from the left end of an expression.
fn take_parameters(expression: &mut Expr) -> Option<OneOrManyWithParens<LambdaFunctionParameter>> {
    if let Expr::BinaryOp {
        left,
        op: BinaryOperator::Arrow,
        right,
    } = expression
        && let Some(parameters) = parameters(left)
    {
        let body = std::mem::replace(&mut **right, Expr::Identifier(Ident::new("")));
        *expression = body;
        return Some(parameters);
    }
    take_parameters(left_end(expression)?)
}

fn left_end(expression: &mut Expr) -> Option<&mut Expr> {
    let inner: &mut Box<Expr> = match expression {
        Expr::BinaryOp { left, .. } => left,
        Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner)
        | Expr::IsUnknown(inner)
        | Expr::IsNotUnknown(inner) => inner,
        Expr::IsDistinctFrom(left, _) | Expr::IsNotDistinctFrom(left, _) => left,
        Expr::Between { expr, .. }
        | Expr::InList { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::ILike { expr, .. }
        | Expr::SimilarTo { expr, .. }
        | Expr::Cast { expr, .. } => expr,
        Expr::AtTimeZone { timestamp, .. } => timestamp,
        _ => return None,
    };
    Some(inner.as_mut())
}

fn parameters(expression: &Expr) -> Option<OneOrManyWithParens<LambdaFunctionParameter>> {
    let parameter = |expression: &Expr| match expression {
        Expr::Identifier(name) => Some(LambdaFunctionParameter {
            name: name.clone(),
            data_type: None,
        }),
        _ => None,
    };
    match expression {
        Expr::Identifier(_) => parameter(expression).map(OneOrManyWithParens::One),
        Expr::Nested(inner) => parameters(inner),
        // The parser makes a structure of a row that is not compared.
        Expr::Tuple(names) | Expr::Struct { values: names, .. } => {
            let names = names.iter().map(parameter).collect::<Option<Vec<_>>>()?;
            Some(OneOrManyWithParens::Many(names))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lakesh_sql::parse_expression;

    use super::lambda;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let expression = parse_expression(text).unwrap();
        let found = lambda(&expression);
        let shown = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_arrow_at_the_left_end_makes_a_lambda() {
        check("x -> x + 1", "x -> x + 1");
        check("x -> x > 1 AND x < 5", "x -> x > 1 AND x < 5");
        check("x -> x IS NULL", "x -> x IS NULL");
        check("(x, y) -> x + y", "(x, y) -> x + y");
        check("x -> x BETWEEN 1 AND 2", "x -> x BETWEEN 1 AND 2");
        check("x + 1", "none");
    }
}
