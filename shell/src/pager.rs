//! A program that shows a result page by page: `$PAGER`, else `less`, which ends by itself when the
//! result fits on the screen.
//!
//! Off unless `\pager on` or the configuration turns it on: long tables are cut in the middle anyway.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether results go through the pager; the command and the renderer share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PagerSwitch {
    on: Arc<AtomicBool>,
}

impl PagerSwitch {
    /// Tells whether results go through the pager.
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Turns it on or off.
    pub(crate) fn set(&self, on: bool) {
        self.on.store(on, Ordering::Release);
    }
}

/// A running pager.
#[derive(Debug)]
pub(crate) struct Pager {
    child: Child,
    input: Option<ChildStdin>,
}

impl Pager {
    /// Starts a program, through the shell as its users write it: `less -S`.
    pub(crate) fn start(program: &str) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(program).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Chop long lines, keep colours, end at once if one screen is enough, leave the screen as it is.
            command.env("LESS", "SRFX");
        }
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        Ok(Self { child, input })
    }

    /// Waits until the user leaves it.
    pub(crate) fn wait(mut self) -> io::Result<()> {
        self.input.take();
        self.child.wait().map(|_| ())
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.input {
            Some(input) => input.flush(),
            None => Ok(()),
        }
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        self.input.take();
        // It has been waited for, or it ends with its input.
        drop(self.child.wait());
    }
}
