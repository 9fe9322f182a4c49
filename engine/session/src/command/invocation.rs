//! One use of a command: its arguments, its session, and where its events go.

use std::sync::Arc;

use lakesh_event::event::{Event, Summary};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::source::{Place, Source};

use super::Command;
use super::arguments::{Argument, Arguments, split, without_continuations};
use crate::{EventSender, Session};

/// One use of a command.
pub struct Invocation {
    session: Arc<Session>,
    place: Place,
    name: String,
    arguments: Vec<Argument>,
    text: String,
    /// The statement that the command ends.
    statement: Option<Place>,
    /// `None` while checking.
    events: Option<EventSender>,
}

impl Invocation {
    pub(super) fn new(
        session: &Arc<Session>,
        place: &Place,
        name: &Place,
        rest: &Place,
        command: &dyn Command,
        events: Option<&EventSender>,
    ) -> Result<Self, Failure> {
        let arguments = match command.arguments() {
            Arguments::Text => Vec::new(),
            Arguments::Words(count) => {
                let words = split(rest, &session.variables())?;
                let wrong = match words.len() {
                    given if given < *count.start() => Some((name, "is missing an argument")),
                    given if given > *count.end() => {
                        Some((&words[*count.end()].place, "has too many arguments"))
                    }
                    _ => None,
                };
                if let Some((place, what)) = wrong {
                    let message = format!("`\\{}` {what}", name.text());
                    return Err(Failure::new(FailureKind::Usage, message)
                        .hint(format!("usage: {}", command.usage()))
                        .at(place.clone()));
                }
                words
            }
        };
        Ok(Self {
            session: Arc::clone(session),
            place: place.clone(),
            name: name.text().to_owned(),
            arguments,
            text: without_continuations(rest.text().trim()),
            statement: None,
            events: events.cloned(),
        })
    }

    /// Adds the statement that the command ends; most commands stand alone.
    pub(super) fn ending(
        self,
        command: &dyn Command,
        statement: Option<Place>,
    ) -> Result<Self, Failure> {
        if statement.is_some() && !command.takes_statement() {
            let message = format!("`\\{}` cannot end a statement", self.name);
            return Err(self
                .wrong(message)
                .hint("end the statement with `;`, and write the command behind it")
                .at(self.place.clone()));
        }
        Ok(Self { statement, ..self })
    }

    /// Returns the query that the command is about: the one that it ends, else the one before it.
    ///
    /// What changes something runs when it is written, and not a second time.
    pub fn query(&self) -> Result<Place, Failure> {
        if let Some(statement) = &self.statement {
            return Ok(statement.clone());
        }
        let Some(place) = self.session.previous_statement() else {
            return Err(self.wrong("no query stands before it").hint(format!(
                "write `SELECT … \\{}`, or run a query first",
                self.name
            )));
        };
        if self
            .session
            .parse(&self.session.substitute(&place)?)?
            .writes()
        {
            return Err(self
                .wrong("the previous statement changes something and is not run again")
                .hint(format!("`\\{}` runs the previous query again", self.name)));
        }
        Ok(place)
    }

    /// Returns the statement that the command ends.
    pub fn statement(&self) -> Option<&Place> {
        self.statement.as_ref()
    }

    /// Returns the session that the command runs in.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Returns where the whole command stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the name that the user chose, without `\`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the arguments of a command that takes words.
    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// Returns the argument at a position.
    pub fn argument(&self, position: usize) -> Option<&Argument> {
        self.arguments.get(position)
    }

    /// Returns the rest of the line as the user wrote it; of several lines, without what joins them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Sends an event; while checking, nobody listens.
    pub async fn send(&self, event: Event) -> Result<(), Failure> {
        match &self.events {
            Some(events) => events.send(event).await,
            None => Ok(()),
        }
    }

    /// Tells the user something that is not a result.
    pub async fn notice(&self, text: impl Into<String> + Send) -> Result<(), Failure> {
        self.send(Event::Notice(text.into())).await
    }

    /// Writes lines to the results.
    pub async fn print(&self, text: impl Into<String> + Send) -> Result<(), Failure> {
        self.send(Event::Text(text.into())).await
    }

    /// Returns what a command without counts reports when it is done.
    pub fn done(&self) -> Summary {
        Summary {
            verb: format!("\\{}", self.name),
            ..Summary::default()
        }
    }

    /// Fails because the command was used wrongly.
    pub fn wrong(&self, message: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Usage, message)
    }

    /// Returns where events go; fails while a script is only checked.
    pub fn events(&self) -> Result<&EventSender, Failure> {
        self.events
            .as_ref()
            .ok_or_else(|| self.wrong("a command that is only checked does not run"))
    }

    /// Runs the statement that the command stands for; its failures are shown at the command.
    pub async fn run_statement(&self, sql: String) -> Result<Summary, Failure> {
        let events = self.events()?;
        let source = Source::new(format!("\\{}", self.name), sql);
        let place = Place::new(&source, 0..source.text.len());
        let outcome = crate::run_statement(&self.session, &place, events).await;
        outcome.map_err(|mut failure| {
            let is_ours = |place: &Place| Arc::ptr_eq(&place.source, &source);
            if failure.place.as_ref().is_none_or(is_ours) {
                let argument = self.arguments.first().map(|argument| &argument.place);
                failure.place = Some(argument.unwrap_or(&self.place).clone());
            }
            failure
        })
    }
}
