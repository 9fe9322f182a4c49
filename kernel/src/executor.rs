//! Runs the statements and commands of a cell one after the other and shows what they give.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use futures::StreamExt;
use lakesh_engine::event::{Event, QueryReads, Summary};
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::footer::footer;
use lakesh_engine::input::{self, Cell, SplitOptions};
use lakesh_engine::picture::{HintCard, Picture, PlanPicture};
use lakesh_engine::session::{EventStream, Session};
use lakesh_engine::source::{Place, Source};
use tokio::runtime::Handle;

use crate::chart::Charts;
use crate::file::ResultFile;
use crate::interrupt::Interrupts;
use crate::mime;
use crate::output::{Bundle, ErrorReport, Output, OutputSink};
use crate::picture;
use crate::progress::ProgressLine;
use crate::result::ShownResult;

/// Outputs that are shown again when the progress line goes; a cell with more shows no such line.
const MOST_REPEATED: usize = 8 * 1024 * 1024;

/// How the text of a cell is split. A query belongs to `%%chart` and more values to `%%param`, as the body
/// of a cell belongs to the magic above it elsewhere.
pub(crate) const CELLS: SplitOptions = SplitOptions {
    magics: true,
    cell_magics: &["chart", "param"],
};

/// Runs cells in a session.
pub(crate) struct Executor {
    pub(crate) session: Arc<Session>,
    /// The runtime of the session, on whose threads plans run.
    pub(crate) runtime: Handle,
    pub(crate) interrupts: Interrupts,
    charts: Charts,
    /// How many results have been named.
    results: usize,
    /// Where results go instead of the notebook.
    output: Option<ResultFile>,
    /// The file for the next rows.
    once: Option<String>,
}

/// How a cell ended.
#[derive(Default)]
pub(crate) struct CellEnd {
    /// Texts for the front end's pager.
    pub(crate) pages: Vec<String>,
    /// Whether the user asked to leave.
    pub(crate) quit: bool,
    /// Why it stopped early.
    pub(crate) error: Option<ErrorReport>,
}

