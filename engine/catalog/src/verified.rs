//! Remedies of slow queries that were verified, for the state of the tables in which they were.

use chrono::Utc;
use rusqlite::params;

use super::Catalog;
use super::error::CatalogError;

/// How many are kept; the oldest go first.
const KEPT: u32 = 1000;

/// What a remedy is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemedyKind {
    /// A query that takes the place of another.
    Query,
    /// Words of a hint comment that the query gets.
    Hint,
}

/// A remedy that was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedRemedy {
    /// The query that it was verified for, in a form that does not depend on how it was typed.
    pub query: String,
    /// The state of all that the query reads.
    pub state: String,
    /// The rule that suggested it.
    pub rule: String,
    /// What `remedy` is.
    pub kind: RemedyKind,
    /// SQL.
    pub remedy: String,
    /// How many times as fast the query was.
    pub speedup: f64,
}

impl Catalog {
    /// Remembers remedies; what was known of the same queries in the same state is replaced.
    pub fn remember_remedies(&self, remedies: &[VerifiedRemedy]) -> Result<(), CatalogError> {
        self.store().write(|transaction| {
            for known in remedies {
                transaction.execute(
                    "INSERT OR REPLACE INTO verified_remedies
                     (query, state, rule, kind, remedy, speedup, verified_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        known.query,
                        known.state,
                        known.rule,
                        match known.kind {
                            RemedyKind::Query => "query",
                            RemedyKind::Hint => "hint",
                        },
                        known.remedy,
                        known.speedup,
                        Utc::now().timestamp_micros(),
                    ],
                )?;
            }
            transaction.execute(
                "DELETE FROM verified_remedies WHERE rowid NOT IN
                 (SELECT rowid FROM verified_remedies ORDER BY verified_at DESC LIMIT ?1)",
                [KEPT],
            )?;
            Ok(())
        })
    }

    /// Lists the remedies of a query in any state, the best first.
    pub fn remedies_of(&self, query: &str) -> Result<Vec<VerifiedRemedy>, CatalogError> {
        let found = self.store().read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT state, rule, kind = 'hint', remedy, speedup FROM verified_remedies
                 WHERE query = ?1 ORDER BY speedup DESC",
            )?;
            let rows = statement.query_map([query], |row| {
                Ok(VerifiedRemedy {
                    query: query.to_owned(),
                    state: row.get(0)?,
                    rule: row.get(1)?,
                    kind: match row.get(2)? {
                        true => RemedyKind::Hint,
                        false => RemedyKind::Query,
                    },
                    remedy: row.get(3)?,
                    speedup: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(found.unwrap_or_default())
    }
}
