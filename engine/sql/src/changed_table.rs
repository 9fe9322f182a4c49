//! The table that a statement changes, and the queries that are made from the pieces of a statement.

use datafusion::common::DataFusionError;
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, ObjectName, SelectItem, SetExpr, Statement as SqlStatement, TableAlias,
    TableFactor, TableWithJoins, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::parser::Parser;

use super::{DIALECT, ParseResult, Query, VersionClauses, normalized, split_version, syntax_error};

/// The table that a statement changes.
#[derive(Debug, Clone)]
pub struct ChangedTable {
    /// The table's name.
    pub name: ObjectName,
    /// What the statement's expressions call it.
    pub visible: Ident,
    /// The table as it stands in FROM.
    pub factor: TableFactor,
}

impl ChangedTable {
    /// Takes the table of a statement; refuses what is no plain name, and old versions.
    pub fn new(factor: TableFactor, versions: &mut VersionClauses) -> ParseResult<Self> {
        let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = &factor
        else {
            return Err(DataFusionError::Plan(format!(
                "`{factor}` cannot be changed; name a table"
            )));
        };
        let Some(last) = name.0.last().and_then(|part| part.as_ident()) else {
            return Err(DataFusionError::Plan(format!(
                "`{name}` is not a table's name"
            )));
        };
        refuse_version(last, versions)?;
        let visible = match alias {
            Some(TableAlias { name, columns, .. }) if columns.is_empty() => name.clone(),
            Some(alias) => {
                return Err(syntax_error(
                    "the columns of the table cannot be renamed here",
                    alias.name.span.start,
                ));
            }
            None => last.clone(),
        };
        let visible = Ident {
            value: normalized(&visible),
            quote_style: Some('"'),
            span: visible.span,
        };
        Ok(Self {
            name: name.clone(),
            visible,
            factor,
        })
    }
}

/// Refuses a version behind the name of a table that is changed.
pub fn refuse_version(name: &Ident, versions: &mut VersionClauses) -> ParseResult<()> {
    let is_versioned = versions.claim(name).is_some()
        || (name.quote_style.is_none() && split_version(&name.value).is_some());
    match is_versioned {
        true => Err(syntax_error(
            "an old version of a table cannot be changed",
            name.span.start,
        )),
        false => Ok(()),
    }
}

/// Refuses versions that no table has claimed, in statements that hold no query.
pub fn refuse_unclaimed(versions: &VersionClauses) -> ParseResult<()> {
    match versions.unclaimed() {
        Some(clause) => Err(syntax_error(
            "a version can stand only behind a table's name",
            clause.location,
        )),
        None => Ok(()),
    }
}

/// What a query that is made from the pieces of a statement selects.
pub struct Selection {
    /// Whether equal rows are one.
    pub distinct: bool,
    /// Empty selects every column.
    pub items: Vec<SelectItem>,
    /// What it reads.
    pub from: Vec<TableWithJoins>,
    /// What WHERE says.
    pub condition: Option<Expr>,
}

impl Selection {
    /// Makes the query.
    pub fn query(self, versions: VersionClauses) -> ParseResult<Query> {
        let mut query = Parser::new(&DIALECT)
            .try_with_sql("SELECT * FROM relation")?
            .parse_query()?;
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.distinct = self.distinct.then_some(Distinct::Distinct);
            select.projection = match self.items.is_empty() {
                true => vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
                false => self.items,
            };
            select.from = self.from;
            select.selection = self.condition;
        }
        Ok(Query {
            tree: ParsedStatement::Statement(Box::new(SqlStatement::Query(query))),
            versions,
            target: None,
        })
    }
}

/// Makes a FROM item without joins.
pub fn without_joins(relation: TableFactor) -> TableWithJoins {
    TableWithJoins {
        relation,
        joins: Vec::new(),
    }
}
