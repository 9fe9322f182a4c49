//! Everything that is said beside the results, on standard error: notices, counts, failures.
//!
//! A standard error that cannot be written to is nobody's concern: there is nowhere left to say so.

use std::io::Write;

use lakesh_engine::failure::Failure;

/// The stream for people.
pub(crate) struct Messages {
    stream: Box<dyn Write>,
    colour: bool,
}

impl Messages {
    /// Writes to a stream.
    pub(crate) fn new(stream: Box<dyn Write>, colour: bool) -> Self {
        Self { stream, colour }
    }

    /// Tells something.
    pub(crate) fn say(&mut self, text: &str) {
        drop(writeln!(self.stream, "{text}"));
        drop(self.stream.flush());
    }

    /// Tells something in passing: counts and times.
    pub(crate) fn whisper(&mut self, text: &str) {
        if self.colour {
            self.say(&format!("\x1b[90m{text}\x1b[0m"));
        } else {
            self.say(text);
        }
    }

    /// Tells what went wrong, where, and what to do.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.say(&failure.report(self.colour));
    }
}
