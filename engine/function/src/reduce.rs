//! `list_reduce`: a lambda over what came out so far and the next element of a list.
//!
//! A third parameter is the place of the element, counted from 1, as in DuckDB.
//!
//! All rows take a step at once: the lambda is evaluated for the elements at one place of all lists that are so
//! long. DuckDB writes list_reduce(list, lambda [, initial]), Spark reduce(list, initial, lambda).

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{cast, interleave, take, take_arrays};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

/// The name under which it is planned.
pub(crate) const NAME: &str = "lakesh_reduce";

/// How often the type of what comes out is looked for.
const ATTEMPTS: usize = 3;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reduce {
    signature: HigherOrderSignature,
}

impl Reduce {
    pub(crate) fn new() -> Self {
        Self {
            signature: HigherOrderSignature::user_defined(Volatility::Immutable),
        }
    }
}

impl HigherOrderUDFImpl for Reduce {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, rest @ ..] = types else {
            return plan_err!("`list_reduce` takes a list and a lambda");
        };
        if rest.len() > 1 {
            return plan_err!("`list_reduce` takes a list, a lambda and one value to begin with");
        }
        let element = match list {
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::FixedSizeList(field, _)
            | DataType::ListView(field)
            | DataType::LargeListView(field) => field.data_type().clone(),
            DataType::Null => DataType::Null,
            other => {
                return plan_err!(
                    "`list_reduce` takes a list, not {}",
                    lakesh_text::failure::sql_type_name(other)
                );
            }
        };
        let mut coerced = vec![DataType::new_list(element, true)];
        coerced.extend(rest.iter().cloned());
        Ok(coerced)
    }

    fn lambda_parameters(
        &self,
        step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let (values, lambdas) = parted(fields);
        let [result] = lambdas.as_slice() else {
            return plan_err!("`list_reduce` takes one lambda");
        };
        let values: Vec<&DataType> = values.iter().map(|field| field.data_type()).collect();
        let (element, begins) = types_of(&values)?;
        let so_far = match result {
            Some(result) => common(&begins, result.data_type())?,
            None => begins,
        };
        let parameter = |data_type: &DataType| Arc::new(Field::new("", data_type.clone(), true));
        let parameters = vec![
            parameter(&so_far),
            parameter(&element),
            parameter(&DataType::Int64),
        ];
        // At the first step the type is known where it has been looked for before.
        let is_known = result.is_some() && (step == 0 || step >= ATTEMPTS);
        Ok(match is_known {
            true => LambdaParametersProgress::Complete(vec![parameters]),
            false => LambdaParametersProgress::Partial(vec![Some(parameters)]),
        })
    }

    fn coerce_values_for_lambdas(
        &self,
        fields: &[ValueOrLambda<DataType, DataType>],
    ) -> Result<Option<Vec<DataType>>> {
        let (values, lambdas) = parted(fields);
        let ([list, rest @ ..], [result]) = (values.as_slice(), lambdas.as_slice()) else {
            return Ok(None);
        };
        let (_, begins) = types_of(&values)?;
        let so_far = common(&begins, result)?;
        let mut coerced = vec![(*list).clone()];
        coerced.extend(rest.iter().map(|_| so_far.clone()));
        Ok(Some(coerced))
    }

    fn return_field_from_args(&self, arguments: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let (values, lambdas) = parted(arguments.arg_fields);
        let [result] = lambdas.as_slice() else {
            return plan_err!("`list_reduce` takes one lambda");
        };
        let values: Vec<&DataType> = values.iter().map(|field| field.data_type()).collect();
        let (_, begins) = types_of(&values)?;
        let so_far = common(&begins, result.data_type())?;
        Ok(Arc::new(Field::new("", so_far, true)))
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let (values, lambdas) = parted(&arguments.args);
        let (Some((list, rest)), [lambda]) = (values.split_first(), lambdas.as_slice()) else {
            return exec_err!("`list_reduce` takes a list and a lambda");
        };
        let lists = list.to_array(rows)?;
        let result_type = arguments.return_type();
        if lists.null_count() == lists.len() {
            return Ok(ColumnarValue::Array(new_null_array(result_type, rows)));
        }
        let initial = match rest.first() {
            Some(value) => Some(cast(&value.to_array(rows)?, result_type)?),
            None => None,
        };
        let reduced = reduced(lists.as_list::<i32>(), initial, lambda, result_type)?;
        Ok(ColumnarValue::Array(reduced))
    }
}

