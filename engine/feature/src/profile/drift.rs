//! `drift`: how the distribution of each column of a table differs from that of a reference.
//!
//! The population stability index Σ (a − e) · ln(a / e) is taken over the bins of the reference: deciles of
//! numbers, each value of everything else; what is missing is a bin, and so is what the reference has not.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use lakesh_encoder::{
    EncoderKind, FitColumn, Fitted, OutputDefinition, Policy, apply_function, listed_values,
};
use lakesh_event::picture::{Distribution, Distributions};
use lakesh_session::StatementContext;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind, sql_type_name};

use super::shares::{Shares, column_of, learned, shares};
use super::spread::{MOST_COLUMNS, compared_spread, known};

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
    let edges = columns.iter().zip(&bins).map(|(column, bins)| match bins {
        Some(bins) => edges(column, bins).map(Some),
        None => Ok(None),
    });
    let edges = edges.collect::<Result<Vec<_>, _>>().map_err(explain)?;
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
    context.note_drawn(|| known(picture(&columns, &edges, &expected, &actual)));
    report(&columns, &expected, &actual).map_err(explain)
}

/// The lower and upper end of each bin; the outermost are open.
type Edges = Vec<(Option<f64>, Option<f64>)>;

fn edges(column: &Compared, bins: &Fitted) -> Result<Edges, DataFusionError> {
    let kind = EncoderKind::QuantileBins {
        bins: bins.value_count(),
    };
    let listed = listed_values(&definition(column, kind), bins)?;
    let ends = |place: usize| listed.column(place).as_primitive::<Float64Type>().iter();
    Ok(ends(3).zip(ends(4)).collect())
}

/// Shows for each column the shares of its bins in both tables.
fn picture(
    columns: &[Compared],
    edges: &[Option<Edges>],
    expected: &Shares,
    actual: &Shares,
) -> Distributions {
    let columns = columns.iter().zip(edges).zip(expected.iter().zip(actual));
    let drawn = columns.take(MOST_COLUMNS);
    let drawn = drawn.map(|((column, edges), (expected, actual))| {
        let edges = match (edges, column.numeric) {
            (Some(edges), _) => Some(edges.clone()),
            // Numbers that are all the same are one bin.
            (None, true) => Some(vec![(None, None)]),
            (None, false) => None,
        };
        Distribution {
            column: column.name.clone(),
            index: stability(column.numeric, expected, actual).1,
            bins: compared_spread(edges.as_deref(), expected, actual),
        }
    });
    Distributions {
        compared: true,
        columns: drawn.collect(),
    }
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
    let definition = definition(
        column,
        EncoderKind::QuantileBins {
            bins: bins.value_count(),
        },
    );
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
