//! Where values are compared, grouped and sorted.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, InList, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, Between, BinaryExpr, Distinct, DistinctOn, Expr, ExprSchemable, LogicalPlan,
    Operator, Projection, SortExpr,
};
use datafusion::optimizer::AnalyzerRule;

use super::{canonical, has_several_forms, needs_form};
use crate::rewrite::{input_schema, with_rewritten};

/// Puts the canonical form wherever a plan compares, groups or sorts.
#[derive(Debug)]
pub(crate) struct CompareCanonical;

impl AnalyzerRule for CompareCanonical {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            with_rewritten(node, in_expression)?.transform_data(in_node)
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "compare_canonical"
    }
}

fn in_expression(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let form = |expression: Expr| canonical(expression, schema);
    let boxed = |expression: Box<Expr>| Box::new(canonical(*expression, schema));
    Ok(match expression {
        Expr::BinaryExpr(binary)
            if is_compared(&binary, schema) && are_open(&[&binary.left, &binary.right], schema) =>
        {
            let (left, right) = (boxed(binary.left), boxed(binary.right));
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(left, binary.op, right)))
        }
        // Of doubles it becomes two comparisons by order.
        Expr::Between(between)
            if is_interval(&between.expr, schema)
                && are_open(&[&between.expr, &between.low, &between.high], schema) =>
        {
            let (low, high) = (boxed(between.low), boxed(between.high));
            let between = Between::new(boxed(between.expr), between.negated, low, high);
            Transformed::yes(Expr::Between(between))
        }
        Expr::InList(list)
            if needs_form(&list.expr, schema)
                && list.list.iter().any(|element| !is_plain(element, schema)) =>
        {
            let elements = list.list.into_iter().map(form).collect();
            Transformed::yes(Expr::InList(InList::new(
                boxed(list.expr),
                elements,
                list.negated,
            )))
        }
        Expr::Case(mut case)
            if case
                .expr
                .as_ref()
                .is_some_and(|base| needs_form(base, schema)) =>
        {
            case.expr = case.expr.map(boxed);
            let branches = case.when_then_expr.into_iter();
            case.when_then_expr = branches.map(|(when, then)| (boxed(when), then)).collect();
            Transformed::yes(Expr::Case(case))
        }
        Expr::ScalarFunction(mut call)
            if matches!(call.func.name(), "nullif" | "greatest" | "least")
                && call.args.iter().any(|value| needs_form(value, schema)) =>
        {
            call.args = call.args.into_iter().map(form).collect();
            Transformed::yes(Expr::ScalarFunction(call))
        }
        Expr::InSubquery(mut inside) if needs_form(&inside.expr, schema) => {
            inside.expr = boxed(inside.expr);
            let columns = inside.subquery.subquery.schema().columns();
            let formed = formed_columns(inside.subquery.subquery, &columns)?;
            inside.subquery.subquery = formed.data;
            Transformed::yes(Expr::InSubquery(inside))
        }
        Expr::AggregateFunction(function) => in_aggregate(function, schema),
        Expr::WindowFunction(function) => in_window(*function, schema),
        other => Transformed::no(other),
    })
}

/// Says whether a comparison is made one here. Of doubles that is equality alone; that one is less than
/// another, [`super::CompareNumbers`] sees to, and to equality that the optimizer makes.
fn is_compared(binary: &BinaryExpr, schema: &DFSchema) -> bool {
    let Ok(data_type) = binary.left.get_type(schema) else {
        return false;
    };
    match binary.op {
        Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom => {
            has_several_forms(&data_type)
        }
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
            // Constants are compared before there is a physical plan.
            let constant = !binary.left.any_column_refs() && !binary.right.any_column_refs();
            has_several_forms(&data_type) && (constant || !data_type.is_floating())
        }
        _ => false,
    }
}

/// Says whether a comparison can meet two forms of one value: not where a number stands on one side, which
/// is compared with files' statistics as it is (but constants are compared before), and not in a subquery's connection to the outer query, which
/// is looked for in this shape.
fn are_open(sides: &[&Expr], schema: &DFSchema) -> bool {
    if sides.iter().any(|side| side.contains_outer()) {
        return false;
    }
    let others = &sides[1..];
    let against_numbers =
        is_plain(sides[0], schema) || others.iter().all(|side| is_plain(side, schema));
    let constant = sides.iter().all(|side| !side.any_column_refs());
    constant || !against_numbers
}

/// Says whether an expression is a number other than zero and NaN, which has one form.
fn is_plain(expression: &Expr, schema: &DFSchema) -> bool {
    let Expr::Literal(value, _) = expression else {
        return !needs_form(expression, schema);
    };
    match value {
        ScalarValue::Float64(Some(value)) => !value.is_nan() && *value != 0.0,
        ScalarValue::Float32(Some(value)) => !value.is_nan() && *value != 0.0,
        value => value.is_null() || !has_several_forms(&value.data_type()),
    }
}

fn is_interval(expression: &Expr, schema: &DFSchema) -> bool {
    let data_type = expression.get_type(schema);
    data_type.is_ok_and(|data_type| matches!(data_type, DataType::Interval(_)))
}

