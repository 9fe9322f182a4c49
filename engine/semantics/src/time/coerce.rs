//! Makes moments, days and texts meet in one type, before DataFusion makes nanoseconds of all.
//!
//! It runs before DataFusion's own rule for types and, like that one, may change the type of an expression:
//! schemas above are computed anew.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, NullEquality, Result};
use datafusion::logical_expr::expr::{Between, Case, InList, InSubquery, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{Join, Projection, Subquery, Union, Values};
use datafusion::logical_expr::{
    BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, TryCast, lit,
};
use datafusion::optimizer::AnalyzerRule;

use super::compare::{compared, is_constant, sides};
use super::sides::{as_timestamp, cast, one_type};
use super::{Zone, is_date, is_same_zone, is_text, one_type, session_zone};
use crate::rewrite::input_schema;

/// Stands before DataFusion's rule for types.
#[derive(Debug)]
pub(crate) struct CoerceTimes;

impl AnalyzerRule for CoerceTimes {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let session = session_zone(config);
        // Most plans hold nothing of this, and their schemas stay as they are.
        let has_changed = Cell::new(false);
        let plan = plan.transform_up_with_subqueries(|node| {
            let node = coerced_node(node, &session)?;
            has_changed.set(has_changed.get() || node.transformed);
            match has_changed.get() {
                true => node.map_data(LogicalPlan::recompute_schema),
                false => Ok(node),
            }
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "coerce_times"
    }
}

/// Makes the times of one expression meet, for whoever plans none.
pub(crate) fn coerced(
    expression: Expr,
    schema: &DFSchema,
    options: &ConfigOptions,
) -> Result<Expr> {
    let session = session_zone(options);
    let coerced = expression.transform_up(|part| coerced_part(part, schema, &session))?;
    Ok(coerced.data)
}

fn coerced_node(node: LogicalPlan, session: &Zone) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&node)?;
    let names = NamePreserver::new(&node);
    let mut coerce = |expression: Expr| {
        let name = names.save(&expression);
        let new = expression.transform_up(|part| coerced_part(part, &schema, session))?;
        Ok(new.update_data(|expression| name.restore(expression)))
    };
    let node = node.map_expressions(|expression| match expression {
        // An alias may not stand inside of GROUPING SETS.
        Expr::GroupingSet(_) => expression.map_children(&mut coerce),
        expression => coerce(expression),
    })?;
    node.transform_data(|node| match node {
        LogicalPlan::Join(join) => coerced_join(join, session),
        LogicalPlan::Union(union) => coerced_union(union, session),
        LogicalPlan::Values(values) => coerced_values(values, session),
        node => Ok(Transformed::no(node)),
    })
}

fn coerced_part(part: Expr, schema: &DFSchema, session: &Zone) -> Result<Transformed<Expr>> {
    let new = match &part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            compared(left, *op, right, schema, session)?
        }
        Expr::Between(between) => coerced_between(between, schema, session)?,
        Expr::InList(list) => coerced_list(list, schema, session)?,
        Expr::Case(case) => coerced_case(case, schema, session)?,
        Expr::InSubquery(query) => coerced_subquery(query, schema, session)?,
        Expr::ScalarFunction(call) => coerced_call(call, schema, session),
        Expr::Cast(inner) => {
            let make = |value, to| Expr::Cast(Cast::new(Box::new(value), to));
            coerced_cast(&inner.expr, inner.field.data_type(), make, schema, session)
        }
        Expr::TryCast(inner) => {
            let make = |value, to| Expr::TryCast(TryCast::new(Box::new(value), to));
            coerced_cast(&inner.expr, inner.field.data_type(), make, schema, session)
        }
        _ => None,
    };
    Ok(match new {
        Some(new) => Transformed::yes(new),
        None => Transformed::no(part),
    })
}

