//! Cuts a filter in two: what may fail above what may not.
//!
//! DataFusion asks cheap conditions first, and computes what several of them share before all. Both put
//! `CAST(s AS BIGINT)` before `s ~ '^[0-9]+$'`, which guards it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Filter, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::risk::may_fail;

/// Stands before what looks for common parts of expressions.
#[derive(Debug)]
pub(crate) struct CutLogicalFilters;

impl OptimizerRule for CutLogicalFilters {
    fn name(&self) -> &str {
        "cut_logical_filters"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else {
            return Ok(Transformed::no(plan));
        };
        let schema = Arc::clone(filter.input.schema());
        if !may_fail(&filter.predicate, &schema) {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        }
        let (failing, safe): (Vec<_>, Vec<_>) = split_conjunction_owned(filter.predicate.clone())
            .into_iter()
            .partition(|condition| may_fail(condition, &schema));
        let (Some(failing), Some(safe)) = (conjunction(failing), conjunction(safe)) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let below = LogicalPlan::Filter(Filter::new(safe, filter.input));
        let above = Filter::new(failing, Arc::new(below));
        Ok(Transformed::yes(LogicalPlan::Filter(above)))
    }
}
