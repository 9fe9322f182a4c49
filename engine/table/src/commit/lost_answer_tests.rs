//! What becomes of a commit whose answer is lost: the store writes the entry and then says that it failed.

#![allow(clippy::unwrap_used)]

use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::kernel::{Action, StructField, StructType};
use deltalake::logstore::{CommitOrBytes, StorageConfig, default_logstore};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, Path};
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::*;

/// What happens to the next log entry.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It is written, and so is the answer.
    Answered,
    /// It is written, but the answer never arrives.
    AnswerLost,
    /// Another writer's entry is there by then, and the answer never arrives.
    OtherWriterFirst,
}

/// A store that loses answers.
#[derive(Debug)]
struct Lossy {
    inner: InMemory,
    fate: Mutex<Fate>,
}

impl fmt::Display for Lossy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a store that loses answers")
    }
}

fn lost() -> object_store::Error {
    object_store::Error::Generic {
        store: "lossy",
        source: "the connection was reset".into(),
    }
}

#[async_trait]
impl ObjectStore for Lossy {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let fate = std::mem::replace(&mut *self.fate.lock().unwrap(), Fate::Answered);
        match fate {
            Fate::Answered => self.inner.put_opts(location, payload, options).await,
            Fate::AnswerLost => {
                self.inner.put_opts(location, payload, options).await?;
                Err(lost())
            }
            Fate::OtherWriterFirst => {
                let other = r#"{"commitInfo":{"operation":"WRITE","timestamp":1700000000000}}"#;
                self.inner.put(location, other.into()).await?;
                Err(lost())
            }
        }
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

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A table of one version in a store that loses answers.
async fn table() -> (Arc<Lossy>, LogStoreRef) {
    let store = Arc::new(Lossy {
        inner: InMemory::new(),
        fate: Mutex::new(Fate::Answered),
    });
    let url = url::Url::parse("memory:///table").unwrap();
    let prefixed = Arc::new(PrefixStore::new(
        Arc::clone(&store) as Arc<dyn ObjectStore>,
        "table",
    ));
    let root = Arc::clone(&store) as Arc<dyn ObjectStore>;
    let log_store = default_logstore(prefixed, root, &url, &StorageConfig::default());
    let columns: StructType = StructType::try_new([StructField::nullable(
        "id",
        deltalake::kernel::DataType::LONG,
    )])
    .unwrap();
    DeltaTable::new(Arc::clone(&log_store))
        .create()
        .with_columns(columns.fields().cloned())
        .await
        .unwrap();
    (store, log_store)
}

/// Commits nothing but the commit's own information, `fate` willing; returns the version.
async fn commit(fate: Fate, point: &PointOfNoReturn) -> std::result::Result<u64, String> {
    let (store, log_store) = table().await;
    let mut table = DeltaTable::new(Arc::clone(&log_store));
    table.load().await.unwrap();
    *store.fate.lock().unwrap() = fate;
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: None,
        predicate: None,
    };
    let committed = CommitBuilder::from(point.commit_properties(true))
        .with_actions(Vec::<Action>::new())
        .build(
            Some(table.snapshot().unwrap()),
            point.guard(Arc::clone(&log_store), table.snapshot().ok()),
            operation,
        )
        .await
        .map(|commit| commit.version())
        .map_err(|error| error.to_string());
    let newest = log_store.get_latest_version(0).await.unwrap();
    assert_eq!(newest, 1, "written exactly once");
    committed
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_recognised_and_not_written_again() {
    let point = PointOfNoReturn::default();
    assert_eq!(commit(Fate::AnswerLost, &point).await, Ok(1));
    assert!(point.is_passed());
}

#[tokio::test]
async fn another_writers_entry_does_not_pass_for_ours() {
    let answer = commit(Fate::OtherWriterFirst, &PointOfNoReturn::default()).await;
    let said = answer.unwrap_err();
    assert!(said.contains("the connection was reset"), "{said}");
}

#[tokio::test]
async fn several_commits_of_one_operation_are_told_apart() {
    let point = PointOfNoReturn::default();
    let (store, log_store) = table().await;
    let guarded = point.guard(log_store, None);
    let entry = |text: &'static str| CommitOrBytes::LogBytes(Bytes::from_static(text.as_bytes()));
    guarded
        .write_commit_entry(1, entry(r#"{"commitInfo":{"step":1}}"#), Uuid::nil())
        .await
        .unwrap();
    *store.fate.lock().unwrap() = Fate::AnswerLost;
    guarded
        .write_commit_entry(2, entry(r#"{"commitInfo":{"step":2}}"#), Uuid::nil())
        .await
        .unwrap();
    // The second step does not take the first one's entry for its own.
    let refused = guarded
        .write_commit_entry(1, entry(r#"{"commitInfo":{"step":2}}"#), Uuid::nil())
        .await;
    assert!(matches!(
        refused,
        Err(TransactionError::VersionAlreadyExists(1))
    ));
}
