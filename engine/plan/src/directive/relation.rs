//! Plans the relations that hints have marked: as they are, with a node above them.

use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};
use datafusion::sql::sqlparser::ast::TableFactor;

use super::block::{Marks, without_place};
use super::node::{Asked, Effect, Hinted};

/// Puts what hints ask for above the relations of one statement.
#[derive(Debug)]
pub struct HintRelationPlanner {
    marks: Marks,
}

impl HintRelationPlanner {
    /// Makes a planner for the marks of one statement.
    pub fn new(marks: Marks) -> Self {
        Self { marks }
    }
}

impl RelationPlanner for HintRelationPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning, DataFusionError> {
        let Some(asked) = self.marks.of(&relation) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let mut plan = context.plan(without_place(relation))?;
        for asked in asked {
            if let Some(asked) = resolved(asked, &plan) {
                plan = LogicalPlan::Extension(Extension {
                    node: Arc::new(Hinted { input: plan, asked }),
                });
            }
        }
        let planned = PlannedRelation::new(plan, None);
        Ok(RelationPlanning::Planned(Box::new(planned)))
    }
}

/// Finds the columns that are asked for; `None` where one is not there, which is said.
fn resolved(asked: &Asked, plan: &LogicalPlan) -> Option<Asked> {
    let mut asked = asked.clone();
    if let Effect::Repartition { columns, .. } = &mut asked.effect {
        for column in columns {
            let Expr::Column(wanted) = &*column else {
                continue;
            };
            let schema = plan.schema();
            let qualifier = wanted.relation.as_ref();
            let found = match schema.qualified_field_with_name(qualifier, &wanted.name) {
                Ok((qualifier, field)) => Some((qualifier.cloned(), field)),
                Err(_) => None,
            };
            let Some((qualifier, field)) = found else {
                let reason = format!("`{wanted}` is not a column of this SELECT");
                asked.used.refuse(reason);
                return None;
            };
            *column = Expr::Column(datafusion::common::Column::new(qualifier, field.name()));
        }
    }
    Some(asked)
}
