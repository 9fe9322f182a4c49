//! DataFusion's simplifier, kept from what it gets wrong.
//!
//! DataFusion 55.2 forgets NULL where it combines lists: `k NOT IN (1) OR k NOT IN (2)` becomes true and
//! `k IN (1) AND k IN (2)` false, both also for NULL, and lists are taken as sets of constants although columns
//! and NULL can stand in them (apache/datafusion 24246). `s ~ '.*'` becomes `s IS NOT NULL`, which is false
//! where it has to be unknown (24379), and a backslash that a regular expression asks for becomes LIKE's escape.
//! Such parts stand as functions without a meaning while the rest is simplified, and are simplified alone.

mod hidden;
mod risk;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{BinaryExpr, Expr, Like, LogicalPlan, Operator, lit};
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyExpressions};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::common_number::alike;
use crate::conversion::convert;
use crate::negation::subtract_from_zero;
use crate::rewrite::input_schema;
use crate::time::coerced;
use hidden::{Kept, hidden, revealed};
use risk::{Context, is_leaf, is_risky};

/// Stands in the place of `simplify_expressions`.
#[derive(Debug, Default)]
pub(crate) struct SimplifySoundly {
    upstream: SimplifyExpressions,
}

impl OptimizerRule for SimplifySoundly {
    fn name(&self) -> &str {
        self.upstream.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.upstream.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let hidden = with_hidden(plan)?;
        let simplified = self.upstream.rewrite(hidden.data, config)?;
        match hidden.transformed {
            true => with_revealed(simplified.data, config).map(Transformed::yes),
            false => Ok(simplified),
        }
    }
}

/// Makes the types of one expression fit, and simplifies it as a rule does that stands between the same rewrites.
pub(crate) fn simplified(expression: Expr, context: SimplifyContext) -> Result<Expr> {
    let schema = Arc::clone(context.schema());
    let expression = coerced(expression, &schema, context.config_options())?;
    let simplifier = ExprSimplifier::new(context);
    let expression = expression.transform_up(|part| alike(part, &schema))?.data;
    let expression = simplifier.coerce(expression, &schema)?;
    let expression = expression
        .transform_up(|part| subtract_from_zero(part, &schema))?
        .data
        .transform_up(|part| convert(part, &schema))?
        .data;
    let sound = sound(expression, Context::Value, &schema)?.data;
    let simple = simplifier.simplify(sound)?;
    let shown = simple.transform_down(|part| revealed(part, &simplifier))?;
    Ok(shown.data)
}

/// Returns a node in whose expressions everything is hidden that would be spoilt.
fn with_hidden(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&plan)?;
    let conditions = conditions(&plan);
    let names = NamePreserver::new(&plan);
    plan.map_expressions(|expression| {
        let context = match conditions.contains(&expression) {
            true => Context::Condition,
            false => Context::Value,
        };
        let name = names.save(&expression);
        let expression = sound(expression, context, &schema)?;
        Ok(expression.update_data(|expression| name.restore(expression)))
    })
}

/// Lists the expressions of a node of which it only matters whether they are true.
fn conditions(plan: &LogicalPlan) -> Vec<Expr> {
    match plan {
        LogicalPlan::Filter(filter) => vec![filter.predicate.clone()],
        LogicalPlan::Join(join) => join.filter.iter().cloned().collect(),
        LogicalPlan::TableScan(scan) => scan.filters.clone(),
        _ => Vec::new(),
    }
}

/// Returns an expression that DataFusion's simplifier does not spoil.
fn sound(expression: Expr, context: Context, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let hides_leaves = is_risky(&expression, context, schema)?;
    expression.transform_down(|part| {
        if let Some(like) = any_text(&part) {
            return Ok(Transformed::yes(like));
        }
        let kept = match () {
            () if asks_for_backslash(&part) => Kept::AsItIs,
            () if hides_leaves && is_leaf(&part) => Kept::Alone,
            () => return Ok(Transformed::no(part)),
        };
        let hidden = hidden(part, kept, schema)?;
        let recursion = TreeNodeRecursion::Jump;
        Ok(Transformed::new(hidden.data, hidden.transformed, recursion))
    })
}

/// Returns what `s ~ '.*'` means, which LIKE says soundly.
fn any_text(expression: &Expr) -> Option<Expr> {
    let expression = regular_expression(expression)?;
    if expression.pattern()? != ".*" {
        return None;
    }
    let any = match expression.value {
        ScalarValue::Utf8View(_) => ScalarValue::Utf8View(Some("%".to_owned())),
        ScalarValue::LargeUtf8(_) => ScalarValue::LargeUtf8(Some("%".to_owned())),
        _ => ScalarValue::Utf8(Some("%".to_owned())),
    };
    let text = Box::new(expression.text.clone());
    let like = Like::new(expression.negated, text, Box::new(lit(any)), None, false);
    Some(Expr::Like(like))
}

/// Says whether a regular expression may ask for a backslash, which cannot be written without one.
fn asks_for_backslash(expression: &Expr) -> bool {
    let spellings = ["\\\\", "\\x", "\\u", "\\U"];
    let pattern = regular_expression(expression);
    let pattern = pattern.as_ref().and_then(RegularExpression::pattern);
    pattern.is_some_and(|pattern| spellings.iter().any(|spelling| pattern.contains(spelling)))
}

/// A match with a constant regular expression.
struct RegularExpression<'a> {
    text: &'a Expr,
    value: &'a ScalarValue,
    negated: bool,
}

impl RegularExpression<'_> {
    fn pattern(&self) -> Option<&str> {
        self.value.try_as_str().flatten()
    }
}

/// Takes a match apart, an operator or `regexp_like`, which becomes one when it is simplified.
fn regular_expression(expression: &Expr) -> Option<RegularExpression<'_>> {
    let (text, pattern, negated) = match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let negated = match op {
                Operator::RegexMatch | Operator::RegexIMatch => false,
                Operator::RegexNotMatch | Operator::RegexNotIMatch => true,
                _ => return None,
            };
            (left.as_ref(), right.as_ref(), negated)
        }
        Expr::ScalarFunction(call) if call.func.name() == "regexp_like" => {
            match call.args.as_slice() {
                [text, pattern] => (text, pattern, false),
                [text, pattern, Expr::Literal(flags, _)] if !flags.is_null() => {
                    (text, pattern, false)
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    let Expr::Literal(value, _) = pattern else {
        return None;
    };
    Some(RegularExpression {
        text,
        value,
        negated,
    })
}

/// Returns a plan in which nothing is hidden any more.
fn with_revealed(plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<LogicalPlan> {
    // The simplifier may have put a projection over an aggregate.
    let plan = plan.transform_down(|node| {
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(input_schema(&node)?))
            .with_config_options(config.options())
            .with_query_execution_start_time(config.query_execution_start_time())
            .build();
        let simplifier = ExprSimplifier::new(context).with_canonicalize(false);
        let names = NamePreserver::new(&node);
        node.map_expressions(|expression| {
            let name = names.save(&expression);
            let expression = expression.transform_down(|part| revealed(part, &simplifier))?;
            Ok(expression.update_data(|expression| name.restore(expression)))
        })
    })?;
    Ok(plan.data)
}
