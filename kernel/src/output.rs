//! What a cell shows: the kernel sends it as messages, the notebook runner writes it into the file.

use async_trait::async_trait;
use lakesh_engine::failure::{Failure, FailureKind};
use serde_json::{Map, Value};

/// One output of a cell.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// Text that commands write.
    Text(String),
    /// Something that the user should know.
    Notice(String),
    /// The result of the cell: its last statement's rows.
    Result(Bundle),
    /// Something else to look at.
    Display(Bundle),
    /// How far a long query is; takes the place of the one before.
    Progress(String),
    /// What was shown so far goes.
    Clear,
    /// Why the cell failed; nothing follows.
    Error(ErrorReport),
}

impl Output {
    /// Estimates the bytes that it takes in a message.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Notice(text) | Self::Progress(text) => text.len(),
            Self::Result(bundle) | Self::Display(bundle) => bundle.size,
            Self::Clear | Self::Error(_) => 0,
        }
    }
}

/// The same thing in several forms, of which a front end shows the one that it likes best.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle {
    /// Content by media type.
    pub(crate) data: Map<String, Value>,
    pub(crate) metadata: Map<String, Value>,
    /// Bytes of the content, about.
    pub(crate) size: usize,
}

impl Bundle {
    /// Adds a form.
    pub(crate) fn add(&mut self, media_type: &str, content: Value, size: usize) {
        self.data.insert(media_type.to_owned(), content);
        self.size += size;
    }
}

/// A failure as the protocol wants it.
#[derive(Debug, Clone)]
pub(crate) struct ErrorReport {
    pub(crate) kind: FailureKind,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) traceback: Vec<String>,
    /// The report without colour.
    pub(crate) plain: String,
}

impl ErrorReport {
    pub(crate) fn new(failure: &Failure) -> Self {
        let report = failure.report(true);
        Self {
            kind: failure.kind,
            name: name(failure.kind),
            value: value(failure),
            traceback: report.lines().map(str::to_owned).collect(),
            plain: failure.report(false),
        }
    }

    /// Returns the fields that an error message and an error reply share.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("ename".to_owned(), self.name.into());
        fields.insert("evalue".to_owned(), self.value.clone().into());
        fields.insert("traceback".to_owned(), self.traceback.clone().into());
        fields
    }
}

/// The plain report's first line without its word, and the line of the cell.
fn value(failure: &Failure) -> String {
    let report = failure.report(false);
    let first = report.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    match &failure.place {
        Some(place) => format!("{message} (line {})", place.line_and_column().0),
        None => message.to_owned(),
    }
}

fn name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Syntax => "SyntaxError",
        FailureKind::Plan => "PlanError",
        FailureKind::Execution => "ExecutionError",
        FailureKind::Resources => "ResourcesError",
        FailureKind::Usage => "UsageError",
        FailureKind::Denied => "DeniedError",
        FailureKind::InputOutput => "InputOutputError",
        FailureKind::Interrupted => "Interrupted",
    }
}

/// Takes the outputs of a cell.
#[async_trait]
pub(crate) trait OutputSink: Send {
    /// Shows one output.
    async fn show(&mut self, output: Output);
}
