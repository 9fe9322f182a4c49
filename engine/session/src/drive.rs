//! Takes one cell from its text to its last event.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use datafusion::logical_expr::LogicalPlan;
use futures::FutureExt;
use futures::future::BoxFuture;
use lakesh_event::event::{Event, QueryReads, Summary};
use lakesh_memory::watchdog::watch;
use lakesh_sql::{ShownNames, TableName};
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind, masked};
use lakesh_text::input::{Cell, Substituted, Terminator};
use lakesh_text::secret::{Secret, given_options, given_values};
use lakesh_text::source::Place;

use super::drawing::ToDraw;
use super::locks::write;
use super::queries::{Observer, Running};
use super::{EventSender, Output, Session, Statement, StatementContext, command, execute};
use crate::scope::Resolver;

/// Runs a cell and sends its events; the last is `Finished` or `Failed`.
pub(super) async fn drive(session: Arc<Session>, cell: Cell, events: EventSender) {
    let begin = Instant::now();
    let outcome = run(&session, cell, &events).await;
    if let Err(failure) = &outcome {
        let shown = session.secrets().hide_in_failure(failure.clone());
        *write(&session.last_failure) = Some(shown);
    }
    finish(outcome, begin, &events).await;
}

/// Runs a statement that is not the user's own and sends its events.
pub(super) async fn drive_aside(session: Arc<Session>, statement: Place, events: EventSender) {
    let begin = Instant::now();
    let outcome = run_statement(&session, &statement, &events).await;
    finish(outcome, begin, &events).await;
}

async fn finish(outcome: Result<Summary, Failure>, begin: Instant, events: &EventSender) {
    let last = match outcome {
        Ok(mut summary) => {
            summary.elapsed = begin.elapsed();
            Event::Finished(summary)
        }
        Err(failure) => Event::Failed(failure),
    };
    // Nobody listens any more when this fails: the stream was dropped.
    drop(events.send(last).await);
}

/// Runs a cell and sends all its events but the last.
pub async fn run(
    session: &Arc<Session>,
    cell: Cell,
    events: &EventSender,
) -> Result<Summary, Failure> {
    events.send(Event::Started).await?;
    if session.leaves_out(&cell) {
        return Ok(Summary {
            verb: "\\if".to_owned(),
            ..Summary::default()
        });
    }
    match cell {
        Cell::Command { place, statement } => {
            if let Some(statement) = &statement {
                session.set_previous_statement(statement);
            }
            command::run(session, &place, statement, events).await
        }
        Cell::Statement { place, terminator } => {
            session.set_previous_statement(&place);
            if terminator != Terminator::GoExpanded {
                return run_recorded(session, &place, events).await;
            }
            let expansion = Expansion::begin(session);
            events.send(Event::Display(session.display())).await?;
            let outcome = run_recorded(session, &place, events).await;
            drop(expansion);
            events.send(Event::Display(session.display())).await?;
            outcome
        }
    }
}

/// Shows results expanded for as long as it lives, also when the statement is cancelled.
struct Expansion<'a> {
    session: &'a Session,
    before: bool,
}

impl<'a> Expansion<'a> {
    fn begin(session: &'a Session) -> Self {
        let before = session.display().expanded;
        session.change_display(|display| display.expanded = true);
        Self { session, before }
    }
}

impl Drop for Expansion<'_> {
    fn drop(&mut self) {
        self.session
            .change_display(|display| display.expanded = self.before);
    }
}

/// Runs a statement of the user's and keeps how it went.
async fn run_recorded(
    session: &Arc<Session>,
    place: &Place,
    events: &EventSender,
) -> Result<Summary, Failure> {
    let running = Running::begin(session, place);
    let observer = Arc::clone(&running.observer);
    let outcome = run_observed(session, place, events, observer).await;
    running.finish(&outcome);
    outcome
}

/// Runs the text of one statement.
pub fn run_statement<'a>(
    session: &'a Arc<Session>,
    place: &'a Place,
    events: &'a EventSender,
) -> BoxFuture<'a, Result<Summary, Failure>> {
    run_observed(session, place, events, Arc::default())
}

