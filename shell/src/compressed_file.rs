//! A file that results go to, compressed as its name asks: `out.csv.gz`, `out.json.zst`.
//!
//! Both compressions allow several pieces one after the other, so each result is a piece of its own
//! and can be taken back when it turns out not to be whole.

use std::io::{self, Write};
use std::mem;
use std::path::Path;

use lakesh_engine::format::{CompressedWriter, Compression};

use crate::output_file::OutputFile;

/// A file that results go to.
pub(crate) struct CompressedFile {
    compression: Compression,
    state: State,
}

enum State {
    /// Between two pieces.
    Between(OutputFile),
    /// Inside a piece.
    Inside(CompressedWriter<OutputFile>),
    /// A piece could not be ended; the file is lost.
    Lost,
}

impl CompressedFile {
    /// Begins to write a file.
    pub(crate) fn create(path: &Path, compression: Compression) -> io::Result<Self> {
        let file = OutputFile::create(path)?;
        Ok(Self {
            compression,
            state: State::Between(file),
        })
    }

    /// Ends the piece and returns how much has been written, to come back to.
    pub(crate) fn position(&mut self) -> io::Result<u64> {
        self.between()?.position()
    }

    /// Takes back what was written since a position.
    pub(crate) fn return_to(&mut self, position: u64) -> io::Result<()> {
        self.between()?.return_to(position)
    }

    /// Moves the file to its place.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        if self.position()? == 0 {
            // Even nothing is a piece.
            self.inside()?;
        }
        self.between()?;
        match self.state {
            State::Between(file) => file.commit(),
            State::Inside(_) | State::Lost => Err(lost()),
        }
    }

    fn between(&mut self) -> io::Result<&mut OutputFile> {
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Between(file) => State::Between(file),
            State::Inside(writer) => State::Between(writer.finish()?),
            State::Lost => return Err(lost()),
        };
        match &mut self.state {
            State::Between(file) => Ok(file),
            State::Inside(_) | State::Lost => Err(lost()),
        }
    }

    fn inside(&mut self) -> io::Result<&mut CompressedWriter<OutputFile>> {
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Between(file) => State::Inside(self.compression.compress(file)?),
            State::Inside(writer) => State::Inside(writer),
            State::Lost => return Err(lost()),
        };
        match &mut self.state {
            State::Inside(writer) => Ok(writer),
            State::Between(_) | State::Lost => Err(lost()),
        }
    }
}

fn lost() -> io::Error {
    io::Error::other("an earlier write to the file failed")
}

impl Write for CompressedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inside()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Between(file) => file.flush(),
            State::Inside(writer) => writer.flush(),
            State::Lost => Err(lost()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::process::Command;

    use lakesh_engine::format::Compression;

    use super::CompressedFile;

    #[test]
    fn a_piece_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv.gz");
        let mut file = CompressedFile::create(&path, Compression::Gzip).unwrap();
        file.write_all(b"one\n").unwrap();
        let position = file.position().unwrap();
        file.write_all(&b"half of two".repeat(10_000)).unwrap();
        file.return_to(position).unwrap();
        file.write_all(b"three\n").unwrap();
        file.commit().unwrap();
        let unpacked = Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
        assert_eq!(String::from_utf8(unpacked.stdout).unwrap(), "one\nthree\n");

        CompressedFile::create(&path, Compression::Gzip)
            .unwrap()
            .commit()
            .unwrap();
        let unpacked = Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
        assert!(unpacked.status.success() && unpacked.stdout.is_empty());
        assert!(fs::metadata(&path).unwrap().len() > 0);
    }
}
