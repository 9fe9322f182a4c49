//! An independent reader and writer: Python scripts in an environment of their own below `target`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use super::shell::{inherited_variables, surroundings};
use super::{Lake, repository};

/// Runs a script of `tests/python` and returns the JSON that it prints.
#[track_caller]
pub(crate) fn python(script: &str, arguments: &[&Path]) -> Value {
    answer_of(script, Command::new(interpreter()), arguments)
}

/// Runs a script of `tests/python` in a lake: its working directory, its home, its Jupyter.
#[track_caller]
pub(crate) fn python_in(lake: &Lake, script: &str, arguments: &[&Path]) -> Value {
    let mut command = Command::new(interpreter());
    for name in inherited_variables() {
        command.env_remove(name);
    }
    command
        .current_dir(lake.path())
        .envs(surroundings(lake))
        .env("PYTHONPATH", repository("docs/papermill"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    answer_of(script, command, arguments)
}

/// Runs a program of the repository that needs Python; it must succeed.
#[track_caller]
pub(crate) fn python_program(path: &str, arguments: &[&OsStr]) {
    let output = Command::new(interpreter())
        .arg("-B")
        .arg(repository(path))
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path} failed:\n{error}");
}

#[track_caller]
fn answer_of(script: &str, mut command: Command, arguments: &[&Path]) -> Value {
    let path = repository("tests/python").join(script);
    let output = command
        .arg("-B")
        .arg(&path)
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{error}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|problem| panic!("{script} did not print JSON ({problem}):\n{error}"))
}

/// Returns a value of a script's answer as lines, each with its end.
#[track_caller]
pub(crate) fn python_lines(answer: &Value, name: &str) -> String {
    let lines = answer[name]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{name}` in {answer}"));
    lines
        .iter()
        .map(|line| format!("{}\n", line.as_str().unwrap()))
        .collect()
}

/// Returns the environment's interpreter; makes the environment when it is not there.
pub(crate) fn interpreter() -> &'static Path {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| {
        make_environment().unwrap_or_else(|problem| {
            panic!("the tests that compare with other readers need `python3` with `venv`, and PyPI: {problem}")
        })
    })
}

fn make_environment() -> Result<PathBuf, String> {
    let requirements = repository("tests/requirements.txt");
    let wanted = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let version = call(
        Command::new("python3").arg("--version"),
        "`python3` was not found",
    )?;
    let mut hasher = DefaultHasher::new();
    (&wanted, &version.stdout).hash(&mut hasher);

    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the folder `tmp` lies in `target`");
    let folder = target.join("lakesh-python");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // Two test runs at the same time must not build one environment twice.
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;

    let environment = folder.join(format!("{:016x}", hasher.finish()));
    let interpreter = environment.join("bin/python");
    let complete = environment.join("complete");
    if complete.exists() {
        return Ok(interpreter);
    }
    if environment.exists() {
        fs::remove_dir_all(&environment).map_err(|error| error.to_string())?;
    }
    call(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
        "`python3 -m venv` failed (on Debian: apt install python3-venv)",
    )?;
    call(
        Command::new(&interpreter)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(&requirements),
        "`pip install` of tests/requirements.txt failed",
    )?;
    File::create(&complete).map_err(|error| error.to_string())?;
    Ok(interpreter)
}

fn call(command: &mut Command, what: &str) -> Result<Output, String> {
    let output = command
        .output()
        .map_err(|error| format!("{what}: {error}"))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(format!(
            "{what}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}
