//! `woe_table`: the weight of evidence of the groups of a column, and its information value.
//!
//! The sign is optbinning's: ln(share of the non-events / share of the events).

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError};
use datafusion::functions::math::expr_fn::ln;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition, cast, lit, when,
};
use lakesh_encoder::named_windows;

use super::exact::exact_sum;

/// Plans one row a group: `group`, `count`, `non_event`, `event`, `event_rate`, `woe`, `iv`. A group
/// without events or without non-events has a `woe` and an `iv` of 0, as optbinning shows it. A row counts
/// if its target is not NULL; a target other than 0 and 1 counts as that share of an event.
pub(crate) fn woe_plan(
    input: LogicalPlan,
    group: Expr,
    target: Expr,
    weight: Option<Expr>,
) -> Result<LogicalPlan, DataFusionError> {
    let number = |expression: Expr| cast(expression, DataType::Float64);
    let weight = weight.map_or_else(|| lit(1.0), number);
    let rows = LogicalPlanBuilder::from(input)
        .project([
            group.alias("group"),
            weight.alias("weight of row"),
            number(target).alias("target of row"),
        ])?
        .filter(column("target of row").is_not_null())?
        .build()?;
    let of_row = |name: &str| Expr::Column(Column::from_name(format!("{name} of row")));
    let grouped = LogicalPlanBuilder::from(rows)
        .aggregate(
            [Expr::Column(Column::from_name("group"))],
            [
                exact_sum(of_row("weight")).alias("count"),
                exact_sum(of_row("weight") * (lit(1.0) - of_row("target"))).alias("non_event"),
                exact_sum(of_row("weight") * of_row("target")).alias("event"),
            ],
        )?
        .build()?;
    let over_all = |name: &str| {
        let function = WindowFunctionDefinition::AggregateUDF(
            datafusion::functions_aggregate::sum::sum_udaf(),
        );
        let window = WindowFunction::new(function, vec![column(name)]);
        (format!("all {name}"), Expr::from(window))
    };
    let windowed = named_windows(grouped, vec![over_all("non_event"), over_all("event")])?;
    let share = |name: &str| column(name) / column(&format!("all {name}"));
    let evidence = ln(share("non_event") / share("event"));
    let both = column("event")
        .gt(lit(0.0))
        .and(column("non_event").gt(lit(0.0)));
    let value = (share("non_event") - share("event")) * evidence.clone();
    LogicalPlanBuilder::from(windowed)
        .project([
            column("group"),
            column("count"),
            column("non_event"),
            column("event"),
            (column("event") / column("count")).alias("event_rate"),
            when(both.clone(), evidence)
                .otherwise(lit(0.0))?
                .alias("woe"),
            when(both, value).otherwise(lit(0.0))?.alias("iv"),
        ])?
        .sort([column("group").sort(true, false)])?
        .build()
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}
