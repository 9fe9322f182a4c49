//! The commits of a table, as far as they add and remove files.
//!
//! What a commit does to columns, properties and the like is the library's to read.

use std::collections::{HashMap, HashSet};

use deltalake::kernel::{Action, Add};
use deltalake::logstore::get_actions;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStoreExt;
use serde_json::Value;

use super::{Finding, Verdict};
use crate::commit::FileKey;
use crate::delta::Source;
use crate::delta_log::{DeltaLog, commit_path};
use crate::mended_log::are_statistics;

/// How many commits are read at a time.
const READS: usize = 32;

const CHECK: &str = "log";

/// The number of a file in the order in which the log names files.
pub(super) type FileId = usize;

/// The commits that can be read one after the other up to the newest version.
#[derive(Default)]
pub(super) struct Commits {
    /// The version from which on they follow each other; its own commit is the first one only if it is 0.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) commits: Vec<Commit>,
    pub(super) files: Files,
    /// Every path that a commit names, change data included.
    pub(super) named: HashSet<String>,
    /// Whether all commits could be read; else nothing can be said about what is live.
    pub(super) complete: bool,
}

/// One commit.
pub(super) struct Commit {
    pub(super) version: u64,
    pub(super) operation: String,
    pub(super) kind: Kind,
    pub(super) removed: Vec<FileId>,
    pub(super) added: Vec<FileId>,
}

/// What the files that a commit adds have to do with those that it removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The same rows, in other files.
    Moves,
    /// The rows that it did not change, and changed or new ones.
    Changes,
    /// Nothing: a table is overwritten or restored.
    Replaces,
}

/// The files that a log names.
#[derive(Default)]
pub(super) struct Files {
    ids: HashMap<FileKey, FileId>,
    keys: Vec<FileKey>,
    rows: Vec<Option<i64>>,
    /// Those whose statistics are none, by what the commit says that came last.
    broken: HashSet<FileId>,
}

impl Files {
    /// Returns a file's number; a new one if it was not named before.
    pub(super) fn id(&mut self, key: FileKey) -> FileId {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        let id = self.keys.len();
        self.ids.insert(key.clone(), id);
        self.keys.push(key);
        self.rows.push(None);
        id
    }

    pub(super) fn key(&self, id: FileId) -> &FileKey {
        &self.keys[id]
    }

    /// Adds up the rows of files; `None` if the log does not count those of one.
    pub(super) fn rows_of<'a>(&self, files: impl IntoIterator<Item = &'a FileId>) -> Option<i64> {
        files.into_iter().map(|id| self.rows[*id]).sum()
    }

    fn add(&mut self, file: &Add) -> FileId {
        let id = self.id(FileKey::of_add(file));
        self.rows[id] = rows_of(file);
        match file.stats.as_deref() {
            Some(text) if !text.is_empty() && !are_statistics(text) => self.broken.insert(id),
            _ => self.broken.remove(&id),
        };
        id
    }

    /// Says whether the log has a text in the place of a file's statistics that no reader understands.
    pub(super) fn has_broken_statistics(&self, key: &FileKey) -> bool {
        self.ids.get(key).is_some_and(|id| self.broken.contains(id))
    }
}

/// Counts the rows of a file that its deletion vector leaves.
fn rows_of(file: &Add) -> Option<i64> {
    let statistics: Value = serde_json::from_str(file.stats.as_deref()?).ok()?;
    let deleted = file.deletion_vector.as_ref();
    Some(statistics["numRecords"].as_i64()? - deleted.map_or(0, |vector| vector.cardinality))
}

/// Reads the commits, and says what is wrong with the log's files.
pub(super) async fn read(source: &Source, log: &DeltaLog, findings: &mut Vec<Finding>) -> Commits {
    let Some((first, last)) = log.range() else {
        return Commits::default();
    };
    missing(log, findings);
    let versions: Vec<u64> = log
        .commit_versions()
        .filter(|version| *version > first || *version == 0)
        .collect();
    let mut commits = Commits {
        first,
        last,
        complete: true,
        ..Commits::default()
    };
    let mut entries = futures::stream::iter(versions)
        .map(|version| read_actions(source, version).boxed())
        .buffered(READS);
    while let Some((version, actions)) = entries.next().await {
        match actions {
            Ok(actions) => commits.push(version, &actions),
            Err(problem) => {
                commits.complete = false;
                findings.push(
                    Finding::new(CHECK, Verdict::Error, problem)
                        .version(version)
                        .remedy(
                            "bring the file back from a copy; without it only versions from the \
                             next checkpoint on can be read",
                        ),
                );
            }
        }
    }
    commits
}

async fn read_actions(source: &Source, version: u64) -> (u64, Result<Vec<Action>, String>) {
    let path = commit_path(&source.location.base, version);
    let bytes = async {
        let got = source.store.get(&path).await?;
        got.bytes().await
    };
    let actions = match bytes.await {
        Ok(bytes) => get_actions(version, &bytes)
            .map_err(|error| format!("the commit is no valid JSON: {error}")),
        Err(error) => Err(format!("the commit cannot be read: {error}")),
    };
    (version, actions)
}

/// Says which commits are missing between others.
fn missing(log: &DeltaLog, findings: &mut Vec<Finding>) {
    let newest_checkpoint = log.checkpoint_versions().last().copied();
    let mut previous: Option<u64> = None;
    for version in log.commit_versions() {
        if let Some(before) = previous
            && before + 1 < version
        {
            let (from, to) = (before + 1, version - 1);
            let covered = newest_checkpoint.is_some_and(|checkpoint| checkpoint >= to);
            let verdict = match covered {
                true => Verdict::Note,
                false => Verdict::Error,
            };
            let text = match from == to {
                true => format!("the commit of version {from} is missing"),
                false => format!("the commits of versions {from} to {to} are missing"),
            };
            let finding = Finding::new(CHECK, verdict, text).version(from);
            findings.push(match covered {
                true => finding,
                false => finding.remedy("bring the files back from a copy"),
            });
        }
        previous = Some(version);
    }
}

impl Commits {
    fn push(&mut self, version: u64, actions: &[Action]) {
        let mut operation = None;
        let mut changes = false;
        let mut removed = Vec::new();
        let mut added = Vec::new();
        for action in actions {
            match action {
                Action::CommitInfo(information) => operation = information.operation.clone(),
                Action::Add(file) => {
                    changes |= file.data_change;
                    self.named.insert(file.path.clone());
                    added.push(self.files.add(file));
                }
                Action::Remove(file) => {
                    changes |= file.data_change;
                    self.named.insert(file.path.clone());
                    removed.push(self.files.id(FileKey::of_remove(file)));
                }
                Action::Cdc(file) => {
                    self.named.insert(file.path.clone());
                }
                _ => {}
            }
        }
        let operation = operation.unwrap_or_else(|| "a commit".to_owned());
        let kind = match operation.as_str() {
            "DELETE" | "UPDATE" | "MERGE" => Kind::Changes,
            _ if !changes => Kind::Moves,
            _ => Kind::Replaces,
        };
        self.commits.push(Commit {
            version,
            operation,
            kind,
            removed,
            added,
        });
    }
}
