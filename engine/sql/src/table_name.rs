//! The name of a table in the catalog.

use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use lakesh_text::failure::{Failure, FailureKind};

use super::{identifiers, normalized};

/// A table's name with its schema filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The schema.
    pub schema: String,
    /// The table in it.
    pub table: String,
}

impl TableName {
    /// Reads one to three parts; the first of three may be the catalog's own name `lakesh`.
    pub fn from_parts(parts: &[Ident], current_schema: &str) -> Self {
        let names: Vec<_> = parts.iter().map(normalized).collect();
        match names.as_slice() {
            [] => Self::new(current_schema, ""),
            [table] => Self::new(current_schema, table),
            [schema, table] => Self::new(schema, table),
            [first, schema, table] if first == "lakesh" => Self::new(schema, table),
            [schema, rest @ ..] => Self::new(schema, &rest.join(".")),
        }
    }

    /// Reads a parsed name; returns its parts too.
    pub fn from_object(
        name: &ObjectName,
        current_schema: &str,
    ) -> Result<(Self, Vec<Ident>), Failure> {
        match identifiers(name) {
            Some(parts) if !parts.is_empty() => {
                Ok((Self::from_parts(&parts, current_schema), parts))
            }
            _ => Err(Failure::new(
                FailureKind::Plan,
                format!("`{name}` is not a table's name"),
            )),
        }
    }

    /// Makes a name of its parts.
    pub fn new(schema: &str, table: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
        }
    }

    /// Returns the name as a user would write it.
    pub fn shown(&self, current_schema: &str) -> String {
        if self.schema == current_schema {
            self.table.clone()
        } else {
            format!("{}.{}", self.schema, self.table)
        }
    }
}
