use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::parser::Parser;

use super::DIALECT;

fn parsed(text: &str, dialect: &dyn Dialect) -> Expr {
    let mut parser = Parser::new(dialect).try_with_sql(text).unwrap();
    parser.parse_expr().unwrap()
}

/// Writes an expression with brackets around each operation.
fn bracketed(expression: &Expr) -> String {
    match expression {
        Expr::BinaryOp { left, op, right } => {
            let op = match op {
                BinaryOperator::PGExp => "^".to_owned(),
                other => other.to_string(),
            };
            format!("({} {op} {})", bracketed(left), bracketed(right))
        }
        Expr::UnaryOp { op, expr } => {
            let space = if *op == UnaryOperator::Not { " " } else { "" };
            format!("({op}{space}{})", bracketed(expr))
        }
        Expr::IsNull(inner) => format!("({} IS NULL)", bracketed(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", bracketed(inner)),
        Expr::IsDistinctFrom(left, right) => {
            format!("({} <> {})", bracketed(left), bracketed(right))
        }
        Expr::IsNotDistinctFrom(left, right) => {
            format!("({} <=> {})", bracketed(left), bracketed(right))
        }
        Expr::Like { expr, pattern, .. } => {
            format!("({} LIKE {})", bracketed(expr), bracketed(pattern))
        }
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => format!(
            "({} {}BETWEEN {} AND {})",
            bracketed(expr),
            if *negated { "NOT " } else { "" },
            bracketed(low),
            bracketed(high)
        ),
        Expr::Cast {
            expr, data_type, ..
        } => format!("({}::{data_type})", bracketed(expr)),
        Expr::Nested(inner) => bracketed(inner),
        other => other.to_string(),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(bracketed(&parsed(text, &DIALECT)), expected, "{text}");
}

#[test]
fn ranks_operators_as_postgresql_does() {
    check("'1' || 2 * 3", "('1' || (2 * 3))");
    check("a || b = c", "((a || b) = c)");
    check("5 | 2 & 1", "((5 | 2) & 1)");
    check("1 + 2 << 3", "((1 + 2) << 3)");
    check("a # b & c", "((a # b) & c)");
    check("2 ^ 3 ^ 2", "((2 ^ 3) ^ 2)");
    check("2 * 3 ^ 2", "(2 * (3 ^ 2))");
    check("-2 ^ 2", "((-2) ^ 2)");
    check("2 ^ -1", "(2 ^ (-1))");
    check("-a * b", "((-a) * b)");
    check("- a::int", "(-(a::INT))");
    check("~ a + b", "(~(a + b))");
    check("~ a & b", "((~a) & b)");
    check("a = b LIKE c", "(a = (b LIKE c))");
    check("a -> 'b' = 'c'", "((a -> 'b') = 'c')");
    check("a ~ 'b' = c", "((a ~ 'b') = c)");
    check("NOT a = b AND c", "((NOT (a = b)) AND c)");
    check("NOT a IS NULL", "(NOT (a IS NULL))");
    check("a = b IS NULL", "((a = b) IS NULL)");
    check("a OR b AND c", "(a OR (b AND c))");
    check(
        "a BETWEEN 1 AND 2 + 3 AND b",
        "((a BETWEEN 1 AND (2 + 3)) AND b)",
    );
}

#[test]
fn a_null_safe_comparison_ends_before_and() {
    check("a IS NOT DISTINCT FROM b AND c", "((a <=> b) AND c)");
    check("a IS DISTINCT FROM b OR c", "((a <> b) OR c)");
    check(
        "a IS NOT DISTINCT FROM b + 1 AND c",
        "((a <=> (b + 1)) AND c)",
    );
    check("NOT a IS DISTINCT FROM b", "(NOT (a <> b))");
}

#[test]
fn knows_postfix_and_symmetric_forms() {
    check(
        "a ISNULL AND b NOTNULL",
        "((a IS NULL) AND (b IS NOT NULL))",
    );
    check(
        "a BETWEEN SYMMETRIC 3 AND 1 AND b",
        "(((a BETWEEN 3 AND 1) OR (a BETWEEN 1 AND 3)) AND b)",
    );
    check(
        "a NOT BETWEEN SYMMETRIC 3 AND 1",
        "(NOT ((a BETWEEN 3 AND 1) OR (a BETWEEN 1 AND 3)))",
    );
    check(
        "a NOT BETWEEN ASYMMETRIC 3 AND 1",
        "(a NOT BETWEEN 3 AND 1)",
    );
    check("a BETWEEN symmetric AND b", "(a BETWEEN symmetric AND b)");
}

#[test]
fn the_parser_takes_it_for_the_permissive_dialect() {
    assert_eq!(DIALECT.dialect(), GenericDialect.dialect());
    assert!(DIALECT.supports_from_first_select() && DIALECT.supports_prewhere());
}

/// Ours can go once sqlparser ends the comparison where PostgreSQL does.
#[test]
fn sqlparser_still_reads_too_far() {
    let theirs = parsed("a IS NOT DISTINCT FROM b AND c", &GenericDialect);
    assert_eq!(bracketed(&theirs), "(a <=> (b AND c))");
}
