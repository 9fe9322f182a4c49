//! Runs a notebook's file from beginning to end without a front end.

mod document;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::session::{Session, SessionOptions};
use lakesh_engine::source::Source;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use crate::chart::Charts;
use crate::command;
use crate::executor::Executor;
use crate::output::{Output, OutputSink};
use crate::stdin::Asker;
use document::Document;

/// Does with the text of a notebook what a run does but for running its cells; returns what would be written.
pub(crate) fn read_and_written(text: &str) -> Result<Vec<u8>, String> {
    Document::read_and_written(text)
}

/// What to run.
pub struct NotebookRun {
    /// The notebook.
    pub path: PathBuf,
    /// Where the executed notebook goes; `None` writes it back to its place.
    pub output: Option<PathBuf>,
    /// Parameters as they were written, `name=value`.
    pub parameters: Vec<String>,
    /// Whether cells run on after one that fails.
    pub keep_going: bool,
    /// The session's options.
    pub session: SessionOptions,
    /// The runtime on whose threads plans run.
    pub runtime: Handle,
}

/// How a notebook ended.
pub struct NotebookEnd {
    /// The failures of its cells as reports, each with the number of its cell.
    pub failures: Vec<(usize, String)>,
    /// What sort the first failure was.
    pub first: Option<FailureKind>,
    /// The session, whose temporary files are to be removed.
    pub session: Arc<Session>,
}

/// Runs a notebook's cells and writes it with their outputs. `interrupted` ends it early when it is ready.
pub async fn run(
    mut run: NotebookRun,
    interrupted: impl Future<Output = ()> + Send,
) -> Result<NotebookEnd, Failure> {
    let mut document = Document::read(&run.path)?;
    document.inject(&run.parameters);
    let charts = Charts::default();
    // Nobody is there to answer questions; the commands that ask say so.
    let commands = command::of_notebook(&Asker::default(), &charts);
    run.session.commands.extend(commands);
    run.session.pictures = true;
    let session = {
        let _guard = run.runtime.enter();
        lakesh_engine::open(run.session)?
    };
    let executor = Executor::new(Arc::clone(&session), run.runtime, charts);
    let interrupts = executor.interrupts.clone();
    let mut runner = Runner {
        executor,
        keep_going: run.keep_going,
        end: NotebookEnd {
            failures: Vec::new(),
            first: None,
            session,
        },
        interrupted: false,
    };
    let stopped = {
        let cells = runner.all(&mut document);
        tokio::pin!(cells, interrupted);
        let done = tokio::select! {
            () = &mut cells => true,
            () = &mut interrupted => false,
        };
        if !done {
            interrupts.request();
            cells.await;
        }
        !done
    };
    if stopped {
        runner.end.first = Some(FailureKind::Interrupted);
    }
    let closed = runner.executor.close();
    document.write(run.output.as_ref().unwrap_or(&run.path))?;
    closed.map(|()| runner.end)
}

struct Runner {
    executor: Executor,
    keep_going: bool,
    end: NotebookEnd,
    interrupted: bool,
}

impl Runner {
    async fn all(&mut self, document: &mut Document) {
        let mut count = 0;
        let mut stopped = false;
        for mut cell in document.code_cells() {
            cell.clear();
            if stopped {
                continue;
            }
            let source = cell.source();
            if source.trim().is_empty() {
                continue;
            }
            count += 1;
            let mut outputs = Outputs::default();
            let text = Source::new(format!("cell {count}"), source);
            let end = self.executor.run(&text, &mut outputs).await;
            cell.set_outputs(count, outputs.list);
            let Some(error) = end.error else {
                stopped = end.quit;
                continue;
            };
            self.interrupted |= error.kind == FailureKind::Interrupted;
            if cell.may_fail() && !self.interrupted {
                continue;
            }
            self.end.first.get_or_insert(error.kind);
            self.end.failures.push((count, error.plain));
            stopped = !self.keep_going || self.interrupted;
        }
    }
}

/// Collects outputs in the form of the notebook's file.
#[derive(Default)]
struct Outputs {
    list: Vec<Value>,
}

#[async_trait]
impl OutputSink for Outputs {
    async fn show(&mut self, output: Output) {
        let entry = match output {
            Output::Text(text) => return self.stream("stdout", &text),
            Output::Notice(text) => return self.stream("stderr", &text),
            Output::Result(bundle) => json!({
                "output_type": "execute_result", "execution_count": null,
                "data": document::lines_of(bundle.data), "metadata": bundle.metadata,
            }),
            Output::Display(bundle) => json!({
                "output_type": "display_data",
                "data": document::lines_of(bundle.data), "metadata": bundle.metadata,
            }),
            // Nobody watches.
            Output::Progress(_) => return,
            Output::Clear => return self.list.clear(),
            Output::Error(error) => {
                let mut entry = Map::new();
                entry.insert("output_type".to_owned(), "error".into());
                entry.extend(error.fields());
                Value::Object(entry)
            }
        };
        self.list.push(entry);
    }
}

impl Outputs {
    /// Adds text to the stream that is open, or opens one.
    fn stream(&mut self, name: &str, text: &str) {
        if let Some(last) = self.list.last_mut()
            && last["output_type"] == "stream"
            && last["name"] == name
            && let Some(lines) = last["text"].as_array_mut()
        {
            let mut whole: String = lines.iter().filter_map(Value::as_str).collect();
            whole.push_str(text);
            *lines = document::lines(&whole);
            return;
        }
        self.list.push(json!({
            "output_type": "stream", "name": name, "text": document::lines(text),
        }));
    }
}
