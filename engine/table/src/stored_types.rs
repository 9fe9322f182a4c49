//! The types in which a Delta table keeps what SQL makes.
//!
//! Delta has signed integers alone: the library would declare unsigned ones as signed and write them as they
//! are, and nobody could read them. Its moments have no zone but UTC; SQL's have the session's.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Column;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;

/// Returns the columns that a Delta table has for those of a schema.
pub fn stored_columns(schema: &Schema) -> Result<StructType, ArrowError> {
    let fields = schema.fields().iter().map(stored_field);
    let stored = Schema::new(fields.collect::<Vec<_>>());
    (&stored).try_into_kernel()
}

/// Casts the columns of a query that are of another type in a Delta table; `None` where none is. A value that
/// does not fit fails the write.
pub(crate) fn as_stored(query: &LogicalPlan) -> Result<Option<LogicalPlan>> {
    let schema = query.schema();
    let is_other = |field: &FieldRef| stored_type(field.data_type()) != *field.data_type();
    if !schema.fields().iter().any(is_other) {
        return Ok(None);
    }
    let columns = schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        match is_other(field) {
            true => cast(column, stored_type(field.data_type())).alias(field.name()),
            false => column,
        }
    });
    LogicalPlanBuilder::from(query.clone())
        .project(columns.collect::<Vec<_>>())?
        .build()
        .map(Some)
}

fn stored_field(field: &FieldRef) -> FieldRef {
    let data_type = stored_type(field.data_type());
    match data_type == *field.data_type() {
        true => Arc::clone(field),
        false => Arc::new(Field::clone(field).with_data_type(data_type)),
    }
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::List(item) => DataType::List(stored_field(item)),
        DataType::LargeList(item) => DataType::LargeList(stored_field(item)),
        DataType::FixedSizeList(item, length) => {
            DataType::FixedSizeList(stored_field(item), *length)
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(stored_field).collect()),
        DataType::Map(entries, is_sorted) => DataType::Map(stored_field(entries), *is_sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn moments_are_in_utc_and_integers_signed() {
        let moment = |zone: &str| DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
        let list = |item| DataType::new_list(item, true);
        assert_eq!(stored_type(&moment("Europe/Berlin")), moment("UTC"));
        assert_eq!(stored_type(&list(moment("+02:00"))), list(moment("UTC")));
        assert_eq!(stored_type(&list(DataType::UInt8)), list(DataType::Int16));
        let clock = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(stored_type(&clock), clock);
    }
}
