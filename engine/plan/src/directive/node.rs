//! The logical node that carries what a hint asks for of a relation.
//!
//! Filters, columns and limits pass through it as if it were not there, unless keeping them off is what
//! the hint is for.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchemaRef, DataFusionError, internal_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::mark::MarkExec;
use super::partitions::{CoalesceByHintExec, RepartitionByHintExec};
use super::usage::HintUse;
use crate::cache::{MaterializeExec, SharedRows};

/// What a hint asks for of a relation.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// The join that has the relation on one side runs in this way.
    Join(Strategy),
    /// Of two relations with the same number that a join has, the one of lower rank is built on.
    Order { group: usize, rank: usize },
    /// Filters stay above it.
    KeepFilters,
    /// The rows are in so many partitions, by hash of columns where there are any.
    Repartition {
        partitions: usize,
        columns: Vec<Expr>,
    },
    /// The rows are in at most so many partitions, without being shuffled.
    Coalesce(usize),
    /// The rows are computed once, whoever reads them.
    Materialize(Arc<SharedRows>),
}

/// How a join runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strategy {
    /// The relation is collected and every partition of the other side is joined with all of it.
    Broadcast,
    /// Both sides are sorted and merged.
    Merge,
    /// Both sides are partitioned by the keys and the relation is built on.
    ShuffleHash,
}

/// An effect, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) effect: Effect,
    pub(super) used: Arc<HintUse>,
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(strategy) => write!(formatter, "{strategy:?}"),
            Self::Order { rank, .. } => write!(formatter, "JoinOrder: {}", rank + 1),
            Self::KeepFilters => formatter.write_str("NoPushdown"),
            Self::Repartition {
                partitions,
                columns,
            } => {
                write!(formatter, "Repartition: {partitions}")?;
                for column in columns {
                    write!(formatter, ", {column}")?;
                }
                Ok(())
            }
            Self::Coalesce(partitions) => write!(formatter, "Coalesce: {partitions}"),
            Self::Materialize(_) => formatter.write_str("Materialize"),
        }
    }
}

/// A relation with what a hint asks for of it.
#[derive(Debug, Clone)]
pub(super) struct Hinted {
    pub(super) input: LogicalPlan,
    pub(super) asked: Asked,
}

impl Hinted {
    fn identity(&self) -> *const HintUse {
        Arc::as_ptr(&self.asked.used)
    }
}

/// Returns the relation that a node stands above only to carry a hint.
pub fn hinted(node: &dyn UserDefinedLogicalNode) -> Option<&LogicalPlan> {
    let hint: &Hinted = node.as_any().downcast_ref()?;
    Some(&hint.input)
}

impl PartialEq for Hinted {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity() && self.input == other.input
    }
}

impl Eq for Hinted {}

impl Hash for Hinted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for Hinted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Hinted {
    fn name(&self) -> &str {
        "Hint"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        match &self.asked.effect {
            Effect::Repartition { columns, .. } => columns.clone(),
            _ => Vec::new(),
        }
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        match &self.asked.effect {
            Effect::KeepFilters | Effect::Materialize(_) => self
                .input
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
            _ => HashSet::new(),
        }
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hint: {}", self.asked.effect)
    }

    fn with_exprs_and_inputs(
        &self,
        expressions: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> Result<Self, DataFusionError> {
        let mut inputs = inputs.into_iter();
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return internal_err!("a hint stands above one relation");
        };
        let mut asked = self.asked.clone();
        if let Effect::Repartition { columns, .. } = &mut asked.effect {
            *columns = expressions;
        }
        Ok(Self { input, asked })
    }

    /// What is computed once must be the same for everyone: all of its columns.
    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        match &self.asked.effect {
            Effect::Materialize(_) => None,
            Effect::Repartition { columns, .. } => {
                let mut needed = output.to_vec();
                for column in columns.iter().flat_map(Expr::column_refs) {
                    needed.push(self.input.schema().maybe_index_of_column(column)?);
                }
                needed.sort_unstable();
                needed.dedup();
                Some(vec![needed])
            }
            _ => Some(vec![output.to_vec()]),
        }
    }

    fn supports_limit_pushdown(&self) -> bool {
        matches!(&self.asked.effect, Effect::Join(_) | Effect::Order { .. })
    }
}

/// Makes the physical nodes of hints.
pub(crate) struct HintExtensionPlanner;

#[async_trait]
impl ExtensionPlanner for HintExtensionPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>, DataFusionError> {
        let Some(hinted) = node.as_any().downcast_ref::<Hinted>() else {
            return Ok(None);
        };
        let [input] = physical_inputs else {
            return internal_err!("a hint stands above one relation");
        };
        let input = Arc::clone(input);
        let used = &hinted.asked.used;
        used.was_planned();
        let node: Arc<dyn ExecutionPlan> = match &hinted.asked.effect {
            Effect::Join(_) | Effect::Order { .. } => {
                Arc::new(MarkExec::new(input, hinted.asked.clone()))
            }
            Effect::KeepFilters => {
                used.succeeded();
                Arc::new(MarkExec::new(input, hinted.asked.clone()))
            }
            Effect::Repartition {
                partitions,
                columns,
            } => {
                used.succeeded();
                let keys = columns
                    .iter()
                    .map(|column| {
                        planner.create_physical_expr(
                            column,
                            hinted.input.schema(),
                            session,
                            planning,
                        )
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                let partitioning = match keys.is_empty() {
                    true => Partitioning::RoundRobinBatch(*partitions),
                    false => Partitioning::Hash(keys, *partitions),
                };
                Arc::new(RepartitionByHintExec::try_new(input, partitioning)?)
            }
            Effect::Coalesce(partitions) => {
                used.succeeded();
                Arc::new(CoalesceByHintExec::new(input, *partitions))
            }
            Effect::Materialize(shared) => {
                used.succeeded();
                Arc::new(MaterializeExec::new(input, Arc::clone(shared)))
            }
        };
        Ok(Some(node))
    }
}
