//! The one type that stands for all functions that a kernel computes.

use std::fmt;
use std::hash::{Hash, Hasher};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::kernel::{Kernel, Kind, coerced};
use crate::registry::Function;

/// A function of the registry as DataFusion runs it.
pub(crate) struct KernelFunction {
    function: &'static Function,
    kernel: &'static Kernel,
    signature: Signature,
}

impl KernelFunction {
    pub(crate) fn new(function: &'static Function, kernel: &'static Kernel) -> Self {
        Self {
            function,
            kernel,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl fmt::Debug for KernelFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.function.name)
    }
}

impl PartialEq for KernelFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for KernelFunction {}

impl Hash for KernelFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for KernelFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.function.name;
        let forms = self.kernel.forms;
        let exact = forms.iter().find(|form| form.len() == types.len());
        let longer = forms
            .last()
            .filter(|form| self.kernel.goes_on && form.len() <= types.len());
        let Some(form) = exact.or(longer) else {
            return plan_err!(
                "`{name}` does not take {} arguments: {}",
                types.len(),
                self.function.usage
            );
        };
        let last = form.last().copied().unwrap_or(Kind::Any);
        let kinds = form.iter().copied().chain(std::iter::repeat(last));
        let coerced = types.iter().zip(kinds).map(|(data_type, kind)| {
            coerced(data_type, kind).map_or_else(
                || {
                    plan_err!(
                        "`{name}` cannot take {}: {}",
                        lakesh_text::failure::sql_type_name(data_type),
                        self.function.usage
                    )
                },
                Ok,
            )
        });
        coerced.collect()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.kernel.returns)(types)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        over_arrays(&arguments, self.kernel.compute)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

/// Computes a function of arrays; the result is a scalar where all arguments are.
fn over_arrays(
    arguments: &ScalarFunctionArgs,
    compute: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let values = &arguments.args;
    let is_scalar = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
    let all_scalar = values.iter().all(is_scalar);
    let rows = match all_scalar {
        true => 1,
        false => arguments.number_rows,
    };
    let arrays: Vec<_> = values
        .iter()
        .map(|value| value.to_array(rows))
        .collect::<Result<_>>()?;
    let computed = compute(&arrays)?;
    match all_scalar {
        true => ScalarValue::try_from_array(&computed, 0).map(ColumnarValue::Scalar),
        false => Ok(ColumnarValue::Array(computed)),
    }
}
