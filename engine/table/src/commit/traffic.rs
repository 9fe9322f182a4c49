//! Counts the data files that an operation reads, writes and deletes, so that it can say how far it is.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::logstore::ObjectStoreRef;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use lakesh_event::event::Progress;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

/// The folder of a table's log, whose files are not counted.
const LOG_FOLDER: &str = "_delta_log";

/// What an operation has done to a table's data files so far.
#[derive(Debug, Default)]
pub struct Traffic {
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    files_written: AtomicU64,
    files_deleted: AtomicU64,
}

impl Traffic {
    /// Says how far the operation is.
    pub fn progress(&self, elapsed: Duration) -> Progress {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            bytes_scanned: count(&self.bytes_read),
            bytes_written: count(&self.bytes_written),
            files: (
                count(&self.files_written) + count(&self.files_deleted),
                None,
            ),
            elapsed,
            ..Progress::default()
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn is_data(location: &Path) -> bool {
    location.parts().all(|part| part.as_ref() != LOG_FOLDER)
}

/// A store that passes everything on and counts what concerns data files.
#[derive(Debug)]
pub(super) struct CountedStore {
    inner: ObjectStoreRef,
    traffic: Arc<Traffic>,
}

impl CountedStore {
    pub(super) fn new(inner: ObjectStoreRef, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic }
    }
}

impl fmt::Display for CountedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for CountedStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let size = payload.content_length() as u64;
        let put = self.inner.put_opts(location, payload, options).await?;
        if is_data(location) {
            add(&self.traffic.bytes_written, size);
            add(&self.traffic.files_written, 1);
        }
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.inner.put_multipart_opts(location, options).await?;
        Ok(match is_data(location) {
            true => Box::new(CountedUpload {
                inner: upload,
                traffic: Arc::clone(&self.traffic),
            }),
            false => upload,
        })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let found = self.inner.get_opts(location, options).await?;
        if is_data(location) {
            add(
                &self.traffic.bytes_read,
                found.range.end - found.range.start,
            );
        }
        Ok(found)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let found = self.inner.get_ranges(location, ranges).await?;
        if is_data(location) {
            let size = found.iter().map(|bytes| bytes.len() as u64).sum();
            add(&self.traffic.bytes_read, size);
        }
        Ok(found)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let traffic = Arc::clone(&self.traffic);
        let deleted = self.inner.delete_stream(locations);
        deleted
            .inspect_ok(move |location| {
                if is_data(location) {
                    add(&traffic.files_deleted, 1);
                }
            })
            .boxed()
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

/// An upload in parts that counts its bytes as they are handed over, and its file when it is complete.
#[derive(Debug)]
struct CountedUpload {
    inner: Box<dyn MultipartUpload>,
    traffic: Arc<Traffic>,
}

#[async_trait]
impl MultipartUpload for CountedUpload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        add(&self.traffic.bytes_written, payload.content_length() as u64);
        self.inner.put_part(payload)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let put = self.inner.complete().await?;
        add(&self.traffic.files_written, 1);
        Ok(put)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::*;

    #[tokio::test]
    async fn data_files_are_counted_and_the_log_is_not() {
        let traffic = Arc::new(Traffic::default());
        let store = CountedStore::new(Arc::new(InMemory::new()), Arc::clone(&traffic));
        let data = Path::from("table/part-0.parquet");
        let entry = Path::from("table/_delta_log/00000000000000000000.json");
        for location in [&data, &entry] {
            store
                .put(location, PutPayload::from_static(b"0123456789"))
                .await
                .unwrap();
            store.get(location).await.unwrap().bytes().await.unwrap();
            store.get_range(location, 2..5).await.unwrap();
        }
        let mut upload = store
            .put_multipart(&Path::from("table/part-1.parquet"))
            .await
            .unwrap();
        upload
            .put_part(PutPayload::from_static(b"01234"))
            .await
            .unwrap();
        upload.complete().await.unwrap();
        store.delete(&data).await.unwrap();
        store.delete(&entry).await.unwrap();

        let progress = traffic.progress(Duration::from_secs(3));
        assert_eq!(progress.bytes_scanned, 13);
        assert_eq!(progress.bytes_written, 15);
        // Two written, one deleted.
        assert_eq!(progress.files, (3, None));
        assert_eq!(progress.elapsed, Duration::from_secs(3));
    }
}
