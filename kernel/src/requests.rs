//! The shell channel: executes cells in their order and answers what front ends ask while a user types.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jupyter_protocol::{
    ClearOutput, CommClose, CommInfoReply, CompleteRequest, ErrorOutput, ExecuteInput,
    ExecuteRequest, ExecutionCount, HistoryReply, InspectRequest, IsCompleteReply, JupyterMessage,
    JupyterMessageContent, ReplyStatus, ShutdownReply, Stdio, StreamContent,
};
use lakesh_engine::completion::{self, Candidate};
use lakesh_engine::input;
use lakesh_engine::inspection::{self, Inspection};
use lakesh_engine::source::Source;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::control::reply_name;
use crate::executor::{CELLS, Executor};
use crate::history::Record;
use crate::kernel::{Channel, Outlet, kernel_info};
use crate::message::json_content;
use crate::mime;
use crate::output::{ErrorReport, Output, OutputSink};
use crate::publisher::Publisher;
use crate::server::Stopper;
use crate::stdin::Asker;

/// How long the first request of a client waits for its subscription.
const FIRST_PATIENCE: Duration = Duration::from_millis(300);

/// Answers the requests of the shell channel.
pub(crate) struct Requests {
    pub(crate) executor: Executor,
    pub(crate) history: Record,
    pub(crate) outlet: Outlet,
    pub(crate) asker: Asker,
    pub(crate) stopper: Stopper,
    /// How many cells have been counted.
    pub(crate) count: usize,
}

/// Reads requests while others are being worked on; the first of a client waits until it hears answers.
pub(crate) async fn read(
    mut channel: Channel,
    publisher: Publisher,
    requests: mpsc::UnboundedSender<JupyterMessage>,
) {
    let mut clients: HashSet<Bytes> = HashSet::new();
    let mut expected = 0;
    loop {
        let request = channel.receiver.receive().await;
        if let Some(client) = request.zmq_identities.first()
            && clients.insert(client.clone())
        {
            expected += 1;
            let subscribed = publisher.subscribed(expected, FIRST_PATIENCE).await;
            // Whoever has not subscribed by now wants to hear nothing; the next need not wait for it.
            expected = expected.min(subscribed);
        }
        if requests.send(request).is_err() {
            return;
        }
    }
}

impl Requests {
    /// Works on requests until the kernel ends.
    pub(crate) async fn serve(mut self, mut requests: mpsc::UnboundedReceiver<JupyterMessage>) {
        while let Some(request) = requests.recv().await {
            self.outlet.busy(&request).await;
            let aborts = self.answer(&request).await;
            self.outlet.idle(&request).await;
            if aborts {
                self.abort_waiting(&mut requests).await;
            }
        }
    }

    /// Answers one request; says whether the cells that wait behind it are not to run.
    async fn answer(&mut self, request: &JupyterMessage) -> bool {
        let reply: JupyterMessageContent = match &request.content {
            JupyterMessageContent::ExecuteRequest(execute) => {
                return self.execute(execute, request).await;
            }
            JupyterMessageContent::KernelInfoRequest(_) => kernel_info().into(),
            JupyterMessageContent::CompleteRequest(wanted) => self.complete(wanted).await,
            JupyterMessageContent::InspectRequest(wanted) => self.inspect(wanted).await,
            JupyterMessageContent::IsCompleteRequest(wanted) => is_complete(&wanted.code).into(),
            JupyterMessageContent::HistoryRequest(wanted) => {
                HistoryReply::new(self.history.answer(wanted)).into()
            }
            JupyterMessageContent::CommInfoRequest(_) => CommInfoReply::default().into(),
            JupyterMessageContent::CommOpen(open) => {
                // There are no targets; closing tells the front end so.
                let close = CommClose {
                    comm_id: open.comm_id.clone(),
                    data: Map::new(),
                };
                self.outlet.publish(close, request).await;
                return false;
            }
            JupyterMessageContent::CommMsg(_) | JupyterMessageContent::CommClose(_) => {
                return false;
            }
            JupyterMessageContent::ShutdownRequest(shutdown) => {
                let reply = ShutdownReply {
                    restart: shutdown.restart,
                    status: ReplyStatus::Ok,
                    error: None,
                };
                self.outlet.publish(reply.clone(), request).await;
                self.outlet.reply(reply, request).await;
                self.stopper.stop();
                return false;
            }
            other => unknown(other.message_type()),
        };
        self.outlet.reply(reply, request).await;
        false
    }

