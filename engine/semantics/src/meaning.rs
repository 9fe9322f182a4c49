//! What a plan computes, whatever its columns are called on the way.
//!
//! Each column is written as an expression over the columns of tables, and each node without the
//! projections between it and the next. Two plans with equal texts give equal rows. Plans may give equal
//! rows and have other texts; nobody may conclude anything from that.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result, TableReference};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, SortExpr, Union};

/// The texts of a plan.
pub(crate) struct Meaning {
    /// All nodes but projections, with the expressions that they compute.
    nodes: String,
    columns: Vec<OutputColumn>,
}

struct OutputColumn {
    qualifier: Option<TableReference>,
    name: String,
    value: String,
}

impl Meaning {
    /// Writes down what a plan computes.
    pub(crate) fn of(plan: &LogicalPlan) -> Result<Self> {
        let (nodes, values) = texts(plan)?;
        let fields = plan.schema().iter().zip(values);
        let columns = fields.map(|((qualifier, field), value)| OutputColumn {
            qualifier: qualifier.cloned(),
            name: field.name().clone(),
            value,
        });
        Ok(Self {
            nodes,
            columns: columns.collect(),
        })
    }

    /// Returns the places of this plan's columns in another plan's, if that gives the same rows.
    pub(crate) fn places_in(&self, other: &Self) -> Option<Vec<usize>> {
        if self.nodes != other.nodes {
            return None;
        }
        self.columns
            .iter()
            .map(|column| column.place_in(other))
            .collect()
    }
}

impl OutputColumn {
    fn place_in(&self, other: &Meaning) -> Option<usize> {
        let mut named = other.columns.iter().enumerate();
        let (place, found) = named
            .find(|(_, column)| column.qualifier == self.qualifier && column.name == self.name)?;
        (found.value == self.value).then_some(place)
    }
}

/// Returns the text of a plan's nodes, and those of its columns.
fn texts(plan: &LogicalPlan) -> Result<(String, Vec<String>)> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let mut scope = Scope::over(&projection.input)?;
            let columns = scope.written_all(&projection.expr)?;
            Ok((scope.nodes, columns))
        }
        LogicalPlan::SubqueryAlias(alias) => texts(&alias.input),
        LogicalPlan::Filter(filter) => {
            let mut scope = Scope::over(&filter.input)?;
            let predicate = scope.written(&filter.predicate)?;
            Ok((
                format!("filter {predicate} [{}]", scope.nodes),
                scope.columns,
            ))
        }
        LogicalPlan::Sort(sort) => {
            let mut scope = Scope::over(&sort.input)?;
            let keys = scope.written_order(&sort.expr)?;
            let text = format!("sort {keys:?} {:?} [{}]", sort.fetch, scope.nodes);
            Ok((text, scope.columns))
        }
        LogicalPlan::Limit(limit) => {
            let (nodes, columns) = texts(&limit.input)?;
            let text = format!("limit {:?} {:?} [{nodes}]", limit.skip, limit.fetch);
            Ok((text, columns))
        }
        LogicalPlan::Join(join) => join_texts(join),
        LogicalPlan::Aggregate(aggregate) => {
            let mut scope = Scope::over(&aggregate.input)?;
            let groups = scope.written_all(&aggregate.group_expr)?;
            let functions = scope.written_all(&aggregate.aggr_expr)?;
            let columns = 0..aggregate.schema.fields().len();
            let columns = columns.map(|place| format!("aggregate {place}"));
            let text = format!("aggregate {groups:?} {functions:?} [{}]", scope.nodes);
            Ok((text, columns.collect()))
        }
        LogicalPlan::Window(window) => {
            let mut scope = Scope::over(&window.input)?;
            let functions = scope.written_all(&window.window_expr)?;
            let text = format!("window [{}]", scope.nodes);
            Ok((text, [scope.columns, functions].concat()))
        }
        LogicalPlan::Union(union) => union_texts(union),
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let (nodes, columns) = texts(input)?;
            Ok((format!("distinct {columns:?} [{nodes}]"), columns))
        }
        plan => other_texts(plan),
    }
}

