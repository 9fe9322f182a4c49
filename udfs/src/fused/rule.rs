//! Finds window operators that compute feature functions and puts the one operator in their place.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use super::calls::feature_call;
use super::operator::FeatureWindowExec;

/// The rule for DataFusion's physical optimizer, to stand behind those that order and distribute rows.
#[derive(Debug, Default)]
pub struct FuseFeatures;

impl PhysicalOptimizerRule for FuseFeatures {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| match Window::of(&node) {
            Some(window) => window.fused(node),
            None => Ok(Transformed::no(node)),
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "fuse_features"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A window operator of DataFusion's over sorted input.
struct Window {
    expressions: Vec<Arc<dyn WindowExpr>>,
    input: Arc<dyn ExecutionPlan>,
    /// Whether the rows of its partitions are distributed.
    distributed: bool,
    /// Whether it gives rows back before it has seen all.
    bounded: bool,
}

impl Window {
    fn of(node: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
            let sorted = window.input_order_mode == InputOrderMode::Sorted
                && window.state_observer().is_none();
            return sorted.then(|| Self {
                expressions: window.window_expr().to_vec(),
                input: Arc::clone(window.input()),
                distributed: !window.partition_keys().is_empty(),
                bounded: true,
            });
        }
        let window = node.downcast_ref::<WindowAggExec>()?;
        Some(Self {
            expressions: window.window_expr().to_vec(),
            input: Arc::clone(window.input()),
            distributed: !window.partition_keys().is_empty(),
            bounded: false,
        })
    }

    fn fused(self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        let schema = self.input.schema();
        let mut features = Vec::new();
        let mut others = Vec::new();
        for (place, expression) in self.expressions.iter().enumerate() {
            match feature_call(expression, &schema)? {
                Some(_) => features.push(place),
                None => others.push(place),
            }
        }
        if features.is_empty() {
            return Ok(Transformed::no(node));
        }
        if others.is_empty() {
            let fused = FeatureWindowExec::new(node, self.expressions);
            return Ok(Transformed::yes(Arc::new(fused)));
        }
        let chosen = |places: &[usize]| -> Vec<_> {
            let places = places.iter();
            places
                .map(|place| Arc::clone(&self.expressions[*place]))
                .collect()
        };
        // Features only look back: their part gives rows back as they come, whatever the others do.
        let original = BoundedWindowAggExec::try_new(
            chosen(&features),
            Arc::clone(&self.input),
            InputOrderMode::Sorted,
            self.distributed,
        )?;
        let fused: Arc<dyn ExecutionPlan> = Arc::new(FeatureWindowExec::new(
            Arc::new(original),
            chosen(&features),
        ));
        let rest = self.others(chosen(&others), fused)?;
        let order = [features, others].concat();
        let projected = in_order(&node, rest, schema.fields().len(), &order)?;
        Ok(Transformed::yes(projected))
    }

    fn others(
        &self,
        expressions: Vec<Arc<dyn WindowExpr>>,
        input: Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(match self.bounded {
            true => Arc::new(BoundedWindowAggExec::try_new(
                expressions,
                input,
                InputOrderMode::Sorted,
                self.distributed,
            )?),
            false => Arc::new(WindowAggExec::try_new(
                expressions,
                input,
                self.distributed,
            )?),
        })
    }
}

/// Brings the columns back into the order of the operator that was replaced; `order` says which of its
/// expressions the columns behind those of the input are.
fn in_order(
    node: &Arc<dyn ExecutionPlan>,
    plan: Arc<dyn ExecutionPlan>,
    inputs: usize,
    order: &[usize],
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = node.schema();
    let columns = schema.fields().iter().enumerate().map(|(place, field)| {
        let source = match place.checked_sub(inputs) {
            None => place,
            Some(expression) => {
                let found = order.iter().position(|one| *one == expression);
                inputs + found.unwrap_or(expression)
            }
        };
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), source));
        (column, field.name().clone())
    });
    let columns: Vec<_> = columns.collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}
