//! Equal subplans are computed once: CTEs and views that are read several times, repeated subqueries.
//!
//! A query names a CTE three times, and DataFusion computes it three times. Here the copies become scans of one
//! table that does not exist, the plan around them is optimized, and from what has reached these scans it is
//! known what is needed of the rows: the union of the columns, and only rows that pass the filter of one scan
//! at least. That is computed once and kept, in memory as far as it fits.
//!
//! # Why the rows are the same
//!
//! Two subplans are the same query over the same rows if their trees are equal and each scan reads the very
//! same table, which a statement opens once. A query without volatile functions has one result, save that
//! LIMIT without a total order and aggregates that depend on the order of their input may choose; of what may
//! be chosen, all readers get one choice. So each copy can be replaced by the one result R.
//!
//! A reader with conditions F reads σF(R). Let G be the disjunction of the conditions of all readers, each the
//! conjunction of what its scan was given. A row for which F is true has a disjunct of G that is true, and
//! true OR NULL is true, so that σF(σG(R)) = σF(R); readers without conditions make G true. Of a disjunction
//! of conjunctions, the disjunction of those conjuncts that read one column alone follows, if each has some:
//! it is weaker than G and adds nothing but what can be pushed further down. F itself stays with each reader.
//! What a condition could refuse to compute it refused before: each was asked for all rows of R.
//!
//! Rows depend on who reads them in subplans that name columns of an outer query, and in the rows of the step
//! before in a recursive query: neither is shared.

mod candidates;
mod filters;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan};
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};
use lakesh_plan::cache::{shared, shared_rows};

use crate::rule::{SHARE_SUBPLANS, changed, is_on};
use candidates::repeated;
use source::{Placeholder, placeholder_of};

/// Lets equal subplans be computed once.
#[derive(Debug)]
pub(crate) struct ShareSubplans {
    /// What optimizes the plan around them, and what is shared itself.
    optimizer: Optimizer,
}

impl ShareSubplans {
    /// Makes the rule, which runs before all others and asks them what they make of a plan.
    pub(crate) fn before(rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>) -> Self {
        Self {
            optimizer: Optimizer::with_rules(rules),
        }
    }

    /// Returns a plan that computes its equal subplans once; `None` where there are none.
    fn shared(
        &self,
        plan: &LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Option<LogicalPlan>> {
        let repeated = repeated(plan)?;
        if repeated.is_empty() {
            return Ok(None);
        }
        let mut placeholders = Vec::with_capacity(repeated.len());
        for (number, subplan) in repeated.into_iter().enumerate() {
            placeholders.push(Placeholder::new(number, subplan)?);
        }
        let around = candidates::replaced(plan.clone(), &placeholders)?;
        let around = self.optimize(around, config)?;
        let mut bodies = BTreeMap::new();
        for (number, readers) in readers(&around)? {
            let body = self.body(&placeholders[number], &readers, config)?;
            bodies.insert(number, body);
        }
        let plan = around.transform_down_with_subqueries(|node| {
            let LogicalPlan::TableScan(scan) = &node else {
                return Ok(Transformed::no(node));
            };
            match placeholder_of(scan).and_then(|number| bodies.get(&number)) {
                Some(body) => Ok(Transformed::new(
                    read(body, scan)?,
                    true,
                    TreeNodeRecursion::Jump,
                )),
                None => Ok(Transformed::no(node)),
            }
        })?;
        Ok(Some(plan.data))
    }

    fn optimize(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<LogicalPlan> {
        self.optimizer.optimize(plan, config, |_, _| {})
    }

    /// Returns what computes the rows that all readers of a subplan need.
    fn body(
        &self,
        placeholder: &Placeholder,
        readers: &[Reader],
        config: &dyn OptimizerConfig,
    ) -> Result<LogicalPlan> {
        let mut body = LogicalPlanBuilder::from(placeholder.renamed()?);
        let conditions = readers.iter().map(|reader| reader.conditions.clone());
        if let Some(condition) = filters::of_any(conditions.collect()) {
            body = body.filter(condition)?;
        }
        let mut columns: Vec<usize> = readers
            .iter()
            .flat_map(|reader| reader.columns.iter().copied())
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let body = body.project(columns.into_iter().map(|place| placeholder.column(place)))?;
        let body = body.build()?;
        // What is repeated within is shared within.
        let body = self.shared(&body, config)?.unwrap_or(body);
        let body = self.optimize(body, config)?;
        Ok(match readers.len() {
            1 => body,
            _ => shared(body, shared_rows()),
        })
    }
}

impl OptimizerRule for ShareSubplans {
    fn name(&self) -> &str {
        SHARE_SUBPLANS
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let options = config.options();
        if !is_on(SHARE_SUBPLANS, &options) {
            return Ok(Transformed::no(plan));
        }
        Ok(match self.shared(&plan, config)? {
            Some(plan) => {
                changed(SHARE_SUBPLANS, &options);
                Transformed::yes(plan)
            }
            None => Transformed::no(plan),
        })
    }
}

/// What one reader needs of a subplan's rows.
struct Reader {
    conditions: Vec<Expr>,
    columns: Vec<usize>,
}

/// Finds the readers of each subplan, by its number.
fn readers(plan: &LogicalPlan) -> Result<BTreeMap<usize, Vec<Reader>>> {
    let mut found: BTreeMap<usize, Vec<Reader>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Some(number) = placeholder_of(scan)
        {
            found.entry(number).or_default().push(Reader {
                conditions: scan.filters.clone(),
                columns: columns_of(scan),
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn columns_of(scan: &TableScan) -> Vec<usize> {
    match &scan.projection {
        Some(columns) => columns.clone(),
        None => (0..scan.source.schema().fields().len()).collect(),
    }
}

/// Returns what reads the columns of a scan from shared rows.
fn read(body: &LogicalPlan, scan: &TableScan) -> Result<LogicalPlan> {
    let columns = scan
        .projected_schema
        .iter()
        .map(Column::from)
        .map(Expr::Column);
    LogicalPlanBuilder::from(body.clone())
        .project(columns)?
        .build()
}
