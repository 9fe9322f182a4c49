//! One place that results go to: standard output, a file, or a pager; buffered, and each write checked.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use lakesh_engine::format::{Compression, Format};

use crate::compressed_file::CompressedFile;
use crate::interrupt::Interrupts;
use crate::pager::Pager;

/// Bytes that wait before they are written.
const BUFFER: usize = 64 * 1024;

/// A place that results go to.
pub(crate) struct Sink {
    target: Target,
    buffer: Vec<u8>,
    /// Writing ends when the user interrupts; `None` writes on.
    interrupts: Option<Interrupts>,
    /// The format of everything here; `None` takes the session's.
    pub(crate) format: Option<&'static Format>,
    /// How many results are here already.
    pub(crate) results: usize,
}

/// What a sink writes to.
pub(crate) enum Target {
    /// A stream, such as standard output.
    Stream {
        /// The stream.
        stream: Box<dyn Write>,
        /// Whether a person reads it.
        is_terminal: bool,
    },
    /// A file that appears once it is whole.
    File(CompressedFile),
    /// A program that shows the result page by page.
    Pager(Pager),
}

/// The user interrupted a write.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl Error for Interrupted {}

impl Sink {
    /// Writes to a target.
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            buffer: Vec::with_capacity(BUFFER),
            interrupts: None,
            format: None,
            results: 0,
        }
    }

    /// Writes to a file, which appears once it is closed.
    pub(crate) fn file(path: &Path, compression: Compression) -> io::Result<Self> {
        Ok(Self::new(Target::File(CompressedFile::create(
            path,
            compression,
        )?)))
    }

    /// Lets an interrupt end what is being written.
    pub(crate) fn heed(&mut self, interrupts: &Interrupts) {
        self.interrupts = Some(interrupts.clone());
    }

    /// Tells whether a person reads it.
    pub(crate) fn is_terminal(&self) -> bool {
        match &self.target {
            Target::Stream { is_terminal, .. } => *is_terminal,
            Target::Pager(_) => true,
            Target::File(_) => false,
        }
    }

    /// Tells whether it is a file, which somebody will read by its format.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.target, Target::File(_))
    }

    /// Returns how much has been written, to come back to if a result turns out not to be whole.
    pub(crate) fn mark(&mut self) -> io::Result<u64> {
        self.empty_buffer()?;
        match &mut self.target {
            Target::File(file) => file.position(),
            Target::Stream { .. } | Target::Pager(_) => Ok(0),
        }
    }

    /// Takes back what was written since a mark, where that can be done; what a stream got, it keeps.
    pub(crate) fn take_back(&mut self, mark: u64) -> io::Result<()> {
        match &mut self.target {
            Target::File(file) => {
                self.buffer.clear();
                file.return_to(mark)
            }
            Target::Stream { .. } | Target::Pager(_) => self.flush(),
        }
    }

    /// Ends it: the file comes to its place, the pager is waited for.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.flush()?;
        match self.target {
            Target::Stream { .. } => Ok(()),
            Target::File(file) => file.commit(),
            Target::Pager(pager) => pager.wait(),
        }
    }

    fn empty_buffer(&mut self) -> io::Result<()> {
        let stream: &mut dyn Write = match &mut self.target {
            Target::Stream { stream, .. } => stream,
            Target::File(file) => file,
            Target::Pager(pager) => pager,
        };
        // In pieces, so that an interrupt does not wait for a large result.
        for piece in self.buffer.chunks(BUFFER) {
            if self
                .interrupts
                .as_ref()
                .is_some_and(Interrupts::is_requested)
            {
                self.buffer.clear();
                return Err(io::Error::other(Interrupted));
            }
            if let Err(error) = stream.write_all(piece) {
                self.buffer.clear();
                return Err(error);
            }
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.empty_buffer()?;
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.empty_buffer()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.empty_buffer()?;
        match &mut self.target {
            Target::Stream { stream, .. } => stream.flush(),
            Target::File(file) => file.flush(),
            Target::Pager(pager) => pager.flush(),
        }
    }
}
