//! `parquet`: a Parquet file with zstd compression. Streams row group by row group.
//!
//! A row group ends after so many rows or encoded bytes, so memory stays bounded. The footer comes last,
//! so an incomplete result is no readable file.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::arrow::{cast_batch, map_types};
use super::rows::flush;
use super::types::short_type;
use super::{Format, FormatError, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "parquet",
    aliases: &["pq"],
    suffixes: &["parquet", "pq"],
    summary: "a Parquet file (zstd)",
    binary: true,
    one_result: true,
    for_eyes: false,
    separated: false,
    create: |_| Box::new(ParquetWriter { file: None }),
};

/// Rows of a row group: DuckDB's and Arrow's readers split work by row group, so not too many.
const ROW_GROUP_ROWS: usize = 512 * 1024;

/// Encoded bytes in memory after which a row group ends early.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

struct ParquetWriter {
    /// Writes into memory, which is handed on after each row group; with the schema to cast to.
    file: Option<(ArrowWriter<Vec<u8>>, SchemaRef)>,
}

impl ResultWriter for ParquetWriter {
    fn start(&mut self, schema: &SchemaRef, _out: &mut dyn Write) -> Result<(), FormatError> {
        if schema.fields().is_empty() {
            return Err(unsupported("a result without columns"));
        }
        refuse_types(schema)?;
        let schema = map_types(schema, &storable_type);
        let level = ZstdLevel::try_new(1).map_err(encode)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let file = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).map_err(
            |error| match error {
                ParquetError::General(what) | ParquetError::ArrowError(what) => cannot_hold(&what),
                other => encode(other),
            },
        )?;
        self.file = Some((file, schema));
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let Some((file, schema)) = &mut self.file else {
            return Ok(());
        };
        let batch = cast_batch(batch, schema).map_err(|error| encode(error.into()))?;
        file.write(&batch).map_err(encode)?;
        if file.memory_size() > ROW_GROUP_BYTES {
            file.flush().map_err(encode)?;
        }
        drain(file, out)
    }

    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        match &mut self.file {
            Some((file, _)) if end.complete => {
                file.finish().map_err(encode)?;
                drain(file, out)
            }
            _ => Ok(()),
        }
    }
}

/// Hands on what the writer has put into memory.
fn drain(file: &mut ArrowWriter<Vec<u8>>, out: &mut dyn Write) -> Result<(), FormatError> {
    file.sync().map_err(FormatError::Write)?;
    flush(file.inner_mut(), out)
}

/// Refuses what the library does not write (it panics over unions), before any byte is written.
fn refuse_types(schema: &Schema) -> Result<(), FormatError> {
    let refused = |field: &&&Field| {
        let data_type = field.data_type();
        matches!(
            data_type,
            DataType::Union(..) | DataType::Interval(IntervalUnit::MonthDayNano)
        )
    };
    schema
        .flattened_fields()
        .iter()
        .find(refused)
        .map_or(Ok(()), |field| {
            let (name, data_type) = (field.name(), short_type(field.data_type()));
            Err(unsupported(&format!("column `{name}` of type {data_type}")))
        })
}

/// The type that Parquet's readers outside Rust know: no views, no runs.
fn storable_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::RunEndEncoded(_, value) => storable_type(value.data_type()),
        DataType::Dictionary(key, value) => {
            DataType::Dictionary(key.clone(), Box::new(storable_type(value)))
        }
        other => other.clone(),
    }
}

fn unsupported(what: &str) -> FormatError {
    FormatError::Unsupported {
        format: FORMAT.name,
        what: what.to_owned(),
    }
}

fn cannot_hold(why: &str) -> FormatError {
    unsupported(&format!("this result: {why}"))
}

fn encode(error: ParquetError) -> FormatError {
    match error {
        ParquetError::NYI(why) => cannot_hold(&why),
        other => FormatError::Encode {
            format: FORMAT.name,
            source: Box::new(other),
        },
    }
}
