//! `arrow`: an Arrow IPC file (Feather V2). Streams.
//!
//! Dictionaries and view types are written as plain arrays: an IPC file holds one dictionary a column
//! where a query may return another with each batch, and older readers know no views. The footer comes
//! last, so an incomplete result is no readable file.

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::FileWriter;

use super::names::distinct_names;
use super::rows::flush;
use super::{Format, FormatError, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "arrow",
    aliases: &["ipc", "feather"],
    suffixes: &["arrow", "feather", "ipc"],
    summary: "an Arrow IPC file (Feather V2)",
    binary: true,
    one_result: true,
    for_eyes: false,
    separated: false,
    create: |_| Box::new(ArrowFileWriter { file: None }),
};

struct ArrowFileWriter {
    /// Writes into memory, which is handed on after each batch.
    file: Option<FileWriter<Vec<u8>>>,
}

impl ArrowFileWriter {
    fn with_file(
        &mut self,
        out: &mut dyn Write,
        write: impl FnOnce(&mut FileWriter<Vec<u8>>) -> Result<(), ArrowError>,
    ) -> Result<(), FormatError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        write(file).map_err(encode)?;
        flush(file.get_mut(), out)
    }
}

impl ResultWriter for ArrowFileWriter {
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        let schema = map_types(schema, &plain_type);
        self.file = Some(FileWriter::try_new(Vec::new(), &schema).map_err(encode)?);
        self.with_file(out, |_| Ok(()))
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        self.with_file(out, |file| file.write(&cast_batch(batch, file.schema())?))
    }

    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        if end.complete {
            self.with_file(out, FileWriter::finish)
        } else {
            Ok(())
        }
    }
}

fn encode(error: ArrowError) -> FormatError {
    FormatError::Encode {
        format: FORMAT.name,
        source: Box::new(error),
    }
}

/// Replaces the types of a schema's columns, at every depth, and gives each column a name of its own.
pub(super) fn map_types(schema: &Schema, map: &dyn Fn(&DataType) -> DataType) -> SchemaRef {
    let names = distinct_names(schema.fields()).into_iter();
    let fields = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| Field::clone(&map_field(field, map)).with_name(name));
    Arc::new(Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        schema.metadata().clone(),
    ))
}

fn map_field(field: &FieldRef, map: &dyn Fn(&DataType) -> DataType) -> FieldRef {
    let inner = |field: &FieldRef| map_field(field, map);
    let data_type = match field.data_type() {
        DataType::List(item) | DataType::ListView(item) => DataType::List(inner(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => {
            DataType::LargeList(inner(item))
        }
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => map(other),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// The type without dictionary and view encoding.
fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}

/// Casts the columns whose type differs from the schema's.
pub(super) fn cast_batch(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let arrays = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| {
            if array.data_type() == field.data_type() {
                Ok(Arc::clone(array))
            } else {
                cast(array, field.data_type())
            }
        });
    let arrays = arrays.collect::<Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
}
