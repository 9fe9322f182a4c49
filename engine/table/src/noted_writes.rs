//! Remembers why writing a file failed, for writers that do not say it.
//!
//! DataFusion's writers of text end with an error of their own that leaves out what the store said
//! (`datafusion-datasource` 55.2, `write/orchestration.rs`).

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::error::{DataFusionError, Result as QueryResult};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::stream::BoxStream;
use futures::{FutureExt, TryFutureExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart,
};
use url::Url;

/// How the errors begin that leave out why a write failed.
const WITHOUT_REASON: [&str; 2] = [
    "Error encountered while finalizing writes",
    "Error encountered during writing to ObjectStore",
];

/// Why the writes of a statement failed.
#[derive(Debug, Clone, Default)]
pub struct WriteNotes {
    first: Arc<Mutex<Option<String>>>,
}

impl WriteNotes {
    /// Returns a runtime whose stores note what they fail to write.
    pub fn of(runtime: &RuntimeEnv) -> (Self, Arc<RuntimeEnv>) {
        let notes = Self::default();
        let registry = NotingRegistry {
            inner: Arc::clone(&runtime.object_store_registry),
            notes: notes.clone(),
        };
        let runtime = RuntimeEnv {
            object_store_registry: Arc::new(registry),
            ..runtime.clone()
        };
        (notes, Arc::new(runtime))
    }

    /// Puts what a store said in the place of an error that does not say why a write failed.
    pub fn explain(&self, error: DataFusionError) -> DataFusionError {
        let DataFusionError::Internal(text) = error.find_root() else {
            return error;
        };
        if !WITHOUT_REASON.iter().any(|begin| text.starts_with(begin)) {
            return error;
        }
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match first.as_ref() {
            None => error,
            Some(said) => DataFusionError::ObjectStore(Box::new(Error::Generic {
                store: "output",
                source: said.clone().into(),
            })),
        }
    }

    fn note(&self, error: &Error) {
        let said = match error {
            Error::Generic { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(said);
    }
}

#[derive(Debug)]
struct NotingRegistry {
    inner: Arc<dyn ObjectStoreRegistry>,
    notes: WriteNotes,
}

impl ObjectStoreRegistry for NotingRegistry {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.inner.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> QueryResult<Arc<dyn ObjectStore>> {
        self.inner.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> QueryResult<Arc<dyn ObjectStore>> {
        Ok(Arc::new(NotingStore {
            inner: self.inner.get_store(url)?,
            notes: self.notes.clone(),
        }))
    }
}

/// A store that notes why a write failed.
#[derive(Debug)]
struct NotingStore {
    inner: Arc<dyn ObjectStore>,
    notes: WriteNotes,
}

impl fmt::Display for NotingStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for NotingStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = self.inner.put_opts(location, payload, options).await;
        put.inspect_err(|error| self.notes.note(error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let begun = self.inner.put_multipart_opts(location, options).await;
        let inner = begun.inspect_err(|error| self.notes.note(error))?;
        let notes = self.notes.clone();
        Ok(Box::new(NotingUpload { inner, notes }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// A file that is written in parts.
#[derive(Debug)]
struct NotingUpload {
    inner: Box<dyn MultipartUpload>,
    notes: WriteNotes,
}

#[async_trait]
impl MultipartUpload for NotingUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let notes = self.notes.clone();
        let part = self.inner.put_part(data);
        part.inspect_err(move |error| notes.note(error)).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let completed = self.inner.complete().await;
        completed.inspect_err(|error| self.notes.note(error))
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_said_takes_the_place_of_what_says_nothing() {
        let notes = WriteNotes::default();
        let silent = || {
            let text = format!("{}! Partial results", WITHOUT_REASON[0]);
            DataFusionError::Internal(text)
        };
        assert!(
            notes
                .explain(silent())
                .to_string()
                .contains(WITHOUT_REASON[0])
        );
        notes.note(&Error::Generic {
            store: "LocalFileSystem",
            source: "No space left on device (os error 28)".into(),
        });
        notes.note(&Error::NotImplemented {
            operation: "a later error".into(),
            implementer: "a store".into(),
        });
        let said = notes.explain(silent()).to_string();
        assert!(said.contains("No space left on device"), "{said}");
        let other = DataFusionError::Execution("divided by zero".into());
        assert!(notes.explain(other).to_string().contains("divided by zero"));
    }
}
