//! Stands between Parquet files and DataFusion's scan, so that it sees only what is believed.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as QueryResult;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::footer::{believed, rows};

/// Makes readers whose footers are believed.
struct BelievingReaders {
    inner: Arc<dyn ParquetFileReaderFactory>,
}

impl fmt::Debug for BelievingReaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BelievingReaders")
    }
}

impl ParquetFileReaderFactory for BelievingReaders {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        footer_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> QueryResult<Box<dyn AsyncFileReader + Send>> {
        let expected = file
            .statistics
            .as_ref()
            .and_then(|statistics| match statistics.num_rows {
                Precision::Exact(rows) => Some(rows),
                _ => None,
            });
        let size = file.object_meta.size;
        let path = file.object_meta.location.to_string();
        let inner = self
            .inner
            .create_reader(partition, file, footer_hint, metrics)?;
        Ok(Box::new(BelievingReader {
            inner,
            size,
            path,
            expected,
        }))
    }
}

/// Reads one file.
struct BelievingReader {
    inner: Box<dyn AsyncFileReader + Send>,
    size: u64,
    path: String,
    /// How many rows the plan counted on, from the table's log or from an earlier look at the footer.
    expected: Option<usize>,
}

impl BelievingReader {
    /// Refuses a file whose rows are not those that the plan counted on.
    fn check_rows(&self, footer: &ParquetMetaData) -> Result<()> {
        let found = rows(footer)?;
        match self.expected {
            Some(expected) if i64::try_from(expected) != Ok(found) => {
                Err(ParquetError::General(format!(
                    "`{}` has {found} rows by its footer, but {expected} were counted on",
                    self.path
                )))
            }
            _ => Ok(()),
        }
    }
}

impl AsyncFileReader for BelievingReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            let length = range.end - range.start;
            let bytes = self.inner.get_bytes(range).await?;
            whole(bytes, length, &self.path)
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            let lengths: Vec<u64> = ranges.iter().map(|range| range.end - range.start).collect();
            let read = self.inner.get_byte_ranges(ranges).await?;
            let read = read.into_iter().zip(lengths);
            read.map(|(bytes, length)| whole(bytes, length, &self.path))
                .collect()
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let footer = self.inner.get_metadata(options).await?;
            self.check_rows(&footer)?;
            believed(footer, self.size)
        }
        .boxed()
    }
}

/// Refuses fewer bytes than were asked for, which the store gives at the end of a file.
fn whole(bytes: Bytes, length: u64, path: &str) -> Result<Bytes> {
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(ParquetError::EOF(format!(
            "`{path}` ends before what its footer says is in it: {} bytes of {length}",
            bytes.len()
        ))),
    }
}

/// Puts [`BelievingReaders`] into the Parquet scans of a plan.
pub(crate) fn with_believing_readers(
    plan: Arc<dyn ExecutionPlan>,
) -> QueryResult<Arc<dyn ExecutionPlan>> {
    let Some(scan) = plan.downcast_ref::<DataSourceExec>() else {
        return Ok(plan);
    };
    let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else {
        return Ok(plan);
    };
    let Some(source) = config.file_source().downcast_ref::<ParquetSource>() else {
        return Ok(plan);
    };
    let Some(inner) = source.parquet_file_reader_factory() else {
        return Ok(plan);
    };
    let readers = BelievingReaders {
        inner: Arc::clone(inner),
    };
    let source = source
        .clone()
        .with_parquet_file_reader_factory(Arc::new(readers));
    let config = FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(source))
        .build();
    Ok(DataSourceExec::from_data_source(config))
}
