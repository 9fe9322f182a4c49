//! A query as it was parsed: its syntax tree, and what the tree has no place for.

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::ObjectName;

use super::VersionClauses;

/// A syntax tree with the version clauses that stand in it.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) tree: ParsedStatement,
    pub(crate) versions: VersionClauses,
    /// The table that an INSERT names; it stands outside the query proper.
    pub(crate) target: Option<ObjectName>,
}
