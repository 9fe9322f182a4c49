//! SIGINT, and in scripts SIGTERM and SIGHUP too: asks the running cell to stop, and ends a script.
//!
//! Whoever runs cells waits on `Interrupts`; only a script that is stuck in a write, or a second
//! signal, ends the process from here.

use std::io::{self, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lakesh_engine::memory::unfinished;
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::status::Status;

/// How long a script may take to stop of itself.
const GRACE: Duration = Duration::from_millis(300);

/// The statuses that a shell gives to processes that these signals ended.
const TERMINATED: i32 = 143;
const HUNG_UP: i32 = 129;

/// Switches off what the line editor has switched on: marks around what is pasted.
const PLAIN_PASTE: &str = "\x1b[?2004l";

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
        let terminate = signal(SignalKind::terminate())?;
        let hangup = signal(SignalKind::hangup())?;
        let listening: BoxFuture<'static, ()> = match on_signal {
            OnSignal::CancelCell => {
                let cancelled = interrupts.clone().cancel_cells(interrupt);
                let found = tcgetattr(io::stdin()).ok();
                let listening = async move {
                    tokio::join!(
                        cancelled,
                        leave_terminal(terminate, "SIGTERM", TERMINATED, found.clone()),
                        leave_terminal(hangup, "SIGHUP", HUNG_UP, found)
                    );
                };
                listening.boxed()
            }
            OnSignal::End => {
                let status = i32::from(Status::Interrupted.code());
                let interrupted = interrupts.clone().end(interrupt, status);
                let listening = async move {
                    tokio::join!(
                        interrupted,
                        end_at_once(terminate, "SIGTERM", TERMINATED),
                        end_at_once(hangup, "SIGHUP", HUNG_UP)
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

/// Ends the process, with a word to whoever reads its messages: a log should not just stop.
async fn end_at_once(mut signal: Signal, name: &str, status: i32) {
    if signal.recv().await.is_some() {
        drop(writeln!(io::stderr(), "ended by {name}"));
        end_process(status);
    }
}

/// Ends a prompt, and leaves its terminal as it was found: the line editor may be reading.
async fn leave_terminal(mut signal: Signal, name: &str, status: i32, found: Option<Termios>) {
    if signal.recv().await.is_none() {
        return;
    }
    if let Some(found) = &found {
        // A terminal that is gone needs nothing any more.
        let _restored = tcsetattr(io::stdin(), SetArg::TCSANOW, found);
        drop(write!(io::stderr(), "{PLAIN_PASTE}\r\n"));
    }
    drop(writeln!(io::stderr(), "ended by {name}"));
    end_process(status);
}

fn end_process(status: i32) -> ! {
    unfinished::remove_all();
    process::exit(status)
}
