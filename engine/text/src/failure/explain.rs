//! Walks an error of the libraries to its root and says in our words what is wrong.

use std::error::Error;
use std::io;
use std::sync::Arc;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{Diagnostic, SchemaError, Span};
use datafusion::config::ConfigOptions;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use datafusion::sql::sqlparser::parser::ParserError;

use super::calls::{Misuse, misused_function, misused_operator};
use super::memory::exhausted;
use super::names::{ambiguous_column, column_not_found};
use super::rules::{RULES, Seek, capture, fill};
use super::store::{CREDENTIALS_HINT, lacks_credentials};
use super::syntax::explain_parser;
use super::wording::{short, strip_noise, tidy};
use crate::failure::{Failure, FailureKind, Subject};
use crate::similar::closest;

/// How deep a chain of errors is followed.
const DEEPEST: usize = 64;

/// What identifies the part of the statement that a failure is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    Span(Span),
    Position { line: u64, column: u64 },
    End,
    Name(String),
    Value(String),
    Operator(String),
}

/// A failure that does not know its place yet.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) kind: FailureKind,
    pub(super) message: String,
    pub(super) hints: Vec<String>,
    pub(super) targets: Vec<Target>,
    pub(super) subject: Option<Subject>,
    /// A failure of ours that came back inside another library's error.
    pub(super) ours: Option<Failure>,
}

impl Finding {
    pub(super) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
            targets: Vec::new(),
            subject: None,
            ours: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    fn misuse(kind: FailureKind, misuse: Misuse, target: fn(String) -> Target) -> Self {
        let mut finding = Self::new(kind, misuse.message);
        finding.hints.extend(misuse.hint);
        finding.targets.push(target(misuse.word));
        finding
    }
}

