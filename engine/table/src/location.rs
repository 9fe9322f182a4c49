//! Locations: what the user writes (`~/x`, `a/*.csv`, `file://…`, `s3://…`) as a store and a path.
//!
//! It reads nothing but the existence of local paths; listing is done in `listing`.

use std::path::{Component, Path, PathBuf};

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::path::Path as ObjectPath;
use url::Url;

use super::TableContext;
use super::error::TableError;
use super::glob::{self, Pattern};

/// A file, folder or pattern in an object store.
#[derive(Debug, Clone)]
pub struct Location {
    /// The absolute path or URL, for people.
    pub display: String,
    /// The store: `file:///` or `s3://bucket/`.
    pub store: Url,
    /// The file or folder; with a pattern, the folder before its first wildcard.
    pub base: ObjectPath,
    /// What names below `base` have to match.
    pub(crate) pattern: Option<Pattern>,
    /// Whether the text ended with a slash.
    pub folder: bool,
}

impl Location {
    /// Reads a location; relative paths start at the session's working directory.
    pub(crate) fn parse(text: &str, context: &TableContext<'_>) -> Result<Self, TableError> {
        Self::parse_as(text, context, true)
    }

    /// Reads a location that is one folder; characters of patterns stand for themselves.
    pub fn parse_folder(text: &str, context: &TableContext<'_>) -> Result<Self, TableError> {
        Self::parse_as(text, context, false)
    }

    fn parse_as(
        text: &str,
        context: &TableContext<'_>,
        patterns: bool,
    ) -> Result<Self, TableError> {
        if text.trim().is_empty() {
            return Err(refused(text, "it is empty"));
        }
        match text.split_once("://") {
            Some(("file", _)) => {
                let path = Url::parse(text)
                    .ok()
                    .and_then(|url| url.to_file_path().ok())
                    .ok_or_else(|| refused(text, "it is no absolute `file:///` URL"))?;
                Self::local(&path, text.ends_with('/'), patterns)
            }
            Some(("s3" | "s3a" | "s3n", rest)) => Self::s3(text, rest, patterns),
            Some(("http" | "https", _)) => Self::http(text),
            Some((scheme, _)) if is_scheme(scheme) => Err(refused(
                text,
                "only local paths, `file://`, `s3://`, `http://` and `https://` can be read",
            )),
            _ => Self::local(&absolute(text, context)?, text.ends_with('/'), patterns),
        }
    }

    /// Returns the URL of a path in this store, with special characters percent-encoded.
    pub fn url_of(&self, path: &ObjectPath) -> Url {
        let mut url = self.store.clone();
        url.set_path(&encode(path.as_ref()));
        url
    }

    /// Returns the URL of the folder, with a slash at its end.
    pub fn folder_url(&self) -> Url {
        let mut url = self.store.clone();
        let path = self.base.as_ref();
        let slash = if path.is_empty() { "" } else { "/" };
        url.set_path(&format!("{}{slash}", encode(path)));
        url
    }

    /// Writes a path of this store as the user would: an absolute path or a URL.
    pub(crate) fn display_of(&self, path: &ObjectPath) -> String {
        match self.store.scheme() {
            "file" => format!("/{path}"),
            _ => format!("{}{path}", self.store),
        }
    }

    /// Returns the local path, if the location is one.
    pub(crate) fn local_path(&self) -> Option<PathBuf> {
        (self.store.scheme() == "file").then(|| PathBuf::from(format!("/{}", self.base)))
    }

    /// Returns the store's key in the runtime environment.
    pub(crate) fn object_store_url(&self) -> Result<ObjectStoreUrl, TableError> {
        ObjectStoreUrl::parse(&self.store)
            .map_err(|error| refused(&self.display, &error.to_string()))
    }

    fn local(path: &Path, folder: bool, patterns: bool) -> Result<Self, TableError> {
        let display = path.to_string_lossy().into_owned();
        let text = path
            .to_str()
            .ok_or_else(|| refused(&display, "it is not valid UTF-8"))?;
        let (base, pattern) = match patterns && glob::is_pattern(text) && !path.exists() {
            true => split_pattern(text),
            false => (text, None),
        };
        let base = ObjectPath::parse(base).map_err(|error| refused(text, &error.to_string()))?;
        let store = Url::parse("file:///").expect("the URL is valid");
        Ok(Self {
            display,
            store,
            base,
            pattern,
            folder,
        })
    }

