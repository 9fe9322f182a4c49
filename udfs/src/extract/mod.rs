//! Functions that take texts apart: by patterns, by headings, and job bulletins as a whole.

mod bulletin;
mod date;
mod duration;
mod lines;
mod pattern;
mod pieces;
mod salary;
mod sections;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};
use regex::Regex;
use std::borrow::Cow;

use crate::registry::Function;

/// The functions of this module.
pub(crate) static EXTRACT_FUNCTIONS: &[&Function] = &[
    &pattern::EXTRACT,
    &pattern::EXTRACT_ALL,
    &sections::SECTIONS,
    &bulletin::BULLETIN,
    &bulletin::CLASS_CODE,
    &bulletin::SALARY_RANGE,
    &bulletin::DEADLINE,
    &bulletin::APPLICATION_LOCATION,
    &pieces::DATES,
    &pieces::DURATION,
];

/// How a function of a text types and computes.
#[derive(Debug)]
pub(crate) struct ExtractBehaviour {
    /// What the arguments are turned into, or why they cannot be.
    pub(crate) coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// The type of the result, from the arguments that are constants.
    pub(crate) returns: fn(&[Option<&ScalarValue>]) -> Result<DataType>,
    /// Computes a column.
    pub(crate) compute: fn(&ExtractArguments<'_>) -> Result<ArrayRef>,
}

/// The values of a call.
pub(crate) struct ExtractArguments<'a> {
    columns: &'a [ArrayRef],
    rows: usize,
    returns: &'a DataType,
    patterns: &'a Patterns,
}

impl ExtractArguments<'_> {
    fn texts(&self) -> Result<Texts<'_>> {
        Texts::of(&self.columns[0])
    }
}

/// A column of texts, or of bytes that are texts.
struct Texts<'a> {
    column: &'a ArrayRef,
}

impl<'a> Texts<'a> {
    fn of(column: &'a ArrayRef) -> Result<Self> {
        match column.data_type() {
            DataType::Utf8 | DataType::Binary => Ok(Self { column }),
            other => exec_err!("a text is expected, not {other}"),
        }
    }

    fn get(&self, row: usize) -> Option<Cow<'a, str>> {
        if self.column.is_null(row) {
            return None;
        }
        Some(match self.column.data_type() {
            DataType::Utf8 => Cow::Borrowed(self.column.as_string::<i32>().value(row)),
            _ => lines::decode(self.column.as_binary::<i32>().value(row)),
        })
    }
}

/// Takes a text as VARCHAR, and bytes as bytes.
fn text_type(name: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            Ok(DataType::Utf8)
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Ok(DataType::Binary),
        DataType::Dictionary(_, value) => text_type(name, value),
        other => plan_err!("`{name}` takes a text, not {other}"),
    }
}

/// Regular expressions that were compiled lately; whole files come one a batch.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    compiled: Mutex<HashMap<String, Regex>>,
}

/// How many regular expressions are kept.
const KEPT: usize = 32;

impl Patterns {
    fn get(&self, name: &str, pattern: &str) -> Result<Regex> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = compiled.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = pattern::compiled(name, pattern)?;
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}

/// A function of a text in DataFusion's terms.
#[derive(Debug)]
pub(crate) struct ExtractFunction {
    function: &'static Function,
    behaviour: &'static ExtractBehaviour,
    signature: Signature,
    patterns: Arc<Patterns>,
}

impl ExtractFunction {
    pub(crate) fn new(function: &'static Function, behaviour: &'static ExtractBehaviour) -> Self {
        Self {
            signature: function.signature(),
            function,
            behaviour,
            patterns: Arc::default(),
        }
    }
}

impl PartialEq for ExtractFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for ExtractFunction {}

impl Hash for ExtractFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for ExtractFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        (self.behaviour.returns)(&[])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let data_type = (self.behaviour.returns)(args.scalar_arguments)?;
        Ok(Field::new(self.function.name, data_type, true).into())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.behaviour.coerce)(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let constant = args.args.iter().all(is_scalar);
        let rows = if constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|value| value.to_array(rows));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let computed = (self.behaviour.compute)(&ExtractArguments {
            columns: &columns,
            rows,
            returns: args.return_field.data_type(),
            patterns: &self.patterns,
        })?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&computed, 0)?),
            false => ColumnarValue::Array(computed),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
