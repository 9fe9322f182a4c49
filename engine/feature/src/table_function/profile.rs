//! `feature_profile`, `drift`, `compress` and `woe_table`: what tables look like and how they differ.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::{MemTable, TableProvider, ViewTable};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::collect;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident};
use lakesh_encoder::{
    EncoderKind, FitColumn, Fitted, OutputDefinition, Policy, apply_function, learn, parse_key,
};
use lakesh_session::StatementContext;
use lakesh_session::scope::{Resolver, single_expression};
use lakesh_session::table_functions::{Bound, TableFunction, named_table};
use lakesh_table::Argument;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use crate::profile::{
    Drift, Profiled, compress_plan, drift, profile_plan, to_draw, totals_plan, woe_plan,
};

/// The table function `compress`.
pub static COMPRESS: TableFunction = TableFunction {
    name: "compress",
    usage: "compress('table', by => ['column', …] [, weight => 'w'] [, verify => true])",
    summary: "Each combination of values once, with its number of rows and its weight: what COMPRESS returns.",
    example: "SELECT * FROM compress('scores', by => ['bin', 'y'], weight => 'w')",
    open: |resolver, arguments| Box::pin(call_compress(resolver, arguments)),
};

/// The table function `drift`.
pub static DRIFT: TableFunction = TableFunction {
    name: "drift",
    usage: "drift('current', 'reference' [, bins => 10] [, weight => 'w'])",
    summary: "How the distribution of each column differs from a reference: what DRIFT returns.",
    example: "SELECT column_name, psi FROM drift('today', 'train') WHERE psi > 0.1",
    open: |resolver, arguments| Box::pin(call_drift(resolver, arguments)),
};

/// The table function `feature_profile`.
pub static FEATURE_PROFILE: TableFunction = TableFunction {
    name: "feature_profile",
    usage: "feature_profile('table' [, weight => 'w'] [, by => 'column' | ['column', …]])",
    summary: "Missing share, distinct count, moments and quantiles of every column, exact, in one scan.",
    example: "SELECT column_name, missing_rate, skewness FROM feature_profile('train', weight => 'w')",
    open: |resolver, arguments| Box::pin(call_profile(resolver, arguments)),
};

/// The table function `woe_table`.
pub static WOE_TABLE: TableFunction = TableFunction {
    name: "woe_table",
    usage: "woe_table('table', 'column', 'target' [, bins => 10] [, weight => 'w'])",
    summary: "Weight of evidence, ln(share of non-events / share of events), and information value of each group or bin.",
    example: "SELECT \"group\", woe, iv FROM woe_table('train', 'city', 'y')",
    open: |resolver, arguments| Box::pin(call_woe(resolver, arguments)),
};

/// How many bins DRIFT makes of numbers where it is not told.
pub(crate) const DRIFT_BINS: usize = 10;

