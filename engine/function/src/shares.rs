//! Quantiles of several shares at once: `quantile_disc(x, [0.25, 0.5])` is a list of one quantile each.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    CaseWhen, Expr, Function as Tree, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use crate::expand::{call, elements_of, in_brackets};

/// The aggregates whose share may be a list, in DuckDB, PostgreSQL or Spark.
const NAMES: &[&str] = &[
    "quantile",
    "quantile_cont",
    "quantile_disc",
    "approx_quantile",
    "approx_percentile",
    "percentile",
    "percentile_approx",
    "percentile_cont",
    "percentile_disc",
];

/// The list that a call with a list of shares stands for; it is NULL where there is no value, as theirs is.
pub(crate) fn several(name: &str, call_of_one: &Tree) -> Option<Expr> {
    if !NAMES.contains(&name) {
        return None;
    }
    let FunctionArguments::List(list) = &call_of_one.args else {
        return None;
    };
    // PostgreSQL's has the share alone in its brackets.
    let place = list.args.len().min(2).checked_sub(1)?;
    let shares = elements(list.args.get(place)?)?;
    let one_each: Vec<Expr> = shares
        .iter()
        .map(|share| {
            let mut one = call_of_one.clone();
            if let FunctionArguments::List(list) = &mut one.args {
                list.args[place] = FunctionArg::Unnamed(FunctionArgExpr::Expr(share.clone()));
            }
            Expr::Function(one)
        })
        .collect();
    let first = one_each.first()?.clone();
    Some(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition: Expr::IsNotNull(Box::new(in_brackets(first))),
            result: call("make_array", one_each),
        }],
        else_result: None,
    })
}

fn elements(argument: &FunctionArg) -> Option<Vec<Expr>> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => elements_of(value),
        _ => None,
    }
}
