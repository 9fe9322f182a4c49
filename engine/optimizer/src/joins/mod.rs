//! Inner joins are done in the order that estimates say is the cheapest, semi and anti joins where they cost
//! least, and aggregates among them compute the groups that are needed.
//!
//! DataFusion joins in the order of FROM and asks semi joins where they were written. It runs after the rule of
//! its own that chooses which side is built on, and leaves alone what no estimate is known of, what would not
//! become much cheaper, and queries with a hint for joins.
//!
//! # Why the rows are the same
//!
//! A tree of inner joins returns the rows of the product of its relations for which all equalities and all
//! conditions are true: the order is nowhere in that. An equality that follows from two others, as a = c does
//! from a = b and b = c, is true with them, since none of the three is NULL then. A condition that may fail is
//! asked of rows that come from all relations that stood below it, and so of none that it was not asked of.
//!
//! A semi or anti join keeps or drops a row by the values of some columns of it, as a condition does, so that
//! it may be asked as soon as the relations are joined that have them; that its condition does not fail is
//! looked at. Joins for which NULL equals NULL, NOT IN over NULL and outer joins are left where they are:
//! the relations between two such joins are ordered among themselves.

mod build;
mod graph;
mod region;
mod restrict;
mod search;

use std::rc::Rc;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNode;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;

use crate::estimate::Estimator;
use crate::rule::{ORDER_JOINS, PUSH_SEMI_JOINS, RESTRICT_GROUPS, changed, is_on};

use build::Builder;
use graph::Graph;
use region::{Place, Plan, Region, Set, Shape, taken_apart};
use search::{Found, Order, cheapest};

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// The operator that carries a hint for a join.
const HINT: &str = "HintExec";

/// Another order must cost at most this share, since estimates err.
const WORTH_IT: f64 = 0.75;
/// What handles fewer rows is left as it is.
const LEAST_COST: f64 = 10_000.0;
/// So many semi joins are tried at two places each.
const MOST_PARTNERS: usize = 4;

/// Chooses the sides of joins as DataFusion does, then their order.
#[derive(Debug)]
pub(crate) struct OrderJoins {
    selection: Rule,
}

impl OrderJoins {
    /// Makes the rule, which runs another one first and has its name.
    pub(crate) fn after(selection: Rule) -> Self {
        Self { selection }
    }
}

impl PhysicalOptimizerRule for OrderJoins {
    fn optimize(&self, plan: Plan, options: &ConfigOptions) -> Result<Plan> {
        let is_hinted = plan.exists(|node| Ok(node.name() == HINT))?;
        let selected = self.selection.optimize(plan, options)?;
        let reorders = options.optimizer.join_reordering;
        let ordering = Ordering {
            estimator: Estimator::default(),
            options,
            orders: reorders && is_on(ORDER_JOINS, options),
            pushes: reorders && is_on(PUSH_SEMI_JOINS, options),
            // What is kept of one step of a recursion would be read in the next one.
            restricts: is_on(RESTRICT_GROUPS, options)
                && !selected.exists(|node| Ok(node.is::<RecursiveQueryExec>()))?,
        };
        match is_hinted || !(ordering.orders || ordering.pushes || ordering.restricts) {
            true => Ok(selected),
            false => ordering.of(&selected),
        }
    }

    fn name(&self) -> &str {
        self.selection.name()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What is known while a plan is gone through.
struct Ordering<'a> {
    estimator: Estimator,
    options: &'a ConfigOptions,
    orders: bool,
    pushes: bool,
    restricts: bool,
}

impl Ordering<'_> {
    fn of(&self, plan: &Plan) -> Result<Plan> {
        let takes_partners = self.pushes || self.restricts;
        if let Some((region, shape, output)) = taken_apart(plan, takes_partners) {
            return self.of_region(plan, region, &shape, &output);
        }
        let mut is_new = false;
        let mut inputs = Vec::new();
        for input in plan.children() {
            let new = self.of(input)?;
            is_new |= !Arc::ptr_eq(&new, input);
            inputs.push(new);
        }
        match is_new {
            true => replace_children_if_necessary(Arc::clone(plan), inputs),
            false => Ok(Arc::clone(plan)),
        }
    }

