//! Finds the encoders that a query names, and gives each call of `apply_encoder` a function of its own.
//!
//! The planner knows functions by name alone, so that each encoder, version, output and policy becomes a
//! name.

use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value,
};
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_catalog::EncoderEntry;
use lakesh_catalog::definition::TableRead;
use lakesh_encoder::{
    EncoderDefinition, Fitted, OnNull, OnUnseen, Policy, apply_function, from_stored,
};
use lakesh_sql::{TableName, normalized, split_version};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::similar::closest;

use super::Resolver;
use crate::StatementContext;

/// The function that applies an encoder.
pub const APPLY_ENCODER: &str = "apply_encoder";

/// How it is used.
pub(crate) const APPLY_USAGE: &str = "apply_encoder('encoder' [, 'output'], column [, on_unseen => 'default' | 'null' | 'error'] [, on_null => 'category' | 'null'])";

/// A call of `apply_encoder` with the names that it gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncoderCall {
    /// The name that the function has in the tree from now on.
    pub(super) key: String,
    encoder: String,
    output: Option<String>,
    policy: Policy,
    location: Location,
}

/// An encoder as the catalog has it, or as a check assumes it.
#[derive(Debug, Clone)]
pub struct StoredEncoder {
    /// The name as a user would write it, without a version.
    pub shown: String,
    /// `None` for an encoder that is only assumed.
    pub entry: Option<EncoderEntry>,
    /// Its outputs, and where they were learned.
    pub definition: EncoderDefinition,
}

impl EncoderCall {
    /// Takes the names out of a call, so that one argument is left; `None` for other functions.
    pub(super) fn take_from(function: &mut Function) -> Result<Option<Self>, DataFusionError> {
        let ident = match function.name.0.as_slice() {
            [part] => part.as_ident().cloned(),
            _ => None,
        };
        let Some(ident) = ident.filter(|ident| normalized(ident) == APPLY_ENCODER) else {
            return Ok(None);
        };
        let location = ident.span.start;
        let wrong = |problem: &str| {
            lakesh_sql::syntax_error(&format!("{problem}: {APPLY_USAGE}"), location)
        };
        let FunctionArguments::List(list) = &mut function.args else {
            return Err(wrong("`apply_encoder` takes arguments in brackets"));
        };
        let mut policy = Policy::default();
        let mut positional = Vec::new();
        for argument in std::mem::take(&mut list.args) {
            match &argument {
                FunctionArg::Named { name, arg, .. }
                | FunctionArg::ExprNamed {
                    name: Expr::Identifier(name),
                    arg,
                    ..
                } => {
                    let word = text(arg).map(str::to_lowercase);
                    set_policy(&mut policy, &normalized(name), word.as_deref())
                        .map_err(|problem| wrong(&problem))?;
                }
                FunctionArg::Unnamed(_) => positional.push(argument),
                FunctionArg::ExprNamed { name, .. } => {
                    return Err(wrong(&format!("`apply_encoder` has no argument `{name}`")));
                }
            }
        }
        let column = positional.pop();
        let names: Option<Vec<String>> = positional.iter().map(argument_text).collect();
        let (encoder, output) = match (names.as_deref(), &column) {
            (Some([encoder]), Some(_)) => (encoder.clone(), None),
            (Some([encoder, output]), Some(_)) => (encoder.clone(), Some(output.clone())),
            (None, Some(_)) => {
                return Err(wrong(
                    "the names of the encoder and its output are texts in quotes",
                ));
            }
            _ => return Err(wrong("`apply_encoder` needs an encoder and a column")),
        };
        list.args.extend(column);
        let mut call = Self {
            key: String::new(),
            encoder,
            output,
            policy,
            location,
        };
        call.key = call.own_name();
        let mut own = Ident::with_quote('"', &call.key);
        own.span = ident.span;
        function.name = ObjectName::from(vec![own]);
        Ok(Some(call))
    }

