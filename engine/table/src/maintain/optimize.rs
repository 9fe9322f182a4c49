//! OPTIMIZE: writes small files together, or all files of a partition in Z-order.

use async_trait::async_trait;
use deltalake::delta_datafusion::SessionFallbackPolicy;
use deltalake::operations::optimize::OptimizeType;
use deltalake::{FilterLiteral, FilterOp, FilterValue};
use lakesh_event::event::Summary;

use super::{Maintained, Maintenance, version_of};
use crate::error::TableError;

/// A condition on one partition column; values are written as Delta writes partition values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFilter {
    /// The partition column.
    pub column: String,
    /// How its value must compare.
    pub operator: FilterOp,
    /// The values to compare with: several for IN.
    pub values: Vec<String>,
}

impl PartitionFilter {
    fn literal(&self) -> FilterLiteral<'_> {
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        let value = match (self.operator, values.as_slice()) {
            (FilterOp::In | FilterOp::NotIn, _) => FilterValue::Set(values),
            (_, [value]) => FilterValue::Scalar(value),
            _ => FilterValue::Set(values),
        };
        (&self.column, self.operator, value)
    }
}

/// Writes the files of all partitions that meet the filters anew.
pub struct Optimize {
    /// All of them must hold.
    pub filters: Vec<PartitionFilter>,
    /// The columns to order by; none packs small files together.
    pub order: Vec<String>,
}

#[async_trait]
impl Maintenance for Optimize {
    type Report = Summary;

    async fn run(&self, table: &Maintained<'_>) -> Result<Summary, TableError> {
        let filters: Vec<FilterLiteral<'_>> =
            self.filters.iter().map(PartitionFilter::literal).collect();
        let kind = match self.order.is_empty() {
            true => OptimizeType::Compact,
            false => OptimizeType::ZOrder(self.order.clone()),
        };
        let newest = table.guarded().await?;
        table.check_paths(&newest)?;
        let (after, metrics) = newest
            .optimize()
            .with_type(kind)
            .with_filters(&filters)
            .with_commit_properties(table.commit())
            .with_session_state(table.state())
            .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState)
            .await
            .map_err(|error| table.failed(error))?;
        let bytes = |size: i64| u64::try_from(size).unwrap_or_default();
        Ok(Summary {
            verb: "OPTIMIZE".to_owned(),
            counts: vec![
                ("files_added".to_owned(), metrics.num_files_added),
                ("files_removed".to_owned(), metrics.num_files_removed),
                (
                    "bytes_added".to_owned(),
                    bytes(metrics.files_added.total_size),
                ),
                (
                    "bytes_removed".to_owned(),
                    bytes(metrics.files_removed.total_size),
                ),
                ("partitions".to_owned(), metrics.partitions_optimized),
                ("version".to_owned(), version_of(&after)),
            ],
            ..Summary::default()
        })
    }
}
