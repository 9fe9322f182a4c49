//! A query as it was parsed: its syntax tree, and what the tree has no place for.

use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::ObjectName;

use super::VersionClauses;

/// A syntax tree with the version clauses that stand in it.
#[derive(Debug, Clone)]
pub struct Query {
    /// The syntax tree.
    pub tree: ParsedStatement,
    /// The version clauses that were taken out of the text.
    pub versions: VersionClauses,
    /// The table that an INSERT names; it stands outside the query proper.
    pub target: Option<ObjectName>,
}
