//! `\d`, `\dt`, `\dv`, `\df`, `\dn`: what there is. Each stands for a SQL statement and runs it.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Argument, Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

/// A command that stands for a statement.
pub(super) struct ShowCommand {
    names: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    examples: &'static [&'static str],
    /// Writes the statement.
    statement: fn(Option<&Argument>) -> String,
}

pub(super) const DESCRIBE: ShowCommand = ShowCommand {
    names: &["d", "describe", "columns", "schema"],
    usage: "\\d [NAME]",
    summary: "lists the columns of a table, a view or a file (DESCRIBE); without a name, tables and views",
    examples: &["\\d", "\\d system.tables"],
    statement: |name| match name {
        Some(name) => format!("DESCRIBE {}", name.quoted),
        None => "SHOW TABLES".to_owned(),
    },
};

pub(super) const TABLES: ShowCommand = ShowCommand {
    names: &["dt", "tables"],
    usage: "\\dt [PATTERN]",
    summary: "lists tables and views (SHOW TABLES); `*` and `?` stand for any letters and one",
    examples: &["\\dt", "\\dt s*"],
    statement: |pattern| in_schema("SHOW TABLES", pattern),
};

pub(super) const VIEWS: ShowCommand = ShowCommand {
    names: &["dv", "views"],
    usage: "\\dv [PATTERN]",
    summary: "lists views (SHOW VIEWS)",
    examples: &["\\dv"],
    statement: |pattern| in_schema("SHOW VIEWS", pattern),
};

pub(super) const FUNCTIONS: ShowCommand = ShowCommand {
    names: &["df", "functions"],
    usage: "\\df [PATTERN]",
    summary: "lists functions (SHOW FUNCTIONS)",
    examples: &["\\df date*"],
    statement: |pattern| like("SHOW FUNCTIONS", pattern),
};

pub(super) const SCHEMAS: ShowCommand = ShowCommand {
    names: &["dn", "schemas"],
    usage: "\\dn [PATTERN]",
    summary: "lists schemas (SHOW SCHEMAS)",
    examples: &["\\dn"],
    statement: |pattern| like("SHOW SCHEMAS", pattern),
};

#[async_trait]
impl Command for ShowCommand {
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
        self.examples
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let statement = (self.statement)(invocation.argument(0));
        invocation.run_statement(statement).await
    }
}

/// Adds `IN schema` and `LIKE 'pattern'` for `schema.pattern`.
fn in_schema(statement: &str, pattern: Option<&Argument>) -> String {
    let Some(pattern) = pattern else {
        return statement.to_owned();
    };
    match split_at_dot(&pattern.quoted) {
        Some((schema, "")) => format!("{statement} IN {schema}"),
        Some((schema, name)) => {
            format!(
                "{statement} IN {schema} LIKE {}",
                like_pattern(&unquoted(name))
            )
        }
        None => like(statement, Some(pattern)),
    }
}

fn like(statement: &str, pattern: Option<&Argument>) -> String {
    match pattern {
        None => statement.to_owned(),
        Some(pattern) => format!("{statement} LIKE {}", like_pattern(&pattern.value)),
    }
}

/// Splits at the first dot outside quotes.
fn split_at_dot(name: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let dot = name.find(|character| {
        quoted ^= character == '"';
        character == '.' && !quoted
    })?;
    Some((&name[..dot], &name[dot + 1..]))
}

fn unquoted(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

/// Writes a pattern with `*` and `?` as the string literal of a LIKE pattern.
fn like_pattern(pattern: &str) -> String {
    let pattern: String = pattern
        .chars()
        .map(|character| match character {
            '*' => '%',
            '?' => '_',
            other => other,
        })
        .collect();
    format!("'{}'", pattern.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use lakesh_session::command::Argument;
    use lakesh_text::source::{Place, Source};

    use super::{DESCRIBE, FUNCTIONS, ShowCommand, TABLES};

    #[test]
    fn commands_stand_for_statements() {
        let cases: [(ShowCommand, &str, &str, &str); 7] = [
            (DESCRIBE, "\"My T\"", "My T", "DESCRIBE \"My T\""),
            (DESCRIBE, "'a.parquet'", "a.parquet", "DESCRIBE 'a.parquet'"),
            (TABLES, "s*", "s*", "SHOW TABLES LIKE 's%'"),
            (TABLES, "lake.", "lake.", "SHOW TABLES IN lake"),
            (
                TABLES,
                "lake.s?",
                "lake.s?",
                "SHOW TABLES IN lake LIKE 's_'",
            ),
            (
                TABLES,
                "\"a.b\".\"C\"",
                "a.b.C",
                "SHOW TABLES IN \"a.b\" LIKE 'C'",
            ),
            (FUNCTIONS, "it's", "it's", "SHOW FUNCTIONS LIKE 'it''s'"),
        ];
        for (command, quoted, value, expected) in cases {
            let source = Source::new("test", quoted);
            let argument = Argument {
                value: value.to_owned(),
                quoted: quoted.to_owned(),
                place: Place::new(&source, 0..quoted.len()),
            };
            assert_eq!((command.statement)(Some(&argument)), expected);
        }
    }
}
