//! Plans an as-of join: from the syntax tree to the logical node, and from there to the operator.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, DataFusionError, plan_datafusion_err, plan_err};
use datafusion::logical_expr::expr::BinaryExpr;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, Operator, UserDefinedLogicalNode, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr as SqlExpr, Ident, Join, JoinConstraint, JoinOperator, TableFactor,
};
use lakesh_sql::{LEFT_MARK, ON_MARK};
use lakesh_text::failure::sql_type_name;

use super::execution::AsOfJoinExec;
use super::node::{AsOfJoin, Matching};

/// Plans the joins in brackets that the scope makes of as-of joins.
#[derive(Debug)]
pub struct AsOfRelationPlanner;

impl RelationPlanner for AsOfRelationPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning, DataFusionError> {
        let TableFactor::NestedJoin {
            table_with_joins,
            alias,
        } = &relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let [
            Join {
                relation: right,
                join_operator:
                    JoinOperator::AsOf {
                        match_condition,
                        constraint,
                    },
                ..
            },
        ] = table_with_joins.joins.as_slice()
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let left = context.plan(table_with_joins.relation.clone())?;
        let right = context.plan(right.clone())?;
        let plan = join(left, right, match_condition.clone(), constraint, context)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan,
            alias.clone(),
        ))))
    }
}

fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    condition: SqlExpr,
    constraint: &JoinConstraint,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan, DataFusionError> {
    let (outer, condition) = without_mark(condition);
    let schema = left.schema().join(right.schema())?;
    let sides = Sides {
        left: left.schema(),
        right: right.schema(),
    };
    let is_in_constraint = matches!(&condition, SqlExpr::Identifier(word) if word.value == ON_MARK);
    let mut times = None;
    if !is_in_constraint {
        times = Some(sides.times(context.sql_to_expr(condition, &schema)?)?);
    }
    let on = match constraint {
        JoinConstraint::On(condition) => {
            let planned = context.sql_to_expr(condition.clone(), &schema)?;
            let mut parts = split_conjunction_owned(planned);
            if is_in_constraint {
                times = Some(sides.times(take_comparison(&mut parts)?)?);
            }
            sides.keys(parts)?
        }
        JoinConstraint::Using(names) => {
            let mut keys = Vec::new();
            for name in names {
                let name = SqlExpr::Identifier(match name.0.as_slice() {
                    [part] => part.as_ident().cloned().unwrap_or_else(|| Ident::new("")),
                    _ => return plan_err!("`{name}` in USING is not a column's name"),
                });
                let of_left = context.sql_to_expr(name.clone(), left.schema())?;
                let of_right = context.sql_to_expr(name, right.schema())?;
                keys.push(sides.coerced(of_left, of_right)?);
            }
            if is_in_constraint {
                // The last column is the time, and `>=` its condition.
                times = keys.pop().map(|pair| (pair, true, true));
            }
            keys
        }
        JoinConstraint::None => Vec::new(),
        JoinConstraint::Natural => {
            return plan_err!("ASOF JOIN cannot be NATURAL; name its keys with ON");
        }
    };
    let Some((times, backward, or_equal)) = times else {
        return plan_err!("{NO_TIMES}");
    };
    let matching = Matching {
        backward,
        or_equal,
        outer,
    };
    let node = AsOfJoin::new(left, right, on, times, matching)?;
    Ok(LogicalPlan::Extension(Extension {
        node: Arc::new(node),
    }))
}

/// What is said of a join by time that compares no times.
const NO_TIMES: &str = "ASOF JOIN compares a time of the left table with one of the right by >, >=, < or <=: in MATCH_CONDITION (l.t >= r.t), or as one part of ON";

/// Takes the comparison of times out of the parts of ON.
fn take_comparison(parts: &mut Vec<Expr>) -> Result<Expr, DataFusionError> {
    let is_order = |part: &Expr| {
        let Expr::BinaryExpr(BinaryExpr { op, .. }) = part else {
            return false;
        };
        matches!(
            op,
            Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq
        )
    };
    let mut places = (0..parts.len()).filter(|place| is_order(&parts[*place]));
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(parts.remove(place)),
        (Some(_), Some(second)) => plan_err!(
            "ON of an ASOF JOIN compares times once; `{}` is a second comparison",
            parts[second]
        ),
        (None, _) => plan_err!("{NO_TIMES}"),
    }
}

/// Takes the mark of LEFT off a condition.
fn without_mark(condition: SqlExpr) -> (bool, SqlExpr) {
    match condition {
        SqlExpr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } if matches!(&*left, SqlExpr::Identifier(word) if word.value == LEFT_MARK) => {
            (true, *right)
        }
        other => (false, other),
    }
}

/// The columns of both sides.
struct Sides<'a> {
    left: &'a DFSchema,
    right: &'a DFSchema,
}

