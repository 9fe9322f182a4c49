//! The `avro` format: object container files.

mod codec;
mod header;
mod shape;
mod source;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use futures::{FutureExt, StreamExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::file_parts::FileParts;
use super::files::{
    FileLayoutGroup, FileLayouts, FileReader, FileRequest, group_by, merged, open_files,
    refuse_twins,
};
use super::listing::ListedFile;
use super::options::{FILE_OPTIONS, OptionSpec};
use super::{OpenTable, TableContext, TableFormat};
use header::Header;
use source::CheckedAvro;

/// Avro object container files.
pub(crate) struct Avro;

#[async_trait]
impl TableFormat for Avro {
    fn name(&self) -> &'static str {
        "avro"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["avro"]
    }

    fn has_magic(&self, head: &[u8]) -> bool {
        head.starts_with(b"Obj\x01")
    }

    fn options(&self) -> Vec<&'static [OptionSpec]> {
        vec![FILE_OPTIONS]
    }

    async fn open(
        &self,
        definition: &TableDefinition,
        _version: TableVersion,
        context: &TableContext<'_>,
    ) -> Result<OpenTable, TableError> {
        open_files(self, self, definition, context).await
    }
}

#[async_trait]
impl FileReader for Avro {
    fn allows_empty_files(&self) -> bool {
        false
    }

    async fn layouts(&self, request: &FileRequest<'_>) -> Result<FileLayouts, TableError> {
        let state = request.context.state;
        let concurrency = state
            .config_options()
            .execution
            .meta_fetch_concurrency
            .get();
        let looks: Vec<_> = request
            .files
            .iter()
            .map(|file| columns_of(file, request).boxed())
            .collect();
        let schemas: Vec<(String, SchemaRef)> = futures::stream::iter(looks)
            .buffered(concurrency)
            .try_collect()
            .await?;
        let columns = merged(request, &schemas)?;
        // Columns are taken by their places: files of equal columns are read together.
        let groups = group_by(schemas.iter().map(|(_, schema)| schema))
            .into_iter()
            .map(|(schema, members)| FileLayoutGroup {
                format: Arc::new(CheckedAvro {
                    root: request.files[members[0]].root().to_owned(),
                    pool: Arc::clone(request.pool()),
                }),
                file_schema: Arc::clone(schema),
                null_text: None,
                exact_numbers: false,
                members,
            })
            .collect();
        Ok(FileLayouts { columns, groups })
    }
}

