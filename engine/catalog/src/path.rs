//! Locations of data: made absolute when they come in, kept movable in the catalog.
//!
//! A path below the catalog's folder is stored as `catalog:rest`, one below the project's folder as
//! `project:rest`, so that a project can be moved as a whole; other paths are stored absolute and URLs
//! as they are. Nothing here looks at what lies at a location.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use url::Url;

use super::error::CatalogError;
use super::location::CatalogLocation;

const BELOW_CATALOG: &str = "catalog:";
const BELOW_PROJECT: &str = "project:";

/// Returns whether a location is a URL (`s3://…`, `file:///…`) and not a path.
pub fn is_url(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once("://") else {
        return false;
    };
    let mut letters = scheme.bytes();
    // One letter is a drive on Windows.
    scheme.len() >= 2
        && letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Makes a location absolute: a path, a glob, `~/…` or a URL as the user wrote it.
///
/// URLs stay as they are, except that `file:` ones become paths. A slash at the end stays, as it says
/// that a folder is meant. Symbolic links are only followed where `..` steps back over one.
pub fn absolute(
    text: &str,
    working_directory: &Path,
    home: Option<&Path>,
) -> Result<String, CatalogError> {
    if text.is_empty() || text.contains('\0') {
        return Err(invalid(text, "it is empty or has a zero byte"));
    }
    let path = match file_url_path(text)? {
        Some(path) => path,
        None if is_url(text) => return Ok(text.to_owned()),
        None => match (text.strip_prefix('~'), home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            _ => working_directory.join(text),
        },
    };
    clean_text(&path, text)
}

/// Resolves `.`, `..` and repeated separators.
pub(super) fn normalise(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => step_up(&mut clean),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                clean.push(component);
            }
        }
    }
    clean
}

/// Steps over `..` as the system would: behind a symbolic link lies the parent of its target.
fn step_up(path: &mut PathBuf) {
    let is_pattern = |name: &OsStr| name.as_encoded_bytes().iter().any(|b| b"*?[".contains(b));
    if path.file_name().is_some_and(is_pattern) {
        path.push("..");
        return;
    }
    if path.is_symlink()
        && let Ok(target) = fs::canonicalize(&path)
    {
        *path = target;
    }
    path.pop();
}

/// Normalises a path and keeps the slash that `written` ends with.
fn clean_text(path: &Path, written: &str) -> Result<String, CatalogError> {
    let mut text = normalise(path)
        .into_os_string()
        .into_string()
        .map_err(|_| invalid(written, "the path is not valid UTF-8"))?;
    if written.ends_with('/') && !text.ends_with('/') {
        text.push('/');
    }
    Ok(text)
}

/// Turns a `file:` URL into its path; `None` for everything else.
fn file_url_path(text: &str) -> Result<Option<PathBuf>, CatalogError> {
    let Some(rest) = text.strip_prefix("file://") else {
        return Ok(None);
    };
    // `?` is part of a glob here rather than the start of a query.
    if rest.starts_with('/') && !rest.contains('%') {
        return Ok(Some(PathBuf::from(rest)));
    }
    Url::parse(text)
        .ok()
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .and_then(|url| url.to_file_path().ok())
        .map(Some)
        .ok_or_else(|| invalid(text, "the file URL names no path of this machine"))
}

fn invalid(location: &str, reason: &'static str) -> CatalogError {
    CatalogError::InvalidLocation {
        location: location.to_owned(),
        reason,
    }
}

impl CatalogLocation {
    /// Turns an absolute location into the text that the catalog stores.
    pub(super) fn to_stored(&self, location: &str) -> Result<String, CatalogError> {
        if location.contains('\0') {
            return Err(invalid(location, "it has a zero byte"));
        }
        if is_url(location) {
            return Ok(location.to_owned());
        }
        if !Path::new(location).is_absolute() {
            return Err(invalid(location, "it is not absolute"));
        }
        let location = clean_text(Path::new(location), location)?;
        let bases = [
            (BELOW_CATALOG, self.folder()),
            (BELOW_PROJECT, self.project_folder()),
        ];
        for (marker, base) in bases {
            let rest = base.and_then(|base| {
                rest_below(&location, base)
                    .or_else(|| rest_below(&location, &fs::canonicalize(base).ok()?))
            });
            if let Some(rest) = rest {
                return Ok(format!("{marker}{rest}"));
            }
        }
        Ok(location)
    }

