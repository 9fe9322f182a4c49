//! A notebook's file (nbformat 4): its cells, their tags, and parameters put in as Papermill does.
//!
//! What it does not know of, it keeps.

use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::secret::{HIDDEN, is_secret_name};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

/// The tag of the cell that holds the defaults of parameters.
const PARAMETERS: &str = "parameters";

/// The tag of the cell that overrides them.
const INJECTED: &str = "injected-parameters";

/// A notebook.
pub(super) struct Document {
    root: Value,
    /// What is written in the place of parameters that were put in, where one of them is a secret.
    shown_parameters: Option<Value>,
}

/// A code cell.
pub(super) struct CodeCell<'a>(&'a mut Map<String, Value>);

impl Document {
    /// Reads a notebook.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read `{shown}`: {error}");
            Failure::new(FailureKind::InputOutput, message).caused_by(error)
        })?;
        Self::parse(&text).map_err(|why| {
            Failure::new(
                FailureKind::Usage,
                format!("`{shown}` is no notebook: {why}"),
            )
        })
    }

    /// Takes a notebook from its text; the error says why it is none.
    fn parse(text: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if root["nbformat"] != 4 || !root["cells"].is_array() {
            return Err("it is not of nbformat 4".to_owned());
        }
        Ok(Self {
            root,
            shown_parameters: None,
        })
    }

    /// Writes the notebook as nbformat does: keys in order, one space a level. It is whole or not there.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let write = || -> std::io::Result<()> {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            file.write_all(&self.to_bytes()?)?;
            let permissions = fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(permissions)?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|error| {
            let message = format!("cannot write `{}`: {error}", path.display());
            Failure::new(FailureKind::InputOutput, message).caused_by(error)
        })
    }

    /// Does with a text all that a run does but for running its cells, and returns what would be written.
    pub(super) fn read_and_written(text: &str) -> Result<Vec<u8>, String> {
        let mut document = Self::parse(text)?;
        document.inject(&["day=5".to_owned(), "password=5".to_owned()]);
        for (place, mut cell) in document.code_cells().enumerate() {
            let output = json!({ "output_type": "execute_result", "data": cell.source() });
            cell.clear();
            if !cell.may_fail() {
                cell.set_outputs(place, vec![output]);
            }
        }
        document.to_bytes().map_err(|error| error.to_string())
    }

    /// Returns what is written: the notebook without secrets among its parameters.
    fn shown(&self) -> Cow<'_, Value> {
        let Some(parameters) = &self.shown_parameters else {
            return Cow::Borrowed(&self.root);
        };
        let mut root = self.root.clone();
        let cells = root["cells"].as_array_mut().into_iter().flatten();
        for cell in cells.filter(|cell| has_tag(cell, INJECTED)) {
            cell["source"] = parameters.clone();
        }
        Cow::Owned(root)
    }

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        self.shown().serialize(&mut serializer)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Puts parameters into a cell behind the one tagged `parameters`, or before all others.
    pub(super) fn inject(&mut self, parameters: &[String]) {
        if parameters.is_empty() {
            return;
        }
        let minor = self.root["nbformat_minor"].as_u64().unwrap_or(0);
        let Some(cells) = self.root["cells"].as_array_mut() else {
            return;
        };
        cells.retain(|cell| !has_tag(cell, INJECTED));
        let tagged = cells.iter().position(|cell| has_tag(cell, PARAMETERS));
        let shown: Vec<String> = parameters.iter().map(|given| shown(given)).collect();
        self.shown_parameters =
            (shown != parameters).then(|| lines(commands(&shown).trim_end()).into());
        let commands = commands(parameters);
        let mut cell = json!({
            "cell_type": "code", "execution_count": null, "outputs": [],
            "metadata": { "tags": [INJECTED] }, "source": lines(commands.trim_end()),
        });
        // Cells have names since nbformat 4.5.
        if minor >= 5 {
            cell["id"] = INJECTED.into();
        }
        cells.insert(tagged.map_or(0, |tagged| tagged + 1), cell);
    }

    /// Lists the cells that run.
    pub(super) fn code_cells(&mut self) -> impl Iterator<Item = CodeCell<'_>> + Send {
        let cells = self.root["cells"].as_array_mut();
        cells
            .into_iter()
            .flatten()
            .filter(|cell| cell["cell_type"] == "code")
            .filter_map(Value::as_object_mut)
            .map(CodeCell)
    }
}