    fn of_region(
        &self,
        plan: &Plan,
        mut region: Region,
        shape: &Shape,
        output: &[Place],
    ) -> Result<Plan> {
        if self.restricts && restrict::restrict(&mut region, &self.estimator)? {
            changed(RESTRICT_GROUPS, self.options);
        }
        for relation in &mut region.relations {
            *relation = self.of(relation)?;
        }
        for partner in &mut region.partners {
            partner.plan = self.of(&partner.plan)?;
        }
        let mut graph = Graph::new(&region, &self.estimator);
        let written = graph.cost_as_written(shape);
        if !graph.is_known || written < LEAST_COST {
            return shape.as_written(&region);
        }
        let Some((found, needs)) = self.cheapest(&region, &mut graph, shape) else {
            return shape.as_written(&region);
        };
        if found.cost > written * WORTH_IT {
            return shape.as_written(&region);
        }
        if self.orders {
            changed(ORDER_JOINS, self.options);
        }
        let moves = region.partners.iter().zip(&needs);
        if moves
            .into_iter()
            .any(|(partner, needs)| partner.needs != *needs)
        {
            changed(PUSH_SEMI_JOINS, self.options);
        }
        for (partner, needs) in region.partners.iter_mut().zip(needs) {
            partner.needs = needs;
        }
        let builder = Builder {
            region: &region,
            graph: &graph,
            estimator: &self.estimator,
            options: self.options,
            output: output.iter().copied().collect(),
        };
        builder.build(&found, output, &plan.schema())
    }

    /// Returns the cheapest order, and where semi joins are asked in it.
    fn cheapest(
        &self,
        region: &Region,
        graph: &mut Graph,
        shape: &Shape,
    ) -> Option<(Rc<Found>, Vec<Set>)> {
        let partners = region.partners.iter().enumerate();
        let movable: Vec<usize> = partners
            .filter(|(_, partner)| self.pushes && partner.owner.is_some())
            .map(|(number, _)| number)
            .take(MOST_PARTNERS)
            .collect();
        let mut best: Option<(Rc<Found>, Vec<Set>)> = None;
        for choice in 0..1_usize << movable.len() {
            let mut needs: Vec<Set> = region
                .partners
                .iter()
                .map(|partner| partner.written)
                .collect();
            for (bit, number) in movable.iter().enumerate() {
                if choice >> bit & 1 == 1
                    && let Some(owner) = region.partners[*number].owner
                {
                    needs[*number] = 1 << owner;
                }
            }
            graph.ask_partners_at(needs.iter().copied());
            let found = match self.orders {
                true => cheapest(graph)?,
                false => as_written(graph, shape),
            };
            if best
                .as_ref()
                .is_none_or(|(known, _)| found.cost < known.cost)
            {
                best = Some((found, needs));
            }
        }
        if let Some((_, needs)) = &best {
            graph.ask_partners_at(needs.iter().copied());
        }
        best
    }
}

/// Returns the order in which the joins were written.
fn as_written(graph: &Graph, shape: &Shape) -> Rc<Found> {
    match shape {
        Shape::Above(_, input) | Shape::Partner(_, _, input) => as_written(graph, input),
        Shape::Relation(number) => {
            let set = 1 << number;
            let rows = graph.rows(set);
            Rc::new(Found {
                set,
                rows,
                cost: graph.cost_of_partners(set, [0, 0], rows),
                order: Order::Relation(*number),
            })
        }
        Shape::Join(_, left, right) => {
            let (one, other) = (as_written(graph, left), as_written(graph, right));
            let rows = graph.rows(one.set | other.set);
            Rc::new(search::joined(graph, &one, &other, rows))
        }
    }
}
