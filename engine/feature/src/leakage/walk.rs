//! Follows the columns of a logical plan down to the tables.

mod join;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod unknown;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, DataFusionError, Span};
use datafusion::logical_expr::{Distinct, Expr, Extension, LogicalPlan, TableScan};
use lakesh_encoder::Provenance;
use lakesh_plan::asof::AsOfJoin;
use lakesh_plan::directive::hinted;
use lakesh_session::scope::Opened;

use super::facts::{Fact, Linear, Origin, Term};
use super::lineage::{Dependency, Relation, Value, merge};

/// One use of a table.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub(super) name: String,
    /// The same for all uses of one table.
    pub(super) identity: String,
    /// Where the table lies, for tables that lie anywhere.
    pub(super) location: Option<String>,
    pub(super) columns: Vec<(String, DataType)>,
}

/// What an expression does to make a value see other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CauseKind {
    /// A window whose frame ends at the current row or before.
    Order,
    /// A window whose frame reaches beyond the current row.
    Frame,
    /// A function that looks at later rows, whatever the frame.
    Ahead,
    /// A window without an order.
    Partition,
    Aggregate,
    /// A condition that compares, or a join.
    Condition,
    Subquery,
    /// Uses a column as it is.
    Use,
}

/// An expression of the query, or of a view that it reads.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) kind: CauseKind,
    /// Whose text it stands in: a view's, or the statement's.
    pub(super) body: Option<usize>,
    /// The function's name, where it is a call.
    pub(super) function: Option<String>,
    pub(super) shown: String,
    /// Places of columns in it.
    pub(super) spans: Vec<Span>,
}

/// Says which uses of tables meet at an expression.
#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) left: BTreeSet<usize>,
    pub(super) right: BTreeSet<usize>,
    pub(super) cause: usize,
}

/// What expressions of a subquery can name beside its own columns.
struct Outer {
    schema: DFSchemaRef,
    relation: Relation,
    /// The first use of a table that is the subquery's own.
    first_scan: usize,
}

