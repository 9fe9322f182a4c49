//! An aggregate function over arguments of which the fields are known, outside an operator's plan.

use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{Column, Literal};

/// How a function is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) is_distinct: bool,
    pub(crate) ignores_nulls: bool,
}

/// Returns a call whose arguments are the columns in their order; constants stay, since functions read them.
pub(crate) fn call(
    function: &Arc<AggregateUDF>,
    arguments: &[Arc<dyn PhysicalExpr>],
    fields: &[FieldRef],
    manner: Manner,
) -> Result<AggregateFunctionExpr> {
    let columns = arguments.iter().zip(fields).enumerate();
    let columns = columns.map(
        |(place, (argument, field))| match argument.is::<Literal>() {
            true => Arc::clone(argument),
            false => Arc::new(Column::new(field.name(), place)) as _,
        },
    );
    AggregateExprBuilder::new(Arc::clone(function), columns.collect())
        .schema(Arc::new(Schema::new(fields.to_vec())))
        .alias(function.name())
        .with_distinct(manner.is_distinct)
        .with_ignore_nulls(manner.ignores_nulls)
        .build()
}
