//! Puts the SQL of functions into the places of their calls.
//!
//! A call that is not written as its function wants it is refused here, with the usage of the function.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function as Tree, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, OrderByExpr,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use lakesh_sql::{normalized, parse_expression, syntax_error};

use crate::lambda;
use crate::placed::with_place;
use crate::registry::{Body, Form, find};
use crate::shares::several;

/// A call of a function by its name alone.
#[derive(Debug)]
pub struct Call<'a> {
    /// The name in lower case, or as it stands in quotes.
    pub name: &'a str,
    /// The call as it is written; what stands in its arguments has been expanded.
    pub tree: &'a Tree,
    /// Whether a function of this name is registered: only calls that are written as no call of it can be are
    /// then looked at here.
    pub is_registered: bool,
}

/// Returns what a call stands for; `None` where it is planned as it is.
///
/// `is_aggregate` says which functions of the SQL that is put in are aggregates.
pub fn expanded(
    call: &Call<'_>,
    is_aggregate: &dyn Fn(&str) -> bool,
) -> Result<Option<Expr>, DataFusionError> {
    if let Some(list) = several(call.name, call.tree) {
        return Ok(Some(list));
    }
    let Some(function) = find(call.name) else {
        return Ok(None);
    };
    let wrong = |problem: &str| {
        let message = format!("`{}` {problem}: {}", call.name, function.usage);
        syntax_error(&message, span_of(call.tree).start)
    };
    if let (Some(write), Ok(arguments)) = (function.special, plain_arguments(call.tree))
        && let Some(expression) = write(arguments).map_err(|problem| wrong(&problem))?
    {
        return Ok(Some(placed(expression, call.tree)));
    }
    if let Body::Tree(write) = function.body {
        // Such a function may share its name with one that takes other arguments.
        let arguments = match plain_arguments(call.tree) {
            Ok(arguments) => arguments,
            Err(_) if call.is_registered => return Ok(None),
            Err(problem) => return Err(wrong(problem)),
        };
        let written = write(arguments).map_err(|problem| wrong(&problem))?;
        return match written {
            Some(expression) => Ok(Some(placed(expression, call.tree))),
            None if call.is_registered => Ok(None),
            None => Err(wrong("is not called so")),
        };
    }
    if let Body::Lambda(other) = function.body {
        let other = match with_place(other, call.name) {
            Some(placed) if lambda::takes_place(call.tree) => placed,
            _ => other,
        };
        if call.name == other && lambda::has_lambda(call.tree) {
            return Ok(None);
        }
        return lambda::renamed(call.tree, other)
            .map(Some)
            .map_err(|problem| wrong(&problem));
    }
    match &function.body {
        Body::Grouped(forms) if call.is_registered && !takes(forms, call.tree) => Ok(None),
        Body::Renamed(_) | Body::Written(_) if call.is_registered => Ok(None),
        Body::Renamed(other) => Ok(Some(renamed(call.tree, other))),
        Body::Written(forms) => {
            let arguments = plain_arguments(call.tree).map_err(wrong)?;
            let form = chosen(forms, arguments.len()).map_err(|problem| wrong(&problem))?;
            let body = piece(form.sql)?;
            let values = bound(form, arguments).map_err(|problem| wrong(&problem))?;
            Ok(Some(placed(filled(body, &values), call.tree)))
        }
        Body::Grouped(forms) => {
            let FunctionArguments::List(list) = &call.tree.args else {
                return Err(wrong("takes arguments in brackets"));
            };
            let form = chosen(forms, list.args.len()).map_err(|problem| wrong(&problem))?;
            let mut body = piece(form.sql)?;
            hand_clauses_over(&mut body, call.tree, list, is_aggregate);
            let values = bound(form, &list.args).map_err(|problem| wrong(&problem))?;
            Ok(Some(placed(filled(body, &values), call.tree)))
        }
        Body::Tree(_) | Body::Lambda(_) | Body::Kernel(_) | Body::Aggregate(_) => Ok(None),
    }
}

/// The arguments of a call that has nothing else.
fn plain_arguments(call: &Tree) -> Result<&[FunctionArg], &'static str> {
    let FunctionArguments::List(list) = &call.args else {
        return Err("takes arguments in brackets");
    };
    let plain = call.over.is_none()
        && call.filter.is_none()
        && call.within_group.is_empty()
        && call.null_treatment.is_none()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    match plain {
        true => Ok(&list.args),
        false => Err("takes nothing but arguments"),
    }
}

/// Says whether a form has as many parameters as a call has arguments.
fn takes(forms: &[Form], call: &Tree) -> bool {
    match &call.args {
        FunctionArguments::List(list) => forms
            .iter()
            .any(|form| form.parameters.len() == list.args.len()),
        _ => false,
    }
}

