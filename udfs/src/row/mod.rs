//! Functions of the values of one row, and how DataFusion sees them.

mod arithmetic;
mod bucketize;
mod clip;
mod domain;

use std::hash::{Hash, Hasher};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl,
    Signature,
};

use crate::registry::Function;

/// The functions of this module.
pub(crate) static ROW_FUNCTIONS: &[&Function] = &[
    &arithmetic::RATIO,
    &arithmetic::DIFFERENCE,
    &arithmetic::PRODUCT,
    &domain::SAFE_LN,
    &domain::SAFE_LOG1P,
    &domain::SAFE_SQRT,
    &clip::CLIP,
    &bucketize::BUCKETIZE,
];

/// Writes a call as another expression, if there is one.
type Simplify = fn(&[Expr], &SimplifyContext) -> Result<Option<Expr>>;

/// How a row function types and computes.
#[derive(Debug)]
pub(crate) struct RowBehaviour {
    /// What the arguments are turned into, or why they cannot be.
    pub(crate) coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// The type of the result, from the coerced types.
    pub(crate) returns: fn(&[DataType]) -> Result<DataType>,
    /// Computes a column.
    pub(crate) compute: fn(&RowArguments) -> Result<ArrayRef>,
    /// Another expression of the same meaning that DataFusion knows more about.
    pub(crate) simplify: Option<Simplify>,
    /// Whether the result can be NULL when no argument is.
    pub(crate) makes_nulls: bool,
}

/// The values of a call.
pub(crate) struct RowArguments<'a> {
    pub(crate) values: &'a [ColumnarValue],
    pub(crate) rows: usize,
    pub(crate) returns: &'a DataType,
}

impl RowArguments<'_> {
    /// Returns all arguments as columns.
    pub(crate) fn columns(&self) -> Result<Vec<ArrayRef>> {
        self.values
            .iter()
            .map(|value| value.to_array(self.rows))
            .collect()
    }

    /// Returns an argument as a column.
    pub(crate) fn column(&self, position: usize) -> Result<ArrayRef> {
        self.values[position].to_array(self.rows)
    }
}

/// A row function in DataFusion's terms.
#[derive(Debug)]
pub(crate) struct RowFunction {
    function: &'static Function,
    behaviour: &'static RowBehaviour,
    signature: Signature,
}

impl RowFunction {
    pub(crate) fn new(function: &'static Function, behaviour: &'static RowBehaviour) -> Self {
        Self {
            signature: function.signature(),
            function,
            behaviour,
        }
    }
}

impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for RowFunction {}

impl Hash for RowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.behaviour.returns)(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let fields = args.arg_fields.iter();
        let types: Vec<_> = fields.map(|field| field.data_type().clone()).collect();
        let nullable =
            self.behaviour.makes_nulls || args.arg_fields.iter().any(|field| field.is_nullable());
        let data_type = self.return_type(&types)?;
        Ok(Field::new(self.function.name, data_type, nullable).into())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.behaviour.coerce)(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let computed = (self.behaviour.compute)(&RowArguments {
            values: &args.args,
            rows: if constant { 1 } else { args.number_rows },
            returns: args.return_field.data_type(),
        })?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&computed, 0)?),
            false => ColumnarValue::Array(computed),
        })
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let simplified = match self.behaviour.simplify {
            Some(simplify) => simplify(&args, info)?,
            None => None,
        };
        Ok(match simplified {
            Some(expression) => ExprSimplifyResult::Simplified(expression),
            None => ExprSimplifyResult::Original(args),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
