//! The log of a Delta table as files: which versions can be read, and when each was committed.
//!
//! Commit times are the log files' times of change, made ascending as Delta prescribes, or the
//! in-commit timestamps where the table writes them. Actions are not read here.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::error::TableError;
use super::location::Location;

/// The name of the folder that makes a folder a Delta table.
pub(crate) const LOG_FOLDER: &str = "_delta_log";

/// The file that names the newest checkpoint.
pub(crate) const LAST_CHECKPOINT: &str = "_last_checkpoint";

/// How many commits are read at a time.
const READS: usize = 32;

/// The log's files by version.
#[derive(Debug, Default)]
pub(crate) struct DeltaLog {
    commits: BTreeMap<u64, ObjectMeta>,
    checkpoints: Vec<u64>,
}

impl DeltaLog {
    /// Lists the log of the table at a location.
    pub(crate) async fn list(
        location: &Location,
        store: &dyn ObjectStore,
    ) -> Result<Self, TableError> {
        let folder = log_folder(&location.base);
        if location.local_path().is_some_and(|path| path.is_file()) {
            return Ok(Self::default());
        }
        let metas: Vec<ObjectMeta> = match store.list(Some(&folder)).try_collect().await {
            Ok(metas) => metas,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(TableError::store(&location.display, error)),
        };
        let mut log = Self::default();
        for meta in metas {
            if meta.location.parts_count() != folder.parts_count() + 1 {
                continue;
            }
            let Some(name) = meta.location.filename() else {
                continue;
            };
            let Some((version, rest)) = version_of(name) else {
                continue;
            };
            match rest {
                "json" => {
                    log.commits.insert(version, meta);
                }
                rest if rest.starts_with("checkpoint.") => log.checkpoints.push(version),
                _ => {}
            }
        }
        log.checkpoints.sort_unstable();
        Ok(log)
    }

    /// Returns the oldest and newest version that can be read.
    pub(crate) fn range(&self) -> Option<(u64, u64)> {
        let newest_commit = self.commits.keys().next_back().copied();
        let newest_checkpoint = self.checkpoints.last().copied();
        let last = newest_commit.max(newest_checkpoint)?;
        let mut start = last + 1;
        while start > 0 && self.commits.contains_key(&(start - 1)) {
            start -= 1;
        }
        if start == 0 {
            return Some((0, last));
        }
        let first = self
            .checkpoints
            .iter()
            .copied()
            .find(|version| version + 1 >= start);
        Some((first.unwrap_or(start.min(last)), last))
    }

    /// Returns the versions that have a commit file, ascending.
    pub(crate) fn commit_versions(&self) -> impl Iterator<Item = u64> {
        self.commits.keys().copied()
    }

    /// Returns the versions that have a checkpoint, ascending.
    pub(crate) fn checkpoint_versions(&self) -> &[u64] {
        &self.checkpoints
    }

    /// Checks that a version can be read.
    pub(crate) fn check(&self, location: &Location, version: u64) -> Result<(), TableError> {
        let (first, last) = self.range().ok_or_else(|| not_delta(location))?;
        match (first..=last).contains(&version) {
            true => Ok(()),
            false => Err(TableError::NoVersion {
                location: location.display.clone(),
                version,
                first,
                last,
            }),
        }
    }

    /// Finds the newest version that was committed at or before a moment.
    pub(crate) async fn at(
        &self,
        location: &Location,
        store: &Arc<dyn ObjectStore>,
        moment: DateTime<Utc>,
    ) -> Result<u64, TableError> {
        let times = self.times(location, store).await?;
        let found = times.iter().rev().find(|(_, time)| *time <= moment);
        match (found, times.first(), times.last()) {
            (Some((version, _)), _, _) => Ok(*version),
            (None, Some((first, oldest)), Some((last, newest))) => Err(TableError::TooEarly {
                location: location.display.clone(),
                timestamp: moment,
                first: *first,
                oldest: *oldest,
                last: *last,
                newest: *newest,
            }),
            _ => Err(not_delta(location)),
        }
    }

