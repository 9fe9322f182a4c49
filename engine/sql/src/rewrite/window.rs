//! Windows by name: `OVER w`, `OVER (w ROWS …)`.
//!
//! DataFusion resolves them in the list only and drops the name in brackets: `rank() OVER (w ORDER BY k)` is
//! planned without w's PARTITION BY, and `sum(k) OVER w` in ORDER BY as an aggregate. The rules are
//! PostgreSQL's: a window that refers to another adds an order or a frame and repeats nothing.
//! What a frame leaves out is marked among the keys (see `frame`), and is part of the frame.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, NamedWindowDefinition, NamedWindowExpr, Select, WindowSpec, WindowType,
};

use super::Rewritten;
use crate::complete::Refusal;
use crate::frame::marked;
use crate::normalized;

/// The windows that a SELECT defines.
#[derive(Default)]
pub(super) struct Windows {
    defined: Vec<(String, WindowSpec)>,
}

impl Windows {
    /// Reads the WINDOW clause.
    pub(super) fn of(select: &Select) -> Result<Self, Refusal> {
        let mut windows = Self::default();
        for NamedWindowDefinition(name, definition) in &select.named_window {
            let spec = match definition {
                NamedWindowExpr::NamedWindow(other) => windows.named(other)?.clone(),
                NamedWindowExpr::WindowSpec(spec) => windows.whole(spec)?,
            };
            if windows.named(name).is_ok() {
                return Err(Refusal::at(
                    name.span.start,
                    format!("window `{name}` is defined twice"),
                ));
            }
            windows.defined.push((normalized(name), spec));
        }
        Ok(windows)
    }

    /// Puts definitions in the place of names.
    pub(super) fn rewrite(&self, expression: &mut Expr) -> Rewritten {
        let Expr::Function(function) = expression else {
            return Ok(());
        };
        let spec = match &function.over {
            None => return Ok(()),
            Some(WindowType::NamedWindow(name)) => self.named(name)?.clone(),
            Some(WindowType::WindowSpec(spec)) if spec.window_name.is_none() => return Ok(()),
            Some(WindowType::WindowSpec(spec)) => self.whole(spec)?,
        };
        function.over = Some(WindowType::WindowSpec(spec));
        Ok(())
    }

    fn named(&self, name: &Ident) -> Result<&WindowSpec, Refusal> {
        let wanted = normalized(name);
        let found = self.defined.iter().find(|(known, _)| *known == wanted);
        found
            .map(|(_, spec)| spec)
            .ok_or_else(|| Refusal::at(name.span.start, format!("window `{name}` is not defined")))
    }

    /// Returns a window with what it takes from the one that it names.
    fn whole(&self, spec: &WindowSpec) -> Result<WindowSpec, Refusal> {
        let Some(name) = &spec.window_name else {
            return Ok(spec.clone());
        };
        let base = self.named(name)?;
        let (marks, keys): (Vec<_>, Vec<_>) = spec
            .partition_by
            .iter()
            .cloned()
            .partition(|key| marked(key).is_some());
        let twice = if !keys.is_empty() {
            Some("PARTITION BY")
        } else if !spec.order_by.is_empty() && !base.order_by.is_empty() {
            Some("ORDER BY")
        } else if base.window_frame.is_some() {
            Some("a frame")
        } else {
            None
        };
        if let Some(what) = twice {
            return Err(Refusal::at(
                name.span.start,
                format!("{what} of window `{name}` cannot be changed here"),
            ));
        }
        Ok(WindowSpec {
            window_name: None,
            partition_by: marks.into_iter().chain(base.partition_by.clone()).collect(),
            order_by: match spec.order_by.is_empty() {
                true => base.order_by.clone(),
                false => spec.order_by.clone(),
            },
            window_frame: spec.window_frame.clone(),
        })
    }
}
