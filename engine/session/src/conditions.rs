//! `\if` … `\elif` … `\else` … `\endif`: which branches run.

use lakesh_text::failure::{Failure, FailureKind};

/// The `\if`s that are open, the outermost first.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    open: Vec<Condition>,
}

/// An open `\if`.
#[derive(Debug)]
struct Condition {
    /// Whether what stands around it runs at all.
    reached: bool,
    /// Whether one of its branches has run already.
    decided: bool,
    /// Whether the branch that is being read runs.
    runs: bool,
    /// Whether its last branch has begun.
    in_else: bool,
}

impl Conditions {
    /// Tells whether what is read now runs.
    pub(crate) fn runs(&self) -> bool {
        self.open.last().is_none_or(|condition| condition.runs)
    }

    /// Tells whether the next branch will need its condition to be known.
    pub(crate) fn asks(&self, is_first: bool) -> bool {
        match (is_first, self.open.last()) {
            (true, _) => self.runs(),
            (false, Some(condition)) => condition.reached && !condition.decided,
            (false, None) => true,
        }
    }

    /// Begins `\if`.
    pub(crate) fn begin(&mut self, holds: bool) {
        let reached = self.runs();
        self.open.push(Condition {
            reached,
            decided: holds,
            runs: reached && holds,
            in_else: false,
        });
    }

    /// Begins the next branch: `\elif`, or `\else`, for which there is no condition.
    pub(crate) fn next(&mut self, holds: Option<bool>) -> Result<(), Failure> {
        let name = if holds.is_some() { "elif" } else { "else" };
        let Some(condition) = self.open.last_mut() else {
            return Err(without_if(name));
        };
        if condition.in_else {
            let message = format!("`\\{name}` stands behind `\\else`");
            return Err(Failure::new(FailureKind::Usage, message));
        }
        condition.in_else = holds.is_none();
        condition.runs = condition.reached && !condition.decided && holds.unwrap_or(true);
        condition.decided |= condition.runs;
        Ok(())
    }

    /// Ends `\if`.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        match self.open.pop() {
            Some(_) => Ok(()),
            None => Err(without_if("endif")),
        }
    }

    /// Returns how many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    /// Closes what was left open beyond so many; fails if there was anything.
    pub(crate) fn close(&mut self, until: usize) -> Result<(), Failure> {
        if self.open.len() <= until {
            return Ok(());
        }
        self.open.truncate(until);
        Err(Failure::new(FailureKind::Usage, "`\\if` has no `\\endif`"))
    }
}

fn without_if(name: &str) -> Failure {
    let message = format!("`\\{name}` has no `\\if` before it");
    Failure::new(FailureKind::Usage, message)
}
