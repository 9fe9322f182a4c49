//! The `arrow` format: Arrow IPC files and streams (Feather version 2 is the same).

mod decode;
mod read;
mod source;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use futures::{FutureExt, StreamExt, TryStreamExt};
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::files::{
    FileLayoutGroup, FileLayouts, FileReader, FileRequest, group_by, merged, open_files,
    refuse_twins,
};
use super::listing::ListedFile;
use super::options::{FILE_OPTIONS, OptionSpec};
use super::{OpenTable, TableContext, TableFormat};
use read::{Kind, Parts};
use source::CheckedArrow;

/// Arrow IPC files.
pub(crate) struct Arrow;

#[async_trait]
impl TableFormat for Arrow {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["arrow", "arrows", "feather", "ipc"]
    }

    fn has_magic(&self, head: &[u8]) -> bool {
        head.starts_with(b"ARROW1")
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
impl FileReader for Arrow {
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
            .map(|file| look_at(file, request).boxed())
            .collect();
        let looked: Vec<(Kind, SchemaRef)> = futures::stream::iter(looks)
            .buffered(concurrency)
            .try_collect()
            .await?;
        let schemas: Vec<(String, SchemaRef)> = looked
            .iter()
            .zip(request.files)
            .map(|((_, schema), file)| (file.display.clone(), Arc::clone(schema)))
            .collect();
        let columns = merged(request, &schemas)?;
        let groups = group_by(looked)
            .into_iter()
            .map(|((kind, file_schema), members)| FileLayoutGroup {
                format: Arc::new(CheckedArrow {
                    kind,
                    root: request.files[members[0]].root().to_owned(),
                    pool: Arc::clone(request.pool()),
                }),
                file_schema,
                null_text: None,
                exact_numbers: false,
                members,
            })
            .collect();
        Ok(FileLayouts { columns, groups })
    }
}

/// Finds out how a file is written and which columns it has.
async fn look_at(
    file: &ListedFile,
    request: &FileRequest<'_>,
) -> Result<(Kind, SchemaRef), TableError> {
    let store = Arc::clone(request.store);
    let mut parts = Parts::new(store, &file.meta, file.display.clone());
    let failed = |error| TableError::file(&file.display, error);
    let kind = parts.kind().await.map_err(failed)?;
    let schema = parts.schema(kind).await.map_err(failed)?;
    let names = schema.fields().iter().map(|field| field.name().as_str());
    refuse_twins(&file.display, names)?;
    Ok((kind, schema))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::Bench;
    use datafusion::arrow::ipc::CompressionType;
    use datafusion::arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    use lakesh_text::failure::{Failure, FailureKind};

    /// Opens a damaged file and reads all of it; an error must name it.
    async fn check_damaged(name: &str, content: &[u8], how: Option<&str>) {
        let bench = Bench::new();
        let path = bench.write(name, content);
        let failure = match bench.open("arrow", name, &[]).await {
            Err(error) => Some(Failure::from(error)),
            Ok(table) => bench.failure(&table, "SELECT * FROM t").await,
        };
        let Some(failure) = failure else {
            assert_eq!(how, None, "{name} was read");
            return;
        };
        let said = &failure.message;
        assert!(said.contains(&path.display().to_string()), "{said}");
        if let Some(how) = how {
            assert_eq!(failure.kind, FailureKind::InputOutput, "{said}");
            assert!(said.contains(how), "{said}");
        }
    }

    /// One batch as a file with a footer or as a stream, compressed or not.
    async fn written(footer: bool, compression: Option<CompressionType>) -> Vec<u8> {
        let bench = Bench::new();
        let sql = "SELECT value AS a, 'x' || value AS b FROM generate_series(1, 100)";
        let batches = bench.query(sql).await;
        let schema = batches[0].schema();
        let options = IpcWriteOptions::default()
            .try_with_compression(compression)
            .unwrap();
        if footer {
            let mut writer =
                FileWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
            writer.write(&batches[0]).unwrap();
            writer.finish().unwrap();
            return writer.into_inner().unwrap();
        }
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
        writer.write(&batches[0]).unwrap();
        writer.finish().unwrap();
        writer.into_inner().unwrap()
    }

    #[tokio::test]
    async fn false_lengths_are_refused_before_memory_is_asked_for() {
        let file = written(true, None).await;
        let stream = written(false, None).await;
        let end = file.len();
        let with = |content: &[u8], at: usize, bytes: &[u8]| {
            let mut content = content.to_vec();
            content[at..at + bytes.len()].copy_from_slice(bytes);
            content
        };
        let longest = 0x7fff_fff0_i32.to_le_bytes();
        for (name, content, how) in [
            (
                "footer.arrow",
                with(&file, end - 10, &longest),
                "its footer is longer than the file",
            ),
            (
                "negative.arrow",
                with(&file, end - 10, &[0xff; 4]),
                "no footer at its end",
            ),
            (
                "cut.arrow",
                file[..end - 30].to_vec(),
                "no footer at its end",
            ),
            (
                "short.arrow",
                file[..12].to_vec(),
                "too short for an Arrow file",
            ),
            (
                "head.arrows",
                with(&stream, 4, &longest),
                "begins like no Arrow file",
            ),
            (
                "cut.arrows",
                stream[..stream.len() - 200].to_vec(),
                "it ends in a batch",
            ),
            ("random.arrow", vec![b'x'; 1000], "is damaged"),
        ] {
            check_damaged(name, &content, Some(how)).await;
        }
    }

    #[tokio::test]
    async fn whatever_byte_is_wrong_the_file_is_named() {
        for (footer, compression) in [
            (true, None),
            (false, None),
            (true, Some(CompressionType::LZ4_FRAME)),
        ] {
            let whole = written(footer, compression).await;
            // The places walk over the whole file; a changed value may well be read.
            for at in (8..whole.len()).step_by(89) {
                for byte in [0x7f, 0xff] {
                    let mut content = whole.clone();
                    content[at] = byte;
                    check_damaged("t.arrow", &content, None).await;
                }
            }
        }
    }

    #[tokio::test]
    async fn files_and_streams_with_different_columns_unite() {
        let bench = Bench::new();
        let batches = bench.query("SELECT 1 AS a, 'x' AS b").await;
        let mut file = FileWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
        file.write(&batches[0]).unwrap();
        bench.write("t/1.arrow", file.into_inner().unwrap());
        let batches = bench
            .query("SELECT 'y' AS b, CAST(2 AS INT) AS a, true AS c")
            .await;
        let mut stream = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
        stream.write(&batches[0]).unwrap();
        bench.write("t/2.arrow", stream.into_inner().unwrap());
        let table = bench
            .open("arrow", "t", &[("union_by_name", "true")])
            .await
            .unwrap();
        let rows = bench.rows(&table, "SELECT c, b, a FROM t ORDER BY a").await;
        assert_eq!(rows, ["|x|1", "true|y|2"]);
        assert_eq!(bench.rows(&table, "SELECT sum(a) FROM t").await, ["3"]);
        let table = bench.open("arrow", "t", &[]).await.unwrap();
        assert_eq!(
            bench.rows(&table, "SELECT * FROM t ORDER BY a").await,
            ["1|x", "2|y"]
        );
    }
}
