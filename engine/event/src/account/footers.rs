//! Notes what the footers of a scan's files say.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::error::Result as QueryResult;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

use super::check::Account;

/// The future of a reader.
type Answer<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Makes readers that note their footers.
pub(super) struct AccountingReaders {
    inner: Arc<dyn ParquetFileReaderFactory>,
    account: Arc<Account>,
}

impl AccountingReaders {
    pub(super) fn new(inner: Arc<dyn ParquetFileReaderFactory>, account: Arc<Account>) -> Self {
        Self { inner, account }
    }
}

impl fmt::Debug for AccountingReaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccountingReaders")
    }
}

impl ParquetFileReaderFactory for AccountingReaders {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        footer_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> QueryResult<Box<dyn AsyncFileReader + Send>> {
        let path = file.object_meta.location.to_string();
        let inner = self
            .inner
            .create_reader(partition, file, footer_hint, metrics)?;
        Ok(Box::new(AccountingReader {
            inner,
            path,
            account: Arc::clone(&self.account),
        }))
    }
}

struct AccountingReader {
    inner: Box<dyn AsyncFileReader + Send>,
    path: String,
    account: Arc<Account>,
}

impl AsyncFileReader for AccountingReader {
    fn get_bytes(&mut self, range: Range<u64>) -> Answer<'_, bytes::Bytes> {
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> Answer<'_, Vec<bytes::Bytes>> {
        self.inner.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> Answer<'a, Arc<ParquetMetaData>> {
        Box::pin(async move {
            let footer = self.inner.get_metadata(options).await?;
            let groups = footer.row_groups().iter();
            self.account
                .file(&self.path, groups.map(|group| group.num_rows()));
            Ok(footer)
        })
    }
}
