//! What DataFusion's simplifier gets wrong, and that ours does not.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchemaRef, ToDFSchema};
use datafusion::logical_expr::{col, in_list, not, try_cast};

use super::*;

fn schema() -> DFSchemaRef {
    let fields = vec![
        Field::new("k", DataType::Int64, true),
        Field::new("n", DataType::Int64, false),
        Field::new("s", DataType::Utf8, true),
    ];
    Schema::new(fields).to_dfschema_ref().unwrap()
}

fn simplifier() -> ExprSimplifier {
    let context = SimplifyContext::builder()
        .with_schema(schema())
        .with_config_options(Arc::default())
        .build();
    ExprSimplifier::new(context)
}

fn matches_any(operator: Operator, pattern: &str) -> Expr {
    let sides = (Box::new(col("s")), Box::new(lit(pattern)));
    Expr::BinaryExpr(BinaryExpr::new(sides.0, operator, sides.1))
}

fn is_in(values: &[i64], negated: bool) -> Expr {
    let values = values.iter().map(|value| lit(*value)).collect();
    in_list(col("k"), values, negated)
}

#[track_caller]
fn check(expression: Expr, context: Context, upstream: &str, ours: &str) {
    let simplifier = simplifier();
    let theirs = simplifier.simplify(expression.clone()).unwrap();
    assert_eq!(theirs.to_string(), upstream, "upstream");
    let sound = sound(expression, context, &schema()).unwrap().data;
    let simplified = simplifier.simplify(sound).unwrap();
    let shown = simplified
        .transform_down(|part| revealed(part, &simplifier))
        .unwrap()
        .data;
    assert_eq!(shown.to_string(), ours, "ours");
}

#[test]
fn upstream_forgets_null_where_it_combines_lists() {
    let either = is_in(&[1], true).or(is_in(&[2], true));
    let ours = "k != Int64(1) OR k != Int64(2)";
    check(either, Context::Condition, "Boolean(true)", ours);

    let both = not(is_in(&[1], false).and(is_in(&[2], false)));
    let ours = "k != Int64(1) OR k != Int64(2)";
    check(both, Context::Condition, "Boolean(true)", ours);

    let both = is_in(&[1, 2], false).and(is_in(&[3, 4], false));
    let ours = "(k = Int64(1) OR k = Int64(2)) AND (k = Int64(3) OR k = Int64(4))";
    check(both.clone(), Context::Value, "Boolean(false)", ours);
    // In a condition false is as good as unknown.
    check(both, Context::Condition, "Boolean(false)", "Boolean(false)");
}

#[test]
fn upstream_takes_columns_for_constants() {
    let one = in_list(col("k"), vec![lit(1_i64), col("n")], false);
    let other = in_list(col("k"), vec![col("n") + lit(0_i64)], false);
    let ours = "(k = Int64(1) OR k = n) AND k = n + Int64(0)";
    check(one.and(other), Context::Condition, "Boolean(false)", ours);
}

#[test]
fn upstream_makes_unknown_false_with_regular_expressions() {
    let any = matches_any(Operator::RegexMatch, ".*");
    let ours = "CASE s IS NOT NULL WHEN Boolean(true) THEN Boolean(true) END";
    check(any, Context::Value, "s IS NOT NULL", ours);
}

#[test]
fn upstream_takes_a_backslash_for_an_escape() {
    let backslash = matches_any(Operator::RegexMatch, r"a\\b");
    let ours = r#"s ~ Utf8("a\\b")"#;
    check(backslash, Context::Value, r#"s LIKE Utf8("%a\b%")"#, ours);
}

#[test]
fn one_expression_is_simplified_soundly() {
    let context = || {
        SimplifyContext::builder()
            .with_schema(schema())
            .with_config_options(Arc::default())
            .build()
    };
    let either = is_in(&[1], true).or(is_in(&[2], true));
    let simple = simplified(either, context()).unwrap();
    assert_eq!(simple.to_string(), "k != Int64(1) OR k != Int64(2)");
    let narrow = try_cast(col("k"), DataType::Int8).not_eq(lit(2_i64 + 3));
    let simple = simplified(narrow, context()).unwrap();
    let ours = r#"lakesh_try_cast(k, Utf8("Int8")) != Int8(5)"#;
    assert_eq!(simple.to_string(), ours);
}
