//! Reads the SELECT of CREATE ENCODER: which encoders, of which columns, over which rows.

use std::ops::ControlFlow;

use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    Query as SqlQuery, Select, SelectItem, SetExpr, Spanned, Statement as SqlStatement,
    TableFactor, TableWithJoins, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_encoder::{EncoderFunction, EncoderKind, Smooth, encoder_function};
use lakesh_session::StatementContext;
use lakesh_sql::{ParseResult, Query, StatementParser, constant, normalized, syntax_error};
use lakesh_text::failure::{Failure, FailureKind};

/// The rows of CREATE ENCODER and what is learned of them.
pub(super) struct Rows {
    pub(super) outputs: Vec<OutputSpecification>,
    pub(super) query: Query,
    /// FROM, as text.
    pub(super) relation: String,
    pub(super) predicate: Option<String>,
    /// The names that qualify columns.
    pub(super) qualifiers: Vec<String>,
}

/// One item of the SELECT.
pub(super) struct OutputSpecification {
    pub(super) name: String,
    pub(super) location: Location,
    function: &'static EncoderFunction,
    pub(super) value: Expr,
    pub(super) target: Option<Expr>,
    pub(super) weight: Option<Expr>,
    /// The other arguments by name.
    options: Vec<(&'static str, Expr)>,
}

/// Reads the query and puts the columns that are needed in the place of its items.
pub(super) fn parse_rows(parser: &mut StatementParser) -> ParseResult<Rows> {
    let start = parser.sql().peek_token_ref().span.start;
    let mut query = parser.sql().parse_query()?;
    parser.complete(&mut query)?;
    let not_rows = "CREATE ENCODER learns from rows: SELECT encoders FROM a table [WHERE …]";
    let extras = query.order_by.is_some() || query.limit_clause.is_some() || query.fetch.is_some();
    let SetExpr::Select(select) = query.body.as_mut() else {
        return Err(syntax_error(not_rows, start));
    };
    if extras || has_extras(select) {
        return Err(syntax_error(
            &format!("{not_rows}; put everything else into a subquery in FROM"),
            start,
        ));
    }
    let outputs = select
        .projection
        .iter()
        .map(|item| output(item, start))
        .collect::<ParseResult<Vec<_>>>()?;
    for (position, output) in outputs.iter().enumerate() {
        let earlier = &outputs[..position];
        if earlier.iter().any(|earlier| earlier.name == output.name) {
            return Err(syntax_error(
                &format!("two outputs are called `{}`", output.name),
                output.location,
            ));
        }
    }
    select.projection = outputs
        .iter()
        .flat_map(columns)
        .enumerate()
        .map(named)
        .collect();
    let qualifiers = select.from.iter().flat_map(qualifiers).collect();
    let relation: Vec<_> = select.from.iter().map(ToString::to_string).collect();
    let predicate = select.selection.as_ref().map(ToString::to_string);
    Ok(Rows {
        outputs,
        relation: relation.join(", "),
        predicate,
        qualifiers,
        query: as_query(query, parser),
    })
}

/// The names by which the relations of FROM qualify columns.
fn qualifiers(from: &TableWithJoins) -> Vec<String> {
    let joined = from.joins.iter().map(|join| &join.relation);
    let factors = std::iter::once(&from.relation).chain(joined);
    factors
        .filter_map(|factor| match factor {
            TableFactor::Table {
                alias: Some(alias), ..
            }
            | TableFactor::Derived {
                alias: Some(alias), ..
            } => Some(normalized(&alias.name)),
            TableFactor::Table { name, .. } => name
                .0
                .last()
                .and_then(|part| part.as_ident())
                .map(normalized),
            _ => None,
        })
        .collect()
}

/// Returns an expression as text that means the same over another table: columns lose the names of
/// relations.
pub(super) fn portable(expression: &Expr, qualifiers: &[String]) -> String {
    let mut expression = expression.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut expression, |node| {
        if let Expr::CompoundIdentifier(parts) = node
            && let [first, _, ..] = parts.as_slice()
            && qualifiers.contains(&normalized(first))
        {
            parts.remove(0);
            if let [column] = parts.as_slice() {
                *node = Expr::Identifier(column.clone());
            }
        }
        ControlFlow::Continue(())
    });
    expression.to_string()
}

fn as_query(query: Box<SqlQuery>, parser: &mut StatementParser) -> Query {
    Query {
        tree: ParsedStatement::Statement(Box::new(SqlStatement::Query(query))),
        versions: parser.take_versions(),
        target: None,
    }
}

