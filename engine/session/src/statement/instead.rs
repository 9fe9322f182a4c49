//! Statements of other databases that lakesh will not have, and what serves in their place.

use datafusion::common::{DataFusionError, Diagnostic};

use super::Parsing;

/// A statement of another database.
struct Other {
    words: &'static [&'static str],
    message: &'static str,
    instead: &'static str,
}

/// Fails with what serves instead, where such a statement comes next.
pub(super) fn refuse(parser: &Parsing) -> Result<(), DataFusionError> {
    let Some(other) = OTHERS.iter().find(|other| parser.peeks(other.words)) else {
        return Ok(());
    };
    let diagnostic = Diagnostic::new_error("", None).with_help(other.instead, None);
    let error = DataFusionError::NotImplemented(other.message.to_owned());
    Err(error.with_diagnostic(diagnostic))
}

const fn other(
    words: &'static [&'static str],
    message: &'static str,
    instead: &'static str,
) -> Other {
    Other {
        words,
        message,
        instead,
    }
}

const NO_INDEX: &str = "CREATE INDEX is not supported: files have statistics in place of indexes";
const NO_RIGHTS: &str = "rights are not kept by lakesh: they are those of files and object stores";
const NO_EXTENSION: &str = "extensions are not loaded: what lakesh can do is built in";
const NO_MACRO: &str = "a macro is kept in the catalog, not for a session";
const MACRO: &str = "CREATE MACRO f(x) AS x + 1";
const PACKED: &str = "OPTIMIZE t ZORDER BY (column) puts rows together that are read together";
const NEWEST: &str = "nothing needs to be refreshed: each statement reads the newest state of a table and the files that are there";

static OTHERS: &[Other] = &[
    other(&["create", "index"], NO_INDEX, PACKED),
    other(&["create", "unique", "index"], NO_INDEX, PACKED),
    other(&["drop", "index"], "there are no indexes", PACKED),
    other(&["create", "temp", "macro"], NO_MACRO, MACRO),
    other(&["create", "temporary", "macro"], NO_MACRO, MACRO),
    other(
        &["create", "materialized", "view"],
        "CREATE MATERIALIZED VIEW is not supported",
        "CACHE TABLE keeps the rows of a view, CREATE TABLE … AS writes them",
    ),
    other(
        &["create", "sequence"],
        "CREATE SEQUENCE is not supported",
        "row_number() OVER (ORDER BY …) numbers rows",
    ),
    other(
        &["create", "trigger"],
        "CREATE TRIGGER is not supported: statements do what they say and nothing else",
        "a generated column or a CHECK belongs to a table",
    ),
    other(
        &["create", "type"],
        "CREATE TYPE is not supported",
        "a CHECK constrains a column; STRUCT types are written out",
    ),
    other(
        &["create", "secret"],
        "CREATE SECRET is not supported",
        "credentials come from the environment and from OPTIONS",
    ),
    other(
        &["pragma"],
        "PRAGMA is not supported",
        "SET and SHOW ALL change and list settings; SHOW TABLES and DESCRIBE list what there is",
    ),
    other(&["grant"], NO_RIGHTS, "--readonly refuses changes"),
    other(&["revoke"], NO_RIGHTS, "--readonly refuses changes"),
    other(
        &["install"],
        NO_EXTENSION,
        "SHOW FUNCTIONS lists the functions",
    ),
    other(
        &["load"],
        NO_EXTENSION,
        "CREATE FUNCTION … LANGUAGE RUST adds a function",
    ),
    other(&["refresh"], "REFRESH is not supported", NEWEST),
    other(&["msck"], "MSCK REPAIR TABLE is not supported", NEWEST),
    other(
        &["analyze"],
        "ANALYZE is not supported: statistics are read from the files themselves",
        "EXPLAIN ANALYZE runs a query and measures it; SUMMARIZE describes the columns",
    ),
    other(
        &["call"],
        "CALL is not supported: there are no procedures",
        "SELECT calls functions, FROM calls table functions",
    ),
    other(
        &["lock"],
        "LOCK is not supported",
        "a query reads one version of a table; two changes of the same rows conflict, and the second fails",
    ),
    other(
        &["import", "database"],
        "IMPORT DATABASE is not supported",
        "ATTACH 'folder' AS name makes tables of all its files",
    ),
    other(
        &["export", "database"],
        "EXPORT DATABASE is not supported",
        "COPY … TO writes a table; the catalog's folder can be copied as it is",
    ),
    other(
        &["do"],
        "DO is not supported: there is no procedural language",
        "statements stand behind one another",
    ),
];
