//! The function that a plan calls.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::NativeDefinition;
use super::call::{CallError, Library};
use super::source::line_of_body;

/// Makes the function of a loaded library.
pub(super) fn function(definition: NativeDefinition, library: Arc<Library>) -> ScalarUDF {
    let types = definition
        .parameters
        .iter()
        .map(|(_, native)| native.data_type());
    let signature = match definition.parameters.is_empty() {
        true => Signature::nullary(Volatility::Immutable),
        false => Signature::exact(types.collect(), Volatility::Immutable),
    };
    ScalarUDF::from(NativeFunction {
        definition,
        library,
        signature,
    })
}

/// Says whether a function has a body in Rust.
pub fn is_native(function: &ScalarUDF) -> bool {
    function.inner().downcast_ref::<NativeFunction>().is_some()
}

#[derive(Debug)]
struct NativeFunction {
    definition: NativeDefinition,
    library: Arc<Library>,
    signature: Signature,
}

impl PartialEq for NativeFunction {
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition
    }
}

impl Eq for NativeFunction {}

impl Hash for NativeFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.hash(state);
    }
}

impl ScalarUDFImpl for NativeFunction {
    fn name(&self) -> &str {
        &self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(self.definition.returns.data_type())
    }

    fn invoke_with_args(
        &self,
        arguments: ScalarFunctionArgs,
    ) -> Result<ColumnarValue, DataFusionError> {
        let all_constant = arguments
            .args
            .iter()
            .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = match all_constant && !arguments.args.is_empty() {
            true => 1,
            false => arguments.number_rows,
        };
        let mut columns: Vec<(ArrayRef, bool)> = Vec::with_capacity(arguments.args.len());
        for (argument, (_, native)) in arguments.args.iter().zip(&self.definition.parameters) {
            let (column, is_constant) = match argument {
                ColumnarValue::Array(column) => (Arc::clone(column), false),
                ColumnarValue::Scalar(value) => (value.to_array()?, true),
            };
            // The library reads buffers as what its types say they are.
            let wanted = native.data_type();
            let column = match column.data_type() == &wanted {
                true => column,
                false => cast(&column, &wanted)?,
            };
            if column.len() != if is_constant { 1 } else { rows } {
                return exec_err!("`{}` was given columns of different lengths", self.name());
            }
            columns.push((column, is_constant));
        }
        if columns.len() != self.definition.parameters.len() {
            return exec_err!("`{}` was given too few arguments", self.name());
        }
        let result = self.library.call(&self.definition, &columns, rows);
        let result = result.map_err(|error| self.explained(error))?;
        match rows == 1 && all_constant && !arguments.args.is_empty() {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &result, 0,
            )?)),
            false => Ok(ColumnarValue::Array(result)),
        }
    }
}

impl NativeFunction {
    fn explained(&self, error: CallError) -> DataFusionError {
        let name = &self.definition.name;
        match error {
            CallError::Panic(message, line) => {
                let place = line_of_body(&self.definition.body, line);
                let place =
                    place.map_or_else(String::new, |line| format!(" in line {line} of its body"));
                exec_datafusion_err!("function `{name}` panicked{place}: {message}")
            }
            CallError::TooLong => {
                exec_datafusion_err!("function `{name}` gave more than 2 GB of text for one batch")
            }
            CallError::Arrow(error) => error.into(),
        }
    }
}
