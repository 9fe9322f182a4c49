//! What the beginning of an Avro file says: its columns, its compression, its mark between blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Schema, SchemaRef, UnionFields,
};
use datafusion::arrow_avro::compression::CompressionCodec;
use datafusion::arrow_avro::reader::{ReaderBuilder, read_header_info};
use datafusion::error::{DataFusionError, Result};

use super::shape::{RowShape, write_number};
use crate::file_parts::FileParts;

const MAGIC: &[u8] = b"Obj\x01";
/// How much is read first to find a header in it; the next time it is twice as much.
const FIRST: u64 = 64 << 10;
/// No header is longer than this.
const LONGEST: u64 = 64 << 20;

/// The mark behind each block.
pub(super) const MARK: usize = 16;

/// What a file says of itself.
pub(super) struct Header {
    pub(super) columns: SchemaRef,
    pub(super) rows: RowShape,
    pub(super) codec: Option<CompressionCodec>,
    pub(super) mark: [u8; MARK],
    /// Where the first block begins.
    pub(super) end: u64,
    /// The same header of a file without compression.
    pub(super) plain: Vec<u8>,
}

impl Header {
    /// Reads the header of a file.
    pub(super) async fn read(file: &mut FileParts) -> Result<Self> {
        let most = file.size().min(LONGEST);
        let mut length = FIRST.min(most);
        loop {
            let bytes = file.get(0..length).await?;
            if !bytes.starts_with(MAGIC) {
                return Err(DataFusionError::Plan("it is no Avro file".to_owned()));
            }
            // The library fails at the end of what it was given, whatever the reason.
            let read = catch_unwind(AssertUnwindSafe(|| read_header_info(&bytes[..])));
            let read = read.map_err(|_| file.broken("its header cannot be decoded"))?;
            let info = match read {
                Ok(info) => info,
                Err(_) if length < most => {
                    length = length.saturating_mul(2).min(most);
                    continue;
                }
                Err(error) => return Err(file.broken(&said(&error))),
            };
            let schema = info
                .writer_schema()
                .map_err(|error| file.broken(&said(&error)))?
                .json_string;
            let codec = info.compression();
            let codec = codec.map_err(|error| DataFusionError::Plan(said(&error)))?;
            // Before the library reads it: what it makes of some schemas has no bound.
            let rows = RowShape::parse(&schema).map_err(DataFusionError::Plan)?;
            let plain = plain_header(&schema, &info.sync());
            let columns = columns(&plain, file)?;
            return Ok(Self {
                columns,
                rows,
                codec,
                mark: info.sync(),
                end: info.header_len(),
                plain,
            });
        }
    }
}

/// Returns what the library says, without its prefixes.
pub(super) fn said(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let mut reason = text.as_str();
    while let Some((prefix, rest)) = reason.split_once(" error: ") {
        if prefix.split(' ').count() > 2 {
            break;
        }
        reason = rest;
    }
    let reason = reason.strip_prefix("EOF: ").unwrap_or(reason);
    reason.trim_end_matches('.').to_owned()
}

/// Writes the header of a file without compression.
fn plain_header(schema: &str, mark: &[u8; MARK]) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    write_number(1, &mut header);
    for text in ["avro.schema", schema] {
        write_number(text.len() as u64, &mut header);
        header.extend_from_slice(text.as_bytes());
    }
    write_number(0, &mut header);
    header.extend_from_slice(mark);
    header
}

/// Returns the columns that a file of this header has.
fn columns(header: &[u8], file: &FileParts) -> Result<SchemaRef> {
    let read = catch_unwind(AssertUnwindSafe(|| ReaderBuilder::new().build(header)));
    let reader = read
        .map_err(|_| file.broken("the description of its columns is none"))?
        .map_err(|error| DataFusionError::Plan(said(&error)))?;
    Ok(Arc::new(Schema::new(bare_fields(reader.schema().fields()))))
}

/// Takes what Avro notes beside the columns off: it would make equal columns of two files different.
fn bare_fields(fields: &Fields) -> Fields {
    fields.iter().map(bare_field).collect()
}

fn bare_field(field: &FieldRef) -> FieldRef {
    let data_type = bare_type(field.data_type());
    // The library says of columns of nothing but NULL that they have none.
    let nullable = field.is_nullable() || data_type == DataType::Null;
    Arc::new(Field::new(field.name(), data_type, nullable))
}

fn bare_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Struct(fields) => DataType::Struct(bare_fields(fields)),
        DataType::List(item) => DataType::List(bare_field(item)),
        DataType::LargeList(item) => DataType::LargeList(bare_field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(bare_field(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(bare_field(entries), *sorted),
        DataType::Union(branches, mode) => {
            let bare = branches.iter().map(|(id, field)| (id, bare_field(field)));
            DataType::Union(bare.collect::<UnionFields>(), *mode)
        }
        other => other.clone(),
    }
}