impl Sides<'_> {
    /// Reads the comparison of the times.
    fn times(&self, condition: Expr) -> Result<((Expr, Expr), bool, bool), DataFusionError> {
        let wrong = || {
            plan_datafusion_err!(
                "MATCH_CONDITION compares a time of the left table with one of the right by >, >=, < or <=, as in (l.t >= r.t)"
            )
        };
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
            return Err(wrong());
        };
        let (of_left, of_right, op) =
            if self.is_of(self.left, &left) && self.is_of(self.right, &right) {
                (*left, *right, op)
            } else if self.is_of(self.right, &left) && self.is_of(self.left, &right) {
                (*right, *left, op.swap().ok_or_else(wrong)?)
            } else {
                return Err(wrong());
            };
        let (backward, or_equal) = match op {
            Operator::Gt => (true, false),
            Operator::GtEq => (true, true),
            Operator::Lt => (false, false),
            Operator::LtEq => (false, true),
            _ => return Err(wrong()),
        };
        Ok((self.coerced(of_left, of_right)?, backward, or_equal))
    }

    /// Reads the equalities of ON.
    fn keys(&self, parts: Vec<Expr>) -> Result<Vec<(Expr, Expr)>, DataFusionError> {
        let mut keys = Vec::new();
        for part in parts {
            if part == lit(true) {
                continue;
            }
            let shown = part.to_string();
            let wrong = || {
                plan_datafusion_err!(
                    "ON of an ASOF JOIN takes equalities of a column of each table, not `{shown}`; put what concerns one table into WHERE or a subquery"
                )
            };
            let Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Eq,
                right,
            }) = part
            else {
                return Err(wrong());
            };
            let pair = if self.is_of(self.left, &left) && self.is_of(self.right, &right) {
                (*left, *right)
            } else if self.is_of(self.right, &left) && self.is_of(self.left, &right) {
                (*right, *left)
            } else {
                return Err(wrong());
            };
            keys.push(self.coerced(pair.0, pair.1)?);
        }
        Ok(keys)
    }

    /// Says whether an expression names columns of one side, and only of that.
    fn is_of(&self, side: &DFSchema, expression: &Expr) -> bool {
        let columns = expression.column_refs();
        !columns.is_empty() && columns.iter().all(|column| side.has_column(column))
    }

    /// Casts two expressions to the type in which they are compared.
    fn coerced(&self, left: Expr, right: Expr) -> Result<(Expr, Expr), DataFusionError> {
        let (of_left, of_right) = (left.get_type(self.left)?, right.get_type(self.right)?);
        let has_double = of_left.is_floating() || of_right.is_floating();
        let common = match has_double && (of_left.is_decimal() || of_right.is_decimal()) {
            // DataFusion would make decimals of doubles.
            true => Some(DataType::Float64),
            false => of_day_and_moment(&of_left, &of_right)
                .or_else(|| comparison_coercion(&of_left, &of_right)),
        };
        let Some(common) = common else {
            return plan_err!(
                "`{left}` ({}) and `{right}` ({}) cannot be compared",
                sql_type_name(&of_left),
                sql_type_name(&of_right)
            );
        };
        Ok((
            left.cast_to(&common, self.left)?,
            right.cast_to(&common, self.right)?,
        ))
    }
}

/// A day beside a moment is one of its unit: nanoseconds, which DataFusion takes, end in 2262.
fn of_day_and_moment(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (moment @ DataType::Timestamp(..), DataType::Date32 | DataType::Date64)
        | (DataType::Date32 | DataType::Date64, moment @ DataType::Timestamp(..)) => {
            Some(moment.clone())
        }
        _ => None,
    }
}

/// Makes the operator of the node.
pub(crate) struct AsOfExtensionPlanner;

#[async_trait]
impl ExtensionPlanner for AsOfExtensionPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>, DataFusionError> {
        let Some(join) = node.as_any().downcast_ref::<AsOfJoin>() else {
            return Ok(None);
        };
        let [left, right] = physical_inputs else {
            return plan_err!("an as-of join has two inputs");
        };
        let of_left = |expression: &Expr| {
            planner.create_physical_expr(expression, join.left.schema(), session, planning)
        };
        let of_right = |expression: &Expr| {
            planner.create_physical_expr(expression, join.right.schema(), session, planning)
        };
        let on = join
            .on
            .iter()
            .map(|(left, right)| Ok((of_left(left)?, of_right(right)?)))
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let times = (of_left(&join.times.0)?, of_right(&join.times.1)?);
        let schema = Arc::clone(join.schema_ref());
        let operator = AsOfJoinExec::try_new(
            Arc::clone(left),
            Arc::clone(right),
            on,
            times,
            join.matching,
            schema,
        )?;
        Ok(Some(Arc::new(operator)))
    }
}
