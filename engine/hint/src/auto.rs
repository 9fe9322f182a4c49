//! Remedies that were verified once and are applied by themselves: `SET lakesh.hints = auto`.
//!
//! VERIFY leaves what it has confirmed in the catalog, with the query and the state of all that the
//! query reads. The same query in the same state gets the remedy again. A query is the same if its text
//! is, spaces and comments aside; for a setting, which cannot change rows, also with other literals.
//! Layouts are never applied.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    Query as SqlQuery, Select, SetExpr, Value, VisitMut, VisitorMut,
};
use lakesh_catalog::definition::TableRead;
use lakesh_catalog::{RemedyKind, Trust, VerifiedRemedy};
use lakesh_session::{HintMode, StatementContext};
use lakesh_sql::Query;
use lakesh_text::effect::Effect;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;
use lakesh_text::input::Substituted;

use super::evidence::Evidence;
use super::finding::Remedy;
use super::report::Hint;
use super::rewrite::hint;
use super::text::{query_text, readable};
use super::verify::Outcome;

/// Leaves what was confirmed for a query in the catalog; a read-only session leaves nothing.
pub(crate) async fn remember(
    context: &StatementContext,
    evidence: &Evidence,
    reads: &[TableRead],
    hints: &[Hint],
) -> Result<(), Failure> {
    if !context.session.may(Effect::WriteCatalog) {
        return Ok(());
    }
    let Some(tables) = state_of(reads) else {
        return Ok(());
    };
    let remedies: Vec<VerifiedRemedy> = hints
        .iter()
        .filter_map(|hint| verified(hint, evidence, &tables))
        .collect();
    if remedies.is_empty() {
        return Ok(());
    }
    match context.session.catalog().remember_remedies(&remedies) {
        Ok(()) => Ok(()),
        // What was measured stands all the same.
        Err(error) => {
            let message = Failure::from_error(error).message;
            let notice = format!("`lakesh.hints = auto` will not know of this: {message}");
            context.notice(notice).await
        }
    }
}

fn verified(hint: &Hint, evidence: &Evidence, tables: &str) -> Option<VerifiedRemedy> {
    let verdict = hint.verdict.as_ref()?;
    if verdict.outcome != Outcome::Confirmed {
        return None;
    }
    let (query, state, kind, remedy) = match hint.finding.remedy.as_ref()? {
        Remedy::Layout { .. } => return None,
        Remedy::Setting { name, value } => (
            without_literals(&evidence.tree),
            tables.to_owned(),
            RemedyKind::Hint,
            format!("SET({name} = {value})"),
        ),
        Remedy::Rewrite { tree, .. } => (
            query_text(&evidence.tree),
            with_meaning(tables, &evidence.planned),
            RemedyKind::Query,
            query_text(tree),
        ),
    };
    Some(VerifiedRemedy {
        query,
        state,
        rule: hint.rule.name.to_owned(),
        kind,
        remedy,
        speedup: verdict.speedup?,
    })
}

/// Plans a query with the remedy that was verified for it, if the session applies such remedies.
pub(super) async fn remedied(
    context: &StatementContext,
    query: &Query,
) -> Result<Option<Erased<LogicalPlan>>, Failure> {
    if context.session.hint_mode() != HintMode::Auto {
        return Ok(None);
    }
    let Some((tree, _)) = readable(query) else {
        return Ok(None);
    };
    let catalog = context.session.catalog();
    let mut known = Vec::new();
    for text in [query_text(&tree), without_literals(&tree)] {
        known.extend(catalog.remedies_of(&text).map_err(Failure::from_error)?);
    }
    // What somebody else has put into a catalog is no proof.
    if known.is_empty() || !matches!(catalog.trust(), Ok(Trust::Own)) {
        return Ok(None);
    }
    known.sort_by(|left, right| right.speedup.total_cmp(&left.speedup));
    let aside = context.aside(context.text.clone());
    let (plan, reads) = aside.plan_with_reads(query.clone()).await?;
    let Some(tables) = state_of(&reads) else {
        return Ok(None);
    };
    let whole = with_meaning(&tables, &plan);
    let Some(best) = known.into_iter().find(|known| match known.kind {
        RemedyKind::Hint => known.state == tables,
        RemedyKind::Query => known.state == whole,
    }) else {
        return Ok(None);
    };
    let text = match best.kind {
        RemedyKind::Query => best.remedy,
        RemedyKind::Hint => {
            let mut tree = tree;
            match first_select(&mut tree.body) {
                Some(select) => hint(select, &best.remedy),
                None => return Ok(None),
            }
            query_text(&tree)
        }
    };
    let notice = format!(
        "auto: `{}` applied, {:.1} times as fast when it was verified",
        best.rule, best.speedup
    );
    context.notice(notice).await?;
    let query = lakesh_sql::parse_query(&text).map_err(|error| context.failure(error))?;
    let aside = context
        .aside(Substituted::detached(&text))
        .with_hinted_settings();
    aside.plan(query).await.map(Some)
}

fn first_select(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(inner) => first_select(&mut inner.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// Writes the state of tables; `None` if one of them has none that could be compared.
fn state_of(reads: &[TableRead]) -> Option<String> {
    let mut states: Vec<String> = reads
        .iter()
        .map(|read| {
            let location = read.location.as_deref().unwrap_or(&read.name);
            match (read.version, read.fingerprint) {
                (Some(version), _) => Some(format!("{location}@v{version}")),
                (None, Some(fingerprint)) => Some(format!("{location}#{fingerprint:x}")),
                (None, None) => None,
            }
        })
        .collect::<Option<_>>()?;
    states.sort_unstable();
    states.dedup();
    Some(states.join(" "))
}

/// Adds what views and functions mean now: the query's plan.
fn with_meaning(tables: &str, plan: &LogicalPlan) -> String {
    let mut hasher = DefaultHasher::new();
    plan.display_indent_schema().to_string().hash(&mut hasher);
    format!("{tables} {:x}", hasher.finish())
}

/// Writes a query with `?` for each value in it.
fn without_literals(tree: &SqlQuery) -> String {
    struct Literals;
    impl VisitorMut for Literals {
        type Break = ();

        fn pre_visit_value(
            &mut self,
            value: &mut datafusion::sql::sqlparser::ast::ValueWithSpan,
        ) -> ControlFlow<()> {
            value.value = Value::Placeholder("?".to_owned());
            ControlFlow::Continue(())
        }
    }
    let mut tree = tree.clone();
    let _: ControlFlow<()> = tree.visit(&mut Literals);
    query_text(&tree)
}
