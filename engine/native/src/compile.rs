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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Compiler, explained};

    const BODY: &str = "\n    let y = x;\n    y + missing\n";

    /// What is made of lines of rustc's: the message, the hints, and the text of the body from the place on.
    #[track_caller]
    fn check(said: &str, message: &str, hints: &[&str], place: Option<&str>) {
        let error = explained(said, BODY);
        assert_eq!(error.failure.message, message);
        assert_eq!(error.failure.hints, hints);
        let found = error.at.map(|at| BODY[at..].trim_end());
        assert_eq!(found, place, "{message}");
    }

    #[test]
    fn the_first_error_is_taken_with_its_place() {
        check(
            r#"{"message":"unused variable: `y`","level":"warning","spans":[]}
{"message":"cannot find value `missing` in this scope","level":"error","spans":[
{"message":"cannot find value `missing` in this scope","level":"error","spans":[{"line_start":5,"column_start":9,"is_primary":true,"label":"not found in this scope"}],"children":[{"message":"","level":"note","spans":[]},{"message":"first\nnote","level":"help","spans":[]},{"message":"second","level":"help","spans":[]},{"message":"third","level":"help","spans":[]}]}
{"message":"another","level":"error","spans":[]}"#,
            "rustc: cannot find value `missing` in this scope: not found in this scope",
            &["first note", "second"],
            Some("missing"),
        );
    }

    #[test]
    fn the_place_that_matters_is_the_primary_one() {
        check(
            r#"{"message":"mismatched types","level":"error","spans":[{"line_start":2,"column_start":1,"is_primary":false,"label":null},{"line_start":4,"column_start":5,"is_primary":true,"label":""}],"children":[]}"#,
            "rustc: mismatched types",
            &[],
            Some("let y = x;\n    y + missing"),
        );
        // The line before the body is ours.
        check(
            r#"{"message":"mismatched types","level":"error","spans":[{"line_start":2,"column_start":1,"is_primary":true,"label":null}],"children":[]}"#,
            "rustc: mismatched types",
            &[],
            None,
        );
    }

    #[test]
    fn who_forgot_null_is_told_of_strict() {
        check(
            r#"{"message":"mismatched types","level":"error","spans":[{"line_start":5,"column_start":5,"is_primary":true,"label":"expected `Option<f64>`, found `f64`"}],"children":[]}"#,
            "rustc: mismatched types: expected `Option<f64>`, found `f64`",
            &[
                "arguments and results are Option, for NULL; with STRICT before AS they are plain values, and NULL gives NULL",
            ],
            Some("y + missing"),
        );
    }

    #[test]
    fn what_is_no_message_is_shown_as_it_is() {
        check("", "rustc failed: it said nothing", &[], None);
        check(
            "error: linker `cc` not found\n\nnote: see above\n\n",
            "rustc failed: note: see above",
            &[],
            None,
        );
    }

    #[test]
    fn a_compiler_that_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = Compiler::find(folder.path().to_str().unwrap()).unwrap_err();
        assert_eq!(
            error.failure.message,
            "functions in Rust need `rustc`, which is in no folder of PATH"
        );
        assert!(error.at.is_none() && error.failure.hints[0].contains("https://rustup.rs"));
        // A folder of whoever calls: what lies there is not looked at.
        assert!(Compiler::find("relative").is_err());
    }
}
