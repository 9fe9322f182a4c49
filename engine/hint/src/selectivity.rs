//! How many rows a condition leaves, guessed from what statistics say of its column.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use super::ast::{bare, binary, comparison, disjuncts, integer};
use super::evidence::{Evidence, TableFacts};
use super::range::scalar;
use super::scans::{number, ranges, span};
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
                expr,
                list,
                negated: false,
            } => {
                let one = |value: &Expr| {
                    let equal = binary((**expr).clone(), BinaryOperator::Eq, value.clone());
                    self.selectivity(table, &equal, scope)
                };
                list.iter().map(one).sum::<f64>().min(1.0)
            }
            Expr::Like { .. } | Expr::ILike { .. } => 0.2,
            Expr::IsNull(column) => self.null_share(table, column, scope).unwrap_or(0.5),
            Expr::Between {
                expr,
                negated: false,
                low,
                high,
            } => {
                let above = binary((**expr).clone(), BinaryOperator::GtEq, (**low).clone());
                let below = binary((**expr).clone(), BinaryOperator::LtEq, (**high).clone());
                let above = self.selectivity(table, &above, scope);
                let below = self.selectivity(table, &below, scope);
                (above + below - 1.0).clamp(0.001, 1.0)
            }
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
        if let Expr::BinaryOp {
            op: BinaryOperator::Modulo,
            right,
            ..
        } = found.left
        {
            // Remainders are about equally many.
            let values = integer(right).filter(|values| *values > 0)?;
            let equal = found.op == BinaryOperator::Eq;
            return equal.then_some(1.0 / values as f64);
        }
        let column = scope.column(found.left)?;
        if found.op == BinaryOperator::Eq {
            let values = self.distinct_values(table, column.field.name(), column.data_type())?;
            return Some(1.0 / values.clamp(1.0, 1000.0));
        }
        if found.op == BinaryOperator::NotEq {
            return Some(0.9);
        }
        let (low, high) = span(&ranges(table, &self.scans, column.field.name()))?;
        let width = high - low;
        let value: Option<ScalarValue> = scalar(found.right, column.data_type());
        let value = value.as_ref().and_then(number).filter(|_| width > 0.0)?;
        let below = ((value - low) / width).clamp(0.0, 1.0);
        let share = match found.op {
            BinaryOperator::Lt | BinaryOperator::LtEq => below,
            _ => 1.0 - below,
        };
        Some(share.max(0.001))
    }

    fn null_share(
        &self,
        table: &TableFacts,
        column: &Expr,
        scope: &SelectScope<'_>,
    ) -> Option<f64> {
        let column = scope.column(column)?;
        let nulls = self.null_count(table, column.field.name())?;
        Some(nulls as f64 / table.rows?.max(1) as f64)
    }

    /// Guesses how many values a column has: from the range of whole numbers, and from the size of the
    /// dictionaries in Parquet files for the rest; `None` where nothing tells.
    pub(crate) fn distinct_values(
        &self,
        table: &TableFacts,
        column: &str,
        data_type: &DataType,
    ) -> Option<f64> {
        if *data_type == DataType::Boolean {
            return Some(2.0);
        }
        let rows = table.estimated_rows().max(1) as f64;
        if data_type.is_integer() || data_type.is_temporal() {
            let (low, high) = span(&ranges(table, &self.scans, column))?;
            return Some((high - low + 1.0).min(rows));
        }
        let groups = table.footers.iter().flat_map(|footer| footer.row_groups());
        let chunks = groups.flat_map(|group| group.columns());
        let of_column = chunks.filter(|chunk| chunk.column_path().parts() == [column]);
        of_column
            .map(|chunk| match chunk.dictionary_page_offset() {
                // About eight bytes a value, packed.
                Some(start) => (chunk.data_page_offset() - start).max(8) as f64 / 8.0,
                None => rows,
            })
            .reduce(f64::max)
            .map(|values| values.min(rows))
    }
}
