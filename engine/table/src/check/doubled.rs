//! Rows that stand in a table twice, because two commits moved the same files.
//!
//! Some writers do not see that the files which they remove were removed meanwhile. Two OPTIMIZE at once
//! then each add their copy of the same rows, and a DELETE beside an OPTIMIZE puts what it left beside
//! the moved rows. The commit that removes what is not there any more gives itself away.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::log::{Commit, Commits, FileId, Kind};
use super::{Finding, Verdict};

pub(super) const CHECK: &str = "doubled rows";

/// A commit that removed files which others had removed before it.
pub(super) struct Doubling<'a> {
    commit: &'a Commit,
    /// The files that were not there any more.
    dead: Vec<FileId>,
    /// The commits that had removed them.
    earlier: BTreeSet<u64>,
    /// Those files that were there until this commit.
    pub(super) taken: Vec<FileId>,
    state: State,
}

/// Whether the rows are still there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Both copies are as they were written, and one can go.
    Untouched,
    /// Both are there, and later commits have written one of them anew.
    Rewritten,
    /// One of the copies is gone.
    Over,
}

/// Follows the log from the files that its first version had.
pub(super) fn find<'a>(
    commits: &'a Commits,
    start: HashSet<FileId>,
) -> (Vec<Doubling<'a>>, HashSet<FileId>) {
    let mut live = start;
    let mut removed_at: HashMap<FileId, u64> = HashMap::new();
    let mut found = Vec::new();
    for commit in &commits.commits {
        let (taken, dead): (Vec<FileId>, Vec<FileId>) =
            commit.removed.iter().partition(|file| live.contains(*file));
        if !dead.is_empty() && !commit.added.is_empty() && commit.kind != Kind::Replaces {
            let earlier = dead.iter().filter_map(|file| removed_at.get(file));
            found.push(Doubling {
                commit,
                earlier: earlier.copied().collect(),
                dead,
                taken,
                state: State::Over,
            });
        }
        for file in &commit.removed {
            if live.remove(file) {
                removed_at.insert(*file, commit.version);
            }
        }
        live.extend(&commit.added);
    }
    for doubling in &mut found {
        doubling.state = doubling.state(commits, &live);
    }
    (found, live)
}

impl Doubling<'_> {
    pub(super) fn version(&self) -> u64 {
        self.commit.version
    }

    /// The files that hold the second copy.
    pub(super) fn copies(&self) -> &[FileId] {
        &self.commit.added
    }

    /// Says whether the table is right again once the commit is taken back, and it can be taken back.
    pub(super) fn can_be_undone(&self) -> bool {
        self.state == State::Untouched
    }

    fn state(&self, commits: &Commits, live: &HashSet<FileId>) -> State {
        let originals: Vec<&Commit> = commits
            .commits
            .iter()
            .filter(|commit| self.earlier.contains(&commit.version))
            .collect();
        let moved = self.commit.kind == Kind::Moves
            && !originals.is_empty()
            && originals.iter().all(|commit| commit.kind == Kind::Moves);
        let is_live = |file: &FileId| live.contains(file);
        if moved
            && self.copies().iter().all(is_live)
            && originals
                .iter()
                .all(|commit| commit.added.iter().all(is_live))
        {
            return State::Untouched;
        }
        let copies = descendants(commits, self.version(), self.copies(), live);
        let deleted = originals.iter().all(|commit| commit.added.is_empty());
        let kept = originals
            .iter()
            .any(|commit| descendants(commits, commit.version, &commit.added, live));
        match copies && (kept || deleted) {
            true => State::Rewritten,
            false => State::Over,
        }
    }

    /// Says what the commit did; `repairable` if REPAIR TABLE takes it back.
    pub(super) fn finding(&self, commits: &Commits, shown: &str, repairable: bool) -> Finding {
        let version = self.version();
        let earlier: Vec<String> = self.earlier.iter().map(u64::to_string).collect();
        let earlier = match earlier.len() {
            0 => "earlier versions".to_owned(),
            1 => format!("version {}", earlier[0]),
            _ => format!("versions {}", earlier.join(", ")),
        };
        let count = self.dead.len();
        let files = if count == 1 { "file" } else { "files" };
        let mut text = format!(
            "{} of version {version} replaced {count} {files} that {earlier} had replaced already",
            self.commit.operation
        );
        let rows = commits.files.rows_of(&self.dead);
        if self.state == State::Over {
            text.push_str("; the second copy of the rows is gone since");
            return Finding::new(CHECK, Verdict::Note, text).version(version);
        }
        match rows {
            Some(rows) => text.push_str(&format!(": {rows} rows stand in the table twice")),
            None => text.push_str(": their rows stand in the table twice"),
        }
        let before = version.saturating_sub(1);
        let finding = Finding::new(CHECK, Verdict::Error, text).version(version);
        match repairable {
            true => finding.remedy(format!("REPAIR TABLE {shown}")),
            false => finding.remedy(format!(
                "RESTORE TABLE {shown} TO VERSION AS OF {before}, then run again what came after it"
            )),
        }
    }
}

