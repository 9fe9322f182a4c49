//! Elements of lists that other lists name: by places, and by what is true.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};

/// The type of the list that elements are taken from.
pub(crate) fn list_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [list, _] => Ok(DataType::new_list(element_type(list)?, true)),
        _ => plan_err!("two lists are needed"),
    }
}

fn element_type(list: &DataType) -> Result<DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Ok(field.data_type().clone())
        }
        DataType::Null => Ok(DataType::Null),
        _ => plan_err!("two lists are needed"),
    }
}

/// `list_select`: the elements at places that are counted from 1; NULL where there is none.
pub(crate) fn at_places(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    picked(arrays, DataType::Int64, |places, length, found| {
        if places.null_count() > 0 {
            return exec_err!("a place of `list_select` cannot be NULL");
        }
        for place in places.as_primitive::<Int64Type>().values() {
            let place = usize::try_from(*place).ok();
            found.push(
                place
                    .and_then(|place| place.checked_sub(1))
                    .filter(|place| *place < length),
            );
        }
        Ok(())
    })
}

/// `list_where`: the elements beside which the other list is true; NULL where there is none.
pub(crate) fn where_true(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    picked(arrays, DataType::Boolean, |truths, length, found| {
        if truths.null_count() > 0 {
            return exec_err!("what `list_where` goes by cannot be NULL");
        }
        for (place, is_true) in truths.as_boolean().values().iter().enumerate() {
            if is_true {
                found.push(Some(place).filter(|place| *place < length));
            }
        }
        Ok(())
    })
}

fn picked(
    arrays: &[ArrayRef],
    by: DataType,
    mut pick: impl FnMut(&ArrayRef, usize, &mut Vec<Option<usize>>) -> Result<()>,
) -> Result<ArrayRef> {
    let [lists, others] = arrays else {
        return exec_err!("two lists are needed");
    };
    let element = element_type(lists.data_type())?;
    let field = Arc::new(Field::new_list_field(element, true));
    let lists = cast(lists, &DataType::List(Arc::clone(&field)))?;
    let others = cast(others, &DataType::new_list(by, true))?;
    let (lists, others) = (lists.as_list::<i32>(), others.as_list::<i32>());
    let mut places: Vec<Option<u32>> = Vec::new();
    let mut lengths = Vec::with_capacity(lists.len());
    let mut is_valid = Vec::with_capacity(lists.len());
    let mut found = Vec::new();
    for row in 0..lists.len() {
        is_valid.push(lists.is_valid(row) && others.is_valid(row));
        found.clear();
        if is_valid[row] {
            let length = usize::try_from(lists.value_length(row)).unwrap_or(0);
            pick(&others.value(row), length, &mut found)?;
        }
        let begin = usize::try_from(lists.value_offsets()[row]).unwrap_or(0);
        let global = found
            .iter()
            .map(|place| place.and_then(|place| u32::try_from(begin + place).ok()));
        places.extend(global);
        lengths.push(found.len());
    }
    let values = take(lists.values(), &UInt32Array::from(places), None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = NullBuffer::from(is_valid);
    Ok(Arc::new(ListArray::try_new(
        field,
        offsets,
        values,
        Some(nulls),
    )?))
}
