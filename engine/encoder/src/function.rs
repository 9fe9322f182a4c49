//! The functions that a plan calls to encode a column.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use lakesh_text::failure::sql_type_name;

use super::category::CategoryType;
use super::definition::{OutputDefinition, Provenance};
use super::fitted::{Fitted, OnUnseen, Policy};
use super::kind::EncoderKind;

/// Makes the function that encodes its argument with one output of an encoder; `provenance` is that of an
/// encoder of the catalog.
pub fn apply_function(
    name: String,
    output: OutputDefinition,
    fitted: Arc<Fitted>,
    policy: Policy,
    provenance: Option<Arc<Provenance>>,
) -> ScalarUDF {
    ScalarUDF::from(ApplyEncoder {
        name,
        output,
        fitted,
        policy,
        provenance,
        signature: Signature::any(1, Volatility::Immutable),
    })
}

/// Encodes a column with what was learned.
#[derive(Debug)]
struct ApplyEncoder {
    /// Tells it from every other output of every other encoder and version.
    name: String,
    output: OutputDefinition,
    fitted: Arc<Fitted>,
    policy: Policy,
    /// Where it was learned, of an encoder of the catalog.
    provenance: Option<Arc<Provenance>>,
    signature: Signature,
}

/// Returns what a function applies and where that was learned, if it applies an encoder.
pub fn applied(function: &ScalarUDF) -> Option<(&OutputDefinition, &Arc<Provenance>)> {
    let apply = function.inner().downcast_ref::<ApplyEncoder>()?;
    Some((&apply.output, apply.provenance.as_ref()?))
}

impl PartialEq for ApplyEncoder {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.policy == other.policy
            && Arc::ptr_eq(&self.fitted, &other.fitted)
    }
}

impl Eq for ApplyEncoder {}

impl Hash for ApplyEncoder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.policy.hash(state);
    }
}

impl ScalarUDFImpl for ApplyEncoder {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        if let [argument] = arguments {
            check_type(&self.output, argument)?;
        }
        Ok(output_type(&self.output.encoder))
    }

    fn invoke_with_args(
        &self,
        arguments: ScalarFunctionArgs,
    ) -> Result<ColumnarValue, DataFusionError> {
        match &arguments.args[0] {
            ColumnarValue::Array(column) => Ok(ColumnarValue::Array(encode(
                &self.fitted,
                &self.output,
                column,
                self.policy,
            )?)),
            ColumnarValue::Scalar(value) => {
                let column = value.to_array()?;
                let encoded = encode(&self.fitted, &self.output, &column, self.policy)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &encoded, 0,
                )?))
            }
        }
    }
}

/// Returns the type of an encoder's output.
pub(super) fn output_type(encoder: &EncoderKind) -> DataType {
    match encoder {
        EncoderKind::Target { .. } | EncoderKind::Frequency => DataType::Float64,
        EncoderKind::Rare { .. } => DataType::Utf8,
        EncoderKind::QuantileBins { .. } | EncoderKind::UniformBins { .. } => DataType::Int64,
    }
}

/// Refuses a column whose values cannot be those that the output was fitted on.
pub fn check_type(output: &OutputDefinition, found: &DataType) -> Result<(), DataFusionError> {
    let fits = match output.category {
        Some(category) => CategoryType::of(found).is_some_and(|found| category.takes(found)),
        None => found.is_numeric(),
    };
    if fits || found == &DataType::Null {
        return Ok(());
    }
    let name = &output.name;
    let found = sql_type_name(found);
    match output.category {
        Some(category) => plan_err!(
            "`{name}` was fitted on {} (`{}` of type {}), not on {found}",
            category.name(),
            output.value,
            output.value_type
        ),
        None => plan_err!("`{name}` bins numbers, not {found}"),
    }
}

/// Encodes a column; a dictionary's values once each.
pub(super) fn encode(
    fitted: &Fitted,
    output: &OutputDefinition,
    column: &ArrayRef,
    policy: Policy,
) -> Result<ArrayRef, DataFusionError> {
    if let DataType::Dictionary(_, _) = column.data_type()
        && policy.on_unseen != OnUnseen::Error
        && column.logical_null_count() == 0
    {
        // A dictionary may hold values that no row has, which must not fail.
        let dictionary = column.as_any_dictionary();
        let values = fitted.encode(dictionary.values(), output.category, policy)?;
        return Ok(take(&values, dictionary.keys(), None)?);
    }
    fitted.encode(column, output.category, policy)
}
