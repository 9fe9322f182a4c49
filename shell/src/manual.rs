//! The manual page, made from the definition in `command_line`: what an option means is written there.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::command_line::{CommandLine, EXIT_STATUS, SOURCES};

/// Where things are kept, for the manual page; the README has the same in a table.
const FILES: &[(&str, &str)] = &[
    (
        ".lakesh",
        "The catalog of a project: the nearest such folder upwards from the working directory.",
    ),
    (
        "$XDG_DATA_HOME/lakesh",
        "The catalog where there is no project.",
    ),
    (
        "$XDG_CONFIG_HOME/lakesh/config.toml",
        "What every session begins with.",
    ),
    (
        "$XDG_CONFIG_HOME/lakesh/lakeshrc.sql",
        "Statements and commands that run when a prompt opens.",
    ),
    ("$XDG_STATE_HOME/lakesh", "The history of the prompt."),
];

/// Returns the manual page, as `man` and `groff` read it.
pub(crate) fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    write_page(&mut page)?;
    Ok(page)
}

fn write_page(page: &mut Vec<u8>) -> io::Result<()> {
    let mut root = definition();
    let tasks = tasks(&root);
    // An argument that is empty would be left out, and those behind it take its place.
    let manual = Man::new(root.clone())
        .title("LAKESH")
        .date(" ")
        .manual("User commands");
    manual.render_title(page)?;
    manual.render_name_section(page)?;

    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    let mut usages = vec![usage(&mut root)];
    usages.extend(tasks.iter().cloned().map(|mut task| usage(&mut task)));
    for (index, usage) in usages.iter().enumerate() {
        if index > 0 {
            roff.control("br", []);
        }
        let rest = usage.strip_prefix("lakesh").unwrap_or(usage);
        roff.text([bold("lakesh"), roman(rest)]);
    }
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(SOURCES)]);
    roff.control("PP", []);
    roff.text([roman(
        "At the prompt, \\help lists the statements and commands, and \\help NAME explains one of them.",
    )]);
    roff.to_writer(page)?;
    manual.render_options_section(page)?;

    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    roff.to_writer(page)?;
    for task in tasks {
        write_task(task, &root, page)?;
    }

    let mut roff = Roff::new();
    roff.control("SH", ["FILES"]);
    for (path, meaning) in FILES {
        roff.control("TP", []);
        roff.text([bold(*path)]);
        roff.text([roman(*meaning)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    roff.text([roman(EXIT_STATUS)]);
    roff.to_writer(page)
}

/// The command line, with each of its parts knowing its whole name.
fn definition() -> Command {
    let mut command = CommandLine::command();
    command.build();
    command
}

/// The words that ask for something else, down to those that do something.
fn tasks(command: &Command) -> Vec<Command> {
    command
        .get_subcommands()
        .flat_map(|task| match task.has_subcommands() {
            true => tasks(task),
            false => vec![task.clone()],
        })
        .collect()
}

/// The first form of a usage, without the word in front of it.
fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let first = usage.lines().next().unwrap_or_default();
    first.strip_prefix("Usage: ").unwrap_or(first).to_owned()
}

/// Writes what a task is and takes. Options that mean what they mean for scripts are not told again.
fn write_task(task: Command, root: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let mut shares = false;
    let task = task.mut_args(|argument| {
        let is_help = argument.get_id() == "help";
        let is_told = !is_help
            && root.get_arguments().any(|told| {
                told.get_id() == argument.get_id() && told.get_help() == argument.get_help()
            });
        shares |= is_told;
        argument.hide(is_told || is_help)
    });
    let mut about = task
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    about.push('.');
    if shares {
        about.push_str(" It takes the options of scripts, and these:");
    }
    let mut roff = Roff::new();
    roff.control(
        "SS",
        [task.get_bin_name().unwrap_or_else(|| task.get_name())],
    );
    roff.text([roman(about)]);
    roff.to_writer(page)?;

    // The list without its heading, of which the page has one already.
    let mut options = Vec::new();
    Man::new(task).render_options_section(&mut options)?;
    let options = String::from_utf8_lossy(&options);
    let list = options
        .split_once(".SH OPTIONS\n")
        .map_or("", |(_, list)| list);
    page.write_all(list.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{definition, page, tasks};

    /// The page as a terminal would show it, as far as the tests look.
    fn shown() -> String {
        let page = String::from_utf8(page().unwrap()).unwrap();
        page.replace("\\-", "-")
            .replace("\\fB", "")
            .replace("\\fR", "")
    }

    #[test]
    fn the_page_names_every_option_and_task() {
        let page = shown();
        let root = definition();
        for argument in root.get_arguments() {
            if let Some(long) = argument.get_long() {
                assert!(page.contains(&format!("--{long}")), "--{long} in\n{page}");
            }
        }
        for task in tasks(&root) {
            let heading = format!(".SS \"{}\"", task.get_bin_name().unwrap());
            assert!(page.contains(&heading), "{heading} in\n{page}");
        }
    }

    #[test]
    fn each_section_is_there_once() {
        let page = shown();
        for section in [
            "NAME",
            "SYNOPSIS",
            "OPTIONS",
            "COMMANDS",
            "FILES",
            "\"EXIT STATUS\"",
        ] {
            let heading = format!(".SH {section}\n");
            assert_eq!(page.matches(&heading).count(), 1, "{heading} in\n{page}");
        }
        let run = page.split(".SS \"lakesh run\"\n").nth(1).unwrap();
        let run = run.split(".S").next().unwrap();
        assert!(
            run.contains("It takes the options of scripts, and these:"),
            "{run}"
        );
        assert!(
            run.contains("--output") && !run.contains("--memory-limit"),
            "{run}"
        );
    }
}
