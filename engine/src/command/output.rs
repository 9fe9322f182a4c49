//! `\o` and `\save`: results into files. The renderer writes the files; these say which.

use async_trait::async_trait;
use lakesh_event::event::{Event, Summary};
use lakesh_session::command::{Argument, Arguments, Command, Invocation};
use lakesh_text::effect::Effect;
use lakesh_text::failure::Failure;

pub(super) struct Output;

#[async_trait]
impl Command for Output {
    fn names(&self) -> &'static [&'static str] {
        &["o", "output", "out"]
    }

    fn usage(&self) -> &'static str {
        "\\o [FILE]"
    }

    fn summary(&self) -> &'static str {
        "writes results to a file from now on, in the format of its suffix; without one, no longer"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["\\o", "\\o out.csv"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        match invocation.argument(0) {
            Some(_) => require_files(invocation),
            None => Ok(()),
        }
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let file = invocation
            .argument(0)
            .map(|file| absolute(invocation, &file.value));
        self.check(invocation)?;
        invocation.send(Event::Output(file)).await?;
        Ok(invocation.done())
    }
}

pub(super) struct Save;

#[async_trait]
impl Command for Save {
    fn names(&self) -> &'static [&'static str] {
        &["save"]
    }

    fn usage(&self) -> &'static str {
        "\\save FILE"
    }

    fn summary(&self) -> &'static str {
        "runs the previous query again and writes its rows to a file, in the format of its suffix"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(1..=1)
    }

    fn check(&self, invocation: &Invocation) -> Result<(), Failure> {
        let Some(file) = invocation.argument(0) else {
            return Ok(());
        };
        require_files(invocation)?;
        require_format(invocation, file)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        self.check(invocation)?;
        let session = invocation.session();
        let place = invocation.query()?;
        if let Some(file) = invocation.argument(0) {
            let file = absolute(invocation, &file.value);
            invocation.send(Event::Save(file)).await?;
        }
        let summary = lakesh_session::run_statement(session, &place, invocation.events()?).await?;
        if !summary.returned_rows {
            return Err(invocation.wrong("the previous statement returns no rows"));
        }
        Ok(Summary {
            verb: "SAVE".to_owned(),
            returned_rows: false,
            ..summary
        })
    }
}

/// Refuses a file whose suffix names no format.
pub(super) fn require_format(invocation: &Invocation, file: &Argument) -> Result<(), Failure> {
    let found = lakesh_format::by_suffix(&file.value)
        .map_err(|error| invocation.wrong(error.to_string()).at(file.place.clone()))?;
    if found.is_some() {
        return Ok(());
    }
    let names: Vec<_> = lakesh_format::formats()
        .iter()
        .map(|format| format.name)
        .collect();
    Err(invocation
        .wrong(format!("the suffix of `{}` names no format", file.value))
        .hint(format!("formats: {}", names.join(", ")))
        .at(file.place.clone()))
}

/// The front end writes the file; the session says here whether it may.
pub(super) fn require_files(invocation: &Invocation) -> Result<(), Failure> {
    let what = format!("`\\{}` is refused", invocation.name());
    invocation.session().require(Effect::WriteFiles, &what)
}

/// Relative paths start from the session's folder, which need not be the process's.
pub(super) fn absolute(invocation: &Invocation, file: &str) -> String {
    let path = invocation.session().working_directory().join(file);
    path.display().to_string()
}
