//! The condition that a row must pass to be needed by one reader at least.

use std::collections::BTreeSet;

use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::{conjunction, disjunction};

/// So many readers with conditions of their own at most are written as one disjunction.
const MOST: usize = 16;

/// Returns a condition that is true of each row that one of the readers needs, whose conditions these are;
/// `None` where a reader needs all.
pub(super) fn of_any(readers: Vec<Vec<Expr>>) -> Option<Expr> {
    let mut different: Vec<Vec<Expr>> = Vec::new();
    for conditions in readers {
        if conditions.is_empty() {
            return None;
        }
        if !different.contains(&conditions) {
            different.push(conditions);
        }
    }
    if different.len() == 1 {
        return conjunction(different.pop()?);
    }
    let mut all = of_columns(&different);
    if different.len() <= MOST {
        let whole = different.into_iter().filter_map(conjunction);
        all.extend(disjunction(whole));
    }
    conjunction(all)
}

/// Returns what follows for single columns, which can go where the columns come from.
fn of_columns(readers: &[Vec<Expr>]) -> Vec<Expr> {
    let Some(first) = readers.first() else {
        return Vec::new();
    };
    let columns: BTreeSet<&Column> = first.iter().filter_map(only_column).collect();
    let of_column = |column: &Column| {
        let mut different: Vec<Expr> = Vec::new();
        for conditions in readers {
            let about = conditions.iter();
            let about = about.filter(|condition| only_column(condition) == Some(column));
            let about = conjunction(about.cloned())?;
            if !different.contains(&about) {
                different.push(about);
            }
        }
        disjunction(different)
    };
    columns.into_iter().filter_map(of_column).collect()
}

/// Returns the column that a condition reads, if that is one.
fn only_column(condition: &Expr) -> Option<&Column> {
    let mut columns = condition.column_refs().into_iter();
    match (columns.next(), columns.next()) {
        (Some(column), None) => Some(column),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{col, lit};

    fn check(readers: Vec<Vec<Expr>>, expected: Option<&str>) {
        let found = of_any(readers).map(|condition| condition.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_reader_of_all_rows_needs_all() {
        check(vec![vec![col("a").eq(lit(1))], vec![]], None);
    }

    #[test]
    fn equal_conditions_stay_as_they_are() {
        let conditions = vec![col("a").eq(lit(1)), col("b").eq(lit(2))];
        check(
            vec![conditions.clone(), conditions],
            Some("a = Int32(1) AND b = Int32(2)"),
        );
    }

    #[test]
    fn what_all_ask_of_a_column_follows_for_it() {
        let one = vec![col("a").eq(lit(1)), col("b").eq(lit(2))];
        let other = vec![col("a").eq(lit(3)), col("c").gt(col("b"))];
        check(
            vec![one, other],
            Some(
                "(a = Int32(1) OR a = Int32(3)) AND \
                 (a = Int32(1) AND b = Int32(2) OR a = Int32(3) AND c > b)",
            ),
        );
    }
}
