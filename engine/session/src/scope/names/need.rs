//! Whether a tree needs its names resolved before it is planned: most do not, and planning stays as fast.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectName, OrderByKind, Query, Select, SelectItem, TableAlias,
    TableFactor, Visit, Visitor, WildcardAdditionalOptions,
};

use super::Knowledge;
use super::columns::{has_case, has_cased_fields};
use super::looked_up;
use super::star::is_columns;

/// Says whether names in a tree have a case that matters, or whether forms in it need the columns.
pub(crate) fn is_needed(tree: &ParsedStatement, knowledge: &dyn Knowledge) -> bool {
    let has_case = |schema: &datafusion::arrow::datatypes::SchemaRef| {
        let mut fields = schema.fields().iter();
        fields.any(|field| has_case(field.name()) || has_cased_fields(field.data_type()))
    };
    knowledge.relations().iter().any(has_case) || has_forms(tree)
}

fn has_forms(tree: &ParsedStatement) -> bool {
    match tree {
        ParsedStatement::Statement(statement) => is_found(statement.as_ref()),
        ParsedStatement::Explain(explain) => has_forms(&explain.statement),
        ParsedStatement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => is_found(query.as_ref()),
            CopyToSource::Relation(_) => false,
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => false,
    }
}

/// Says whether forms in a tree need the columns.
fn is_found<T: Visit>(tree: &T) -> bool {
    tree.visit(&mut Forms).is_break()
}

struct Forms;

fn found(is_found: bool) -> ControlFlow<()> {
    match is_found {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

/// Says whether a word is spelled in a way that words without quotes do not reach.
fn is_cased(word: &Ident) -> bool {
    match word.quote_style {
        Some(_) => has_case(&word.value),
        None => !word.value.is_ascii() && has_case(&looked_up(word)),
    }
}

fn is_cased_alias(alias: &TableAlias) -> bool {
    is_cased(&alias.name) || alias.columns.iter().any(|column| is_cased(&column.name))
}

fn is_cased_name(name: &ObjectName) -> bool {
    name.0
        .iter()
        .filter_map(|part| part.as_ident())
        .any(is_cased)
}

impl Visitor for Forms {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let sorts_all = matches!(
            &query.order_by,
            Some(order_by) if matches!(order_by.kind, OrderByKind::All(_))
        );
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        let mut ctes = ctes.map(|cte| &cte.alias);
        found(sorts_all || ctes.any(is_cased_alias))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let mut names = HashSet::new();
        for item in &select.projection {
            let is_special = match item {
                SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
                    is_special(options)
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    if is_cased(alias) || mentions(expr, &names) {
                        return ControlFlow::Break(());
                    }
                    names.insert(looked_up(alias));
                    false
                }
                SelectItem::UnnamedExpr(expr) => mentions(expr, &names),
                SelectItem::ExprWithAliases { .. } => false,
            };
            if is_special {
                return ControlFlow::Break(());
            }
        }
        let condition = select.selection.as_ref();
        found(condition.is_some_and(|condition| mentions(condition, &names)))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let alias = match factor {
            TableFactor::Table {
                name,
                args: Some(_),
                ..
            } if lakesh_sql::is_series(name) => return ControlFlow::Break(()),
            TableFactor::UNNEST { .. } => return ControlFlow::Break(()),
            TableFactor::Table { name, alias, .. } => {
                if is_cased_name(name) && alias.is_none() {
                    return ControlFlow::Break(());
                }
                alias
            }
            TableFactor::Derived { alias, .. }
            | TableFactor::NestedJoin { alias, .. }
            | TableFactor::Function { alias, .. } => alias,
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => {
                return ControlFlow::Break(());
            }
            _ => return ControlFlow::Continue(()),
        };
        found(alias.as_ref().is_some_and(is_cased_alias))
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        found(match expression {
            Expr::Identifier(word) => word.quote_style.is_none() && !word.value.is_ascii(),
            Expr::CompoundIdentifier(words) => words
                .iter()
                .any(|word| word.quote_style.is_none() && !word.value.is_ascii()),
            Expr::Function(function) => is_columns(function),
            Expr::CompoundFieldAccess { access_chain, .. } => access_chain
                .iter()
                .any(|access| matches!(access, AccessExpr::Dot(_))),
            _ => false,
        })
    }
}

fn is_special(options: &WildcardAdditionalOptions) -> bool {
    options.opt_rename.is_some() || options.opt_ilike.is_some()
}

/// Says whether an expression has a column of one of these names, as far as its text tells.
fn mentions(expression: &Expr, names: &HashSet<String>) -> bool {
    struct Mentions<'a>(&'a HashSet<String>);
    impl Visitor for Mentions<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            found(matches!(expression, Expr::Identifier(word) if self.0.contains(&looked_up(word))))
        }
    }
    !names.is_empty() && expression.visit(&mut Mentions(names)).is_break()
}
