//! `drift`: how the distribution of each column of a table differs from that of a reference.
//!
//! The population stability index Σ (a − e) · ln(a / e) is taken over the bins of the reference: deciles of
//! numbers, each value of everything else; what is missing is a bin, and so is what the reference has not.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use crate::encoder::{
    CategoryType, EncoderKind, FitColumn, Fitted, Misfit, OutputDefinition, Policy, apply_function,
    learn, listed_values,
};
use crate::erased::Erased;
use crate::failure::{Failure, FailureKind, sql_type_name};
use crate::session::StatementContext;

/// Shares below this count as this, so that an empty bin does not give infinity.
const LEAST_SHARE: f64 = 1e-4;

/// What is compared.
pub(crate) struct Drift {
    pub(crate) current: Erased<LogicalPlan>,
    pub(crate) reference: Erased<LogicalPlan>,
    pub(crate) bins: usize,
    pub(crate) weight: Option<String>,
}

/// A column that both tables have.
struct Compared {
    name: String,
    data_type: DataType,
    numeric: bool,
}

/// Returns one row a column: its name and type, the number of bins, the share that is missing in each
/// table, and the index.
pub(crate) async fn drift(
    context: &StatementContext,
    drift: Drift,
) -> Result<RecordBatch, Failure> {
    let columns = compared(&drift)?;
    if context.events.is_none() {
        // While checking nothing is run.
        let nothing = vec![BTreeMap::new(); columns.len()];
        return report(&columns, &nothing, &nothing).map_err(|error| context.failure(error));
    }
    let explain = |error: DataFusionError| context.failure(error);
    let bins = learn_bins(context, &drift, &columns).await?;
    let functions: Vec<_> = columns
        .iter()
        .zip(bins)
        .map(|(column, bins)| bins.map(|bins| binning(column, bins)))
        .collect();
    let counted = |plan: &LogicalPlan| {
        let expressions = columns.iter().zip(&functions).map(|(column, function)| {
            let value = column_of(plan, &column.name)?;
            Ok(bin_name(value, column, function.as_ref()))
        });
        let expressions = expressions.collect::<Result<Vec<_>, DataFusionError>>()?;
        Ok((plan.clone(), expressions))
    };
    let reference = counted(&drift.reference).map_err(explain)?;
    let current = counted(&drift.current).map_err(explain)?;
    let expected = shares(context, reference, drift.weight.as_deref()).await?;
    let actual = shares(context, current, drift.weight.as_deref()).await?;
    report(&columns, &expected, &actual).map_err(explain)
}

fn compared(drift: &Drift) -> Result<Vec<Compared>, Failure> {
    let reference = drift.reference.schema();
    let mut columns = Vec::new();
    for field in drift.current.schema().fields() {
        let name = field.name();
        let Ok((_, other)) = reference.qualified_field_with_unqualified_name(name) else {
            continue;
        };
        if drift.weight.as_ref() == Some(name) {
            continue;
        }
        let numeric = field.data_type().is_numeric();
        if numeric != other.data_type().is_numeric() {
            return Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "`{name}` is {} in one table and {} in the other",
                    sql_type_name(field.data_type()),
                    sql_type_name(other.data_type())
                ),
            ));
        }
        columns.push(Compared {
            name: name.clone(),
            data_type: field.data_type().clone(),
            numeric,
        });
    }
    match columns.is_empty() {
        false => Ok(columns),
        true => Err(Failure::new(
            FailureKind::Plan,
            "the two tables have no column in common",
        )),
    }
}

fn column_of(plan: &LogicalPlan, name: &str) -> Result<Expr, DataFusionError> {
    let field = plan.schema().qualified_field_with_unqualified_name(name)?;
    Ok(Expr::Column(Column::from(field)))
}

/// Learns the bins of the reference's numbers; `None` where a column is one bin.
async fn learn_bins(
    context: &StatementContext,
    drift: &Drift,
    columns: &[Compared],
) -> Result<Vec<Option<Fitted>>, Failure> {
    let mut expressions = Vec::new();
    let mut outputs = Vec::new();
    let mut places = Vec::new();
    let build = || -> Result<LogicalPlan, DataFusionError> {
        for (place, column) in columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.numeric)
        {
            let mut push = |expression: Expr| {
                expressions.push(expression.alias(format!("column {}", expressions.len())));
                expressions.len() - 1
            };
            outputs.push(FitColumn {
                encoder: EncoderKind::QuantileBins { bins: drift.bins },
                category: None,
                value: push(column_of(&drift.reference, &column.name)?),
                target: None,
                weight: match &drift.weight {
                    None => None,
                    Some(weight) => Some(push(column_of(&drift.reference, weight)?)),
                },
            });
            places.push(place);
        }
        LogicalPlanBuilder::from((*drift.reference).clone())
            .project(expressions)?
            .build()
    };
    let mut bins: Vec<Option<Fitted>> = columns.iter().map(|_| None).collect();
    let plan = build().map_err(|error| context.failure(error))?;
    if outputs.is_empty() {
        return Ok(bins);
    }
    let fitted = learned(context, plan, outputs).await?;
    for (place, fitted) in places.into_iter().zip(fitted) {
        bins[place] = fitted;
    }
    Ok(bins)
}

