//! Names in a SELECT: its list, its clauses, and the columns that come out.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, Select, SelectItem, SelectItemQualifiedWildcardKind, visit_expressions,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::columns::Columns;
use super::form::Given;
use super::query::Body;
use super::{Level, Names, Resolved, is_folded, looked_up, spell_as};

impl Names<'_> {
    /// Resolves the names of a SELECT.
    pub(super) fn select(&mut self, select: &mut Select) -> Resolved<Body> {
        let columns = self.from(&mut select.from)?;
        self.expand_items(&mut select.projection, &columns)?;
        if let Some(condition) = &mut select.selection {
            self.expand_condition(condition, &columns)?;
        }
        let level = Level {
            columns,
            results: Vec::new(),
            writes_out: true,
        };
        self.levels.push(level);
        let resolved = self.list_and_clauses(select);
        let level = self.levels.pop().unwrap_or_default();
        Ok(Body {
            output: resolved?,
            from: level.columns,
        })
    }

    fn list_and_clauses(&mut self, select: &mut Select) -> Resolved<Columns> {
        let output = self.items(&mut select.projection)?;
        if let Some(condition) = &mut select.selection {
            self.expression(condition)?;
        }
        // The planner knows the names of results in these.
        self.write_out(false);
        if let Some(Distinct::On(keys)) = &mut select.distinct {
            keys.iter_mut().try_for_each(|key| self.expression(key))?;
        }
        self.expression(&mut select.group_by)?;
        if let Some(condition) = &mut select.having {
            self.expression(condition)?;
        }
        if let Some(condition) = &mut select.qualify {
            self.expression(condition)?;
        }
        for key in &mut select.distribute_by {
            self.expression(key)?;
        }
        for key in &mut select.sort_by {
            self.expression(&mut key.expr)?;
        }
        // Windows are copied into the list, where results have no names.
        self.write_out(true);
        self.expression(&mut select.named_window)?;
        Ok(output)
    }

    fn write_out(&mut self, writes_out: bool) {
        if let Some(level) = self.levels.last_mut() {
            level.writes_out = writes_out;
        }
    }

    /// Resolves the items of a list, from left to right; returns the columns that they give.
    pub(super) fn items(&mut self, items: &mut [SelectItem]) -> Resolved<Columns> {
        let mut output = Columns::default();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expression) => {
                    let written = column_word(expression).cloned();
                    self.expression(expression)?;
                    let (name, data_type) = self.result_of(expression);
                    let Some(word) = written.filter(|word| differs(word, expression)) else {
                        output.push(name, data_type);
                        continue;
                    };
                    // A column that another name finds is called by that name.
                    output.push(looked_up(&word), data_type);
                    *item = SelectItem::ExprWithAlias {
                        expr: expression.clone(),
                        alias: word,
                    };
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.expression(expr)?;
                    if is_folded(alias)
                        && alias.span == Span::empty()
                        && let Some(name) = first_column(expr)
                    {
                        // The parser named a column that joins merge; it is called as the files call it.
                        spell_as(alias, &name);
                    }
                    let data_type = self.result_of(expr).1;
                    let name = looked_up(alias);
                    if let Some(level) = self.levels.last_mut() {
                        level.results.push(Given {
                            name: name.clone(),
                            value: Some(expr.clone()),
                        });
                    }
                    output.push(name, data_type);
                }
                SelectItem::ExprWithAliases { expr, .. } => self.expression(expr)?,
                SelectItem::Wildcard(options) => {
                    let shown = self.wildcard(options, None)?;
                    output.extend(shown);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    let table = match kind {
                        SelectItemQualifiedWildcardKind::ObjectName(name) => {
                            self.table_of_wildcard(name)?
                        }
                        SelectItemQualifiedWildcardKind::Expr(expression) => {
                            self.expression(expression)?;
                            None
                        }
                    };
                    match table {
                        Some(table) => {
                            let shown = self.wildcard(options, Some(&table))?;
                            output.extend(shown);
                        }
                        None => output.is_open = true,
                    }
                }
            }
        }
        Ok(output)
    }

    /// Returns the name that a column of the result has without an alias, and its type if that is known.
    fn result_of(&self, expression: &Expr) -> (String, Option<DataType>) {
        let columns = self.levels.last().map(|level| &level.columns);
        let data_type = |table: Option<&str>, name: &str| {
            columns.and_then(|columns| columns.data_type(table, name).cloned())
        };
        match expression {
            Expr::Nested(inner) => self.result_of(inner),
            Expr::Identifier(word) => {
                let name = looked_up(word);
                let data_type = data_type(None, &name);
                (name, data_type)
            }
            Expr::CompoundIdentifier(words) => {
                let names: Vec<String> = words.iter().map(looked_up).collect();
                let data_type = match names.as_slice() {
                    [.., table, name] => data_type(Some(table), name),
                    _ => None,
                };
                let name = names.last().cloned().unwrap_or_default();
                (name, data_type)
            }
            other => (other.to_string(), None),
        }
    }
}

/// Returns the word that names a column, where an expression is nothing else.
fn column_word(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Identifier(word) => Some(word),
        Expr::CompoundIdentifier(words) => words.last(),
        _ => None,
    }
}

/// Says whether a column has a name that is not the one that was written, whatever the case.
fn differs(written: &Ident, expression: &Expr) -> bool {
    column_word(expression)
        .is_some_and(|word| word.value.to_lowercase() != written.value.to_lowercase())
}

/// Returns the name of the first column in an expression.
fn first_column(expression: &Expr) -> Option<String> {
    let found = visit_expressions(expression, |node| {
        let name = match node {
            Expr::Identifier(word) => Some(looked_up(word)),
            Expr::CompoundIdentifier(words) => words.last().map(looked_up),
            _ => None,
        };
        match name {
            Some(name) => ControlFlow::Break(name),
            None => ControlFlow::Continue(()),
        }
    });
    match found {
        ControlFlow::Break(name) => Some(name),
        ControlFlow::Continue(()) => None,
    }
}

/// Says whether nobody wrote an alias: the parser named the column after its expression.
pub(super) fn is_given_by_the_parser(alias: &Ident) -> bool {
    alias.span == Span::empty()
}
