//! Commands that people's fingers know from psql, DuckDB's and SQLite's shells, where ours has other words.

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Arguments, Command, Invocation, find};
use lakesh_text::failure::Failure;

use super::output::{absolute, require_files, require_format};

/// `\once`: one result into a file.
pub(super) struct Once;

#[async_trait]
impl Command for Once {
    fn names(&self) -> &'static [&'static str] {
        &["once"]
    }

    fn usage(&self) -> &'static str {
        "\\once FILE"
    }

    fn summary(&self) -> &'static str {
        "writes the next result to a file, in the format of its suffix"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\once out.csv"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=1)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        let Some(file) = invocation.argument(0) else {
            return Ok(());
        };
        require_files(invocation)?;
        require_format(invocation, file)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        self.check(invocation)?;
        if let Some(file) = invocation.argument(0) {
            let file = absolute(invocation, &file.value);
            invocation.send(Event::Once(file)).await?;
        }
        Ok(invocation.done())
    }
}

/// `\copy`: COPY, as psql writes it.
pub(super) struct Copy;

#[async_trait]
impl Command for Copy {
    fn names(&self) -> &'static [&'static str] {
        &["copy"]
    }

    fn usage(&self) -> &'static str {
        "\\copy TABLE | (QUERY) TO | FROM 'FILE' [OPTIONS]"
    }

    fn summary(&self) -> &'static str {
        "is COPY: there is no server, so that both run here"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\copy (SELECT 1 AS a) TO 'out.csv'"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Text
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let text = invocation.text().trim_end_matches(';');
        invocation.run_statement(format!("COPY {text}")).await
    }
}

/// `.import`: a file's rows into a table.
pub(super) struct Import;

#[async_trait]
impl Command for Import {
    fn names(&self) -> &'static [&'static str] {
        &["import"]
    }

    fn usage(&self) -> &'static str {
        "\\import FILE TABLE"
    }

    fn summary(&self) -> &'static str {
        "adds the rows of a file to a table, which is made if it is not there"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["COPY (SELECT 1 AS a) TO 'out.csv';\n\\import out.csv imported"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(2..=2)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let [file, table] = invocation.arguments() else {
            return Err(invocation.wrong("`\\import` takes a file and a table"));
        };
        let session = invocation.session();
        let schema = session.current_schema();
        let is_there = session
            .table_names(&schema)
            .await?
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&table.value));
        let file = format!("'{}'", file.value.replace('\'', "''"));
        let sql = match is_there {
            true => format!("INSERT INTO {} SELECT * FROM {file}", table.quoted),
            false => format!("CREATE TABLE {} AS SELECT * FROM {file}", table.quoted),
        };
        invocation.run_statement(sql).await
    }
}

/// `\pset`: psql's options of how results look.
pub(super) struct Pset;

/// The options of psql that are commands here: its name, and the command.
const PSET: &[(&str, &str)] = &[
    ("format", "mode"),
    ("null", "nullvalue"),
    ("expanded", "x"),
    ("x", "x"),
    ("pager", "pager"),
    ("maxrows", "maxrows"),
    ("timing", "timing"),
];

#[async_trait]
impl Command for Pset {
    fn names(&self) -> &'static [&'static str] {
        &["pset"]
    }

    fn usage(&self) -> &'static str {
        "\\pset OPTION [VALUE]"
    }

    fn summary(&self) -> &'static str {
        "is psql's way to `\\mode`, `\\nullvalue`, `\\x`, `\\header`, `\\pager`, `\\maxrows`, `\\timing`"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "\\pset format csv",
            "\\pset null '-'",
            "\\pset tuples_only on",
        ]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=2)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let option = &invocation.arguments()[0];
        let value = invocation.argument(1);
        let value_text = value.map(|value| value.value.to_lowercase());
        let words = match option.value.to_lowercase().as_str() {
            // The rows alone is the header's absence.
            "tuples_only" | "t" => match value_text.as_deref() {
                Some("off" | "false" | "0") => "header on".to_owned(),
                _ => "header off".to_owned(),
            },
            name => {
                let Some((_, command)) = PSET.iter().find(|(option, _)| *option == name) else {
                    let names: Vec<_> = PSET.iter().map(|(name, _)| *name).collect();
                    return Err(invocation
                        .wrong(format!("`{}` is no option of `\\pset` here", option.value))
                        .hint(format!("options: {}, tuples_only", names.join(", ")))
                        .at(option.place.clone()));
                };
                let quoted = value.map_or("", |value| value.quoted.as_str());
                match (*command, quoted) {
                    ("mode", "aligned") => "mode table".to_owned(),
                    ("mode", "unaligned") => "mode csv".to_owned(),
                    (command, quoted) => format!("{command} {quoted}"),
                }
            }
        };
        run_command(invocation, &words).await
    }
}

/// Runs another command in the place of this one.
async fn run_command(invocation: &Invocation, words: &str) -> Result<Summary, Failure> {
    let name = words.split(' ').next().unwrap_or(words);
    if find(invocation.session().commands(), name).is_none() {
        return Err(invocation.wrong(format!("`\\{name}` needs a terminal")));
    }
    let source = lakesh_text::source::Source::new("\\pset", format!("\\{}", words.trim_end()));
    let place = lakesh_text::source::Place::new(&source, 0..source.text.len());
    let cell = lakesh_text::input::Cell::Command {
        place,
        statement: None,
    };
    lakesh_session::run_cell(invocation.session(), cell, invocation.events()?).await
}

/// A command of another shell that has no place here, and what serves instead.
pub(super) struct Elsewhere {
    names: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    why: &'static str,
    instead: &'static str,
}

pub(super) const OPEN: Elsewhere = Elsewhere {
    names: &["open"],
    usage: "\\open FOLDER",
    summary: "is refused: a session has one catalog; ATTACH brings in a folder of tables",
    why: "a session keeps the catalog that it began with",
    instead: "ATTACH 'folder' AS name brings its tables in; `lakesh --catalog FOLDER` begins with another catalog",
};

pub(super) const WIDTH: Elsewhere = Elsewhere {
    names: &["width"],
    usage: "\\width N…",
    summary: "is refused: columns are as wide as the screen lets them be; `\\x` shows wide rows as lists",
    why: "columns are fitted to the screen by themselves",
    instead: "`\\x` shows wide rows as lists",
};

#[async_trait]
impl Command for Elsewhere {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn usage(&self) -> &'static str {
        self.usage
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn examples(&self) -> &'static [&'static str] {
        &[]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=usize::MAX)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        Err(invocation.wrong(self.why).hint(self.instead))
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        self.check(invocation)?;
        Ok(invocation.done())
    }
}
