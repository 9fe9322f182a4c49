//! What a change has read and what it writes, and whether they add up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{Result, exec_err};

use super::checksum::Tally;

/// Tallies by the hash of the name of the rows' file.
pub(super) type ByFile = HashMap<u64, Tally>;

/// The account of one change.
#[derive(Debug)]
pub(super) struct Account {
    /// What the statement is called.
    verb: &'static str,
    /// The columns that are compared.
    columns: Vec<String>,
    /// How many partitions are written.
    partitions: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The rows of files as they were read; of a DELETE those that it keeps.
    read: ByFile,
    /// Of a merge, the rows of each file that it rewrites, those that it deletes included.
    merged: Option<Merged>,
    written: Tally,
    ended: usize,
}

/// The rows of a merge when it is decided what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) by_file: ByFile,
    /// Those that are to be written.
    pub(super) kept: Tally,
}

impl Account {
    pub(super) fn new(verb: &'static str, columns: Vec<String>, partitions: usize) -> Self {
        Self {
            verb,
            columns,
            partitions,
            state: Mutex::default(),
        }
    }

    /// An account of rows among which a merge decides.
    pub(super) fn of_merge(columns: Vec<String>, partitions: usize) -> Self {
        let state = State {
            merged: Some(Merged::default()),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            ..Self::new("MERGE", columns, partitions)
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, rows: ByFile) {
        add(&mut self.state().read, rows);
    }

    pub(super) fn merged(&self, rows: Merged) {
        let mut state = self.state();
        let merged = state.merged.get_or_insert_with(Merged::default);
        merged.kept.add(rows.kept);
        add(&mut merged.by_file, rows.by_file);
    }

    pub(super) fn written(&self, rows: Tally) {
        self.state().written.add(rows);
    }

    /// Notes that a partition has been written to its end; with the last one all must add up.
    pub(super) fn end(&self) -> Result<()> {
        let mut state = self.state();
        state.ended += 1;
        if state.ended < self.partitions {
            return Ok(());
        }
        match &state.merged {
            None => {
                let mut read = Tally::default();
                state.read.values().for_each(|file| read.add(*file));
                self.compare("the files that it rewrites hold", read, state.written)
            }
            Some(merged) => {
                for (file, rows) in &merged.by_file {
                    let read = state.read.get(file).copied().unwrap_or_default();
                    self.compare("a file that it rewrites holds", read, *rows)?;
                }
                self.compare("it keeps and inserts", merged.kept, state.written)
            }
        }
    }

    fn compare(&self, what: &str, before: Tally, after: Tally) -> Result<()> {
        if before.rows != after.rows {
            return exec_err!(
                "this {} does not account for its rows: {what} {} that stay, and it would write {}; nothing was \
                 committed",
                self.verb,
                before.rows,
                after.rows
            );
        }
        if before.sum != after.sum {
            return exec_err!(
                "this {} would change columns that it does not set (`{}`): {what} {} rows with the checksum {:016x}, \
                 and it would write {:016x}; nothing was committed",
                self.verb,
                self.columns.join("`, `"),
                before.rows,
                before.sum,
                after.sum
            );
        }
        Ok(())
    }
}

fn add(to: &mut ByFile, rows: ByFile) {
    for (file, tally) in rows {
        to.entry(file).or_default().add(tally);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tally(rows: u64, sum: u64) -> Tally {
        Tally { rows, sum }
    }

    fn account(partitions: usize) -> Account {
        Account::new("UPDATE", vec!["a".into(), "b".into()], partitions)
    }

    #[test]
    fn what_is_read_is_written() {
        for (written, expect) in [
            (tally(3, 10), None),
            (tally(2, 10), Some("does not account for its rows")),
            (tally(4, 10), Some("does not account for its rows")),
            (tally(3, 11), Some("does not set (`a`, `b`)")),
        ] {
            let account = account(2);
            account.read(HashMap::from([(0, tally(1, 4))]));
            account.read(HashMap::from([(0, tally(2, 6))]));
            account.written(written);
            // Nothing is known before the last partition has ended.
            account.end().unwrap();
            let ended = account.end();
            match expect {
                None => ended.unwrap(),
                Some(expect) => {
                    let error = ended.unwrap_err().to_string();
                    assert!(error.contains(expect), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_merge_accounts_for_each_file_that_it_rewrites() {
        let read = || HashMap::from([(1, tally(2, 10)), (2, tally(5, 50))]);
        for (by_file, kept, written, expect) in [
            // One row of file 1 is deleted, two are inserted, file 2 is left alone.
            (tally(2, 10), tally(3, 30), tally(3, 30), true),
            (tally(1, 10), tally(3, 30), tally(3, 30), false),
            (tally(2, 11), tally(3, 30), tally(3, 30), false),
            (tally(2, 10), tally(3, 30), tally(4, 30), false),
            (tally(2, 10), tally(3, 30), tally(3, 31), false),
        ] {
            let account = Account::of_merge(vec!["a".into()], 1);
            account.read(read());
            account.merged(Merged {
                by_file: HashMap::from([(1, by_file)]),
                kept,
            });
            account.written(written);
            assert_eq!(account.end().is_ok(), expect, "{by_file:?} {kept:?}");
        }
    }

    #[test]
    fn a_merge_that_changes_nothing_writes_nothing() {
        let account = Account::of_merge(vec!["a".into()], 1);
        account.read(HashMap::from([(1, tally(2, 10))]));
        account.end().unwrap();
    }

    #[test]
    fn a_row_from_nowhere_is_found() {
        let account = Account::of_merge(vec!["a".into()], 1);
        account.merged(Merged {
            by_file: HashMap::from([(7, tally(1, 1))]),
            kept: tally(1, 1),
        });
        account.written(tally(1, 1));
        assert!(account.end().is_err());
    }
}
