//! Each scan of Parquet files accounts for its rows, and fails where they do not add up.
//!
//! A footer says how many rows and row groups a file has. At the end of a scan that ran to its end, what
//! was read, what was filtered and what was left out must be all of them. It is the last check on
//! what leaves rows out below us: bounds, bloom filters, page indexes, readers.

mod check;
mod deletions;
mod footers;
mod named;
mod source;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::CardinalityEffect;

use check::Account;
use deletions::with_named_failures;
use footers::AccountingReaders;
use source::AccountedScan;

/// Lets the Parquet scans of a plan account for their rows. It must come after all rules that look into
/// scans or change them.
#[derive(Debug)]
pub struct AccountForScans;

impl PhysicalOptimizerRule for AccountForScans {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            if finds_rows_by_place(node.as_ref()) {
                let named = with_named_failures(&node);
                return Ok(Transformed::new(named, true, TreeNodeRecursion::Jump));
            }
            Ok(match accounted(&node) {
                Some(scan) => Transformed::yes(scan),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "account_for_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Says whether a node takes rows away by their places in the files, as a Delta scan with deletion vectors
/// does. It accounts for its rows itself, and takes no scan below it but the one that it made.
pub fn finds_rows_by_place(node: &dyn ExecutionPlan) -> bool {
    node.name() == "DeltaScanExec"
        && matches!(node.cardinality_effect(), CardinalityEffect::LowerEqual)
}

fn accounted(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let scan = node.downcast_ref::<DataSourceExec>()?;
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<ParquetSource>()?;
    let readers = Arc::clone(source.parquet_file_reader_factory()?);
    let account = Arc::new(Account::new(config.file_groups.len()));
    let readers = AccountingReaders::new(readers, Arc::clone(&account));
    let source = source
        .clone()
        .with_parquet_file_reader_factory(Arc::new(readers));
    let config = FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(source))
        .build();
    let accounted = AccountedScan::new(config, account);
    Some(Arc::new(scan.clone().with_data_source(Arc::new(accounted))))
}

/// Returns the files of a scan, whether it accounts for its rows or not.
pub fn scan_config(node: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    let source = node.downcast_ref::<DataSourceExec>()?.data_source();
    match source.downcast_ref::<AccountedScan>() {
        Some(accounted) => Some(accounted.config()),
        None => source.downcast_ref::<FileScanConfig>(),
    }
}
