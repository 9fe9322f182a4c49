//! A file that results go to: written beside its place and moved there once it is whole.
//!
//! Until then a file that was there before stays as it is. What is not a plain file, such as a pipe or
//! `/dev/null`, is written to directly.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use lakesh_engine::memory::unfinished::Unfinished;

/// A file that results go to.
#[derive(Debug)]
pub(crate) struct OutputFile {
    file: File,
    target: PathBuf,
    /// The file beside the target; `None` when the target itself is written.
    beside: Option<Unfinished>,
}

impl OutputFile {
    /// Begins to write a file.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        // A link stays a link: the file that it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let known = fs::metadata(&target).ok();
        if known.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if known.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            let file = OpenOptions::new().write(true).open(&target)?;
            return Ok(Self {
                file,
                target,
                beside: None,
            });
        }
        let (file, beside) = Unfinished::file_beside(&target)?;
        if let Some(metadata) = known {
            file.set_permissions(metadata.permissions())?;
        }
        Ok(Self {
            file,
            target,
            beside: Some(beside),
        })
    }

    /// Returns how much has been written, to come back to.
    pub(crate) fn position(&mut self) -> io::Result<u64> {
        match self.beside {
            Some(_) => self.file.stream_position(),
            None => Ok(0),
        }
    }

    /// Takes back what was written since a position.
    pub(crate) fn return_to(&mut self, position: u64) -> io::Result<()> {
        if self.beside.is_some() {
            self.file.set_len(position)?;
            self.file.seek(SeekFrom::Start(position))?;
        }
        Ok(())
    }

    /// Moves the file to its place.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        match self.beside {
            Some(beside) => beside.finish(&self.target),
            None => Ok(()),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    use super::OutputFile;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, "before").unwrap();

        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        drop(file);
        assert_eq!(names(folder.path()), ["out.csv"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");

        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"one").unwrap();
        let position = file.position().unwrap();
        file.write_all(b"two").unwrap();
        file.return_to(position).unwrap();
        file.write_all(b"three").unwrap();
        file.commit().unwrap();
        assert_eq!(names(folder.path()), ["out.csv"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "onethree");
    }

    #[test]
    fn devices_and_links_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = OutputFile::create(Path::new("/dev/null")).unwrap();
        file.write_all(b"x").unwrap();
        file.commit().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());

        let real = folder.path().join("real");
        let link = folder.path().join("link");
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut file = OutputFile::create(&link).unwrap();
        file.write_all(b"x").unwrap();
        file.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "x");
        assert!(OutputFile::create(folder.path()).is_err());
    }
}
