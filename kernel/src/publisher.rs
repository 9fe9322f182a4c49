//! The socket for what everybody may see: an XPUB whose subscribers cannot hold each other up.
//!
//! Each subscriber has a queue and a task of its own. Whoever produces output waits for room, but only
//! for subscribers that still read; one that does not is cut off once its queue is full.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::connection_info::Transport;
use jupyter_protocol::{ConnectionInfo, IoPubWelcome, JupyterMessage};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::message::{Signer, message};
use crate::zmtp::{self, SubscriberMessage};

/// Bytes that wait for a subscriber before output waits for it.
const ROOM: usize = 8 * 1024 * 1024;

/// Bytes that wait for a subscriber before it is cut off.
const BOUND: usize = 64 * 1024 * 1024;

/// How long output waits for a subscriber that takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a peer may take to greet.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Sends messages to every subscriber.
#[derive(Clone)]
pub(crate) struct Publisher {
    shared: Arc<Shared>,
}

struct Shared {
    signer: tokio::sync::Mutex<Signer>,
    subscribers: Mutex<HashMap<u64, Subscriber>>,
    next: AtomicU64,
    /// How many connections have subscribed since the start.
    subscribed: watch::Sender<usize>,
    /// Some subscriber took something.
    taken: Notify,
}

struct Subscriber {
    topics: Vec<Bytes>,
    queue: mpsc::UnboundedSender<Bytes>,
    state: Arc<State>,
    writing: JoinHandle<()>,
    /// Dropping it ends the task that reads.
    _serving: oneshot::Sender<()>,
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // What is queued still goes out, unless the subscriber does not read.
        if self.state.stalled.load(Ordering::Acquire) {
            self.writing.abort();
        }
    }
}

#[derive(Default)]
struct State {
    /// Bytes that wait.
    waiting: AtomicUsize,
    /// Whether output does not wait for it any more.
    stalled: AtomicBool,
}

impl Publisher {
    /// Listens for subscribers where the connection file says.
    pub(crate) async fn bind(info: &ConnectionInfo, signer: Signer) -> std::io::Result<Self> {
        let publisher = Self {
            shared: Arc::new(Shared {
                signer: tokio::sync::Mutex::new(signer),
                subscribers: Mutex::default(),
                next: AtomicU64::new(0),
                subscribed: watch::Sender::new(0),
                taken: Notify::new(),
            }),
        };
        let accepting = publisher.clone();
        match info.transport {
            Transport::TCP => {
                let listener = TcpListener::bind((info.ip.as_str(), info.iopub_port)).await?;
                tokio::spawn(async move {
                    loop {
                        match listener.accept().await {
                            Ok((stream, _)) => {
                                // A small message must not wait for the next.
                                drop(stream.set_nodelay(true));
                                accepting.welcome(stream);
                            }
                            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                        }
                    }
                });
            }
            Transport::IPC => {
                let path = format!("{}-{}", info.ip, info.iopub_port);
                let listener = UnixListener::bind(path)?;
                tokio::spawn(async move {
                    loop {
                        match listener.accept().await {
                            Ok((stream, _)) => accepting.welcome(stream),
                            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                        }
                    }
                });
            }
        }
        Ok(publisher)
    }

    /// Sends a message to everybody who wants its topic, without waiting for anybody.
    pub(crate) async fn publish(&self, mut message: JupyterMessage) {
        let topic = format!("kernel.{}", message.header.msg_type);
        message.zmq_identities = vec![Bytes::from(topic.clone())];
        let mut signer = self.shared.signer.lock().await;
        if let Some(frames) = signer.frames(message).await {
            // Under the same lock, so that messages go out in the order in which they were made.
            self.send(topic.as_bytes(), &zmtp::encode(&frames));
        }
    }

    /// Waits until those who read have caught up.
    pub(crate) async fn room(&self) {
        loop {
            let taken = self.shared.taken.notified();
            let Some((state, waiting)) = self.fullest() else {
                return;
            };
            let waited = tokio::time::timeout(PATIENCE, taken).await;
            if waited.is_err() && state.waiting.load(Ordering::Acquire) >= waiting {
                state.stalled.store(true, Ordering::Release);
            }
        }
    }

    /// Waits until so many connections have subscribed since the start, or for a time; says how many have.
    pub(crate) async fn subscribed(&self, connections: usize, patience: Duration) -> usize {
        let mut subscribed = self.shared.subscribed.subscribe();
        let enough = subscribed.wait_for(|count| *count >= connections);
        drop(tokio::time::timeout(patience, enough).await);
        *self.shared.subscribed.borrow()
    }