/// Why a statement stops a cell.
enum Stop {
    Failed(Failure),
    Quit,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Executor {
    pub(crate) fn new(session: Arc<Session>, runtime: Handle, charts: Charts) -> Self {
        Self {
            session,
            runtime,
            interrupts: Interrupts::default(),
            charts,
            results: 0,
            output: None,
            once: None,
        }
    }

    /// Runs a cell to its end or its first failure. A commit that was begun is done when this returns.
    pub(crate) async fn run(&mut self, source: &Arc<Source>, sink: &mut dyn OutputSink) -> CellEnd {
        self.interrupts.clear();
        let mut end = CellEnd::default();
        let mut screen = Screen::new(sink);
        let outcome = self.run_all(source, &mut screen, &mut end).await;
        screen.clear_progress().await;
        match outcome {
            Ok(()) => {}
            Err(Stop::Quit) => end.quit = true,
            Err(Stop::Failed(failure)) => {
                let failure = self.session.secrets().hide_in_failure(failure);
                let report = ErrorReport::new(&failure);
                screen.show(Output::Error(report.clone())).await;
                end.error = Some(report);
            }
        }
        end
    }

    async fn run_all(
        &mut self,
        source: &Arc<Source>,
        screen: &mut Screen<'_>,
        end: &mut CellEnd,
    ) -> Result<(), Stop> {
        let mut cells = input::cells(source, CELLS).peekable();
        while let Some(cell) = cells.next() {
            let cell = cell?;
            let is_last = cells.peek().is_none();
            let outcome = self.run_cell(cell, is_last, screen, end).await;
            self.session.settle().await;
            if outcome? {
                return Err(Stop::Quit);
            }
        }
        Ok(())
    }

    /// Runs one statement or command; says whether the user asked to leave.
    async fn run_cell(
        &mut self,
        cell: Cell,
        is_last: bool,
        screen: &mut Screen<'_>,
        end: &mut CellEnd,
    ) -> Result<bool, Failure> {
        let mut running = Running {
            is_statement: matches!(cell, Cell::Statement { .. }),
            is_last,
            ..Running::default()
        };
        let mut events = self.start(|session| session.run(cell));
        loop {
            let event = tokio::select! {
                biased;
                () = self.interrupts.requested() => {
                    return Err(Failure::new(FailureKind::Interrupted, "interrupted"));
                }
                event = events.next() => event,
            };
            let Some(event) = event else {
                return Ok(running.quit);
            };
            self.take(event, &mut running, screen, end).await?;
            if running.is_done() {
                // Dropping the stream cancels the query.
                drop(events);
                self.show_result(&mut running, None, screen).await?;
                return Ok(running.quit);
            }
        }
    }

    /// Starts something on the session's own runtime.
    fn start(&self, start: impl FnOnce(&Arc<Session>) -> EventStream) -> EventStream {
        let _guard = self.runtime.enter();
        start(&self.session)
    }

    async fn take(
        &mut self,
        event: Event,
        running: &mut Running,
        screen: &mut Screen<'_>,
        end: &mut CellEnd,
    ) -> Result<(), Failure> {
        match event {
            Event::Started | Event::Display(_) => {}
            Event::Reads(reads) => running.reads = Some(reads),
            Event::Picture(Picture::Plan(plan)) => running.plan = Some(plan),
            Event::Picture(Picture::Hints(cards)) => running.cards = Some(cards),
            Event::Picture(Picture::Distributions(drawn)) => {
                if let Some(bundle) = picture::distributions(&drawn, &running.named) {
                    screen.show(Output::Display(bundle)).await;
                }
            }
            Event::Schema(schema) => self.begin_rows(schema, running)?,
            Event::Batch(batch) => match (&mut running.file, &mut running.shown) {
                (Some(Destination::Own(file)), _) => file.batch(&batch)?,
                (Some(Destination::Shared), _) => {
                    if let Some(file) = &mut self.output {
                        file.batch(&batch)?;
                    }
                }
                (None, Some(shown)) => shown.push(&batch)?,
                (None, None) => {}
            },
            Event::Progress(progress) => screen.progress(&progress).await,
            Event::Notice(text) => screen.show(Output::Notice(text + "\n")).await,
            Event::Text(text) => match &mut self.output {
                Some(file) if file.takes_text() => file.text(&text)?,
                _ => screen.show(Output::Text(text)).await,
            },
            Event::Output(file) => self.redirect(file.as_deref())?,
            Event::Save(file) => running.save = Some(file),
            Event::Once(file) => self.once = Some(file),
            Event::Clear => screen.clear().await,
            Event::Page(text) => end.pages.push(text),
            Event::Quit => running.quit = true,
            Event::Step(summary) | Event::Finished(summary) => {
                self.finish(&summary, running, screen).await?;
            }
            Event::Failed(failure) => return Err(failure),
        }
        Ok(())
    }

    fn begin_rows(&mut self, schema: SchemaRef, running: &mut Running) -> Result<(), Failure> {
        let display = self.session.display();
        if let Some(path) = running.save.take().or_else(|| self.once.take()) {
            let mut file = ResultFile::create(&path, &display)?;
            file.start(&schema, &display)?;
            running.file = Some(Destination::Own(file));
        } else if let Some(file) = &mut self.output {
            file.start(&schema, &display)?;
            running.file = Some(Destination::Shared);
        } else {
            running.shown = Some(ShownResult::new(schema, display)?);
        }
        Ok(())
    }

    /// Ends a statement's result and says what it did.
    async fn finish(
        &mut self,
        summary: &Summary,
        running: &mut Running,
        screen: &mut Screen<'_>,
    ) -> Result<(), Failure> {
        let in_notebook = running.shown.is_some();
        match running.file.take() {
            Some(Destination::Own(mut file)) => {
                file.finish()?;
                file.commit()?;
            }
            Some(Destination::Shared) => {
                if let Some(file) = &mut self.output {
                    file.finish()?;
                }
            }
            None => self.show_result(running, Some(summary), screen).await?,
        }
        running.reads = None;
        for chart in self.charts.take() {
            screen.show(Output::Display(chart)).await;
        }
        // A statement that is drawn ends twice: when its rows are there, and with their pictures.
        let is_said = running.is_statement && std::mem::replace(&mut running.has_ended, true);
        if !in_notebook
            && !is_said
            && let Some(said) = footer(summary, self.session.display().timing)
        {
            screen.show(Output::Text(said + "\n")).await;
        }
        Ok(())
    }

    /// Shows a result in the notebook and gives it its names.
    async fn show_result(
        &mut self,
        running: &mut Running,
        summary: Option<&Summary>,
        screen: &mut Screen<'_>,
    ) -> Result<(), Failure> {
        let Some(shown) = running.shown.take() else {
            return Ok(());
        };
        let settings = self.session.changed_settings();
        running.named = shown.texts("column_name");
        let (mut bundle, earlier) = shown.bundle(
            summary,
            running.reads.as_ref(),
            &settings,
            &self.session.working_directory(),
        )?;
        if let Some(plan) = running.plan.take() {
            mime::add_picture(&mut bundle, picture::plan(&plan));
        }
        if let Some(cards) = running.cards.take() {
            mime::add_card(&mut bundle, &picture::hints(&cards));
        }
        self.results += 1;
        let notices = self.session.keep_result(self.results, earlier).await;
        let output = if running.is_last && running.is_statement {
            Output::Result(bundle)
        } else {
            Output::Display(bundle)
        };
        screen.show(output).await;
        for notice in notices {
            screen.show(Output::Notice(notice + "\n")).await;
        }
        Ok(())
    }

    fn redirect(&mut self, file: Option<&str>) -> Result<(), Failure> {
        if let Some(output) = self.output.take() {
            output.commit()?;
        }
        if let Some(path) = file {
            self.output = Some(ResultFile::create(path, &self.session.display())?);
        }
        Ok(())
    }

    /// Evaluates an expression or a query of the front end's own.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Result<Bundle, Failure> {
        let text = expression.trim().trim_end_matches(';');
        let first = text.split(|letter: char| !letter.is_alphanumeric()).next();
        let is_query = ["select", "with", "values", "from", "show", "describe"]
            .iter()
            .any(|word| first.is_some_and(|first| first.eq_ignore_ascii_case(word)));
        let sql = match is_query {
            true => text.to_owned(),
            false => format!("SELECT {text}"),
        };
        let source = Source::new("user expression", sql);
        let place = Place::new(&source, 0..source.text.len());
        let mut events = self.start(|session| session.run_aside(place));
        let mut shown = None;
        while let Some(event) = events.next().await {
            match event {
                Event::Schema(schema) => {
                    shown = Some(ShownResult::new(schema, self.session.display())?);
                }
                Event::Batch(batch) => {
                    if let Some(shown) = &mut shown {
                        shown.push(&batch)?;
                        if shown.is_full() {
                            break;
                        }
                    }
                }
                Event::Failed(failure) => return Err(failure),
                _ => {}
            }
        }
        match shown {
            Some(shown) => Ok(shown.bundle(None, None, &[], Path::new(""))?.0),
            None => Ok(Bundle::default()),
        }
    }