/// Explains any error, best those that DataFusion's libraries make.
pub(super) fn explain(error: &(dyn Error + 'static)) -> Finding {
    explain_chain(error, DEEPEST)
}

/// Explains an error of a type that may be unknown, by its text and by what caused it.
fn explain_chain(error: &(dyn Error + 'static), depth: usize) -> Finding {
    if let Some(finding) = explain_known(error) {
        return finding;
    }
    let text = error.to_string();
    let Some(cause) = error.source().filter(|_| depth > 0) else {
        return explain_text(FailureKind::Execution, &text);
    };
    let mut finding = explain_chain(cause, depth - 1);
    if finding.ours.is_none() {
        let text = match text.rsplit_once(&cause.to_string()) {
            Some((before, after)) => format!("{before}{}{after}", finding.message),
            None => format!("{text}: {}", finding.message),
        };
        finding.message = tidy(&strip_noise(&text));
        // The message is that of whatever failed around it.
        finding.subject = None;
    }
    finding
}

fn explain_known(error: &(dyn Error + 'static)) -> Option<Finding> {
    if let Some(ours) = error.downcast_ref::<Failure>() {
        let mut finding = Finding::new(ours.kind, ours.message.clone());
        finding.hints.clone_from(&ours.hints);
        finding.ours = Some(ours.clone());
        return Some(finding);
    }
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        return Some(explain_datafusion(error));
    }
    if let Some(error) = error.downcast_ref::<Arc<DataFusionError>>() {
        return Some(explain_datafusion(error));
    }
    if let Some(error) = error.downcast_ref::<ArrowError>() {
        return Some(explain_arrow(error));
    }
    if let Some(error) = error.downcast_ref::<ParquetError>() {
        return Some(explain_parquet(error));
    }
    if let Some(error) = error.downcast_ref::<object_store::Error>() {
        return Some(explain_store(error));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(explain_io(error));
    }
    error.downcast_ref::<ParserError>().map(explain_parser)
}

fn explain_datafusion(error: &DataFusionError) -> Finding {
    match error {
        DataFusionError::Context(context, inner) => in_context(explain_datafusion(inner), context),
        DataFusionError::Diagnostic(diagnostic, inner) => {
            with_diagnostic(explain_datafusion(inner), diagnostic)
        }
        DataFusionError::Collection(errors) => explain_several(errors),
        DataFusionError::Shared(inner) => explain_datafusion(inner),
        DataFusionError::External(inner) => explain(inner.as_ref()),
        DataFusionError::ArrowError(inner, _) => explain_arrow(inner),
        DataFusionError::ParquetError(inner) => explain_parquet(inner),
        DataFusionError::ObjectStore(inner) => explain_store(inner),
        DataFusionError::IoError(inner) => explain_io(inner),
        DataFusionError::SQL(inner, _) => explain_parser(inner),
        DataFusionError::SchemaError(inner, _) => explain_schema(inner),
        DataFusionError::ResourcesExhausted(text) => exhausted(&strip_noise(text)),
        DataFusionError::ExecutionJoin(inner) if inner.is_cancelled() => {
            Finding::new(FailureKind::Interrupted, "the query was cancelled")
        }
        DataFusionError::ExecutionJoin(_) => fault("a worker of the query panicked"),
        DataFusionError::Internal(text) => explain_internal(text),
        DataFusionError::NotImplemented(text)
        | DataFusionError::Plan(text)
        | DataFusionError::Substrait(text) => explain_text(FailureKind::Plan, text),
        DataFusionError::Configuration(text) => explain_text(FailureKind::Usage, text),
        DataFusionError::Execution(text) | DataFusionError::Ffi(text) => {
            explain_text(FailureKind::Execution, text)
        }
    }
}

fn explain_several(errors: &[DataFusionError]) -> Finding {
    let mut findings = errors.iter().map(explain_datafusion);
    let Some(mut first) = findings.next() else {
        return fault("an error without a message");
    };
    for other in findings {
        if first.hints.len() < 4 && other.message != first.message {
            first.hints.push(format!("also: {}", other.message));
        }
    }
    first
}

fn explain_schema(error: &SchemaError) -> Finding {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => column_not_found(field, valid_fields),
        SchemaError::AmbiguousReference { field } => ambiguous_column(field),
        SchemaError::DuplicateQualifiedField { qualifier, name } => {
            let table = qualifier.table();
            let message =
                format!("two tables here are called `{table}`: `{table}.{name}` is ambiguous");
            Finding::new(FailureKind::Plan, message).hint("give one of them another alias")
        }
        SchemaError::DuplicateUnqualifiedField { name } => {
            Finding::new(FailureKind::Plan, format!("column `{name}` occurs twice"))
        }
    }
}

fn explain_arrow(error: &ArrowError) -> Finding {
    match error {
        ArrowError::ExternalError(inner) => explain(inner.as_ref()),
        ArrowError::IoError(_, inner) => explain_io(inner),
        ArrowError::MemoryError(text) => explain_text(FailureKind::Resources, text),
        ArrowError::ParquetError(text) => explain_text(FailureKind::InputOutput, text),
        other => explain_text(FailureKind::Execution, &other.to_string()),
    }
}

fn explain_parquet(error: &ParquetError) -> Finding {
    match error {
        ParquetError::External(inner) => explain(inner.as_ref()),
        other => explain_text(FailureKind::InputOutput, &other.to_string()),
    }
}

fn explain_store(error: &object_store::Error) -> Finding {
    // What a session may not do, its stores refuse in our own words.
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<Failure>()
            && let Some(finding) = explain_known(inner)
        {
            return finding;
        }
        cause = inner.source();
    }
    let kind = FailureKind::InputOutput;
    match error {
        object_store::Error::NotFound { path, .. } => about_path(kind, path, "not found"),
        object_store::Error::AlreadyExists { path, .. } => about_path(kind, path, "exists already"),
        object_store::Error::PermissionDenied { path, .. } => {
            about_path(kind, path, "must not be accessed: permission denied")
        }
        object_store::Error::Unauthenticated { path, .. } => {
            about_path(kind, path, "needs credentials").hint(CREDENTIALS_HINT)
        }
        lacking if lacks_credentials(lacking) => {
            Finding::new(kind, "no credentials for the object store").hint(CREDENTIALS_HINT)
        }
        object_store::Error::Generic { source, .. } => explain_text(kind, &source.to_string()),
        other => explain_text(kind, &other.to_string()),
    }
}

