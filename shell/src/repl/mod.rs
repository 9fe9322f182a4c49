//! The prompt: reads, runs, and reads again until the user leaves.
//!
//! Ctrl-C at the prompt clears the line, during a query cancels the query; Ctrl-D leaves.

mod completion;
mod continuation;
mod helper;
mod highlight;
mod hint;
mod history;
mod marked_history;
mod prompt;

use std::path::PathBuf;

use lakesh_engine::catalog::Catalog;
use lakesh_engine::effect::Effect;
use lakesh_engine::input::{self, SplitOptions};
use lakesh_engine::session::moment_text;
use lakesh_engine::source::Source;
use rustyline::config::{Behavior, BellStyle, ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Editor, EventHandler, KeyCode, KeyEvent, Modifiers};
use tokio::runtime::Runtime;

use crate::arguments::Arguments;
use crate::configuration::configuration_folder;
use crate::renderer::Stop;
use crate::runner::{Ending, Runner, read_script};
use crate::start::{Start, Switches};
use crate::status::Status;
use completion::Completer;
use continuation::{AcrossMarks, Key, with_marks, without_marks};
use helper::{PromptHelper, asks_for_help, leaves};
use hint::Hints;
use history::{HistoryFile, MAX_ENTRIES};
use marked_history::MarkedHistory;
use prompt::Prompt;

pub(crate) use history::KeptHistory;

type LineEditor = Editor<PromptHelper, MarkedHistory>;

/// The keys that know of the prompts of further lines.
const KEYS: &[(KeyCode, Modifiers, Key)] = &[
    (KeyCode::Enter, Modifiers::NONE, Key::Enter),
    (KeyCode::Char('J'), Modifiers::CTRL, Key::Enter),
    // A line can be added without running anything.
    (KeyCode::Enter, Modifiers::ALT, Key::NewLine),
    (KeyCode::Backspace, Modifiers::NONE, Key::Backspace),
    (KeyCode::Char('H'), Modifiers::CTRL, Key::Backspace),
    (KeyCode::Delete, Modifiers::NONE, Key::Delete),
    (KeyCode::Left, Modifiers::NONE, Key::Left),
    (KeyCode::Char('B'), Modifiers::CTRL, Key::Left),
    (KeyCode::Right, Modifiers::NONE, Key::Right),
    (KeyCode::Char('F'), Modifiers::CTRL, Key::Right),
    (KeyCode::Char('D'), Modifiers::CTRL, Key::Delete),
    (KeyCode::Home, Modifiers::NONE, Key::Home),
    (KeyCode::Char('A'), Modifiers::CTRL, Key::Home),
    (KeyCode::Char('U'), Modifiers::CTRL, Key::DeleteBefore),
    (KeyCode::Char('K'), Modifiers::CTRL, Key::DeleteAfter),
];

/// Runs the prompt until the user leaves.
pub(crate) fn run(runtime: &Runtime, start: Start, arguments: &Arguments) -> Status {
    let Start {
        mut runner,
        switches,
        colour,
    } = start;
    if !arguments.no_rc
        && let Some(folder) = configuration_folder()
    {
        run_start_script(runtime, &mut runner, folder.join("lakeshrc.sql"));
    }
    if !arguments.quiet {
        let greeting = greeting(runner.session.catalog());
        runner.renderer.messages.say(&greeting);
    }
    let editor = editor(runtime, &runner, colour.applies(true));
    let status = match editor {
        Ok(mut editor) => read_and_run(runtime, &mut runner, &mut editor, &switches),
        Err(error) => cannot_read(&mut runner, &error),
    };
    match runner.renderer.close(true) {
        Ok(()) | Err(Stop::Closed | Stop::Interrupted) => status,
        Err(Stop::Failed(failure)) => {
            runner.renderer.messages.failure(&failure);
            Status::of_failure(failure.kind)
        }
    }
}

fn cannot_read(runner: &mut Runner, error: &ReadlineError) -> Status {
    let message = format!("cannot read from the terminal: {error}");
    runner.renderer.messages.say(&message);
    Status::InputOutput
}

/// Runs the user's own start script, if there is one; its failures do not keep the prompt away.
fn run_start_script(runtime: &Runtime, runner: &mut Runner, path: PathBuf) {
    if path.is_file() {
        match read_script(&path) {
            Ok(script) => {
                run_text(runtime, runner, &script);
            }
            Err(failure) => runner.renderer.fail(&failure),
        }
    }
}