fn join_texts(join: &Join) -> Result<(String, Vec<String>)> {
    let (left_nodes, left) = texts(&join.left)?;
    let (right_nodes, right) = texts(&join.right)?;
    let sided = |side: &str, columns: Vec<String>| -> Vec<_> {
        columns
            .into_iter()
            .map(|column| format!("{side}({column})"))
            .collect()
    };
    let (left, right) = (sided("left", left), sided("right", right));
    let columns = match join.join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            [left.clone(), right.clone()].concat()
        }
        JoinType::LeftSemi | JoinType::LeftAnti => left.clone(),
        JoinType::RightSemi | JoinType::RightAnti => right.clone(),
        JoinType::LeftMark => [left.clone(), vec!["mark".to_owned()]].concat(),
        JoinType::RightMark => [right.clone(), vec!["mark".to_owned()]].concat(),
    };
    let mut scope = Scope {
        schema: Arc::new(merge_schema(&[join.left.as_ref(), join.right.as_ref()])),
        nodes: format!("[{left_nodes}] [{right_nodes}]"),
        columns: [left, right].concat(),
    };
    let mut conditions = Vec::new();
    for (left, right) in &join.on {
        conditions.push(format!(
            "{} = {}",
            scope.written(left)?,
            scope.written(right)?
        ));
    }
    if let Some(filter) = &join.filter {
        conditions.push(scope.written(filter)?);
    }
    let kind = (join.join_type, join.null_equality, join.null_aware);
    Ok((
        format!("join {kind:?} {conditions:?} {}", scope.nodes),
        columns,
    ))
}

fn union_texts(union: &Union) -> Result<(String, Vec<String>)> {
    let mut text = "union".to_owned();
    let mut columns = vec!["union".to_owned(); union.schema.fields().len()];
    for input in &union.inputs {
        let (nodes, values) = texts(input)?;
        write!(text, " [{nodes}]").map_err(|_| fmt_error())?;
        for (column, value) in columns.iter_mut().zip(values) {
            write!(column, " ({value})").map_err(|_| fmt_error())?;
        }
    }
    Ok((text, columns))
}

fn fmt_error() -> datafusion::error::DataFusionError {
    datafusion::common::internal_datafusion_err!("a text takes no more text")
}

/// Scans, and nodes whose columns are their own.
fn other_texts(plan: &LogicalPlan) -> Result<(String, Vec<String>)> {
    let mut text = plan.display().to_string();
    for input in plan.inputs() {
        let (nodes, columns) = texts(input)?;
        text = format!("{text} {columns:?} [{nodes}]");
    }
    let fields = plan.schema().iter();
    let columns = fields
        .map(|(qualifier, field)| Column::new(qualifier.cloned(), field.name()).quoted_flat_name());
    Ok((text, columns.collect()))
}

/// What expressions over a plan can name.
struct Scope {
    schema: Arc<DFSchema>,
    nodes: String,
    columns: Vec<String>,
}

impl Scope {
    fn over(input: &LogicalPlan) -> Result<Self> {
        let (nodes, columns) = texts(input)?;
        Ok(Self {
            schema: Arc::clone(input.schema()),
            nodes,
            columns,
        })
    }

    fn written_all(&mut self, expressions: &[Expr]) -> Result<Vec<String>> {
        expressions
            .iter()
            .map(|expression| self.written(expression))
            .collect()
    }

    fn written_order(&mut self, keys: &[SortExpr]) -> Result<Vec<String>> {
        let keys = keys.iter().map(|key| {
            let text = self.written(&key.expr)?;
            Ok(format!("{text} {} {}", key.asc, key.nulls_first))
        });
        keys.collect()
    }

    /// Writes an expression over the columns of tables, without names. Its subqueries count as nodes.
    fn written(&mut self, expression: &Expr) -> Result<String> {
        self.add_subqueries(expression)?;
        let written = expression.clone().transform_up(|part| {
            Ok(match part {
                Expr::Alias(alias) => Transformed::yes(*alias.expr),
                Expr::Column(column) => match self.schema.maybe_index_of_column(&column) {
                    Some(place) => {
                        let text = self.columns[place].clone();
                        Transformed::yes(Expr::Column(Column::new_unqualified(text)))
                    }
                    None => Transformed::no(Expr::Column(column)),
                },
                part => Transformed::no(part),
            })
        });
        Ok(written.data()?.to_string())
    }

    fn add_subqueries(&mut self, expression: &Expr) -> Result<()> {
        expression.apply(|part| {
            if let Expr::Exists(Exists { subquery, .. })
            | Expr::InSubquery(InSubquery { subquery, .. })
            | Expr::SetComparison(SetComparison { subquery, .. })
            | Expr::ScalarSubquery(subquery) = part
            {
                let (nodes, columns) = texts(&subquery.subquery)?;
                self.nodes = format!("{} subquery {columns:?} [{nodes}]", self.nodes);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }
}
