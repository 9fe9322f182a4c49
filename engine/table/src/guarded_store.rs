//! Object stores of a session that may not do everything: what it lacks is refused where it would happen.
//!
//! All files that tables and COPY write go through a store of the session's runtime, local ones too. So
//! nothing is written by a way that nobody thought of, such as a checkpoint after reading.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::{DataFusionError, Result as QueryResult};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use deltalake::Path;
use futures::StreamExt;
use futures::stream::BoxStream;
use lakesh_text::effect::{Capabilities, Effect};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use url::Url;

/// Returns the registry of a session's stores; `None` where nothing is to be refused.
pub fn guarded_stores(capabilities: Capabilities) -> Option<Arc<dyn ObjectStoreRegistry>> {
    let asked = [Effect::WriteFiles, Effect::WriteTables, Effect::Network];
    let lacks = asked.into_iter().any(|effect| !capabilities.has(effect));
    lacks.then(|| -> Arc<dyn ObjectStoreRegistry> {
        Arc::new(GuardedRegistry {
            inner: DefaultObjectStoreRegistry::new(),
            capabilities,
        })
    })
}

/// A registry whose stores refuse what a session may not do.
#[derive(Debug)]
struct GuardedRegistry {
    inner: DefaultObjectStoreRegistry,
    capabilities: Capabilities,
}

impl ObjectStoreRegistry for GuardedRegistry {
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
        if url.scheme() != "file" {
            let what = format!("reaching `{url}` is refused");
            self.capabilities
                .require(Effect::Network, &what)
                .map_err(|refusal| DataFusionError::External(Box::new(refusal)))?;
        }
        Ok(Arc::new(GuardedStore {
            inner: self.inner.get_store(url)?,
            capabilities: self.capabilities,
        }))
    }
}

/// A store that asks before it changes anything.
#[derive(Debug)]
struct GuardedStore {
    inner: Arc<dyn ObjectStore>,
    capabilities: Capabilities,
}

impl GuardedStore {
    /// Refuses a change of a file. What belongs to a table's log is the table's, whoever writes it.
    fn require(&self, location: &Path) -> Result<()> {
        let in_log = location.as_ref().contains("_delta_log/");
        let effect = match in_log && self.capabilities.has(Effect::WriteFiles) {
            true => Effect::WriteTables,
            false => Effect::WriteFiles,
        };
        let what = format!("changing the file `{location}` is refused");
        self.capabilities
            .require(effect, &what)
            .map_err(|refusal| Error::PermissionDenied {
                path: location.to_string(),
                source: Box::new(refusal),
            })
    }
}

impl fmt::Display for GuardedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for GuardedStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.require(location)?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.require(location)?;
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
        let asks = Self {
            inner: Arc::clone(&self.inner),
            capabilities: self.capabilities,
        };
        let allowed = locations.map(move |location| {
            let location = location?;
            asks.require(&location)?;
            Ok(location)
        });
        self.inner.delete_stream(allowed.boxed())
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
        self.require(to)?;
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.require(from)?;
        self.require(to)?;
        self.inner.rename_opts(from, to, options).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::TryStreamExt;
    use lakesh_text::effect::Lack;
    use lakesh_text::failure::{Failure, FailureKind};
    use object_store::ObjectStoreExt;

    use super::*;

    fn store(capabilities: Capabilities) -> Arc<dyn ObjectStore> {
        let registry = guarded_stores(capabilities).unwrap();
        registry
            .get_store(&Url::parse("file:///").unwrap())
            .unwrap()
    }

    #[tokio::test]
    async fn every_way_to_change_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kept");
        std::fs::write(&file, "before").unwrap();
        let at = |name: &str| Path::from_absolute_path(folder.path().join(name)).unwrap();
        let (kept, new) = (at("kept"), at("new"));
        let store = store(Capabilities::ALL.read_only());
        let deleted = futures::stream::iter([Ok(kept.clone())]).boxed();
        let refused = [
            store.put(&new, "x".into()).await.map(drop),
            store.put(&kept, "x".into()).await.map(drop),
            store.put_multipart(&new).await.map(drop),
            store.delete(&kept).await,
            store
                .delete_stream(deleted)
                .try_collect::<Vec<_>>()
                .await
                .map(drop),
            store.copy(&kept, &new).await,
            store.copy_if_not_exists(&kept, &new).await,
            store.rename(&kept, &new).await,
            store.rename_if_not_exists(&kept, &new).await,
        ];
        for outcome in refused {
            let failure = Failure::from_error(outcome.unwrap_err());
            assert_eq!(failure.kind, FailureKind::Denied, "{failure}");
            assert!(
                failure.message.ends_with("in a read-only session"),
                "{failure}"
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
        let read = store.get(&kept).await.unwrap().bytes().await.unwrap();
        assert_eq!(&read[..], b"before");
    }

    #[test]
    fn who_may_do_everything_is_not_asked() {
        assert!(guarded_stores(Capabilities::ALL).is_none());
        let alone = Capabilities::ALL.without(Effect::Network, Lack::Unattended);
        let registry = guarded_stores(alone).unwrap();
        let url = Url::parse("s3://bucket/").unwrap();
        let refused = Failure::from_error(registry.get_store(&url).unwrap_err());
        assert_eq!(refused.kind, FailureKind::Denied, "{refused}");
    }
}
