//! Numbers of several types get the type that loses nothing where they are compared or united.
//!
//! DataFusion 55.2 takes a DOUBLE beside a DECIMAL for DECIMAL(30, 15): `f = 0.1` casts the column, which fails
//! for 1e20 and NaN and takes 1e-16 for 0. It cuts what two DECIMALs need together down to 38 digits, so that
//! UNION of DECIMAL(38, 0) and DECIMAL(38, 38) fails, and reads a text beside a DECIMAL with the digits that
//! this one happens to have: `'0.55' = 0.5` would be `0.6 = 0.5`. Here numbers beside a DOUBLE or a REAL are
//! DOUBLE, as in PostgreSQL and DuckDB; DECIMALs and integers become a DECIMAL that holds all of them, of 76
//! digits if need be; and a text keeps its digits.

mod expression;
mod values;

use std::cell::Cell;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection, Union};
use datafusion::optimizer::AnalyzerRule;

use crate::rewrite::with_rewritten;
pub(crate) use expression::alike;
use values::{Change, Value, changes};

/// Makes types alike before DataFusion does.
#[derive(Debug)]
pub(crate) struct CommonNumbers;

impl AnalyzerRule for CommonNumbers {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // What has been planned above a node whose types change has been planned for other types.
        let has_changed = Cell::new(false);
        plan.transform_up_with_subqueries(|node| {
            let node = with_rewritten(node, alike)?;
            let changed = node.transformed;
            let node = match node.data {
                LogicalPlan::Join(join) => join_on_alike(join),
                LogicalPlan::Union(union) => united(union)?,
                other => Transformed::no(other),
            };
            let node = Transformed {
                transformed: node.transformed || changed,
                ..node
            };
            has_changed.set(has_changed.get() || node.transformed);
            match has_changed.get() && !matches!(node.data, LogicalPlan::Union(_)) {
                true => node.map_data(LogicalPlan::recompute_schema),
                false => Ok(node),
            }
        })
        .data()
    }

    fn name(&self) -> &str {
        "common_numbers"
    }
}

/// Makes the keys of a join alike.
fn join_on_alike(mut join: Join) -> Transformed<LogicalPlan> {
    let mut changed = false;
    for (left, right) in &mut join.on {
        let sides = [
            Value::of(left, join.left.schema()),
            Value::of(right, join.right.schema()),
        ];
        let [Some(left_value), Some(right_value)] = sides else {
            continue;
        };
        if let Some(made) = changes(&[left_value, right_value], true) {
            changed = true;
            for (key, change) in [left, right].into_iter().zip(made) {
                *key = change.applied(std::mem::take(key));
            }
        }
    }
    match changed {
        true => Transformed::yes(LogicalPlan::Join(join)),
        false => Transformed::no(LogicalPlan::Join(join)),
    }
}

/// Makes the columns of a UNION alike.
fn united(union: Union) -> Result<Transformed<LogicalPlan>> {
    let columns = union.schema.fields().len();
    let widths = union
        .inputs
        .iter()
        .map(|input| input.schema().fields().len());
    if widths.into_iter().any(|width| width != columns) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let mut casts: Vec<Vec<Change>> = vec![vec![Change::Keep; columns]; union.inputs.len()];
    let mut changed = false;
    for column in 0..columns {
        let values: Option<Vec<_>> = union
            .inputs
            .iter()
            .map(|input| column_of(input, column))
            .collect();
        let Some(made) = values.and_then(|values| changes(&values, false)) else {
            continue;
        };
        changed = true;
        for (cast, change) in casts.iter_mut().zip(made) {
            cast[column] = change;
        }
    }
    // The schema is that of its first input, which may have changed below.
    let mut inputs = Vec::with_capacity(union.inputs.len());
    for (input, casts) in union.inputs.iter().zip(casts) {
        inputs.push(with_casts(input, casts)?);
    }
    let first = inputs[0].schema();
    let is_old = first
        .fields()
        .iter()
        .zip(union.schema.fields())
        .all(|(new, old)| new.data_type() == old.data_type());
    if !changed && is_old {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let fields = union.schema.iter().zip(first.fields());
    let fields = fields.map(|((relation, old), new)| {
        let field = old.as_ref().clone().with_data_type(new.data_type().clone());
        (relation.cloned(), Arc::new(field))
    });
    let schema = DFSchema::new_with_metadata(fields.collect(), union.schema.metadata().clone())?;
    Ok(Transformed::yes(LogicalPlan::Union(Union {
        inputs,
        schema: Arc::new(schema),
    })))
}

/// Returns a column of a plan as a value; a literal that it selects is known.
fn column_of(plan: &LogicalPlan, column: usize) -> Option<Value> {
    let (_, field) = plan.schema().qualified_field(column);
    let selected = match plan {
        LogicalPlan::Projection(projection) => projection.expr.get(column),
        _ => None,
    };
    Some(
        match selected.map(|selected| selected.clone().unalias_nested().data) {
            Some(Expr::Literal(literal, _)) if literal.data_type() == *field.data_type() => {
                Value::literal(literal)
            }
            _ => Value::column(field.data_type().clone()),
        },
    )
}

fn with_casts(plan: &Arc<LogicalPlan>, casts: Vec<Change>) -> Result<Arc<LogicalPlan>> {
    if casts.iter().all(|cast| matches!(cast, Change::Keep)) {
        return Ok(Arc::clone(plan));
    }
    let columns = plan.schema().columns().into_iter().zip(casts);
    let cast = columns.map(|(column, change)| match change {
        Change::Keep => Expr::Column(column),
        change => {
            let (relation, name) = (column.relation.clone(), column.name.clone());
            change
                .cast(Expr::Column(column))
                .alias_qualified(relation, name)
        }
    });
    let projection = Projection::try_new(cast.collect(), Arc::clone(plan))?;
    Ok(Arc::new(LogicalPlan::Projection(projection)))
}
