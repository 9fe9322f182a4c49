//! Runs the real binary at a pseudo-terminal of a known width.

use std::process::Command;

use expectrl::Session;
use expectrl::session::OsSession;

use super::Lake;
use super::shell::{inherited_variables, surroundings};

/// Enough for every screen of the tests.
const ROWS: u16 = 40;

/// Starts the binary at a terminal; it begins when the width is set.
///
/// The library sets a size of its own some time after the process has started, so the shell waits.
pub(crate) fn on_terminal(
    lake: &Lake,
    columns: u16,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> OsSession {
    started(lake, columns, "exec \"$0\" \"$@\"", arguments, variables)
}

/// Starts a shell script at a terminal, which finds the binary in `$LAKESH`.
pub(crate) fn on_terminal_through(lake: &Lake, columns: u16, script: &str) -> OsSession {
    let binary = [("LAKESH", env!("CARGO_BIN_EXE_lakesh"))];
    started(lake, columns, script, &[], &binary)
}

fn started(
    lake: &Lake,
    columns: u16,
    script: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> OsSession {
    let mut command = Command::new("sh");
    for name in inherited_variables() {
        command.env_remove(name);
    }
    command
        .arg("-c")
        .arg(format!(
            "until [ \"$(stty size)\" = '{ROWS} {columns}' ]; do sleep 0.01; done; {script}"
        ))
        .arg(env!("CARGO_BIN_EXE_lakesh"))
        .args(arguments)
        .current_dir(lake.path())
        .envs(surroundings(lake))
        .envs(variables.iter().copied());
    let mut session = Session::spawn(command).expect("a pseudo-terminal can be opened");
    session
        .get_process_mut()
        .set_window_size(columns, ROWS)
        .expect("a terminal has a size");
    session
}
