//! Maps made of other things.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err, plan_err};

/// The map of a list of pairs.
pub(crate) fn map_type(types: &[DataType]) -> Result<DataType> {
    let pair = match types {
        [DataType::List(pair)] => pair.data_type(),
        [DataType::Null] => return Ok(DataType::Null),
        _ => return plan_err!("`map_from_entries` takes a list of structs of two fields"),
    };
    match pair {
        DataType::Struct(fields) if fields.len() == 2 => {
            let entries = DataType::Struct(entry_fields(fields));
            let entries = Field::new("entries", entries, false);
            Ok(DataType::Map(Arc::new(entries), false))
        }
        _ => plan_err!("`map_from_entries` takes a list of structs of two fields"),
    }
}

fn entry_fields(pair: &Fields) -> Fields {
    let data_type = |place: usize| pair[place].data_type().clone();
    Fields::from(vec![
        Field::new("key", data_type(0), false),
        Field::new("value", data_type(1), true),
    ])
}

/// `map_from_entries`: a key that is NULL is an error, of two that are alike both stay.
pub(crate) fn of_entries(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [lists] = arrays else {
        return exec_err!("`map_from_entries` takes one list");
    };
    let data_type = map_type(&[lists.data_type().clone()])?;
    let DataType::Map(entries, _) = &data_type else {
        return Ok(new_null_array(&data_type, lists.len()));
    };
    let lists = lists.as_list::<i32>();
    let pairs = lists.values().as_struct();
    if pairs.null_count() > 0 || pairs.column(0).null_count() > 0 {
        return exec_err!("a key of a map cannot be NULL");
    }
    let fields = entry_fields(pairs.fields());
    let columns = pairs.columns().to_vec();
    let structs = StructArray::try_new(fields, columns, None)?;
    let map = MapArray::try_new(
        Arc::clone(entries),
        lists.offsets().clone(),
        structs,
        lists.nulls().cloned(),
        false,
    )?;
    Ok(Arc::new(map))
}
