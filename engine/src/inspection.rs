//! What there is to know of the name at a cursor: a table, a column, a function, a setting, a command.

use std::sync::Arc;

use lakesh_session::Session;
use lakesh_text::failure::printable;
use lakesh_text::input::{Token, TokenKind, tokens};

use crate::command;
use crate::completion::relations_at;

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What it is and is called, such as `table trips`.
    pub title: String,
    /// Facts by name, in the order to show them.
    pub facts: Vec<(String, String)>,
    /// Columns with their types, for tables.
    pub columns: Vec<(String, String)>,
    /// Text in lines, for what is explained in words.
    pub text: String,
}

/// Explains what stands at a cursor, a byte offset into the text. Needs the session's runtime.
pub async fn inspect(session: &Arc<Session>, text: &str, cursor: usize) -> Option<Inspection> {
    let line = text[..cursor].rfind('\n').map_or(0, |newline| newline + 1);
    if let Some(command) = command_at(&text[line..]) {
        return explain_command(session, command);
    }
    let name = name_at(text, cursor)?;
    let written = &text[name.clone()];
    if let Some(setting) = explain_setting(session, written) {
        return Some(setting);
    }
    let is_called = text[name.end..].trim_start().starts_with('(');
    if is_called && let Some(function) = explain_function(session, written) {
        return Some(function);
    }
    let relations = relations_at(text, cursor);
    let aliased = relations
        .iter()
        .find(|relation| relation.alias == written || relation.name == written);
    let table = aliased.map_or(written, |relation| relation.name.as_str());
    if let Some(table) = explain_table(session, table).await {
        return Some(table);
    }
    for relation in &relations {
        if let Some(column) = explain_column(session, &relation.name, written).await {
            return Some(column);
        }
    }
    explain_function(session, written).or_else(|| explain_statement(written))
}

/// The name of the command that a line begins with.
fn command_at(line: &str) -> Option<&str> {
    let name = line.trim_start().strip_prefix(['\\', '.', '%'])?;
    let end = name.find(|letter: char| letter.is_whitespace() || letter == ';');
    let name = &name[..end.unwrap_or(name.len())];
    (!name.is_empty()).then_some(name)
}

fn explain_command(session: &Session, name: &str) -> Option<Inspection> {
    let command = lakesh_session::command::find(session.commands(), name.trim_start_matches('%'))?;
    Some(Inspection {
        title: format!("command \\{}", command.names()[0]),
        facts: Vec::new(),
        columns: Vec::new(),
        text: command::help::explain_command(command.as_ref()),
    })
}

/// The name at a cursor with what qualifies it: `schema.table`, quotes included.
fn name_at(text: &str, cursor: usize) -> Option<std::ops::Range<usize>> {
    let tokens: Vec<_> = tokens(text).collect();
    let is_name = |token: &Token| {
        matches!(
            token.kind,
            TokenKind::Word | TokenKind::QuotedName | TokenKind::String
        )
    };
    // A cursor between two tokens belongs to the name before it; behind a bracket, to the function.
    let mut at = tokens.iter().rposition(|token| {
        is_name(token) && token.range.start <= cursor && cursor <= token.range.end
    });
    if at.is_none() {
        let before = tokens.iter().rposition(|token| {
            token.range.end <= cursor && !matches!(token.kind, TokenKind::Space)
        })?;
        let opens = &text[tokens[before].range.clone()] == "(";
        at = before.checked_sub(1).filter(|_| opens);
    }
    let at = at.filter(|at| is_name(&tokens[*at]))?;
    let mut range = tokens[at].range.clone();
    let mut first = at;
    while let Some([name, dot]) = first
        .checked_sub(2)
        .and_then(|from| tokens.get(from..first))
        && &text[dot.range.clone()] == "."
        && is_name(name)
    {
        range.start = name.range.start;
        first -= 2;
    }
    Some(range)
}

fn explain_setting(session: &Session, name: &str) -> Option<Inspection> {
    let shown = session.shown_settings();
    let setting = shown
        .into_iter()
        .find(|setting| setting.name.eq_ignore_ascii_case(name) && setting.name.contains('.'))?;
    let mut facts = vec![(
        "value".to_owned(),
        setting.value.unwrap_or_else(|| "NULL".to_owned()),
    )];
    if let Some(default) = setting.default {
        facts.push(("default".to_owned(), default));
    }
    let values = lakesh_session::settings()
        .iter()
        .find(|ours| ours.name == setting.name);
    if let Some(ours) = values {
        facts.push(("values".to_owned(), ours.values.to_owned()));
    }
    Some(Inspection {
        title: format!("setting {}", setting.name),
        facts,
        columns: Vec::new(),
        text: format!("{}\n", setting.summary),
    })
}

fn explain_function(session: &Session, name: &str) -> Option<Inspection> {
    let text =
        command::help::explain_function(&session.state(), name).or_else(|| explain_reader(name))?;
    Some(Inspection {
        title: format!("function {}", name.to_lowercase()),
        facts: Vec::new(),
        columns: Vec::new(),
        text,
    })
}

/// Returns in a line how a function is called; `None` if there is none of this name.
pub fn usage(session: &Session, name: &str) -> Option<String> {
    let explained =
        command::help::explain_function(&session.state(), name).or_else(|| explain_reader(name))?;
    let first = explained.lines().next()?;
    Some(printable(first))
}

/// Lists the arguments of a reader of files.
fn explain_reader(name: &str) -> Option<String> {
    let reader = lakesh_table::READERS
        .iter()
        .find(|reader| reader.name.eq_ignore_ascii_case(name))?;
    let mut text = format!("{}\n  table function\n", reader.usage());
    for option in reader.options() {
        text.push_str(&format!("  {}: {}\n", option.name, option.summary));
    }
    Some(text)
}

fn explain_statement(word: &str) -> Option<Inspection> {
    let kinds = command::help::kinds(word);
    let first = kinds.first()?;
    let explained: Vec<_> = kinds
        .iter()
        .map(|kind| command::help::explain_statement(kind))
        .collect();
    Some(Inspection {
        title: format!("statement {}", first.name),
        facts: Vec::new(),
        columns: Vec::new(),
        text: explained.join("\n"),
    })
}

async fn explain_table(session: &Arc<Session>, name: &str) -> Option<Inspection> {
    let columns = session.columns(name).await.ok()?;
    let facts = session.table_facts(name).await.unwrap_or_default();
    Some(Inspection {
        title: format!("table {}", printable(name)),
        facts,
        columns,
        text: String::new(),
    })
}

async fn explain_column(session: &Arc<Session>, table: &str, column: &str) -> Option<Inspection> {
    let column = column.rsplit('.').next().unwrap_or(column);
    let plain = column.trim_matches('"');
    let columns = session.columns(table).await.ok()?;
    let (name, data_type) = columns
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(plain))?;
    Some(Inspection {
        title: format!("column {}", printable(&name)),
        facts: vec![
            ("type".to_owned(), data_type),
            ("table".to_owned(), table.to_owned()),
        ],
        columns: Vec::new(),
        text: String::new(),
    })
}