/// Opens `feature_profile('table', weight => 'w', by => 'g')`.
async fn call_profile(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = &["table", "weight", "by"];
    let mut bound = Bound::new("feature_profile", names, 1, arguments)?;
    let weight = bound.take_text("weight")?;
    let by = bound.take_columns("by")?;
    let input = input(resolver, &mut bound, "table").await?;
    let context = resolver.context();
    context.note_drawn(|| {
        to_draw(Profiled {
            input: input.clone(),
            weight: weight.clone(),
            by: by.clone(),
        })
    });
    let plan = profile_plan(input.into_inner(), &by, weight.as_deref())
        .map_err(|error| context.failure(error))?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Opens `drift('current', 'reference', bins => 10, weight => 'w')`.
async fn call_drift(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = &["current", "reference", "bins", "weight"];
    let mut bound = Bound::new("drift", names, 2, arguments)?;
    let bins = match bound.take("bins") {
        None => DRIFT_BINS,
        Some(value) => {
            bin_count(&value).ok_or_else(|| bound.wrong("takes from 2 to 1000 `bins`"))?
        }
    };
    let weight = bound.take_text("weight")?;
    let current = input(resolver, &mut bound, "current").await?;
    let reference = input(resolver, &mut bound, "reference").await?;
    let compared = Drift {
        current,
        reference,
        bins,
        weight,
    };
    memory(drift(resolver.context(), compared).await?)
}

fn bin_count(value: &ScalarValue) -> Option<usize> {
    let count = usize::try_from(lakesh_sql::whole_number(value)?).ok();
    count.filter(|count| (2..=1000).contains(count))
}

fn memory(batch: RecordBatch) -> Result<Arc<dyn TableProvider>, Failure> {
    MemTable::try_new(batch.schema(), vec![vec![batch]])
        .map(|table| Arc::new(table) as Arc<dyn TableProvider>)
        .map_err(Failure::from_error)
}

/// Opens `compress('table', by => ['a', 'b'], weight => 'w', verify => true)`.
async fn call_compress(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = &["table", "by", "weight", "verify"];
    let mut bound = Bound::new("compress", names, 2, arguments)?;
    let by = bound.take_columns("by")?;
    let weight = bound.take_text("weight")?;
    let verify = match bound.take("verify") {
        None => false,
        Some(ScalarValue::Boolean(Some(verify))) => verify,
        Some(_) => return Err(bound.wrong("takes true or false as `verify`")),
    };
    let input = input(resolver, &mut bound, "table").await?;
    let context = resolver.context();
    let plan = compressed(context, input, &by, weight.as_deref(), verify).await?;
    Ok(Arc::new(ViewTable::new(plan.into_inner(), None)))
}

/// Plans equal rows as one; with `verify` proves first that totals and weighted sums stay the same.
pub(crate) async fn compressed(
    context: &StatementContext,
    input: Erased<LogicalPlan>,
    by: &[String],
    weight: Option<&str>,
    verify: bool,
) -> Result<Erased<LogicalPlan>, Failure> {
    let explain = |error: DataFusionError| context.failure(error);
    let plan = compress_plan((*input).clone(), by, weight).map_err(explain)?;
    if verify && context.events.is_some() {
        let before = totals_plan(input.into_inner(), by, weight, false).map_err(explain)?;
        let after = totals_plan(plan.clone(), by, weight, true).map_err(explain)?;
        let before = numbers(context, before.into()).await?;
        let after = numbers(context, after.into()).await?;
        let proof = compared(&before, &after)?;
        context.notice(format!("verified: {proof}")).await?;
    }
    Ok(plan.into())
}

/// The numbers of a plan of one row, by name.
type Totals = Vec<(String, Option<f64>)>;

async fn numbers(context: &StatementContext, plan: Erased<LogicalPlan>) -> Result<Totals, Failure> {
    let batches = context
        .with_join_retry(|state| rows_of(Erased::new(state), plan.clone()))
        .await?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() == 1) else {
        return Err(Failure::new(
            FailureKind::Execution,
            "the totals have no row",
        ));
    };
    let schema = batch.schema();
    let values = schema.fields().iter().zip(batch.columns());
    Ok(values
        .map(|(field, column)| {
            let number = column.as_primitive::<Float64Type>().iter().next().flatten();
            (field.name().clone(), number)
        })
        .collect())
}

async fn rows_of(
    state: Erased<SessionState>,
    plan: Erased<LogicalPlan>,
) -> Result<Vec<RecordBatch>, DataFusionError> {
    let physical = state.create_physical_plan(&plan).await?;
    collect(physical, state.task_ctx()).await
}

/// Says that totals are equal, or which one is not.
fn compared(before: &Totals, after: &Totals) -> Result<String, Failure> {
    let mut proof = Vec::new();
    for ((name, before), (_, after)) in before.iter().zip(after) {
        let shown = |number: &Option<f64>| {
            number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
        };
        if !is_equal(*before, *after) {
            return Err(Failure::new(
                FailureKind::Execution,
                format!(
                    "the compressed rows have {name} = {}, the input has {}",
                    shown(after),
                    shown(before)
                ),
            )
            .hint("a table that changes meanwhile is read at one version with VERSION AS OF"));
        }
        proof.push(format!("{name} = {}", shown(before)));
    }
    Ok(proof.join(", "))
}

/// Whole numbers must be the same; a sum of fractions may be rounded differently when its terms are grouped.
fn is_equal(before: Option<f64>, after: Option<f64>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) if before.is_nan() => after.is_nan(),
        (Some(before), Some(after)) => {
            let is_whole = before.fract() == 0.0 && after.fract() == 0.0;
            let rounding = if is_whole { 0.0 } else { 1e-12 * before.abs() };
            before == after || (before - after).abs() <= rounding
        }
        _ => before == after,
    }
}