/// Fits outputs; `None` for those that cannot be fitted.
async fn learned(
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
    let learned = learned.map_err(|misfit: Misfit| context.failure(misfit.error))?;
    Ok(learned.finish_each().into_iter().map(Result::ok).collect())
}

fn definition(column: &Compared, encoder: EncoderKind) -> OutputDefinition {
    OutputDefinition {
        name: column.name.clone(),
        encoder,
        value: column.name.clone(),
        target: None,
        weight: None,
        category: None,
        value_type: sql_type_name(&column.data_type),
    }
}

fn binning(column: &Compared, bins: Fitted) -> datafusion::logical_expr::ScalarUDF {
    let definition = definition(column, EncoderKind::QuantileBins { bins: bins.len() });
    let name = format!("bin of {}", column.name);
    apply_function(name, definition, Arc::new(bins), Policy::default(), None)
}

/// The bin of a value, as text; NULL for what is missing.
fn bin_name(
    value: Expr,
    column: &Compared,
    bins: Option<&datafusion::logical_expr::ScalarUDF>,
) -> Expr {
    let present = value.clone().is_not_null();
    let bin = match bins {
        Some(function) => cast(function.call(vec![value]), DataType::Utf8),
        None if column.numeric => {
            let number = cast(value, DataType::Float64);
            let is_nan = datafusion::functions::math::expr_fn::isnan(number);
            return when(present.and(is_nan.is_not_true()), lit("0"))
                .end()
                .unwrap_or_else(|_| lit("0"));
        }
        None => cast(value, DataType::Utf8),
    };
    when(present, bin.clone()).end().unwrap_or(bin)
}

/// The shares of the bins of each column; of those that are missing under `None`.
type Shares = Vec<BTreeMap<Option<String>, f64>>;

async fn shares(
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

/// The index of one column; shares below the least count as that.
fn stability(
    numeric: bool,
    expected: &BTreeMap<Option<String>, f64>,
    actual: &BTreeMap<Option<String>, f64>,
) -> (usize, Option<f64>) {
    if expected.is_empty() || actual.is_empty() {
        return (expected.len(), None);
    }
    let mut bins: BTreeMap<Option<&str>, (f64, f64)> = BTreeMap::new();
    for (name, share) in expected {
        bins.entry(name.as_deref()).or_default().0 += share;
    }
    for (name, share) in actual {
        // Every bin of numbers is the reference's, also one that none of its rows is in.
        let key = match numeric || expected.contains_key(name) || name.is_none() {
            true => name.as_deref(),
            false => Some(OTHER_KEY),
        };
        bins.entry(key).or_default().1 += share;
    }
    let index = bins
        .values()
        .map(|(expected, actual)| {
            let (expected, actual) = (expected.max(LEAST_SHARE), actual.max(LEAST_SHARE));
            (actual - expected) * (actual / expected).ln()
        })
        .sum();
    (bins.len(), Some(index))
}

/// The bin of values that the reference has not; begins with a noncharacter, which no text should.
const OTHER_KEY: &str = "\u{10ffff}other";

fn report(
    columns: &[Compared],
    expected: &Shares,
    actual: &Shares,
) -> Result<RecordBatch, DataFusionError> {
    let missing = |shares: &Shares| -> Float64Array {
        let share = |bins: &BTreeMap<Option<String>, f64>| {
            (!bins.is_empty()).then(|| bins.get(&None).copied().unwrap_or(0.0))
        };
        shares.iter().map(share).collect()
    };
    let indexes: Vec<_> = columns
        .iter()
        .zip(expected.iter().zip(actual))
        .map(|(column, (expected, actual))| stability(column.numeric, expected, actual))
        .collect();
    let names: StringArray = columns
        .iter()
        .map(|column| Some(column.name.as_str()))
        .collect();
    let types: StringArray = columns
        .iter()
        .map(|column| Some(sql_type_name(&column.data_type)))
        .collect();
    let bins: Int64Array = indexes.iter().map(|(bins, _)| Some(*bins as i64)).collect();
    let index: Float64Array = indexes.iter().map(|(_, index)| *index).collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("column_name", Arc::new(names) as _, true),
        ("column_type", Arc::new(types) as _, true),
        ("bins", Arc::new(bins) as _, true),
        ("reference_missing", Arc::new(missing(expected)) as _, true),
        ("current_missing", Arc::new(missing(actual)) as _, true),
        ("psi", Arc::new(index) as _, true),
    ])?)
}
