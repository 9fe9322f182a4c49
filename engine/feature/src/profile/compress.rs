//! `compress`: equal rows become one, with their number and their weight; and the proof that nothing was
//! lost.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, plan_err};
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use super::exact::exact_sum;

/// The column of a compressed table that says how many rows a row stands for.
pub(crate) const COUNT: &str = "n";

/// Groups rows by columns; `n` is how many rows a row stands for, and the weight their weights' sum.
pub(crate) fn compress_plan(
    input: LogicalPlan,
    by: &[String],
    weight: Option<&str>,
) -> Result<LogicalPlan, DataFusionError> {
    let clash = [Some(COUNT), weight]
        .into_iter()
        .flatten()
        .find(|name| by.iter().any(|by| by == name));
    if let Some(name) = clash {
        return plan_err!("`{name}` cannot be both a column to compress by and one that is summed");
    }
    let groups = by
        .iter()
        .map(|name| found(&input, name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut aggregates = vec![count(lit(1_i64)).alias(COUNT)];
    if let Some(weight) = weight {
        aggregates.push(total(&input, weight)?.alias(weight));
    }
    LogicalPlanBuilder::from(input)
        .aggregate(groups, aggregates)?
        .build()
}

fn found(plan: &LogicalPlan, name: &str) -> Result<Expr, DataFusionError> {
    let field = plan.schema().qualified_field_with_unqualified_name(name)?;
    Ok(Expr::Column(Column::from(field)))
}

/// The sum of a column: of integers and decimals in their own type, of the others without rounding.
fn total(plan: &LogicalPlan, name: &str) -> Result<Expr, DataFusionError> {
    let column = found(plan, name)?;
    let (_, field) = plan.schema().qualified_field_with_unqualified_name(name)?;
    Ok(match field.data_type() {
        kind if kind.is_floating() => exact_sum(column),
        kind if kind.is_numeric() => sum(column),
        kind => {
            return plan_err!(
                "the weight `{name}` is {}, not a number",
                lakesh_text::failure::sql_type_name(kind)
            );
        }
    })
}

/// Plans one row of totals: how many rows, their weight, and the weighted sum of each numeric column of
/// `by`. `compressed` says whether the rows of the plan are compressed ones.
pub(crate) fn totals_plan(
    plan: LogicalPlan,
    by: &[String],
    weight: Option<&str>,
    compressed: bool,
) -> Result<LogicalPlan, DataFusionError> {
    let number =
        |name: &str| Ok::<_, DataFusionError>(cast(found(&plan, name)?, DataType::Float64));
    let rows = match compressed {
        true => sum(found(&plan, COUNT)?),
        false => count(lit(1_i64)),
    };
    let mut totals = vec![cast(rows, DataType::Float64).alias("n")];
    let factor = match (weight, compressed) {
        (Some(weight), _) => Some(number(weight)?),
        (None, true) => Some(number(COUNT)?),
        (None, false) => None,
    };
    if let Some(weight) = weight {
        totals.push(exact_sum(number(weight)?).alias(format!("Σ{weight}")));
    }
    for name in by {
        let (_, field) = plan.schema().qualified_field_with_unqualified_name(name)?;
        if !field.data_type().is_numeric() && field.data_type() != &DataType::Boolean {
            continue;
        }
        let events = number(name)?;
        let events = match &factor {
            Some(factor) => factor.clone() * events,
            None => events,
        };
        // What is no number has no sum; how often it occurs is proved by the counts.
        let usable = datafusion::functions::math::expr_fn::isnan(events.clone()).is_not_true();
        let events = when(usable, events).end()?;
        let shown = weight.map_or_else(String::new, |weight| format!("{weight}·"));
        totals.push(exact_sum(events).alias(format!("Σ{shown}{name}")));
    }
    let names: Vec<String> = totals
        .iter()
        .map(|total| total.schema_name().to_string())
        .collect();
    let none: [Expr; 0] = [];
    let counted = LogicalPlanBuilder::from(plan.clone()).aggregate(
        none,
        totals.into_iter().map(|total| match total {
            // An aggregation takes the function; what is around it comes behind.
            Expr::Alias(alias) => match *alias.expr {
                Expr::Cast(cast) => (*cast.expr).alias(alias.name),
                inner => inner.alias(alias.name),
            },
            other => other,
        }),
    )?;
    counted
        .project(names.into_iter().map(|name| {
            cast(Expr::Column(Column::from_name(&name)), DataType::Float64).alias(name)
        }))?
        .build()
}