    /// Turns the stored text back into an absolute location.
    pub(super) fn to_absolute(&self, stored: &str) -> Result<String, CatalogError> {
        let folder = self.folder();
        let (base, rest) = if let Some(rest) = stored.strip_prefix(BELOW_CATALOG) {
            (folder, rest)
        } else if let Some(rest) = stored.strip_prefix(BELOW_PROJECT) {
            (folder.and_then(Path::parent), rest)
        } else {
            return Ok(stored.to_owned());
        };
        let base = base.ok_or_else(|| invalid(stored, "the catalog has no folder"))?;
        let path = match rest {
            "" => base.to_owned(),
            rest => base.join(rest),
        };
        path.into_os_string()
            .into_string()
            .map_err(|_| invalid(stored, "the path of the catalog is not valid UTF-8"))
    }
}

/// Returns what follows the base and its separator.
fn rest_below<'text>(location: &'text str, base: &Path) -> Option<&'text str> {
    let rest = location.strip_prefix(base.to_str()?)?;
    match rest.strip_prefix(std::path::MAIN_SEPARATOR) {
        Some(below) => Some(below),
        None => rest.is_empty().then_some(rest),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{absolute, is_url};
    use crate::locate;
    use std::path::Path;

    #[test]
    fn texts_become_absolute() {
        let cases = [
            ("data/x.parquet", "/project/data/x.parquet"),
            ("./data//x/*.parquet", "/project/data/x/*.parquet"),
            ("../x/", "/x/"),
            ("../../../x", "/x"),
            ("/a/../b", "/b"),
            ("a/*/../b", "/project/a/*/../b"),
            ("~", "/home/me"),
            ("~/x/", "/home/me/x/"),
            ("~other/x", "/project/~other/x"),
            ("s3://bucket/a/../b", "s3://bucket/a/../b"),
            ("file:///a/b?.csv", "/a/b?.csv"),
            ("file:///a%20b/c", "/a b/c"),
            ("file://localhost/a", "/a"),
            ("a://b", "/project/a:/b"),
            ("größe/数.csv", "/project/größe/数.csv"),
        ];
        for (text, expected) in cases {
            let result = absolute(text, Path::new("/project"), Some(Path::new("/home/me")));
            assert_eq!(result.unwrap(), expected, "{text}");
        }
        for text in ["", "a\0b", "file://elsewhere/a"] {
            assert!(
                absolute(text, Path::new("/project"), None).is_err(),
                "{text:?}"
            );
        }
        assert!(is_url("s3a://x") && !is_url("/a://b") && !is_url("1x://b"));
    }

    #[cfg(unix)]
    #[test]
    fn parents_of_links_are_the_targets_parents() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("real/deep")).unwrap();
        std::os::unix::fs::symlink(root.join("real/deep"), root.join("link")).unwrap();
        let expected = root.join("real/x").into_os_string().into_string().unwrap();
        assert_eq!(absolute("link/../x", &root, None).unwrap(), expected);
    }

    #[test]
    fn stored_texts_come_back() {
        let project = locate(
            Path::new("/p"),
            Some(Path::new("/p/.lakesh")),
            Path::new("/home"),
        );
        let cases = [
            ("/p/data/", "project:data/"),
            ("/p", "project:"),
            ("/p/*/x?.csv", "project:*/x?.csv"),
            ("/p/.lakesh/warehouse/a", "catalog:warehouse/a"),
            ("/pq/data", "/pq/data"),
            ("s3://p/data", "s3://p/data"),
        ];
        for (location, stored) in cases {
            assert_eq!(project.to_stored(location).unwrap(), stored);
            assert_eq!(project.to_absolute(stored).unwrap(), location);
        }
        assert!(project.to_stored("relative").is_err());

        let elsewhere = locate(Path::new("/"), Some(Path::new("/cat")), Path::new("/home"));
        assert_eq!(elsewhere.to_stored("/data/x").unwrap(), "/data/x");
        assert_eq!(elsewhere.to_stored("/cat/x").unwrap(), "catalog:x");
    }
}
