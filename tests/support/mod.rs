//! What the tests share: a lake in a temporary folder, the binary with a deadline, Python.

mod lake;
mod python;
pub(crate) mod session;
mod shell;
mod store;
mod terminal;

pub(crate) use lake::Lake;
pub(crate) use python::{interpreter, python, python_in, python_lines, python_program};
pub(crate) use shell::{Run, Running, Shell};
pub(crate) use store::ObjectStore;
pub(crate) use terminal::{on_terminal, on_terminal_through};

use std::path::PathBuf;

/// Returns a path below the repository's root.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}
