//! Puts the expressions of functions written in SQL into the places of their calls, and loads those
//! written in Rust.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, plan_datafusion_err};
use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    ColumnDef, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    VisitMut, visit_expressions_mut,
};
use lakesh_function::Call;
use lakesh_native::NativeDefinition;
use lakesh_sql::{Language, SqlFunction, TableName, identifiers, normalized, parse_type};
use lakesh_text::failure::{Failure, FailureKind};

use super::column_schema;
use crate::StatementContext;

/// Functions that call each other deeper than this are a mistake: expressions double with each level.
const DEEPEST: usize = 16;

/// Functions that exist in one text only, by the names that they have in its tree.
pub type OwnFunctions = HashMap<String, Arc<ScalarUDF>>;

/// Expands every call in a tree. `own` is the name of a function that is being made.
pub fn expand<T: VisitMut>(
    context: &StatementContext,
    tree: &mut T,
    current_schema: &str,
    own: Option<&TableName>,
) -> Result<OwnFunctions, DataFusionError> {
    let mut expansion = Expansion {
        context,
        current_schema,
        stack: own.into_iter().cloned().collect(),
        functions: HashMap::new(),
    };
    expansion.below(tree)?;
    Ok(expansion.functions)
}

/// Expands every call in the expressions of a statement.
pub(super) fn expand_statement(
    context: &StatementContext,
    statement: &mut ParsedStatement,
    current_schema: &str,
) -> Result<OwnFunctions, DataFusionError> {
    match statement {
        ParsedStatement::Statement(statement) => expand(context, statement, current_schema, None),
        ParsedStatement::Explain(explain) => {
            expand_statement(context, &mut explain.statement, current_schema)
        }
        ParsedStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => expand(context, query, current_schema, None),
            CopyToSource::Relation(_) => Ok(HashMap::new()),
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(HashMap::new()),
    }
}

/// Returns the types of a function's parameters and of its result.
pub fn function_types(
    context: &StatementContext,
    function: &SqlFunction,
) -> Result<(Vec<DataType>, DataType), DataFusionError> {
    let names = function
        .parameters
        .iter()
        .map(|parameter| &parameter.data_type);
    let mut types = Vec::new();
    for text in names.chain([&function.returns]) {
        let column = ColumnDef {
            name: Ident::new("value"),
            data_type: parse_type(text)?,
            options: Vec::new(),
        };
        let schema = column_schema(&context.state, vec![column])?;
        types.push(schema.field(0).data_type().clone());
    }
    let returns = types.pop().unwrap_or(DataType::Null);
    Ok((types, returns))
}

/// Loads a function written in Rust, if the session may.
fn native_function(
    context: &StatementContext,
    name: &str,
    function: &SqlFunction,
) -> Result<Arc<ScalarUDF>, DataFusionError> {
    let external = |failure: Failure| DataFusionError::External(Box::new(failure));
    if let Some(refusal) = context.session.native_refusal() {
        return Err(external(refusal));
    }
    let (parameters, returns) = function_types(context, function)?;
    let options = context.session.options();
    NativeDefinition::new(name, function, &parameters, &returns)
        .and_then(|definition| {
            let loaded = definition.load(&options.program_path, &options.cache_folder);
            loaded.map_err(|error| error.into_failure())
        })
        .map_err(external)
}

struct Expansion<'a> {
    context: &'a StatementContext,
    current_schema: &'a str,
    /// The functions whose bodies are being expanded, outermost first.
    stack: Vec<TableName>,
    functions: OwnFunctions,
}

