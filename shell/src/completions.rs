//! Completion of the command line in shells.
//!
//! The script that a shell reads at its start asks lakesh at every Tab. Scripts that clap writes in advance
//! cannot offer both scripts and words such as `run` at one place; see `docs/decisions/0017-completions.md`.

use std::env;
use std::ffi::OsString;
use std::io;

use clap::CommandFactory;
use clap_complete::env::{Bash, Fish, Shells, Zsh};

use crate::command_line::CommandLine;

/// The shells that a script can be printed for.
pub(crate) const SHELLS: Shells<'static> = Shells(&[&Bash, &Fish, &Zsh]);

/// Set by the scripts, to the name of their shell.
const VARIABLE: &str = "LAKESH_COMPLETE";

/// Returns the script for one of [`SHELLS`].
pub(crate) fn script(shell: &str) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let name = "lakesh";
    if let Some(shell) = SHELLS.completer(shell) {
        shell.write_registration(VARIABLE, name, name, name, &mut script)?;
    }
    Ok(script)
}

/// Returns what may stand where the cursor is, if a shell's script asks for it.
pub(crate) fn asked(words: &[OsString]) -> Option<io::Result<Vec<u8>>> {
    let shell = env::var(VARIABLE).ok()?;
    Some(candidates(&shell, words))
}

/// Reads `lakesh -- WORD…`, where the words are those of the line that is being typed.
fn candidates(shell: &str, words: &[OsString]) -> io::Result<Vec<u8>> {
    let typed = words.iter().skip_while(|word| *word != "--").skip(1);
    let typed: Vec<_> = typed.cloned().collect();
    let mut answer = Vec::new();
    // Without a word there is nothing to complete, and clap would count from the end of nothing.
    if let (Some(shell), false) = (SHELLS.completer(shell), typed.is_empty()) {
        let folder = env::current_dir().ok();
        let mut command = CommandLine::command();
        shell.write_complete(&mut command, typed, folder.as_deref(), &mut answer)?;
    }
    Ok(answer)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{SHELLS, candidates, script};

    /// Compares what is offered for the last word of a line with what must be among it, and what must not.
    #[track_caller]
    fn check(typed: &[&str], among: &[&str], missing: &[&str]) {
        let words = ["lakesh", "--", "lakesh"].iter().chain(typed);
        let words: Vec<_> = words.map(Into::into).collect();
        // Of the three shells only this one says in the words themselves where the cursor is.
        let answer = String::from_utf8(candidates("fish", &words).unwrap()).unwrap();
        let offered: Vec<_> = answer
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        for candidate in among {
            assert!(
                offered.contains(candidate),
                "{candidate} not in {offered:?}"
            );
        }
        for candidate in missing {
            assert!(!offered.contains(candidate), "{candidate} in {offered:?}");
        }
    }

    #[test]
    fn scripts_and_words_stand_at_the_first_place() {
        // Unit tests run in the folder of their crate.
        check(
            &[""],
            &["run", "man", "Cargo.toml", "--format"],
            &["install"],
        );
        check(&["Ca"], &["Cargo.toml"], &["run"]);
        check(
            &["Cargo.toml", ""],
            &["Cargo.toml", "--format"],
            &["run", "man"],
        );
    }

    #[test]
    fn options_know_their_values() {
        check(&["--fo"], &["--format"], &["--output"]);
        check(
            &["--format", ""],
            &["csv", "ndjson"],
            &["Cargo.toml", "run"],
        );
        check(&["a.sql", "--format", "nd"], &["ndjson"], &["csv"]);
        check(&["--catalog", ""], &["src/"], &["Cargo.toml"]);
    }

    #[test]
    fn tasks_know_their_options() {
        check(&["kernel", ""], &["install", "start"], &["Cargo.toml"]);
        check(
            &["kernel", "install", "--"],
            &["--sys-prefix"],
            &["--format"],
        );
        check(&["run", "--"], &["--param"], &["--check", "--command"]);
        check(&["completions", ""], &["bash", "fish", "zsh"], &["run"]);
    }

    #[test]
    fn each_shell_has_a_script() {
        for shell in SHELLS.names() {
            let script = String::from_utf8(script(shell).unwrap()).unwrap();
            assert!(script.contains("LAKESH_COMPLETE"), "{shell}: {script}");
        }
        assert!(candidates("fish", &["lakesh".into()]).unwrap().is_empty());
        assert!(candidates("tcsh", &["lakesh".into()]).unwrap().is_empty());
    }
}
