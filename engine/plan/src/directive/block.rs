//! A SELECT whose hints are applied: its relations by name, and the marks that hints put on them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Ident, Query as SqlQuery, Select, SetExpr, TableAlias, TableFactor, TableWithJoins,
};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};
use lakesh_sql::{normalized, select_from_nothing};
use lakesh_text::similar::closest;

use super::Refusal;
use super::comment::{Argument, Hint};
use super::node::{Asked, Effect};
use super::usage::{HintSource, HintUse, HintUses};

/// A SELECT whose hints are applied.
pub(super) struct Block<'a> {
    pub(super) select: &'a mut Select,
    pub(super) marks: &'a mut Marks,
    /// What is put above the rows of the SELECT.
    pub(super) nodes: Vec<Asked>,
    pub(super) uses: &'a HintUses,
    pub(super) source: &'a HintSource<'a>,
    /// Whether ORDER BY follows.
    pub(super) is_sorted: bool,
    /// Whether no other query reads its rows.
    pub(super) is_outermost: bool,
}

/// The marks of a statement's relations, by the place of what they go by.
#[derive(Debug, Clone, Default)]
pub struct Marks(HashMap<(u64, u64), Vec<Asked>>);

impl Marks {
    /// Says whether nothing is marked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what is asked of a relation.
    pub(super) fn of(&self, relation: &TableFactor) -> Option<&[Asked]> {
        let at = location(relation)?;
        self.0.get(&key(at)).map(Vec::as_slice)
    }

    /// Asks for something of the rows of a SELECT.
    pub(super) fn of_block(&mut self, select: Location, asked: Vec<Asked>) {
        self.0.entry(key(select)).or_default().extend(asked);
    }

    /// Asks for something of the rows of a relation.
    pub(super) fn of_relation(&mut self, relation: Location, asked: Asked) {
        self.0.entry(key(relation)).or_default().push(asked);
    }
}

fn key(at: Location) -> (u64, u64) {
    (at.line, at.column)
}

impl Block<'_> {
    /// Marks each relation that a hint names.
    pub(super) fn mark_each(
        &mut self,
        hint: &Hint,
        effect: impl Fn(usize) -> Effect,
    ) -> Result<(), Refusal> {
        if hint.arguments.is_empty() {
            return Err(Refusal::new(
                "it names no relation; write it as in BROADCAST(t)",
            ));
        }
        for (rank, argument) in hint.arguments.iter().enumerate() {
            self.mark(hint, argument, effect(rank))?;
        }
        Ok(())
    }

    /// Marks the relation that an argument names.
    pub(super) fn mark(
        &mut self,
        hint: &Hint,
        argument: &Argument,
        effect: Effect,
    ) -> Result<(), Refusal> {
        let at = self.find(argument)?;
        let asked = self.asked(hint, argument, effect);
        self.marks.of_relation(at, asked);
        Ok(())
    }

    /// Marks every relation of the FROM clause.
    pub(super) fn mark_all(&mut self, hint: &Hint, effect: &Effect) -> Result<(), Refusal> {
        let relations = relations(&self.select.from);
        let places: Vec<Location> = relations.into_iter().filter_map(location).collect();
        if places.is_empty() {
            return Err(Refusal::new("the FROM clause names no table"));
        }
        let used = self.using(hint);
        for at in places {
            let asked = Asked {
                effect: effect.clone(),
                used: Arc::clone(&used),
            };
            self.marks.of_relation(at, asked);
        }
        Ok(())
    }

    /// Puts something above the rows of the SELECT.
    pub(super) fn put_above(&mut self, hint: &Hint, effect: Effect) {
        let used = self.using(hint);
        self.nodes.push(Asked { effect, used });
    }

    /// Says that a hint has done what it can already.
    pub(super) fn done(&mut self, hint: &Hint) {
        self.using(hint).succeeded();
    }

    fn using(&self, hint: &Hint) -> Arc<HintUse> {
        let text = &self.source.text()[hint.at.clone()];
        self.uses.add(text, hint.at.clone(), self.source)
    }

    fn asked(&self, hint: &Hint, argument: &Argument, effect: Effect) -> Asked {
        let several = hint.arguments.len() > 1;
        let text = match several {
            true => format!("{}({})", hint.name, argument.text),
            false => self.source.text()[hint.at.clone()].to_owned(),
        };
        let at = if several { &argument.at } else { &hint.at };
        let used = self.uses.add(&text, at.clone(), self.source);
        Asked { effect, used }
    }

    /// Finds the relation that an argument names: by its alias, or by its name where it has none.
    pub(super) fn find(&self, argument: &Argument) -> Result<Location, Refusal> {
        let relations = relations(&self.select.from);
        let found = relations
            .iter()
            .find(|relation| goes_by(relation, &argument.text));
        if let Some(at) = found.and_then(|relation| location(relation)) {
            return Ok(at);
        }
        let names: Vec<String> = relations
            .iter()
            .filter_map(|one| visible_name(one))
            .collect();
        let known = names.iter().map(String::as_str);
        let hint = match closest(&argument.text, known) {
            Some(close) => format!("; did you mean `{close}`?"),
            None => String::new(),
        };
        Err(Refusal {
            reason: format!(
                "`{}` is no relation of this FROM clause{hint}",
                argument.text
            ),
            at: Some(argument.at.clone()),
        })
    }
}

