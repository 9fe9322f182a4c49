//! `\versions` and `\diff`: the past of a Delta table. Each stands for a SQL statement and runs it.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

/// `\versions`.
pub(super) struct Versions;

#[async_trait]
impl Command for Versions {
    fn names(&self) -> &'static [&'static str] {
        &["versions"]
    }

    fn usage(&self) -> &'static str {
        "\\versions NAME"
    }

    fn summary(&self) -> &'static str {
        "lists the versions of a Delta table with their times, newest first (table_history)"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["CREATE TABLE t AS SELECT 1 AS n;\n\\versions t"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=1)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let name = invocation.argument(0).map_or("", |name| &name.quoted);
        let columns = "version, timestamp, operation, \"operationParameters\" AS parameters";
        let call = format!("table_history({})", literal(name));
        let sql = format!("SELECT {columns} FROM {call} ORDER BY version DESC");
        invocation.run_statement(sql).await
    }
}

/// `\diff`.
pub(super) struct Diff;

#[async_trait]
impl Command for Diff {
    fn names(&self) -> &'static [&'static str] {
        &["diff"]
    }

    fn usage(&self) -> &'static str {
        "\\diff NAME FROM TO [KEY …]"
    }

    fn summary(&self) -> &'static str {
        "shows the rows that differ between two versions of a Delta table (DIFF TABLE)"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["CREATE TABLE t AS SELECT 1 AS n;\nINSERT INTO t VALUES (2);\n\\diff t 0 1"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(3..=32)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let mut arguments = invocation.arguments().iter();
        let mut next = || arguments.next().map_or("", |argument| &argument.quoted);
        let (name, from, to) = (next(), next(), next());
        let kind = match [from, to].iter().all(|end| end.parse::<u64>().is_ok()) {
            true => "VERSION",
            false => "TIMESTAMP",
        };
        let mut sql = format!("DIFF TABLE {name} {kind} {from} TO {to}");
        let keys: Vec<&str> = arguments.map(|key| key.quoted.as_str()).collect();
        if !keys.is_empty() {
            sql.push_str(&format!(" ON ({})", keys.join(", ")));
        }
        invocation.run_statement(sql).await
    }
}

/// `\undo`.
pub(super) struct Undo;

#[async_trait]
impl Command for Undo {
    fn names(&self) -> &'static [&'static str] {
        &["undo"]
    }

    fn usage(&self) -> &'static str {
        "\\undo"
    }

    fn summary(&self) -> &'static str {
        "takes back what this session changed last in a Delta table (UNDO); again, it is done again"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["CREATE TABLE t AS SELECT 1 AS n;\nINSERT INTO t VALUES (2);\n\\undo"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=0)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        invocation.run_statement("UNDO".to_owned()).await
    }
}

/// Writes a name or a path in quotes as the string that table functions take.
fn literal(name: &str) -> String {
    match name.starts_with('\'') {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "''")),
    }
}
