//! `\x`, `\timing`, `\header`, `\mode`, `\maxrows`, `\nullvalue`: how results are shown.
//!
//! They differ in what they change, and in nothing else, so they are values of one type.

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::display::DisplayOptions;
use lakesh_text::failure::Failure;

/// A command that changes one of the display options, or says what it is.
pub(super) struct DisplayCommand {
    names: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    examples: &'static [&'static str],
    /// Changes the option to the argument, or as no argument demands.
    change: fn(&Invocation, Option<&str>, &mut DisplayOptions) -> Result<(), Failure>,
    /// Says what the option is.
    state: fn(&DisplayOptions) -> String,
}

pub(super) const EXPANDED: DisplayCommand = DisplayCommand {
    names: &["x", "expanded"],
    usage: "\\x [on|off]",
    summary: "shows each row as a list of its columns, or goes back to tables",
    examples: &["\\x on", "\\x off"],
    change: |invocation, argument, display| {
        display.expanded = switch(invocation, argument, display.expanded)?;
        Ok(())
    },
    state: |display| format!("expanded display is {}", on_or_off(display.expanded)),
};

pub(super) const TIMING: DisplayCommand = DisplayCommand {
    names: &["timing", "timer"],
    usage: "\\timing [on|off]",
    summary: "shows how long each statement takes",
    examples: &["\\timing on", "\\timing off"],
    change: |invocation, argument, display| {
        display.timing = switch(invocation, argument, display.timing)?;
        Ok(())
    },
    state: |display| format!("timing is {}", on_or_off(display.timing)),
};

pub(super) const HEADER: DisplayCommand = DisplayCommand {
    names: &["header", "headers"],
    usage: "\\header [on|off]",
    summary: "writes the line with the names of the columns, or leaves it out",
    examples: &["\\header off", "\\header on"],
    change: |invocation, argument, display| {
        display.header = switch(invocation, argument, display.header)?;
        Ok(())
    },
    state: |display| format!("the header is {}", on_or_off(display.header)),
};

pub(super) const MODE: DisplayCommand = DisplayCommand {
    names: &["mode", "format"],
    usage: "\\mode [FORMAT]",
    summary: "writes results in this format; without one, says which it is",
    examples: &["\\mode csv", "\\mode table", "\\mode"],
    change: |invocation, argument, display| {
        if let Some(name) = argument {
            display.format = Some(find_format(invocation, name)?);
        }
        Ok(())
    },
    state: |display| {
        format!(
            "the format is {}",
            display.format.as_deref().unwrap_or("table")
        )
    },
};

pub(super) const MAX_ROWS: DisplayCommand = DisplayCommand {
    names: &["maxrows"],
    usage: "\\maxrows [N|all]",
    summary: "shows at most so many rows in a table; without a number, says how many",
    examples: &["\\maxrows 40", "\\maxrows all", "\\maxrows"],
    change: |invocation, argument, display| {
        if let Some(count) = argument {
            display.max_rows = match count {
                "all" => None,
                count => Some(count.replace('_', "").parse().map_err(|_| {
                    invocation
                        .wrong(format!("`{count}` is not a number of rows"))
                        .hint("write a number, or `all`")
                })?),
            };
        }
        Ok(())
    },
    state: |display| match display.max_rows {
        Some(count) => format!("tables show {count} rows at most"),
        None => "tables show all rows".to_owned(),
    },
};

pub(super) const NULL_VALUE: DisplayCommand = DisplayCommand {
    names: &["nullvalue"],
    usage: "\\nullvalue [TEXT]",
    summary: "shows NULL as this text; without one, as each format does of itself",
    examples: &["\\nullvalue '-'", "\\nullvalue"],
    change: |_, argument, display| {
        display.null_value = argument.map(str::to_owned);
        Ok(())
    },
    state: |display| match &display.null_value {
        Some(text) => format!("NULL is shown as '{text}'"),
        None => "NULL is shown as each format does".to_owned(),
    },
};

#[async_trait]
impl Command for DisplayCommand {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn usage(&self) -> &'static str {
        self.usage
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn examples(&self) -> &'static [&'static str] {
        self.examples
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        self.changed(invocation).map(|_| ())
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let changed = self.changed(invocation)?;
        let display = invocation
            .session()
            .change_display(|display| *display = changed);
        let state = (self.state)(&display);
        invocation.send(Event::Display(display)).await?;
        // Who names the state knows it; who turns it over or asks wants to hear.
        if invocation.arguments().is_empty() {
            invocation.notice(state).await?;
        }
        Ok(invocation.done())
    }
}

impl DisplayCommand {
    fn changed(&self, invocation: &Invocation) -> Result<DisplayOptions, Failure> {
        let mut display = invocation.session().display();
        let argument = invocation.argument(0);
        (self.change)(
            invocation,
            argument.map(|argument| argument.value.as_str()),
            &mut display,
        )
        .map_err(|failure| match argument {
            Some(argument) => failure.at(argument.place.clone()),
            None => failure,
        })?;
        Ok(display)
    }
}

/// Reads `on` or `off`; nothing turns it over.
fn switch(invocation: &Invocation, argument: Option<&str>, now: bool) -> Result<bool, Failure> {
    match argument.map(str::to_lowercase).as_deref() {
        None => Ok(!now),
        Some("on" | "true" | "yes" | "1") => Ok(true),
        Some("off" | "false" | "no" | "0") => Ok(false),
        Some(other) => Err(invocation.wrong(format!("`{other}` is neither `on` nor `off`"))),
    }
}

fn on_or_off(state: bool) -> &'static str {
    if state { "on" } else { "off" }
}

/// Finds a format by its name and returns the name that it goes by.
fn find_format(invocation: &Invocation, name: &str) -> Result<String, Failure> {
    if let Some(format) = lakesh_format::find(name) {
        return Ok(format.name.to_owned());
    }
    let failure = invocation.wrong(format!("unknown format `{name}`"));
    Err(match lakesh_format::similar(name) {
        Some(close) => failure.hint(format!("did you mean `{close}`?")),
        None => {
            let names: Vec<_> = lakesh_format::formats()
                .iter()
                .map(|format| format.name)
                .collect();
            failure.hint(format!("formats: {}", names.join(", ")))
        }
    })
}
