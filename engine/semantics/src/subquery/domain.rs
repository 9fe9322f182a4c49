//! The distinct values of the outer columns that a subquery depends on.

use datafusion::common::{Column, DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit};

use super::names::Names;
use super::repeatable::with_all_values;

/// Where the outer columns come from.
pub(super) struct Domain {
    source: LogicalPlan,
    /// The outer columns, as the outer plan names them.
    pub(super) columns: Vec<Column>,
    /// Whether each value is there once, and not as often as the outer rows have it.
    distinct: bool,
}

impl Domain {
    /// Takes the columns from the outer plan, or from what it is made of where two evaluations of it may differ.
    ///
    /// More values than the outer rows have do no harm; a missing one would lose its row.
    pub(super) fn new(outer: &LogicalPlan, columns: Vec<Column>) -> Result<Self> {
        let Some(source) = with_all_values(outer, &columns)? else {
            return plan_err!(
                "a subquery that depends on rows which LIMIT or a random function chooses is not supported; \
                 store these rows in a table first"
            );
        };
        Ok(Self {
            source,
            columns,
            distinct: true,
        })
    }

    /// Takes the outer rows as they are, with all of their columns, for who reads them once.
    pub(super) fn of_rows(outer: &LogicalPlan) -> Self {
        Self {
            source: outer.clone(),
            columns: outer.schema().columns(),
            distinct: false,
        }
    }

    /// Returns a plan of the values under names of their own.
    pub(super) fn rows(&self, names: &Names) -> Result<(LogicalPlan, Vec<Column>)> {
        let (expressions, columns): (Vec<_>, Vec<_>) = self
            .columns
            .iter()
            .map(|column| names.column(Expr::Column(column.clone()), &column.name))
            .unzip();
        let mut plan = LogicalPlanBuilder::from(self.source.clone()).project(expressions)?;
        if self.distinct {
            plan = plan.distinct()?;
        }
        Ok((plan.build()?, columns))
    }
}

/// Returns conditions that hold where two values are the same, NULL and NULL included.
///
/// They are equalities that hash joins take. DataFusion has NULL-safe joins too, but mixes them up with
/// others where it puts joins together.
pub(super) fn same(
    left: Expr,
    left_schema: &DFSchema,
    right: Expr,
    right_schema: &DFSchema,
) -> Result<Vec<Expr>> {
    let nullable = left.nullable(left_schema)? && right.nullable(right_schema)?;
    if !nullable {
        return Ok(vec![left.eq(right)]);
    }
    let data_type = left.get_type(left_schema)?;
    if data_type.is_null() {
        return Ok(Vec::new());
    }
    let Ok(stand_in) = ScalarValue::new_default(&data_type) else {
        let operator = datafusion::logical_expr::Operator::IsNotDistinctFrom;
        return Ok(vec![datafusion::logical_expr::binary_expr(
            left, operator, right,
        )]);
    };
    let filled = |value: &Expr| coalesce(vec![value.clone(), lit(stand_in.clone())]);
    Ok(vec![
        filled(&left).eq(filled(&right)),
        left.is_null().eq(right.is_null()),
    ])
}
