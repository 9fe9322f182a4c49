//! `avg` of decimals is rounded, and `avg` of BIGINT does not depend on the order of the rows.
//!
//! DataFusion 55.2 cuts an average of decimals to its scale (`DecimalAverager`), and adds BIGINT as doubles, in
//! which 1 beside the largest integer is lost. Its accumulators count and add well: they are kept, for BIGINT
//! those of decimals, and what they have counted and added is divided here, half away from zero.

mod divide;
mod groups;
mod integers;
mod one;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    Signature, TypeSignature, Volatility,
};

use divide::Division;
use groups::GroupAverages;
use integers::IntegerAverage;
use one::Average;

/// How BIGINT is added.
const INTEGERS: DataType = DataType::Decimal128(20, 0);

/// Returns the function that stands under the name `avg`.
pub(super) fn rounded_average() -> Arc<AggregateUDF> {
    let cut = Avg::new();
    Arc::new(AggregateUDF::from(RoundedAverage {
        signature: signature(&cut),
        cut,
        aliases: vec!["mean".to_owned()],
    }))
}

/// Returns DataFusion's signature, which makes doubles of integers, with integers of 64 bits as they are.
fn signature(cut: &Avg) -> Signature {
    let integer = |data_type| TypeSignature::Exact(vec![data_type]);
    let mut signatures = match &cut.signature().type_signature {
        TypeSignature::OneOf(signatures) => signatures.clone(),
        other => vec![other.clone()],
    };
    signatures.extend([DataType::Int64, DataType::UInt64].map(integer));
    Signature::one_of(signatures, Volatility::Immutable)
}

/// `avg`, rounded.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RoundedAverage {
    /// Counts and adds.
    cut: Avg,
    signature: Signature,
    aliases: Vec<String>,
}

impl RoundedAverage {
    /// Hands over what DataFusion's function is asked for, and how to divide what it has added; no division
    /// where it divides itself.
    fn with_inner<R>(
        &self,
        args: AccumulatorArgs<'_>,
        make: impl FnOnce(&Avg, AccumulatorArgs<'_>, Option<Division>) -> Result<R>,
    ) -> Result<R> {
        let added = added_type(args.expr_fields[0].data_type());
        if !added.is_decimal() {
            return make(&self.cut, args, None);
        }
        let division = Division::new(&added, args.return_field.data_type())?;
        let inner = self.cut.return_type(std::slice::from_ref(&added))?;
        let return_field = Arc::new(Field::new(args.return_field.name(), inner, true));
        let expr_fields = [Arc::new(Field::new(args.name, added, true))];
        let args = AccumulatorArgs {
            return_field,
            expr_fields: &expr_fields,
            ..args
        };
        make(&self.cut, args, Some(division))
    }
}

/// Says whether integers of 64 bits are added as they are.
fn adds_integers(args: &AccumulatorArgs<'_>) -> bool {
    let data_type = args.expr_fields[0].data_type();
    !args.is_distinct && added_type(data_type) != *data_type
}

/// Returns the type as which values of a type are added.
fn added_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Int64 | DataType::UInt64 => INTEGERS,
        other => other.clone(),
    }
}

impl AggregateUDFImpl for RoundedAverage {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match &types[0] {
            DataType::Int64 | DataType::UInt64 => Ok(DataType::Float64),
            other => self.cut.return_type(std::slice::from_ref(other)),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if adds_integers(&args) {
            return Ok(Box::new(IntegerAverage::default()));
        }
        self.with_inner(args, |cut, args, division| {
            let is_distinct = args.is_distinct;
            let inner = cut.accumulator(args)?;
            Ok(Average::over(inner, division, is_distinct))
        })
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        if adds_integers(&args) {
            return Ok(Box::new(IntegerAverage::default()));
        }
        self.with_inner(args, |cut, args, division| {
            let is_distinct = args.is_distinct;
            let inner = cut.create_sliding_accumulator(args)?;
            Ok(Average::over(inner, division, is_distinct))
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let added = added_type(args.input_fields[0].data_type());
        if !added.is_decimal() {
            return self.cut.state_fields(args);
        }
        let inner = self.cut.return_type(std::slice::from_ref(&added))?;
        let return_field = Arc::new(Field::new(args.return_field.name(), inner, true));
        let input_fields = [Arc::new(Field::new(args.name, added, true))];
        self.cut.state_fields(StateFieldsArgs {
            return_field,
            input_fields: &input_fields,
            ..args
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        let supported = self.with_inner(args, |cut, args, _| {
            Ok(cut.groups_accumulator_supported(args))
        });
        supported.unwrap_or(false)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.with_inner(args, |cut, args, division| {
            let inner = cut.create_groups_accumulator(args)?;
            Ok(GroupAverages::over(inner, division))
        })
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.cut.documentation()
    }
}