/// Casts by way of the session's zone what has a clock on one side only; numbers are seconds since 1970.
fn coerced_cast(
    value: &Expr,
    to: &DataType,
    make: impl Fn(Expr, DataType) -> Expr,
    schema: &DFSchema,
    session: &Zone,
) -> Option<Expr> {
    let from = value.get_type(schema).ok()?;
    let by_session = |unit: TimeUnit| {
        let here = DataType::Timestamp(unit, Some(Arc::clone(session)));
        Some(make(make(value.clone(), here), to.clone()))
    };
    match (&from, to) {
        (DataType::Timestamp(unit, Some(zone)), to)
            if !is_same_zone(zone, session)
                && (is_text(to)
                    || is_date(to)
                    || matches!(
                        to,
                        DataType::Timestamp(_, None) | DataType::Time32(_) | DataType::Time64(_)
                    )) =>
        {
            by_session(*unit)
        }
        (from, DataType::Timestamp(unit, Some(zone)))
            if !is_same_zone(zone, session)
                && (is_text(from)
                    || is_date(from)
                    || matches!(from, DataType::Timestamp(_, None))) =>
        {
            by_session(*unit)
        }
        (from, DataType::Timestamp(TimeUnit::Microsecond, zone)) if from.is_integer() => {
            let seconds = DataType::Timestamp(TimeUnit::Second, zone.clone());
            let count = make(value.clone(), DataType::Int64);
            Some(make(make(count, seconds), to.clone()))
        }
        (from, DataType::Timestamp(TimeUnit::Microsecond, _))
            if from.is_floating() || from.is_decimal() =>
        {
            let seconds = make(value.clone(), DataType::Float64);
            let count = make(seconds * lit(1e6), DataType::Int64);
            // Not a number of seconds any more: the function of the same meaning takes it as it is.
            let to = lit(to.to_string());
            Some(datafusion::functions::core::arrow_cast().call(vec![count, to]))
        }
        _ => None,
    }
}

fn coerced_between(
    Between {
        expr,
        negated,
        low,
        high,
    }: &Between,
    schema: &DFSchema,
    session: &Zone,
) -> Result<Option<Expr>> {
    let (above, below, with) = match negated {
        false => (Operator::GtEq, Operator::LtEq, Operator::And),
        true => (Operator::Lt, Operator::Gt, Operator::Or),
    };
    let from = compared(expr, above, low, schema, session)?;
    let to = compared(expr, below, high, schema, session)?;
    if (from.is_none() && to.is_none()) || expr.is_volatile() {
        return Ok(None);
    }
    let plain = |op, bound: &Expr| binary(expr.as_ref().clone(), op, bound.clone());
    let from = from.unwrap_or_else(|| plain(above, low));
    let to = to.unwrap_or_else(|| plain(below, high));
    Ok(Some(binary(from, with, to)))
}

fn coerced_list(list: &InList, schema: &DFSchema, session: &Zone) -> Result<Option<Expr>> {
    let (op, with) = match list.negated {
        false => (Operator::Eq, Operator::Or),
        true => (Operator::NotEq, Operator::And),
    };
    if list.expr.is_volatile() || list.list.is_empty() {
        return Ok(None);
    }
    let mut is_needed = false;
    let mut chain: Option<Expr> = None;
    for item in &list.list {
        let compared = compared(&list.expr, op, item, schema, session)?;
        is_needed |= compared.is_some();
        let one = compared.unwrap_or_else(|| binary(list.expr.as_ref().clone(), op, item.clone()));
        chain = Some(match chain {
            None => one,
            Some(chain) => binary(chain, with, one),
        });
    }
    if !is_needed {
        return Ok(None);
    }
    // A list stays one where its items can take the type of what is looked for.
    let Ok(wanted) = list.expr.get_type(schema) else {
        return Ok(chain);
    };
    let DataType::Timestamp(unit, _) = &wanted else {
        return Ok(chain);
    };
    let mut items = Vec::with_capacity(list.list.len());
    for item in &list.list {
        let Ok(data_type) = item.get_type(schema) else {
            return Ok(None);
        };
        let fits = match &data_type {
            DataType::Timestamp(its, _) => its == unit,
            other => *unit == TimeUnit::Microsecond && (is_date(other) || is_text(other)),
        };
        if !fits && !data_type.is_null() {
            return Ok(chain);
        }
        items.push(as_timestamp(item.clone(), &data_type, &wanted, session));
    }
    let list = InList::new(list.expr.clone(), items, list.negated);
    Ok(Some(Expr::InList(list)))
}

