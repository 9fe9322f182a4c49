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

use super::shares::{column_of, shares};
use crate::erased::Erased;
use crate::failure::Failure;
use crate::picture::{Bin, BinValues, Distribution, Distributions, Picture};
use crate::session::{StatementContext, ToDraw};

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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;

    use crate::event::Event;
    use crate::input::{self, SplitOptions};
    use crate::picture::{BinValues, Distribution, Distributions, Picture};
    use crate::session::SessionOptions;
    use crate::source::Source;

    /// Runs a script in a session that wants pictures; returns the last one.
    async fn drawn(script: &str) -> Option<Distributions> {
        let folder = tempfile::tempdir().unwrap();
        let mut options = SessionOptions::in_folder(folder.path());
        options.pictures = true;
        let session = crate::open(options).unwrap();
        let mut found = None;
        let source = Source::new("test", script);
        for cell in input::cells(&source, SplitOptions::default()) {
            let mut events = Arc::clone(&session).run(cell.unwrap());
            while let Some(event) = events.next().await {
                match event {
                    Event::Picture(Picture::Distributions(drawn)) => found = Some(drawn),
                    Event::Failed(failure) => panic!("{}", failure.report(false)),
                    _ => {}
                }
            }
        }
        found
    }

    fn column<'a>(drawn: &'a Distributions, name: &str) -> &'a Distribution {
        let mut columns = drawn.columns.iter();
        columns.find(|column| column.column == name).unwrap()
    }

    /// The bins of a column as texts.
    fn bins(drawn: &Distributions, name: &str) -> Vec<String> {
        let bins = column(drawn, name).bins.iter();
        bins.map(|bin| {
            let (share, reference) = (bin.share, bin.reference);
            let values = match &bin.values {
                BinValues::Range(lower, upper) => {
                    let end =
                        |end: &Option<f64>| end.map_or("…".to_owned(), |end| end.to_string());
                    format!("{}-{}", end(lower), end(upper))
                }
                BinValues::Value(value) => value.clone(),
                BinValues::Other => "other".to_owned(),
                BinValues::Missing => "missing".to_owned(),
            };
            match drawn.compared {
                true => format!("{values}: {reference:.3} {share:.3}"),
                false => format!("{values}: {share:.3}"),
            }
        })
        .collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_profile_has_a_histogram_a_column() {
        let drawn = drawn(
            "CREATE VIEW t AS SELECT value AS n, value % 4 AS few, value / 8.0 AS real, \
             CASE WHEN value % 4 > 0 THEN 'kind ' || (value % 4) END AS kind, \
             CASE WHEN value < 500 THEN 'NaN'::double WHEN value < 1000 THEN 'inf'::double \
             WHEN value >= 2000 THEN 0.5 END AS odd, 'name ' || value AS name FROM range(5000);\n\
             SELECT * FROM feature_profile('t')",
        );
        let drawn = drawn.await.unwrap();
        assert!(!drawn.compared);
        let names: Vec<_> = drawn.columns.iter().map(|column| &column.column).collect();
        // A column of names has no picture.
        assert_eq!(names, ["n", "few", "real", "kind", "odd"]);
        let n = bins(&drawn, "n");
        assert_eq!((n.len(), n[0].as_str()), (20, "0-249.95: 0.050"));
        assert_eq!(
            bins(&drawn, "few"),
            ["0: 0.250", "1: 0.250", "2: 0.250", "3: 0.250"]
        );
        let total: f64 = column(&drawn, "real")
            .bins
            .iter()
            .map(|bin| bin.share)
            .sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        let kinds = [
            "kind 1: 0.250",
            "kind 2: 0.250",
            "kind 3: 0.250",
            "missing: 0.250",
        ];
        assert_eq!(bins(&drawn, "kind"), kinds);
        let odd = ["0.5-0.5: 0.600", "other: 0.200", "missing: 0.200"];
        assert_eq!(bins(&drawn, "odd"), odd);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn weights_count_and_groups_are_left_out() {
        let drawn = drawn(
            "CREATE VIEW t AS SELECT * FROM (VALUES (1, 10, 'x'), (2, 30, 'y')) AS v(a, w, g);\n\
             SELECT * FROM feature_profile('t', weight => 'w', by => 'g')",
        );
        let drawn = drawn.await.unwrap();
        assert_eq!(drawn.columns.len(), 1);
        assert_eq!(bins(&drawn, "a"), ["1: 0.250", "2: 0.750"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_empty_table_has_an_empty_picture() {
        let drawn = drawn(
            "CREATE VIEW t AS SELECT 1 AS a, 'x' AS b WHERE false;\n\
             SELECT * FROM feature_profile('t')",
        );
        for column in drawn.await.unwrap().columns {
            assert!(column.bins.is_empty(), "{column:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn drift_shows_both_tables() {
        let drawn = drawn(
            "DRIFT (SELECT value % 10 AS v, 'b' AS kind, 7 AS same FROM range(100)) \
             AGAINST (SELECT value % 20 AS v, CASE WHEN value % 4 = 0 THEN 'b' ELSE 'a' END AS kind, \
             7 AS same FROM range(100)) USING quantile 4",
        );
        let drawn = drawn.await.unwrap();
        assert!(drawn.compared);
        let v = bins(&drawn, "v");
        assert_eq!(v.len(), 4, "{v:?}");
        assert!(
            v[0].starts_with("…-") && v[3].ends_with("-…: 0.250 0.000"),
            "{v:?}"
        );
        assert!(column(&drawn, "v").index.unwrap() > 1.0);
        assert_eq!(bins(&drawn, "kind"), ["b: 0.250 1.000", "a: 0.750 0.000"]);
        assert_eq!(bins(&drawn, "same"), ["…-…: 1.000 1.000"]);
    }
}