fn greeting(catalog: &Catalog) -> String {
    let place = match catalog.location().folder() {
        Some(folder) => format!("catalog {}", folder.display()),
        None => "a catalog in memory".to_owned(),
    };
    format!(
        "lakesh {}, {place}; \\help explains, Ctrl-D leaves",
        env!("CARGO_PKG_VERSION")
    )
}

fn editor(runtime: &Runtime, runner: &Runner, colour: bool) -> rustyline::Result<LineEditor> {
    // With results in a pipe, the prompt still belongs on the terminal.
    let behavior = if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        Behavior::Stdio
    } else {
        Behavior::PreferTerm
    };
    let config = Config::builder()
        .max_history_size(MAX_ENTRIES)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .bell_style(BellStyle::None)
        // What is painted without colour are the prompts of further lines.
        .color_mode(ColorMode::Forced)
        .behavior(behavior)
        .tab_stop(4)
        .build();
    let history = MarkedHistory(FileHistory::with_config(&config));
    let mut editor = Editor::with_history(config, history)?;
    let completer = Completer::new(runner.session.clone(), runtime.handle().clone());
    let hints = Hints::new(runner.session.clone());
    editor.set_helper(Some(PromptHelper::new(completer, hints, colour)));
    for (code, modifiers, key) in KEYS {
        editor.bind_sequence(
            KeyEvent(*code, *modifiers),
            EventHandler::Conditional(Box::new(AcrossMarks(*key))),
        );
    }
    Ok(editor)
}

/// Returns what the prompt shows of the session.
fn prompt(runner: &Runner, has_failed: bool) -> String {
    let session = &runner.session;
    Prompt {
        schema: session.current_schema(),
        is_read_only: session.options().capabilities.is_read_only(),
        moment: session.as_of().map(moment_text),
        has_failed,
    }
    .to_string()
}

fn read_and_run(
    runtime: &Runtime,
    runner: &mut Runner,
    editor: &mut LineEditor,
    switches: &Switches,
) -> Status {
    let history = open_history(runner, editor);
    let mut has_failed = false;
    loop {
        let prompt = prompt(runner, has_failed);
        let line = match switches.edited.take() {
            Some(text) => editor.readline_with_initial(&prompt, (&with_marks(&text), "")),
            None => editor.readline(&prompt),
        };
        let text = match line {
            Ok(text) => without_marks(&text).into_owned(),
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Status::Success,
            Err(error) => return cannot_read(runner, &error),
        };
        if leaves(&text) {
            return Status::Success;
        }
        let text = match asks_for_help(&text) {
            true => "\\help".to_owned(),
            false => text,
        };
        if let Some(history) = &history
            && !runner.session.secrets().occur_in(&text)
            && let Err(error) = history.add(&mut editor.history_mut().0, &text)
        {
            let message = format!("the history was not written: {error}");
            runner.renderer.messages.say(&message);
        }
        match run_text(runtime, runner, &Source::new("<prompt>", text)) {
            Ending::Quit | Ending::Closed => return Status::Success,
            Ending::Failed(_) => has_failed = true,
            Ending::Done | Ending::Interrupted => has_failed = false,
        }
    }
}

/// Opens the history; the prompt works without one.
fn open_history(runner: &mut Runner, editor: &mut LineEditor) -> Option<HistoryFile> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?;
    let grows = runner.session.may(Effect::WriteFiles);
    let opened = HistoryFile::in_state_folder(&folder, grows).map_err(ReadlineError::Io);
    let loaded = opened.and_then(|file| file.load(&mut editor.history_mut().0).map(|()| file));
    match loaded {
        Ok(file) => Some(file),
        Err(error) => {
            let message = format!("there is no history: {error}");
            runner.renderer.messages.say(&message);
            None
        }
    }
}

/// Runs what was submitted, to the first failure.
fn run_text(runtime: &Runtime, runner: &mut Runner, source: &std::sync::Arc<Source>) -> Ending {
    let mut cells = input::cells(source, SplitOptions::default());
    while let Some(cell) = cells.next() {
        runner.interrupts.clear();
        let ending = match cell {
            Ok(cell) => runtime.block_on(runner.run_cell(cell)),
            Err(failure) => {
                let shown = runner.session.secrets().hide_in_failure(failure.clone());
                runner.renderer.fail(&shown);
                Ending::Failed(Status::of_failure(failure.kind))
            }
        };
        if ending == Ending::Interrupted {
            runner.renderer.messages.say("interrupted");
        }
        if ending != Ending::Done {
            if matches!(ending, Ending::Failed(_) | Ending::Interrupted) && cells.next().is_some() {
                runner
                    .renderer
                    .messages
                    .say("the statements after it were not run");
            }
            return ending;
        }
    }
    Ending::Done
}
