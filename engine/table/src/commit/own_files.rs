//! A table's own folder, as VACUUM may see it: nothing behind a symbolic link.
//!
//! The store of local files follows links, so that a link in a table's folder makes files elsewhere
//! look like the table's own, and a VACUUM of all unknown files deleted them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use deltalake::Path;
use deltalake::logstore::ObjectStoreRef;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::links::Folder;

/// A store of local files that lists and deletes only what lies in its own folder.
#[derive(Debug)]
pub(super) struct OwnFiles {
    inner: ObjectStoreRef,
    folder: Arc<Folder>,
}

impl OwnFiles {
    /// Wraps a store whose paths are relative to a folder.
    pub(super) fn new(inner: ObjectStoreRef, folder: PathBuf) -> Self {
        let folder = Arc::new(Folder::new(folder));
        Self { inner, folder }
    }

    fn own(
        &self,
        listed: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let folder = Arc::clone(&self.folder);
        listed
            .try_filter(move |file| std::future::ready(!folder.links(file.location.as_ref())))
            .boxed()
    }
}

/// A file that a table may not delete.
#[derive(Debug, thiserror::Error)]
#[error("it lies behind a symbolic link, and only files in the table's own folder are deleted")]
struct BehindLink;

impl fmt::Display for OwnFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for OwnFiles {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let folder = Arc::clone(&self.folder);
        let own = locations.map(move |location| match location {
            Ok(location) if folder.links(location.as_ref()) => Err(Error::PermissionDenied {
                path: location.to_string(),
                source: Box::new(BehindLink),
            }),
            location => location,
        });
        self.inner.delete_stream(own.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.own(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.own(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listed = self.inner.list_with_delimiter(prefix).await?;
        listed
            .objects
            .retain(|file| !self.folder.links(file.location.as_ref()));
        listed
            .common_prefixes
            .retain(|folder| !self.folder.links(folder.as_ref()));
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
