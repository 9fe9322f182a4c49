//! The `arrow` format: Arrow IPC files and streams (Feather version 2 is the same).

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::error::TableError;
use super::files::{
    FileLayoutGroup, FileLayouts, FileReader, FileRequest, group_by, infer_each, merged, open_files,
};
use super::options::{FILE_OPTIONS, OptionSpec};
use super::{OpenTable, TableContext, TableFormat};

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
        layouts_by_schema(Arc::new(ArrowFormat), request).await
    }
}

/// Reads files of equal columns together, for readers that take columns by position.
pub(crate) async fn layouts_by_schema(
    format: Arc<dyn FileFormat>,
    request: &FileRequest<'_>,
) -> Result<FileLayouts, TableError> {
    let schemas = infer_each(&format, request).await?;
    let columns = merged(request, &schemas)?;
    let groups = group_by(schemas.iter().map(|(_, schema)| schema))
        .into_iter()
        .map(|(schema, members)| FileLayoutGroup {
            format: Arc::clone(&format),
            file_schema: Arc::clone(schema),
            null_text: None,
            exact_numbers: false,
            members,
        })
        .collect();
    Ok(FileLayouts { columns, groups })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::Bench;
    use datafusion::arrow::ipc::writer::{FileWriter, StreamWriter};

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
