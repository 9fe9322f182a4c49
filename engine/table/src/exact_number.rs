//! Numbers of a CSV file that was not looked at as a whole: a code such as `01234`, which as a number
//! would be another, is an error and is not cut in silence.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use super::csv_sniff::is_code;

/// Makes numbers of a text column.
pub(super) fn exact_number(
    text: Arc<dyn PhysicalExpr>,
    column: &str,
    data_type: &DataType,
    given: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    let nullable = text.nullable(given)?;
    let function = ScalarUDF::from(ExactNumber {
        column: column.to_owned(),
        data_type: data_type.clone(),
        signature: Signature::any(1, Volatility::Immutable),
    });
    Ok(Arc::new(ScalarFunctionExpr::new(
        "exact_number",
        Arc::new(function),
        vec![text],
        Arc::new(Field::new(column, data_type.clone(), nullable)),
        Arc::new(ConfigOptions::default()),
    )))
}

#[derive(Debug, PartialEq, Eq)]
struct ExactNumber {
    column: String,
    data_type: DataType,
    signature: Signature,
}

impl Hash for ExactNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        self.data_type.hash(state);
    }
}

impl ScalarUDFImpl for ExactNumber {
    fn name(&self) -> &str {
        "exact_number"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let values = ColumnarValue::values_to_arrays(&arguments.args)?;
        let texts = cast(&values[0], &DataType::Utf8)?;
        let codes = texts.as_string::<i32>().iter().flatten();
        if let Some(code) = codes.into_iter().find(|text| is_code(text)) {
            return exec_err!(
                "`{code}` in column `{}` would lose its zeros as {}, which the column is by the records that were \
                 looked at; `sample_size => -1` looks at all of them, `columns => {{'{}': 'VARCHAR'}}` declares it",
                self.column,
                self.data_type,
                self.column
            );
        }
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let numbers = cast_with_options(&texts, &self.data_type, &options)?;
        Ok(ColumnarValue::Array(numbers))
    }
}
