//! How the values of columns are spread, as few bins that can be drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast as cast_array;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::functions::math::expr_fn::{abs, floor};
use datafusion::functions_aggregate::expr_fn::{approx_distinct, max, min};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use datafusion::physical_plan::collect;
use lakesh_event::picture::{Bin, BinValues, Distribution, Distributions, Picture};
use lakesh_session::{StatementContext, ToDraw};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::shares::{column_of, shares};

/// Bins of a column of numbers.
const BINS: usize = 20;

/// Bins of other columns; the values of the smallest shares are one bin.
const MOST_VALUES: usize = 12;

/// Columns that are drawn.
pub(super) const MOST_COLUMNS: usize = 60;

/// Columns of more values are names or numbers of things, of which a picture says nothing.
const MOST_DIFFERENT: f64 = 1_000.0;

/// The name of the bin of NaN and the infinities; begins with a noncharacter, which no text should.
const NOT_FINITE: &str = "\u{10ffff}not finite";

/// What a profile is made of.
pub(crate) struct Profiled {
    pub(crate) input: Erased<LogicalPlan>,
    pub(crate) weight: Option<String>,
    /// Columns of groups, which have no profile.
    pub(crate) by: Vec<String>,
}

/// A column that is drawn, and its bins.
struct Column {
    name: String,
    bins: Bins,
}

enum Bins {
    /// So many bins of the same width from a least value on.
    Numbers {
        least: f64,
        width: f64,
        count: usize,
        /// Whether each bin is a whole number.
        whole: bool,
    },
    /// Each value.
    Values,
}

/// Draws how the columns of a profiled table are spread, which is found out when it is drawn.
pub(crate) fn to_draw(profiled: Profiled) -> ToDraw {
    Box::new(|context| {
        Box::pin(async move {
            let drawn = spread(context, profiled).await?;
            Ok(Picture::Distributions(drawn))
        })
    })
}

/// Draws what is known already.
pub(super) fn known(drawn: Distributions) -> ToDraw {
    Box::new(|_| Box::pin(ready(Ok(Picture::Distributions(drawn)))))
}

/// Counts the rows in bins of each column, in two passes: the ends of the columns, then their bins.
async fn spread(context: &StatementContext, profiled: Profiled) -> Result<Distributions, Failure> {
    let names = drawn_columns(&profiled);
    if names.is_empty() {
        return Ok(Distributions::default());
    }
    let extents = extents_plan(&profiled, &names).map_err(|error| context.failure(error))?;
    let extents = Erased::new(extents);
    let ends = context
        .with_join_retry(|state| numbers_of(Erased::new(state), extents.clone()))
        .await?;
    let mut ends = ends.into_iter();
    let columns: Vec<_> = names
        .into_iter()
        .filter_map(|(name, data_type)| Column::new(name, &data_type, &mut ends))
        .collect();
    if columns.is_empty() {
        return Ok(Distributions::default());
    }
    let bins = columns
        .iter()
        .map(|column| {
            column
                .bins
                .name_of(column_of(&profiled.input, &column.name)?)
        })
        .collect::<Result<Vec<_>, DataFusionError>>()
        .map_err(|error| context.failure(error))?;
    let weight = profiled.weight.as_deref();
    let shares = shares(context, (profiled.input.into_inner(), bins), weight).await?;
    let columns = columns.into_iter().zip(&shares);
    Ok(Distributions {
        compared: false,
        columns: columns
            .map(|(column, shares)| Distribution {
                index: None,
                bins: column.bins.spread(shares),
                column: column.name,
            })
            .collect(),
    })
}

/// The columns that may be drawn, with their types.
fn drawn_columns(profiled: &Profiled) -> Vec<(String, DataType)> {
    let fields = profiled.input.schema().fields().iter();
    fields
        .filter(|field| {
            let is_drawn = match field.data_type() {
                DataType::Dictionary(_, values) => values.is_string(),
                other => other.is_primitive() || other.is_string() || *other == DataType::Boolean,
            };
            is_drawn
                && !profiled.by.contains(field.name())
                && profiled.weight.as_ref() != Some(field.name())
        })
        .take(MOST_COLUMNS)
        .map(|field| (field.name().clone(), field.data_type().clone()))
        .collect()
}

/// Plans the numbers from which bins are made: of numbers the least and the largest, of other values how
/// many different ones there are.
fn extents_plan(
    profiled: &Profiled,
    columns: &[(String, DataType)],
) -> Result<LogicalPlan, DataFusionError> {
    let mut aggregates = Vec::new();
    for (name, data_type) in columns {
        let value = column_of(&profiled.input, name)?;
        match data_type.is_numeric() {
            true => {
                let number = finite(value)?;
                aggregates.push(min(number.clone()));
                aggregates.push(max(number));
            }
            false => aggregates.push(approx_distinct(cast(value, DataType::Utf8))),
        }
    }
    let named = aggregates
        .into_iter()
        .enumerate()
        .map(|(place, aggregate)| aggregate.alias(format!("end {place}")));
    let no_groups: Vec<Expr> = Vec::new();
    LogicalPlanBuilder::from((*profiled.input).clone())
        .aggregate(no_groups, named.collect::<Vec<_>>())?
        .build()
}

/// A value as a number; NULL where it is NaN or infinite.
fn finite(value: Expr) -> Result<Expr, DataFusionError> {
    let number = cast(value, DataType::Float64);
    when(is_finite(number.clone()), number).end()
}

fn is_finite(number: Expr) -> Expr {
    // NaN is larger than every number here.
    abs(number).lt(lit(f64::INFINITY))
}