fn coerced_case(case: &Case, schema: &DFSchema, session: &Zone) -> Result<Option<Expr>> {
    let mut new = case.clone();
    let mut has_changed = false;
    // `CASE x WHEN y` compares x with y.
    if let Some(value) = &case.expr
        && !value.is_volatile()
    {
        let mut conditions = Vec::new();
        for (when, _) in &case.when_then_expr {
            let condition = compared(value, Operator::Eq, when, schema, session)?;
            has_changed |= condition.is_some();
            let plain = || binary(value.as_ref().clone(), Operator::Eq, when.as_ref().clone());
            conditions.push(condition.unwrap_or_else(plain));
        }
        if has_changed {
            new.expr = None;
            for ((when, _), condition) in new.when_then_expr.iter_mut().zip(conditions) {
                **when = condition;
            }
        }
    }
    let mut results: Vec<&mut Expr> = new
        .when_then_expr
        .iter_mut()
        .map(|(_, then)| then.as_mut())
        .collect();
    results.extend(new.else_expr.as_deref_mut());
    let types = results.iter().map(|result| result.get_type(schema));
    // MERGE names columns that are not those of its input.
    let types: Vec<DataType> = types.collect::<Result<_>>().unwrap_or_default();
    let are_literals = results
        .iter()
        .zip(&types)
        .all(|(result, data_type)| !is_text(data_type) || is_constant(result));
    if are_literals && let Some(to) = one_type(types.iter(), session) {
        for (result, from) in results.into_iter().zip(&types) {
            let value = std::mem::take(result);
            *result = as_timestamp(value, from, &to, session);
        }
        has_changed = true;
    }
    Ok(has_changed.then_some(Expr::Case(new)))
}

/// Casts the arguments of `coalesce` and its like, where it is DataFusion's own.
fn coerced_call(call: &ScalarFunction, schema: &DFSchema, session: &Zone) -> Option<Expr> {
    let conditions = one_type::conditions(call.func.name())?;
    let types = call.args.iter().map(|value| value.get_type(schema));
    let types: Vec<DataType> = types.collect::<Result<_>>().ok()?;
    let to = one_type(types.iter().skip(conditions), session)?;
    let arguments = call.args.iter().zip(&types).enumerate();
    let arguments = arguments.map(|(place, (value, from))| match place < conditions {
        true => value.clone(),
        false => as_timestamp(value.clone(), from, &to, session),
    });
    let call = ScalarFunction::new_udf(Arc::clone(&call.func), arguments.collect());
    Some(Expr::ScalarFunction(call))
}

fn coerced_subquery(query: &InSubquery, schema: &DFSchema, session: &Zone) -> Result<Option<Expr>> {
    let Ok(wanted) = query.expr.get_type(schema) else {
        return Ok(None);
    };
    let column = query
        .subquery
        .subquery
        .schema()
        .field(0)
        .data_type()
        .clone();
    let Some(to) = one_type([&wanted, &column].into_iter(), session) else {
        return Ok(None);
    };
    let plan = &query.subquery.subquery;
    let (qualifier, field) = plan.schema().qualified_field(0);
    let value = Expr::Column(Column::from((qualifier, field)));
    let value = as_timestamp(value, &column, &to, session).alias(field.name());
    let projection = Projection::try_new(vec![value], Arc::clone(plan))?;
    let subquery = Subquery {
        subquery: Arc::new(LogicalPlan::Projection(projection)),
        ..query.subquery.clone()
    };
    let expr = as_timestamp(query.expr.as_ref().clone(), &wanted, &to, session);
    let query = InSubquery::new(Box::new(expr), subquery, query.negated);
    Ok(Some(Expr::InSubquery(query)))
}

/// Makes the keys of a join meet; where units differ, the rounded ones are keys and a filter compares exactly.
fn coerced_join(mut join: Join, session: &Zone) -> Result<Transformed<LogicalPlan>> {
    let op = match join.null_equality {
        NullEquality::NullEqualsNothing => Operator::Eq,
        NullEquality::NullEqualsNull => Operator::IsNotDistinctFrom,
    };
    let mut has_changed = false;
    let mut exact = Vec::new();
    for (left, right) in &mut join.on {
        let left_type = left.get_type(join.left.schema())?;
        let right_type = right.get_type(join.right.schema())?;
        let Some([new_left, new_right]) = sides((left, &left_type), (right, &right_type), session)
        else {
            continue;
        };
        has_changed = true;
        let schema = join.left.schema().join(join.right.schema())?;
        let conditions = compared(left, op, right, &schema, session)?;
        if let Some(Expr::BinaryExpr(BinaryExpr {
            left: first,
            op: Operator::And,
            right: second,
        })) = conditions
            && let (Expr::BinaryExpr(first), Expr::BinaryExpr(_)) = (*first, second.as_ref())
        {
            exact.push(*second);
            let is_of_left = join.left.schema().has_column_of(&first.left);
            (*left, *right) = match is_of_left {
                true => (*first.left, *first.right),
                false => (*first.right, *first.left),
            };
            continue;
        }
        (*left, *right) = (new_left, new_right);
    }
    join.filter = exact
        .into_iter()
        .chain(join.filter.take())
        .reduce(Expr::and);
    let plan = LogicalPlan::Join(join);
    Ok(match has_changed {
        true => Transformed::yes(plan),
        false => Transformed::no(plan),
    })
}