/// Lists the relations of a FROM clause, those in brackets included.
pub(super) fn relations(from: &[TableWithJoins]) -> Vec<&TableFactor> {
    let mut found = Vec::new();
    for item in from {
        let joined = item.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&item.relation).chain(joined) {
            match factor {
                TableFactor::NestedJoin {
                    table_with_joins, ..
                } => found.extend(relations(std::slice::from_ref(table_with_joins))),
                other => found.push(other),
            }
        }
    }
    found
}

/// Returns the name by which columns of a relation are qualified.
pub(super) fn visible_name(relation: &TableFactor) -> Option<String> {
    match relation {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(normalized(&alias.name)),
            None => name.0.last()?.as_ident().map(normalized),
        },
        TableFactor::Derived {
            alias: Some(alias), ..
        } => Some(normalized(&alias.name)),
        _ => None,
    }
}

fn goes_by(relation: &TableFactor, name: &str) -> bool {
    if visible_name(relation).as_deref() == Some(name) {
        return true;
    }
    match relation {
        TableFactor::Table {
            name: whole,
            alias: None,
            ..
        } => {
            let parts: Vec<String> = whole
                .0
                .iter()
                .filter_map(|part| part.as_ident().map(normalized))
                .collect();
            parts.join(".") == name
        }
        _ => false,
    }
}

/// Returns where a relation stands that may be marked; `None` for one that no user wrote.
fn location(relation: &TableFactor) -> Option<Location> {
    let at = match relation {
        TableFactor::Table { name, .. } => name.0.last()?.as_ident()?.span.start,
        TableFactor::Derived {
            alias: Some(alias), ..
        } => alias.name.span.start,
        TableFactor::Derived {
            alias: None,
            subquery,
            ..
        } => first_select(subquery)?.select_token.0.span.start,
        _ => return None,
    };
    (at.line > 0).then_some(at)
}

fn first_select(query: &SqlQuery) -> Option<&Select> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// Takes the place off a relation, so that it is not found to be marked a second time.
pub(super) fn without_place(mut relation: TableFactor) -> TableFactor {
    match &mut relation {
        TableFactor::Table { name, .. } => {
            if let Some(datafusion::sql::sqlparser::ast::ObjectNamePart::Identifier(last)) =
                name.0.last_mut()
            {
                last.span = Span::empty();
            }
        }
        TableFactor::Derived {
            alias: Some(TableAlias { name, .. }),
            ..
        } => name.span = Span::empty(),
        TableFactor::Derived {
            alias: None,
            subquery,
            ..
        } => {
            if let SetExpr::Select(select) = subquery.body.as_mut() {
                select.select_token = AttachedToken::empty();
            }
        }
        _ => {}
    }
    relation
}

/// Makes `SELECT * FROM (body)`, whose bracket the planner of relations can be asked for.
pub(super) fn wrapped(body: SetExpr) -> SetExpr {
    let mut inner = select_from_nothing();
    *inner.body = body;
    wrapped_query(inner, None).body.as_ref().clone()
}

/// Makes `SELECT * FROM (query)`, or `… AS name`.
pub(super) fn wrapped_query(query: SqlQuery, name: Option<Ident>) -> SqlQuery {
    let mut outer = select_from_nothing();
    if let SetExpr::Select(select) = outer.body.as_mut() {
        select.select_token = AttachedToken::empty();
        select.from = vec![TableWithJoins {
            relation: TableFactor::Derived {
                lateral: false,
                subquery: Box::new(query),
                alias: name.map(|name| TableAlias {
                    explicit: true,
                    name,
                    columns: Vec::new(),
                    at: None,
                }),
                sample: None,
            },
            joins: Vec::new(),
        }];
    }
    outer
}
