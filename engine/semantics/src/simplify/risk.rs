//! Finds the conditions about one value that DataFusion would combine wrongly.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// It only matters whether it is true: false and unknown are the same.
    Condition,
    /// All three matter.
    Value,
}

/// A comparison of one value with constants, which DataFusion takes for a list.
struct Leaf<'a> {
    tested: &'a Expr,
    /// Whether it asks, after all that stands before it, for a value that is not in the list.
    negated: bool,
    /// Whether the list holds constants that are not NULL, and the value is not drawn at random.
    plain: bool,
    /// Whether it stands where DataFusion may put it anywhere.
    loose: bool,
}

/// Says whether an expression is a comparison of one value with constants.
pub(super) fn is_leaf(expression: &Expr) -> bool {
    leaf(expression, true).is_some()
}

/// Says whether the simplifier could get an expression wrong.
pub(super) fn is_risky(expression: &Expr, context: Context, schema: &DFSchema) -> Result<bool> {
    let mut scan = Scan {
        schema,
        risky: false,
    };
    // Most expressions have at most one such comparison.
    let mut count = 0;
    expression.apply(|part| {
        count += usize::from(is_leaf(part));
        Ok(match count {
            0 | 1 => TreeNodeRecursion::Continue,
            _ => TreeNodeRecursion::Stop,
        })
    })?;
    if count > 1 {
        scan.leaves(expression, true, context);
    }
    Ok(scan.risky)
}

struct Scan<'a> {
    schema: &'a DFSchema,
    risky: bool,
}

impl Scan<'_> {
    /// Lists the comparisons in an expression, and notes whether two of them are combined wrongly.
    ///
    /// `positive` is false after an odd number of NOT.
    fn leaves<'a>(
        &mut self,
        expression: &'a Expr,
        positive: bool,
        context: Context,
    ) -> Vec<Leaf<'a>> {
        if let Some(leaf) = leaf(expression, positive) {
            return vec![leaf];
        }
        match expression {
            Expr::Not(inner) => self.leaves(inner, !positive, context),
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: op @ (Operator::And | Operator::Or),
                right,
            }) => {
                let mut left = self.leaves(left, positive, context);
                let right = self.leaves(right, positive, context);
                // NOT makes AND of OR.
                let is_and = (*op == Operator::And) == positive;
                self.combine(&left, &right, |one, other| {
                    self::is_risky_pair(one, other, is_and, positive, context)
                });
                left.extend(right);
                left
            }
            other => self.loose_leaves(other),
        }
    }

    /// Lists the comparisons in an expression that is no connection of conditions: CASE and others become one.
    fn loose_leaves<'a>(&mut self, expression: &'a Expr) -> Vec<Leaf<'a>> {
        let mut all: Vec<Leaf<'a>> = Vec::new();
        let is_boolean = expression
            .get_type(self.schema)
            .is_ok_and(|data_type| data_type == datafusion::arrow::datatypes::DataType::Boolean);
        // The visit cannot fail.
        let _ = expression.apply_children(|child| {
            let mut found = self.leaves(child, true, Context::Value);
            for leaf in &mut found {
                leaf.loose = true;
            }
            if is_boolean {
                self.combine(&all, &found, |_, _| true);
                all.extend(found);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        all
    }

    fn combine(
        &mut self,
        left: &[Leaf<'_>],
        right: &[Leaf<'_>],
        is_risky: impl Fn(&Leaf<'_>, &Leaf<'_>) -> bool,
    ) {
        for one in left {
            for other in right {
                if one.tested == other.tested && is_risky(one, other) {
                    let plain = one.plain && other.plain;
                    let nullable = one.tested.nullable(self.schema).unwrap_or(true);
                    self.risky |= !plain || nullable;
                }
            }
        }
    }
}

/// Says whether two comparisons are combined in a way that forgets NULL, or that takes what is in their lists
/// for constants.
fn is_risky_pair(
    one: &Leaf<'_>,
    other: &Leaf<'_>,
    is_and: bool,
    positive: bool,
    context: Context,
) -> bool {
    if one.loose || other.loose {
        return true;
    }
    match (is_and, one.negated, other.negated) {
        // One list is made of both, which is right.
        (true, true, true) | (false, false, false) => false,
        // What is in both lists, or in one alone: false for NULL.
        (true, ..) => context == Context::Value || !one.plain || !other.plain,
        // What is not in both lists: true for NULL.
        (false, true, true) => true,
        // Without a NOT these are left alone; with one they are an AND at first.
        (false, ..) => !positive,
    }
}

fn leaf(expression: &Expr, positive: bool) -> Option<Leaf<'_>> {
    let is_constant = |value: &Expr| matches!(value, Expr::Literal(value, _) if !value.is_null());
    match expression {
        Expr::InList(InList {
            expr,
            list,
            negated,
        }) => Some(Leaf {
            tested: expr,
            negated: *negated == positive,
            plain: list.iter().all(is_constant) && !expr.is_volatile(),
            loose: false,
        }),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::Eq | Operator::NotEq),
            right,
        }) => {
            let (tested, value) = match (left.as_ref(), right.as_ref()) {
                (Expr::Column(_), Expr::Literal(..)) => (left, right),
                (Expr::Literal(..), Expr::Column(_)) => (right, left),
                _ => return None,
            };
            Some(Leaf {
                tested,
                negated: (*op == Operator::NotEq) == positive,
                plain: is_constant(value),
                loose: false,
            })
        }
        _ => None,
    }
}
