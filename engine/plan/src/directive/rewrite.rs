//! The walk over a syntax tree that takes hints out of its SELECTs and does what they ask for.

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    CteAsMaterialized, Query as SqlQuery, Select, SetExpr, VisitMut, VisitorMut, With,
};
use lakesh_sql::select_from_nothing;
use lakesh_text::input::offset_of;
use lakesh_text::similar::closest;

use super::block::{Block, Marks, wrapped, wrapped_query};
use super::comment::{HintComments, parse};
use super::node::{Asked, Effect};
use super::usage::{HintSource, HintUse, HintUses};
use super::{HintWord, find};
use crate::cache::shared_rows;

/// Takes the hints out of a statement. Returns the marks of its relations.
pub fn rewrite(tree: &mut ParsedStatement, source: &HintSource<'_>, uses: &HintUses) -> Marks {
    let text = source.text();
    let comments = HintComments::find(text);
    let mut hinter = Hinter {
        source,
        uses,
        text,
        comments,
        marks: Marks::default(),
        depth: 0,
    };
    if hinter.comments.of_select.is_empty() && !may_say_materialized(text) {
        return hinter.marks;
    }
    // The walk never breaks off.
    let _: ControlFlow<()> = hinter.statement(tree);
    hinter.marks
}

/// Says whether `AS MATERIALIZED` may stand in a text; in most it does not.
fn may_say_materialized(text: &str) -> bool {
    let word = b"materialized";
    let mut windows = text.as_bytes().windows(word.len());
    windows.any(|part| part.eq_ignore_ascii_case(word))
}

struct Hinter<'a> {
    source: &'a HintSource<'a>,
    uses: &'a HintUses,
    text: &'a str,
    comments: HintComments,
    marks: Marks,
    /// How many queries stand around the current one.
    depth: usize,
}

impl Hinter<'_> {
    fn statement(&mut self, statement: &mut ParsedStatement) -> ControlFlow<()> {
        match statement {
            ParsedStatement::Statement(statement) => statement.visit(self),
            ParsedStatement::Explain(explain) => self.statement(&mut explain.statement),
            ParsedStatement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => query.visit(self),
                CopyToSource::Relation(_) => ControlFlow::Continue(()),
            },
            ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => {
                ControlFlow::Continue(())
            }
        }
    }

    /// Keeps the rows of the queries that are `AS MATERIALIZED`.
    ///
    /// One that reads itself is left as it is: nothing may come between it and its own rows.
    fn materialized(&mut self, with: &mut With) {
        for cte in &mut with.cte_tables {
            if with.recursive || cte.materialized != Some(CteAsMaterialized::Materialized) {
                continue;
            }
            let asked = Asked {
                effect: Effect::Materialize(shared_rows()),
                used: HintUse::of_syntax(),
            };
            self.marks.of_relation(cte.alias.name.span.start, asked);
            let query = std::mem::replace(cte.query.as_mut(), select_from_nothing());
            *cte.query = wrapped_query(query, Some(cte.alias.name.clone()));
        }
    }

    /// Applies the hints of the SELECTs of a query that stand in no query of their own.
    fn body(&mut self, body: &mut SetExpr, sorted: bool) {
        match body {
            SetExpr::Select(select) => {
                let node = self.select(select, sorted);
                if let Some(inner) = node {
                    *body = inner;
                }
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left, false);
                self.body(right, false);
            }
            _ => {}
        }
    }

    /// Applies the hints of one SELECT. Returns what stands in its place, if it has to be another.
    fn select(&mut self, select: &mut Select, sorted: bool) -> Option<SetExpr> {
        select.optimizer_hints.clear();
        let start = select.select_token.0.span.start;
        let offset = offset_of(self.text, start.line, start.column);
        let comments = self.comments.of_select.remove(&offset)?;
        let mut nodes = Vec::new();
        for comment in comments {
            let (hints, wrong) = parse(self.text, comment);
            for hint in hints {
                let text = &self.text[hint.at.clone()];
                let Some(word) = find(&hint.name) else {
                    let unknown = self.uses.add(text, hint.at.clone(), self.source);
                    unknown.refuse(unknown_word(&hint.name));
                    continue;
                };
                let mut block = Block {
                    select: &mut *select,
                    marks: &mut self.marks,
                    nodes: Vec::new(),
                    uses: self.uses,
                    source: self.source,
                    is_sorted: sorted,
                    is_outermost: self.depth == 0,
                };
                let outcome = (word.apply)(&mut block, &hint);
                nodes.append(&mut block.nodes);
                if let Err(refusal) = outcome {
                    let at = refusal.at.unwrap_or(hint.at);
                    let refused = self.uses.add(text, at, self.source);
                    refused.refuse(refusal.reason);
                }
            }
            if let Some((at, reason)) = wrong {
                let text = &self.text[at.clone()];
                self.uses.add(text, at, self.source).refuse(reason);
            }
        }
        if nodes.is_empty() {
            return None;
        }
        let inner = SetExpr::Select(Box::new(select.clone()));
        self.marks.of_block(start, nodes);
        Some(wrapped(inner))
    }
}

fn unknown_word(name: &str) -> String {
    let names = super::WORDS.iter().flat_map(|word: &&HintWord| word.names);
    let upper = name.to_ascii_uppercase();
    match closest(&upper, names.copied()) {
        Some(close) => format!("it is not known; did you mean `{close}`?"),
        None => {
            let first: Vec<_> = super::WORDS.iter().map(|word| word.names[0]).collect();
            format!("it is not known; the hints are {}", first.join(", "))
        }
    }
}

impl VisitorMut for Hinter<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut SqlQuery) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut SqlQuery) -> ControlFlow<()> {
        self.depth -= 1;
        if let Some(with) = &mut query.with {
            self.materialized(with);
        }
        let sorted = query.order_by.is_some();
        self.body(&mut query.body, sorted);
        ControlFlow::Continue(())
    }
}