/// Opens `woe_table('table', 'column', 'target', bins => 10, weight => 'w')`.
async fn call_woe(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = &["table", "column", "target", "bins", "weight"];
    let mut bound = Bound::new("woe_table", names, 3, arguments)?;
    let bins = match bound.take("bins") {
        None => None,
        Some(value) => {
            Some(bin_count(&value).ok_or_else(|| bound.wrong("takes from 2 to 1000 `bins`"))?)
        }
    };
    let texts = ["column", "target", "weight"].map(|name| bound.take_text(name));
    let [column, target, weight] = texts;
    let (column, target, weight) = (column?, target?, weight?);
    let input = input(resolver, &mut bound, "table").await?;
    let context = resolver.context();
    let over = |text: &str| -> Result<datafusion::logical_expr::Expr, Failure> {
        let parsed =
            parse_key(text).unwrap_or_else(|_| SqlExpr::Identifier(Ident::with_quote('"', text)));
        single_expression(context, input.schema(), parsed)
    };
    let column = over(&column.unwrap_or_default())?;
    let target = over(&target.unwrap_or_default())?;
    let weight = weight.map(|weight| over(&weight)).transpose()?;
    let group = match bins {
        None => column,
        Some(bins) => binned(context, &input, column, weight.clone(), bins).await?,
    };
    let plan = woe_plan(input.into_inner(), group, target, weight)
        .map_err(|error| context.failure(error))?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Learns quantile bins of an expression and returns the number of the bin.
async fn binned(
    context: &StatementContext,
    input: &LogicalPlan,
    column: datafusion::logical_expr::Expr,
    weight: Option<datafusion::logical_expr::Expr>,
    bins: usize,
) -> Result<datafusion::logical_expr::Expr, Failure> {
    let explain = |error: DataFusionError| context.failure(error);
    let definition = OutputDefinition {
        name: "bins".to_owned(),
        encoder: EncoderKind::QuantileBins { bins },
        value: column.to_string(),
        target: None,
        weight: None,
        category: None,
        value_type: "DOUBLE".to_owned(),
    };
    let outputs = Arc::new(vec![FitColumn {
        encoder: definition.encoder.clone(),
        category: None,
        value: 0,
        target: None,
        weight: weight.as_ref().map(|_| 1),
    }]);
    let columns = [Some(column.clone()), weight].into_iter().flatten();
    let columns = columns
        .enumerate()
        .map(|(place, column)| column.alias(format!("column {place}")));
    let plan = LogicalPlanBuilder::from(input.clone())
        .project(columns.collect::<Vec<_>>())
        .and_then(LogicalPlanBuilder::build)
        .map_err(explain)?;
    let fitted = match context.events.is_some() {
        true => learned_bins(context, Erased::new(plan), outputs).await?,
        // While checking nothing is run.
        false => Fitted::nothing(&definition),
    };
    let function = apply_function(
        "bin".to_owned(),
        definition,
        Arc::new(fitted),
        Policy::default(),
        None,
    );
    Ok(function.call(vec![column]))
}

async fn learned_bins(
    context: &StatementContext,
    plan: Erased<LogicalPlan>,
    outputs: Arc<Vec<FitColumn>>,
) -> Result<Fitted, Failure> {
    let explain = |error: DataFusionError| context.failure(error);
    let learned = context
        .with_join_retry(|state| {
            learn(Erased::new(state), plan.clone(), Arc::clone(&outputs), None)
        })
        .await?;
    let learned = learned.map_err(|wrong| explain(wrong.error))?;
    let mut fitted = learned.finish().map_err(|wrong| explain(wrong.error))?;
    let fitted = fitted.pop();
    fitted.ok_or_else(|| Failure::new(FailureKind::Execution, "nothing was learned"))
}

/// Opens the table that an argument names.
async fn input(
    resolver: &mut Resolver<'_>,
    bound: &mut Bound,
    argument: &str,
) -> Result<Erased<LogicalPlan>, Failure> {
    let table = Argument {
        name: None,
        value: bound.take(argument).unwrap_or(ScalarValue::Null),
    };
    let (name, source) = named_table(resolver, bound.function(), vec![table]).await?;
    LogicalPlanBuilder::scan(name, source, None)
        .and_then(LogicalPlanBuilder::build)
        .map(Erased::new)
        .map_err(|error| resolver.context().failure(error))
}
