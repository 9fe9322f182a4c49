//! What names mean once the tables are open: whatever their case, and in forms that need to know the columns.
//!
//! DataFusion folds a name without quotes to lower case and looks for exactly that, so that the columns of most
//! files could be reached in quotes only. Here each name without quotes that is spelled like nothing, but fits one
//! thing in another case, is written as that is spelled. It runs over the tree, after the relations are open and
//! before anything is planned, with the same scopes as the planner: subqueries see what is around them, ORDER BY
//! sees the results, WITH is seen where it is. What a table is called, which columns it has and what `*` stands
//! for is known here, so that these are written out here too:
//!
//! - names of results further right in the list, in WHERE and in QUALIFY, as in DuckDB: `SELECT a + 1 AS b, b * 2`
//! - ORDER BY ALL, `* RENAME`, `* ILIKE`, COLUMNS(…)
//! - PIVOT and UNPIVOT
//! - fields of what is no column: `{'a': 1}.a`
//!
//! A tree that has none of it, over tables in lower case, is not walked twice.

mod columns;
mod expression;
mod form;
mod from;
mod need;
mod pipe;
mod pivot;
mod query;
mod select;
mod star;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{DFSchema, DataFusionError, TableReference};
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{Expr, Ident, Statement as SqlStatement, TableFactor};
use lakesh_sql::{Meaning, ambiguous, normalized};

use columns::Columns;
use form::Given;

pub(crate) use need::is_needed;

/// What a walk gives.
type Resolved<T = ()> = Result<T, DataFusionError>;

/// What is known outside the tree.
pub(crate) trait Knowledge {
    /// Returns the columns of a relation that was opened.
    fn relation(&self, name: &TableReference) -> Option<SchemaRef>;
    /// Returns the schemas of all relations that were opened.
    fn relations(&self) -> Vec<SchemaRef>;
    /// Returns the columns of a table function that only the planner knows.
    fn function(&self, factor: &TableFactor) -> Option<SchemaRef>;
    /// Says whether a condition over constants holds.
    fn holds(&self, condition: &Expr) -> Resolved<bool>;
    /// Returns the type of an expression over columns.
    fn type_of(&self, expression: &Expr, columns: &DFSchema) -> Option<DataType>;
    /// Says whether a function gives another value with each call.
    fn is_volatile(&self, function: &str) -> bool;
}

/// Resolves the names of a statement.
pub(crate) fn resolve(
    tree: &mut ParsedStatement,
    knowledge: &dyn Knowledge,
    is_strict: bool,
) -> Resolved {
    let mut names = Names::new(knowledge, is_strict);
    match tree {
        ParsedStatement::Statement(statement) => match statement.as_mut() {
            SqlStatement::Query(query) => names.query(query).map(drop),
            SqlStatement::Insert(insert) => match &mut insert.source {
                Some(query) => names.query(query).map(drop),
                None => Ok(()),
            },
            _ => Ok(()),
        },
        ParsedStatement::Explain(explain) => resolve(&mut explain.statement, knowledge, is_strict),
        ParsedStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => names.query(query).map(drop),
            CopyToSource::Relation(_) => Ok(()),
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(()),
    }
}

/// Resolves the names of an expression over the columns of a schema.
pub(crate) fn resolve_expression(
    expression: &mut Expr,
    schema: &DFSchema,
    knowledge: &dyn Knowledge,
    is_strict: bool,
) -> Resolved {
    let mut names = Names::new(knowledge, is_strict);
    names.levels.push(Level::of(Columns::of_tables(schema)));
    names.expression(expression)
}

/// The names of a tree.
struct Names<'a> {
    knowledge: &'a dyn Knowledge,
    is_strict: bool,
    /// The queries of WITH that are visible, innermost last.
    ctes: Vec<(String, Columns)>,
    /// What the expressions around can name, innermost last.
    levels: Vec<Level>,
}

/// What an expression can name at one level of queries.
#[derive(Default)]
struct Level {
    columns: Columns,
    /// The columns of the result, as far as they are there.
    results: Vec<Given>,
    /// Whether a result's name is written out here; the planner knows it by itself elsewhere.
    writes_out: bool,
}

impl Level {
    fn of(columns: Columns) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }
}

impl<'a> Names<'a> {
    fn new(knowledge: &'a dyn Knowledge, is_strict: bool) -> Self {
        Self {
            knowledge,
            is_strict,
            ctes: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Walks over something with a level more.
    fn within<T>(
        &mut self,
        level: Level,
        walk: impl FnOnce(&mut Self) -> Resolved<T>,
    ) -> Resolved<T> {
        self.levels.push(level);
        let walked = walk(self);
        self.levels.pop();
        walked
    }

    /// Spells a word as what it stands for; says whether it stands for anything.
    fn spell(&self, word: &mut Ident, found: &Meaning<'_>) -> Resolved<bool> {
        match found {
            Meaning::Exact => Ok(true),
            Meaning::Nothing => Ok(false),
            _ if self.is_strict => Ok(false),
            Meaning::Folded(name) => {
                spell_as(word, name);
                Ok(true)
            }
            Meaning::Several(names) => Err(ambiguous(word, names)),
        }
    }
}

/// Says whether a word is folded, and may be spelled in another case.
fn is_folded(word: &Ident) -> bool {
    word.quote_style.is_none()
}

/// Writes a word as a name is spelled.
fn spell_as(word: &mut Ident, name: &str) {
    name.clone_into(&mut word.value);
    word.quote_style = Some('"');
}

fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// Returns the name that a word is looked up by.
fn looked_up(word: &Ident) -> String {
    normalized(word)
}
