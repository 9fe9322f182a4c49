//! `list_transform` and `list_filter` with a lambda of an element and its place: `(x, i) -> x + i`.
//!
//! DuckDB counts places from 1, Spark's `transform` from 0. DataFusion's functions take lambdas of one parameter.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt32Array, new_null_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{cast, filter, take_arrays};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::reduce::parted;

/// What becomes of what the lambda gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Outcome {
    /// It stands in the place of the element.
    Element,
    /// It says whether the element stays.
    Stays,
}

/// One of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Placed {
    name: &'static str,
    outcome: Outcome,
    /// The place of the first element.
    first: i64,
    signature: HigherOrderSignature,
}

/// Returns all of them.
pub(crate) fn functions() -> [Placed; 3] {
    let function = |name, outcome, first| Placed {
        name,
        outcome,
        first,
        signature: HigherOrderSignature::exact(
            vec![ValueOrLambda::Value(()), ValueOrLambda::Lambda(())],
            Volatility::Immutable,
        ),
    };
    [
        function("lakesh_transform_at", Outcome::Element, 1),
        function("lakesh_transform_at_0", Outcome::Element, 0),
        function("lakesh_filter_at", Outcome::Stays, 1),
    ]
}

/// The function that stands for one of DataFusion's where a lambda has two parameters.
pub(crate) fn with_place(function: &str, called: &str) -> Option<&'static str> {
    match (function, called) {
        ("array_transform", "transform") => Some("lakesh_transform_at_0"),
        ("array_transform", _) => Some("lakesh_transform_at"),
        ("array_filter", _) => Some("lakesh_filter_at"),
        _ => None,
    }
}

impl HigherOrderUDFImpl for Placed {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let list = match types {
            [
                DataType::List(field)
                | DataType::LargeList(field)
                | DataType::FixedSizeList(field, _)
                | DataType::ListView(field)
                | DataType::LargeListView(field),
            ] => DataType::new_list(field.data_type().clone(), true),
            [DataType::Null] => DataType::new_list(DataType::Null, true),
            [other] => {
                return plan_err!(
                    "a lambda over elements takes a list, not {}",
                    lakesh_text::failure::sql_type_name(other)
                );
            }
            _ => return plan_err!("a lambda over elements takes one list"),
        };
        Ok(vec![list])
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let (values, _) = parted(fields);
        let element = match values.first().map(|field| field.data_type()) {
            Some(DataType::List(field)) => field.data_type().clone(),
            _ => return plan_err!("a lambda over elements takes a list"),
        };
        Ok(LambdaParametersProgress::Complete(vec![vec![
            Arc::new(Field::new("", element, true)),
            Arc::new(Field::new("", DataType::Int64, false)),
        ]]))
    }

    fn return_field_from_args(&self, arguments: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let (values, lambdas) = parted(arguments.arg_fields);
        let ([list], [given]) = (values.as_slice(), lambdas.as_slice()) else {
            return plan_err!("a lambda over elements takes a list and a lambda");
        };
        let data_type = match self.outcome {
            Outcome::Element => DataType::new_list(given.data_type().clone(), true),
            Outcome::Stays => list.data_type().clone(),
        };
        Ok(Arc::new(Field::new("", data_type, list.is_nullable())))
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let (values, lambdas) = parted(&arguments.args);
        let ([list], [lambda]) = (values.as_slice(), lambdas.as_slice()) else {
            return exec_err!("a lambda over elements takes a list and a lambda");
        };
        let lists = list.to_array(rows)?;
        if lists.null_count() == lists.len() {
            let nulls = new_null_array(arguments.return_type(), rows);
            return Ok(ColumnarValue::Array(nulls));
        }
        let DataType::List(field) = arguments.return_type() else {
            return exec_err!("a lambda over elements gives a list");
        };
        let lists = lists.as_list::<i32>();
        let (elements, owners, places, lengths) = self.flat(lists);
        let given = lambda.evaluate(
            &[&|| Ok(Arc::clone(&elements)), &|| Ok(Arc::clone(&places))],
            |captures| Ok(take_arrays(captures, &owners, None)?),
        )?;
        let given = given.into_array(elements.len())?;
        let (elements, lengths) = match self.outcome {
            Outcome::Element => (cast(&given, field.data_type())?, lengths),
            Outcome::Stays => kept(&elements, &given, &lengths)?,
        };
        let lists = ListArray::try_new(
            Arc::clone(field),
            OffsetBuffer::from_lengths(lengths),
            elements,
            lists.nulls().cloned(),
        )?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }
}

impl Placed {
    /// The elements of all lists, the rows and the places that they stand at, and how many each list has.
    fn flat(&self, lists: &ListArray) -> (ArrayRef, UInt32Array, ArrayRef, Vec<usize>) {
        let first = lists.value_offsets()[0];
        let last = lists.value_offsets()[lists.len()];
        let count = usize::try_from(last - first).unwrap_or(0);
        let elements = lists
            .values()
            .slice(usize::try_from(first).unwrap_or(0), count);
        let (mut owners, mut places) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut lengths = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let length = usize::try_from(lists.value_length(row)).unwrap_or(0);
            lengths.push(length);
            owners.extend(std::iter::repeat_n(
                u32::try_from(row).unwrap_or(u32::MAX),
                length,
            ));
            places.extend((self.first..).take(length));
        }
        let places = Arc::new(Int64Array::from(places));
        (elements, UInt32Array::from(owners), places, lengths)
    }
}

/// Leaves the elements for which the condition is true.
fn kept(
    elements: &ArrayRef,
    given: &ArrayRef,
    lengths: &[usize],
) -> Result<(ArrayRef, Vec<usize>)> {
    let given = cast(given, &DataType::Boolean)?;
    let stays: BooleanArray = given
        .as_boolean()
        .iter()
        .map(|stays| Some(stays == Some(true)))
        .collect();
    let mut begin = 0;
    let lengths = lengths.iter().map(|length| {
        let count = stays.slice(begin, *length).true_count();
        begin += length;
        count
    });
    let lengths = lengths.collect();
    Ok((filter(elements, &stays)?, lengths))
}