/// Walks a plan; what it finds of tables and expressions is collected on the way.
pub(super) struct Walker<'a> {
    opened: &'a Opened,
    pub(super) scans: Vec<Scan>,
    pub(super) causes: Vec<Cause>,
    pub(super) meetings: Vec<Meeting>,
    /// Relations by the names that the query gives them, with their columns by name.
    pub(super) named: Vec<(String, Vec<(String, Value)>)>,
    /// Columns that are compared, ordered by or declared to be times.
    pub(super) ordered: BTreeSet<Origin>,
    /// What the applied encoders were fitted on.
    pub(super) encoders: Vec<Arc<Provenance>>,
    outer: Vec<Outer>,
    pub(super) body: Option<usize>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(opened: &'a Opened) -> Self {
        Self {
            opened,
            scans: Vec::new(),
            causes: Vec::new(),
            meetings: Vec::new(),
            named: Vec::new(),
            ordered: BTreeSet::new(),
            encoders: Vec::new(),
            outer: Vec::new(),
            body: None,
        }
    }

    /// Returns what the columns of a plan depend on.
    pub(super) fn plan(&mut self, plan: &LogicalPlan) -> Result<Relation, DataFusionError> {
        match plan {
            LogicalPlan::TableScan(scan) => Ok(self.scan(scan)),
            LogicalPlan::Values(values) => {
                Ok(self.source("VALUES".to_owned(), None, &values.schema))
            }
            LogicalPlan::Projection(projection) => {
                let mut relation = self.plan(&projection.input)?;
                let schema = projection.input.schema();
                relation.columns = self.values(&projection.expr, schema, &relation)?;
                Ok(relation)
            }
            LogicalPlan::Filter(filter) => {
                let relation = self.plan(&filter.input)?;
                self.filtered(relation, &filter.predicate, filter.input.schema())
            }
            LogicalPlan::Window(window) => {
                let mut relation = self.plan(&window.input)?;
                for expression in &window.window_expr {
                    let value = self.window(expression, window.input.schema(), &relation)?;
                    relation.columns.push(value);
                }
                Ok(relation)
            }
            LogicalPlan::Aggregate(aggregate) => {
                let relation = self.plan(&aggregate.input)?;
                self.aggregate(aggregate, &relation)
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Union(union) => {
                let mut inputs = Vec::new();
                for input in &union.inputs {
                    inputs.push(self.plan(input)?);
                }
                Ok(united(inputs))
            }
            LogicalPlan::RecursiveQuery(query) => {
                let first = self.plan(&query.static_term)?;
                let next = self.plan(&query.recursive_term)?;
                Ok(united(vec![first, next]))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let body = self.opened.body(&alias.alias, alias.input.schema());
                let outside = self.body;
                self.body = body.or(outside);
                let relation = self.plan(&alias.input);
                self.body = outside;
                let relation = relation?;
                if let Some(feature) = body.and_then(|body| self.opened.feature(body)) {
                    let time = alias
                        .input
                        .schema()
                        .index_of_column_by_name(None, &feature.timestamp);
                    let value = time.and_then(|time| relation.columns.get(time));
                    self.note_order(value.and_then(|value| value.linear.as_ref()));
                }
                self.name(alias.alias.table(), &alias.schema, &relation);
                Ok(relation)
            }
            LogicalPlan::Distinct(Distinct::On(distinct)) => {
                let mut relation = self.plan(&distinct.input)?;
                let schema = distinct.input.schema();
                relation.columns = self.values(&distinct.select_expr, schema, &relation)?;
                Ok(relation)
            }
            LogicalPlan::Unnest(unnest) => {
                let mut relation = self.plan(&unnest.input)?;
                let found = unnest.dependency_indices.iter();
                relation.columns = found
                    .map(|index| {
                        let column = relation.columns.get(*index).cloned();
                        let column = column.unwrap_or_else(|| self.unknown_value("unnest"));
                        let mut lists = unnest.list_type_columns.iter().map(|(list, _)| list);
                        let is_opened = unnest.struct_type_columns.contains(index);
                        match is_opened || lists.any(|list| list == index) {
                            true => Value::of(column.dependencies),
                            false => column,
                        }
                    })
                    .collect();
                Ok(relation)
            }
            LogicalPlan::Extension(extension) => self.extension(extension),
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery),
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input),
            LogicalPlan::Sort(sort) => self.plan(&sort.input),
            LogicalPlan::Limit(limit) => self.plan(&limit.input),
            LogicalPlan::Repartition(repartition) => self.plan(&repartition.input),
            // A SELECT without FROM: constants depend on no table.
            LogicalPlan::EmptyRelation(empty) => Ok(Relation {
                columns: vec![Value::default(); empty.schema.fields().len()],
                ..Relation::default()
            }),
            other => Ok(self.unknown(other)),
        }
    }

    fn scan(&mut self, scan: &TableScan) -> Relation {
        let location = self.opened.location(&scan.source);
        let name = scan.table_name.to_string();
        let source = Arc::as_ptr(&scan.source).cast::<()>();
        let identity = location.clone().unwrap_or_else(|| format!("{source:p}"));
        let schema = &scan.projected_schema;
        let relation = self.source(name, Some((identity, location)), schema);
        self.name(scan.table_name.table(), schema, &relation);
        relation
    }

    /// Adds a use of a table.
    fn source(
        &mut self,
        name: String,
        table: Option<(String, Option<String>)>,
        schema: &DFSchema,
    ) -> Relation {
        let number = self.scans.len();
        let (identity, location) = table.unwrap_or_else(|| (format!("values {number}"), None));
        let columns = schema.fields().iter();
        self.scans.push(Scan {
            name,
            identity,
            location,
            columns: columns
                .map(|field| (field.name().clone(), field.data_type().clone()))
                .collect(),
        });
        let value = |column| Value {
            linear: Some(Linear::of(Term::Column(Origin {
                scan: number,
                column,
            }))),
            dependencies: vec![Dependency::own(number, Some(column))],
        };
        Relation {
            columns: (0..schema.fields().len()).map(value).collect(),
            rows: vec![Dependency::own(number, None)],
            ..Relation::default()
        }
    }

    fn name(&mut self, name: &str, schema: &DFSchema, relation: &Relation) {
        let fields = schema.fields().iter().map(|field| field.name().clone());
        let columns = fields.zip(relation.columns.iter().cloned()).collect();
        self.named.push((name.to_owned(), columns));
    }

    /// Keeps the rows for which a condition holds.
    fn filtered(
        &mut self,
        mut relation: Relation,
        condition: &Expr,
        schema: &DFSchemaRef,
    ) -> Result<Relation, DataFusionError> {
        let facts = self.facts(condition, schema, &relation)?;
        let decides = self.deciding(condition, schema, &relation)?;
        relation.facts.extend(facts);
        merge(&mut relation.conditions, decides);
        Ok(relation)
    }

    fn extension(&mut self, extension: &Extension) -> Result<Relation, DataFusionError> {
        if let Some(join) = extension.node.as_any().downcast_ref::<AsOfJoin>() {
            return self.as_of(join);
        }
        // A hint changes how a relation is computed, not what is in it.
        if let Some(input) = hinted(extension.node.as_ref()) {
            return self.plan(input);
        }
        Ok(self.unknown(&LogicalPlan::Extension(extension.clone())))
    }

    /// Walks a subquery of an expression.
    pub(super) fn subquery(
        &mut self,
        plan: &LogicalPlan,
        schema: &DFSchemaRef,
        relation: &Relation,
    ) -> Result<Relation, DataFusionError> {
        let first_scan = self.scans.len();
        self.outer.push(Outer {
            schema: Arc::clone(schema),
            relation: relation.clone(),
            first_scan,
        });
        let inner = self.plan(plan);
        self.outer.pop();
        let mut inner = inner?;
        let cause = self.cause(Cause {
            kind: CauseKind::Subquery,
            body: self.body,
            function: None,
            shown: "a subquery".to_owned(),
            spans: first_span(plan).into_iter().collect(),
        });
        self.meetings.push(Meeting {
            left: relation.scans(),
            right: inner.scans(),
            cause,
        });
        // What holds of the subquery's rows does not hold of all rows around it.
        let facts = std::mem::take(&mut inner.facts);
        for column in &mut inner.columns {
            for dependency in &mut column.dependencies {
                dependency.guards.extend(facts.iter().cloned());
            }
        }
        for dependency in inner.rows.iter_mut().chain(&mut inner.conditions) {
            dependency.guards.extend(facts.iter().cloned());
        }
        Ok(inner)
    }

    /// Returns what a column of a query around the subquery depends on.
    pub(super) fn outer_column(&mut self, column: &Column) -> Value {
        let found = self.outer.iter().rev().find_map(|outer| {
            let place = outer.schema.maybe_index_of_column(column)?;
            outer.relation.columns.get(place).cloned()
        });
        found.unwrap_or_else(|| self.unknown_value(&column.name))
    }

    /// Says whether a use of a table belongs to a query around the one that is walked.
    pub(super) fn is_outer(&self, scan: usize) -> bool {
        self.outer
            .last()
            .is_some_and(|outer| scan < outer.first_scan)
    }

    pub(super) fn cause(&mut self, cause: Cause) -> usize {
        self.causes.push(cause);
        self.causes.len() - 1
    }

    /// Makes a cause of an expression.
    pub(super) fn cause_of(
        &mut self,
        kind: CauseKind,
        expression: &Expr,
        name: Option<&str>,
    ) -> usize {
        self.cause(Cause {
            kind,
            body: self.body,
            function: name.map(str::to_lowercase),
            shown: unaliased(expression).to_string(),
            spans: spans_of(expression),
        })
    }

    /// Remembers that something is compared as a time is.
    pub(super) fn note_order(&mut self, linear: Option<&Linear>) {
        self.ordered
            .extend(linear.into_iter().flat_map(Linear::columns));
    }
}