fn run_observed<'a>(
    session: &'a Arc<Session>,
    place: &'a Place,
    events: &'a EventSender,
    observer: Arc<Observer>,
) -> BoxFuture<'a, Result<Summary, Failure>> {
    async move {
        let text = session
            .substitute(place)
            .map_err(|failure| at_statement(failure, place))?;
        let events = guarded(session, &text, events);
        let mut watched = watch(session.memory());
        let outcome = tokio::select! {
            biased;
            why = watched.ended() => Err(out_of_memory(why)),
            outcome = run_text(session, text, &events, observer) => outcome,
        };
        // Whoever runs it for a command knows only the session's secrets.
        outcome.map_err(|failure| {
            events
                .secrets()
                .hide_in_failure(at_statement(failure, place))
        })
    }
    .boxed()
}

/// Explains why the watchdog ended a statement; what it had begun to commit is committed all the same.
fn out_of_memory(why: String) -> Failure {
    Failure::new(FailureKind::Resources, why)
        .hint("raise the limit with SET lakesh.memory_limit = '…', or read less at once")
}

/// Hides the secrets that a statement's text names, and all of them in its rows where it uses one.
fn guarded(session: &Session, text: &Substituted, events: &EventSender) -> EventSender {
    let named = given_values(&text.text).into_iter();
    let named: Vec<Secret> = named.map(|range| Secret::new(&text.text[range])).collect();
    events.hiding(named, session.uses_secret(&text.text))
}

/// Refuses to write what a secret was put into: it would stand in the table, or in its log.
fn refuse_secrets(session: &Session, text: &Substituted, verb: &str) -> Result<(), Failure> {
    let options = given_options(&text.text);
    let is_option = |found: &Range<usize>| {
        let holds = |option: &Range<usize>| option.start <= found.start && found.end <= option.end;
        options.iter().any(holds)
    };
    let secrets = session.secrets();
    if let Some(found) = secrets
        .find(&text.text)
        .into_iter()
        .find(|found| !is_option(found))
    {
        let message = format!("{verb} is refused, as a secret would be written");
        return Err(Failure::new(FailureKind::Denied, message)
            .hint("a secret can stand in a query and in options, such as `password => :'name'`")
            .at(text.original(found)));
    }
    match session.uses_secret_parameter(&text.text) {
        true => {
            let message =
                format!("{verb} is refused, as a parameter with a secret would be written");
            Err(Failure::new(FailureKind::Denied, message))
        }
        false => Ok(()),
    }
}

/// Gives a failure that knows no better place that of its statement: a script has many.
fn at_statement(failure: Failure, place: &Place) -> Failure {
    match failure.place {
        Some(_) => failure,
        None => failure.at(place.clone()),
    }
}

/// Refuses a statement that runs in the place of another one what it would be refused by itself.
pub(super) fn refuse_where_denied(
    outer: &StatementContext,
    inner: &StatementContext,
    statement: &dyn Statement,
) -> Result<(), Failure> {
    if statement.writes() || statement.keeps_rows() {
        refuse_secrets(&outer.session, &outer.text, statement.verb())?;
        refuse_secrets(&inner.session, &inner.text, statement.verb())?;
    }
    match statement.writes() {
        true => inner.require_writable(&format!("{} is refused", statement.verb())),
        false => Ok(()),
    }
}

async fn run_text(
    session: &Arc<Session>,
    text: Substituted,
    events: &EventSender,
    observer: Arc<Observer>,
) -> Result<Summary, Failure> {
    let statement = session.parse(&text)?;
    observer.is_a(statement.verb());
    if statement.writes() || statement.keeps_rows() {
        refuse_secrets(session, &text, statement.verb())?;
    }
    let context = StatementContext::new(session, text, Some(events.clone()))
        .observed_by(observer)
        .with_hinted_settings();
    if statement.writes() {
        context.require_writable(&format!("{} is refused", statement.verb()))?;
    }
    let outcome = run_parsed(&context, statement.as_ref(), events).await;
    context.complain_of_hints().await?;
    drop(context);
    if statement.writes() {
        // What this statement itself has read of a table that it replaced is free by now.
        session.catalog().sweep_dropped();
    }
    outcome
}

