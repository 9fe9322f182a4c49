//! Schemas of several files as the schema of one table.
//!
//! It compares and combines columns by name; casting the data is the scan's business.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;

use super::error::TableError;

/// How the columns of several files become those of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeMode {
    /// The first file's columns; every other file must have them with a type that fits.
    FirstFile,
    /// All columns of all files.
    UnionByName,
}

/// Combines the schemas of files, given with the files' names for messages.
///
/// With `text_fallback`, types without a common one become text, as in CSV.
pub(crate) fn merge(
    files: &[(String, SchemaRef)],
    mode: MergeMode,
    text_fallback: bool,
) -> Result<SchemaRef, TableError> {
    let Some((first_name, first)) = files.first() else {
        return Ok(Arc::new(Schema::empty()));
    };
    let mut fields: Vec<FieldRef> = first.fields().to_vec();
    for (other_name, other) in &files[1..] {
        let problem = match mode {
            MergeMode::FirstFile => absorb_first(&mut fields, other, text_fallback),
            MergeMode::UnionByName => absorb_union(&mut fields, other, text_fallback),
        };
        if let Err(problem) = problem {
            return Err(TableError::Incompatible {
                first: first_name.clone(),
                other: other_name.clone(),
                problem,
            });
        }
    }
    let fields: Vec<FieldRef> = fields.into_iter().map(readable).collect();
    Ok(Arc::new(Schema::new(fields)))
}

/// Returns where each column is, of two of one name the first.
pub(crate) fn places(fields: &Fields) -> HashMap<&str, usize> {
    let places = fields.iter().enumerate().rev();
    places
        .map(|(place, field)| (field.name().as_str(), place))
        .collect()
}

fn absorb_first(fields: &mut [FieldRef], other: &Schema, fallback: bool) -> Result<(), String> {
    let places = places(other.fields());
    for field in fields {
        let Some(place) = places.get(field.name().as_str()) else {
            return Err(format!("it has no column `{}`", field.name()));
        };
        *field = combine(field, other.field(*place), fallback)?;
    }
    Ok(())
}

fn absorb_union(fields: &mut Vec<FieldRef>, other: &Schema, fallback: bool) -> Result<(), String> {
    let places = places(other.fields());
    let mut known: HashSet<String> = HashSet::with_capacity(fields.len());
    for field in fields.iter_mut() {
        *field = match places.get(field.name().as_str()) {
            Some(place) => combine(field, other.field(*place), fallback)?,
            None => Arc::new(field.as_ref().clone().with_nullable(true)),
        };
        known.insert(field.name().clone());
    }
    for theirs in other.fields() {
        if known.insert(theirs.name().clone()) {
            fields.push(Arc::new(theirs.as_ref().clone().with_nullable(true)));
        }
    }
    Ok(())
}

fn combine(ours: &Field, theirs: &Field, fallback: bool) -> Result<FieldRef, String> {
    let data_type = match common_type(ours.data_type(), theirs.data_type()) {
        Some(data_type) => data_type,
        None if fallback => DataType::Utf8,
        None => {
            return Err(format!(
                "its column `{}` is {} instead of {}",
                ours.name(),
                theirs.data_type(),
                ours.data_type()
            ));
        }
    };
    let nullable = ours.is_nullable() || theirs.is_nullable();
    Ok(Arc::new(Field::new(ours.name(), data_type, nullable)))
}

/// Finds a type that holds the values of both without changing their meaning.
fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Dictionary, List, Null, Struct, Timestamp};
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        (Dictionary(_, value), other) | (other, Dictionary(_, value)) => common_type(value, other),
        (Struct(left), Struct(right)) => common_struct(left, right),
        (List(left), List(right)) => combine(left, right, false).ok().map(List),
        (Timestamp(left_unit, left_zone), Timestamp(right_unit, right_zone))
            if left_zone == right_zone =>
        {
            Some(Timestamp(*left_unit.max(right_unit), left_zone.clone()))
        }
        // DataFusion would make decimals of doubles.
        _ if (left.is_decimal() && right.is_floating())
            || (left.is_floating() && right.is_decimal()) =>
        {
            Some(DataType::Float64)
        }
        _ if left.is_numeric() && right.is_numeric() => {
            type_union_resolution(&[left.clone(), right.clone()])
        }
        _ if is_text(left) && is_text(right) => Some(match (left, right) {
            (DataType::Utf8View, _) | (_, DataType::Utf8View) => DataType::Utf8View,
            (DataType::LargeUtf8, _) | (_, DataType::LargeUtf8) => DataType::LargeUtf8,
            _ => DataType::Utf8,
        }),
        _ if is_binary(left) && is_binary(right) => Some(DataType::BinaryView),
        _ => None,
    }
}