fn has_extras(select: &Select) -> bool {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, modifiers) if by.is_empty() && modifiers.is_empty());
    grouped
        || select.distinct.is_some()
        || select.top.is_some()
        || select.having.is_some()
        || select.qualify.is_some()
        || !select.sort_by.is_empty()
        || !select.named_window.is_empty()
}

/// The expressions that an output learns from.
fn columns(output: &OutputSpecification) -> impl Iterator<Item = Expr> {
    let all = [
        Some(output.value.clone()),
        output.target.clone(),
        output.weight.clone(),
    ];
    all.into_iter().flatten()
}

fn named((position, expr): (usize, Expr)) -> SelectItem {
    SelectItem::ExprWithAlias {
        expr,
        alias: Ident::with_quote('"', format!("column {position}")),
    }
}

/// Reads `function(column, …) AS name`.
fn output(item: &SelectItem, start: Location) -> ParseResult<OutputSpecification> {
    let place = |expression: &Expr| {
        let location = expression.span().start;
        if location.line == 0 { start } else { location }
    };
    match item {
        SelectItem::ExprWithAlias {
            expr: Expr::Function(call),
            alias,
        } => call_of(call, alias, place(&Expr::Function(call.clone()))),
        SelectItem::UnnamedExpr(expression) => Err(syntax_error(
            "every output has a name: function(column, …) AS name",
            place(expression),
        )),
        SelectItem::ExprWithAlias { expr, .. } => Err(syntax_error(
            &not_an_encoder(&expr.to_string()),
            place(expr),
        )),
        other => Err(syntax_error(&not_an_encoder(&other.to_string()), start)),
    }
}

fn not_an_encoder(text: &str) -> String {
    let names: Vec<_> = lakesh_encoder::ENCODER_FUNCTIONS
        .iter()
        .map(|function| function.name)
        .collect();
    format!("`{text}` is not an encoder; they are {}", names.join(", "))
}

