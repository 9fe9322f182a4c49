//! `\help`: everything it says is derived from the registries of commands, statements and functions.

use std::fmt::Write as _;

use async_trait::async_trait;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Documentation;
use lakesh_event::event::{Event, Summary};
use lakesh_plan::directive::{HintWord, hint_words};
use lakesh_session::StatementKind;
use lakesh_session::command::{Arguments, Command, Invocation, find};
use lakesh_text::failure::Failure;

use crate::vocabulary::statements;

pub(super) struct Help;

#[async_trait]
impl Command for Help {
    fn names(&self) -> &'static [&'static str] {
        &["help", "?", "h"]
    }

    fn usage(&self) -> &'static str {
        "\\help [COMMAND|STATEMENT|FUNCTION]"
    }

    fn summary(&self) -> &'static str {
        "explains a command, a statement or a function; without one, lists commands and statements"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "\\help",
            "\\help \\dt",
            "\\help create view",
            "\\help substr",
        ]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=usize::MAX)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let words = invocation.arguments().iter();
        let words: Vec<_> = words.map(|word| word.value.as_str()).collect();
        let text = match words.join(" ") {
            topic if topic.is_empty() => overview(invocation),
            topic => explain(invocation, &topic).ok_or_else(|| unknown(invocation, &topic))?,
        };
        invocation.send(Event::Page(text)).await?;
        Ok(invocation.done())
    }
}

fn overview(invocation: &Invocation) -> String {
    let mut text = String::from("Commands\n");
    let commands = invocation.session().commands();
    let width = commands
        .iter()
        .map(|command| command.usage().chars().count());
    let width = width.max().unwrap_or(0).min(28);
    for command in commands {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:width$}  {}", command.usage(), command.summary());
    }
    text.push_str("\nStatements\n");
    let names: Vec<_> = statements().iter().map(|kind| kind.name).collect();
    text.push_str(&wrapped(&names));
    text.push_str("\nHints, as in SELECT /*+ BROADCAST(t) */ …\n");
    let names: Vec<_> = hint_words().iter().map(|word| word.names[0]).collect();
    text.push_str(&wrapped(&names));
    text.push_str("\nText ends a statement with `;` or `\\g`; `\\gx` shows its rows as lists.\n");
    text.push_str("`\\help NAME` explains a command, a statement, a hint or a function; `\\df` lists the functions.\n");
    text
}

/// Writes names one after the other, with commas, in lines of 80 characters.
fn wrapped(names: &[&str]) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        if !line.is_empty() && line.len() + name.len() + 4 > 80 {
            text.push_str(&line);
            text.push('\n');
            line.clear();
        }
        line.push_str(if line.is_empty() { "  " } else { " " });
        line.push_str(name);
        line.push_str(comma);
    }
    text.push_str(&line);
    text.push('\n');
    text
}

/// Explains a topic; `None` if nothing goes by its name.
fn explain(invocation: &Invocation, topic: &str) -> Option<String> {
    let mut text = String::new();
    let bare = topic.trim_start_matches(['\\', '.', '%']);
    let is_command = topic.len() > bare.len();
    if let Some(command) = find(invocation.session().commands(), bare) {
        text.push_str(&explain_command(command.as_ref()));
    }
    if !is_command {
        for kind in kinds(topic) {
            separate(&mut text);
            text.push_str(&explain_statement(kind));
        }
        if let Some(word) = lakesh_plan::directive::find(topic) {
            separate(&mut text);
            text.push_str(&explain_hint(word));
        }
        if let Some(function) = explain_function(&invocation.session().state(), topic) {
            separate(&mut text);
            text.push_str(&function);
        }
    }
    (!text.is_empty()).then_some(text)
}

fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

pub(crate) fn explain_command(command: &dyn Command) -> String {
    let mut text = format!("{}\n  {}\n", command.usage(), command.summary());
    if let [_, aliases @ ..] = command.names()
        && !aliases.is_empty()
    {
        let aliases: Vec<_> = aliases.iter().map(|alias| format!("\\{alias}")).collect();
        let _ = writeln!(text, "  also: {}", aliases.join(", "));
    }
    push_examples(&mut text, command.examples());
    text
}

/// Finds the statement of a name, or those that begin with it.
pub(crate) fn kinds(topic: &str) -> Vec<&'static StatementKind> {
    let wanted = topic.trim_end_matches(';').to_uppercase();
    let all = statements();
    let exact: Vec<_> = all
        .iter()
        .copied()
        .filter(|kind| kind.name == wanted)
        .collect();
    if !exact.is_empty() {
        return exact;
    }
    let begins = |kind: &&&StatementKind| {
        kind.name
            .strip_prefix(wanted.as_str())
            .is_some_and(|rest| rest.starts_with(' '))
    };
    all.iter().filter(begins).copied().collect()
}