fn chosen(forms: &'static [Form], count: usize) -> Result<&'static Form, String> {
    let found = forms.iter().find(|form| form.parameters.len() == count);
    found.ok_or_else(|| {
        let mut counts: Vec<usize> = forms.iter().map(|form| form.parameters.len()).collect();
        counts.sort_unstable();
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        let noun = match counts.as_slice() {
            [one] if one == "1" => "argument",
            _ => "arguments",
        };
        format!("takes {} {noun}, not {count}", counts.join(" or "))
    })
}

/// Binds the arguments to a form's parameters, by position and by name.
fn bound(form: &Form, arguments: &[FunctionArg]) -> Result<Vec<(&'static str, Expr)>, String> {
    let mut values: Vec<(&'static str, Option<Expr>)> =
        form.parameters.iter().map(|name| (*name, None)).collect();
    for (position, argument) in arguments.iter().enumerate() {
        let (place, value) = match argument {
            FunctionArg::Unnamed(value) => (Some(position), value),
            FunctionArg::Named { name, arg, .. }
            | FunctionArg::ExprNamed {
                name: Expr::Identifier(name),
                arg,
                ..
            } => {
                let name = normalized(name);
                (form.parameters.iter().position(|known| *known == name), arg)
            }
            FunctionArg::ExprNamed { .. } => (None, argument_of(argument)),
        };
        let FunctionArgExpr::Expr(value) = value else {
            return Err(format!("cannot take `{value}`"));
        };
        match place.and_then(|place| values.get_mut(place)) {
            None => return Err(format!("has no parameter for `{argument}`")),
            Some((_, Some(_))) => return Err("is given an argument twice".to_owned()),
            Some((_, free)) => *free = Some(value.clone()),
        }
    }
    let values = values.into_iter().map(|(name, value)| match value {
        Some(value) => Ok((name, value)),
        None => Err(format!("needs `{name}`")),
    });
    values.collect()
}

fn argument_of(argument: &FunctionArg) -> &FunctionArgExpr {
    match argument {
        FunctionArg::Unnamed(value)
        | FunctionArg::Named { arg: value, .. }
        | FunctionArg::ExprNamed { arg: value, .. } => value,
    }
}

/// Puts values into the places of parameters.
fn filled(mut body: Expr, values: &[(&'static str, Expr)]) -> Expr {
    let _: ControlFlow<()> = visit_expressions_mut(&mut body, |node| {
        // Nodes are visited bottom-up, so that what a value holds is not visited.
        if let Expr::Identifier(word) = node {
            let found = values
                .iter()
                .find(|(name, _)| word.value.strip_prefix(MARK) == Some(*name));
            if let Some((_, value)) = found {
                *node = in_brackets(value.clone());
            }
        }
        ControlFlow::Continue(())
    });
    in_brackets(body)
}

/// Puts an expression into brackets, where it needs any.
pub(crate) fn in_brackets(expression: Expr) -> Expr {
    match expression {
        plain @ (Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Function(_)
        | Expr::Nested(_)
        | Expr::Case { .. }
        | Expr::Cast { .. }) => plain,
        other => Expr::Nested(Box::new(other)),
    }
}

/// Gives ORDER BY, FILTER, OVER and DISTINCT of a call to the aggregates that stand for it.
fn hand_clauses_over(
    body: &mut Expr,
    call: &Tree,
    list: &FunctionArgumentList,
    is_aggregate: &dyn Fn(&str) -> bool,
) {
    let _: ControlFlow<()> = visit_expressions_mut(body, |node| {
        if let Expr::Function(inner) = node
            && is_aggregate(&inner.name.to_string())
        {
            hand_over(inner, call, list);
        }
        ControlFlow::Continue(())
    });
}

fn hand_over(inner: &mut Tree, call: &Tree, list: &FunctionArgumentList) {
    inner.over = call.over.clone();
    inner.null_treatment = call.null_treatment;
    let filters = [inner.filter.take(), call.filter.clone()];
    inner.filter = filters.into_iter().flatten().reduce(|left, right| {
        Box::new(Expr::BinaryOp {
            left: Box::new(in_brackets(*left)),
            op: BinaryOperator::And,
            right: Box::new(in_brackets(*right)),
        })
    });
    if let FunctionArguments::List(own) = &mut inner.args {
        if list.duplicate_treatment.is_some() {
            own.duplicate_treatment = list.duplicate_treatment;
        }
        // An order that the function itself needs stands before that of the call.
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => add_order(own, order.clone()),
                other => own.clauses.push(other.clone()),
            }
        }
        if !call.within_group.is_empty() {
            add_order(own, call.within_group.clone());
        }
    }
}

fn add_order(list: &mut FunctionArgumentList, order: Vec<OrderByExpr>) {
    for clause in &mut list.clauses {
        if let FunctionArgumentClause::OrderBy(own) = clause {
            own.extend(order);
            return;
        }
    }
    list.clauses.push(FunctionArgumentClause::OrderBy(order));
}

/// The call under another name.
pub(crate) fn renamed(call: &Tree, other: &str) -> Expr {
    let mut name = Ident::new(other);
    name.span = span_of(call);
    let mut call = call.clone();
    call.name = ObjectName::from(vec![name]);
    Expr::Function(call)
}

/// Returns a call of a function with nothing but arguments.
pub(crate) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let arguments = arguments.into_iter();
    Expr::Function(Tree {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments
                .map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value)))
                .collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Puts values into the places of the names in a piece of SQL, which is known to be one.
pub(crate) fn sql(text: &str, values: &[(&'static str, Expr)]) -> Result<Expr, String> {
    let body = piece(text).map_err(|error| error.to_string())?;
    Ok(filled(body, values))
}

/// The arguments as expressions, where each is one and has no name.
pub(crate) fn expressions(arguments: &[FunctionArg]) -> Option<Vec<&Expr>> {
    let values = arguments.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    });
    values.collect()
}

/// What stands in `[…]` or `array(…)`; names have been looked up by now, and lists are calls of `make_array`.
pub(crate) fn elements_of(list: &Expr) -> Option<Vec<Expr>> {
    match list {
        Expr::Array(array) => Some(array.elem.clone()),
        Expr::Function(made) if made.name.to_string() == "make_array" => match &made.args {
            FunctionArguments::List(list) => {
                let elements = expressions(&list.args)?;
                Some(elements.into_iter().cloned().collect())
            }
            _ => None,
        },
        _ => None,
    }
}

fn span_of(call: &Tree) -> Span {
    let name = call.name.0.last().and_then(ObjectNamePart::as_ident);
    name.map_or(Span::empty(), |ident| ident.span)
}

/// Stands before the parameters of a piece of SQL, so that no column is taken for one.
const MARK: char = '\0';

/// Parses a piece of SQL; nothing of it has a place in the user's text.
fn piece(text: &str) -> Result<Expr, DataFusionError> {
    let mut expression = parse_expression(text)?;
    let _: ControlFlow<()> = visit_expressions_mut(&mut expression, |node| {
        if let Expr::Identifier(word) = node {
            word.value.insert(0, MARK);
        }
        ControlFlow::Continue(())
    });
    for_each_word(&mut expression, &mut |word| word.span = Span::empty());
    Ok(expression)
}

/// Gives what has no place in the text the place of the call: errors in it are about the call.
fn placed(mut expression: Expr, call: &Tree) -> Expr {
    let span = span_of(call);
    for_each_word(&mut expression, &mut |word| {
        if word.span == Span::empty() {
            word.span = span;
        }
    });
    expression
}

fn for_each_word(expression: &mut Expr, change: &mut dyn FnMut(&mut Ident)) {
    let _: ControlFlow<()> = visit_expressions_mut(expression, |node| {
        match node {
            Expr::Identifier(word) => change(word),
            Expr::Function(call) => {
                for part in &mut call.name.0 {
                    if let ObjectNamePart::Identifier(word) = part {
                        change(word);
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::ast::Expr;
    use lakesh_sql::parse_expression;

    use super::{Call, expanded};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let Expr::Function(tree) = parse_expression(text).unwrap() else {
            panic!("{text} is no call")
        };
        let name = tree.name.to_string();
        let call = Call {
            name: &name,
            tree: &tree,
            is_registered: false,
        };
        let is_aggregate = |name: &str| ["array_agg", "count", "first_value"].contains(&name);
        let shown = match expanded(&call, &is_aggregate) {
            Ok(Some(expression)) => expression.to_string(),
            Ok(None) => "as it is".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn arguments_stand_in_the_places_of_parameters() {
        check("zeroifnull(a + b)", "coalesce((a + b), 0)");
        check("iff(a, 1, 2)", "CASE WHEN a THEN 1 ELSE 2 END");
    }

    #[test]
    fn clauses_of_aggregates_move_along() {
        check(
            "count_if(a) FILTER (WHERE b)",
            "count(*) FILTER (WHERE a AND b)",
        );
        check("list(a ORDER BY b)", "array_agg(a ORDER BY b)");
        check(
            "arg_max(a, b ORDER BY y) FILTER (WHERE x)",
            "first_value(a ORDER BY b DESC, y) FILTER (WHERE (a IS NOT NULL AND b IS NOT NULL) AND x)",
        );
    }

    #[test]
    fn a_wrong_number_of_arguments_is_said_with_the_usage() {
        check("zeroifnull(1, 2)", "takes 1 argument, not 2");
        check("zeroifnull(1, 2)", "zeroifnull(x)");
    }
}
