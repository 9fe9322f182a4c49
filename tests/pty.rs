//! Journeys at a real terminal: what only a person would see.

use std::fs;
use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Needle};

use crate::support::{Lake, on_terminal, on_terminal_through};

/// Bracketed paste is switched on: the line editor has begun to read.
const READY: &str = "\u{1b}[?2004h";

/// A terminal with the shell in it.
struct Terminal {
    session: OsSession,
}

impl Terminal {
    fn new(lake: &Lake, arguments: &[&str]) -> Self {
        let mut session = on_terminal(lake, 100, arguments, &[]);
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        let mut terminal = Self { session };
        terminal.sees("lakesh");
        terminal
    }

    /// Waits until the line editor reads keys: what is typed earlier may be lost, as in any shell.
    #[track_caller]
    fn prompts(&mut self) {
        self.sees(READY);
    }

    /// Types text without the return key.
    fn types(&mut self, text: impl AsRef<[u8]>) {
        self.session.send(text).unwrap();
    }

    /// Waits for a prompt and types a line with the return key.
    #[track_caller]
    fn enters(&mut self, line: &str) {
        self.prompts();
        self.types(format!("{line}\r"));
    }

    /// Waits until the screen shows something.
    #[track_caller]
    fn sees(&mut self, what: impl Needle + std::fmt::Debug + Clone) -> String {
        let shown = what.clone();
        match self.session.expect(what) {
            Ok(found) => String::from_utf8_lossy(found.before()).into_owned(),
            Err(error) => {
                let mut rest = vec![0; 10_000];
                let length = self.session.try_read(&mut rest).unwrap_or(0);
                let rest = String::from_utf8_lossy(&rest[..length]).into_owned();
                panic!("{shown:?} did not come ({error}); unread: {rest:?}")
            }
        }
    }

    #[track_caller]
    fn ends(mut self) {
        self.session.expect(Eof).expect("the shell ends");
    }
}

#[test]
fn a_session_greets_answers_and_leaves() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("select 40 + 2 as answer;");
    terminal.sees(" 42 │");
    terminal.enters("select 'first line',\r  'second' || ' line' as text;");
    terminal.sees("│ second line");
    terminal.enters("\\q");
    terminal.ends();
    assert_eq!(
        fs::read_dir(lake.path()).unwrap().count(),
        0,
        "files in the working directory"
    );
    let history = history(&lake);
    assert!(
        history.contains("40 + 2") && history.contains("second"),
        "{history}"
    );
}

#[test]
fn control_d_leaves_and_an_error_does_not() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("select nonsense;");
    terminal.sees("^");
    terminal.sees("nonsense");
    terminal.enters("select 6 * 7 as answer;");
    terminal.sees(" 42 │");
    terminal.prompts();
    terminal.types(ControlCode::EndOfTransmission);
    terminal.ends();
}

#[test]
fn control_c_cancels_the_query_and_only_it() {
    let lake = Lake::new();
    lake.write(
        "long.sql",
        "create table kept as select 1 as a;\n\\echo now it runs\nselect sum(a.value * b.value) from generate_series(1, 1000000) a cross join generate_series(1, 1000000) b;\n\\echo never reached\n",
    );
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("\\i long.sql");
    // Only once the script says so: a key that comes earlier would reach the line editor.
    terminal.sees("now it runs");
    terminal.types(ControlCode::EndOfText);
    let between = terminal.sees("interrupted");
    assert!(!between.contains("never reached"));
    terminal.enters("select a + 41 as answer from kept;");
    terminal.sees(" 42 │");
    // At the prompt it throws the line away and stays.
    terminal.prompts();
    terminal.types("select 'thrown away'");
    terminal.types(ControlCode::EndOfText);
    terminal.enters("select 40 + 3 as answer;");
    terminal.sees(" 43 │");
    terminal.enters("\\q");
    terminal.ends();
}

#[test]
fn a_paste_without_brackets_runs_every_statement() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.prompts();
    terminal
        .types("select 40 + 1 as a;\rselect 'of' ||\r' two lines' as b;\rselect 40 + 3 as c;\r");
    terminal.sees(" 41 │");
    terminal.sees("│ of two lines │");
    terminal.sees(" 43 │");
    terminal.types("\\q\r");
    terminal.ends();
}

#[test]
fn further_lines_have_a_prompt_that_shows_what_is_open() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.prompts();
    terminal.types("select 'x\r");
    terminal.sees("   ..'> ");
    terminal.types("y' as a,\r");
    terminal.sees("   ...> ");
    // Backspace at a line's beginning joins it with the one before; the text has no trace of the prompts.
    terminal.types("\x7f\rlength('x\r");
    terminal.sees("   ..'> ");
    terminal.types("y') as n;\r");
    terminal.sees("bigint");
    terminal.sees(" 3 │");
    terminal.enters("\\q");
    terminal.ends();
    let history = history(&lake);
    assert!(!history.contains(['\u{2007}', '\u{2008}']), "{history}");
}

