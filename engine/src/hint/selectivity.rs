//! How many rows a condition leaves, guessed from what statistics say of its column.

use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use super::ast::{bare, comparison, disjuncts};
use super::evidence::{Evidence, TableFacts};
use super::range::scalar;
use super::scans::{number, ranges};
use super::scope::SelectScope;

impl Evidence {
    /// Returns how many rows of a table hold NULL in a column; `None` where a file does not say.
    pub(crate) fn null_count(&self, table: &TableFacts, column: &str) -> Option<usize> {
        if table
            .files
            .partition_columns
            .iter()
            .any(|name| name == column)
        {
            return None;
        }
        if table
            .field(column)
            .is_some_and(|field| !field.is_nullable())
        {
            return Some(0);
        }
        let scan = self.scans.get(table.scan?)?;
        let index = scan.schema.index_of(column).ok()?;
        // Files that planning has left out say nothing here.
        if scan.files.len() != table.files.files.len() {
            return None;
        }
        scan.files
            .iter()
            .map(|file| {
                let statistics = file.statistics.as_ref()?;
                match statistics.column_statistics.get(index)?.null_count {
                    Precision::Exact(nulls) => Some(nulls),
                    _ => None,
                }
            })
            .sum()
    }

    /// Guesses which share of a table's rows a condition leaves.
    pub(crate) fn selectivity(
        &self,
        table: &TableFacts,
        condition: &Expr,
        scope: &SelectScope<'_>,
    ) -> f64 {
        let parts = disjuncts(condition);
        if parts.len() > 1 {
            let shares = parts
                .iter()
                .map(|part| self.selectivity(table, part, scope));
            return shares.sum::<f64>().min(1.0);
        }
        match bare(condition) {
            Expr::InList {
                list,
                negated: false,
                ..
            } => (0.05 * list.len() as f64).min(1.0),
            Expr::Like { .. } | Expr::ILike { .. } => 0.1,
            Expr::IsNull(_) => 0.05,
            Expr::Between { .. } => 0.2,
            Expr::BinaryOp { .. } => self.compared(table, condition, scope).unwrap_or(0.2),
            _ => 0.5,
        }
    }

    fn compared(
        &self,
        table: &TableFacts,
        condition: &Expr,
        scope: &SelectScope<'_>,
    ) -> Option<f64> {
        let found = comparison(condition)?;
        let column = scope.column(found.left)?;
        let ranges = ranges(table, &self.scans, column.field.name());
        let low = ranges
            .iter()
            .map(|range| range.0)
            .fold(f64::INFINITY, f64::min);
        let high = ranges
            .iter()
            .map(|range| range.1)
            .fold(f64::NEG_INFINITY, f64::max);
        let width = high - low;
        if found.op == BinaryOperator::Eq {
            // Whole numbers within a range have at most so many values.
            let values = match column.data_type().is_integer() && width.is_finite() {
                true => width + 1.0,
                false => 20.0,
            };
            return Some(1.0 / values.clamp(1.0, 1000.0));
        }
        if found.op == BinaryOperator::NotEq {
            return Some(0.9);
        }
        let value: Option<ScalarValue> = scalar(found.right, column.data_type());
        let value = value.as_ref().and_then(number).filter(|_| width > 0.0)?;
        let below = ((value - low) / width).clamp(0.0, 1.0);
        let share = match found.op {
            BinaryOperator::Lt | BinaryOperator::LtEq => below,
            _ => 1.0 - below,
        };
        Some(share.max(0.001))
    }
}
