//! `\conninfo`: what this session is connected with.

use std::fmt::Write as _;

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_session::moment_text;
use lakesh_text::effect::Effect;
use lakesh_text::failure::Failure;
use lakesh_text::quantity::format_size;

pub(super) struct ConnectionInfo;

#[async_trait]
impl Command for ConnectionInfo {
    fn names(&self) -> &'static [&'static str] {
        &["conninfo", "show"]
    }

    fn usage(&self) -> &'static str {
        "\\conninfo"
    }

    fn summary(&self) -> &'static str {
        "says which catalog, schema and folder this session works with, and what it may do"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\conninfo"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let session = invocation.session();
        let catalog = match session.catalog().location().folder() {
            Some(folder) => folder.display().to_string(),
            None => "in memory".to_owned(),
        };
        let rights = match session.may(Effect::WriteTables) {
            true => "reads and writes",
            false => "reads only",
        };
        let moment = session.as_of().map_or("now".to_owned(), moment_text);
        let lines = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("catalog", catalog),
            ("schema", session.current_schema()),
            ("folder", session.working_directory().display().to_string()),
            ("tables as of", moment),
            ("rights", rights.to_owned()),
            ("memory limit", format_size(session.memory().usage().limit)),
        ];
        let mut text = String::new();
        for (name, value) in lines {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:12}  {value}");
        }
        invocation.print(text).await?;
        Ok(invocation.done())
    }
}
