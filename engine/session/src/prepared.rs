//! A statement that PREPARE keeps for EXECUTE.

use datafusion::sql::sqlparser::ast::DataType as SqlType;

/// A statement with places for values.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The statement, in which `$1`, `$2` and so on, or `$name`, stand for values.
    pub text: String,
    /// The types of the first values, as far as they were given.
    pub types: Vec<SqlType>,
    /// The names of the values, without their `$`.
    pub parameters: Vec<String>,
}
