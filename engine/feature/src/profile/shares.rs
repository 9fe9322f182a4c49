//! The share of the rows that each bin of a column has, for many columns in one pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use lakesh_encoder::{
    CategoryType, EncoderKind, FitColumn, Fitted, OutputDefinition, OutputError, learn,
    listed_values,
};
use lakesh_session::StatementContext;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

/// Refers to a column of a plan.
pub(super) fn column_of(plan: &LogicalPlan, name: &str) -> Result<Expr, DataFusionError> {
    let field = plan.schema().qualified_field_with_unqualified_name(name)?;
    Ok(Expr::Column(Column::from(field)))
}

/// Fits outputs; `None` for those that cannot be fitted.
pub(super) async fn learned(
    context: &StatementContext,
    plan: LogicalPlan,
    outputs: Vec<FitColumn>,
) -> Result<Vec<Option<Fitted>>, Failure> {
    let plan = Erased::new(plan);
    let outputs = Arc::new(outputs);
    let learned = context
        .with_join_retry(|state| {
            learn(Erased::new(state), plan.clone(), Arc::clone(&outputs), None)
        })
        .await?;
    let learned = learned.map_err(|wrong: OutputError| context.failure(wrong.error))?;
    Ok(learned.finish_each().into_iter().map(Result::ok).collect())
}

/// The shares of the bins of each column; of those that are missing under `None`.
pub(super) type Shares = Vec<BTreeMap<Option<String>, f64>>;

/// Counts how the rows of a plan are spread over bins, in one pass.
pub(super) async fn shares(
    context: &StatementContext,
    (plan, bins): (LogicalPlan, Vec<Expr>),
    weight: Option<&str>,
) -> Result<Shares, Failure> {
    let count = bins.len();
    let build = || -> Result<LogicalPlan, DataFusionError> {
        let weight = weight.map(|weight| column_of(&plan, weight)).transpose()?;
        let named = bins
            .into_iter()
            .chain(weight)
            .enumerate()
            .map(|(place, column)| column.alias(format!("column {place}")));
        LogicalPlanBuilder::from(plan.clone())
            .project(named.collect::<Vec<_>>())?
            .build()
    };
    let plan = build().map_err(|error| context.failure(error))?;
    let outputs = (0..count).map(|value| FitColumn {
        encoder: EncoderKind::Frequency,
        category: Some(CategoryType::Text),
        value,
        target: None,
        weight: weight.map(|_| count),
    });
    let fitted = learned(context, plan, outputs.collect()).await?;
    let read = |fitted: Option<Fitted>| -> Result<_, DataFusionError> {
        let mut shares = BTreeMap::new();
        let Some(fitted) = fitted else {
            return Ok(shares);
        };
        let listed = listed_values(&shares_definition(), &fitted)?;
        let names = listed.column(2).as_string::<i32>();
        let values = listed.column(6).as_primitive::<Float64Type>();
        for row in 0..listed.num_rows() {
            let name = names.is_valid(row).then(|| names.value(row).to_owned());
            shares.insert(name, values.value(row));
        }
        Ok(shares)
    };
    fitted
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|error| context.failure(error))
}

fn shares_definition() -> OutputDefinition {
    OutputDefinition {
        name: "bin".to_owned(),
        encoder: EncoderKind::Frequency,
        value: "bin".to_owned(),
        target: None,
        weight: None,
        category: Some(CategoryType::Text),
        value_type: "VARCHAR".to_owned(),
    }
}
