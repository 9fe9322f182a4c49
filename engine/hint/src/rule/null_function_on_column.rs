//! `coalesce(x, 0) > 10`, `nvl(x, '') = 'a'`.

use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::ast::{bare, binary, bracketed, call, is_literal};
use crate::range::{each_comparison, finding, scalar};
use crate::rewrite;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "null-function-on-column",
    summary: "A filter replaces NULL in a column before it compares it.",
    advice: "Compare the column itself. Where the replacement would not pass, NULL does not pass either \
             and the function can go; where it would, add `OR x IS NULL`.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(*) FROM events WHERE coalesce(code, '') = 'c000012'",
    silent: "SELECT count(*) FROM events WHERE code = 'c000012'",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let rewritten = rewrite::positive_conditions(evidence, |found, scope| {
        // It keeps the rows whose NULL is replaced by the value.
        if matches!(bare(found), Expr::IsNotDistinctFrom(..)) {
            return None;
        }
        let table = std::cell::Cell::new(None);
        let after = each_comparison(found, &|left, op, right| {
            let (name, arguments) = call(left)?;
            let ("coalesce" | "nvl" | "ifnull", [column, replacement]) =
                (name.as_str(), arguments.as_slice())
            else {
                return None;
            };
            let facts = scope.column(column)?;
            table.set(Some(facts.table));
            let replaced =
                scalar(replacement, facts.data_type()).filter(|_| is_literal(replacement))?;
            let value = scalar(right, facts.data_type())?;
            let plain = binary((*column).clone(), op.clone(), right.clone());
            Some(match passes(&replaced, op, &value)? {
                false => plain,
                true => bracketed(binary(
                    plain,
                    BinaryOperator::Or,
                    Expr::IsNull(Box::new((*column).clone())),
                )),
            })
        })?;
        Some((after, table.get()?))
    });
    let why = "hides the column behind a function that replaces NULL";
    rewritten
        .map(|rewritten| finding(evidence, rewritten, why))
        .into_iter()
        .collect()
}

fn passes(replaced: &ScalarValue, op: &BinaryOperator, value: &ScalarValue) -> Option<bool> {
    let order = replaced.partial_cmp(value)?;
    Some(match op {
        BinaryOperator::Eq => order.is_eq(),
        BinaryOperator::NotEq => order.is_ne(),
        BinaryOperator::Lt => order.is_lt(),
        BinaryOperator::LtEq => order.is_le(),
        BinaryOperator::Gt => order.is_gt(),
        BinaryOperator::GtEq => order.is_ge(),
        _ => return None,
    })
}
