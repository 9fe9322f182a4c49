//! Encoders for values made of values: lists, structs, maps, unions, dictionaries and runs.

use datafusion::arrow::array::{
    AnyDictionaryArray, Array, AsArray, GenericListArray, GenericListViewArray, MapArray,
    OffsetSizeTrait, RunArray, StructArray, UnionArray,
};
use datafusion::arrow::datatypes::{
    ArrowNativeType, DataType, Int16Type, Int32Type, Int64Type, RunEndIndexType,
};

use super::{Column, Encoder, Json, ObjectKeys, Syntax};

/// Encodes lists, structs and maps as JSON; formats other than JSON see it as text.
pub(super) fn as_json<'a, S: Syntax>(array: &'a dyn Array, syntax: &'a S) -> Encoder<'a> {
    let mut json = match array.data_type() {
        DataType::List(_) => list(array.as_list::<i32>()),
        DataType::LargeList(_) => list(array.as_list::<i64>()),
        DataType::ListView(_) => list_view(array.as_list_view::<i32>()),
        DataType::LargeListView(_) => list_view(array.as_list_view::<i64>()),
        DataType::FixedSizeList(_, size) => {
            let size = usize::try_from(*size).unwrap_or(0);
            items(array.as_fixed_size_list().values(), move |row| {
                (row * size, size)
            })
        }
        DataType::Map(..) => map(array.as_map()),
        _ => object(array.as_struct()),
    };
    if S::JSON {
        return json;
    }
    let mut scratch = Vec::new();
    Box::new(move |row, out| {
        scratch.clear();
        json(row, &mut scratch);
        let text = std::str::from_utf8(&scratch).expect("encoders write UTF-8");
        syntax.text(text, out);
    })
}

fn list<O: OffsetSizeTrait>(array: &GenericListArray<O>) -> Encoder<'_> {
    let offsets = array.value_offsets();
    items(array.values(), move |row| {
        let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
        (start, end - start)
    })
}

fn list_view<O: OffsetSizeTrait>(array: &GenericListViewArray<O>) -> Encoder<'_> {
    let (offsets, sizes) = (array.value_offsets(), array.value_sizes());
    items(array.values(), move |row| {
        (offsets[row].as_usize(), sizes[row].as_usize())
    })
}

/// Encodes lists whose items lie one after the other: `range` gives the first and how many.
fn items<'a>(values: &'a dyn Array, range: impl Fn(usize) -> (usize, usize) + 'a) -> Encoder<'a> {
    let mut values = Column::new(values, &Json);
    Box::new(move |row, out| {
        let (start, length) = range(row);
        out.push(b'[');
        for item in start..start + length {
            if item > start {
                out.push(b',');
            }
            write_or_null(&mut values, item, out);
        }
        out.push(b']');
    })
}

fn object(array: &StructArray) -> Encoder<'_> {
    let keys = ObjectKeys::new(array.fields());
    let arrays = array.columns().iter();
    let mut columns: Vec<_> = arrays
        .map(|array| Column::new(array.as_ref(), &Json))
        .collect();
    Box::new(move |row, out| keys.write(&mut columns, row, out))
}

/// Encodes maps as objects; keys that are not text are written as text.
fn map(array: &MapArray) -> Encoder<'_> {
    let offsets = array.value_offsets();
    let mut keys = Column::new(array.keys().as_ref(), &Json);
    let mut values = Column::new(array.values().as_ref(), &Json);
    let mut scratch = Vec::new();
    Box::new(move |row, out| {
        let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
        out.push(b'{');
        for item in start..end {
            if item > start {
                out.push(b',');
            }
            scratch.clear();
            write_or_null(&mut keys, item, &mut scratch);
            if scratch.first() == Some(&b'"') {
                out.extend_from_slice(&scratch);
            } else {
                let text = std::str::from_utf8(&scratch).expect("encoders write UTF-8");
                Json.text(text, out);
            }
            out.push(b':');
            write_or_null(&mut values, item, out);
        }
        out.push(b'}');
    })
}

fn write_or_null(column: &mut Column<'_>, row: usize, out: &mut Vec<u8>) {
    if !column.write(row, out) {
        out.extend_from_slice(b"null");
    }
}

/// Encodes the value that a union holds, whatever its type.
pub(super) fn union<'a, S: Syntax>(array: &'a UnionArray, syntax: &'a S) -> Encoder<'a> {
    let DataType::Union(fields, _) = array.data_type() else {
        unreachable!("a union array has a union type");
    };
    let children = fields
        .iter()
        .map(|(id, _)| (id, Column::new(array.child(id).as_ref(), syntax)));
    let mut children: Vec<(i8, Column<'a>)> = children.collect();
    Box::new(move |row, out| {
        let id = array.type_id(row);
        if let Some((_, child)) = children.iter_mut().find(|(child, _)| *child == id) {
            child.write(array.value_offset(row), out);
        }
    })
}

/// Encodes the values behind the keys of a dictionary.
pub(super) fn dictionary<'a, S: Syntax>(
    array: &'a dyn AnyDictionaryArray,
    syntax: &'a S,
) -> Encoder<'a> {
    if array.values().is_empty() {
        // Then every row is NULL.
        return Box::new(|_, _| ());
    }
    let keys = array.normalized_keys();
    let mut values = Column::new(array.values().as_ref(), syntax);
    Box::new(move |row, out| {
        values.write(keys[row], out);
    })
}

/// Encodes values that are stored once a run.
pub(super) fn runs<'a, S: Syntax>(
    array: &'a dyn Array,
    index_type: &DataType,
    syntax: &'a S,
) -> Encoder<'a> {
    fn typed<'a, R: RunEndIndexType, S: Syntax>(
        array: &'a RunArray<R>,
        syntax: &'a S,
    ) -> Encoder<'a> {
        let mut values = Column::new(array.values().as_ref(), syntax);
        Box::new(move |row, out| {
            values.write(array.get_physical_index(row), out);
        })
    }
    match index_type {
        DataType::Int16 => typed(array.as_run::<Int16Type>(), syntax),
        DataType::Int32 => typed(array.as_run::<Int32Type>(), syntax),
        _ => typed(array.as_run::<Int64Type>(), syntax),
    }
}
