//! Compares a value with the rows of a subquery: IN, NOT IN, ANY and ALL, in three-valued logic.
//!
//! `x = ANY (…)` is true where a row makes `x = row` true; else unknown where a row makes it unknown; else
//! false. ALL is the same with true and false in each other's places, and NOT IN is `<> ALL`.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, NullEquality, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::SetQuantifier;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{
    BinaryExpr, Cast, Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, Operator,
    binary_expr, lit, not, when,
};

use super::attach::{Attach, names_any_outer};
use super::flatten::Flat;
use super::names::Names;
use super::node;
use crate::row_equality::comparison as row_comparison;

/// A value and the rows that it is compared with.
pub(super) struct Comparison {
    /// One value, or several that are compared as a row.
    values: Vec<Expr>,
    operator: Operator,
    quantifier: SetQuantifier,
    plan: LogicalPlan,
    /// Whether a value may be NULL, and whether the subquery's column may.
    nullable: (bool, bool),
}

impl Comparison {
    pub(super) fn new(
        value: Expr,
        operator: Operator,
        quantifier: SetQuantifier,
        plan: LogicalPlan,
        input: &LogicalPlan,
        names: &Names,
    ) -> Result<Self> {
        let mut plan = node::unordered(plan);
        let column = Expr::Column(Column::from(plan.schema().qualified_field(0)));
        let nullable = (
            value.nullable(input.schema())?,
            column.nullable(plan.schema())?,
        );
        let mut values = vec![value];
        if let Some((row, taken_apart)) = rows(&values[0], &plan, names)? {
            if row.len() > 1 && row_comparison(operator, &row, &row).is_none() {
                return plan_err!("rows are not compared by `{operator}`");
            }
            values = row;
            plan = taken_apart;
        }
        Ok(Self {
            values,
            operator,
            quantifier,
            plan,
            nullable,
        })
    }

    fn is_any(&self) -> bool {
        matches!(self.quantifier, SetQuantifier::Any)
    }

    fn is_row(&self) -> bool {
        self.values.len() > 1
    }

    /// Pairs each value with its part of a subquery's row.
    fn parts(&self, row: &[Expr]) -> Vec<(Expr, Expr)> {
        let values = self.values.iter().cloned();
        values.zip(row.iter().cloned()).collect()
    }

    /// The comparison with one row.
    fn holds(&self, row: &[Expr]) -> Expr {
        let parts = self.parts(row);
        if let [(value, column)] = parts.as_slice() {
            return binary_expr(value.clone(), self.operator, column.clone());
        }
        let (values, columns): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        row_comparison(self.operator, &values, &columns).unwrap_or_else(|| lit(true))
    }

    /// What one row must do to decide the comparison with all of them.
    fn decides(&self, row: &[Expr]) -> Expr {
        let holds = self.holds(row);
        if self.is_any() {
            return holds;
        }
        if self.operator == Operator::NotEq {
            let parts = self.parts(row).into_iter();
            return conjunction(parts.map(|(value, column)| value.eq(column)))
                .unwrap_or_else(|| lit(true));
        }
        match holds {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op.negate() {
                Some(op) => Expr::BinaryExpr(BinaryExpr::new(left, op, right)),
                None => not(Expr::BinaryExpr(BinaryExpr { left, op, right })),
            },
            other => not(other),
        }
    }

    /// Where the comparison with one row is unknown; `None` for nowhere.
    fn unknown(&self, row: &[Expr]) -> Option<Expr> {
        let plain = matches!(
            self.operator,
            Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq
        );
        if self.is_row() || !plain {
            return Some(self.holds(row).is_null());
        }
        let value = self.nullable.0.then(|| self.values[0].clone().is_null());
        let column = self.nullable.1.then(|| row[0].clone().is_null());
        disjunction(value.into_iter().chain(column))
    }

    /// Whether all rows are compared by `=` with one column, and NULL among them matters. An expression may turn
    /// out to be a constant (`k + NULL`), which DataFusion moves into the subquery, where no NULL passes it.
    fn is_null_aware(&self, row: &[Expr]) -> bool {
        let equal = match self.decides(row) {
            Expr::BinaryExpr(part) => part.op == Operator::Eq,
            _ => false,
        };
        equal && !self.is_row() && is_column(&self.values[0])
    }
}

fn is_column(value: &Expr) -> bool {
    match value {
        Expr::Column(_) => true,
        Expr::Cast(cast) => is_column(&cast.expr),
        _ => false,
    }
}

