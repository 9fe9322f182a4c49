//! Names in expressions: columns, tables before columns, fields behind them.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DataFusionError, TableReference};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArguments, Ident, Query, Spanned, Subscript,
    Value, ValueWithSpan, VisitMut, VisitorMut,
};
use lakesh_sql::{Meaning, meaning, syntax_error};

use super::columns::Columns;
use super::form::result;
use super::star::is_columns;
use super::{Names, Resolved, is_folded, looked_up, quoted};

impl Names<'_> {
    /// Resolves the names of an expression, or of anything that holds expressions.
    pub(super) fn expression<T: VisitMut>(&mut self, tree: &mut T) -> Resolved {
        let mut walker = Walker {
            names: self,
            depth: 0,
            parameters: Vec::new(),
        };
        match tree.visit(&mut walker) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// Resolves a name that stands alone; returns what is to stand in its place.
    fn single(&self, word: &mut Ident) -> Resolved<Option<Expr>> {
        let wanted = looked_up(word);
        for (around, level) in self.levels.iter().rev().enumerate() {
            let column = match is_folded(word) {
                true => level.columns.column(&wanted),
                false => exact(level.columns.column(&wanted)),
            };
            let result = match is_folded(word) {
                true => result(&level.results, &wanted),
                false => exact(result(&level.results, &wanted)),
            };
            // The planner finds results that are spelled so.
            let is_result = result == Meaning::Exact && !level.writes_out;
            if column != Meaning::Exact && is_result {
                return Ok(None);
            }
            if self.spell(word, &column)? {
                return Ok(None);
            }
            if result == Meaning::Nothing {
                continue;
            }
            // Further inside, other tables could take what is written out for theirs.
            if level.writes_out && around > 0 {
                continue;
            }
            if level.writes_out {
                if let Some(value) = self.written_out(&level.results, word)? {
                    return Ok(Some(value));
                }
                continue;
            }
            if self.spell(word, &result)? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Resolves `table.column`, `schema.table.column` and fields behind a column.
    fn compound(&self, words: &mut [Ident]) -> Resolved {
        for level in self.levels.iter().rev() {
            let columns = &level.columns;
            for place in [0, 1] {
                if words.len() > place + 1 && self.table(columns, &mut words[place..])? {
                    return Ok(());
                }
            }
            let Some((column, fields)) = words.split_first_mut() else {
                return Ok(());
            };
            let mut spelled = column.clone();
            let found = columns.column(&looked_up(column));
            if !self.spelled(&mut spelled, found)? {
                continue;
            }
            let data_type = columns.data_type(None, &looked_up(&spelled)).cloned();
            // A column without fields is not meant: a table further out has its name.
            if data_type.as_ref().is_none_or(DataType::is_nested) {
                *column = spelled;
                return self.fields(data_type.as_ref(), fields);
            }
        }
        Ok(())
    }

    /// Resolves words that begin with a table's name; says whether they do.
    fn table(&self, columns: &Columns, words: &mut [Ident]) -> Resolved<bool> {
        let [table, column, fields @ ..] = words else {
            return Ok(false);
        };
        let mut spelled = table.clone();
        if !self.spelled(&mut spelled, columns.table(&looked_up(table)))? {
            return Ok(false);
        }
        let name = looked_up(&spelled);
        let found = columns.column_of(&name, &looked_up(column));
        if !self.spelled(column, found)? {
            return Ok(false);
        }
        *table = spelled;
        let data_type = columns.data_type(Some(&name), &looked_up(column)).cloned();
        self.fields(data_type.as_ref(), fields)?;
        Ok(true)
    }

    /// Spells a word, unless it is in quotes and spelled otherwise.
    pub(super) fn spelled(&self, word: &mut Ident, found: Meaning<'_>) -> Resolved<bool> {
        let found = match is_folded(word) {
            true => found,
            false => exact(found),
        };
        self.spell(word, &found)
    }

    /// Resolves the names of fields of fields.
    fn fields(&self, data_type: Option<&DataType>, words: &mut [Ident]) -> Resolved {
        let mut data_type = data_type;
        for word in words {
            let Some(DataType::Struct(fields)) = data_type else {
                return Ok(());
            };
            let wanted = looked_up(word);
            let found = meaning(fields.iter().map(|field| field.name().as_str()), &wanted);
            if !self.spelled(word, found)? {
                return Ok(());
            }
            let name = looked_up(word);
            let field = fields.iter().find(|field| *field.name() == name);
            data_type = field.map(|field| field.data_type());
        }
        Ok(())
    }

    /// Resolves the names before the first bracket of `a.b[1].c`, and says how many accesses they are.
    fn beginning(&self, root: &mut Expr, chain: &mut [AccessExpr]) -> Resolved<usize> {
        let Expr::Identifier(first) = root else {
            return Ok(0);
        };
        let mut words = vec![first.clone()];
        for access in chain.iter() {
            let AccessExpr::Dot(Expr::Identifier(word)) = access else {
                break;
            };
            words.push(word.clone());
        }
        if words.len() == 1 {
            return Ok(0);
        }
        self.compound(&mut words)?;
        let count = words.len() - 1;
        let mut words = words.into_iter();
        if let Some(word) = words.next() {
            *first = settled(word);
        }
        for (access, word) in chain.iter_mut().zip(words) {
            *access = AccessExpr::Dot(Expr::Identifier(settled(word)));
        }
        Ok(count)
    }

    /// Takes the names of the fields of a value for texts, which is how the planner knows them.
    fn accesses(&self, root: &Expr, chain: &mut [AccessExpr], begin: usize) -> Resolved {
        for place in begin..chain.len() {
            let AccessExpr::Dot(Expr::Identifier(word)) = &chain[place] else {
                continue;
            };
            let mut word = word.clone();
            if is_folded(&word) {
                let before = match place {
                    0 => root.clone(),
                    _ => Expr::CompoundFieldAccess {
                        root: Box::new(root.clone()),
                        access_chain: chain[..place].to_vec(),
                    },
                };
                let data_type = self.type_of(&before);
                self.fields(data_type.as_ref(), std::slice::from_mut(&mut word))?;
            }
            let name = Value::SingleQuotedString(looked_up(&word));
            chain[place] = AccessExpr::Subscript(Subscript::Index {
                index: Expr::Value(ValueWithSpan {
                    value: name,
                    span: word.span,
                }),
            });
        }
        Ok(())
    }

    /// Returns the type of an expression, where it can be known before the query is planned.
    pub(super) fn type_of(&self, expression: &Expr) -> Option<DataType> {
        let known = self.levels.last().map(|level| level.columns.list.iter());
        let mut fields = Vec::new();
        for column in known.into_iter().flatten() {
            let Some(data_type) = column.data_type.clone() else {
                continue;
            };
            let table = column.table.as_deref().map(TableReference::bare);
            let field = Arc::new(Field::new(&column.name, data_type, true));
            fields.push((table, field));
        }
        let schema = DFSchema::new_with_metadata(fields, HashMap::new()).ok()?;
        self.knowledge.type_of(expression, &schema)
    }
}

/// Leaves of what a name stands for what is spelled so.
fn exact(found: Meaning<'_>) -> Meaning<'_> {
    match found {
        Meaning::Exact => Meaning::Exact,
        _ => Meaning::Nothing,
    }
}

/// Keeps a word from being resolved again.
fn settled(word: Ident) -> Ident {
    let span = word.span;
    let mut settled = quoted(&looked_up(&word));
    settled.span = span;
    settled
}

struct Walker<'n, 'k> {
    names: &'n mut Names<'k>,
    /// How many queries are around: those have been resolved as a whole.
    depth: usize,
    /// The parameters of the lambdas around, innermost last.
    parameters: Vec<Vec<String>>,
}

impl Walker<'_, '_> {
    fn is_parameter(&self, word: &Ident) -> bool {
        let name = looked_up(word);
        self.parameters
            .iter()
            .any(|parameters| parameters.contains(&name))
    }

    fn before(&mut self, expression: &mut Expr) -> Resolved {
        match expression {
            Expr::Lambda(lambda) => {
                let parameters = lambda.params.iter();
                let names = parameters.map(|parameter| looked_up(&parameter.name));
                self.parameters.push(names.collect());
            }
            Expr::CompoundIdentifier(words)
                if !words.first().is_some_and(|first| self.is_parameter(first)) =>
            {
                self.names.compound(words)?;
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                let is_parameter =
                    matches!(root.as_ref(), Expr::Identifier(word) if self.is_parameter(word));
                let begin = match is_parameter {
                    true => 0,
                    false => self.names.beginning(root, access_chain)?,
                };
                let is_plain = access_chain
                    .iter()
                    .all(|access| matches!(access, AccessExpr::Dot(Expr::Identifier(_))));
                if !(is_parameter && is_plain) {
                    self.names.accesses(root, access_chain, begin)?;
                }
            }
            Expr::Function(function) if !is_columns(function) => name_arguments(function),
            Expr::Function(function) => {
                return Err(syntax_error(
                    "COLUMNS can stand in the list of a SELECT and in its WHERE",
                    function.name.span().start,
                ));
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, expression: &mut Expr) -> Resolved {
        match expression {
            Expr::Lambda(_) => {
                self.parameters.pop();
            }
            Expr::Identifier(word) if !self.is_parameter(word) => {
                if let Some(value) = self.names.single(word)? {
                    *expression = value;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Writes the names of arguments as names: `f(weight => 1)` has no column `weight`.
fn name_arguments(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else {
        return;
    };
    for argument in &mut list.args {
        if let FunctionArg::ExprNamed {
            name: Expr::Identifier(name),
            arg,
            operator,
        } = argument
        {
            *argument = FunctionArg::Named {
                name: name.clone(),
                arg: arg.clone(),
                operator: operator.clone(),
            };
        }
    }
}

fn flow(resolved: Resolved) -> ControlFlow<DataFusionError> {
    match resolved {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

impl VisitorMut for Walker<'_, '_> {
    type Break = DataFusionError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        if self.depth == 0 {
            flow(self.names.query(query).map(drop))?;
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<DataFusionError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<DataFusionError> {
        match self.depth {
            0 => flow(self.before(expression)),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<DataFusionError> {
        match self.depth {
            0 => flow(self.after(expression)),
            _ => ControlFlow::Continue(()),
        }
    }
}
