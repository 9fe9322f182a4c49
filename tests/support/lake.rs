//! A temporary folder with a working directory, a home and a place for spilled data.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Shell;

/// A folder of its own for one test; nothing outside it is written.
pub(crate) struct Lake {
    root: TempDir,
}

impl Lake {
    /// Makes the folders.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["work", "home", "temp"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root }
    }

    /// Makes the folders, and a project's catalog in the working directory.
    pub(crate) fn project() -> Self {
        let lake = Self::new();
        fs::create_dir(lake.path().join(".lakesh")).unwrap();
        lake
    }

    /// Returns the folder that everything else lies in.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns the working directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Returns the home folder, which the XDG folders lie in.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Returns the folder for temporary files.
    pub(crate) fn temp(&self) -> PathBuf {
        self.root.path().join("temp")
    }

    /// Writes a file in the working directory and makes its folders.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file of the working directory.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Prepares a run of the binary in the working directory.
    pub(crate) fn shell<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Shell {
        Shell::new(self).arguments(arguments)
    }

    /// Runs statements, which must succeed, and returns the rows as CSV without a header.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> String {
        self.shell(["--format", "csv", "-c", sql])
            .run()
            .succeeds()
            .lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect()
    }

    /// Runs statements that must succeed and whose results do not matter.
    #[track_caller]
    pub(crate) fn does(&self, sql: &str) {
        self.shell(["--format", "none", "-c", sql]).run().succeeds();
    }

    /// Runs statements that must fail with a SQL error, and returns the message.
    #[track_caller]
    pub(crate) fn refuses(&self, sql: &str) -> String {
        self.shell(["--format", "csv", "-c", sql]).run().fails(1)
    }
}
