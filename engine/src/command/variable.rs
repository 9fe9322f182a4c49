//! `\set` and `\unset`: text variables, which stand in statements as `:name`, `:'name'` and `:"name"`.
//!
//! How the session behaves is SQL's `SET lakesh.name = value`, not these.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

pub(super) struct Set;

impl Set {
    fn assign(invocation: &Invocation) -> Result<(), Failure> {
        let Some((name, values)) = invocation.arguments().split_first() else {
            return Ok(());
        };
        require_name(invocation, &name.value).map_err(|failure| failure.at(name.place.clone()))?;
        let value = values.iter().map(|value| value.value.as_str()).collect();
        invocation.session().set_variable(&name.value, Some(value));
        Ok(())
    }
}

#[async_trait]
impl Command for Set {
    fn names(&self) -> &'static [&'static str] {
        &["set"]
    }

    fn usage(&self) -> &'static str {
        "\\set [NAME [VALUE…]]"
    }

    fn summary(&self) -> &'static str {
        "sets a text variable, written `:name` in statements; without a name, lists the variables"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\set day 2024-01-31", "\\set"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=usize::MAX)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        Self::assign(invocation)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        Self::assign(invocation)?;
        if invocation.arguments().is_empty() {
            let variables = invocation.session().variables();
            let lines = variables
                .iter()
                .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")));
            invocation.print(lines.collect::<String>()).await?;
        }
        Ok(invocation.done())
    }
}

pub(super) struct Unset;

impl Unset {
    fn remove(invocation: &Invocation) -> Result<(), Failure> {
        for name in invocation.arguments() {
            require_name(invocation, &name.value)
                .map_err(|failure| failure.at(name.place.clone()))?;
            invocation.session().set_variable(&name.value, None);
        }
        Ok(())
    }
}

#[async_trait]
impl Command for Unset {
    fn names(&self) -> &'static [&'static str] {
        &["unset"]
    }

    fn usage(&self) -> &'static str {
        "\\unset NAME…"
    }

    fn summary(&self) -> &'static str {
        "removes text variables"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\unset day"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=usize::MAX)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        Self::remove(invocation)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        Self::remove(invocation)?;
        Ok(invocation.done())
    }
}

/// Refuses what cannot be written as `:name`.
pub(super) fn require_name(invocation: &Invocation, name: &str) -> Result<(), Failure> {
    let starts_well = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let goes_on_well = name
        .chars()
        .all(|character| character.is_alphanumeric() || character == '_');
    if starts_well && goes_on_well {
        return Ok(());
    }
    let failure = invocation.wrong(format!("`{name}` is not a variable's name"));
    Err(if name.contains('=') || name.contains('.') {
        failure.hint("`\\set name value` sets a text variable; `SET name = value;` sets how the session behaves")
    } else {
        failure.hint("use letters, digits and `_`, and begin with a letter")
    })
}