    async fn execute(&mut self, execute: &ExecuteRequest, request: &JupyterMessage) -> bool {
        let counted = execute.store_history && !execute.silent;
        if counted {
            self.count += 1;
            // What was typed a second time is kept no more than what was asked for.
            if !self.executor.session.secrets().occur_in(&execute.code) {
                self.history.add(self.count, &execute.code);
            }
        }
        let count = ExecutionCount::new(self.count.max(1));
        if !execute.silent {
            let input = ExecuteInput {
                code: self
                    .executor
                    .session
                    .secrets()
                    .hide(&execute.code)
                    .into_owned(),
                execution_count: count,
            };
            self.outlet.publish(input, request).await;
        }
        self.asker
            .set_parent(execute.allow_stdin.then(|| request.clone()));
        let source = Source::new(format!("cell {}", count.0), execute.code.as_str());
        let mut messages = Messages {
            outlet: &self.outlet,
            request,
            count,
            silent: execute.silent,
            line: None,
        };
        let end = self.executor.run(&source, &mut messages).await;
        self.asker.set_parent(None);
        let mut reply = Map::new();
        reply.insert("execution_count".to_owned(), count.0.into());
        match &end.error {
            Some(error) => {
                reply.insert("status".to_owned(), "error".into());
                reply.extend(error.fields());
            }
            None => {
                reply.insert("status".to_owned(), "ok".into());
                let expressions = self.expressions(execute).await;
                reply.insert("user_expressions".to_owned(), expressions);
                reply.insert("payload".to_owned(), payload(&end.pages, end.quit));
            }
        }
        let reply = json_content("execute_reply", Value::Object(reply));
        self.outlet.reply(reply, request).await;
        end.error.is_some() && execute.stop_on_error
    }

    async fn expressions(&mut self, execute: &ExecuteRequest) -> Value {
        let mut values = Map::new();
        for (name, expression) in execute.user_expressions.iter().flatten() {
            let value = match self.executor.evaluate(expression).await {
                Ok(bundle) => json!({
                    "status": "ok", "data": bundle.data, "metadata": {},
                }),
                Err(failure) => {
                    let mut error = ErrorReport::new(&failure).fields();
                    error.insert("status".to_owned(), "error".into());
                    Value::Object(error)
                }
            };
            values.insert(name.clone(), value);
        }
        Value::Object(values)
    }

    /// Tells the front end that the cells which it has sent already do not run.
    async fn abort_waiting(&mut self, requests: &mut mpsc::UnboundedReceiver<JupyterMessage>) {
        while let Ok(request) = requests.try_recv() {
            self.outlet.busy(&request).await;
            if matches!(request.content, JupyterMessageContent::ExecuteRequest(_)) {
                let reply = json!({
                    "status": "aborted", "execution_count": self.count,
                    "user_expressions": {}, "payload": [],
                });
                let reply = json_content("execute_reply", reply);
                self.outlet.reply(reply, &request).await;
            } else {
                self.answer(&request).await;
            }
            self.outlet.idle(&request).await;
        }
    }

    async fn complete(&mut self, wanted: &CompleteRequest) -> JupyterMessageContent {
        let (code, cursor) = (wanted.code.clone(), wanted.cursor_pos);
        let byte = input::character_offset(&code, cursor);
        let session = Arc::clone(&self.executor.session);
        let text = code.clone();
        let found = self
            .executor
            .runtime
            .spawn(async move { completion::complete(&session, &text, byte).await });
        // Completion that broke offers nothing.
        let found = found.await.unwrap_or_default();
        let start = code
            .get(..found.start)
            .map_or(cursor, |before| before.chars().count());
        let types: Vec<Value> = found
            .candidates
            .iter()
            .map(|candidate| described(candidate, start, cursor))
            .collect();
        let matches: Vec<&str> = found
            .candidates
            .iter()
            .map(|candidate| candidate.replacement.as_str())
            .collect();
        let start = if matches.is_empty() { cursor } else { start };
        json_content(
            "complete_reply",
            json!({
                "status": "ok",
                "matches": matches,
                "cursor_start": start.min(cursor),
                "cursor_end": cursor.max(start),
                "metadata": { "_jupyter_types_experimental": types },
            }),
        )
    }

