//! TRUNCATE: removes all rows of a table.

use lakesh_session::{Statement, StatementKind};
use lakesh_sql::ChangedTable;

use super::delete::Delete;
use super::mutating::Mutating;

/// The statement `TRUNCATE`.
pub static TRUNCATE: StatementKind = StatementKind {
    name: "TRUNCATE",
    usage: "TRUNCATE [TABLE] name",
    summary: "Removes all rows of a Delta table, as DELETE without a condition does; older versions keep them.",
    examples: &["CREATE TABLE t AS SELECT 1 AS n; TRUNCATE TABLE t; SELECT count(*) FROM t;"],
    parse: |parser| {
        if !parser.accept(&["truncate"]) {
            return Ok(None);
        }
        parser.accept(&["table"]);
        let mut factor = parser.sql().parse_table_factor()?;
        parser.complete(&mut factor)?;
        let mut versions = parser.take_versions();
        let table = ChangedTable::new(factor, &mut versions)?;
        Ok(Some(Box::new(Mutating(Delete {
            table,
            condition: None,
            versions,
        })) as Box<dyn Statement>))
    },
};