impl CodeCell<'_> {
    /// Returns what is to run.
    pub(super) fn source(&self) -> String {
        self.0.get("source").map(text).unwrap_or_default()
    }

    /// Removes what an earlier run left.
    pub(super) fn clear(&mut self) {
        self.0.insert("outputs".to_owned(), json!([]));
        self.0.insert("execution_count".to_owned(), Value::Null);
    }

    pub(super) fn set_outputs(&mut self, count: usize, mut outputs: Vec<Value>) {
        for output in &mut outputs {
            if output["output_type"] == "execute_result" {
                output["execution_count"] = count.into();
            }
        }
        self.0.insert("outputs".to_owned(), outputs.into());
        self.0.insert("execution_count".to_owned(), count.into());
    }

    /// Tells whether the cell shows a failure on purpose.
    pub(super) fn may_fail(&self) -> bool {
        let tags = self.0.get("metadata").map(|metadata| &metadata["tags"]);
        tags.is_some_and(|tags| contains(tags, "raises-exception"))
    }
}

/// Writes the commands that bind parameters.
fn commands(parameters: &[String]) -> String {
    parameters
        .iter()
        .map(|parameter| format!("\\param '{}'\n", parameter.replace('\'', "''")))
        .collect()
}

/// Hides the value of a parameter whose name says that it is a secret.
fn shown(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((named, _)) if is_secret_name(named.split(':').next().unwrap_or_default()) => {
            format!("{named}={HIDDEN}")
        }
        _ => parameter.to_owned(),
    }
}

fn has_tag(cell: &Value, tag: &str) -> bool {
    contains(&cell["metadata"]["tags"], tag)
}

fn contains(tags: &Value, tag: &str) -> bool {
    tags.as_array()
        .is_some_and(|tags| tags.iter().any(|each| each == tag))
}

/// Joins text that is stored as one string or as lines.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Splits text into lines with their ends, as notebooks store it.
pub(super) fn lines(text: &str) -> Vec<Value> {
    text.split_inclusive('\n').map(Value::from).collect()
}

/// Stores the texts of a bundle as lines; JSON stays as it is.
pub(super) fn lines_of(data: Map<String, Value>) -> Value {
    data.into_iter()
        .map(|(media_type, content)| {
            let content = match content {
                Value::String(text) => Value::Array(lines(&text)),
                other => other,
            };
            (media_type, content)
        })
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::Document;

    fn notebook(tags: &[&str]) -> Document {
        let cells: Vec<Value> = tags
            .iter()
            .map(|tag| {
                json!({
                    "cell_type": "code", "metadata": { "tags": [tag] }, "outputs": [],
                    "source": ["select 1;\n", "select 2"], "execution_count": null,
                })
            })
            .collect();
        let root = json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells });
        Document {
            root,
            shown_parameters: None,
        }
    }

    #[test]
    fn parameters_stand_behind_their_defaults() {
        let cases: [(&[&str], usize); 3] = [
            (&["a", "parameters", "b"], 2),
            (&["a"], 0),
            (&["parameters", "injected-parameters", "b"], 1),
        ];
        for (tags, expected) in cases {
            let mut document = notebook(tags);
            document.inject(&["day=2024-01-31".to_owned(), "it=it's".to_owned()]);
            let sources: Vec<_> = document.code_cells().map(|cell| cell.source()).collect();
            assert_eq!(
                sources[expected], "\\param 'day=2024-01-31'\n\\param 'it=it''s'",
                "{tags:?}"
            );
            let injected = sources.iter().filter(|source| source.contains("\\param"));
            assert_eq!(injected.count(), 1);
        }
    }

    #[test]
    fn secrets_among_parameters_are_used_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.ipynb");
        let mut document = notebook(&["a"]);
        document.inject(&["day=5".to_owned(), "password:varchar=yellow=1".to_owned()]);
        let source = document.code_cells().next().unwrap().source();
        assert!(source.contains("yellow=1"), "{source}");
        document.write(&path).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(!written.contains("yellow"), "{written}");
        for kept in ["\\\\param 'day=5'", "password:varchar=***"] {
            assert!(written.contains(kept), "{written}");
        }
    }

    #[test]
    fn files_are_written_as_nbformat_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ipynb");
        notebook(&["x"]).write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("{\n \"cells\": [\n  {\n"), "{text}");
        let mut read = Document::read(&path).unwrap();
        let sources: Vec<_> = read.code_cells().map(|cell| cell.source()).collect();
        assert_eq!(sources, ["select 1;\nselect 2"]);
        std::fs::write(&path, "{}").unwrap();
        assert!(Document::read(&path).is_err());
    }
}
