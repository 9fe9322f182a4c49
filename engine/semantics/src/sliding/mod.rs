//! Every aggregate function can be computed over every frame.
//!
//! DataFusion lets values leave a frame only where the function's accumulator can take them back (`retract_batch`),
//! and refuses `bool_and`, `string_agg`, `bit_or` and others over a frame whose begin moves. Others take back what
//! they had rounded: `stddev` over a frame was NaN where one value remained of several, and the sum of 1e20, 1 and 1
//! over two rows 0 in the last. Functions with a small state put states together here ([`states`]); of the rest, where theirs cannot, the values of the frame are kept and
//! added up anew for each row, as PostgreSQL does it.

mod accumulator;
mod function;
mod states;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    AggregateUDF, Expr, ExprSchemable, LogicalPlan, WindowFunctionDefinition,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, lit};

use crate::window_aggregate::{self, call};
use function::{Manner, Sliding, is_sliding};

/// Functions with a state of a few numbers that can be looked at again and again, besides those of a regression.
const MERGED: &[&str] = &[
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "corr",
    "covar_pop",
    "covar_samp",
    "stddev",
    "stddev_pop",
    "var",
    "var_pop",
];

/// Puts functions that keep their frame in the place of those that nothing can leave.
#[derive(Debug)]
pub(crate) struct SlideAggregates;

impl AnalyzerRule for SlideAggregates {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            if !matches!(node, LogicalPlan::Window(_)) {
                return Ok(Transformed::no(node));
            }
            let schema = merge_schema(&node.inputs());
            let names = NamePreserver::new(&node);
            let node = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let sliding = expression.transform_up(|part| Ok(sliding(part, &schema)))?;
                Ok(sliding.update_data(|expression| name.restore(expression)))
            })?;
            match node.transformed {
                true => Ok(Transformed::yes(node.data.recompute_schema()?)),
                false => Ok(node),
            }
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "slide_aggregates"
    }
}

fn sliding(part: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::WindowFunction(mut function) = part else {
        return Transformed::no(part);
    };
    let found = match &function.fun {
        WindowFunctionDefinition::AggregateUDF(aggregate)
            if !sees_all(&function) && !is_sliding(aggregate) =>
        {
            let is_merged = is_merged(aggregate) || adds_doubles(&function, schema);
            let manner = if is_merged && !function.params.distinct {
                Some(Manner::Merge)
            } else if cannot_slide(aggregate, &function, schema) {
                Some(Manner::Keep)
            } else {
                None
            };
            manner.map(|manner| Sliding::over(Arc::clone(aggregate), manner))
        }
        _ => None,
    };
    let changed = found.is_some();
    if let Some(found) = found {
        function.fun = WindowFunctionDefinition::AggregateUDF(found);
    }
    Transformed::new_transformed(Expr::WindowFunction(function), changed)
}

/// Says whether no row leaves the frame. One that only grows shrinks where the rows come the other way.
fn sees_all(call: &WindowFunction) -> bool {
    let frame = &call.params.window_frame;
    frame.start_bound.is_unbounded() && frame.end_bound.is_unbounded()
}

fn is_merged(aggregate: &AggregateUDF) -> bool {
    MERGED.contains(&aggregate.name()) || aggregate.name().starts_with("regr_")
}

/// Says whether a sum is one of rounded numbers.
fn adds_doubles(call: &WindowFunction, schema: &DFSchema) -> bool {
    let Some(argument) = call.params.args.first() else {
        return false;
    };
    matches!(call.fun.name(), "sum" | "avg")
        && argument
            .get_type(schema)
            .is_ok_and(|data_type| data_type.is_floating())
}

/// Says whether the function is computed by an accumulator that takes nothing back. One that makes no sense over
/// moving frames says so itself.
fn cannot_slide(
    aggregate: &Arc<AggregateUDF>,
    function: &WindowFunction,
    schema: &DFSchema,
) -> bool {
    let params = &function.params;
    let fields = params.args.iter().map(|argument| argument.to_field(schema));
    let Ok(fields) = fields
        .map(|field| field.map(|(_, field)| field))
        .collect::<Result<Vec<_>>>()
    else {
        return false;
    };
    let arguments = params.args.iter().enumerate();
    let arguments: Vec<Arc<dyn PhysicalExpr>> = arguments
        .map(|(place, argument)| match constant(argument, schema) {
            Some(value) => lit(value),
            None => Arc::new(Column::new(&argument.schema_name().to_string(), place)) as _,
        })
        .collect();
    let manner = window_aggregate::Manner {
        is_distinct: params.distinct,
        ignores_nulls: params.null_treatment == Some(NullTreatment::IgnoreNulls),
    };
    let call = call(aggregate, &arguments, &fields, manner);
    call.is_ok_and(|call| function::cannot_slide(&call))
}

/// Returns the value of a constant, which may stand in a cast until the optimizer has computed it.
fn constant(argument: &Expr, schema: &DFSchema) -> Option<ScalarValue> {
    match argument {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) => {
            let value = constant(&cast.expr, schema)?;
            value.cast_to(&argument.get_type(schema).ok()?).ok()
        }
        _ => None,
    }
}