/// Runs a plan of one row of numbers.
async fn numbers_of(
    state: Erased<SessionState>,
    plan: Erased<LogicalPlan>,
) -> Result<Vec<Option<f64>>, DataFusionError> {
    let physical = state.create_physical_plan(&plan).await?;
    let batches = collect(physical, state.task_ctx()).await?;
    let mut numbers = Vec::new();
    for column in batches.iter().flat_map(RecordBatch::columns) {
        let column = cast_array(column, &DataType::Float64)?;
        let column = column.as_primitive::<Float64Type>();
        numbers.push(column.iter().next().flatten());
    }
    Ok(numbers)
}

impl Column {
    /// Takes a column's own numbers from those of all columns; `None` if it is not drawn.
    fn new(
        name: String,
        data_type: &DataType,
        ends: &mut impl Iterator<Item = Option<f64>>,
    ) -> Option<Self> {
        let first = ends.next()?;
        if !data_type.is_numeric() {
            let is_drawn = first.is_none_or(|different| different <= MOST_DIFFERENT);
            let bins = Bins::Values;
            return is_drawn.then_some(Self { name, bins });
        }
        let last = ends.next()?;
        let (least, largest) = (first.unwrap_or(0.0), last.unwrap_or(0.0));
        let span = largest - least;
        let whole = data_type.is_integer() && span < BINS as f64;
        let bins = Bins::Numbers {
            least,
            width: if whole { 1.0 } else { span / BINS as f64 },
            count: match first {
                // Without a number there is no bin.
                None => 0,
                Some(_) if whole => span as usize + 1,
                Some(_) if span > 0.0 => BINS,
                Some(_) => 1,
            },
            whole,
        };
        // The difference of two finite numbers may be none.
        span.is_finite().then_some(Self { name, bins })
    }
}

impl Bins {
    /// The name of a value's bin, as text; NULL for what is missing.
    fn name_of(&self, value: Expr) -> Result<Expr, DataFusionError> {
        match self {
            Self::Values => Ok(cast(value, DataType::Utf8)),
            Self::Numbers {
                least,
                width,
                count,
                ..
            } => {
                let number = cast(value.clone(), DataType::Float64);
                let last = lit(*count as f64 - 1.0);
                let bin = match *width > 0.0 {
                    true => floor((number.clone() - lit(*least)) / lit(*width)),
                    false => lit(0.0),
                };
                let bin = when(bin.clone().lt(last.clone()), bin).otherwise(last)?;
                let bin = cast(cast(bin, DataType::Int64), DataType::Utf8);
                when(value.is_null(), lit(ScalarValue::Utf8(None)))
                    .when(is_finite(number), bin)
                    .otherwise(lit(NOT_FINITE))
            }
        }
    }

    fn spread(&self, shares: &BTreeMap<Option<String>, f64>) -> Vec<Bin> {
        match self {
            Self::Values => compared_spread(None, &BTreeMap::new(), shares),
            Self::Numbers {
                least,
                width,
                count,
                whole,
            } => {
                let edge = |bin: usize| least + width * bin as f64;
                let edges: Vec<_> = (0..*count)
                    .map(|bin| (Some(edge(bin)), Some(edge(bin + 1))))
                    .collect();
                let mut bins = compared_spread(Some(&edges), &BTreeMap::new(), shares);
                for (place, bin) in bins.iter_mut().enumerate().take(*count) {
                    if *whole {
                        bin.values = BinValues::Value(edge(place).to_string());
                    }
                }
                bins
            }
        }
    }
}

/// The shares of bins by the names of these, `None` for what is missing.
type Shares = BTreeMap<Option<String>, f64>;

/// Brings the shares of two tables into the order of bins. With edges the names are the bins' numbers;
/// without them they are values, of which those with the largest shares are kept.
pub(super) fn compared_spread(
    edges: Option<&[(Option<f64>, Option<f64>)]>,
    reference: &Shares,
    current: &Shares,
) -> Vec<Bin> {
    let bin = |values: BinValues, name: Option<&str>| {
        let name = name.map(str::to_owned);
        let share = |shares: &Shares| shares.get(&name).copied().unwrap_or(0.0);
        Bin {
            values,
            share: share(current),
            reference: share(reference),
        }
    };
    let mut bins: Vec<Bin> = match edges {
        Some(edges) => {
            let bins = edges.iter().enumerate().map(|(number, (lower, upper))| {
                let name = number.to_string();
                bin(BinValues::Range(*lower, *upper), Some(&name))
            });
            bins.collect()
        }
        None => {
            let names = reference.keys().chain(current.keys()).flatten();
            let names: BTreeSet<&String> = names.collect();
            let bins = names
                .into_iter()
                .map(|name| bin(BinValues::Value(name.clone()), Some(name)));
            largest(bins.collect())
        }
    };
    let rest = |shares: &Shares, own: f64| (shares.values().sum::<f64>() - own).max(0.0);
    let missing = bin(BinValues::Missing, None);
    let other = Bin {
        values: BinValues::Other,
        share: rest(
            current,
            bins.iter().map(|bin| bin.share).sum::<f64>() + missing.share,
        ),
        reference: rest(
            reference,
            bins.iter().map(|bin| bin.reference).sum::<f64>() + missing.reference,
        ),
    };
    for bin in [other, missing] {
        // Sums of shares are as exact as floating point is.
        if bin.share > 1e-9 || bin.reference > 1e-9 {
            bins.push(bin);
        }
    }
    bins
}

/// Keeps the bins of the largest shares, largest first; equal ones in the order of their values.
fn largest(mut bins: Vec<Bin>) -> Vec<Bin> {
    let weight = |bin: &Bin| bin.share.max(bin.reference);
    bins.sort_by(|left, right| weight(right).total_cmp(&weight(left)));
    bins.truncate(MOST_VALUES);
    bins
}
