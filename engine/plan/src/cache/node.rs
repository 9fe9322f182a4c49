//! The logical node above rows that several parts of a plan read and that are computed once.
//!
//! Nothing is pushed through it, neither filters nor columns, since its rows must be the same for everyone.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::{Budget, MaterializeExec, SharedRows, Storage};

/// Rows that are computed by whoever reads them first.
#[derive(Debug, Clone)]
struct Shared {
    input: LogicalPlan,
    rows: Arc<SharedRows>,
}

/// Returns where the rows of one subplan are kept: in memory as far as they fit, then in files.
pub fn shared_rows() -> Arc<SharedRows> {
    let rows = SharedRows::new(Storage::MemoryAndDisk, Arc::new(Budget::default()));
    Arc::new(rows)
}

/// Returns a plan that reads the rows of another one, which all plans with the same place compute once.
pub fn shared(input: LogicalPlan, rows: Arc<SharedRows>) -> LogicalPlan {
    LogicalPlan::Extension(Extension {
        node: Arc::new(Shared { input, rows }),
    })
}

/// Returns an operator that reads the rows of another one, which all with the same place compute once.
pub fn shared_operator(
    input: Arc<dyn ExecutionPlan>,
    rows: Arc<SharedRows>,
) -> Arc<dyn ExecutionPlan> {
    Arc::new(MaterializeExec::new(input, rows))
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rows, &other.rows) && self.input == other.input
    }
}

impl Eq for Shared {}

impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.rows).hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Shared {
    fn name(&self) -> &str {
        "Shared"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let fields = self.input.schema().fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shared")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut inputs = inputs.into_iter();
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return internal_err!("rows are shared of one relation");
        };
        let rows = Arc::clone(&self.rows);
        Ok(Self { input, rows })
    }

    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        None
    }
}

/// Makes the operators of shared rows.
pub(crate) struct SharedExtensionPlanner;

#[async_trait]
impl ExtensionPlanner for SharedExtensionPlanner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(shared) = node.as_any().downcast_ref::<Shared>() else {
            return Ok(None);
        };
        let [input] = inputs else {
            return internal_err!("rows are shared of one relation");
        };
        let rows = Arc::clone(&shared.rows);
        Ok(Some(shared_operator(Arc::clone(input), rows)))
    }
}