    /// A subscriber for which output waits, and the bytes that wait for it.
    fn fullest(&self) -> Option<(Arc<State>, usize)> {
        let subscribers = self.shared.lock();
        subscribers
            .values()
            .filter(|subscriber| !subscriber.state.stalled.load(Ordering::Acquire))
            .map(|subscriber| {
                let waiting = subscriber.state.waiting.load(Ordering::Acquire);
                (Arc::clone(&subscriber.state), waiting)
            })
            .filter(|(_, waiting)| *waiting > ROOM)
            .max_by_key(|(_, waiting)| *waiting)
    }

    fn send(&self, topic: &[u8], bytes: &Bytes) {
        let mut subscribers = self.shared.lock();
        subscribers.retain(|_, subscriber| {
            let wanted = subscriber
                .topics
                .iter()
                .any(|prefix| topic.starts_with(prefix));
            !wanted || subscriber.push(bytes.clone())
        });
    }

    fn welcome<S>(&self, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let publisher = self.clone();
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE, zmtp::handshake(&mut stream)).await;
            if matches!(shaken, Ok(Ok(()))) {
                publisher.serve(stream);
            }
        });
    }

    fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (mut reader, mut writer) = split(stream);
        let (queue, mut messages) = mpsc::unbounded_channel::<Bytes>();
        let state = Arc::new(State::default());
        let (shared, written) = (Arc::clone(&self.shared), Arc::clone(&state));
        let writing = tokio::spawn(async move {
            while let Some(bytes) = messages.recv().await {
                if writer.write_all(&bytes).await.is_err() {
                    shared.lock().remove(&id);
                    return;
                }
                written.waiting.fetch_sub(bytes.len(), Ordering::AcqRel);
                written.stalled.store(false, Ordering::Release);
                shared.taken.notify_waiters();
            }
        });
        let (serving, mut cut_off) = oneshot::channel();
        let subscriber = Subscriber {
            topics: Vec::new(),
            queue,
            state,
            writing,
            _serving: serving,
        };
        self.shared.lock().insert(id, subscriber);
        let publisher = self.clone();
        tokio::spawn(async move {
            loop {
                let said = tokio::select! {
                    _ = &mut cut_off => break,
                    said = zmtp::listen(&mut reader) => said,
                };
                let Ok(said) = said else { break };
                publisher.hear(id, said).await;
            }
            publisher.shared.lock().remove(&id);
            publisher.shared.taken.notify_waiters();
        });
    }

    async fn hear(&self, id: u64, said: SubscriberMessage) {
        match said {
            SubscriberMessage::Subscribe(topic) => self.subscribe(id, topic).await,
            SubscriberMessage::Unsubscribe(topic) => {
                if let Some(subscriber) = self.shared.lock().get_mut(&id)
                    && let Some(index) = subscriber.topics.iter().position(|each| *each == topic)
                {
                    subscriber.topics.remove(index);
                }
            }
            SubscriberMessage::Ping(context) => {
                if let Some(subscriber) = self.shared.lock().get(&id) {
                    subscriber.push(zmtp::pong(&context));
                }
            }
            SubscriberMessage::Nothing => {}
        }
    }

    /// Notes a subscription and greets the subscriber, which then knows that it misses nothing more.
    async fn subscribe(&self, id: u64, topic: Bytes) {
        let shown = String::from_utf8_lossy(&topic).into_owned();
        let mut welcome = message(IoPubWelcome::new(shown), None);
        welcome.zmq_identities = vec![topic.clone()];
        let mut signer = self.shared.signer.lock().await;
        let frames = signer.frames(welcome).await;
        let is_first = {
            let mut subscribers = self.shared.lock();
            let Some(subscriber) = subscribers.get_mut(&id) else {
                return;
            };
            let is_first = subscriber.topics.is_empty();
            subscriber.topics.push(topic);
            if let Some(frames) = frames {
                subscriber.push(zmtp::encode(&frames));
            }
            is_first
        };
        if is_first {
            self.shared.subscribed.send_modify(|count| *count += 1);
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Subscriber>> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    /// Queues bytes; says whether the subscriber is still served.
    fn push(&self, bytes: Bytes) -> bool {
        let length = bytes.len();
        let waiting = self.state.waiting.fetch_add(length, Ordering::AcqRel) + length;
        if waiting > BOUND.max(length) {
            self.state.stalled.store(true, Ordering::Release);
            return false;
        }
        self.queue.send(bytes).is_ok()
    }
}
