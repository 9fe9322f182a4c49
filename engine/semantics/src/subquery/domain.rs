//! The distinct values of the outer columns that a subquery depends on.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{
    Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, lit,
};

use super::names::Names;

/// Where the outer columns come from.
pub(super) struct Domain {
    source: LogicalPlan,
    /// The outer columns, as the outer plan names them.
    pub(super) columns: Vec<Column>,
    /// The same, as the source names them.
    named: Vec<Column>,
}

impl Domain {
    /// Takes the columns from the outer plan, or from below it where two evaluations of it may differ.
    ///
    /// More values than the outer rows have do no harm; a missing one would lose its row.
    pub(super) fn new(outer: &LogicalPlan, columns: Vec<Column>) -> Result<Self> {
        let mut source = outer;
        let mut named = columns.clone();
        while !is_repeatable(source)? {
            let Some((below, below_named)) = below(source, &named) else {
                return plan_err!(
                    "a subquery that depends on rows which LIMIT or a random function chooses is not supported; \
                     store these rows in a table first"
                );
            };
            source = below;
            named = below_named;
        }
        Ok(Self {
            source: source.clone(),
            columns,
            named,
        })
    }

    /// Returns a plan of the distinct values under names of their own.
    pub(super) fn rows(&self, names: &Names) -> Result<(LogicalPlan, Vec<Column>)> {
        let (expressions, columns): (Vec<_>, Vec<_>) = self
            .named
            .iter()
            .map(|column| names.column(Expr::Column(column.clone()), &column.name))
            .unzip();
        let plan = LogicalPlanBuilder::from(self.source.clone())
            .project(expressions)?
            .distinct()?
            .build()?;
        Ok((plan, columns))
    }
}

/// Finds the columns in an input of a plan that has all their values, and maybe more.
fn below<'a>(plan: &'a LogicalPlan, columns: &[Column]) -> Option<(&'a LogicalPlan, Vec<Column>)> {
    let same = |input: &'a LogicalPlan| {
        let schema = input.schema();
        let has = |column: &Column| schema.maybe_index_of_column(column).is_some();
        columns.iter().all(has).then(|| (input, columns.to_vec()))
    };
    match plan {
        LogicalPlan::Filter(_) | LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => {
            same(plan.inputs()[0])
        }
        LogicalPlan::Projection(projection) => {
            let source = |column: &Column| {
                let place = projection.schema.maybe_index_of_column(column)?;
                match projection.expr[place].clone().unalias() {
                    Expr::Column(column) => Some(column),
                    _ => None,
                }
            };
            let named = columns.iter().map(source).collect::<Option<_>>()?;
            Some((projection.input.as_ref(), named))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let inner = alias.input.schema().columns();
            let source = |column: &Column| {
                let place = alias.schema.maybe_index_of_column(column)?;
                inner.get(place).cloned()
            };
            let named = columns.iter().map(source).collect::<Option<_>>()?;
            Some((alias.input.as_ref(), named))
        }
        LogicalPlan::Join(join) => match join.join_type {
            JoinType::Inner => same(&join.left).or_else(|| same(&join.right)),
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                same(&join.left)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a plan gives the same rows whenever it is evaluated.
fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut repeatable = true;
    plan.apply_with_subqueries(|node| {
        let mut chosen = matches!(node, LogicalPlan::Limit(_) | LogicalPlan::Extension(_));
        chosen |= matches!(node, LogicalPlan::Sort(sort) if sort.fetch.is_some());
        node.apply_expressions(|expression| {
            chosen |= expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        repeatable &= !chosen;
        Ok(if repeatable {
            TreeNodeRecursion::Continue
        } else {
            TreeNodeRecursion::Stop
        })
    })?;
    Ok(repeatable)
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
