//! Plans joins that merge columns.

use datafusion::common::{Column, DFSchema, Result, plan_datafusion_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    Ident, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor, TableWithJoins,
};

use super::{MARK, own_name};

/// Plans the joins in brackets that `mark_merged_columns` makes.
#[derive(Debug)]
pub struct MergedColumnPlanner;

impl RelationPlanner for MergedColumnPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match relation {
            TableFactor::NestedJoin {
                table_with_joins,
                alias: Some(alias),
            } if alias.name.value == MARK => {
                let kept = kept(&alias);
                let plan = plan(*table_with_joins, &kept, context)?;
                let planned = PlannedRelation::new(plan, None);
                Ok(RelationPlanning::Planned(Box::new(planned)))
            }
            relation => Ok(RelationPlanning::Original(Box::new(relation))),
        }
    }
}

/// What the merged columns of a FULL JOIN belong to, since a column without a table may stand beside none
/// of its name. Two such joins in brackets have two of them.
fn qualifier(left: &Column) -> String {
    const WORD: &str = "using";
    match &left.relation {
        Some(table) if table.table().starts_with(WORD) => table.table().to_owned(),
        Some(table) => format!("{WORD} {}", table.table()),
        None => WORD.to_owned(),
    }
}

/// A table and one of its keys, which is kept beside the merged column.
type Kept = (String, String);

fn kept(alias: &TableAlias) -> Vec<Kept> {
    let names: Vec<_> = alias
        .columns
        .iter()
        .map(|column| &column.name.value)
        .collect();
    let pairs = names.chunks_exact(2);
    pairs
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect()
}

fn plan(
    joins: TableWithJoins,
    kept: &[Kept],
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let mut left = with_kept(context.plan(joins.relation)?, kept)?;
    for join in joins.joins {
        let right = with_kept(context.plan(join.relation)?, kept)?;
        let (kind, constraint) = kind(join.join_operator)?;
        left = match constraint {
            JoinConstraint::Using(names) => {
                let names = names.into_iter().map(|name| column_name(name, context));
                merged(left, right, kind, names.collect::<Result<_>>()?, kept)?
            }
            JoinConstraint::Natural => {
                let names = common(left.schema(), right.schema(), kept);
                merged(left, right, kind, names, kept)?
            }
            JoinConstraint::On(condition) => {
                let schema = left.schema().join(right.schema())?;
                let condition = context.sql_to_expr(condition, &schema)?;
                let builder = LogicalPlanBuilder::from(left);
                builder.join_on(right, kind, Some(condition))?.build()?
            }
            JoinConstraint::None => crossed(left, right, kind)?,
        };
    }
    Ok(left)
}

fn kind(operator: JoinOperator) -> Result<(JoinType, JoinConstraint)> {
    Ok(match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::CrossJoin(constraint) => (JoinType::Inner, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
            (JoinType::Left, constraint)
        }
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            (JoinType::Right, constraint)
        }
        JoinOperator::FullOuter(constraint) => (JoinType::Full, constraint),
        _ => return Err(plan_datafusion_err!("this join does not merge columns")),
    })
}

fn column_name(name: ObjectName, context: &dyn RelationPlannerContext) -> Result<String> {
    let ident: Option<&Ident> = match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    };
    match ident {
        Some(ident) => Ok(context.normalize_ident(ident.clone())),
        None => Err(plan_datafusion_err!(
            "`{name}` in USING is not a column's name"
        )),
    }
}

/// Adds the keys of a table that are kept, each under a name of its own.
fn with_kept(plan: LogicalPlan, kept: &[Kept]) -> Result<LogicalPlan> {
    let schema = plan.schema();
    let mut columns: Vec<_> = schema.iter().map(Expr::from).collect();
    let count = columns.len();
    for (qualifier, field) in schema.iter() {
        let Some(table) = qualifier else { continue };
        let is_kept = |(name, key): &Kept| name == table.table() && key == field.name();
        let own = own_name(table.table(), field.name());
        // Joins in brackets may have it already.
        if kept.iter().any(is_kept) && !schema.has_column_with_qualified_name(table, &own) {
            let column = Expr::from((qualifier, field));
            columns.push(column.alias_qualified(Some(table.clone()), own));
        }
    }
    if columns.len() == count {
        return Ok(plan);
    }
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Says whether only this room knows a column.
fn is_own(name: &str, kept: &[Kept]) -> bool {
    kept.iter().any(|(table, key)| own_name(table, key) == name)
}

/// Names the columns that both sides have, in the order of the left one.
fn common(left: &DFSchema, right: &DFSchema, kept: &[Kept]) -> Vec<String> {
    let shared = left.fields().iter().map(|field| field.name());
    shared
        .filter(|name| right.has_column_with_unqualified_name(name) && !is_own(name, kept))
        .cloned()
        .collect()
}

fn crossed(left: LogicalPlan, right: LogicalPlan, kind: JoinType) -> Result<LogicalPlan> {
    let builder = LogicalPlanBuilder::from(left);
    match kind {
        JoinType::Inner => builder.cross_join(right)?.build(),
        kind => builder.join_on(right, kind, [])?.build(),
    }
}

/// Joins by columns of one name; each of them stands once in the result, before all others.
fn merged(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    names: Vec<String>,
    kept: &[Kept],
) -> Result<LogicalPlan> {
    if names.is_empty() {
        return crossed(left, right, kind);
    }
    let left_keys = keys(left.schema(), &names, "left")?;
    let right_keys = keys(right.schema(), &names, "right")?;
    let mut columns = Vec::new();
    for ((left, right), name) in left_keys.iter().zip(&right_keys).zip(&names) {
        let qualifier = qualifier(left);
        let (left, right) = (Expr::Column(left.clone()), Expr::Column(right.clone()));
        columns.push(match kind {
            JoinType::Right => right,
            JoinType::Full => coalesce(vec![left, right]).alias_qualified(Some(qualifier), name),
            _ => left,
        });
    }
    let sides = [(left.schema(), &left_keys), (right.schema(), &right_keys)];
    let mut own = Vec::new();
    for (schema, keys) in sides {
        for (qualifier, field) in schema.iter() {
            let column = Column::new(qualifier.cloned(), field.name());
            match keys.contains(&column) {
                true => {}
                false if is_own(field.name(), kept) => own.push(Expr::Column(column)),
                false => columns.push(Expr::Column(column)),
            }
        }
    }
    columns.extend(own);
    let builder = LogicalPlanBuilder::from(left);
    let joined = builder.join(right, kind, (left_keys, right_keys), None)?;
    joined.project(columns)?.build()
}

fn keys(schema: &DFSchema, names: &[String], side: &str) -> Result<Vec<Column>> {
    let keys = names.iter().map(|name| {
        let mut found = schema.columns_with_unqualified_name(name).into_iter();
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(plan_datafusion_err!(
                "column `{name}` of USING is not in the {side} table"
            )),
            (Some(_), Some(_)) => Err(plan_datafusion_err!(
                "column `{name}` of USING is in the {side} tables more than once"
            )),
        }
    });
    keys.collect()
}
