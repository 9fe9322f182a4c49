//! The stream between a running cell and a renderer.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{FutureExt, Stream};
use lakesh_event::event::Event;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::secret::{Secret, Secrets};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::hiding::Hiding;

/// How many events wait for the renderer; a full channel holds the query back.
const WAITING: usize = 2;

/// The events of one running cell; dropping it cancels the cell.
pub struct EventStream {
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
    ended: bool,
}

/// The sending end, and the door through which all text leaves a session: secrets are hidden here. A
/// send that fails means that nobody listens any more.
#[derive(Clone)]
pub struct EventSender {
    events: mpsc::Sender<Event>,
    hiding: Hiding,
}

impl EventSender {
    /// Sends an event, waiting until the renderer has room.
    pub async fn send(&self, event: Event) -> Result<(), Failure> {
        self.events
            .send(self.hiding.hide(event)?)
            .await
            .map_err(|_| Failure::new(FailureKind::Interrupted, "interrupted"))
    }

    /// The same door for a statement whose text holds secrets of its own, or asks for some.
    #[must_use]
    pub(crate) fn hiding(&self, named: impl IntoIterator<Item = Secret>, in_rows: bool) -> Self {
        Self {
            events: self.events.clone(),
            hiding: self.hiding.also(named, in_rows),
        }
    }

    /// Returns the secrets that do not pass.
    pub(crate) fn secrets(&self) -> &Secrets {
        self.hiding.secrets()
    }

    /// Sends an event that may be dropped.
    pub(crate) fn try_send(&self, event: Event) {
        // A full channel drops it: the next progress report says more.
        if let Ok(event) = self.hiding.hide(event) {
            drop(self.events.try_send(event));
        }
    }
}

/// Runs what sends events on a task of its own.
pub(super) fn spawn_with<F: Future<Output = ()> + Send + 'static>(
    secrets: Secrets,
    drive: impl FnOnce(EventSender) -> F,
) -> EventStream {
    let (sender, events) = mpsc::channel(WAITING);
    let sender = EventSender {
        events: sender,
        hiding: Hiding::of(secrets),
    };
    let task = tokio::spawn(drive(sender));
    EventStream {
        events,
        task,
        ended: false,
    }
}

impl Stream for EventStream {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.events.poll_recv(context) {
            Poll::Ready(Some(event)) => {
                self.ended = matches!(event, Event::Finished(_) | Event::Failed(_));
                Poll::Ready(Some(event))
            }
            Poll::Ready(None) => match self.task.poll_unpin(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(end) => {
                    self.ended = true;
                    Poll::Ready(Some(Event::Failed(unexpected_end(end))))
                }
            },
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Explains a task that ended without saying so.
pub(crate) fn unexpected_end(end: Result<(), tokio::task::JoinError>) -> Failure {
    let panic = match end {
        Err(error) if error.is_panic() => error.into_panic(),
        _ => return Failure::new(FailureKind::Interrupted, "interrupted"),
    };
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Failure::new(
        FailureKind::Execution,
        format!("lakesh itself failed: {message}"),
    )
    .hint("this is a bug; the session goes on")
}
