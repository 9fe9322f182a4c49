//! The operator on the wire, for clusters such as Ballista.

use std::sync::Arc;

use datafusion::common::{Result, internal_err, not_impl_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion_proto::physical_plan::{
    AsExecutionPlan, PhysicalExtensionCodec, PhysicalPlanNodeExt, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::PhysicalPlanNode;

use super::operator::FeatureWindowExec;
use crate::sort::KeySortExec;

/// What an operator's bytes begin with; another form would get another number.
const WINDOW: &[u8] = b"lakesh.FeatureWindowExec.1";
const SORT: &[u8] = b"lakesh.KeySortExec.1";

/// Encodes and decodes the operators of this crate.
///
/// An operator travels as the operator of DataFusion's that it stands in for, without its input, which the
/// plan encodes by itself. Functions travel by name: the other side needs [`crate::register`].
/// What is no operator of this crate is refused, so that codecs can be asked one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct FeatureCodec;

impl PhysicalExtensionCodec for FeatureCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let original = |bytes| {
            let node = PhysicalPlanNode::try_decode(bytes)?;
            let alone = node.try_into_physical_plan_with_converter(context, self, converter)?;
            over(alone, inputs.to_vec())
        };
        if let Some(bytes) = bytes.strip_prefix(SORT) {
            let original = original(bytes)?;
            let sort = original.downcast_ref::<SortExec>();
            let sort = sort.map(KeySortExec::instead_of).transpose()?.flatten();
            // Keys that this version does not sort are DataFusion's.
            return Ok(sort.map_or(original, |sort| Arc::new(sort)));
        }
        let Some(bytes) = bytes.strip_prefix(WINDOW) else {
            return not_impl_err!("these bytes are no operator of feature functions");
        };
        let original = original(bytes)?;
        let Some(expressions) = expressions(&original) else {
            return internal_err!("an operator of feature functions without a window");
        };
        Ok(Arc::new(FeatureWindowExec::new(original, expressions)))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let (tag, original) = if let Some(fused) = node.downcast_ref::<FeatureWindowExec>() {
            (WINDOW, Arc::clone(fused.original()))
        } else if let Some(sort) = node.downcast_ref::<KeySortExec>() {
            (SORT, Arc::clone(sort.original()) as _)
        } else {
            return not_impl_err!("{} is no operator of feature functions", node.name());
        };
        let nothing = original.children().into_iter().map(|input| {
            let partitions = input.output_partitioning().partition_count();
            Arc::new(EmptyExec::new(input.schema()).with_partitions(partitions)) as _
        });
        let nothing = nothing.collect();
        let alone = over(original, nothing)?;
        let encoded =
            PhysicalPlanNode::try_from_physical_plan_with_converter(alone, self, converter)?;
        bytes.extend_from_slice(tag);
        encoded.try_encode(bytes)
    }
}

/// Puts an operator over another input.
fn over(
    operator: Arc<dyn ExecutionPlan>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    operator.replace_children(inputs, options)
}

fn expressions(window: &Arc<dyn ExecutionPlan>) -> Option<Vec<Arc<dyn WindowExpr>>> {
    if let Some(bounded) = window.downcast_ref::<BoundedWindowAggExec>() {
        return Some(bounded.window_expr().to_vec());
    }
    let whole = window.downcast_ref::<WindowAggExec>()?;
    Some(whole.window_expr().to_vec())
}