fn call_of(call: &Function, alias: &Ident, location: Location) -> ParseResult<OutputSpecification> {
    let name = call.name.to_string().to_lowercase();
    let Some(function) = encoder_function(&name) else {
        return Err(syntax_error(&not_an_encoder(&name), location));
    };
    let wrong = |problem: &str| {
        let usage = function.usage;
        syntax_error(&format!("`{name}` {problem}: {usage}"), location)
    };
    let FunctionArguments::List(list) = &call.args else {
        return Err(wrong("takes arguments in brackets"));
    };
    let plain = call.over.is_none() && call.filter.is_none() && call.within_group.is_empty();
    if !plain || !list.clauses.is_empty() || list.duplicate_treatment.is_some() {
        return Err(wrong("takes nothing but arguments"));
    }
    let mut columns = Vec::new();
    let mut options: Vec<(&'static str, Expr)> = Vec::new();
    for argument in &list.args {
        let (given, value) = named_argument(argument).map_err(|problem| wrong(&problem))?;
        if given.is_none() && columns.len() < function.columns {
            columns.push(value);
            continue;
        }
        let option = match &given {
            None => function.options.get(options.len()).copied(),
            Some(name) => function
                .options
                .iter()
                .find(|known| *known == name)
                .copied(),
        };
        let Some(option) = option else {
            return Err(match given {
                None => wrong("is given too many arguments"),
                Some(name) => wrong(&format!("has no argument `{name}`")),
            });
        };
        if options.iter().any(|(known, _)| *known == option) {
            return Err(wrong(&format!("is given `{option}` twice")));
        }
        options.push((option, value));
    }
    let needs_bins = function.options.contains(&"bins");
    if columns.len() < function.columns
        || needs_bins && !options.iter().any(|(option, _)| *option == "bins")
    {
        return Err(wrong("is given too few arguments"));
    }
    let weight = options.iter().position(|(option, _)| *option == "weight");
    let weight = weight.map(|position| options.remove(position).1);
    let mut columns = columns.into_iter();
    let value = columns.next().ok_or_else(|| wrong("needs a column"))?;
    Ok(OutputSpecification {
        name: normalized(alias),
        location,
        function,
        value,
        target: columns.next(),
        weight,
        options,
    })
}

fn named_argument(argument: &FunctionArg) -> Result<(Option<String>, Expr), String> {
    let (name, value) = match argument {
        FunctionArg::Named { name, arg, .. }
        | FunctionArg::ExprNamed {
            name: Expr::Identifier(name),
            arg,
            ..
        } => (Some(normalized(name)), arg),
        FunctionArg::Unnamed(arg) => (None, arg),
        FunctionArg::ExprNamed { name, .. } => {
            return Err(format!("has no argument `{name}`"));
        }
    };
    match value {
        FunctionArgExpr::Expr(expression) => Ok((name, expression.clone())),
        other => Err(format!("cannot take `{other}`")),
    }
}

impl OutputSpecification {
    /// Evaluates the arguments that are constants.
    pub(super) fn kind(&self, context: &StatementContext) -> Result<EncoderKind, Failure> {
        let evaluated = self.evaluate(context);
        evaluated.map_err(|failure| failure.at(context.place(self.location)))
    }

    fn evaluate(&self, context: &StatementContext) -> Result<EncoderKind, Failure> {
        let option = |name: &str| -> Result<Option<ScalarValue>, Failure> {
            let given = self.options.iter().find(|(option, _)| *option == name);
            let Some((_, expression)) = given else {
                return Ok(None);
            };
            let value = constant(expression, &context.state, context.parameters())
                .map_err(|error: DataFusionError| context.failure(error))?;
            Ok(Some(value).filter(|value| !value.is_null()))
        };
        match self.function.name {
            "target_encoder" => Ok(EncoderKind::Target {
                smooth: self.smooth(option("smooth")?)?,
                min_samples: self
                    .number("min_samples", option("min_samples")?, 0.0, f64::MAX)?
                    .unwrap_or(0.0),
            }),
            "frequency_encoder" => Ok(EncoderKind::Frequency),
            "rare_grouper" => {
                let max_categories = self.count("max_categories", option("max_categories")?)?;
                let default = if max_categories.is_some() { 0.0 } else { 0.05 };
                let label = option("label")?;
                let label = match &label {
                    None => "RARE".to_owned(),
                    Some(label) => match label.try_as_str().flatten() {
                        Some(label) => label.to_owned(),
                        None => return Err(self.wrong("label", "a text", label)),
                    },
                };
                Ok(EncoderKind::Rare {
                    min_share: self
                        .number("min_share", option("min_share")?, 0.0, 1.0)?
                        .unwrap_or(default),
                    max_categories,
                    label,
                })
            }
            _ => {
                let given = option("bins")?;
                let shown = given.clone().unwrap_or(ScalarValue::Null);
                let Some(bins) = self
                    .count("bins", given)?
                    .filter(|bins| (2..=1_000_000).contains(bins))
                else {
                    return Err(self.wrong("bins", "a whole number from 2 to 1000000", &shown));
                };
                Ok(match self.function.name {
                    "quantile_bins" => EncoderKind::QuantileBins { bins },
                    _ => EncoderKind::UniformBins { bins },
                })
            }
        }
    }

    fn smooth(&self, value: Option<ScalarValue>) -> Result<Smooth, Failure> {
        let Some(value) = value else {
            return Ok(Smooth::Auto);
        };
        match value.try_as_str().flatten() {
            Some(text) if text.eq_ignore_ascii_case("auto") => Ok(Smooth::Auto),
            Some(_) => Err(self.wrong("smooth", "'auto' or a number from 0", &value)),
            None => {
                let rows = self.number("smooth", Some(value), 0.0, f64::MAX)?;
                Ok(rows.map_or(Smooth::Auto, Smooth::Rows))
            }
        }
    }

    fn number(
        &self,
        name: &str,
        value: Option<ScalarValue>,
        least: f64,
        most: f64,
    ) -> Result<Option<f64>, Failure> {
        let Some(value) = value else {
            return Ok(None);
        };
        let number = match value.data_type().is_numeric() {
            true => value
                .cast_to(&datafusion::arrow::datatypes::DataType::Float64)
                .ok(),
            false => None,
        };
        match number {
            Some(ScalarValue::Float64(Some(number))) if (least..=most).contains(&number) => {
                Ok(Some(number))
            }
            _ if most < f64::MAX => {
                Err(self.wrong(name, &format!("a number from {least} to {most}"), &value))
            }
            _ => Err(self.wrong(name, &format!("a number from {least}"), &value)),
        }
    }

    fn count(&self, name: &str, value: Option<ScalarValue>) -> Result<Option<usize>, Failure> {
        let Some(value) = value else {
            return Ok(None);
        };
        let number = match value.data_type().is_integer() {
            true => value
                .cast_to(&datafusion::arrow::datatypes::DataType::Int64)
                .ok(),
            false => None,
        };
        match number {
            Some(ScalarValue::Int64(Some(number))) if number > 0 => {
                Ok(usize::try_from(number).ok())
            }
            _ => Err(self.wrong(name, "a whole number from 1", &value)),
        }
    }

    fn wrong(&self, name: &str, wanted: &str, found: &ScalarValue) -> Failure {
        Failure::new(
            FailureKind::Plan,
            format!(
                "`{}` needs {wanted} as `{name}`, not `{found}`",
                self.function.name
            ),
        )
        .hint(format!("it is used as {}", self.function.usage))
    }
}