fn common_struct(left: &Fields, right: &Fields) -> Option<DataType> {
    let mut fields = left.to_vec();
    absorb_union(&mut fields, &Schema::new(right.clone()), false).ok()?;
    Some(DataType::Struct(fields.into()))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_binary(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    )
}

/// Makes columns of which only NULLs were seen text, and dictionaries what they hold; deeper levels too.
///
/// Each file has a dictionary of its own, and together their values can be more than a key of the files
/// can count: pandas writes categories with keys of one byte.
fn readable(field: FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Null => DataType::Utf8,
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        DataType::List(inner) => DataType::List(readable(inner.clone())),
        DataType::LargeList(inner) => DataType::LargeList(readable(inner.clone())),
        DataType::Map(entries, sorted) => DataType::Map(readable(entries.clone()), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().cloned().map(readable).collect())
        }
        _ => return field,
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::TimeUnit;

    fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, data_type)| Field::new(*name, data_type.clone(), false))
            .collect();
        Arc::new(Schema::new(fields))
    }

    fn check(mode: MergeMode, left: &[(&str, DataType)], right: &[(&str, DataType)]) -> String {
        let files = [
            ("a".to_string(), schema(left)),
            ("b".to_string(), schema(right)),
        ];
        match merge(&files, mode, false) {
            Ok(merged) => merged
                .fields()
                .iter()
                .map(|field| {
                    let null = if field.is_nullable() { "?" } else { "" };
                    format!("{}{null} {}", field.name(), field.data_type())
                })
                .collect::<Vec<_>>()
                .join(", "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn columns_are_merged_by_name() {
        use DataType::{Boolean, Float64, Int32, Int64, Utf8, Utf8View};
        use MergeMode::{FirstFile, UnionByName};
        for (mode, left, right, expect) in [
            (
                FirstFile,
                vec![("x", Int32)],
                vec![("y", Utf8), ("x", Int64)],
                "x Int64",
            ),
            (
                FirstFile,
                vec![("x", Int32)],
                vec![("y", Utf8)],
                "`b` does not fit `a`: it has no column `x`",
            ),
            (
                UnionByName,
                vec![("x", Int32)],
                vec![("y", Utf8)],
                "x? Int32, y? Utf8",
            ),
            (
                UnionByName,
                vec![("x", Int64)],
                vec![("x", Float64)],
                "x Float64",
            ),
            (
                UnionByName,
                vec![("x", Utf8)],
                vec![("x", Utf8View)],
                "x Utf8View",
            ),
            (
                UnionByName,
                vec![("x", Int64)],
                vec![("x", Boolean)],
                "`b` does not fit `a`: its column `x` is Boolean instead of Int64",
            ),
            (
                FirstFile,
                vec![("X", Int64)],
                vec![("x", Int64)],
                "`b` does not fit `a`: it has no column `X`",
            ),
        ] {
            assert_eq!(check(mode, &left, &right), expect);
        }
        let category = |key, value: DataType| DataType::Dictionary(Box::new(key), Box::new(value));
        for (left, right, expect) in [
            (
                category(DataType::Int8, Utf8),
                category(DataType::Int8, Utf8),
                "x Utf8",
            ),
            (
                category(DataType::Int8, Utf8),
                category(DataType::Int16, Utf8),
                "x Utf8",
            ),
            (category(DataType::Int8, Utf8), Utf8View, "x Utf8View"),
            (DataType::Null, category(DataType::Int8, Int64), "x Int64"),
        ] {
            assert_eq!(check(FirstFile, &[("x", left)], &[("x", right)]), expect);
        }
        let seconds = DataType::Timestamp(TimeUnit::Second, None);
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(common_type(&seconds, &micros), Some(micros));
    }
}
