//! Walks a syntax tree, lists the relations that it names, and gives each its own name for planning.
//!
//! DataFusion's planner keys relations by name alone, so that two versions of one table would
//! collapse into one. Here each version, path and function call becomes a name of its own.

use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    FunctionArg, Ident, Join, JoinOperator, ObjectName, Query as SqlQuery, Select, TableAlias,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::encoder::EncoderCall;
use super::reference::reference;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{Expr, Value};
use lakesh_sql::{
    Meaning, Query, VersionClause, VersionClauses, VersionKind, identifiers, meaning, normalized,
    select_everything, split_version, stem, syntax_error,
};

/// What a query asks for by one of its names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    /// A table or view of the catalog.
    Named {
        parts: Vec<Ident>,
        version: Option<VersionClause>,
    },
    /// A file, folder, glob or URL in quotes.
    Path {
        path: String,
        version: Option<VersionClause>,
        location: Location,
    },
    /// A table function of ours.
    Function {
        name: Ident,
        arguments: Vec<FunctionArg>,
        text: String,
    },
}

/// A name in the tree and what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relation {
    pub(crate) key: TableReference,
    pub(crate) request: Request,
}

/// What a query asks for outside itself.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) relations: Vec<Relation>,
    /// Calls of `apply_encoder`.
    pub(crate) encoders: Vec<EncoderCall>,
}

/// Lists the relations of a query and renames those that need a name of their own; likewise the calls of
/// `apply_encoder`. `is_ours` says which table functions are not DataFusion's.
pub(crate) fn collect(
    query: &mut Query,
    is_ours: &dyn Fn(&str) -> bool,
) -> Result<Collected, DataFusionError> {
    let mut collector = Collector {
        versions: std::mem::take(&mut query.versions),
        ctes: Vec::new(),
        relations: Vec::new(),
        encoders: Vec::new(),
        is_ours,
    };
    if let ControlFlow::Break(error) = collector.statement(&mut query.tree) {
        return Err(error);
    }
    if let Some(target) = &query.target
        && let Some(parts) = identifiers(target)
    {
        let request = Request::Named {
            parts: parts.clone(),
            version: None,
        };
        collector.push(reference(&parts), request);
    }
    if let Some(clause) = collector.versions.unclaimed() {
        return Err(syntax_error(
            "a version can stand only behind a table's name",
            clause.location,
        ));
    }
    Ok(Collected {
        relations: collector.relations,
        encoders: collector.encoders,
    })
}

struct Collector<'a> {
    versions: VersionClauses,
    ctes: Vec<String>,
    relations: Vec<Relation>,
    encoders: Vec<EncoderCall>,
    is_ours: &'a dyn Fn(&str) -> bool,
}

impl Collector<'_> {
    fn statement(&mut self, statement: &mut ParsedStatement) -> ControlFlow<DataFusionError> {
        match statement {
            ParsedStatement::Statement(statement) => statement.visit(self),
            ParsedStatement::Explain(explain) => self.statement(&mut explain.statement),
            ParsedStatement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => query.visit(self),
                CopyToSource::Relation(name) => self.table(name, &mut None),
            },
            ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => {
                ControlFlow::Continue(())
            }
        }
    }

    /// Records a table's name; gives it a name of its own where DataFusion would lose something.
    fn table(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
    ) -> ControlFlow<DataFusionError> {
        let Some(mut parts) = identifiers(name) else {
            return ControlFlow::Break(syntax_error(
                &format!("`{name}` is not a table's name"),
                Location::empty(),
            ));
        };
        let Some(last) = parts.last().cloned() else {
            return ControlFlow::Continue(());
        };
        let mut version = self.versions.claim(&last);
        if version.is_none()
            && let Some((plain, number)) = split_version(&last.value)
            && last.quote_style.is_none()
        {
            version = Some(VersionClause {
                kind: VersionKind::Number,
                value: Expr::value(Value::Number(number.to_owned(), false)),
                location: last.span.start,
                of_path: false,
            });
            let plain = plain.to_owned();
            if let Some(last) = parts.last_mut() {
                last.value = plain;
            }
        }
        let is_path = parts.len() == 1
            && (last.quote_style == Some('\'')
                || version.as_ref().is_some_and(|clause| clause.of_path));
        if !is_path
            && version.is_none()
            && parts.len() == 1
            && let Some(cte) = self.cte(&last)
        {
            if let Some(spelled) = cte {
                let mut word = Ident::with_quote('"', spelled);
                word.span = last.span;
                *name = ObjectName::from(vec![word]);
            }
            return ControlFlow::Continue(());
        }
        let request = if is_path {
            Request::Path {
                path: last.value.clone(),
                version: version.clone(),
                location: last.span.start,
            }
        } else {
            Request::Named {
                parts: parts.clone(),
                version: version.clone(),
            }
        };
        let Some(visible) = self.visible_name(&request, version.as_ref()) else {
            self.push(reference(&parts), request);
            return ControlFlow::Continue(());
        };
        let own = own_name(&parts, is_path, version.as_ref());
        self.rename(name, alias, &own, visible, last.span.start);
        self.push(TableReference::bare(own), request);
        ControlFlow::Continue(())
    }

    /// Returns the alias that a renamed relation goes by; `None` where it keeps its name.
    fn visible_name(&self, request: &Request, version: Option<&VersionClause>) -> Option<String> {
        match request {
            Request::Path { path, .. } => Some(stem(path)),
            Request::Named { parts, .. } if version.is_some() || parts.len() > 3 => {
                parts.last().map(normalized)
            }
            Request::Named { .. } | Request::Function { .. } => None,
        }
    }

    fn rename(
        &self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
        own: &str,
        visible: String,
        location: Location,
    ) {
        let mut ident = Ident::with_quote('"', own);
        ident.span.start = location;
        ident.span.end = location;
        *name = ObjectName::from(vec![ident]);
        alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: Ident::with_quote('"', visible),
            columns: Vec::new(),
            at: None,
        });
    }

    fn push(&mut self, key: TableReference, request: Request) {
        let known = self.relations.iter().any(|relation| relation.key == key);
        if !known {
            self.relations.push(Relation { key, request });
        }
    }

    /// Says whether a name is that of a query of WITH, and how that is spelled if it is otherwise.
    fn cte(&self, name: &Ident) -> Option<Option<String>> {
        let wanted = normalized(name);
        let names = self.ctes.iter().rev().map(String::as_str);
        match meaning(names, &wanted) {
            Meaning::Exact => Some(None),
            Meaning::Folded(spelled) if name.quote_style.is_none() => {
                Some(Some(spelled.to_owned()))
            }
            _ => None,
        }
    }

    /// Records a call of one of our table functions.
    fn function(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
        arguments: Vec<FunctionArg>,
    ) {
        let Some(ident) = name.0.first().and_then(|part| part.as_ident()).cloned() else {
            return;
        };
        let shown: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let text = format!("{}({})", ident.value, shown.join(", "));
        let location = ident.span.start;
        let visible = normalized(&ident);
        self.rename(name, alias, &text, visible, location);
        self.push(
            TableReference::bare(text.clone()),
            Request::Function {
                name: ident,
                arguments,
                text,
            },
        );
    }
}

