//! Finds the installed `rustc`, runs it, and reads what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::source::place_in_body;
use super::{CompileError, Refusal};

/// The hint for those who have no compiler.
const NO_COMPILER: &str = "install Rust from https://rustup.rs, or write the function in SQL: CREATE FUNCTION … RETURN expression";

/// An installed compiler.
#[derive(Debug, Clone)]
pub(super) struct Compiler {
    program: PathBuf,
    /// What it says of itself: release, commit and host.
    pub(super) version: String,
}

impl Compiler {
    /// Looks for `rustc` in the folders of PATH.
    pub(super) fn find(search_path: &str) -> Result<Self, CompileError> {
        let name = format!("rustc{}", std::env::consts::EXE_SUFFIX);
        let program = std::env::split_paths(search_path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&name))
            .find(|program| program.is_file());
        let Some(program) = program else {
            return Err(CompileError::outside(
                "functions in Rust need `rustc`, which is in no folder of PATH",
                Some(NO_COMPILER),
            ));
        };
        let answer = Command::new(&program).arg("-vV").output();
        let answer = answer.map_err(|error| cannot_run(&program, &error.to_string()))?;
        if !answer.status.success() {
            let said = String::from_utf8_lossy(&answer.stderr);
            return Err(cannot_run(
                &program,
                said.lines().next().unwrap_or("it failed"),
            ));
        }
        Ok(Self {
            program,
            version: String::from_utf8_lossy(&answer.stdout).into_owned(),
        })
    }

    /// Compiles a source into a shared library.
    pub(super) fn compile(
        &self,
        source: &Path,
        library: &Path,
        body: &str,
    ) -> Result<(), CompileError> {
        let answer = Command::new(&self.program)
            .args(["--crate-type", "cdylib", "--crate-name", "lakesh_function"])
            .args(["--edition", "2021", "-O", "--error-format", "json"])
            // A number that does not fit is a panic, never a wrong number.
            .args([
                "-C",
                "overflow-checks=on",
                "-C",
                "panic=unwind",
                "-C",
                "strip=symbols",
            ])
            .arg("-o")
            .arg(library)
            .arg(source)
            .output()
            .map_err(|error| cannot_run(&self.program, &error.to_string()))?;
        if answer.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&answer.stderr);
        Err(explained(&said, body))
    }
}

fn cannot_run(program: &Path, why: &str) -> CompileError {
    CompileError::outside(
        format!("`{}` cannot be run: {why}", program.display()),
        Some(NO_COMPILER),
    )
}

/// A message of rustc's, as far as it is read.
#[derive(Debug, Deserialize)]
struct Message {
    message: String,
    level: String,
    #[serde(default)]
    spans: Vec<MessageSpan>,
    #[serde(default)]
    children: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct MessageSpan {
    line_start: usize,
    column_start: usize,
    is_primary: bool,
    label: Option<String>,
}

/// Reads the first error of rustc's.
fn explained(said: &str, body: &str) -> CompileError {
    let mut messages = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let Some(error) = messages.find(|message| message.level == "error") else {
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let message = format!("rustc failed: {}", last.unwrap_or("it said nothing"));
        return CompileError::outside(message, None);
    };
    let span = error
        .spans
        .iter()
        .find(|span| span.is_primary)
        .or(error.spans.first());
    let label = span.and_then(|span| span.label.as_ref());
    let mut message = format!("rustc: {}", error.message);
    if let Some(label) = label.filter(|label| !label.is_empty()) {
        message.push_str(": ");
        message.push_str(label);
    }
    let notes = error
        .children
        .iter()
        .filter(|child| !child.message.is_empty());
    let mut hints: Vec<String> = notes
        .take(2)
        .map(|child| child.message.replace('\n', " "))
        .collect();
    if message.contains("Option<") {
        hints.push(
            "arguments and results are Option, for NULL; with STRICT before AS they are plain values, and NULL gives NULL"
                .to_owned(),
        );
    }
    CompileError {
        at: span.and_then(|span| place_in_body(body, span.line_start, span.column_start)),
        failure: Box::new(Refusal { message, hints }),
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) {
    // What is left behind is found again or overwritten.
    drop(fs::remove_file(path));
}