    fn own_name(&self) -> String {
        let mut name = format!("{APPLY_ENCODER}('{}'", self.encoder);
        if let Some(output) = &self.output {
            name.push_str(&format!(", '{output}'"));
        }
        match self.policy.on_unseen {
            OnUnseen::Default => {}
            OnUnseen::Null => name.push_str(", on_unseen => 'null'"),
            OnUnseen::Error => name.push_str(", on_unseen => 'error'"),
        }
        if self.policy.on_null == OnNull::Null {
            name.push_str(", on_null => 'null'");
        }
        name.push(')');
        name
    }
}

fn text(argument: &FunctionArgExpr) -> Option<&str> {
    match argument {
        FunctionArgExpr::Expr(Expr::Value(value)) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn argument_text(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Unnamed(argument) => text(argument).map(ToOwned::to_owned),
        _ => None,
    }
}

/// Reads `on_unseen` or `on_null`.
pub fn set_policy(policy: &mut Policy, name: &str, value: Option<&str>) -> Result<(), String> {
    match (name, value) {
        ("on_unseen", Some("default")) => policy.on_unseen = OnUnseen::Default,
        ("on_unseen", Some("null")) => policy.on_unseen = OnUnseen::Null,
        ("on_unseen", Some("error")) => policy.on_unseen = OnUnseen::Error,
        ("on_unseen", _) => return Err("`on_unseen` is 'default', 'null' or 'error'".to_owned()),
        ("on_null", Some("category")) => policy.on_null = OnNull::Category,
        ("on_null", Some("null")) => policy.on_null = OnNull::Null,
        ("on_null", _) => return Err("`on_null` is 'category' or 'null'".to_owned()),
        (other, _) => return Err(format!("there is no argument `{other}`")),
    }
    Ok(())
}

impl StoredEncoder {
    /// Looks an encoder up by its name as a text, which may end in `@v1`.
    pub fn find(
        text: &str,
        current_schema: &str,
        context: &StatementContext,
    ) -> Result<Self, Failure> {
        let (name, version) = match split_version(text) {
            None => (text, None),
            Some((name, digits)) => match digits.parse::<u32>() {
                Ok(version) => (name, Some(version)),
                Err(_) => (name, Some(u32::MAX)),
            },
        };
        let name = lakesh_sql::parse_name(name).map_err(Failure::from_error)?;
        let (name, _) = TableName::from_object(&name, current_schema)?;
        let shown = name.shown(current_schema);
        let catalog = context.session.catalog();
        match context.assumed_encoder(&name) {
            Some(Some(definition)) => {
                return Ok(Self {
                    shown,
                    entry: None,
                    definition,
                });
            }
            Some(None) => {
                return Err(catalog
                    .encoder_not_found(&name.schema, &name.table, None)
                    .into());
            }
            None => {}
        }
        let Some(entry) = catalog.encoder(&name.schema, &name.table, version)? else {
            let missing = catalog.encoder_not_found(&name.schema, &name.table, version);
            let failure = Failure::from(missing);
            return Err(match failure.hints.is_empty() {
                true => failure.hint("SHOW ENCODERS lists what there is; CREATE ENCODER makes one"),
                false => failure,
            });
        };
        let definition = serde_json::from_str(&entry.definition).map_err(|error| {
            Failure::new(
                FailureKind::Execution,
                format!("the definition of encoder `{shown}` in the catalog cannot be understood"),
            )
            .caused_by(error)
        })?;
        Ok(Self {
            shown,
            entry: Some(entry),
            definition,
        })
    }

    /// Returns the version; 0 where it is only assumed.
    pub fn version(&self) -> u32 {
        self.entry.as_ref().map_or(0, |entry| entry.version)
    }

    /// Reads what an output learned; nothing where the encoder is only assumed.
    pub fn fitted(&self, position: usize, context: &StatementContext) -> Result<Fitted, Failure> {
        let Some(entry) = &self.entry else {
            return Ok(Fitted::nothing(&self.definition.outputs[position]));
        };
        let bytes = context.session.catalog().encoder_output(entry, position)?;
        let damaged = || {
            Failure::new(
                FailureKind::Execution,
                format!(
                    "what encoder `{}` learned is missing from the catalog",
                    self.shown
                ),
            )
            .hint("create it anew with CREATE OR REPLACE ENCODER")
        };
        let bytes = bytes.ok_or_else(damaged)?;
        from_stored(&bytes).map_err(|error| damaged().caused_by(error))
    }

    /// Finds an output by its name; without one, the only one.
    pub(crate) fn output(&self, name: Option<&str>) -> Result<usize, Failure> {
        if let Some((position, _)) = self.definition.output(name) {
            return Ok(position);
        }
        let names = self.definition.output_names();
        let known = names.join(", ");
        let Some(name) = name else {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("encoder `{}` has several outputs", self.shown),
            )
            .hint(format!("name one of them: {known}")));
        };
        let failure = Failure::new(
            FailureKind::Plan,
            format!("encoder `{}` has no output `{name}`", self.shown),
        );
        Err(match closest(name, names.iter().copied()) {
            Some(close) => failure.hint(format!("did you mean `{close}`?")),
            None => failure.hint(format!("its outputs are {known}")),
        })
    }
}

