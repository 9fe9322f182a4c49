//! A query as text that can be run: names, quotes and versions as the user wrote them.
//!
//! The parser keeps version clauses beside the tree, so that printing it would lose them. Here they
//! become part of the names that they belong to.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Query as SqlQuery, SelectItem, SetExpr,
    Statement, TableFactor, TableFunctionArgs, Value, VisitMut, VisitorMut,
};
use lakesh_sql::{
    Query, VersionClause, VersionClauses, VersionKind, identifiers, normalized, split_version,
    unmarked,
};

/// A table's name in a query: the text that it has there, its parts, and its version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedTable {
    pub(crate) text: String,
    pub(crate) parts: Vec<Ident>,
    pub(crate) version: Option<VersionClause>,
    pub(crate) kind: NameKind,
}

/// What a name is looked up as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Catalog,
    Path,
    /// A call such as `read_parquet('…')`, whose path is the name.
    Call,
}

/// Returns a query's tree with versions as parts of its names, and the tables that it names.
pub(crate) fn readable(query: &Query) -> Option<(SqlQuery, Vec<NamedTable>)> {
    let ParsedStatement::Statement(statement) = &query.tree else {
        return None;
    };
    let Statement::Query(tree) = statement.as_ref() else {
        return None;
    };
    let mut tree = tree.as_ref().clone();
    let mut names = Names {
        versions: query.versions.clone(),
        found: Vec::new(),
    };
    let _: ControlFlow<()> = tree.visit(&mut names);
    Some((tree, names.found))
}

struct Names {
    versions: VersionClauses,
    found: Vec<NamedTable>,
}

impl Names {
    fn read(&mut self, name: &mut ObjectName) {
        let Some(mut parts) = identifiers(name) else {
            return;
        };
        let Some(last) = parts.last().cloned() else {
            return;
        };
        let clause = self.versions.claim(&last);
        let mut version = clause.clone();
        if version.is_none()
            && last.quote_style.is_none()
            && let Some((plain, number)) = split_version(&last.value)
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
        let of_path = version.as_ref().is_some_and(|clause| clause.of_path);
        let is_path = parts.len() == 1 && (last.quote_style == Some('\'') || of_path);
        if let Some(clause) = clause {
            let shown = match is_path {
                true => Ident::with_quote('\'', last.value.clone()).to_string(),
                false => name.to_string(),
            };
            let keyword = match clause.kind {
                VersionKind::Number => "VERSION",
                VersionKind::Timestamp => "TIMESTAMP",
            };
            // An identifier without quotes is printed as it is.
            let mut whole = Ident::new(format!("{shown} {keyword} AS OF {}", clause.value));
            whole.span = last.span;
            *name = ObjectName::from(vec![whole]);
        }
        let text = name.to_string();
        if !self.found.iter().any(|known| known.text == text) {
            self.found.push(NamedTable {
                text,
                parts,
                version,
                kind: match is_path {
                    true => NameKind::Path,
                    false => NameKind::Catalog,
                },
            });
        }
    }

    /// Notes a call that reads one path.
    fn call(&mut self, name: &ObjectName, arguments: &TableFunctionArgs) {
        let Some(text) = call_text(name, arguments) else {
            return;
        };
        let path = arguments.args.first().and_then(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(path)) => super::ast::text(path),
            _ => None,
        });
        let Some(path) = path else {
            return;
        };
        if !self.found.iter().any(|known| known.text == text) {
            self.found.push(NamedTable {
                text,
                parts: vec![Ident::with_quote('\'', path)],
                version: None,
                kind: NameKind::Call,
            });
        }
    }
}

/// Writes a call of a table function as the resolver knows it; `None` for those that read no files.
pub(crate) fn call_text(name: &ObjectName, arguments: &TableFunctionArgs) -> Option<String> {
    let name = name.0.first()?.as_ident()?;
    let reads = normalized(name).starts_with("read_");
    let arguments: Vec<String> = arguments.args.iter().map(ToString::to_string).collect();
    reads.then(|| format!("{}({})", name.value, arguments.join(", ")))
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args, .. } = factor {
            match args {
                None => self.read(name),
                Some(arguments) => self.call(name, arguments),
            }
        }
        ControlFlow::Continue(())
    }
}

/// Writes a query as a user would: without the names that were given to columns that had none.
pub(crate) fn query_text(tree: &SqlQuery) -> String {
    let mut tree = tree.clone();
    unname(&mut tree.body);
    unmarked(&tree.to_string())
}

fn unname(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::ExprWithAlias { expr, alias } = item
                    && alias.quote_style == Some('"')
                    && alias.value == expr.to_string()
                {
                    *item = SelectItem::UnnamedExpr(expr.clone());
                }
            }
        }
        SetExpr::Query(query) => unname(&mut query.body),
        SetExpr::SetOperation { left, .. } => unname(left),
        _ => {}
    }
}