    async fn inspect(&mut self, wanted: &InspectRequest) -> JupyterMessageContent {
        let code = wanted.code.clone();
        let byte = input::character_offset(&code, wanted.cursor_pos);
        let session = Arc::clone(&self.executor.session);
        let found = self
            .executor
            .runtime
            .spawn(async move { inspection::inspect(&session, &code, byte).await });
        let found: Option<Inspection> = found.await.ok().flatten();
        let data = found.as_ref().map(mime::inspection).unwrap_or_default();
        json_content(
            "inspect_reply",
            json!({ "status": "ok", "found": found.is_some(), "data": data, "metadata": {} }),
        )
    }
}

/// A candidate with its kind, as JupyterLab shows it beside the name.
fn described(candidate: &Candidate, start: usize, end: usize) -> Value {
    let kind = match &candidate.detail {
        Some(detail) => detail.clone(),
        None => candidate.kind.name().to_owned(),
    };
    json!({ "start": start, "end": end, "text": candidate.replacement, "type": kind })
}

fn is_complete(code: &str) -> IsCompleteReply {
    match input::awaiting(code, CELLS) {
        // A cell needs no `;` at its end, but at a console the statement may go on.
        Some(_) => IsCompleteReply::incomplete("  ".to_owned()),
        None => match input::split(&Source::new("text", code), CELLS) {
            Ok(_) => IsCompleteReply::complete(),
            Err(_) => IsCompleteReply::invalid(),
        },
    }
}

fn payload(pages: &[String], quit: bool) -> Value {
    let mut payload: Vec<Value> = pages
        .iter()
        .map(|text| json!({ "source": "page", "data": { "text/plain": text }, "start": 0 }))
        .collect();
    if quit {
        payload.push(json!({ "source": "ask_exit", "keepkernel": false }));
    }
    Value::Array(payload)
}

fn unknown(kind: &str) -> JupyterMessageContent {
    let evalue = format!("`{kind}` is not a request that lakesh answers, or its content is wrong");
    json_content(
        &reply_name(kind),
        json!({ "status": "error", "ename": "UnknownRequest", "evalue": evalue, "traceback": [] }),
    )
}

/// Sends the outputs of a cell as messages.
struct Messages<'a> {
    outlet: &'a Outlet,
    request: &'a JupyterMessage,
    count: ExecutionCount,
    silent: bool,
    /// The display that the progress line is in.
    line: Option<String>,
}

#[async_trait]
impl OutputSink for Messages<'_> {
    async fn show(&mut self, output: Output) {
        if self.silent {
            return;
        }
        let content: JupyterMessageContent = match output {
            Output::Text(text) => stream(Stdio::Stdout, text).into(),
            Output::Notice(text) => stream(Stdio::Stderr, text).into(),
            Output::Result(bundle) => json_content(
                "execute_result",
                json!({
                    "execution_count": self.count.0, "data": bundle.data,
                    "metadata": bundle.metadata, "transient": {},
                }),
            ),
            Output::Display(bundle) => json_content(
                "display_data",
                json!({ "data": bundle.data, "metadata": bundle.metadata, "transient": {} }),
            ),
            Output::Progress(text) => self.progress(&text),
            Output::Clear => {
                self.line = None;
                ClearOutput { wait: false }.into()
            }
            Output::Error(error) => ErrorOutput {
                ename: error.name.to_owned(),
                evalue: error.value,
                traceback: error.traceback,
            }
            .into(),
        };
        self.outlet.room().await;
        self.outlet.publish(content, self.request).await;
    }
}

impl Messages<'_> {
    /// Shows the progress line, or updates it.
    fn progress(&mut self, text: &str) -> JupyterMessageContent {
        let (kind, id) = match &self.line {
            Some(id) => ("update_display_data", id.clone()),
            None => {
                let id = uuid::Uuid::new_v4().to_string();
                self.line = Some(id.clone());
                ("display_data", id)
            }
        };
        json_content(
            kind,
            json!({
                "data": { "text/plain": text }, "metadata": {},
                "transient": { "display_id": id },
            }),
        )
    }
}

fn stream(name: Stdio, text: String) -> StreamContent {
    StreamContent { name, text }
}
