//! Listing: the files that a location stands for, hidden ones left out, in the order of their paths.
//!
//! Nothing is cached: each call sees the store as it is.

use futures::TryStreamExt;
use futures::future::BoxFuture;
use lakesh_text::similar::closest;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::delta_log::LOG_FOLDER;
use super::error::TableError;
use super::glob::{is_hidden, matches_name, matches_path};
use super::location::Location;

/// A file that belongs to a location.
#[derive(Debug, Clone)]
pub(crate) struct ListedFile {
    /// What the store says of it.
    pub(crate) meta: ObjectMeta,
    /// The absolute path or URL, for people.
    pub(crate) display: String,
    /// The segments between the location's base and the file, the file's name included.
    pub(crate) relative: Vec<String>,
    /// How it was found.
    pub(crate) origin: Origin,
}

impl ListedFile {
    /// Returns what stands before the path of a file where it is shown: `/`, `s3://bucket/`.
    pub(crate) fn root(&self) -> &str {
        let path = self.meta.location.as_ref();
        self.display.strip_suffix(path).unwrap_or_default()
    }
}

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The user named this very file.
    Named,
    /// Its name matches the user's pattern.
    Matched,
    /// It lies in a folder that the user named or that matches.
    Folder,
}

/// Lists the files of one location; at least one, or an error that says what is missing.
pub(crate) async fn list(
    location: &Location,
    store: &dyn ObjectStore,
) -> Result<Vec<ListedFile>, TableError> {
    let mut metas = Vec::new();
    if let Some(pattern) = &location.pattern {
        for segments in pattern.alternatives() {
            walk(location, store, location.base.clone(), segments, &mut metas).await?;
        }
    } else if let Some(meta) = head(location, store).await? {
        metas.push((meta, Origin::Named));
    } else if location.store.scheme().starts_with("http") {
        return Err(not_found(location));
    } else {
        let files = below(location, store, &location.base).await?;
        metas = files
            .into_iter()
            .map(|meta| (meta, Origin::Folder))
            .collect();
        if metas.is_empty() && !is_local_folder(location) {
            return Err(not_found(location));
        }
    }
    metas.sort_by(|(left, _), (right, _)| left.location.cmp(&right.location));
    metas.dedup_by(|(left, _), (right, _)| left.location == right.location);
    if metas.is_empty() {
        return Err(TableError::NoFiles {
            location: location.display.clone(),
            what: "data".into(),
        });
    }
    Ok(metas
        .into_iter()
        .map(|(meta, origin)| describe(location, meta, origin))
        .collect())
}