    /// Reads the rest of an S3 URL; the key stands as it is, without percent-encoding.
    fn s3(text: &str, rest: &str, patterns: bool) -> Result<Self, TableError> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let store = Url::parse(&format!("s3://{bucket}/"))
            .ok()
            .filter(|url| url.host_str() == Some(bucket))
            .ok_or_else(|| refused(text, "it names no bucket"))?;
        let (base, pattern) = match patterns && glob::is_pattern(key) {
            true => split_pattern(key),
            false => (key, None),
        };
        let base = ObjectPath::parse(base).map_err(|error| refused(text, &error.to_string()))?;
        Ok(Self {
            display: format!("s3://{rest}"),
            store,
            base,
            pattern,
            folder: key.is_empty() || key.ends_with('/'),
        })
    }

    fn http(text: &str) -> Result<Self, TableError> {
        let url = Url::parse(text).map_err(|error| refused(text, &error.to_string()))?;
        if url.query().is_some() {
            return Err(refused(text, "URLs with a query cannot be read"));
        }
        let base = ObjectPath::from_url_path(url.path())
            .map_err(|error| refused(text, &error.to_string()))?;
        let mut store = url;
        store.set_path("/");
        Ok(Self {
            display: text.to_string(),
            store,
            base,
            pattern: None,
            folder: false,
        })
    }
}

/// Percent-encodes a path, more than URLs need: the Delta library makes host names of paths.
fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'=' | b'+' | b',' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn refused(location: &str, reason: &str) -> TableError {
    TableError::Location {
        location: location.to_string(),
        reason: reason.to_string(),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

/// Makes a path absolute without touching the file system; `..` is resolved by name.
pub(crate) fn absolute(text: &str, context: &TableContext<'_>) -> Result<PathBuf, TableError> {
    let home = || {
        context
            .environment
            .get("HOME")
            .map(PathBuf::from)
            .ok_or_else(|| refused(text, "the home folder is not known"))
    };
    let path = match text.strip_prefix("~/") {
        Some(rest) => home()?.join(rest),
        None if text == "~" => home()?,
        None => context.working_directory.join(text),
    };
    let mut absolute = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                absolute.pop();
            }
            Component::CurDir => {}
            other => absolute.push(other),
        }
    }
    Ok(absolute)
}

/// Splits at the slash before the first wildcard.
fn split_pattern(text: &str) -> (&str, Option<Pattern>) {
    let wildcard = text.find(['*', '?', '[', '{']).unwrap_or(text.len());
    match text[..wildcard].rfind('/') {
        Some(slash) => (&text[..slash], Some(Pattern::new(&text[slash + 1..]))),
        None => ("", Some(Pattern::new(text))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn locations_become_absolute() {
        let bench = Bench::new();
        let context = bench.context();
        let here = bench.folder().to_string_lossy().into_owned();
        for (text, base, pattern) in [
            ("a/../b.csv", format!("{here}/b.csv"), false),
            ("./x/*.csv", format!("{here}/x"), true),
            ("~/d", "/home/someone/d".into(), false),
            ("file:///tmp/a%20b", "/tmp/a b".into(), false),
            ("/tmp/{a,b}/c", "/tmp".into(), true),
        ] {
            let location = Location::parse(text, &context).unwrap();
            assert_eq!(format!("/{}", location.base), base, "{text}");
            assert_eq!(location.pattern.is_some(), pattern, "{text}");
        }
        let location = Location::parse("s3://bucket/a b%/t#1", &context).unwrap();
        assert_eq!(location.store.as_str(), "s3://bucket/");
        assert_eq!(location.base.as_ref(), "a b%/t#1");
        assert_eq!(
            location.folder_url().as_str(),
            "s3://bucket/a%20b%25/t%231/"
        );
    }

    #[test]
    fn unusable_locations_are_refused() {
        let bench = Bench::new();
        for (text, reason) in [
            ("", "it is empty"),
            ("ftp://host/x", "only local paths"),
            ("s3:///x", "it names no bucket"),
            ("https://host/x?sig=1", "URLs with a query"),
        ] {
            let error = Location::parse(text, &bench.context()).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
