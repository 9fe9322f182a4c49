//! `percentile_cont` and `percentile_disc`, also under DuckDB's names `quantile_cont` and `quantile_disc`.
//!
//! DataFusion 55.2 has the first alone, and computes the place between two values to six digits, so that a
//! percentile of large numbers is off; for DESC it takes the place from `1 - p`, which is no exact number. Here
//! the values are sorted as they were asked for and the place is computed as PostgreSQL does.

mod accumulator;
mod place;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, DocSection, Documentation,
    Signature, Volatility,
};

use accumulator::Gathered;

/// Returns both functions.
pub(crate) fn functions() -> [Arc<AggregateUDF>; 2] {
    [Kind::Continuous, Kind::Discrete].map(|kind| {
        Arc::new(AggregateUDF::from(Percentile {
            kind,
            aliases: vec![kind.alias().to_owned()],
            signature: Signature::user_defined(Volatility::Immutable),
        }))
    })
}

/// Whether there are values between values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Continuous,
    Discrete,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Continuous => "percentile_cont",
            Self::Discrete => "percentile_disc",
        }
    }

    fn alias(self) -> &'static str {
        match self {
            Self::Continuous => "quantile_cont",
            Self::Discrete => "quantile_disc",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Continuous => {
                "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1), (2), (5)) AS v(x);"
            }
            Self::Discrete => {
                "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES ('a'), ('b')) AS v(x);"
            }
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::Continuous => {
                "Returns the value at a share of the sorted values, between two of them where it falls between \
                 them. Numbers alone, as DOUBLE; NULL is left out."
            }
            Self::Discrete => {
                "Returns the first of the sorted values at or behind a share of them: one of the values, of any \
                 type that can be sorted. NULL is left out."
            }
        }
    }
}

/// The arguments are the value and the share; how the values are sorted stands beside them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    kind: Kind,
    aliases: Vec<String>,
    signature: Signature,
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, share] = types else {
            return plan_err!(
                "`{0}` takes a share and the values, as in {0}(0.5) WITHIN GROUP (ORDER BY x)",
                self.name()
            );
        };
        if !(share.is_numeric() || share.is_null()) {
            return plan_err!("the share that `{}` takes is a number", self.name());
        }
        let value = match (self.kind, value) {
            (Kind::Discrete, other) => other.clone(),
            (Kind::Continuous, DataType::Float32) => DataType::Float32,
            (Kind::Continuous, other) if other.is_numeric() || other.is_null() => DataType::Float64,
            (Kind::Continuous, _) => {
                return plan_err!(
                    "`{}` takes numbers, between which there are others; percentile_disc takes any values",
                    self.name()
                );
            }
        };
        Ok(vec![value, DataType::Float64])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn is_nullable(&self) -> bool {
        true
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let values = arguments.input_fields[0].data_type().clone();
        let list = DataType::new_list(values, true);
        let name = format_state_name(arguments.name, "values");
        Ok(vec![Arc::new(Field::new(name, list, true))])
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let is_descending = arguments
            .order_bys
            .first()
            .is_some_and(|key| key.options.descending);
        Ok(Box::new(Gathered {
            kind: self.kind,
            share: self.share(&arguments)?,
            sort: SortOptions {
                descending: is_descending,
                nulls_first: false,
            },
            is_distinct: arguments.is_distinct,
            values: Vec::new(),
            data_type: arguments.expr_fields[0].data_type().clone(),
        }))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    /// The values are sorted here.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static CONTINUOUS: LazyLock<Documentation> = LazyLock::new(|| document(Kind::Continuous));
        static DISCRETE: LazyLock<Documentation> = LazyLock::new(|| document(Kind::Discrete));
        Some(match self.kind {
            Kind::Continuous => &CONTINUOUS,
            Kind::Discrete => &DISCRETE,
        })
    }
}

impl Percentile {
    /// Reads the share, which is one number for all rows.
    fn share(&self, arguments: &AccumulatorArgs<'_>) -> Result<Option<f64>> {
        let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let share = arguments.exprs.get(1).map(|share| share.evaluate(&nothing));
        let Some(Ok(ColumnarValue::Scalar(ScalarValue::Float64(share)))) = share else {
            return plan_err!(
                "the share that `{}` takes is one number for all rows, as 0.5",
                self.name()
            );
        };
        match share {
            Some(share) if !(0.0..=1.0).contains(&share) => plan_err!(
                "the share that `{}` takes is a number from 0 to 1, not {share}",
                self.name()
            ),
            share => Ok(share),
        }
    }
}

fn document(kind: Kind) -> Documentation {
    const SECTION: DocSection = DocSection {
        include: true,
        label: "General Functions",
        description: None,
    };
    let name = kind.name();
    Documentation::builder(
        SECTION,
        kind.summary(),
        format!("{name}(share) WITHIN GROUP (ORDER BY x)"),
    )
    .with_sql_example(kind.example())
    .with_argument("share", "A number from 0 to 1, the same for all rows.")
    .with_argument("x", "What is sorted.")
    .build()
}