/// Parts values from lambdas.
pub(crate) fn parted<V, L>(arguments: &[ValueOrLambda<V, L>]) -> (Vec<&V>, Vec<&L>) {
    let (mut values, mut lambdas) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            ValueOrLambda::Value(value) => values.push(value),
            ValueOrLambda::Lambda(lambda) => lambdas.push(lambda),
        }
    }
    (values, lambdas)
}

/// The type of the elements, and of what it begins with.
fn types_of(values: &[&DataType]) -> Result<(DataType, DataType)> {
    let [DataType::List(field), rest @ ..] = values else {
        return plan_err!("`list_reduce` takes a list");
    };
    let element = field.data_type().clone();
    let begins = rest.first().map_or(&element, |first| *first).clone();
    Ok((element, begins))
}

/// The type that holds what it begins with and what the lambda gives, however often it is called.
fn common(begins: &DataType, result: &DataType) -> Result<DataType> {
    if begins == result {
        return Ok(begins.clone());
    }
    if begins.is_decimal() || result.is_decimal() {
        let scale = |data_type: &DataType| match data_type {
            DataType::Decimal128(_, scale) => *scale,
            _ => 0,
        };
        // A sum keeps its digits behind the point; a product would get more with each step.
        let stays = !begins.is_floating() && !result.is_floating();
        return Ok(match stays && scale(begins) == scale(result) {
            true => DataType::Decimal128(38, scale(begins)),
            false => DataType::Float64,
        });
    }
    match type_union_coercion(begins, result) {
        Some(both) => Ok(both),
        None => plan_err!(
            "the lambda of `list_reduce` gives {}, and begins with {}",
            lakesh_text::failure::sql_type_name(result),
            lakesh_text::failure::sql_type_name(begins)
        ),
    }
}

fn reduced(
    lists: &ListArray,
    initial: Option<ArrayRef>,
    lambda: &LambdaArgument,
    result_type: &DataType,
) -> Result<ArrayRef> {
    let values = cast_elements(lists, result_type, initial.is_none())?;
    let lengths: Vec<usize> = (0..lists.len())
        .map(|row| match lists.is_valid(row) {
            true => usize::try_from(lists.value_length(row)).unwrap_or(0),
            false => 0,
        })
        .collect();
    let begin = |row: usize| usize::try_from(lists.value_offsets()[row]).unwrap_or(0);
    let (mut so_far, first) = match initial {
        Some(initial) => (initial, 0),
        None => {
            let is_empty = |row: &usize| lists.is_valid(*row) && lengths[*row] == 0;
            if (0..lists.len()).any(|row| is_empty(&row)) {
                return exec_err!(
                    "`list_reduce` needs a value to begin with where a list is empty: list_reduce(list, lambda, value)"
                );
            }
            let firsts = (0..lists.len()).map(|row| (lengths[row] > 0).then(|| place(begin(row))));
            let firsts = firsts.collect::<UInt32Array>();
            (take(&values, &firsts, None)?, 1)
        }
    };
    let longest = lengths.iter().copied().max().unwrap_or(0);
    for step in first..longest {
        let active: Vec<usize> = (0..lists.len())
            .filter(|row| lengths[*row] > step)
            .collect();
        let rows = UInt32Array::from_iter_values(active.iter().map(|row| place(*row)));
        let places = active.iter().map(|row| place(begin(*row) + step));
        let elements = take(lists.values(), &UInt32Array::from_iter_values(places), None)?;
        let before = take(&so_far, &rows, None)?;
        let step_number = i64::try_from(step + 1).unwrap_or(i64::MAX);
        let given = lambda.evaluate(
            &[
                &|| Ok(Arc::clone(&before)),
                &|| Ok(Arc::clone(&elements)),
                &|| Ok(Arc::new(Int64Array::from_value(step_number, active.len())) as ArrayRef),
            ],
            |captures| Ok(take_arrays(captures, &rows, None)?),
        )?;
        let given = cast(&given.into_array(active.len())?, result_type)?;
        let mut indices: Vec<(usize, usize)> = (0..lists.len()).map(|row| (0, row)).collect();
        for (place, row) in active.iter().enumerate() {
            indices[*row] = (1, place);
        }
        so_far = interleave(&[so_far.as_ref(), given.as_ref()], &indices)?;
    }
    // What is reduced of no list is NULL, whatever it begins with.
    let kept = (0..lists.len()).map(|row| lists.is_valid(row).then(|| place(row)));
    Ok(take(&so_far, &kept.collect::<UInt32Array>(), None)?)
}

/// The elements as what comes out, where the first of them is what it begins with.
fn cast_elements(lists: &ListArray, to: &DataType, is_needed: bool) -> Result<ArrayRef> {
    match is_needed {
        true => Ok(cast(lists.values(), to)?),
        false => Ok(Arc::clone(lists.values())),
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
