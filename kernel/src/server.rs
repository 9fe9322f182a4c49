//! Binds the sockets, gives each its task, and waits until the kernel is to end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::ConnectionInfo;
use jupyter_zmq_client::{
    KernelHeartbeatConnection, RuntimeError, create_kernel_control_connection,
    create_kernel_heartbeat_connection, create_kernel_shell_connection,
    create_kernel_stdin_connection,
};
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::session::{Session, SessionOptions};
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};

use crate::chart::Charts;
use crate::connection::SocketFiles;
use crate::executor::Executor;
use crate::history::{History, Record};
use crate::interrupt::Interrupts;
use crate::kernel::Channel;
use crate::message::Signer;
use crate::publisher::Publisher;
use crate::requests::{self, Requests};
use crate::stdin::Asker;
use crate::{command, connection, control, parent, stdin};

/// How long the last messages have to leave: sending only queues them.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// How long a commit may take before the kernel ends without it.
const COMMITS: Duration = Duration::from_secs(10);

/// Questions that wait.
const QUESTIONS: usize = 4;

/// What a kernel is started with.
pub struct KernelOptions {
    /// Where to listen, and with which key.
    pub connection_file: PathBuf,
    /// The session's options; the kernel adds its own commands.
    pub session: SessionOptions,
    /// The runtime on whose threads plans run.
    pub runtime: Handle,
    /// Where history is kept.
    pub history: Box<dyn History>,
    /// Whether the kernel ends when the process that started it has gone.
    pub ends_with_parent: bool,
}

/// Asks the kernel to end.
#[derive(Clone, Default)]
pub(crate) struct Stopper(Arc<Notify>);

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.notify_one();
    }
}

/// Runs a kernel until it is told to end; hands its session back, whose files are to be removed.
pub fn serve(mut options: KernelOptions) -> Result<Arc<Session>, Failure> {
    let info = connection::read(&options.connection_file)?;
    let asker = Asker::default();
    let charts = Charts::default();
    let commands = command::of_notebook(&asker, &charts);
    options.session.commands.extend(commands);
    options.session.progress = true;
    options.session.pictures = true;
    let session = {
        let _guard = options.runtime.enter();
        lakesh_engine::open(options.session.clone())?
    };
    // The sockets have threads of their own: those that run queries may all be busy.
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("lakesh-kernel")
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(FailureKind::InputOutput, "cannot start threads").caused_by(error)
        })?;
    let sockets = SocketFiles::cleared(&info);
    let ended = runtime.block_on(run(&info, options, asker, charts, Arc::clone(&session)));
    runtime.shutdown_timeout(LAST_WORDS);
    if ended.is_ok() {
        sockets.remove();
    }
    ended.map(|()| session)
}

async fn run(
    info: &ConnectionInfo,
    options: KernelOptions,
    asker: Asker,
    charts: Charts,
    session: Arc<Session>,
) -> Result<(), Failure> {
    let id = uuid::Uuid::new_v4().to_string();
    let stopper = Stopper::default();
    let shell = create_kernel_shell_connection(info, &id)
        .await
        .map_err(cannot_listen)?;
    let signer = Signer::like(&shell);
    let publisher = Publisher::bind(info, signer).await.map_err(|error| {
        Failure::new(FailureKind::InputOutput, format!("cannot listen: {error}")).caused_by(error)
    })?;
    let control = create_kernel_control_connection(info, &id)
        .await
        .map_err(cannot_listen)?;
    let stdin = create_kernel_stdin_connection(info, &id)
        .await
        .map_err(cannot_listen)?;
    let heartbeat = create_kernel_heartbeat_connection(info)
        .await
        .map_err(cannot_listen)?;
    let shell = Channel::new(shell, &publisher);
    let control = Channel::new(control, &publisher);

    let (questions, asked) = mpsc::channel(QUESTIONS);
    asker.connect(questions);
    let executor = Executor::new(Arc::clone(&session), options.runtime.clone(), charts);
    let interrupts = executor.interrupts.clone();
    let requests = Requests {
        executor,
        history: Record::new(options.history),
        outlet: shell.outlet.clone(),
        asker,
        stopper: stopper.clone(),
        count: 0,
    };
    let (waiting, received) = mpsc::unbounded_channel();
    tokio::spawn(beat(heartbeat));
    tokio::spawn(stdin::serve(stdin, asked));
    tokio::spawn(control::serve(control, interrupts.clone(), stopper.clone()));
    tokio::spawn(requests::read(shell, publisher, waiting));
    tokio::spawn(requests.serve(received));
    tokio::spawn(heed_signals(interrupts.clone(), stopper.clone()));
    tokio::select! {
        () = stopper.0.notified() => {}
        () = parent::gone(options.ends_with_parent) => {}
    }
    interrupts.request();
    // A commit past its point of no return is waited for, within reason.
    drop(tokio::time::timeout(COMMITS, session.settle()).await);
    tokio::time::sleep(LAST_WORDS).await;
    Ok(())
}

fn cannot_listen(error: RuntimeError) -> Failure {
    Failure::new(FailureKind::InputOutput, format!("cannot listen: {error}")).caused_by(error)
}

async fn beat(mut connection: KernelHeartbeatConnection) {
    loop {
        if connection.single_heartbeat().await.is_err() {
            // A client left in the middle; the next one is served.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Takes SIGINT for an interrupt, as older front ends send it, and SIGTERM for the end.
async fn heed_signals(interrupts: Interrupts, stopper: Stopper) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => interrupts.request(),
            _ = terminate.recv() => stopper.stop(),
        }
    }
}
