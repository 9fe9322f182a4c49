//! `\g`, `\gx`, `\gset`, `\gexec`, `\gdesc`: what becomes of the query that they end.
//!
//! Alone on a line they take the query before them. The names are psql's.

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;
use lakesh_text::source::{Place, Source};

use super::output::{absolute, require_files};
use super::query::{rows, statement};

/// The most statements that a query may make for `\gexec`.
const MOST_STATEMENTS: usize = 100_000;

/// `\g`: the rows, here or in a file.
pub(super) struct Go;

#[async_trait]
impl Command for Go {
    fn names(&self) -> &'static [&'static str] {
        &["g"]
    }

    fn usage(&self) -> &'static str {
        "\\g [FILE]"
    }

    fn summary(&self) -> &'static str {
        "runs the query that it ends, or the previous one again; with a file, its rows go there"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT 1 AS a \\g", "SELECT 1 AS a \\g out.csv"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        match invocation.argument(0) {
            Some(_) => require_files(invocation),
            None => Ok(()),
        }
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        self.check(invocation)?;
        let place = invocation.query()?;
        if let Some(file) = invocation.argument(0) {
            super::output::require_format(invocation, file)?;
            let file = absolute(invocation, &file.value);
            invocation.send(Event::Save(file)).await?;
        }
        run(invocation, &place).await
    }
}

/// `\gx`: the rows as lists.
pub(super) struct GoExpanded;

#[async_trait]
impl Command for GoExpanded {
    fn names(&self) -> &'static [&'static str] {
        &["gx", "G"]
    }

    fn usage(&self) -> &'static str {
        "\\gx"
    }

    fn summary(&self) -> &'static str {
        "runs the query that it ends, or the previous one again, and shows its rows as lists"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT 1 AS a \\gx"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let place = invocation.query()?;
        let cell = lakesh_text::input::Cell::Statement {
            place,
            terminator: lakesh_text::input::Terminator::GoExpanded,
        };
        lakesh_session::run_cell(invocation.session(), cell, invocation.events()?).await
    }
}

/// `\gset`: the row as variables.
pub(super) struct GoSet;

#[async_trait]
impl Command for GoSet {
    fn names(&self) -> &'static [&'static str] {
        &["gset"]
    }

    fn usage(&self) -> &'static str {
        "\\gset [PREFIX]"
    }

    fn summary(&self) -> &'static str {
        "puts the one row of the query that it ends into text variables, named like its columns"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "SELECT 7 AS n \\gset\nSELECT :n + 1 AS m;",
            "SELECT 'a' AS x \\gset my_\n\\echo :my_x",
        ]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let rows = rows(invocation, 1).await?;
        let Some(row) = rows.texts().into_iter().next() else {
            return Err(invocation
                .wrong("the query returns no row for `\\gset`")
                .at(invocation.query()?));
        };
        let prefix = invocation.argument(0);
        let prefix = prefix.map_or("", |argument| argument.value.as_str());
        for (name, value) in rows.names().iter().zip(row) {
            let name = format!("{prefix}{name}");
            super::variable::require_name(invocation, &name)
                .map_err(|failure| failure.hint("give the column a name with AS"))?;
            // As in psql: a variable of NULL is not there.
            invocation.session().set_variable(&name, value);
        }
        Ok(invocation.done())
    }
}

/// `\gexec`: the values as statements.
pub(super) struct GoExecute;

#[async_trait]
impl Command for GoExecute {
    fn names(&self) -> &'static [&'static str] {
        &["gexec"]
    }

    fn usage(&self) -> &'static str {
        "\\gexec"
    }

    fn summary(&self) -> &'static str {
        "runs each value of the query that it ends as a statement, row by row, to the first failure"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT 'SELECT ' || value || ' AS n' FROM range(2) \\gexec"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let rows = rows(invocation, MOST_STATEMENTS).await?;
        // The query stays the previous one, so that it can be mended and run again.
        for text in rows.texts().into_iter().flatten().flatten() {
            let text = text.trim().trim_end_matches(';');
            if text.is_empty() {
                continue;
            }
            let source = Source::new("\\gexec", text);
            let place = Place::new(&source, 0..source.text.len());
            let begin = std::time::Instant::now();
            let mut summary = run(invocation, &place).await?;
            summary.elapsed = begin.elapsed();
            invocation.send(Event::Step(summary)).await?;
        }
        Ok(invocation.done())
    }
}

/// `\gdesc`: the columns of the query, which does not run.
pub(super) struct GoDescribe;

#[async_trait]
impl Command for GoDescribe {
    fn names(&self) -> &'static [&'static str] {
        &["gdesc"]
    }

    fn usage(&self) -> &'static str {
        "\\gdesc"
    }

    fn summary(&self) -> &'static str {
        "shows the columns of the query that it ends and their types, without running it"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT 1 AS a, 'x' AS b \\gdesc"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let place = invocation.query()?;
        invocation
            .run_statement(format!("DESCRIBE {}", place.text()))
            .await
    }
}

/// Runs a statement as the user's own; its rows go where rows go.
async fn run(invocation: &Invocation, place: &Place) -> Result<Summary, Failure> {
    lakesh_session::run_cell(invocation.session(), statement(place), invocation.events()?).await
}
