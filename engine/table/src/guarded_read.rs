//! Reads of one file in which a panic of a library's decoder is an error that names the file.

use std::panic::AssertUnwindSafe;

use datafusion::error::{DataFusionError, Result};
use futures::FutureExt;
use lakesh_text::failure::damaged;

use super::error::TableError;

/// Reads something of the file at a path. Libraries panic on footers and schemas of damaged files.
pub(crate) async fn guarded<T>(
    path: &str,
    read: impl Future<Output = Result<T>>,
) -> Result<T, TableError> {
    let done = AssertUnwindSafe(read).catch_unwind().await;
    done.unwrap_or_else(|_| {
        let failure = damaged(path, "what it says of its content cannot be decoded");
        Err(DataFusionError::External(Box::new(failure)))
    })
    .map_err(|error| TableError::file(path, error))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use lakesh_text::failure::Failure;

    use super::*;

    #[tokio::test]
    async fn a_panic_names_the_file() {
        let read = async { panic!("attempt to subtract with overflow") };
        let read: Result<(), TableError> = guarded("/lake/a.parquet", read).await;
        let failure = read.map_err(Failure::from);
        let said = failure.err().map(|failure| failure.message);
        let expect = "`/lake/a.parquet` is damaged: what it says of its content cannot be decoded";
        assert_eq!(said.as_deref(), Some(expect));
    }
}
