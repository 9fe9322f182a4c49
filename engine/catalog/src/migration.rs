//! The format of the catalog's file and how older ones become the present one.
//!
//! The format's number is SQLite's `user_version`; `application_id` tells a catalog from other SQLite
//! files. There is no way back to an older format.

use rusqlite::{Connection, Transaction};

/// Says in the file's header that it is a lakesh catalog: the letters `lksh`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"lksh");

/// Step `n` leads from format `n` to `n + 1`; steps that were ever released must not change. Nobody reads or
/// writes the table `history` of the first any more.
const MIGRATIONS: [&str; 3] = ["
CREATE TABLE metadata (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO metadata (key, value) VALUES ('catalog.id', lower(hex(randomblob(16))));

-- Schemas and attachments share one space of names. Locations are in the movable form.
CREATE TABLE namespaces (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('schema', 'attachment')),
    location TEXT,
    options TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO namespaces (name, kind, created_at)
    VALUES ('main', 'schema', CAST(unixepoch('subsec') * 1000000 AS INTEGER));

-- `definition` is JSON; `format`, `location` and `comment` repeat parts of it for lists. It comes last,
-- so that lists need not read it.
CREATE TABLE entries (
    schema TEXT NOT NULL REFERENCES namespaces (name),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
    managed INTEGER NOT NULL,
    format TEXT,
    location TEXT,
    comment TEXT,
    created_at INTEGER NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (schema, name)
) STRICT;

-- Times are microseconds, absolute ones since 1970 in UTC.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    status TEXT NOT NULL
) STRICT;
", "
-- Every version of an encoder stays until it is dropped. `definition` is JSON.
CREATE TABLE encoders (
    schema TEXT NOT NULL REFERENCES namespaces (name),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (schema, name, version)
) STRICT;

-- What each output learned, as an Arrow stream; apart, so that a query reads only what it uses.
CREATE TABLE encoder_outputs (
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    learned BLOB NOT NULL,
    PRIMARY KEY (schema, name, version, position)
) STRICT;

-- Functions written in SQL. `definition` is JSON.
CREATE TABLE functions (
    schema TEXT NOT NULL REFERENCES namespaces (name),
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (schema, name)
) STRICT;
","
-- What EXPLAIN HINTS VERIFY has confirmed for a query over tables in a certain state.
CREATE TABLE verified_remedies (
    query TEXT NOT NULL,
    state TEXT NOT NULL,
    rule TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('query', 'hint')),
    remedy TEXT NOT NULL,
    speedup REAL NOT NULL,
    verified_at INTEGER NOT NULL,
    PRIMARY KEY (query, state, rule)
) STRICT;
"];

/// The format that this lakesh reads and writes.
pub(super) const CURRENT_FORMAT: u32 = MIGRATIONS.len() as u32;

/// What a file is, as far as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Nothing was written to it yet, or its creation was cut off.
    Empty,
    /// An older catalog.
    Older(u32),
    /// A catalog that can be used as it is.
    Current,
    /// A catalog of a newer lakesh.
    Newer(u32),
    /// Some other SQLite database.
    Foreign,
}

/// Tells what the file is, within the transaction that goes on to use it.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<Format> {
    let number = |pragma: &str| -> rusqlite::Result<i32> {
        connection
            .prepare_cached(pragma)?
            .query_row([], |row| row.get(0))
    };
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if application == 0 && version == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Format::Empty);
    }
    Ok(match u32::try_from(version) {
        Ok(found) if application == APPLICATION_ID && found > 0 => {
            match found.cmp(&CURRENT_FORMAT) {
                std::cmp::Ordering::Less => Format::Older(found),
                std::cmp::Ordering::Equal => Format::Current,
                std::cmp::Ordering::Greater => Format::Newer(found),
            }
        }
        _ => Format::Foreign,
    })
}

/// Brings a catalog of the given format (0 for an empty file) to the present one.
pub(super) fn migrate(transaction: &Transaction<'_>, from: u32) -> rusqlite::Result<()> {
    for step in MIGRATIONS.iter().skip(from as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", CURRENT_FORMAT)
}
