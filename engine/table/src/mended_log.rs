//! A Delta log without what keeps the library from reading it although it says nothing that is needed.
//!
//! The library follows `_last_checkpoint` to a checkpoint that is gone, even if the commits or another
//! checkpoint suffice, and refuses a table of which one file has statistics that are no JSON. Statistics
//! and that file are help for readers, no part of what a table is. Only reading is mended: nothing in the
//! log is changed. A log is read in this way only after it could not be read as it is.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::DeltaTable;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::delta_log::LAST_CHECKPOINT;

/// How many digits the number of a version has in the name of its commit.
const DIGITS: usize = 20;

/// Says whether a table's log has statistics of a file that are none.
pub(crate) fn has_broken_statistics(table: &DeltaTable) -> bool {
    let Ok(snapshot) = table.snapshot() else {
        return false;
    };
    snapshot
        .log_data()
        .iter()
        .any(|file| file.stats().is_some_and(|text| !are_statistics(&text)))
}

/// Says whether a text is the JSON that statistics are. It is asked of each file of a table that is opened,
/// and keeps nothing of what it reads.
pub(crate) fn are_statistics(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<Statistics>(text).is_ok()
}

/// The parts of statistics that readers look at.
#[derive(Deserialize)]
struct Statistics {
    #[serde(rename = "numRecords")]
    _rows: Option<i64>,
    #[serde(rename = "minValues")]
    _least: Option<Object>,
    #[serde(rename = "maxValues")]
    _most: Option<Object>,
    #[serde(rename = "nullCount")]
    _nulls: Option<Object>,
}

/// An object, whatever is in it.
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Skip;
        impl<'de> Visitor<'de> for Skip {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Object, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Object)
            }
        }
        deserializer.deserialize_map(Skip)
    }
}

/// A store in which the log of one table is mended.
#[derive(Debug)]
pub(crate) struct MendedLog {
    inner: Arc<dyn ObjectStore>,
    log: Path,
}

impl MendedLog {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, log: Path) -> Self {
        Self { inner, log }
    }

    /// Says whether the checkpoint that `_last_checkpoint` names is gone.
    pub(crate) async fn names_missing_checkpoint(&self) -> bool {
        let hint = match self
            .inner
            .get_opts(&self.hint(), GetOptions::default())
            .await
        {
            Ok(got) => got.bytes().await.ok(),
            Err(_) => None,
        };
        let version = hint.and_then(|bytes| {
            let hint: Value = serde_json::from_slice(&bytes).ok()?;
            hint["version"].as_u64()
        });
        let Some(version) = version else {
            return false;
        };
        let begin = format!("{version:0DIGITS$}.checkpoint.");
        let mut files = self.inner.list(Some(&self.log));
        while let Ok(Some(file)) = files.try_next().await {
            let name = file.location.filename();
            if name.is_some_and(|name| name.starts_with(&begin)) {
                return false;
            }
        }
        true
    }

    fn hint(&self) -> Path {
        self.log.clone().join(LAST_CHECKPOINT)
    }

    fn is_commit(&self, location: &Path) -> bool {
        let name = location
            .filename()
            .and_then(|name| name.strip_suffix(".json"));
        let number =
            |name: &str| name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
        location.prefix_matches(&self.log) && name.is_some_and(number)
    }
}

/// Takes statistics that are none out of a commit.
fn mended(commit: &[u8]) -> Bytes {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in commit.split(|byte| *byte == b'\n') {
        lines.push(mended_action(line).unwrap_or_else(|| line.to_vec()));
    }
    lines.join(&b'\n').into()
}

fn mended_action(line: &[u8]) -> Option<Vec<u8>> {
    let mut action: Value = serde_json::from_slice(line).ok()?;
    let add = action.get_mut("add")?.as_object_mut()?;
    let text = add.get("stats")?.as_str()?;
    if are_statistics(text) {
        return None;
    }
    add.remove("stats");
    serde_json::to_vec(&action).ok()
}

impl fmt::Display for MendedLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for MendedLog {
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
        if *location == self.hint() && self.names_missing_checkpoint().await {
            return Err(Error::NotFound {
                path: location.to_string(),
                source: "the checkpoint that it names is gone".into(),
            });
        }
        let whole = options.range.is_none() && !options.head;
        let got = self.inner.get_opts(location, options).await?;
        if !whole || !self.is_commit(location) {
            return Ok(got);
        }
        let (mut meta, attributes) = (got.meta.clone(), got.attributes.clone());
        let content = mended(&got.bytes().await?);
        meta.size = content.len() as u64;
        Ok(GetResult {
            range: 0..meta.size,
            payload: GetResultPayload::Stream(futures::stream::iter([Ok(content)]).boxed()),
            meta,
            attributes,
        })
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_objects_of_known_shape() {
        for (text, expect) in [
            (
                "{\"numRecords\":3,\"minValues\":{\"a\":1},\"nullCount\":{\"a\":0}}",
                true,
            ),
            ("{\"numRecords\":null,\"tightBounds\":true}", true),
            ("{}", true),
            ("{\"numRecords\": 3, \"minValues\": {", false),
            ("{\"numRecords\":\"many\"}", false),
            ("{\"minValues\":[1]}", false),
            ("[]", false),
            ("", false),
        ] {
            assert_eq!(are_statistics(text), expect, "{text}");
        }
    }

    #[test]
    fn only_broken_statistics_leave_a_commit() {
        let good = r#"{"add":{"path":"a","stats":"{\"numRecords\":1}"}}"#;
        let broken = r#"{"add":{"path":"b","stats":"{\"numRec"}}"#;
        let other = r#"{"commitInfo":{"stats":"x"}}"#;
        let commit = format!("{good}\n{broken}\n{other}\n");
        let mended = mended(commit.as_bytes());
        let expect = format!("{good}\n{{\"add\":{{\"path\":\"b\"}}}}\n{other}\n");
        assert_eq!(std::str::from_utf8(&mended).unwrap(), expect);
    }
}