#[test]
fn queries_end_with_commands() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("select 41 as n \\gset");
    terminal.enters("select :n + 1 as answer;");
    terminal.sees(" 42 │");
    terminal.enters("select 40 + 3 as c \\watch 0.1 2");
    terminal.sees("nothing changed");
    terminal.enters("help");
    terminal.sees("\\timing");
    terminal.enters("\\history gset");
    terminal.sees("41 as n");
    terminal.enters("\\q");
    terminal.ends();
}

#[test]
fn an_earlier_entry_and_a_function_stand_behind_the_cursor() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("select 40 + 2 as answer;");
    terminal.sees(" 42 │");
    terminal.prompts();
    terminal.types("select 40");
    terminal.sees("+ 2 as answer");
    // The right arrow key takes it.
    terminal.types("\x1b[C\r");
    terminal.sees(" 42 │");
    terminal.prompts();
    terminal.types("select date_trunc(");
    terminal.sees("date_trunc(precision");
    terminal.types(ControlCode::EndOfText);
    terminal.enters("\\q");
    terminal.ends();
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let lake = Lake::new();
    let script = "stty -a > before; sh -c 'echo $$ > pid; exec \"$LAKESH\"'; echo status $?; stty -a > after; cmp before after && echo the same";
    let mut terminal = Terminal {
        session: on_terminal_through(&lake, 100, script),
    };
    terminal.prompts();
    terminal.types("select 1");
    let process = fs::read_to_string(lake.path().join("pid")).unwrap();
    let sent = std::process::Command::new("sh")
        .args(["-c", &format!("kill -TERM {process}")])
        .status()
        .unwrap();
    assert!(sent.success());
    terminal.sees("ended by SIGTERM");
    terminal.sees("status 143");
    terminal.sees("the same");
    terminal.ends();
}

#[test]
fn the_start_script_runs_at_a_prompt() {
    let lake = Lake::new();
    let folder = lake.home().join("config/lakesh");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("lakeshrc.sql"), "\\set number 41\n").unwrap();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("select :number + 1 as answer;");
    terminal.sees(" 42 │");
    terminal.enters("\\q");
    terminal.ends();
}

#[test]
fn tab_completes_tables_columns_and_commands() {
    let lake = Lake::new();
    lake.does("create table passengers_by_month as select 41 as how_many_passengers");
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.prompts();
    terminal.types("select count(*) + 41 as answer from passengers_b\t");
    terminal.sees("passengers_by_month");
    terminal.types(";\r");
    terminal.sees(" 42 │");
    terminal.prompts();
    terminal.types("\\maxr\t");
    terminal.sees("maxrows");
    terminal.types(ControlCode::EndOfText);
    terminal.enters("\\q");
    terminal.ends();
}

#[test]
fn settings_of_the_terminal_work() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("\\x on");
    terminal.enters("select 1 as first_column, 2 as second_column;");
    terminal.sees("first_column");
    terminal.enters("\\x off");
    terminal.enters("\\timing on");
    terminal.enters("select 'with' || ' time' as a;");
    terminal.sees("with time");
    terminal.sees("s");
    terminal.enters("\\maxrows 10");
    terminal.enters("select value from generate_series(1, 1000);");
    // The rest that is not shown is said, never silently left out.
    terminal.sees("1000");
    terminal.enters("\\d");
    terminal.enters("\\help");
    terminal.sees("\\timing");
    terminal.enters(".quit");
    terminal.ends();
}

#[test]
fn no_format_lets_data_steer_the_terminal() {
    let lake = Lake::new();
    let query = "select 'a' || chr(27) || ']0;' || 'title' || chr(7) || chr(13) || 'b' as text";
    let mut terminal = Terminal::new(&lake, &[]);
    for format in [
        "csv", "tsv", "json", "ndjson", "markdown", "html", "vertical", "table",
    ] {
        terminal.enters(&format!("\\mode {format}"));
        terminal.enters(&format!("{query};"));
        let before = terminal.sees("]0;title");
        assert!(!before.ends_with('\u{1b}'), "{format}: {before:?}");
        assert!(before.contains("1b"), "{format}: {before:?}");
    }
    terminal.enters("\\q");
    terminal.ends();
    let piped = lake
        .shell(["--format", "csv", "-c", query])
        .run()
        .succeeds();
    assert_eq!(piped, "text\n\"a\u{1b}]0;title\u{7}\rb\"\n");
}

#[test]
fn a_secret_never_enters_the_history() {
    let lake = Lake::new();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("create secret s (type s3, key_id 'AKIAEXAMPLE', secret 'hunter2hunter2');");
    terminal.enters("select 40 + 2 as answer;");
    terminal.sees(" 42 │");
    terminal.enters("\\q");
    terminal.ends();
    let history = history(&lake);
    assert!(!history.contains("hunter2"), "{history}");
    assert!(history.contains("40 + 2"), "{history}");
}

fn history(lake: &Lake) -> String {
    let folder = lake.home().join("state/lakesh");
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("history"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn the_prompt_says_that_the_session_is_in_the_past() {
    let lake = Lake::project();
    let mut terminal = Terminal::new(&lake, &[]);
    terminal.enters("set lakesh.as_of = '2030-01-01';");
    terminal.sees("lakesh @ 2030-01-01T00:00:00Z>");
    terminal.types("reset lakesh.as_of;\r");
    terminal.sees("lakesh>");
    terminal.types("\\q\r");
    terminal.ends();
}