pub(crate) fn explain_statement(kind: &StatementKind) -> String {
    let mut text = format!("{}\n  {}\n", kind.name, kind.summary);
    for line in kind.usage.lines() {
        let _ = writeln!(text, "  {line}");
    }
    push_examples(&mut text, kind.examples);
    text
}

fn explain_hint(word: &HintWord) -> String {
    let mut text = format!("/*+ {} */\n  {}\n", word.usage, word.summary);
    if let [_, aliases @ ..] = word.names
        && !aliases.is_empty()
    {
        let _ = writeln!(text, "  also: {}", aliases.join(", "));
    }
    push_examples(&mut text, &[word.example]);
    text
}

fn push_examples(text: &mut String, examples: &[&str]) {
    if !examples.is_empty() {
        text.push_str("examples:\n");
    }
    for example in examples {
        for line in example.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
}

pub(crate) fn explain_function(state: &SessionState, topic: &str) -> Option<String> {
    let name = topic.trim_end_matches("()").to_lowercase();
    let kinds = [
        state
            .scalar_functions()
            .get(&name)
            .map(|function| ("scalar function", function.documentation())),
        state
            .aggregate_functions()
            .get(&name)
            .map(|function| ("aggregate function", function.documentation())),
        state
            .window_functions()
            .get(&name)
            .map(|function| ("window function", function.documentation())),
    ];
    let mut text = String::new();
    if let Some(function) = lakesh_function::find(&name) {
        text.push_str(&explain_known(function));
    }
    for (kind, documentation) in kinds.into_iter().flatten() {
        // What the registry says of a function has been written above.
        let section = documentation.map(|documentation| documentation.doc_section.label);
        if !text.is_empty() && section.is_none_or(|label| label == lakesh_function::SECTION_LABEL) {
            continue;
        }
        separate(&mut text);
        match documentation {
            Some(documentation) => text.push_str(&explain_documentation(kind, documentation)),
            None => {
                let _ = writeln!(text, "{name}(…)\n  {kind}");
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Explains a function of the registry, with its other names and those that it has elsewhere.
fn explain_known(function: &lakesh_function::Function) -> String {
    let mut text = format!("{}\n  {} function\n", function.usage, function.kind());
    let _ = writeln!(text, "  {}", function.summary);
    if !function.nulls.is_empty() {
        let _ = writeln!(text, "  {}", function.nulls);
    }
    if !function.aliases.is_empty() {
        let _ = writeln!(text, "  also: {}", function.aliases.join(", "));
    }
    let elsewhere = [
        ("DuckDB", function.duckdb),
        ("PostgreSQL", function.postgres),
        ("Spark", function.spark),
    ];
    for (database, name) in elsewhere.into_iter().filter(|(_, name)| !name.is_empty()) {
        let _ = writeln!(text, "  in {database}: {name}");
    }
    push_examples(&mut text, &[function.example]);
    text
}

fn explain_documentation(kind: &str, documentation: &Documentation) -> String {
    let mut text = format!("{}\n  {kind}\n", documentation.syntax_example);
    for line in documentation.description.trim().lines() {
        let _ = writeln!(text, "  {line}");
    }
    for (name, meaning) in documentation.arguments.iter().flatten() {
        let _ = writeln!(text, "  {name}: {}", meaning.trim());
    }
    if let Some(example) = &documentation.sql_example {
        text.push_str("example:\n");
        let lines = example.lines().filter(|line| !line.starts_with("```"));
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    if let Some(related) = &documentation.related_udfs {
        let _ = writeln!(text, "see also: {}", related.join(", "));
    }
    text
}

fn unknown(invocation: &Invocation, topic: &str) -> Failure {
    let session = invocation.session();
    let functions = session.function_names();
    let known = session
        .commands()
        .iter()
        .flat_map(|command| command.names().iter().copied())
        .chain(statements().iter().map(|kind| kind.name))
        .chain(functions.iter().map(String::as_str));
    let failure = invocation.wrong(format!("no help on `{topic}`"));
    match lakesh_text::similar::closest(topic, known) {
        Some(close) => failure.hint(format!("did you mean `{close}`?")),
        None => failure.hint("`\\help` lists commands and statements, `\\df` the functions"),
    }
}
