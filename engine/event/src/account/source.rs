//! A scan whose partitions are counted.

use std::any::Any;
use std::fmt::Formatter;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::{DataSource, OpenArgs};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::Stream;

use super::check::Account;
use super::named::with_named_files;

/// A scan that is planned, and what it must account for.
#[derive(Debug)]
pub(super) struct AccountedScan {
    config: FileScanConfig,
    /// The same scan, whose errors name the file. Rules and plans look into the other.
    opened: FileScanConfig,
    account: Arc<Account>,
}

impl AccountedScan {
    pub(super) fn new(config: FileScanConfig, account: Arc<Account>) -> Self {
        Self {
            opened: with_named_files(&config),
            config,
            account,
        }
    }

    pub(super) fn config(&self) -> &FileScanConfig {
        &self.config
    }

    fn counted(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        self.account.begin();
        Box::pin(CountedRows {
            rows,
            // A limit stops the reader before its end.
            ended: self.config.fetch().is_some(),
            returned: 0,
            metrics: DataSource::metrics(&self.config),
            account: Arc::clone(&self.account),
        })
    }
}

impl DataSource for AccountedScan {
    fn open(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(self.counted(self.opened.open(partition, context)?))
    }

    fn open_with_args(&self, arguments: OpenArgs) -> Result<SendableRecordBatchStream> {
        Ok(self.counted(self.opened.open_with_args(arguments)?))
    }

    fn create_sibling_state(&self, config: &ConfigOptions) -> Option<Arc<dyn Any + Send + Sync>> {
        self.opened.create_sibling_state(config)
    }

    fn fmt_as(&self, style: DisplayFormatType, formatter: &mut Formatter) -> std::fmt::Result {
        self.config.fmt_as(style, formatter)
    }

    fn output_partitioning(&self) -> Partitioning {
        self.config.output_partitioning()
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        self.config.eq_properties()
    }

    fn scheduling_type(&self) -> SchedulingType {
        self.config.scheduling_type()
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        self.config.partition_statistics(partition)
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        self.config.with_fetch(limit)
    }

    fn fetch(&self) -> Option<usize> {
        self.config.fetch()
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        DataSource::metrics(&self.config)
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        self.config.try_swapping_with_projection(projection)
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        DataSource::apply_expressions(&self.config, visit)
    }
}

/// The rows of one partition.
struct CountedRows {
    rows: SendableRecordBatchStream,
    ended: bool,
    returned: u64,
    metrics: ExecutionPlanMetricsSet,
    account: Arc<Account>,
}

impl Stream for CountedRows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.rows.as_mut().poll_next(context);
        match &polled {
            Poll::Ready(Some(Ok(batch))) => self.returned += batch.num_rows() as u64,
            Poll::Ready(Some(Err(_))) if !self.ended => {
                self.ended = true;
                self.account.cut();
            }
            Poll::Ready(None) if !self.ended => {
                self.ended = true;
                let metrics = self.metrics.clone_inner();
                if let Err(error) = self.account.end(self.returned, &metrics) {
                    return Poll::Ready(Some(Err(error)));
                }
            }
            _ => {}
        }
        polled
    }
}

impl RecordBatchStream for CountedRows {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

impl Drop for CountedRows {
    fn drop(&mut self) {
        if !self.ended {
            self.account.cut();
        }
    }
}
