//! The text that names a partition's folder, with the marker that stands for NULL.
//!
//! A text that is the marker itself could not be told from NULL again, so such a row is refused.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The folder name that stands for NULL, as Hive writes it.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Returns an expression for the folder's name of a value that is text.
pub(super) fn folder_name(text: Expr) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(FolderName::new())));
    FUNCTION.call(vec![text])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FolderName {
    signature: Signature,
}

impl FolderName {
    fn new() -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for FolderName {
    fn name(&self) -> &str {
        "folder_name"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let values = ColumnarValue::values_to_arrays(&arguments.args)?;
        let texts = cast(&values[0], &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        if texts.iter().flatten().any(|text| text == HIVE_NULL) {
            return exec_err!(
                "a partition value is the text `{HIVE_NULL}`, which stands for NULL in the names of folders, so that \
                 the two could not be told apart"
            );
        }
        let names: StringArray = texts
            .iter()
            .map(|text| Some(text.unwrap_or(HIVE_NULL)))
            .collect();
        debug_assert!(rows >= names.len(), "a name for each row");
        Ok(ColumnarValue::Array(Arc::new(names) as ArrayRef))
    }
}