    /// Ends what is being written.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        self.redirect(None)
    }
}

/// Where rows go that are not shown.
enum Destination {
    /// Into a file of their own.
    Own(ResultFile),
    /// Into the file of `\o`.
    Shared,
}

/// A statement or command that runs.
#[derive(Default)]
struct Running {
    is_statement: bool,
    is_last: bool,
    reads: Option<QueryReads>,
    save: Option<String>,
    file: Option<Destination>,
    shown: Option<ShownResult>,
    /// The plan that the result shows.
    plan: Option<PlanPicture>,
    /// The hints that the result shows.
    cards: Option<Vec<HintCard>>,
    /// The columns that the last result names; what is drawn below it are these.
    named: Vec<String>,
    /// Whether the statement's rows are all there.
    has_ended: bool,
    quit: bool,
}

impl Running {
    /// Tells whether enough rows came. A command may have more to do, so it runs to its end.
    fn is_done(&self) -> bool {
        self.is_statement && self.shown.as_ref().is_some_and(ShownResult::is_full)
    }
}

/// What the cell shows, with a progress line that leaves nothing behind.
struct Screen<'a> {
    sink: &'a mut dyn OutputSink,
    line: ProgressLine,
    has_line: bool,
    /// What was shown, to be shown again once the line is cleared; `None` if that is too much.
    shown: Option<Vec<Output>>,
    bytes: usize,
}

impl<'a> Screen<'a> {
    fn new(sink: &'a mut dyn OutputSink) -> Self {
        Self {
            sink,
            line: ProgressLine::default(),
            has_line: false,
            shown: Some(Vec::new()),
            bytes: 0,
        }
    }

    async fn show(&mut self, output: Output) {
        self.clear_progress().await;
        self.bytes += output.size();
        if self.bytes > MOST_REPEATED {
            self.shown = None;
        }
        if let Some(shown) = &mut self.shown {
            shown.push(output.clone());
        }
        self.sink.show(output).await;
    }

    async fn progress(&mut self, progress: &lakesh_engine::event::Progress) {
        if self.shown.is_none() {
            return;
        }
        if let Some(line) = self.line.line(progress) {
            self.has_line = true;
            self.sink.show(Output::Progress(line)).await;
        }
    }

    async fn clear_progress(&mut self) {
        if !self.has_line {
            return;
        }
        self.has_line = false;
        self.sink.show(Output::Clear).await;
        for output in self.shown.iter().flatten() {
            self.sink.show(output.clone()).await;
        }
    }

    async fn clear(&mut self) {
        self.has_line = false;
        self.bytes = 0;
        self.shown = Some(Vec::new());
        self.sink.show(Output::Clear).await;
    }
}