/// Reads which columns a file has.
async fn columns_of(
    file: &ListedFile,
    request: &FileRequest<'_>,
) -> Result<(String, SchemaRef), TableError> {
    let store = Arc::clone(request.store);
    let mut parts = FileParts::new(store, &file.meta, file.display.clone());
    let header = Header::read(&mut parts)
        .await
        .map_err(|error| TableError::file(&file.display, error))?;
    let names = header.columns.fields().iter();
    refuse_twins(&file.display, names.map(|field| field.name().as_str()))?;
    Ok((file.display.clone(), header.columns))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use datafusion::arrow_avro::compression::CompressionCodec;
    use datafusion::arrow_avro::writer::format::AvroOcfFormat;
    use datafusion::arrow_avro::writer::{AvroWriter, WriterBuilder};
    use lakesh_text::failure::{Failure, FailureKind};

    use super::shape::write_number;
    use crate::testing::Bench;

    const MARK: &[u8] = b"0123456789abcdef";

    /// Makes a file of these columns and blocks, each a count, its bytes and its mark.
    fn file(fields: &str, codec: &str, blocks: &[(u64, &[u8], &[u8])]) -> Vec<u8> {
        let schema = format!(r#"{{"type": "record", "name": "r", "fields": [{fields}]}}"#);
        let mut file = b"Obj\x01".to_vec();
        write_number(2, &mut file);
        for text in ["avro.schema", &schema, "avro.codec", codec] {
            write_number(text.len() as u64, &mut file);
            file.extend_from_slice(text.as_bytes());
        }
        write_number(0, &mut file);
        file.extend_from_slice(MARK);
        for (rows, bytes, mark) in blocks {
            write_number(*rows, &mut file);
            write_number(bytes.len() as u64, &mut file);
            file.extend_from_slice(bytes);
            file.extend_from_slice(mark);
        }
        file
    }

    const LONG: &str = r#"{"name": "a", "type": "long"}"#;

    /// Reads a file that is damaged or cannot be read; returns its path and what is said.
    async fn failure(name: &str, content: &[u8], sql: &str) -> (PathBuf, Failure) {
        let bench = Bench::new();
        let path = bench.write(name, content);
        let failure = match bench.open("avro", name, &[]).await {
            Err(error) => Failure::from(error),
            Ok(table) => bench.failure(&table, sql).await.unwrap(),
        };
        (path, failure)
    }

    #[tokio::test]
    async fn files_are_read_with_filters_and_projections() {
        let bench = Bench::new();
        let batches = bench
            .query("SELECT x, 'n' || x AS name FROM (VALUES (1), (2), (3)) v(x)")
            .await;
        let schema = batches[0].schema().as_ref().clone();
        let mut writer = AvroWriter::new(Vec::new(), schema).unwrap();
        writer.write(&batches[0]).unwrap();
        writer.finish().unwrap();
        bench.write("t.avro", writer.into_inner());
        let table = bench.open("avro", "t.avro", &[]).await.unwrap();
        assert_eq!(
            bench
                .rows(&table, "SELECT name FROM t WHERE x > 1 ORDER BY x")
                .await,
            ["n2", "n3"]
        );
        assert_eq!(bench.rows(&table, "SELECT count(*) FROM t").await, ["3"]);
        assert_eq!(
            bench
                .rows(&table, "SELECT name, x FROM t WHERE x = 2")
                .await,
            ["n2|2"]
        );
    }

    #[tokio::test]
    async fn all_codecs_are_read() {
        let bench = Bench::new();
        let sql = "SELECT value AS a, 'x' || value AS b FROM generate_series(1, 3000)";
        let batches = bench.query(sql).await;
        for codec in [
            None,
            Some(CompressionCodec::Deflate),
            Some(CompressionCodec::Snappy),
            Some(CompressionCodec::ZStandard),
            Some(CompressionCodec::Bzip2),
            Some(CompressionCodec::Xz),
        ] {
            let schema = batches[0].schema().as_ref().clone();
            let mut writer = WriterBuilder::new(schema)
                .with_compression(codec)
                .build::<_, AvroOcfFormat>(Vec::new())
                .unwrap();
            for batch in &batches {
                writer.write(batch).unwrap();
            }
            writer.finish().unwrap();
            bench.write("t.avro", writer.into_inner());
            let table = bench.open("avro", "t.avro", &[]).await.unwrap();
            let rows = bench
                .rows(
                    &table,
                    "SELECT count(*), sum(a), max(a), min(b), max(b) FROM t",
                )
                .await;
            assert_eq!(rows, ["3000|4501500|3000|x1|x999"], "{codec:?}");
        }
    }

    #[tokio::test]
    async fn what_is_cut_off_or_false_is_no_end() {
        let good: (u64, &[u8], &[u8]) = (3, &[2, 4, 6], MARK);
        let whole = file(LONG, "null", &[good, good]);
        let end = whole.len();
        for (name, content, how) in [
            ("mark.avro", whole[..end - 5].to_vec(), "it ends in a block"),
            (
                "data.avro",
                whole[..end - 18].to_vec(),
                "it ends in a block",
            ),
            ("head.avro", whole[..40].to_vec(), "is damaged"),
            ("magic.avro", whole[..4].to_vec(), "is damaged"),
            (
                "more.avro",
                file(LONG, "null", &[(2, &[2, 4, 6], MARK), good]),
                "other rows than it says",
            ),
            (
                "none.avro",
                file(LONG, "null", &[(0, &[2, 4, 6], MARK)]),
                "other rows than it says",
            ),
            (
                "fewer.avro",
                file(LONG, "null", &[(1 << 60, &[2, 4, 6], MARK)]),
                "other rows than it says",
            ),
            (
                "other.avro",
                file(LONG, "null", &[(3, &[2, 4, 6], b"another mark....")]),
                "not followed by the file's mark",
            ),
            (
                "short.avro",
                file(LONG, "snappy", &[(3, b"ab", MARK)]),
                "too short",
            ),
        ] {
            for sql in ["SELECT count(*) FROM t", "SELECT a FROM t"] {
                let (path, failure) = failure(name, &content, sql).await;
                let said = &failure.message;
                assert!(said.contains(&path.display().to_string()), "{said}");
                assert!(said.contains(how), "{name}: {said}");
                assert_eq!(failure.kind, FailureKind::InputOutput, "{said}");
            }
        }
    }

    #[tokio::test]
    async fn whatever_byte_is_wrong_the_file_is_named() {
        let fields = r#"{"name": "a", "type": ["null", "string"]},
            {"name": "b", "type": {"type": "array", "items": "double"}}"#;
        let row = [&[2, 4, b'x', b'y', 2][..], &1.5_f64.to_le_bytes(), &[0]].concat();
        let block = row.repeat(3);
        let whole = file(fields, "null", &[(3, &block, MARK)]);
        for at in (0..whole.len()).step_by(3) {
            for byte in [0x7f, 0xff] {
                let mut content = whole.clone();
                content[at] = byte;
                let bench = Bench::new();
                let path = bench.write("t.avro", &content);
                let failure = match bench.open("avro", "t.avro", &[]).await {
                    Err(error) => Some(Failure::from(error)),
                    Ok(table) => bench.failure(&table, "SELECT * FROM t").await,
                };
                // A changed value may well be read.
                if let Some(failure) = failure {
                    let said = failure.message;
                    assert!(said.contains(&path.display().to_string()), "{at}: {said}");
                }
            }
        }
    }

    #[tokio::test]
    async fn rows_without_bytes_are_rows() {
        let bench = Bench::new();
        let nulls = r#"{"name": "a", "type": "null"}"#;
        bench.write(
            "t.avro",
            file(nulls, "null", &[(5, &[], MARK), (2, &[], MARK)]),
        );
        let table = bench.open("avro", "t.avro", &[]).await.unwrap();
        let rows = bench.rows(&table, "SELECT count(*), count(a) FROM t").await;
        assert_eq!(rows, ["7|0"]);
        assert_eq!(bench.rows(&table, "SELECT a FROM t").await.len(), 7);
    }

    #[tokio::test]
    async fn two_columns_of_one_name_and_types_without_an_end_are_refused() {
        for (fields, how) in [
            (format!("{LONG}, {LONG}"), "`a`"),
            (
                r#"{"name": "a", "type": ["null", "r"]}"#.to_owned(),
                "contains itself",
            ),
            (
                r#"{"name": "a", "type": {"type": "array", "items": "null"}}"#.to_owned(),
                "take no bytes",
            ),
        ] {
            let content = file(&fields, "null", &[]);
            let (path, failure) = failure("t.avro", &content, "SELECT * FROM t").await;
            let said = &failure.message;
            assert!(said.contains(&path.display().to_string()), "{said}");
            assert!(said.contains(how), "{said}");
        }
    }
}