fn about_path(kind: FailureKind, path: &str, what: &str) -> Finding {
    let mut finding = Finding::new(kind, format!("`{}` {what}", short(path)));
    finding.targets.push(Target::Value(path.to_owned()));
    finding
}

fn explain_io(error: &io::Error) -> Finding {
    if let Some(finding) = error.get_ref().and_then(|inner| explain_known(inner)) {
        return finding;
    }
    let kind = match error.kind() {
        io::ErrorKind::OutOfMemory => FailureKind::Resources,
        _ => FailureKind::InputOutput,
    };
    explain_text(kind, &error.to_string())
}

fn explain_internal(text: &str) -> Finding {
    let known = explain_text(FailureKind::Execution, text);
    let text = tidy(&strip_noise(text));
    if known.message == text {
        fault(&text)
    } else {
        known
    }
}

fn fault(text: &str) -> Finding {
    Finding::new(FailureKind::Execution, format!("internal error: {text}"))
        .hint("this is a fault of the program, not of your SQL")
}

/// Explains a text by the rules, or as it is in our style.
fn explain_text(kind: FailureKind, text: &str) -> Finding {
    // The part about the function stands behind what is noise otherwise.
    if let Some(misuse) = misused_function(text) {
        return Finding::misuse(kind, misuse, Target::Name);
    }
    let text = strip_noise(text);
    if let Some(finding) = explain_special(kind, &text) {
        return finding;
    }
    for rule in RULES {
        let Some(captures) = capture(rule.pattern, &text) else {
            continue;
        };
        #[cfg(test)]
        super::cases::note(rule.pattern);
        let message = fill(rule.message, &captures);
        let mut finding = Finding::new(rule.kind.unwrap_or(kind), message);
        let first = captures.first().copied().unwrap_or_default();
        finding.subject = rule.about.map(|about| about(first));
        if !rule.hint.is_empty() {
            finding.hints.push(fill(rule.hint, &captures));
        }
        let text = |number: usize| captures.get(number).copied().unwrap_or_default().to_owned();
        match rule.seek {
            Seek::Nothing => {}
            Seek::Name(number) => finding.targets.push(Target::Name(text(number))),
            Seek::Value(number) => finding.targets.push(Target::Value(text(number))),
        }
        return finding;
    }
    Finding::new(kind, tidy(&text))
}

/// Explains what needs more than a pattern.
fn explain_special(kind: FailureKind, text: &str) -> Option<Finding> {
    if let Some(misuse) = misused_operator(text) {
        return Some(Finding::misuse(kind, misuse, Target::Operator));
    }
    if let Some(captures) = capture("Invalid function '{}'.\nDid you mean '{}'?", text) {
        return Some(unknown_function(captures[0], captures[1]));
    }
    if let Some(captures) = capture("table '{}' not found", text) {
        let name = captures[0].to_owned();
        let mut finding = Finding::new(FailureKind::Plan, format!("table `{name}` not found"));
        finding.subject = Some(Subject::MissingTable);
        finding.targets.push(Target::Name(name));
        return Some(finding);
    }
    if let Some(captures) = capture("Placeholder ':{}' was not provided", text) {
        let name = captures[0];
        let mut finding = Finding::new(FailureKind::Plan, format!("variable `{name}` is not set"));
        finding.subject = Some(Subject::Variable);
        finding.targets.push(Target::Value(format!(":{name}")));
        return Some(finding.hint(format!("`\\set {name} VALUE` sets it")));
    }
    let (_, regex) = text.split_once("regex parse error:")?;
    let reason = regex.rsplit("error: ").next().unwrap_or(regex);
    let reason = reason.trim_end_matches(['~', '\n', ' ']);
    let message = format!("invalid regular expression: {}", tidy(reason));
    Some(Finding::new(kind, message))
}

