//! Events in, bytes out: results to their sink in their format, everything else to standard error.
//!
//! It never calls the session. Several results in one place: csv, tsv, markdown, tables and lists are
//! separated by an empty line, each JSON result is a document of its own, and ndjson goes on. Arrow and
//! parquet hold one result and refuse a second, and so do files of csv, tsv and JSON, which no reader would
//! take.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_engine::display::DisplayOptions;
use lakesh_engine::event::{Event, Summary};
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::footer::footer;
use lakesh_engine::format::{
    self, Compression, Format, FormatError, FormatOptions, ResultEnd, ResultWriter,
};

use crate::interrupt::Interrupts;
use crate::messages::Messages;
use crate::pager::{Pager, PagerSwitch};
use crate::progress::ProgressLine;
use crate::sink::{Interrupted, Sink, Target};

/// Why rendering ends before the events do.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Whoever read the results has gone.
    Closed,
    /// The user interrupted it.
    Interrupted,
    /// It failed.
    Failed(Failure),
}

/// What does not change while a renderer lives.
#[derive(Debug, Clone)]
pub(crate) struct RenderOptions {
    /// Whether counts are said below results.
    pub(crate) counts: bool,
    /// Whether times are said where the session wants them.
    pub(crate) quiet: bool,
    /// Whether results on standard output carry colour.
    pub(crate) colour: bool,
    /// The pager's command line, and whether it is in use.
    pub(crate) pager: Option<(String, PagerSwitch)>,
}

/// Renders the events of one cell after the other.
pub(crate) struct Renderer {
    /// Where everything goes that is not a result.
    pub(crate) messages: Messages,
    options: RenderOptions,
    display: DisplayOptions,
    standard: Sink,
    /// Takes the place of standard output.
    output: Option<Sink>,
    /// Takes the place of both for one statement.
    single: Option<Sink>,
    /// Where the next statement's rows are saved.
    save: Option<PathBuf>,
    /// Where the next rows go, whichever cell they come from.
    once: Option<PathBuf>,
    current: Option<Current>,
    progress: ProgressLine,
}

/// The result that is being written.
struct Current {
    writer: Box<dyn ResultWriter>,
    /// Where its sink was before it.
    mark: u64,
    rows: u64,
}

impl Renderer {
    /// Makes a renderer that writes results to a sink.
    pub(crate) fn new(
        standard: Sink,
        messages: Messages,
        display: DisplayOptions,
        options: RenderOptions,
    ) -> Self {
        Self {
            messages,
            options,
            display,
            standard,
            output: None,
            single: None,
            save: None,
            once: None,
            current: None,
            progress: ProgressLine::default(),
        }
    }

    /// Lets an interrupt end what is being written to standard output.
    pub(crate) fn heed(&mut self, interrupts: &Interrupts) {
        self.standard.heed(interrupts);
    }

    /// Takes the session's display settings over.
    pub(crate) fn set_display(&mut self, display: DisplayOptions) {
        self.display = display;
    }

    /// Takes a sink in place of standard output.
    pub(crate) fn set_output(&mut self, sink: Sink) {
        self.output = Some(sink);
    }

    /// Renders one event.
    pub(crate) fn render(&mut self, event: Event) -> Result<(), Stop> {
        match event {
            Event::Started | Event::Reads(_) | Event::Picture(_) | Event::Quit => Ok(()),
            Event::Clear => self.clear(),
            Event::Page(text) => self.text(&text),
            Event::Schema(schema) => self.start(&schema),
            Event::Batch(batch) => self.batch(&batch),
            Event::Progress(progress) => {
                // A terminal that rows are running over has no place for it.
                let writes_rows = self.current.is_some() && self.sink().is_terminal();
                if !self.options.quiet && !writes_rows {
                    self.progress.show(&progress);
                }
                Ok(())
            }
            Event::Notice(text) => {
                self.pause()?;
                self.messages.say(&text);
                Ok(())
            }
            Event::Text(text) => self.text(&text),
            Event::Display(display) => {
                self.display = display;
                Ok(())
            }
            Event::Output(file) => self.redirect(file.as_deref().map(Path::new)),
            Event::Save(file) => {
                self.save = Some(PathBuf::from(file));
                Ok(())
            }
            Event::Once(file) => {
                self.once = Some(PathBuf::from(file));
                Ok(())
            }
            Event::Step(summary) | Event::Finished(summary) => self.finish(&summary),
            Event::Failed(failure) => Err(Stop::Failed(failure)),
        }
    }

