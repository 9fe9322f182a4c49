//! A target in an object store: reached, and checked for what is there, before anything is written.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use lakesh_session::StatementContext;
use lakesh_table::{Location, TableError, connect};
use lakesh_text::failure::{Failure, FailureKind};
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;

use super::options::{CopyOptions, Existing};

/// A file or folder in an object store that is going to be written.
pub(super) struct Remote {
    url: String,
    display: String,
    store: Arc<dyn ObjectStore>,
    /// What is removed once the new files are there.
    replaced: Vec<ObjectPath>,
}

impl Remote {
    /// Reaches the store of a target; `None` if the target is local.
    pub(super) async fn open(
        target: &str,
        options: &CopyOptions,
        context: &StatementContext,
    ) -> Result<Option<Self>, Failure> {
        if !target.contains("://") {
            return Ok(None);
        }
        let table_context = context.table_context();
        let location = Location::parse_folder(target, &table_context)?;
        if location.store.scheme() != "s3" {
            let message = format!("`{target}` cannot be written to");
            return Err(Failure::new(FailureKind::Plan, message)
                .hint("COPY writes local files and `s3://` buckets"));
        }
        let store = connect(&location, &Default::default(), &table_context)?;
        let has_suffix = location.base.extension().is_some();
        let is_folder = location.folder || !has_suffix || options.is_partitioned();
        let url = match is_folder {
            true => location.folder_url(),
            false => location.url_of(&location.base),
        };
        let mut remote = Self {
            url: url.to_string(),
            display: location.display.clone(),
            store,
            replaced: Vec::new(),
        };
        if is_folder && options.existing != Existing::Append {
            remote
                .check_folder(&location.base, options.existing)
                .await?;
        }
        Ok(Some(remote))
    }

    /// Refuses a folder that holds files; remembers them where they are to be replaced.
    async fn check_folder(&mut self, base: &ObjectPath, existing: Existing) -> Result<(), Failure> {
        let mut objects = self.store.list(Some(base));
        let unreachable = |error| Failure::from(TableError::store(&self.display, error));
        while let Some(object) = objects.try_next().await.map_err(unreachable)? {
            let refused = |why: &str| {
                let message = format!("`{}` {why}", self.display);
                Failure::new(FailureKind::Plan, message)
            };
            if existing == Existing::Refuse {
                return Err(refused("holds files already").hint(
                    "OPTIONS (overwrite true) replaces them, OPTIONS (append true) adds to them",
                ));
            }
            if object.location.as_ref().contains("/_delta_log/") {
                return Err(refused(
                    "is a Delta table; overwriting its files would destroy it",
                ));
            }
            self.replaced.push(object.location);
        }
        Ok(())
    }

    /// Returns where to write.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Removes what was replaced.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        let replaced = futures::stream::iter(self.replaced.into_iter().map(Ok)).boxed();
        self.store
            .delete_stream(replaced)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
            .map_err(|error| TableError::store(&self.display, error).into())
    }
}
