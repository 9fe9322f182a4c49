//! Functions written in SQL: what is stored of them, and the expression that stands for a call.
//!
//! A call becomes the function's expression with the arguments in the place of the parameters, each cast to
//! its parameter's type, and the whole cast to the type that the function returns. It is planned like any
//! other expression.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    ObjectNamePart, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use serde::{Deserialize, Serialize};

use super::{StatementParser, normalized, parse_expression, syntax_error};

/// A function written in SQL, each part as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlFunction {
    /// The parameters in their order.
    pub parameters: Vec<Parameter>,
    /// The SQL type of the result; empty where it is whatever the body gives, as of a macro.
    pub returns: String,
    /// What computes the result.
    pub body: String,
    /// What the body is written in.
    #[serde(default, skip_serializing_if = "Language::is_sql")]
    pub language: Language,
    /// Of a function in Rust: whether a NULL among the arguments gives NULL without a call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// What the body of a function is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// An expression in SQL.
    #[default]
    Sql,
    /// The body of a function in Rust.
    Rust,
}

impl Language {
    fn is_sql(&self) -> bool {
        *self == Self::Sql
    }
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// What the body calls it.
    pub name: String,
    /// Its SQL type; empty where an argument stays what it is.
    pub data_type: String,
    /// The expression that stands for a missing argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

impl SqlFunction {
    /// Returns how it is declared: `f(x DOUBLE, y DOUBLE DEFAULT 1) RETURNS DOUBLE`.
    pub fn usage(&self, name: &str) -> String {
        let parameters: Vec<_> = self
            .parameters
            .iter()
            .map(|parameter| {
                let default = parameter.default.as_ref();
                let default = default.map_or_else(String::new, |text| format!(" DEFAULT {text}"));
                let declared = format!("{} {}", parameter.name, parameter.data_type);
                format!("{}{default}", declared.trim_end())
            })
            .collect();
        let language = match self.language {
            Language::Sql => "",
            Language::Rust => " LANGUAGE RUST",
        };
        let parameters = parameters.join(", ");
        if self.returns.is_empty() {
            return format!("{name}({parameters})");
        }
        format!("{name}({parameters}) RETURNS {}{language}", self.returns)
    }

    /// Returns the arguments of a call in the order of the parameters, each cast to its parameter's type.
    pub fn bound(&self, call: &Function) -> Result<Vec<Expr>, DataFusionError> {
        let name = call.name.to_string();
        let location = span_of(call).start;
        let wrong = |problem: &str| {
            syntax_error(
                &format!("`{name}` {problem}: {}", self.usage(&name)),
                location,
            )
        };
        let arguments = self.arguments(call).map_err(|problem| wrong(&problem))?;
        let mut values = Vec::with_capacity(arguments.len());
        for (parameter, argument) in self.parameters.iter().zip(arguments) {
            let value = match (argument, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => parse_expression(default)?,
                (None, None) => return Err(wrong(&format!("needs `{}`", parameter.name))),
            };
            values.push(cast(value, &parameter.data_type)?);
        }
        Ok(values)
    }

    /// Returns the expression that stands for a call.
    pub fn expanded(&self, call: &Function) -> Result<Expr, DataFusionError> {
        let names = self
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str());
        let values: Vec<_> = names.zip(self.bound(call)?).collect();
        let mut body = parse_expression(&self.body)?;
        move_to(&mut body, span_of(call));
        let _: ControlFlow<()> = visit_expressions_mut(&mut body, |node| {
            // The values are put in bottom-up, so that what they hold is not visited.
            if let Expr::Identifier(word) = node {
                let word = normalized(word);
                if let Some((_, value)) = values.iter().find(|(name, _)| *name == word) {
                    *node = Expr::Nested(Box::new(value.clone()));
                }
            }
            ControlFlow::Continue(())
        });
        cast(Expr::Nested(Box::new(body)), &self.returns)
    }

    /// Binds arguments to parameters, by position and by name.
    fn arguments(&self, call: &Function) -> Result<Vec<Option<Expr>>, String> {
        let FunctionArguments::List(list) = &call.args else {
            return Err("takes arguments in brackets".to_owned());
        };
        let plain = call.over.is_none() && call.filter.is_none() && call.within_group.is_empty();
        if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err("takes nothing but arguments".to_owned());
        }
        let mut bound: Vec<Option<Expr>> = vec![None; self.parameters.len()];
        for (position, argument) in list.args.iter().enumerate() {
            let (place, value) = match argument {
                FunctionArg::Unnamed(value) => (Some(position), value),
                FunctionArg::Named { name, arg, .. }
                | FunctionArg::ExprNamed {
                    name: Expr::Identifier(name),
                    arg,
                    ..
                } => {
                    let name = normalized(name);
                    let place = self.parameters.iter().position(|known| known.name == name);
                    if place.is_none() {
                        return Err(format!("has no parameter `{name}`"));
                    }
                    (place, arg)
                }
                FunctionArg::ExprNamed { name, .. } => {
                    return Err(format!("has no parameter `{name}`"));
                }
            };
            let FunctionArgExpr::Expr(value) = value else {
                return Err(format!("cannot take `{value}`"));
            };
            match place.and_then(|place| bound.get_mut(place)) {
                None => return Err("is given too many arguments".to_owned()),
                Some(Some(_)) => return Err("is given an argument twice".to_owned()),
                Some(free) => *free = Some(value.clone()),
            }
        }
        Ok(bound)
    }
}

/// Returns where a call stands.
fn span_of(call: &Function) -> Span {
    let name = call.name.0.last().and_then(|part| part.as_ident());
    name.map_or(Span::empty(), |ident| ident.span)
}

/// Gives all of an expression the place of a call: its own text is another, in which nobody looks.
fn move_to(expression: &mut Expr, span: Span) {
    let _: ControlFlow<()> = visit_expressions_mut(expression, |node| {
        match node {
            Expr::Identifier(word) => word.span = span,
            Expr::CompoundIdentifier(words) => {
                for word in words {
                    word.span = span;
                }
            }
            Expr::Function(call) => {
                for part in &mut call.name.0 {
                    if let ObjectNamePart::Identifier(word) = part {
                        word.span = span;
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

fn cast(value: Expr, data_type: &str) -> Result<Expr, DataFusionError> {
    if data_type.is_empty() {
        return Ok(value);
    }
    Ok(Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(value),
        data_type: parse_type(data_type)?,
        array: false,
        format: None,
    })
}

/// Parses a text that is a type and nothing else.
pub fn parse_type(text: &str) -> Result<DataType, DataFusionError> {
    let mut parser = StatementParser::new(text)?;
    let data_type = parser.sql().parse_data_type()?;
    parser.finish()?;
    Ok(data_type)
}