fn unknown_function(name: &str, similar: &str) -> Finding {
    const WINDOW_ONLY: &[&str] = &[
        "lag",
        "lead",
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
    ];
    let mut finding = if WINDOW_ONLY.contains(&name) {
        let message = format!("window function `{name}` needs an OVER clause");
        Finding::new(FailureKind::Plan, message)
    } else {
        let mut finding = Finding::new(FailureKind::Plan, format!("function `{name}` not found"));
        if closest(name, [similar]).is_some() {
            finding.hints.push(format!("did you mean `{similar}`?"));
        }
        finding
    };
    finding.targets.push(Target::Name(name.to_owned()));
    finding
}

/// Takes from a context what the user should know.
fn in_context(mut finding: Finding, context: &str) -> Finding {
    if let Some(captures) = capture("Error parsing '{}' as {}", context) {
        let expected = match captures[1] {
            "bool" => "true or false",
            "usize" | "u64" | "u32" | "i64" | "u8" => "a whole number",
            "f64" | "f32" => "a number",
            other => other,
        };
        finding.message = format!("'{}' is not {expected}", short(captures[0]));
        finding.targets.push(Target::Value(captures[0].to_owned()));
    } else if let Some(captures) = capture("Error setting config {}", context) {
        let name = captures[0];
        finding.kind = FailureKind::Usage;
        if finding.subject == Some(Subject::Setting) {
            finding.message = format!("setting `{name}` not found");
            let options = ConfigOptions::new().entries();
            if let Some(similar) = closest(name, options.iter().map(|option| option.key.as_str())) {
                finding.hints.push(format!("did you mean `{similar}`?"));
            }
        } else {
            finding.message = format!("setting `{name}`: {}", finding.message);
        }
        finding.targets.push(Target::Name(name.to_owned()));
    }
    finding
}

/// Takes place, notes and helps from a diagnostic where the message behind it has none.
fn with_diagnostic(mut finding: Finding, diagnostic: &Diagnostic) -> Finding {
    let message = diagnostic.message.as_str();
    let notes = |pattern: &str| -> Vec<String> {
        let notes = diagnostic.notes.iter();
        let found = notes.filter_map(|note| capture(pattern, &note.message));
        found
            .filter_map(|captures| captures.first().map(|text| (*text).to_owned()))
            .collect()
    };
    if let Some(captures) = capture("table '{}' not found", message) {
        finding.message = format!("table `{}` not found", captures[0]);
        finding.subject = Some(Subject::MissingTable);
        finding
            .targets
            .insert(0, Target::Name(captures[0].to_owned()));
    } else if let Some(captures) = capture("column '{}' is ambiguous", message) {
        let tables = notes("possible column {}");
        if !tables.is_empty() {
            let tables: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
            finding
                .hints
                .push(format!("say which: {}", tables.join(" or ")));
        }
        finding.targets.push(Target::Name(captures[0].to_owned()));
    } else if let Some(captures) = capture("{} queries have different number of columns", message) {
        let sides = notes("this side has {} fields").join(" and ");
        let operation = captures[0];
        finding.message =
            format!("both sides of {operation} need as many columns: they have {sides}");
    } else if capture("{} cannot be used with {}", message).is_some()
        || capture("'{}' must appear in GROUP BY clause", message).is_some()
    {
        let targets = std::mem::take(&mut finding.targets);
        finding = explain_text(finding.kind, message);
        finding.targets.extend(targets);
        let notes = diagnostic.notes.iter().map(|note| tidy(&note.message));
        finding.hints.extend(notes);
    }
    if let Some(span) = diagnostic.span {
        // The span of an operation may be that of one side only: its operator says more.
        let after = finding
            .targets
            .iter()
            .position(|target| !matches!(target, Target::Operator(_)));
        let index = after.unwrap_or(finding.targets.len());
        finding.targets.insert(index, Target::Span(span));
    }
    if finding.hints.is_empty() {
        let helps = diagnostic.helps.iter().map(|help| tidy(&help.message));
        finding.hints.extend(helps);
    }
    finding
}
