//! Runs the real binary: own home, no inherited environment, and a deadline, so that a hang fails.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Lake;

/// A debug build on a busy machine with two cores is slow; a hang takes forever.
const DEADLINE: Duration = Duration::from_secs(300);

/// A run of the binary that is being prepared.
pub(crate) struct Shell {
    command: Command,
    input: Vec<u8>,
    discard_output: bool,
}

impl Shell {
    /// Prepares a run in a lake's working directory, with its home and nothing else.
    pub(crate) fn new(lake: &Lake) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_lakesh")), lake)
    }

    /// Prepares a run of another program in the same surroundings, for pipes made by a POSIX shell.
    pub(crate) fn through_sh(lake: &Lake, script: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .env("LAKESH", env!("CARGO_BIN_EXE_lakesh"));
        Self::of(command, lake)
    }

    fn of(mut command: Command, lake: &Lake) -> Self {
        for name in inherited_variables() {
            command.env_remove(name);
        }
        command.current_dir(lake.path());
        for (name, value) in surroundings(lake) {
            command.env(name, value);
        }
        Self {
            command,
            input: Vec::new(),
            discard_output: false,
        }
    }

    /// Adds arguments.
    pub(crate) fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets what standard input holds; nothing else makes it a terminal.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// Sets an environment variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets the program find the compiler of the tests: rustup's own programs look for it in the home folder.
    pub(crate) fn with_rustc(self) -> Self {
        let answer = Command::new("rustc").args(["--print", "sysroot"]).output();
        let sysroot = String::from_utf8(answer.expect("rustc runs").stdout).unwrap();
        let inherited = std::env::var("PATH").unwrap_or_default();
        self.variable("PATH", &format!("{}/bin:{inherited}", sysroot.trim()))
    }

    /// Starts in another folder.
    pub(crate) fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.command.current_dir(folder.into());
        self
    }

    /// Sends standard output to a file, such as `/dev/full`.
    pub(crate) fn output_to(mut self, file: File) -> Self {
        self.command.stdout(file);
        self.discard_output = true;
        self
    }

    /// Starts the program.
    #[track_caller]
    pub(crate) fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stderr(Stdio::piped());
        if !self.discard_output {
            self.command.stdout(Stdio::piped());
        }
        let mut child = self.command.spawn().expect("the binary starts");
        let mut input = child.stdin.take().unwrap();
        let text = self.input;
        // The program may leave before it has read everything: that is its right.
        thread::spawn(move || drop(input.write_all(&text)));
        let (sender, messages) = mpsc::channel();
        let mut open = 0;
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, Stream::Output, sender.clone());
            open += 1;
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, Stream::Messages, sender);
            open += 1;
        }
        Running {
            child,
            messages,
            open,
            stdout: Vec::new(),
            stderr: Vec::new(),
            deadline: Instant::now() + DEADLINE,
        }
    }

    /// Runs the program to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        self.start().wait()
    }
}

/// The environment that a lake gives to programs.
pub(crate) fn surroundings(lake: &Lake) -> Vec<(&'static str, OsString)> {
    let home = lake.home();
    vec![
        ("HOME", home.clone().into()),
        ("XDG_CONFIG_HOME", home.join("config").into()),
        ("XDG_DATA_HOME", home.join("data").into()),
        ("XDG_STATE_HOME", home.join("state").into()),
        ("XDG_CACHE_HOME", home.join("cache").into()),
        ("TMPDIR", lake.temp().into()),
        ("LANG", "C.UTF-8".into()),
        ("TERM", "xterm-256color".into()),
        ("PAGER", "cat".into()),
    ]
}

/// Variables of the developer's own environment that would change what the binary does.
pub(crate) fn inherited_variables() -> Vec<OsString> {
    let ours = |name: &str| {
        [
            "LAKESH",
            "XDG_",
            "AWS_",
            "NO_COLOR",
            "CLICOLOR",
            "COLUMNS",
            "LINES",
            "EDITOR",
            "JUPYTER",
            "JPY_",
            "IPYTHON",
            "VISUAL",
            "RUST_BACKTRACE",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    };
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(ours))
        .collect()
}

/// Which of a program's streams something came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Messages,
}

/// Sends what a stream carries; an empty piece is its end.
fn forward(
    mut from: impl Read + Send + 'static,
    stream: Stream,
    to: mpsc::Sender<(Stream, Vec<u8>)>,
) {
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = from.read(&mut buffer).unwrap_or(0);
            let unheard = to.send((stream, buffer[..length].to_vec())).is_err();
            if length == 0 || unheard {
                return;
            }
        }
    });
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    messages: mpsc::Receiver<(Stream, Vec<u8>)>,
    /// How many streams have not ended.
    open: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    deadline: Instant,
}

impl Running {
    /// Waits until standard error holds a text.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.stderr).contains(text) {
            let said = String::from_utf8_lossy(&self.stderr).into_owned();
            assert!(
                self.open > 0,
                "the program ended without saying `{text}`: {said}"
            );
            self.receive();
        }
    }

    /// Sends a signal by its name, as `kill` takes it.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -s {name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(status.success(), "the program is gone already");
    }

    /// Waits for the end and collects what was written; past the deadline it kills and fails.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Run {
        while self.open > 0 {
            self.receive();
        }
        let status = self.child.wait().unwrap();
        Run {
            status,
            stdout: self.stdout,
            stderr: String::from_utf8_lossy(&self.stderr).into_owned(),
        }
    }

    #[track_caller]
    fn receive(&mut self) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let Ok((stream, bytes)) = self.messages.recv_timeout(left) else {
            drop(self.child.kill());
            let said = String::from_utf8_lossy(&self.stderr);
            panic!("the program did not end within {DEADLINE:?}; it said: {said}");
        };
        match (bytes.is_empty(), stream) {
            (true, _) => self.open -= 1,
            (false, Stream::Output) => self.stdout.extend(bytes),
            (false, Stream::Messages) => self.stderr.extend(bytes),
        }
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    /// Returns standard output, which must be UTF-8.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("standard output is UTF-8")
    }

    /// Demands exit status 0 and returns standard output.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> String {
        self.ends_with(0);
        self.text()
    }

    /// Demands an exit status and returns standard error, in which nothing internal may show.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> String {
        self.ends_with(code);
        for internal in [
            "panicked",
            "DataFusionError",
            "ArrowError",
            "Diagnostic",
            "RUST_BACKTRACE",
        ] {
            assert!(
                !self.stderr.contains(internal),
                "internal text in: {}",
                self.stderr
            );
        }
        self.stderr.clone()
    }

    #[track_caller]
    fn ends_with(&self, code: i32) {
        let head: String = String::from_utf8_lossy(&self.stdout)
            .chars()
            .take(2000)
            .collect();
        assert_eq!(
            self.status.code(),
            Some(code),
            "{}\n-- stdout\n{head}\n-- stderr\n{}",
            self.status,
            self.stderr
        );
    }
}
