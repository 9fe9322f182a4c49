//! The history of what was run, shared by all sessions of a catalog and bounded in rows.
//!
//! Texts are stored as they come: whoever appends has taken secrets out.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Params, Row, params};

use super::Catalog;
use super::entry::time_from_microseconds;
use super::error::CatalogError;

/// So many rows are kept; older ones go as new ones come.
pub const HISTORY_ROWS: u32 = 100_000;

/// How something that was run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryStatus {
    /// It ran to its end.
    Done,
    /// It failed.
    Failed,
    /// The user interrupted it.
    Interrupted,
}

/// One cell that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// What the user wrote, without secrets.
    pub text: String,
    /// When it began; kept to the microsecond.
    pub started_at: DateTime<Utc>,
    /// How long it took; kept to the microsecond.
    pub duration: Duration,
    /// How it ended.
    pub status: HistoryStatus,
}

impl HistoryStatus {
    /// Returns the word that stands for it in the catalog and in `system.queries`.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    fn from_text(text: &str) -> Self {
        match text {
            "done" => Self::Done,
            "interrupted" => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}

impl Catalog {
    /// Appends a row, and removes the oldest beyond `HISTORY_ROWS`.
    pub fn append_history(&self, row: &HistoryRow) -> Result<(), CatalogError> {
        self.append_history_within(row, HISTORY_ROWS)
    }

    /// Returns the last rows, oldest first.
    pub fn history_tail(&self, limit: usize) -> Result<Vec<HistoryRow>, CatalogError> {
        let mut rows = self.history_rows(
            "SELECT text, started_at, duration, status FROM history ORDER BY id DESC LIMIT ?1",
            [limit_to_integer(limit)],
        )?;
        rows.reverse();
        Ok(rows)
    }

    /// Returns the newest rows whose text contains the words, newest first; the case of ASCII letters
    /// does not count.
    pub fn search_history(
        &self,
        words: &str,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, CatalogError> {
        self.history_rows(
            "SELECT text, started_at, duration, status FROM history
             WHERE instr(lower(text), lower(?1)) > 0 ORDER BY id DESC LIMIT ?2",
            params![words, limit_to_integer(limit)],
        )
    }

    fn append_history_within(&self, row: &HistoryRow, bound: u32) -> Result<(), CatalogError> {
        let duration = i64::try_from(row.duration.as_micros()).unwrap_or(i64::MAX);
        self.store().write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO history (text, started_at, duration, status)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    row.text,
                    row.started_at.timestamp_micros(),
                    duration,
                    row.status.as_text(),
                ])?;
            // Ids are never used twice and rows only go from the front.
            let oldest_kept = transaction.last_insert_rowid() - i64::from(bound);
            transaction
                .prepare_cached("DELETE FROM history WHERE id <= ?1")?
                .execute([oldest_kept])?;
            Ok(())
        })
    }

    fn history_rows(
        &self,
        query: &str,
        parameters: impl Params + Clone,
    ) -> Result<Vec<HistoryRow>, CatalogError> {
        let rows = self.store().read(|connection| {
            let mut statement = connection.prepare_cached(query)?;
            let rows = statement.query_map(parameters.clone(), row_from_sql)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(rows.unwrap_or_default())
    }
}

fn row_from_sql(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let duration: i64 = row.get(2)?;
    Ok(HistoryRow {
        text: row.get(0)?,
        started_at: time_from_microseconds(row.get(1)?),
        duration: Duration::from_micros(duration.unsigned_abs()),
        status: HistoryStatus::from_text(row.get_ref(3)?.as_str()?),
    })
}

fn limit_to_integer(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use chrono::DateTime;

    use super::{HistoryRow, HistoryStatus};
    use crate::{Access, Catalog, locate};

    fn row(number: i64) -> HistoryRow {
        HistoryRow {
            text: format!("SELECT {number} -- 100%"),
            started_at: DateTime::from_timestamp_micros(1_700_000_000_000_000 + number).unwrap(),
            duration: Duration::from_micros(number.unsigned_abs()),
            status: match number % 3 {
                0 => HistoryStatus::Done,
                1 => HistoryStatus::Failed,
                _ => HistoryStatus::Interrupted,
            },
        }
    }

    #[test]
    fn rows_come_back_and_are_bounded() {
        let catalog = Catalog::new(
            locate(Path::new("/"), Some(Path::new(":memory:")), Path::new("/x")),
            Access::ReadWrite,
        );
        assert_eq!(catalog.history_tail(5).unwrap(), []);
        for number in 0..20 {
            catalog.append_history_within(&row(number), 10).unwrap();
        }
        assert_eq!(catalog.history_tail(2).unwrap(), [row(18), row(19)]);
        let all = catalog.history_tail(usize::MAX).unwrap();
        assert_eq!(all, (10..20).map(row).collect::<Vec<_>>());
        assert_eq!(catalog.search_history("select 15", 9).unwrap(), [row(15)]);
        assert_eq!(catalog.search_history("%", 1).unwrap(), [row(19)]);
        assert_eq!(catalog.search_history("_", 1).unwrap(), []);
    }
}
