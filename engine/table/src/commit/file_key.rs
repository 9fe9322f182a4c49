//! What makes a file of a Delta table the same file: its path and its deletion vector.

use deltalake::kernel::{Add, DeletionVectorDescriptor, LogicalFileView, Remove};

/// A file as the protocol tells files apart; a file with another deletion vector is another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileKey {
    path: String,
    vector: Option<String>,
}

impl FileKey {
    fn new(path: impl Into<String>, vector: Option<&DeletionVectorDescriptor>) -> Self {
        let vector = vector.map(|vector| {
            let offset = vector.offset.unwrap_or_default();
            format!(
                "{}{}@{offset}",
                vector.storage_type, vector.path_or_inline_dv
            )
        });
        Self {
            path: path.into(),
            vector,
        }
    }

    /// Names a file of a snapshot.
    pub(crate) fn of_view(file: &LogicalFileView) -> Self {
        let vector = file.deletion_vector_descriptor();
        Self::new(file.path(), vector.as_ref())
    }

    pub(crate) fn of_add(file: &Add) -> Self {
        Self::new(file.path.as_str(), file.deletion_vector.as_ref())
    }

    pub(crate) fn of_remove(file: &Remove) -> Self {
        Self::new(file.path.as_str(), file.deletion_vector.as_ref())
    }
}