impl VisitorMut for Collector<'_> {
    type Break = DataFusionError;

    fn pre_visit_query(&mut self, query: &mut SqlQuery) -> ControlFlow<Self::Break> {
        select_everything(&mut query.body);
        let Some(with) = &mut query.with else {
            return ControlFlow::Continue(());
        };
        for cte in &mut with.cte_tables {
            // A CTE that is not recursive does not see its own name. Its body is visited again as
            // part of the query, which finds nothing left to do.
            if !with.recursive {
                cte.query.visit(self)?;
            }
            self.ctes.push(normalized(&cte.alias.name));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut SqlQuery) -> ControlFlow<Self::Break> {
        if let Some(with) = &query.with {
            let left = self.ctes.len().saturating_sub(with.cte_tables.len());
            self.ctes.truncate(left);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        for from in &mut select.from {
            bracket_asof_joins(from);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Self::Break> {
        let Expr::Function(function) = expression else {
            return ControlFlow::Continue(());
        };
        match EncoderCall::take_from(function) {
            Ok(None) => {}
            Ok(Some(call)) if self.encoders.contains(&call) => {}
            Ok(Some(call)) => self.encoders.push(call),
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        // What else may stand behind a name was refused by the parser.
        let TableFactor::Table {
            name, alias, args, ..
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        match args {
            None => self.table(name, alias),
            Some(call) => {
                let ours = name.0.len() == 1
                    && name.0[0]
                        .as_ident()
                        .is_some_and(|name| (self.is_ours)(&name.value.to_lowercase()));
                if ours {
                    let arguments = std::mem::take(&mut call.args);
                    *args = None;
                    self.function(name, alias, arguments);
                }
                ControlFlow::Continue(())
            }
        }
    }
}

/// Puts each as-of join into brackets of its own, with all that stands before it: the planner of joins
/// does not know it, but a planner of relations can be asked for what is in brackets.
fn bracket_asof_joins(from: &mut TableWithJoins) {
    let is_asof = |join: &Join| matches!(join.join_operator, JoinOperator::AsOf { .. });
    while let Some(place) = from.joins.iter().position(is_asof) {
        let mut before: Vec<Join> = from.joins.drain(..=place).collect();
        let Some(asof) = before.pop() else { return };
        let first = from.relation.clone();
        let left = match before.is_empty() {
            true => first,
            false => nested(first, before),
        };
        from.relation = nested(left, vec![asof]);
    }
}

fn nested(relation: TableFactor, joins: Vec<Join>) -> TableFactor {
    TableFactor::NestedJoin {
        table_with_joins: Box::new(TableWithJoins { relation, joins }),
        alias: None,
    }
}

/// Returns a name that no other version of a table has, readable in a plan.
fn own_name(parts: &[Ident], is_path: bool, version: Option<&VersionClause>) -> String {
    let mut name = parts.iter().map(normalized).collect::<Vec<_>>().join(".");
    if is_path {
        name = format!("'{name}'");
    }
    match version {
        None => name,
        Some(VersionClause {
            kind: VersionKind::Number,
            value,
            ..
        }) => format!("{name}@v{value}"),
        Some(VersionClause { value, .. }) => format!("{name}@{value}"),
    }
}

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;