    /// Returns the readable versions in ascending order with their commit times.
    pub(crate) async fn times(
        &self,
        location: &Location,
        store: &Arc<dyn ObjectStore>,
    ) -> Result<Vec<(u64, DateTime<Utc>)>, TableError> {
        let Some((first, _)) = self.range() else {
            return Ok(Vec::new());
        };
        let commits: Vec<(&u64, &ObjectMeta)> = self.commits.range(first..).collect();
        let in_commit = match commits.last() {
            Some((_, meta)) => in_commit_time(location, store, meta).await?.is_some(),
            None => false,
        };
        let written: Vec<Option<DateTime<Utc>>> = match in_commit {
            false => vec![None; commits.len()],
            true => {
                futures::stream::iter(0..commits.len())
                    .map(|index| in_commit_time(location, store, commits[index].1))
                    .buffered(READS)
                    .try_collect()
                    .await?
            }
        };
        let mut times: Vec<(u64, DateTime<Utc>)> = Vec::with_capacity(commits.len());
        for ((version, meta), written) in commits.iter().zip(written) {
            // Timestamps of SQL have microseconds: a time that was shown must find its version again.
            let mut time = written.unwrap_or(meta.last_modified).trunc_subsecs(6);
            if let Some((_, previous)) = times.last()
                && time <= *previous
            {
                time = *previous + TimeDelta::milliseconds(1);
            }
            times.push((**version, time));
        }
        Ok(times)
    }
}

/// Says that a folder holds no Delta log.
pub(crate) fn not_delta(location: &Location) -> TableError {
    TableError::NotDelta {
        location: location.display.clone(),
    }
}

/// Returns the log's folder below a table's folder.
pub(crate) fn log_folder(base: &ObjectPath) -> ObjectPath {
    base.clone().join(LOG_FOLDER)
}

/// Returns the path of a version's commit file.
pub(crate) fn commit_path(base: &ObjectPath, version: u64) -> ObjectPath {
    log_folder(base).join(format!("{version:020}.json"))
}

fn version_of(name: &str) -> Option<(u64, &str)> {
    let (digits, rest) = name.split_once('.')?;
    let valid = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| valid)?, rest))
}

/// Reads the timestamp that a commit carries itself; it stands in the first action.
async fn in_commit_time(
    location: &Location,
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
) -> Result<Option<DateTime<Utc>>, TableError> {
    let failed = |error| TableError::store(location.display_of(&meta.location), error);
    let bytes = match store.get(&meta.location).await {
        Ok(got) => got.bytes().await.map_err(failed)?,
        Err(error) => return Err(failed(error)),
    };
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let action: serde_json::Value = serde_json::from_slice(first).unwrap_or_default();
    Ok(action["commitInfo"]["inCommitTimestamp"]
        .as_i64()
        .and_then(DateTime::from_timestamp_millis))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn log(commits: &[u64], checkpoints: &[u64]) -> DeltaLog {
        let meta = |version: &u64| ObjectMeta {
            location: commit_path(&ObjectPath::default(), *version),
            last_modified: DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        };
        DeltaLog {
            commits: commits
                .iter()
                .map(|version| (*version, meta(version)))
                .collect(),
            checkpoints: checkpoints.to_vec(),
        }
    }

    #[test]
    fn the_range_starts_at_zero_or_at_a_checkpoint() {
        for (commits, checkpoints, expect) in [
            (vec![], vec![], None),
            (vec![0, 1, 2], vec![], Some((0, 2))),
            (vec![3, 4, 5], vec![3], Some((3, 5))),
            (vec![3, 4, 5], vec![1, 2, 4], Some((2, 5))),
            (vec![0, 4, 5], vec![4], Some((4, 5))),
            (vec![], vec![7], Some((7, 7))),
        ] {
            assert_eq!(
                log(&commits, &checkpoints).range(),
                expect,
                "{commits:?} {checkpoints:?}"
            );
        }
    }

    #[tokio::test]
    async fn in_commit_timestamps_win() {
        let bench = Bench::new();
        for (version, time) in [(0, 1_000), (1, 2_000), (2, 2_000)] {
            let line = format!("{{\"commitInfo\":{{\"inCommitTimestamp\":{time}}}}}\n{{}}");
            bench.write(&format!("t/_delta_log/{version:020}.json"), line);
        }
        bench.write("t/_delta_log/notes.json", "");
        let location = Location::parse("t", &bench.context()).unwrap();
        let store =
            crate::store::connect(&location, &Default::default(), &bench.context()).unwrap();
        let log = DeltaLog::list(&location, store.as_ref()).await.unwrap();
        for (moment, expect) in [(1_000, 0), (1_999, 0), (2_000, 1), (2_001, 2), (99_000, 2)] {
            let moment = DateTime::from_timestamp_millis(moment).unwrap();
            assert_eq!(log.at(&location, &store, moment).await.unwrap(), expect);
        }
        let early = log
            .at(&location, &store, DateTime::UNIX_EPOCH)
            .await
            .unwrap_err();
        assert!(
            early.to_string().ends_with(
                "at 1970-01-01T00:00:00Z; its log holds versions 0 of 1970-01-01T00:00:01Z to 2 of 1970-01-01T00:00:02.001Z"
            ),
            "{early}"
        );
    }
}