/// Says whether the columns of an expression are those of a schema.
trait HasColumnOf {
    fn has_column_of(&self, expression: &Expr) -> bool;
}

impl HasColumnOf for DFSchema {
    fn has_column_of(&self, expression: &Expr) -> bool {
        let columns = expression.column_refs();
        columns.iter().all(|column| self.has_column(column))
    }
}

fn coerced_union(mut union: Union, session: &Zone) -> Result<Transformed<LogicalPlan>> {
    let width = union.schema.fields().len();
    let fits = union
        .inputs
        .iter()
        .all(|input| input.schema().fields().len() == width);
    if !fits {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let wanted: Vec<Option<DataType>> = (0..width)
        .map(|place| {
            let types = || {
                let inputs = union.inputs.iter();
                inputs.map(move |input| input.schema().field(place).data_type())
            };
            match types().any(is_text) {
                true => None,
                false => one_type(types(), session),
            }
        })
        .collect();
    if wanted.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    for input in &mut union.inputs {
        let values = input.schema().iter().zip(&wanted);
        let values: Vec<Expr> = values
            .map(|((qualifier, field), to)| {
                let value = Expr::Column(Column::from((qualifier, field)));
                match to {
                    Some(to) if to != field.data_type() => {
                        as_timestamp(value, field.data_type(), to, session)
                            .alias_qualified(qualifier.cloned(), field.name())
                    }
                    _ => value,
                }
            })
            .collect();
        let projection = Projection::try_new(values, Arc::clone(input))?;
        *input = Arc::new(LogicalPlan::Projection(projection));
    }
    let union = Union::try_new_with_loose_types(union.inputs)?;
    Ok(Transformed::yes(LogicalPlan::Union(union)))
}

/// The planner has made nanoseconds of columns of VALUES in which days stand beside moments.
fn coerced_values(mut values: Values, session: &Zone) -> Result<Transformed<LogicalPlan>> {
    let nothing = DFSchema::empty();
    let mut has_changed = false;
    for place in 0..values.schema.fields().len() {
        if !is_nanoseconds(values.schema.field(place).data_type()) {
            continue;
        }
        let mut types = Vec::with_capacity(values.values.len());
        for row in &values.values {
            types.push(uncast(&row[place]).get_type(&nothing)?);
        }
        let Some(to) = one_type(types.iter(), session) else {
            continue;
        };
        for (row, from) in values.values.iter_mut().zip(&types) {
            let value = uncast(&row[place]).clone();
            row[place] = match from.is_null() {
                true => cast(value, to.clone()),
                false => as_timestamp(value, from, &to, session),
            };
        }
        has_changed = true;
    }
    if !has_changed {
        return Ok(Transformed::no(LogicalPlan::Values(values)));
    }
    let types = values.values.first().into_iter().flatten();
    let types: Vec<DataType> = types
        .map(|value| value.get_type(&nothing))
        .collect::<Result<_>>()?;
    let fields = values.schema.iter().zip(types);
    let fields = fields.map(|((qualifier, field), data_type)| {
        let field = field.as_ref().clone().with_data_type(data_type);
        (qualifier.cloned(), Arc::new(field))
    });
    let metadata = values.schema.metadata().clone();
    values.schema = Arc::new(DFSchema::new_with_metadata(fields.collect(), metadata)?);
    Ok(Transformed::yes(LogicalPlan::Values(values)))
}

/// Returns what the planner has cast to nanoseconds; a text is cast by whoever wrote it.
fn uncast(value: &Expr) -> &Expr {
    let Expr::Cast(cast) = value else {
        return value;
    };
    let inner = cast.expr.get_type(&DFSchema::empty());
    let is_theirs = inner.is_ok_and(|inner| {
        inner.is_null() || is_date(&inner) || matches!(inner, DataType::Timestamp(..))
    });
    match is_theirs && is_nanoseconds(cast.field.data_type()) {
        true => &cast.expr,
        false => value,
    }
}

fn is_nanoseconds(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Nanosecond, _))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}