impl Resolver<'_> {
    /// Loads the output that a call applies.
    pub(super) fn encoder_function(
        &mut self,
        call: &EncoderCall,
        current_schema: &str,
    ) -> Result<Arc<ScalarUDF>, Failure> {
        let context = self.context();
        let load = || {
            let encoder = StoredEncoder::find(&call.encoder, current_schema, context)?;
            let position = encoder.output(call.output.as_deref())?;
            let fitted = encoder.fitted(position, context)?;
            Ok((encoder, position, fitted))
        };
        let (encoder, position, fitted) =
            load().map_err(|failure: Failure| failure.at(context.place(call.location)))?;
        let mut output = encoder.definition.outputs[position].clone();
        output.name = format!("{}.{}", encoder.shown, output.name);
        let provenance = Arc::new(encoder.definition.provenance.clone());
        self.encoders.push(encoder);
        Ok(Arc::new(apply_function(
            call.key.clone(),
            output,
            Arc::new(fitted),
            call.policy,
            Some(provenance),
        )))
    }

    /// Remembers that an encoder is applied.
    pub fn note_encoder(&mut self, encoder: StoredEncoder) {
        self.encoders.push(encoder);
    }

    /// Says which encoders were fitted on the very tables that the statement reads, each once.
    pub fn leakage_warnings(&self) -> Vec<String> {
        let mut warned: Vec<&str> = Vec::new();
        let mut warnings = Vec::new();
        for encoder in &self.encoders {
            if warned.contains(&encoder.shown.as_str()) {
                continue;
            }
            if let Some(warning) = leakage(encoder, &self.reads) {
                warnings.push(warning);
                warned.push(&encoder.shown);
            }
        }
        warnings
    }
}

/// Says that an encoder was fitted on a table that is read; `None` where it was not.
pub fn leakage(encoder: &StoredEncoder, reads: &[TableRead]) -> Option<String> {
    let provenance = &encoder.definition.provenance;
    let table = provenance.tables.iter().find(|table| {
        table.location.is_some() && reads.iter().any(|read| read.location == table.location)
    })?;
    let predicate = provenance.predicate.as_ref();
    let rows = predicate.map_or_else(String::new, |predicate| format!(" where {predicate}"));
    Some(format!(
        "leakage: encoder `{}` was fitted on `{}`{rows}, which this statement reads: the encoding of a row \
         knows the row's own target; TRANSFORM … CROSS FIT encodes each row from the others",
        encoder.shown, table.name
    ))
}