/// Returns the file at the base, or `None` if a folder or nothing lies there.
pub(crate) async fn head(
    location: &Location,
    store: &dyn ObjectStore,
) -> Result<Option<ObjectMeta>, TableError> {
    if location.base.as_ref().is_empty() || is_local_folder(location) {
        return Ok(None);
    }
    if location.folder && location.local_path().is_none() {
        return Ok(None);
    }
    match store.head(&location.base).await {
        Ok(meta) => Ok(Some(meta)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(TableError::store(&location.display, error)),
    }
}

/// Says that a path is missing and names a sibling with a similar name.
pub(crate) fn not_found(location: &Location) -> TableError {
    let similar = location.local_path().and_then(|path| {
        let name = path.file_name()?.to_str()?.to_string();
        let parent = path.parent()?;
        let siblings: Vec<String> = std::fs::read_dir(parent)
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let sibling = closest(&name, siblings.iter().map(String::as_str))?;
        Some(parent.join(sibling).display().to_string())
    });
    TableError::NotFound {
        path: location.display.clone(),
        similar,
    }
}

fn is_local_folder(location: &Location) -> bool {
    location.local_path().is_some_and(|path| path.is_dir())
}

fn describe(location: &Location, meta: ObjectMeta, origin: Origin) -> ListedFile {
    let relative = match origin {
        Origin::Named => meta
            .location
            .filename()
            .into_iter()
            .map(String::from)
            .collect(),
        _ => segments_below(&location.base, &meta.location),
    };
    ListedFile {
        display: location.display_of(&meta.location),
        relative,
        origin,
        meta,
    }
}

/// Returns the raw names between a folder and a file below it.
pub(crate) fn segments_below(base: &ObjectPath, path: &ObjectPath) -> Vec<String> {
    let rest = path
        .as_ref()
        .strip_prefix(base.as_ref())
        .unwrap_or_default();
    rest.split('/')
        .filter(|segment| !segment.is_empty())
        .map(String::from)
        .collect()
}

/// Finds the Delta table that a path below a folder belongs to, if the path is part of a log.
fn delta_table_of(folder: &ObjectPath, path: &ObjectPath) -> Option<ObjectPath> {
    let segments = segments_below(folder, path);
    let depth = segments.iter().position(|segment| segment == LOG_FOLDER)?;
    let table = segments[..depth].iter();
    Some(table.fold(folder.clone(), |path, segment| path.join(segment.as_str())))
}

/// Lists all visible files below a folder.
///
/// A Delta table in it is an error: its folder holds files that are no longer part of the table.
pub(crate) async fn below(
    location: &Location,
    store: &dyn ObjectStore,
    folder: &ObjectPath,
) -> Result<Vec<ObjectMeta>, TableError> {
    let prefix = (!folder.as_ref().is_empty()).then_some(folder);
    let metas: Vec<ObjectMeta> = match store.list(prefix).try_collect().await {
        Ok(metas) => metas,
        Err(object_store::Error::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(TableError::store(&location.display, error)),
    };
    if let Some(table) = metas
        .iter()
        .find_map(|meta| delta_table_of(folder, &meta.location))
    {
        return Err(TableError::Location {
            location: location.display_of(folder),
            reason: format!("it holds the Delta table `{}`", location.display_of(&table)),
        });
    }
    Ok(metas
        .into_iter()
        .filter(|meta| {
            let segments = segments_below(folder, &meta.location);
            !segments.is_empty() && !segments.iter().any(|segment| is_hidden(segment))
        })
        .collect())
}

/// Follows a pattern folder by folder, so that only folders that match are listed.
fn walk<'a>(
    location: &'a Location,
    store: &'a dyn ObjectStore,
    folder: ObjectPath,
    pattern: &'a [String],
    found: &'a mut Vec<(ObjectMeta, Origin)>,
) -> BoxFuture<'a, Result<(), TableError>> {
    Box::pin(async move {
        let Some((first, rest)) = pattern.split_first() else {
            return Ok(());
        };
        if first.is_empty() {
            // A pattern that ends with a slash means the folders themselves.
            let files = below(location, store, &folder).await?;
            found.extend(files.into_iter().map(|meta| (meta, Origin::Folder)));
            return Ok(());
        }
        if first == "**" {
            let prefix = (!folder.as_ref().is_empty()).then_some(&folder);
            let metas: Vec<ObjectMeta> = match store.list(prefix).try_collect().await {
                Ok(metas) => metas,
                Err(object_store::Error::NotFound { .. }) => Vec::new(),
                Err(error) => return Err(TableError::store(&location.display, error)),
            };
            found.extend(
                metas
                    .into_iter()
                    .filter(|meta| {
                        let segments = segments_below(&folder, &meta.location);
                        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                        matches_path(pattern, &segments)
                    })
                    .map(|meta| (meta, Origin::Matched)),
            );
            return Ok(());
        }
        let prefix = (!folder.as_ref().is_empty()).then_some(&folder);
        let listed = match store.list_with_delimiter(prefix).await {
            Ok(listed) => listed,
            Err(object_store::Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(TableError::store(&location.display, error)),
        };
        if rest.is_empty() {
            found.extend(
                listed
                    .objects
                    .into_iter()
                    .filter(|meta| {
                        meta.location
                            .filename()
                            .is_some_and(|name| matches_name(first, name))
                    })
                    .map(|meta| (meta, Origin::Matched)),
            );
        }
        for child in listed.common_prefixes {
            let matching = child
                .filename()
                .is_some_and(|name| matches_name(first, name));
            if !matching {
                continue;
            }
            match rest.is_empty() {
                true => {
                    let files = below(location, store, &child).await?;
                    found.extend(files.into_iter().map(|meta| (meta, Origin::Folder)));
                }
                false => walk(location, store, child, rest, found).await?,
            }
        }
        Ok(())
    })
}
