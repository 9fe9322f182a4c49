//! `\param`: binds `$name` to a typed value, as `--param` does.
//!
//! In a notebook a cell of these, tagged `parameters`, holds the defaults that a run may override.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_session::parse_parameter;
use lakesh_text::failure::Failure;

pub(super) struct Parameter;

impl Parameter {
    fn bind(invocation: &Invocation) -> Result<(), Failure> {
        for argument in invocation.arguments() {
            let (name, value) = parse_parameter(&argument.value)
                .map_err(|failure| failure.at(argument.place.clone()))?;
            invocation.session().set_parameter(&name, value);
        }
        Ok(())
    }
}

#[async_trait]
impl Command for Parameter {
    fn names(&self) -> &'static [&'static str] {
        &["param"]
    }

    fn usage(&self) -> &'static str {
        "\\param NAME=VALUE…"
    }

    fn summary(&self) -> &'static str {
        "binds `$name` in statements to a value; NAME:TYPE=VALUE names its type"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\param day=2024-01-31 'city=New York' code:varchar=007"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=usize::MAX)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        Self::bind(invocation)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        Self::bind(invocation)?;
        Ok(invocation.done())
    }
}
