//! Questions to the user: a command asks, the front end shows a field, the answer comes back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jupyter_protocol::{InputRequest, JupyterMessage, JupyterMessageContent};
use jupyter_zmq_client::KernelStdinConnection;
use lakesh_engine::failure::{Failure, FailureKind};
use tokio::sync::{mpsc, oneshot};

use crate::message::{Signer, message};
use crate::wire::Receiver;
use zeromq::{SocketSend, ZmqMessage};

/// Asks the user; shared by the commands that do.
#[derive(Clone, Default)]
pub(crate) struct Asker {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    questions: Option<mpsc::Sender<Question>>,
    /// The request that is being executed, if its front end takes questions.
    parent: Option<JupyterMessage>,
}

/// A question that waits for its answer.
pub(crate) struct Question {
    parent: JupyterMessage,
    prompt: String,
    secret: bool,
    answer: oneshot::Sender<String>,
}

impl Asker {
    /// Sends questions on from now on.
    pub(crate) fn connect(&self, questions: mpsc::Sender<Question>) {
        self.lock().questions = Some(questions);
    }

    /// Notes for whom questions are: nobody, if the front end takes none.
    pub(crate) fn set_parent(&self, parent: Option<JupyterMessage>) {
        self.lock().parent = parent;
    }

    /// Asks and waits for the answer.
    pub(crate) async fn ask(&self, prompt: &str, secret: bool) -> Result<String, Failure> {
        let nobody = || {
            Failure::new(FailureKind::Usage, "nobody is there to answer")
                .hint("give the value with `\\set` or `\\param` when a notebook runs by itself")
        };
        let (questions, parent) = {
            let state = self.lock();
            (state.questions.clone(), state.parent.clone())
        };
        let (Some(questions), Some(parent)) = (questions, parent) else {
            return Err(nobody());
        };
        let (answer, answered) = oneshot::channel();
        let question = Question {
            parent,
            prompt: prompt.to_owned(),
            secret,
            answer,
        };
        questions.send(question).await.map_err(|_| nobody())?;
        answered.await.map_err(|_| nobody())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes questions to their front ends, one at a time.
pub(crate) async fn serve(
    connection: KernelStdinConnection,
    mut questions: mpsc::Receiver<Question>,
) {
    let mut signer = Signer::like(&connection);
    let (sender, receiver) = connection.split();
    let mut sender = sender.socket;
    let mut receiver = Receiver::new(receiver);
    while let Some(mut question) = questions.recv().await {
        // An answer to a question that was given up must not answer this one.
        while tokio::time::timeout(Duration::ZERO, receiver.receive())
            .await
            .is_ok()
        {}
        let request = InputRequest {
            prompt: question.prompt,
            password: question.secret,
        };
        let request = message(request, Some(&question.parent));
        let Some(frames) = signer.frames(request).await else {
            continue;
        };
        let sent = match ZmqMessage::try_from(frames) {
            Ok(frames) => sender.send(frames).await.is_ok(),
            Err(_) => false,
        };
        if !sent {
            continue;
        }
        loop {
            let reply = tokio::select! {
                () = question.answer.closed() => break,
                reply = receiver.receive() => reply,
            };
            if let JupyterMessageContent::InputReply(reply) = reply.content {
                // Whoever asked may have been interrupted meanwhile.
                drop(question.answer.send(reply.value));
                break;
            }
        }
    }
}