async fn run_parsed(
    context: &StatementContext,
    statement: &dyn Statement,
    events: &EventSender,
) -> Result<Summary, Failure> {
    let begin = Instant::now();
    let verb = statement.verb();
    let mut summary = match statement.run(context).await? {
        Output::Plan(plan) => run_query(context, plan, ShownNames::default(), verb, events).await?,
        Output::Shown(plan, names) => run_query(context, plan, names, verb, events).await?,
        Output::Batches { schema, batches } => {
            execute::send_batches(schema, batches, verb, events).await?
        }
        Output::Done(summary) => return Ok(summary),
    };
    let to_draw = context.take_to_draw();
    if !to_draw.is_empty() {
        // The rows are shown while their pictures are made.
        summary.elapsed = begin.elapsed();
        events.send(Event::Step(summary.clone())).await?;
    }
    draw(context, to_draw, events).await?;
    Ok(summary)
}

/// Says what a plan reads, and runs it.
async fn run_query(
    context: &StatementContext,
    plan: Erased<LogicalPlan>,
    names: ShownNames,
    verb: &'static str,
    events: &EventSender,
) -> Result<Summary, Failure> {
    let begin = Instant::now();
    let reads = QueryReads {
        sql: Secret::new(context.text.text.as_str()),
        shown: masked(&context.text.text),
        versions: context.versions_read(),
    };
    events.send(Event::Reads(reads)).await?;
    let summary = execute::run_plan(context, plan, names, verb, events).await?;
    let advisor = context.session.advisor();
    advisor.ran(context, begin.elapsed()).await?;
    Ok(summary)
}

/// Draws what a statement has asked for, such as how the columns are spread that it has profiled.
async fn draw(
    context: &StatementContext,
    to_draw: Vec<ToDraw>,
    events: &EventSender,
) -> Result<(), Failure> {
    for one in to_draw {
        match one(context).await {
            Ok(picture) => events.send(Event::Picture(picture)).await?,
            // The rows are there; what the picture lacks, a notice says.
            Err(failure) => {
                let notice = format!("no picture of the columns: {}", failure.message);
                events.send(Event::Notice(notice)).await?;
            }
        }
    }
    Ok(())
}

/// Checks a command with the statement that it ends.
async fn check_command(
    session: &Arc<Session>,
    place: &Place,
    statement: Option<Place>,
) -> Result<(), Failure> {
    if let Some(statement) = &statement {
        let checked = check_text(session, statement).await;
        checked.map_err(|failure| at_statement(failure, statement))?;
    }
    command::check(session, place, statement)
}

/// Checks a cell without running it.
pub(super) async fn check(session: &Arc<Session>, cell: Cell) -> Result<(), Failure> {
    match cell {
        Cell::Command { place, statement } => check_command(session, &place, statement).await,
        Cell::Statement { place, .. } => {
            let checked = check_text(session, &place).await;
            checked.map_err(|failure| at_statement(failure, &place))
        }
    }
    .map_err(|failure| session.secrets().hide_in_failure(failure))
}

async fn check_text(session: &Arc<Session>, place: &Place) -> Result<(), Failure> {
    let text = session.substitute(place)?;
    let statement = session.parse(&text)?;
    let context = StatementContext::new(session, text, None).with_hinted_settings();
    if statement.writes() || statement.keeps_rows() {
        refuse_secrets(session, &context.text, statement.verb())?;
    }
    if statement.writes() {
        context.require_writable(&format!("{} is refused", statement.verb()))?;
    }
    statement.check(&context).await
}

/// Returns the columns of a table or view with their SQL types.
pub(super) async fn columns(
    session: &Arc<Session>,
    table: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let text = lakesh_text::input::Substituted::detached(table);
    let context = StatementContext::new(session, text, None);
    let name = lakesh_sql::parse_name(table).map_err(|error| context.failure(error))?;
    let (name, parts) = TableName::from_object(&name, context.current_schema())?;
    let source = Resolver::new(&context)
        .named(
            &name,
            &parts,
            lakesh_catalog::definition::TableVersion::Latest,
        )
        .await?;
    Ok(source
        .schema()
        .fields()
        .iter()
        .map(|field| {
            (
                field.name().clone(),
                lakesh_text::failure::sql_type_name(field.data_type()),
            )
        })
        .collect())
}