fn in_aggregate(mut function: AggregateFunction, schema: &DFSchema) -> Transformed<Expr> {
    let parameters = &mut function.params;
    let compares = parameters.distinct || is_extreme(function.func.name());
    let changed = form_all(&mut parameters.args, compares, schema)
        | form_order(&mut parameters.order_by, schema);
    let function = Expr::AggregateFunction(function);
    Transformed::new_transformed(function, changed)
}

fn in_window(mut function: WindowFunction, schema: &DFSchema) -> Transformed<Expr> {
    let compares = function.params.distinct || is_extreme(function.fun.name());
    let parameters = &mut function.params;
    let changed = form_all(&mut parameters.args, compares, schema)
        | form_all(&mut parameters.partition_by, true, schema)
        | form_order(&mut parameters.order_by, schema);
    let function = Expr::WindowFunction(Box::new(function));
    Transformed::new_transformed(function, changed)
}

/// Says whether a function looks for the least or the greatest; its name may say what its frame leaves out.
fn is_extreme(function: &str) -> bool {
    matches!(function.split(' ').next(), Some("min" | "max"))
}

fn form_all(expressions: &mut [Expr], compares: bool, schema: &DFSchema) -> bool {
    let mut changed = false;
    if compares {
        for expression in expressions {
            changed |= form_one(expression, schema);
        }
    }
    changed
}

fn form_order(order: &mut [SortExpr], schema: &DFSchema) -> bool {
    let mut changed = false;
    for sort in order {
        changed |= form_one(&mut sort.expr, schema);
    }
    changed
}

/// Puts the function around an expression, inside of its alias.
fn form_one(expression: &mut Expr, schema: &DFSchema) -> bool {
    if let Expr::Alias(alias) = expression {
        return form_one(&mut alias.expr, schema);
    }
    let old = std::mem::take(expression);
    let new = canonical(old.clone(), schema);
    let changed = new != old;
    *expression = new;
    changed
}

fn in_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&node)?;
    match node {
        LogicalPlan::Sort(mut sort) => {
            let changed = form_order(&mut sort.expr, &schema);
            Ok(Transformed::new_transformed(
                LogicalPlan::Sort(sort),
                changed,
            ))
        }
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let columns = input.schema().columns();
            let formed = formed_columns(input, &columns)?;
            Ok(formed.update_data(|input| LogicalPlan::Distinct(Distinct::All(input))))
        }
        LogicalPlan::Distinct(Distinct::On(on)) => in_distinct_on(on, &schema),
        LogicalPlan::Aggregate(aggregate) => in_groups(aggregate, &schema),
        LogicalPlan::Join(mut join) => {
            let mut changed = false;
            let (left, right) = (join.left.schema(), join.right.schema());
            for (on_left, on_right) in &mut join.on {
                changed |= form_one(on_left, left) | form_one(on_right, right);
            }
            Ok(Transformed::new_transformed(
                LogicalPlan::Join(join),
                changed,
            ))
        }
        node => Ok(Transformed::no(node)),
    }
}

fn in_distinct_on(on: DistinctOn, schema: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    let DistinctOn {
        mut on_expr,
        select_expr,
        mut sort_expr,
        input,
        ..
    } = on;
    let mut changed = form_all(&mut on_expr, true, schema);
    if let Some(order) = &mut sort_expr {
        changed |= form_order(order, schema);
    }
    let on = DistinctOn::try_new(on_expr, select_expr, sort_expr, input)?;
    let node = LogicalPlan::Distinct(Distinct::On(on));
    Ok(Transformed::new_transformed(node, changed))
}

fn in_groups(aggregate: Aggregate, schema: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    let Aggregate {
        input,
        group_expr,
        aggr_expr,
        ..
    } = aggregate;
    let mut changed = false;
    let mut groups = Vec::with_capacity(group_expr.len());
    let mut columns = Vec::new();
    // The aggregate's own names, which the nodes above look for.
    let names = NamePreserver::new_for_projection();
    for mut group in group_expr {
        if matches!(group, Expr::GroupingSet(_)) {
            // An alias may not stand there: the columns themselves get their forms, below.
            columns.extend(group.column_refs().into_iter().cloned());
        } else {
            let name = names.save(&group);
            changed |= form_one(&mut group, schema);
            group = name.restore(group);
        }
        groups.push(group);
    }
    let input = formed_columns(input, &columns)?;
    changed |= input.transformed;
    let aggregate = Aggregate::try_new(input.data, groups, aggr_expr)?;
    let node = LogicalPlan::Aggregate(aggregate);
    Ok(Transformed::new_transformed(node, changed))
}

/// Returns a plan with some of its columns in their canonical form, under their own names.
fn formed_columns(
    input: Arc<LogicalPlan>,
    columns: &[Column],
) -> Result<Transformed<Arc<LogicalPlan>>> {
    let schema = input.schema();
    let mut changed = false;
    let all = schema.columns().into_iter().map(|column| {
        let name = column.clone();
        let expression = Expr::Column(column);
        if !columns.contains(&name) || !needs_form(&expression, schema) {
            return expression;
        }
        changed = true;
        canonical(expression, schema).alias_qualified(name.relation, name.name)
    });
    let all: Vec<_> = all.collect();
    if !changed {
        return Ok(Transformed::no(input));
    }
    let projection = Projection::try_new(all, input)?;
    Ok(Transformed::yes(Arc::new(LogicalPlan::Projection(
        projection,
    ))))
}
