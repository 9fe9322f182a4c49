//! What of a node's claims about orders and constants holds.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::equivalence::{AcrossPartitions, ProjectionMapping};
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{ConstExpr, EquivalenceProperties, LexOrdering, split_conjunction};
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};

use super::Node;

/// Why a node's claims are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// A filter's constants come from bounds.
    Filter,
    /// Its columns are NULL in some rows above.
    BecomesNull,
    /// Its columns are NULL in some groups above, which come in any order.
    Grouped,
    /// Its branches have constants of their own.
    Union,
    /// A value of its window is NULL in some rows.
    Window,
    /// It leaves out rows by their order.
    Offset,
}

/// Says why a node's claims have to be looked at.
pub(super) fn doubtful(node: &Node) -> Option<Because> {
    if node.is::<FilterExec>() {
        return Some(Because::Filter);
    }
    if node.is::<UnionExec>() {
        return Some(Because::Union);
    }
    if node.is::<WindowAggExec>() || node.is::<BoundedWindowAggExec>() {
        return Some(Because::Window);
    }
    let limit = node.downcast_ref::<GlobalLimitExec>()?;
    (limit.skip() > 0 && limit.fetch().is_none()).then_some(Because::Offset)
}

impl Because {
    /// Says whether a node claims something that does not hold.
    pub(super) fn is_needed(self, node: &Node) -> Result<bool> {
        let claims = node.equivalence_properties();
        Ok(match self {
            Self::Offset => true,
            Self::Union => claims
                .constants()
                .iter()
                .any(|constant| constant.across_partitions == AcrossPartitions::Heterogeneous),
            Self::BecomesNull => !claims.eq_group().is_empty(),
            Self::Grouped => !claims.eq_group().is_empty() || !claims.oeq_class().is_empty(),
            Self::Filter => {
                let holds = self.holds(node)?;
                let is_new =
                    |constant: &ConstExpr| holds.is_expr_constant(&constant.expr).is_none();
                claims.constants().iter().any(is_new)
            }
            Self::Window => claims
                .oeq_class()
                .iter()
                .any(|order| !is_without_windows(node, order)),
        })
    }

    /// Returns what holds of a node's claims.
    pub(super) fn holds(self, node: &Node) -> Result<EquivalenceProperties> {
        let claims = node.equivalence_properties();
        match self {
            Self::Offset => Ok(claims.clone()),
            Self::Union => {
                let mut holds = claims.clone();
                holds.clear_per_partition_constants();
                Ok(holds)
            }
            Self::BecomesNull => {
                let mut holds = EquivalenceProperties::new(Arc::clone(claims.schema()));
                holds.add_orderings(claims.oeq_class().iter().cloned());
                Ok(holds)
            }
            Self::Grouped => Ok(EquivalenceProperties::new(Arc::clone(claims.schema()))),
            Self::Filter => match node.downcast_ref::<FilterExec>() {
                Some(filter) => of_filter(filter),
                // Another rule has taken the filter out.
                None => Ok(claims.clone()),
            },
            Self::Window => {
                let mut holds = EquivalenceProperties::new(Arc::clone(claims.schema()));
                holds.add_equivalence_group(claims.eq_group().clone())?;
                let orders = claims.oeq_class().iter();
                holds.add_orderings(
                    orders
                        .filter(|order| is_without_windows(node, order))
                        .cloned(),
                );
                Ok(holds)
            }
        }
    }
}

/// What a filter's input claims, and what the filter's own equations say.
fn of_filter(filter: &FilterExec) -> Result<EquivalenceProperties> {
    let input = filter.input().equivalence_properties();
    let mut holds = input.clone();
    for condition in split_conjunction(filter.predicate()) {
        if let Some(equation) = condition.downcast_ref::<BinaryExpr>()
            && *equation.op() == Operator::Eq
            && equation.left().is::<Column>()
            && equation.right().is::<Column>()
        {
            holds
                .add_equal_conditions(Arc::clone(equation.left()), Arc::clone(equation.right()))?;
        }
    }
    holds.add_constants(ConstExpr::collect_predicate_constants(
        input,
        filter.predicate(),
    ))?;
    let Some(places) = filter.projection() else {
        return Ok(holds);
    };
    let schema = Arc::clone(holds.schema());
    let mapping = ProjectionMapping::from_indices(places, &schema)?;
    let projected: Arc<Schema> = Arc::new(schema.project(places)?);
    Ok(holds.project(&mapping, projected))
}

/// Says whether an order goes by columns of a window's input alone, or by values that are never NULL.
fn is_without_windows(node: &Node, order: &LexOrdering) -> bool {
    let schema = node.schema();
    let width = node
        .children()
        .first()
        .map_or(0, |input| input.schema().fields().len());
    order.iter().all(|key| {
        let columns = collect_columns(&key.expr);
        columns
            .iter()
            .all(|column| column.index() < width || !schema.field(column.index()).is_nullable())
    })
}
