//! The files of a Delta table lie in the table's own folder, whatever its log says.
//!
//! A path in a log is a relative URL or an absolute one, and the library reads wherever it leads
//! (`../x`, `%2e%2e/x`, `/x`, `file:///x`, a link in the folder), so that whoever can write a table's log
//! can show any file that the reader may read. A shallow clone has such paths by design.

use deltalake::DeltaTable;
use deltalake::kernel::{DeletionVectorDescriptor, StorageType};
use url::Url;

use super::delta::Source;
use super::error::TableError;
use super::links::Folder;
use super::{TableContext, hive};

/// Refuses a table whose newest files do not all lie in its own folder, unless that is permitted.
pub(super) fn check_paths(
    source: &Source,
    table: &DeltaTable,
    context: &TableContext<'_>,
) -> Result<(), TableError> {
    if context.outside_files {
        return Ok(());
    }
    let snapshot = table.snapshot().map_err(|error| source.failed(error))?;
    let boundary = Boundary::of(source);
    for file in snapshot.log_data().iter() {
        let vector = file.deletion_vector_descriptor();
        let vector = vector.as_ref().and_then(vector_path);
        let path = file.path();
        if let Some(outside) = [Some(path.as_ref()), vector]
            .into_iter()
            .flatten()
            .find(|path| boundary.is_crossed_by(path))
        {
            return Err(TableError::Outside {
                location: source.location.display.clone(),
                file: outside.to_owned(),
            });
        }
    }
    Ok(())
}

/// Returns the path of a deletion vector's file, or of the folder that it names below the table's.
pub(super) fn vector_path(vector: &DeletionVectorDescriptor) -> Option<&str> {
    /// A number in base 85, of which the file's name is made; a folder may stand before it.
    const NAME: usize = 20;
    let path = vector.path_or_inline_dv.as_str();
    match vector.storage_type {
        StorageType::AbsolutePath => Some(path),
        StorageType::UuidRelativePath => path
            .len()
            .checked_sub(NAME)
            .and_then(|end| path.get(..end))
            .filter(|folder| !folder.is_empty()),
        StorageType::Inline => None,
    }
}

/// What lies in a table's folder and what does not.
pub(super) struct Boundary {
    root: Url,
    /// Absent for tables in object stores, which know no links.
    folder: Option<Folder>,
}

impl Boundary {
    pub(super) fn of(source: &Source) -> Self {
        Self {
            root: source.location.folder_url(),
            folder: source.location.local_path().map(Folder::new),
        }
    }

    /// Says whether a path of the log leads out of the table's folder.
    ///
    /// The path is taken as the library gives it, which has decoded it once. It is looked at again after
    /// each further decoding, since it is not certain how often a reader decodes it.
    pub(super) fn is_crossed_by(&self, path: &str) -> bool {
        let is_plain = |byte: u8| !matches!(byte, b'%' | b':' | b'\\' | b'.' | 0..=b' ');
        let in_place = match path.rsplit_once('/') {
            // Nearly all paths are of this kind, and a table can have very many.
            Some((folder, name)) if !name.starts_with('.') => {
                !folder.is_empty() && !folder.starts_with('/') && folder.bytes().all(is_plain)
            }
            None if !path.starts_with('.') => true,
            _ => false,
        };
        let in_place = in_place && path.bytes().all(|byte| byte == b'.' || is_plain(byte));
        (!in_place && self.leaves(path))
            || self
                .folder
                .as_ref()
                .is_some_and(|folder| folder.links_outside(self.below(path)))
    }

    fn leaves(&self, path: &str) -> bool {
        let mut path = path.to_owned();
        loop {
            if !self.holds(&path) {
                return true;
            }
            let decoded = hive::decode(&path);
            if decoded == path {
                return false;
            }
            path = decoded;
        }
    }

    /// Says whether a relative or absolute URL lies below the root.
    fn holds(&self, path: &str) -> bool {
        match Url::parse(path) {
            // A name with a colon, such as `a:b.parquet`, is no place that could be read.
            Ok(url) if url.cannot_be_a_base() => true,
            Ok(url) => url.as_str().starts_with(self.root.as_str()),
            Err(_) => self
                .root
                .join(path)
                .is_ok_and(|url| url.as_str().starts_with(self.root.as_str())),
        }
    }

    /// Returns the part of a path below the root.
    fn below<'a>(&self, path: &'a str) -> &'a str {
        let path = path.strip_prefix(self.root.as_str()).unwrap_or(path);
        path.strip_prefix(self.root.path()).unwrap_or(path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn boundary(root: &str) -> Boundary {
        Boundary {
            root: Url::parse(root).unwrap(),
            folder: None,
        }
    }

    #[test]
    fn paths_that_leave_the_table_are_found() {
        for path in [
            "../x.parquet",
            "a/../../x.parquet",
            "%2e%2e/x.parquet",
            "%252e%252e/x.parquet",
            ".%2E/x.parquet",
            "%2e%2e%2fx.parquet",
            "..\\x.parquet",
            ".\t./x.parquet",
            "/lake/other/x.parquet",
            "\\lake\\other\\x.parquet",
            "//other/lake/t/x.parquet",
            "file:///lake/other/x.parquet",
            "file:/lake/other/x.parquet",
            "file:../x.parquet",
            "FILE:///etc/passwd",
            " file:///etc/passwd",
            "http://other/x.parquet",
            "http:other/x.parquet",
            "s3://bucket/x.parquet",
            "/lake/table/x.parquet",
        ] {
            assert!(boundary("file:///lake/t/").is_crossed_by(path), "{path}");
        }
        let store = boundary("s3://bucket/lake/t/");
        for path in [
            "../x",
            "/lake/other/x",
            "s3://bucket/lake/other/x",
            "s3://t/lake/t/x",
        ] {
            assert!(store.is_crossed_by(path), "{path}");
        }
    }

    #[test]
    fn paths_of_the_table_are_its_own() {
        for path in [
            "x.parquet",
            "day=2024-01-01/x.parquet",
            "day=2024-01-01/hour=01/part-00000-1.c000.snappy.parquet",
            "at=2024-01-01 00%3A00/x.parquet",
            "a:b.parquet",
            "share=100%/x.parquet",
            "name=A..B/x.parquet",
            "name=../x.parquet",
            "a/../x.parquet",
            "./x.parquet",
            ".x.parquet",
            "größe=1/x.parquet",
            "/lake/t/x.parquet",
            "file:///lake/t/x.parquet",
        ] {
            assert!(!boundary("file:///lake/t/").is_crossed_by(path), "{path}");
        }
        let store = boundary("s3://bucket/lake/t/");
        for path in ["x.parquet", "s3://bucket/lake/t/x.parquet"] {
            assert!(!store.is_crossed_by(path), "{path}");
        }
    }
}
