//! Asks all rules, and makes sure that what they suggest can be run.
//!
//! A rewrite is planned before it is shown. One that DataFusion would turn into the plan that the query
//! has already says nothing new; one that cannot be planned, or returns other columns, is left out.

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::Query as SqlQuery;
use lakesh_session::StatementContext;
use lakesh_session::scope::{Resolver, Sources};
use lakesh_text::erased::Erased;
use lakesh_text::input::Substituted;

use super::evidence::Evidence;
use super::finding::{Finding, Remedy};
use super::report::Hint;
use super::rule::{Rule, rules};
use super::text::query_text;

/// Returns what the rules found, the most important first.
pub(crate) async fn inspect(
    context: &StatementContext,
    open: &Sources,
    evidence: &Evidence,
) -> Vec<Hint> {
    let mut hints = Vec::new();
    for rule in rules() {
        for finding in (rule.inspect)(evidence) {
            if let Some(finding) = checked(context, open, evidence, rule, finding).await {
                hints.push(Hint::new(rule, finding));
            }
        }
    }
    hints.sort_by(|left, right| {
        let (left, right) = (&left.finding, &right.finding);
        let severity = right.severity.cmp(&left.severity);
        severity.then(right.gain.total_cmp(&left.gain))
    });
    hints
}

/// Drops a finding whose remedy changes nothing, and a remedy that cannot be run.
async fn checked(
    context: &StatementContext,
    open: &Sources,
    evidence: &Evidence,
    rule: &Rule,
    mut finding: Finding,
) -> Option<Finding> {
    let Some(Remedy::Rewrite { tree, .. }) = &finding.remedy else {
        return Some(finding);
    };
    let Some(plan) = plan_of(context, open, tree).await else {
        finding.remedy = None;
        return Some(finding);
    };
    if !same_columns(&plan, &evidence.planned) {
        finding.remedy = None;
        return Some(finding);
    }
    let optimized: Erased<LogicalPlan> = context.state.optimize(&plan).ok()?.into();
    let same =
        optimized.display_indent().to_string() == evidence.optimized.display_indent().to_string();
    if same && rule.measured {
        // What was counted is true, whether or not the remedy changes anything.
        finding.remedy = None;
        return Some(finding);
    }
    (!same).then_some(finding)
}

/// Plans a rewritten query over the tables that are open already.
pub(super) async fn plan_of(
    context: &StatementContext,
    open: &Sources,
    tree: &SqlQuery,
) -> Option<Erased<LogicalPlan>> {
    let text = query_text(tree);
    let query = lakesh_sql::parse_query(&text).ok()?;
    let aside = context.aside(Substituted::detached(&text));
    let mut resolver = Resolver::over(&aside, open);
    Some(resolver.plan(query).await.ok()?.into())
}

fn same_columns(one: &LogicalPlan, other: &LogicalPlan) -> bool {
    let columns = |plan: &LogicalPlan| {
        let fields = plan.schema().fields().iter();
        let columns: Vec<_> = fields
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect();
        columns
    };
    columns(one) == columns(other)
}