/// Says whether files are there, or rows of theirs in files that were written from them.
fn descendants(commits: &Commits, after: u64, files: &[FileId], live: &HashSet<FileId>) -> bool {
    let mut family: HashSet<FileId> = files.iter().copied().collect();
    for commit in &commits.commits {
        let rewrites = commit.kind != Kind::Replaces
            && commit.removed.iter().any(|file| family.contains(file));
        if commit.version > after && rewrites {
            family.extend(&commit.added);
        }
    }
    family.iter().any(|file| live.contains(file))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn commit(version: u64, kind: Kind, removed: &[FileId], added: &[FileId]) -> Commit {
        Commit {
            version,
            operation: "OPTIMIZE".to_owned(),
            kind,
            removed: removed.to_vec(),
            added: added.to_vec(),
        }
    }

    /// The states of what is found in the commits, and what is live after them.
    fn states(commits: Vec<Commit>) -> (Vec<(u64, State)>, Vec<FileId>) {
        let commits = Commits {
            commits,
            ..Commits::default()
        };
        let (found, live) = find(&commits, HashSet::new());
        let found = found
            .iter()
            .map(|doubling| (doubling.version(), doubling.state));
        let mut live: Vec<FileId> = live.into_iter().collect();
        live.sort_unstable();
        (found.collect(), live)
    }

    #[test]
    fn commits_that_take_live_files_double_nothing() {
        let (found, live) = states(vec![
            commit(0, Kind::Replaces, &[], &[0, 1]),
            commit(1, Kind::Moves, &[0, 1], &[2]),
            commit(2, Kind::Changes, &[2], &[3]),
            commit(3, Kind::Replaces, &[0, 3], &[4]),
        ]);
        assert_eq!(found, []);
        assert_eq!(live, [4]);
    }

    #[test]
    fn a_second_move_of_the_same_files_is_found_until_a_copy_goes() {
        let begin = || {
            vec![
                commit(0, Kind::Replaces, &[], &[0, 1]),
                commit(1, Kind::Moves, &[0, 1], &[2]),
                commit(2, Kind::Moves, &[0, 1], &[3]),
            ]
        };
        assert_eq!(states(begin()).0, [(2, State::Untouched)]);
        for (next, expect) in [
            (commit(3, Kind::Moves, &[2, 3], &[4]), State::Rewritten),
            (commit(3, Kind::Changes, &[3], &[4]), State::Rewritten),
            (commit(3, Kind::Replaces, &[3], &[]), State::Over),
            (commit(3, Kind::Replaces, &[2], &[]), State::Over),
            (commit(3, Kind::Replaces, &[2, 3], &[4]), State::Over),
            (commit(3, Kind::Replaces, &[], &[4]), State::Untouched),
        ] {
            let text = format!("{:?} {:?}", next.kind, next.removed);
            let mut commits = begin();
            commits.push(next);
            assert_eq!(states(commits).0, [(2, expect)], "{text}");
        }
    }

    #[test]
    fn a_change_beside_a_move_is_found_and_not_undone() {
        for kinds in [(Kind::Moves, Kind::Changes), (Kind::Changes, Kind::Moves)] {
            let (found, live) = states(vec![
                commit(0, Kind::Replaces, &[], &[0, 1]),
                commit(1, kinds.0, &[0, 1], &[2]),
                commit(2, kinds.1, &[0], &[3]),
            ]);
            assert_eq!(found, [(2, State::Rewritten)], "{kinds:?}");
            assert_eq!(live, [2, 3]);
        }
    }
}
