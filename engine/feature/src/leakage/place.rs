//! Finds an expression of a plan in the text that it was made of.

use std::ops::{ControlFlow, Range};

use datafusion::common::Span;
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{Expr, visit_expressions};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use lakesh_session::StatementContext;
use lakesh_session::scope::Opened;
use lakesh_sql::DIALECT;
use lakesh_sql::{Query, normalized};
use lakesh_text::input::offset_of;
use lakesh_text::source::{Place, Source};

use super::walk::Cause;

/// An expression in a text.
pub(super) struct Located {
    pub(super) place: Place,
    /// `3:25`, or `view spent 1:40`.
    pub(super) shown: String,
    pub(super) expression: String,
}

/// A call of a function in a text, with its OVER and FILTER.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    name: String,
    range: Range<usize>,
}

/// The calls of a statement's text.
pub(super) struct Text<'a> {
    context: &'a StatementContext,
    calls: Vec<Call>,
}

impl<'a> Text<'a> {
    /// Reads the calls of a query before its names are resolved.
    pub(super) fn new(context: &'a StatementContext, query: &Query) -> Self {
        let calls = calls(&query.tree, &context.text.text);
        Self { context, calls }
    }

    /// Finds an expression.
    pub(super) fn find(&self, cause: &Cause, opened: &Opened) -> Option<Located> {
        let Some(body) = cause.body else {
            let text = &self.context.text;
            let range = range(cause, &text.text, &self.calls)?;
            let place = text.original(range);
            let (line, column) = place.line_and_column();
            return Some(Located {
                shown: format!("{line}:{column}"),
                expression: one_line(place.text()),
                place,
            });
        };
        let (name, query) = opened.text(body)?;
        let parsed = lakesh_sql::parse_query(query).ok()?;
        let range = range(cause, query, &calls(&parsed.tree, query))?;
        let source = Source::new(format!("view {name}"), query);
        let place = Place::new(&source, range);
        let (line, column) = place.line_and_column();
        Some(Located {
            shown: format!("view {name} {line}:{column}"),
            expression: one_line(place.text()),
            place,
        })
    }
}

/// Puts a text that may go over several lines into one.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn range(cause: &Cause, text: &str, calls: &[Call]) -> Option<Range<usize>> {
    let spans: Vec<Range<usize>> = cause.spans.iter().map(|span| bytes(span, text)).collect();
    if let Some(function) = &cause.function {
        let holds = |call: &Call| {
            let inside = |span: &&Range<usize>| call.range.contains(&span.start);
            spans.iter().filter(inside).count()
        };
        let named: Vec<&Call> = calls
            .iter()
            .filter(|call| is_called(&call.name, function))
            .collect();
        let best = named
            .iter()
            .max_by_key(|call| (holds(call), std::cmp::Reverse(call.range.len())));
        if let Some(best) = best
            && (holds(best) > 0 || named.len() == 1)
        {
            return Some(best.range.clone());
        }
    }
    let start = spans.iter().map(|span| span.start).min()?;
    let end = spans.iter().map(|span| span.end).max()?;
    Some(start..end.max(start))
}

/// Says whether a function goes by a name in the text; some have several.
fn is_called(in_text: &str, function: &str) -> bool {
    in_text == function
        || matches!(
            (in_text, function),
            ("mean", "avg") | ("stddev_samp", "stddev") | ("var_samp" | "var_sample", "var")
        )
}

fn bytes(span: &Span, text: &str) -> Range<usize> {
    let start = offset_of(text, span.start.line, span.start.column);
    let end = offset_of(text, span.end.line, span.end.column);
    start..end.max(start)
}

fn calls(tree: &ParsedStatement, text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    if let ParsedStatement::Statement(statement) = tree {
        let _: ControlFlow<()> = visit_expressions(statement.as_ref(), |expression| {
            if let Expr::Function(function) = expression
                && let Some(ident) = function.name.0.last().and_then(|part| part.as_ident())
                && ident.span.start.line > 0
            {
                let start = offset_of(text, ident.span.start.line, ident.span.start.column);
                calls.push(Call {
                    name: normalized(ident),
                    range: start..start + call_length(&text[start..]),
                });
            }
            ControlFlow::Continue(())
        });
    }
    calls
}

/// Returns the length of the call that a text begins with: its arguments, FILTER and OVER with it.
fn call_length(text: &str) -> usize {
    let Ok(tokens) = Tokenizer::new(&DIALECT, text).tokenize_with_location() else {
        return text.find(['(', ' ']).unwrap_or(text.len());
    };
    let end_of = |span: datafusion::sql::sqlparser::tokenizer::Span| {
        offset_of(text, span.end.line, span.end.column)
    };
    let mut depth = 0_usize;
    let mut end = 0;
    let mut goes_on = true;
    let words = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)));
    for token in words {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                let Some(less) = depth.checked_sub(1) else {
                    break;
                };
                depth = less;
                goes_on = false;
            }
            Token::Word(word) if depth == 0 && !goes_on => {
                let is_clause = ["over", "filter", "within", "ignore", "respect"]
                    .iter()
                    .any(|clause| word.value.eq_ignore_ascii_case(clause));
                if !is_clause {
                    break;
                }
                goes_on = true;
            }
            // The name of a window, GROUP behind WITHIN, NULLS behind IGNORE.
            Token::Word(word) if depth == 0 => {
                goes_on = end == 0 || word.value.eq_ignore_ascii_case("group");
            }
            _ if depth == 0 && !goes_on => break,
            _ => {}
        }
        end = end_of(token.span);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::call_length;

    #[track_caller]
    fn check(text: &str, call: &str) {
        assert_eq!(&text[..call_length(text)], call);
    }

    #[test]
    fn calls_end_behind_their_clauses() {
        check("avg(x) AS a, b", "avg(x)");
        check("avg(f(x) + 1) + 2", "avg(f(x) + 1)");
        check(
            "sum(x) OVER (PARTITION BY g ORDER BY t) AS s FROM t",
            "sum(x) OVER (PARTITION BY g ORDER BY t)",
        );
        check("sum(x) OVER w AS s FROM t", "sum(x) OVER w");
        check(
            "sum(x) FILTER (WHERE y) OVER w, z",
            "sum(x) FILTER (WHERE y) OVER w",
        );
        check("lag(x)) FROM t", "lag(x)");
        check("count(*)\nFROM t", "count(*)");
    }
}
