//! Conditions of a filter are computed in the order that costs least: what drops many rows for little first.
//!
//! DataFusion computes them as they are written, and the second one only for rows that the first has left, where
//! those are few. Comparisons of numbers and times take a tenth of what comparisons of texts take.
//!
//! # Why the rows are the same
//!
//! AND has the same value in any order, NULL included. An order is seen only where a condition fails or draws:
//! those that may fail stay behind all others in the order that they have, as far as they stood behind them
//! or not, so that they are asked of no row that they were not asked of; a filter that draws is left alone.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, Column, InListExpr, LikeExpr};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, conjunction, split_conjunction};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use lakesh_semantics::may_fail_physical;

use crate::estimate::{Estimate, Estimator, selectivity};
use crate::rule::{ORDER_CONDITIONS, changed, is_on};

type Plan = Arc<dyn ExecutionPlan>;
type Expression = Arc<dyn PhysicalExpr>;

/// What a comparison costs for a row, where one of numbers costs 1.
const OF_TEXT: f64 = 6.0;
const OF_PATTERN: f64 = 20.0;
const OF_FUNCTION: f64 = 10.0;

/// Orders the conditions of filters.
#[derive(Debug)]
pub(crate) struct OrderConditions;

impl PhysicalOptimizerRule for OrderConditions {
    fn optimize(&self, plan: Plan, options: &ConfigOptions) -> Result<Plan> {
        if !is_on(ORDER_CONDITIONS, options) {
            return Ok(plan);
        }
        let estimator = Estimator::default();
        plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(node));
            };
            let Some(predicate) = ordered(filter, &estimator) else {
                return Ok(Transformed::no(node));
            };
            changed(ORDER_CONDITIONS, options);
            let filter = FilterExecBuilder::from(filter).with_predicate(predicate);
            Ok(Transformed::yes(Arc::new(filter.build()?) as Plan))
        })
        .data()
    }

    fn name(&self) -> &str {
        ORDER_CONDITIONS
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Returns a filter's conditions in the cheapest order; `None` where they are.
fn ordered(filter: &FilterExec, estimator: &Estimator) -> Option<Expression> {
    let conditions = split_conjunction(filter.predicate());
    if conditions.len() < 2 || conditions.iter().any(|condition| is_volatile(condition)) {
        return None;
    }
    let schema = filter.input().schema();
    let rows = estimator.of(filter.input());
    let (failing, safe): (Vec<_>, Vec<_>) = conditions
        .iter()
        .partition(|condition| may_fail_physical(condition, &schema));
    let mut groups = grouped(&safe, &schema, &rows);
    groups.sort_by(|one, other| one.rank.total_cmp(&other.rank));
    let order = groups.into_iter().flat_map(|group| group.conditions);
    let order: Vec<Expression> = order
        .chain(failing.into_iter().map(|condition| Arc::clone(condition)))
        .collect();
    let same = order.iter().zip(&conditions);
    let is_same = same.into_iter().all(|(one, other)| Arc::ptr_eq(one, other));
    (!is_same).then(|| conjunction(order))
}

/// Conditions about one column, which say together how many rows they leave.
struct Group {
    conditions: Vec<Expression>,
    rank: f64,
}

fn grouped(conditions: &[&&Expression], schema: &Schema, rows: &Estimate) -> Vec<Group> {
    let mut groups: Vec<(Option<usize>, Vec<Expression>)> = Vec::new();
    for condition in conditions {
        let column = only_column(condition);
        let condition = Arc::clone(condition);
        let known = groups
            .iter_mut()
            .find(|(of, _)| column.is_some() && *of == column);
        match known {
            Some((_, group)) => group.push(condition),
            None => groups.push((column, vec![condition])),
        }
    }
    groups
        .into_iter()
        .map(|(_, conditions)| {
            let cost: f64 = conditions.iter().map(|one| cost(one, schema)).sum();
            let share = selectivity(&conjunction(conditions.clone()), rows);
            Group {
                conditions,
                rank: cost / (1.0 - share).max(0.001),
            }
        })
        .collect()
}

fn only_column(condition: &Expression) -> Option<usize> {
    let columns = datafusion::physical_expr::utils::collect_columns(condition);
    let mut columns = columns.into_iter();
    match (columns.next(), columns.next()) {
        (Some(column), None) => Some(column.index()),
        _ => None,
    }
}

/// What a condition costs for a row.
fn cost(condition: &Expression, schema: &Schema) -> f64 {
    let mut cost = 0.0;
    let counted = condition.apply(|part| {
        cost += of_part(part, schema);
        Ok(TreeNodeRecursion::Continue)
    });
    if counted.is_err() {
        OF_FUNCTION
    } else {
        cost.max(0.1)
    }
}

fn of_part(part: &Expression, schema: &Schema) -> f64 {
    if part.is::<LikeExpr>() {
        return OF_PATTERN;
    }
    if part.is::<ScalarFunctionExpr>() || part.is::<CaseExpr>() {
        return OF_FUNCTION;
    }
    let of_operand = |operand: &Expression| match operand.data_type(schema) {
        Ok(kind) if is_number(&kind) => 1.0,
        _ => OF_TEXT,
    };
    if let Some(list) = part.downcast_ref::<InListExpr>() {
        return of_operand(list.expr()) * 2.0;
    }
    if let Some(binary) = part.downcast_ref::<BinaryExpr>() {
        return match binary.op() {
            Operator::And | Operator::Or => 0.1,
            Operator::RegexMatch
            | Operator::RegexIMatch
            | Operator::RegexNotMatch
            | Operator::RegexNotIMatch
            | Operator::LikeMatch
            | Operator::ILikeMatch
            | Operator::NotLikeMatch
            | Operator::NotILikeMatch => OF_PATTERN,
            _ => of_operand(binary.left()),
        };
    }
    if part.is::<Column>() { 0.0 } else { 0.2 }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_primitive() || *kind == DataType::Boolean
}