impl Expansion<'_> {
    fn below<T: VisitMut>(&mut self, tree: &mut T) -> Result<(), DataFusionError> {
        let outcome = visit_expressions_mut(tree, |node| {
            let Expr::Function(call) = node else {
                return ControlFlow::Continue(());
            };
            match self.expanded(call) {
                Ok(None) => ControlFlow::Continue(()),
                Ok(Some(expression)) => {
                    *node = expression;
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(error),
            }
        });
        match outcome {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// Returns what a call stands for; `None` where the function was not made by CREATE FUNCTION.
    fn expanded(&mut self, call: &Function) -> Result<Option<Expr>, DataFusionError> {
        let Some(parts) = identifiers(&call.name) else {
            return Ok(None);
        };
        let name = TableName::from_parts(&parts, self.current_schema);
        let is_builtin = parts.len() == 1 && self.context.has_builtin_function(&name.table);
        let in_stack = self.stack.contains(&name);
        if parts.len() == 1 && !in_stack {
            let known = Call {
                name: &name.table,
                tree: call,
                is_registered: is_builtin,
            };
            let is_aggregate = |name: &str| self.context.has_aggregate(name);
            if let Some(mut expression) = lakesh_function::expanded(&known, &is_aggregate)? {
                self.below(&mut expression)?;
                return Ok(Some(expression));
            }
        }
        if is_builtin && !in_stack {
            return Ok(None);
        }
        if in_stack {
            let path: Vec<_> = self
                .stack
                .iter()
                .chain([&name])
                .map(|name| name.shown(self.current_schema))
                .collect();
            return Err(plan_datafusion_err!(
                "function `{}` calls itself: {}",
                path[0],
                path.join(" -> ")
            ));
        }
        if self.stack.len() >= DEEPEST {
            return Err(plan_datafusion_err!(
                "functions call each other more than {DEEPEST} deep"
            ));
        }
        let Some(function) = find(self.context, &name)? else {
            return match lakesh_function::absent(&name.table) {
                Some(instead) if parts.len() == 1 => Err(absent(self.context, &parts[0], instead)),
                _ => Ok(None),
            };
        };
        if function.language == Language::Rust {
            return self.native(&name, &function, call).map(Some);
        }
        let mut expression = function.expanded(call)?;
        self.stack.push(name);
        let outcome = self.below(&mut expression);
        self.stack.pop();
        outcome.map(|()| Some(expression))
    }

    /// Returns a call of a function that is loaded under a name of its own.
    fn native(
        &mut self,
        name: &TableName,
        function: &SqlFunction,
        call: &Function,
    ) -> Result<Expr, DataFusionError> {
        let shown = name.shown(self.current_schema);
        if !self.functions.contains_key(&shown) {
            let loaded = native_function(self.context, &shown, function)?;
            self.functions.insert(shown.clone(), loaded);
        }
        let arguments = function.bound(call)?.into_iter();
        let arguments = arguments.map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value)));
        let mut own = Ident::with_quote('"', shown);
        if let Some(written) = call.name.0.last().and_then(|part| part.as_ident()) {
            own.span = written.span;
        }
        let mut native = call.clone();
        native.name = ObjectName::from(vec![own]);
        if let FunctionArguments::List(list) = &mut native.args {
            list.args = arguments.collect();
        }
        Ok(Expr::Function(native))
    }
}

/// The error for a function of another database that there is not.
fn absent(context: &StatementContext, name: &Ident, instead: &str) -> DataFusionError {
    let message = format!("function `{}` not found", normalized(name));
    let failure = Failure::new(FailureKind::Plan, message)
        .hint(format!("instead: {instead}"))
        .at(context.place(name.span.start));
    DataFusionError::External(Box::new(failure))
}

fn find(
    context: &StatementContext,
    name: &TableName,
) -> Result<Option<SqlFunction>, DataFusionError> {
    if let Some(assumed) = context.assumed_function(name) {
        return Ok(assumed);
    }
    let catalog = context.session.catalog();
    let entry = catalog
        .function(&name.schema, &name.table)
        .map_err(|error| DataFusionError::External(Box::new(Failure::from(error))))?;
    let Some(entry) = entry else {
        return Ok(None);
    };
    let function = serde_json::from_str(&entry.definition).map_err(|_| {
        plan_datafusion_err!(
            "the definition of function `{}` cannot be understood",
            name.table
        )
    })?;
    Ok(Some(function))
}