    /// Ends the cell early; a result that is not whole is taken back where that can be done.
    pub(crate) fn abandon(&mut self) {
        self.progress.clear();
        self.save = None;
        let current = self.current.take();
        if self.single.take().is_some() {
            return;
        }
        if let Some(current) = current {
            let sink = self.sink();
            // Another failure is being told already.
            drop(sink.take_back(current.mark));
        }
    }

    /// Ends the cell early and tells why.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.progress.clear();
        // A stream keeps the rows that came before; the missing end mark tells that more were due.
        if let Some(mut current) = self
            .current
            .take_if(|_| self.output.is_none() && self.single.is_none())
        {
            let end = ResultEnd {
                rows: current.rows,
                complete: false,
            };
            drop(current.writer.finish(&end, &mut self.standard));
        }
        self.abandon();
        drop(self.standard.flush());
        self.messages.failure(failure);
    }

    /// Ends the run: files come to their places if it went well.
    pub(crate) fn close(&mut self, went_well: bool) -> Result<(), Stop> {
        self.progress.clear();
        if let Some(output) = self.output.take()
            && went_well
        {
            close_output(output)?;
        }
        self.standard.flush().map_err(stop_of_write)
    }

    fn sink(&mut self) -> &mut Sink {
        match (&mut self.single, &mut self.output) {
            (Some(single), _) => single,
            (None, Some(output)) => output,
            (None, None) => &mut self.standard,
        }
    }

    /// Makes room for a message: what was written comes first.
    fn pause(&mut self) -> Result<(), Stop> {
        self.progress.clear();
        if self.standard.is_terminal() && self.single.is_none() {
            self.standard.flush().map_err(stop_of_write)?;
        }
        Ok(())
    }

    fn start(&mut self, schema: &SchemaRef) -> Result<(), Stop> {
        if let Some(file) = self.save.take().or_else(|| self.once.take()) {
            self.single = Some(create(&file, None)?);
        } else {
            self.start_pager()?;
        }
        let display = self.display.clone();
        let (colour, counts) = (self.options.colour, self.options.counts);
        let sink = self.sink();
        if sink.is_terminal() {
            self.progress.clear();
        }
        let sink = self.sink();
        let format = format_of(sink, &display)?;
        refuse_wrong_place(sink, format)?;
        let separated = sink.results > 0 && !(counts && sink.is_terminal());
        let mark = sink.mark().map_err(stop_of_write)?;
        if separated && format.separated {
            sink.write_all(b"\n").map_err(stop_of_write)?;
        }
        let options = FormatOptions {
            display,
            width: sink.is_terminal().then(width),
            colour: colour && sink.is_terminal(),
        };
        let mut writer = format.writer(&options);
        let started = writer.start(schema, sink);
        self.current = Some(Current {
            writer,
            mark,
            rows: 0,
        });
        started.map_err(stop_of_format)
    }

    fn start_pager(&mut self) -> Result<(), Stop> {
        let wanted = self.output.is_none() && self.standard.is_terminal();
        match &self.options.pager {
            Some((program, switch)) if wanted && switch.is_on() => {
                self.standard.flush().map_err(stop_of_write)?;
                let pager = Pager::start(program).map_err(|error| {
                    let message = format!("cannot start the pager `{program}`: {}", reason(&error));
                    let failure = Failure::new(FailureKind::InputOutput, message);
                    Stop::Failed(failure.hint("`\\pager off` shows results without it"))
                })?;
                self.progress.clear();
                self.single = Some(Sink::new(Target::Pager(pager)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Stop> {
        let Some(mut current) = self.current.take() else {
            return Ok(());
        };
        current.rows += batch.num_rows() as u64;
        let written = current.writer.batch(batch, self.sink());
        self.current = Some(current);
        written.map_err(stop_of_format)
    }

    fn finish(&mut self, summary: &Summary) -> Result<(), Stop> {
        self.progress.clear();
        self.save = None;
        if let Some(mut current) = self.current.take() {
            let end = ResultEnd {
                rows: current.rows,
                complete: true,
            };
            let finished = current.writer.finish(&end, self.sink());
            if let Err(error) = finished {
                self.current = Some(current);
                return Err(stop_of_format(error));
            }
            self.sink().results += 1;
        }
        match self.single.take() {
            Some(single) => close_output(single)?,
            None => self.sink().flush().map_err(stop_of_write)?,
        }
        let timing = self.display.timing;
        let said = !self.options.quiet && (self.options.counts || timing);
        if said && let Some(footer) = footer(summary, timing) {
            self.messages.whisper(&footer);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Stop> {
        self.progress.clear();
        let binary = self
            .output
            .as_ref()
            .is_some_and(|output| output.format.is_some_and(|format| format.binary));
        let sink = match &mut self.output {
            Some(output) if !binary => output,
            _ => &mut self.standard,
        };
        sink.write_all(text.as_bytes()).map_err(stop_of_write)
    }

    /// Clears the screen; what is no screen stays as it is.
    fn clear(&mut self) -> Result<(), Stop> {
        self.progress.clear();
        if !self.standard.is_terminal() {
            return Ok(());
        }
        self.standard
            .write_all(b"\x1b[2J\x1b[H")
            .and_then(|()| self.standard.flush())
            .map_err(stop_of_write)
    }

    fn redirect(&mut self, file: Option<&Path>) -> Result<(), Stop> {
        if let Some(output) = self.output.take() {
            close_output(output)?;
        }
        if let Some(file) = file {
            self.output = Some(create(file, None)?);
        }
        Ok(())
    }
}

/// Begins a file for results.
pub(crate) fn create(path: &Path, format: Option<&'static Format>) -> Result<Sink, Stop> {
    let named = format::by_suffix(&path.to_string_lossy()).map_err(stop_of_format)?;
    let compression = named.map_or(Compression::None, |named| named.compression);
    let format = format.or(named.map(|named| named.format));
    if format.is_none()
        && let Some(suffix) = path.extension()
    {
        let names: Vec<_> = format::formats().iter().map(|format| format.name).collect();
        let message = format!("the suffix `{}` names no format", suffix.to_string_lossy());
        let failure = Failure::new(FailureKind::Usage, message)
            .hint(format!("name one with --format: {}", names.join(", ")));
        return Err(Stop::Failed(failure));
    }
    match Sink::file(path, compression) {
        Ok(mut sink) => {
            sink.format = format;
            Ok(sink)
        }
        Err(error) => {
            let message = format!("cannot write `{}`: {}", path.display(), reason(&error));
            Err(Stop::Failed(
                Failure::new(FailureKind::InputOutput, message).caused_by(error),
            ))
        }
    }
}

/// Closes a sink; a file in a format that is never empty must have got a result.
fn close_output(output: Sink) -> Result<(), Stop> {
    if let Some(format) = output
        .format
        .filter(|format| format.binary && output.results == 0)
    {
        let message = format!(
            "no {} file was written: no statement returned rows",
            format.name
        );
        return Err(Stop::Failed(Failure::new(FailureKind::Usage, message)));
    }
    output.close().map_err(stop_of_write)
}

fn format_of(sink: &Sink, display: &DisplayOptions) -> Result<&'static Format, Stop> {
    if let Some(format) = sink.format {
        return Ok(format);
    }
    format::for_display(display).ok_or_else(|| {
        let name = display.format.as_deref().unwrap_or_default();
        let message = format!("unknown format `{name}`");
        Stop::Failed(Failure::new(FailureKind::Usage, message))
    })
}

fn refuse_wrong_place(sink: &Sink, format: &Format) -> Result<(), Stop> {
    let refused = |message: String, hint: &str| {
        Err(Stop::Failed(
            Failure::new(FailureKind::Usage, message).hint(hint),
        ))
    };
    if format.binary && sink.is_terminal() {
        let message = format!("{} is not for terminals", format.name);
        return refused(message, "write it to a file with -o or \\o");
    }
    let is_full = format.binary || (format.one_result && sink.is_file());
    if is_full && sink.results > 0 {
        let message = format!("{} holds one result, and this is another", format.name);
        return refused(
            message,
            "write each result to a file of its own, with \\o or \\save",
        );
    }
    Ok(())
}

/// The width of the terminal in columns; the classic 80 where it does not say.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

fn stop_of_format(error: FormatError) -> Stop {
    match error {
        FormatError::Write(error) => stop_of_write(error),
        other => {
            let message = other.to_string();
            Stop::Failed(Failure::new(FailureKind::Execution, message).caused_by(other))
        }
    }
}

/// Tells what became of a write: a reader that has gone is no failure.
pub(crate) fn stop_of_write(error: io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Stop::Closed;
    }
    if error
        .get_ref()
        .is_some_and(|inner| inner.is::<Interrupted>())
    {
        return Stop::Interrupted;
    }
    let message = format!("cannot write the results: {}", reason(&error));
    Stop::Failed(Failure::new(FailureKind::InputOutput, message).caused_by(error))
}

/// Says in a few words what went wrong, without the operating system's number for it.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => "unknown reason".to_owned(),
    }
}