fn united(inputs: Vec<Relation>) -> Relation {
    let mut inputs = inputs.into_iter();
    let mut all = inputs.next().unwrap_or_default();
    for input in inputs {
        for (column, more) in all.columns.iter_mut().zip(input.columns) {
            column.linear = match (column.linear.take(), more.linear) {
                (Some(mut one), Some(other))
                    if one.shift == other.shift && one.rounding == other.rounding =>
                {
                    one.terms.extend(other.terms);
                    Some(one)
                }
                _ => None,
            };
            merge(&mut column.dependencies, more.dependencies);
        }
        all.facts.extend(input.facts);
        merge(&mut all.rows, input.rows);
        merge(&mut all.conditions, input.conditions);
    }
    all
}

pub(super) fn unaliased(expression: &Expr) -> &Expr {
    match expression {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// Returns the places of the columns in an expression.
pub(super) fn spans_of(expression: &Expr) -> Vec<Span> {
    let mut spans = Vec::new();
    // The closure does not fail.
    let _ = expression.apply(|part| {
        if let Expr::Column(column) | Expr::OuterReferenceColumn(_, column) = part {
            spans.extend(column.spans.first());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    spans
}

/// Returns the first place that a plan's expressions name.
fn first_span(plan: &LogicalPlan) -> Option<Span> {
    let mut first: Option<Span> = None;
    // The closures do not fail.
    let _ = plan.apply_expressions(|expression| {
        for span in spans_of(expression) {
            if first.is_none_or(|known| span.start < known.start) {
                first = Some(span);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    first.or_else(|| plan.inputs().into_iter().find_map(first_span))
}

/// A fact's ends, for those that must be kept when rows are grouped.
pub(super) fn keeps(fact: &Fact, is_kept: &dyn Fn(Origin) -> bool) -> bool {
    match &fact.after {
        Term::Constant(_) => true,
        Term::Column(origin) => is_kept(*origin),
    }
}
