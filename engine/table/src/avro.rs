//! The `avro` format.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::datasource::file_format::avro::AvroFormat;
use lakesh_catalog::definition::{TableDefinition, TableVersion};

use super::arrow::layouts_by_schema;
use super::error::TableError;
use super::files::{FileLayouts, FileReader, FileRequest, open_files};
use super::options::{FILE_OPTIONS, OptionSpec};
use super::{OpenTable, TableContext, TableFormat};

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
        layouts_by_schema(Arc::new(AvroFormat), request).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::Bench;
    use datafusion::arrow_avro::writer::AvroWriter;

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
    }
}
