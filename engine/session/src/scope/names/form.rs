//! Names of results where other expressions use them.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, visit_expressions};
use lakesh_sql::{Meaning, identifiers, meaning, syntax_error};

use super::{Names, Resolved, looked_up};

/// Longer expressions are not written out: each level of names could double them.
const LONGEST: usize = 100_000;

/// A column of the result.
pub(super) struct Given {
    pub(super) name: String,
    /// What it computes; nothing for columns that `*` brings.
    pub(super) value: Option<Expr>,
}

/// Finds what a name stands for among results.
pub(super) fn result<'a>(results: &'a [Given], wanted: &str) -> Meaning<'a> {
    meaning(results.iter().map(|given| given.name.as_str()), wanted)
}

impl Names<'_> {
    /// Returns what a result's name stands for, written out; nothing where no result has the name.
    pub(super) fn written_out(&self, results: &[Given], word: &Ident) -> Resolved<Option<Expr>> {
        let wanted = looked_up(word);
        let mut spelled = word.clone();
        let found = result(results, &wanted);
        if !self.spell(&mut spelled, &found)? {
            return Ok(None);
        }
        let name = looked_up(&spelled);
        let Some(value) = results
            .iter()
            .find(|given| given.name == name)
            .and_then(|given| given.value.as_ref())
        else {
            return Ok(None);
        };
        if let Some(function) = self.volatile(value) {
            return Err(syntax_error(
                &format!(
                    "`{name}` cannot be used again here: {function}() gives another value with each call; compute it in a subquery"
                ),
                word.span.start,
            ));
        }
        if value.to_string().len() > LONGEST {
            return Err(syntax_error(
                &format!("`{name}` is too long to be written out here; compute it in a subquery"),
                word.span.start,
            ));
        }
        Ok(Some(match value {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => value.clone(),
            other => Expr::Nested(Box::new(other.clone())),
        }))
    }

    /// Returns the first function in an expression that gives another value with each call.
    fn volatile(&self, value: &Expr) -> Option<String> {
        let found = visit_expressions(value, |node| {
            if let Expr::Function(function) = node
                && let Some([name]) = identifiers(&function.name).as_deref()
                && self.knowledge.is_volatile(&looked_up(name))
            {
                return ControlFlow::Break(looked_up(name));
            }
            ControlFlow::Continue(())
        });
        match found {
            ControlFlow::Break(name) => Some(name),
            ControlFlow::Continue(()) => None,
        }
    }
}