impl Attach<'_> {
    /// Returns the truth of a comparison.
    pub(super) fn compared(&mut self, comparison: &Comparison, lenient: bool) -> Result<Expr> {
        let any = comparison.is_any();
        if let Some(row) = self.one_row(&comparison.plan)? {
            let holds = comparison.holds(&row.values);
            return match row.guard {
                None => Ok(holds),
                Some(guard) => when(guard, holds).otherwise(lit(!any)),
            };
        }
        let plan = &comparison.plan;
        let columns = columns(plan);
        let independent = !names_any_outer(plan)?;
        let constant = |value: &Expr| value.column_refs().is_empty() && !value.contains_outer();
        let is_constant = independent && comparison.values.iter().all(constant);
        let decided = if is_constant {
            matching(plan, comparison.decides(&columns))?
        } else {
            let (flat, row) = self.rows_of(plan, &columns)?;
            self.mark(flat, vec![comparison.decides(&row)])?
        };
        if any && lenient {
            return Ok(decided);
        }
        let unknown = match comparison.unknown(&columns) {
            None => None,
            Some(unknown) if is_constant => Some(matching(plan, unknown)?),
            Some(_) if independent && !comparison.is_row() => {
                self.unknown_of_independent(comparison, &columns[0])?
            }
            Some(_) => {
                let (flat, row) = self.rows_of(plan, &columns)?;
                match comparison.unknown(&row) {
                    Some(unknown) => Some(self.mark(flat, vec![unknown])?),
                    None => None,
                }
            }
        };
        let Some(unknown) = unknown else {
            return Ok(if any { decided } else { not(decided) });
        };
        if lenient {
            // Only whether it is true is asked.
            return Ok(not(decided).and(not(unknown)));
        }
        when(decided, lit(any))
            .when(unknown, lit(ScalarValue::Boolean(None)))
            .otherwise(lit(!any))
    }

    /// Where nothing in the subquery depends on the outer row, it is asked once whether it has NULL.
    fn unknown_of_independent(
        &mut self,
        comparison: &Comparison,
        column: &Expr,
    ) -> Result<Option<Expr>> {
        let plan = &comparison.plan;
        let mut parts = Vec::new();
        if comparison.nullable.0 {
            let value = comparison.values[0].clone();
            parts.push(value.is_null().and(node::has_rows(plan.clone())?));
        }
        if comparison.nullable.1 {
            parts.push(matching(plan, column.clone().is_null())?);
        }
        Ok(disjunction(parts))
    }

    /// Keeps the rows for which a comparison is true, or false where not `wanted`, by a join.
    ///
    /// Returns whether it did; else the comparison's truth has to be asked for.
    pub(super) fn keep(&mut self, comparison: &Comparison, wanted: bool) -> Result<bool> {
        let plan = &comparison.plan;
        let independent = !names_any_outer(plan)?;
        let value_is_constant = comparison
            .values
            .iter()
            .all(|value| value.column_refs().is_empty());
        if node::may_be_one_row(plan) || (independent && value_is_constant) {
            return Ok(false);
        }
        let columns = columns(plan);
        let (flat, row) = self.rows_of(plan, &columns)?;
        let decides = comparison.decides(&row);
        if comparison.is_any() == wanted {
            self.join(flat, JoinType::LeftSemi, vec![decides])?;
            return Ok(true);
        }
        match comparison.unknown(&row) {
            None => {
                self.join(flat, JoinType::LeftAnti, vec![decides])?;
            }
            Some(_) if independent && comparison.is_null_aware(&row) => {
                self.join_null_aware(flat, comparison)?;
            }
            Some(unknown) => {
                self.join(flat, JoinType::LeftAnti, vec![decides.or(unknown)])?;
            }
        }
        Ok(true)
    }

    /// NOT IN over a subquery that depends on nothing: DataFusion's own join for it is right where the value
    /// has a column and the condition is one equality.
    fn join_null_aware(&mut self, flat: Flat, comparison: &Comparison) -> Result<()> {
        let (plan, relation) = self.names.wrap(flat.plan)?;
        let name = plan.schema().field(0).name().clone();
        let column = Expr::Column(Column::new(Some(relation), name));
        let condition = comparison.values[0].clone().eq(column);
        let input = std::mem::take(&mut self.input);
        self.input = LogicalPlanBuilder::from(input)
            .join_detailed_with_options(
                plan,
                JoinType::LeftAnti,
                (Vec::<Column>::new(), Vec::<Column>::new()),
                Some(condition),
                NullEquality::NullEqualsNothing,
                true,
            )?
            .build()?;
        Ok(())
    }

    /// Flattens the rows to compare with; returns their columns too.
    fn rows_of(&mut self, plan: &LogicalPlan, columns: &[Expr]) -> Result<(Flat, Vec<Expr>)> {
        let flat = self.flatten(plan, true)?;
        let flat = self.narrowed(flat, columns.to_vec())?;
        let named = flat.plan.schema().columns().into_iter();
        let row = named.take(columns.len()).map(Expr::Column).collect();
        Ok((flat, row))
    }
}

/// Whether the subquery has a row that meets a condition.
fn matching(plan: &LogicalPlan, condition: Expr) -> Result<Expr> {
    node::has_rows(
        LogicalPlanBuilder::from(plan.clone())
            .filter(condition)?
            .build()?,
    )
}

fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    columns.map(Expr::Column).collect()
}

/// Takes a row apart, and the subquery's rows beside it; `None` where they were not written as rows.
fn rows(
    value: &Expr,
    plan: &LogicalPlan,
    names: &Names,
) -> Result<Option<(Vec<Expr>, LogicalPlan)>> {
    let LogicalPlan::Projection(projection) = plan else {
        return Ok(None);
    };
    let (Some(row), [projected]) = (row_values(value), projection.expr.as_slice()) else {
        return Ok(None);
    };
    let Some(parts) = row_values(projected).filter(|parts| parts.len() == row.len()) else {
        return Ok(None);
    };
    let parts = parts.into_iter().map(|part| names.column(part, "part").0);
    let plan = LogicalPlanBuilder::from(Arc::clone(&projection.input))
        .project(parts)?
        .build()?;
    Ok(Some((row, plan)))
}

/// Returns the values of a row that was written as one; casts of the row are casts of its values.
fn row_values(value: &Expr) -> Option<Vec<Expr>> {
    match value {
        Expr::ScalarFunction(function) if function.func.name() == "struct" => {
            Some(function.args.clone())
        }
        Expr::Cast(Cast { expr, field }) => {
            let DataType::Struct(members) = field.data_type() else {
                return None;
            };
            let values = row_values(expr)?.into_iter().zip(members.iter());
            Some(
                values
                    .map(|(value, member)| {
                        datafusion::logical_expr::cast(value, member.data_type().clone())
                    })
                    .collect(),
            )
        }
        Expr::Alias(alias) => row_values(&alias.expr),
        _ => None,
    }
}
