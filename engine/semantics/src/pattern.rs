//! Patterns of LIKE … ESCAPE and SIMILAR TO that are no literals, for DataFusion's LIKE and `~`.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use lakesh_sql::{LIKE_PATTERN, SIMILAR_PATTERN, like_pattern, similar_pattern};

type Translate = fn(&str, Option<char>) -> std::result::Result<String, String>;

/// Returns the functions that translate patterns: the pattern, and its escape or nothing.
pub(crate) fn patterns() -> [ScalarUDF; 2] {
    [
        (LIKE_PATTERN, like_pattern as Translate),
        (SIMILAR_PATTERN, similar_pattern as Translate),
    ]
    .map(|(name, translate)| {
        ScalarUDF::from(Pattern {
            name,
            translate,
            signature: Signature::exact(
                vec![DataType::Utf8, DataType::Utf8],
                Volatility::Immutable,
            ),
        })
    })
}

#[derive(Debug)]
struct Pattern {
    name: &'static str,
    translate: Translate,
    signature: Signature,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Pattern {}

impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Pattern {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [patterns, escapes] = columns.as_slice() else {
            return Err(exec_datafusion_err!("{} takes two arguments", self.name));
        };
        let patterns = patterns.as_string::<i32>().iter();
        let translated = patterns
            .zip(escapes.as_string::<i32>())
            .map(|pair| match pair {
                (Some(pattern), Some(escape)) => (self.translate)(pattern, escape.chars().next())
                    .map(Some)
                    .map_err(|message| exec_datafusion_err!("{message}")),
                _ => Ok(None),
            })
            .collect::<Result<StringArray>>()?;
        let is_one = arguments
            .args
            .iter()
            .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        Ok(match is_one {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&translated, 0)?),
            false => ColumnarValue::Array(Arc::new(translated)),
        })
    }
}
