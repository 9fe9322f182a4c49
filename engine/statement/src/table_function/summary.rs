//! `summarize`, and the plan of SUMMARIZE: one aggregation over the input, turned into one row a column.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, ScalarValue};
use datafusion::datasource::{TableProvider, ViewTable};
use datafusion::execution::SessionState;
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::{
    approx_distinct, approx_percentile_cont, avg, count, max, min, stddev,
};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, col, lit, when,
};
use datafusion::prelude::get_field;
use lakesh_session::scope::Resolver;
use lakesh_session::table_functions::{TableFunction, named_table};
use lakesh_table::Argument;
use lakesh_text::failure::{Failure, sql_type_name};

/// The table function `summarize`.
pub static SUMMARIZE: TableFunction = TableFunction {
    name: "summarize",
    usage: "summarize('table')",
    summary: "Range, distinct count, mean, quartiles and missing share of every column.",
    example: "SELECT * FROM summarize('information_schema.tables')",
    open: |resolver, arguments| Box::pin(summarize(resolver, arguments)),
};

/// How many columns one aggregation summarizes at most.
const QUARTILES: [(&str, f64); 3] = [("q25", 0.25), ("q50", 0.5), ("q75", 0.75)];

async fn summarize(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let (name, source) = named_table(resolver, "summarize", arguments).await?;
    let context = resolver.context();
    let plan = LogicalPlanBuilder::scan(name, source, None)
        .and_then(LogicalPlanBuilder::build)
        .and_then(|input| summary_plan(&context.state, input))
        .map_err(|error| context.failure(error))?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Builds a plan with one row a column of the input: column_name, column_type, min, max,
/// approx_unique, avg, std, q25, q50, q75, count, null_percentage. Quartiles and distinct counts
/// are approximate. NULLs count only in null_percentage and count.
pub(crate) fn summary_plan(
    _state: &SessionState,
    input: LogicalPlan,
) -> Result<LogicalPlan, DataFusionError> {
    let schema = input.schema().clone();
    let mut aggregates = vec![count(lit(1_i64)).alias("rows")];
    let mut rows = Vec::new();
    for (position, (qualifier, field)) in schema.iter().enumerate() {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let part = ColumnSummary::new(position, field.data_type(), column);
        aggregates.extend(part.aggregates());
        rows.push(part.row(field.name(), field.data_type()));
    }
    let none: [Expr; 0] = [];
    let aggregated = LogicalPlanBuilder::from(input)
        .aggregate(none, aggregates)?
        .build()?;
    let rows = rows
        .into_iter()
        .map(|row| typed_row(row, aggregated.schema().as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    let plan = LogicalPlanBuilder::from(aggregated)
        .project([make_array(rows).alias("summary")])?
        .unnest_column("summary")?
        .project(
            COLUMNS
                .iter()
                .map(|(name, _)| get_field(col("summary"), *name).alias(*name)),
        )?
        .build()?;
    Ok(plan)
}

/// The columns of a summary and their types.
const COLUMNS: [(&str, Type); 12] = [
    ("column_name", Type::Text),
    ("column_type", Type::Text),
    ("min", Type::Text),
    ("max", Type::Text),
    ("approx_unique", Type::Count),
    ("avg", Type::Number),
    ("std", Type::Number),
    ("q25", Type::Number),
    ("q50", Type::Number),
    ("q75", Type::Number),
    ("count", Type::Count),
    ("null_percentage", Type::Number),
];

#[derive(Clone, Copy)]
enum Type {
    Text,
    Count,
    Number,
}

impl Type {
    fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Count => DataType::Int64,
            Self::Number => DataType::Float64,
        }
    }
}

/// Casts the twelve values of a row and makes a struct of them.
fn typed_row(
    values: Vec<Expr>,
    schema: &datafusion::common::DFSchema,
) -> Result<Expr, DataFusionError> {
    let mut arguments = Vec::new();
    for ((name, kind), value) in COLUMNS.iter().zip(values) {
        arguments.push(lit(*name));
        arguments.push(value.cast_to(&kind.arrow(), schema)?);
    }
    Ok(named_struct(arguments))
}

/// What is computed of one column.
struct ColumnSummary {
    position: usize,
    column: Expr,
    ordered: bool,
    numeric: bool,
    hashable: bool,
}

impl ColumnSummary {
    fn new(position: usize, data_type: &DataType, column: Expr) -> Self {
        let plain = match data_type {
            DataType::Dictionary(_, value) => value.as_ref(),
            other => other,
        };
        Self {
            position,
            column,
            ordered: plain.is_primitive()
                || matches!(
                    plain,
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean
                ),
            numeric: plain.is_numeric(),
            hashable: plain.is_primitive()
                || matches!(
                    plain,
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
                ),
        }
    }

    fn name(&self, part: &str) -> String {
        format!("{part}_{}", self.position)
    }

    fn aggregates(&self) -> Vec<Expr> {
        let column = || self.column.clone();
        let number = || cast(column(), DataType::Float64);
        let mut all = vec![count(column()).alias(self.name("count"))];
        if self.ordered {
            all.push(min(column()).alias(self.name("min")));
            all.push(max(column()).alias(self.name("max")));
        }
        if self.hashable {
            all.push(approx_distinct(self.distinct_input()).alias(self.name("unique")));
        }
        if self.numeric {
            all.push(avg(number()).alias(self.name("avg")));
            all.push(stddev(number()).alias(self.name("std")));
            for (part, share) in QUARTILES {
                let sorted = SortExpr::new(number(), true, false);
                all.push(approx_percentile_cont(sorted, lit(share), None).alias(self.name(part)));
            }
        }
        all
    }

    /// `approx_distinct` takes no floats and few other types: text stands for the value.
    fn distinct_input(&self) -> Expr {
        cast(self.column.clone(), DataType::Utf8)
    }

    fn row(&self, name: &str, data_type: &DataType) -> Vec<Expr> {
        let absent = || lit(ScalarValue::Null);
        let part = |present: bool, part: &str| {
            if present {
                col(Column::from_name(self.name(part)))
            } else {
                absent()
            }
        };
        let counted = || {
            cast(
                col(Column::from_name(self.name("count"))),
                DataType::Float64,
            )
        };
        let rows = || cast(col("rows"), DataType::Float64);
        let share = when(col("rows").eq(lit(0_i64)), absent())
            .otherwise((rows() - counted()) / rows() * lit(100.0))
            .unwrap_or_else(|_| absent());
        vec![
            lit(name),
            lit(sql_type_name(data_type)),
            part(self.ordered, "min"),
            part(self.ordered, "max"),
            part(self.hashable, "unique"),
            part(self.numeric, "avg"),
            part(self.numeric, "std"),
            part(self.numeric, "q25"),
            part(self.numeric, "q50"),
            part(self.numeric, "q75"),
            col("rows"),
            share,
        ]
    }
}
