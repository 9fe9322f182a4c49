//! SIGINT, and in scripts SIGTERM and SIGHUP too: asks the running cell to stop, and ends a script.
//!
//! Whoever runs cells waits on `Interrupts`; only a script that is stuck in a write, or a second
//! signal, ends the process from here.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lakesh_engine::memory::unfinished;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::status::Status;

/// How long a script may take to stop of itself.
const GRACE: Duration = Duration::from_millis(300);

/// Tells that the user wants the running cell to stop.
#[derive(Clone, Default)]
pub(crate) struct Interrupts {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requested: AtomicBool,
    /// Whether whoever runs cells has seen the request and is stopping.
    heard: AtomicBool,
    changed: Notify,
}

/// What a signal does to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnSignal {
    /// It ends soon, whatever it does: a script.
    End,
    /// Only the running cell ends: a prompt.
    CancelCell,
}

impl Interrupts {
    /// Listens for signals from now on, on a thread of its own: those that run queries may all be busy.
    pub(crate) fn listen(on_signal: OnSignal) -> io::Result<Self> {
        let interrupts = Self::default();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let interrupt = signal(SignalKind::interrupt())?;
        let listening: BoxFuture<'static, ()> = match on_signal {
            OnSignal::CancelCell => interrupts.clone().cancel_cells(interrupt).boxed(),
            OnSignal::End => {
                let terminate = signal(SignalKind::terminate())?;
                let hangup = signal(SignalKind::hangup())?;
                let status = i32::from(Status::Interrupted.code());
                let interrupted = interrupts.clone().end(interrupt, status);
                let listening = async move {
                    tokio::join!(
                        interrupted,
                        end_at_once(terminate, 143),
                        end_at_once(hangup, 129)
                    );
                };
                listening.boxed()
            }
        };
        drop(guard);
        thread::Builder::new()
            .name("lakesh-signals".to_owned())
            .spawn(move || runtime.block_on(listening))?;
        Ok(interrupts)
    }

    async fn cancel_cells(self, mut signal: Signal) {
        while signal.recv().await.is_some() {
            self.request();
        }
    }

    async fn end(self, mut signal: Signal, status: i32) {
        if signal.recv().await.is_none() {
            return;
        }
        self.request();
        let stuck = tokio::select! {
            _ = signal.recv() => true,
            () = tokio::time::sleep(GRACE) => !self.state.heard.load(Ordering::Acquire),
        };
        // Whoever heard it may be waiting for a commit; a second signal cuts even that short.
        if stuck || signal.recv().await.is_some() {
            end_process(status);
        }
    }

    /// Asks the running cell to stop.
    pub(crate) fn request(&self) {
        self.state.requested.store(true, Ordering::Release);
        self.state.changed.notify_waiters();
    }

    /// Tells whether a stop was asked for since the last `clear`.
    pub(crate) fn is_requested(&self) -> bool {
        self.state.requested.load(Ordering::Acquire)
    }

    /// Says that the request was heard.
    pub(crate) fn acknowledge(&self) {
        self.state.heard.store(true, Ordering::Release);
    }

    /// Forgets requests that came before the next cell.
    pub(crate) fn clear(&self) {
        self.state.requested.store(false, Ordering::Release);
    }

    /// Waits until a stop is asked for.
    pub(crate) async fn requested(&self) {
        loop {
            let changed = self.state.changed.notified();
            if self.is_requested() {
                return;
            }
            changed.await;
        }
    }
}

async fn end_at_once(mut signal: Signal, status: i32) {
    if signal.recv().await.is_some() {
        end_process(status);
    }
}

fn end_process(status: i32) -> ! {
    unfinished::remove_all();
    process::exit(status)
}
