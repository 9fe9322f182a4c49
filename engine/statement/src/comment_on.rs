//! COMMENT ON: what a table or a column is about, as ALTER TABLE and CREATE TABLE write it.

use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_session::{Statement, StatementKind};
use lakesh_sql::{ParseResult, StatementParser, identifiers, refuse_version};

use super::alter_table::{Action, AlterTable};
use super::mutating::Mutating;

/// The statement `COMMENT ON`.
pub static COMMENT_ON: StatementKind = StatementKind {
    name: "COMMENT ON",
    usage: "COMMENT ON TABLE name IS 'text' | NULL\nCOMMENT ON COLUMN name.column IS 'text' | NULL",
    summary: "Says what a Delta table or one of its columns is about.",
    examples: &[
        "CREATE TABLE t (id INT); COMMENT ON TABLE t IS 'trips'; COMMENT ON COLUMN t.id IS 'since 2019';",
    ],
    parse: |parser| {
        if !parser.accept(&["comment", "on"]) {
            return Ok(None);
        }
        let (table, action) = if parser.accept(&["column"]) {
            let name = parser.name()?;
            let Some((column, table)) = identifiers(&name)
                .as_deref()
                .and_then(<[_]>::split_last)
                .map(|(column, table)| (column.clone(), table.to_vec()))
                .filter(|(_, table)| !table.is_empty())
            else {
                return parser.expected("table.column in the place of the name");
            };
            let text = text(parser)?;
            (ObjectName::from(table), Action::Comment(column, text))
        } else {
            parser.expect(&["table"])?;
            let table = parser.name()?;
            let text = text(parser)?;
            (table, Action::CommentTable(text))
        };
        if let Some(name) = table.0.last().and_then(|part| part.as_ident()) {
            refuse_version(name, &mut parser.take_versions())?;
        }
        Ok(Some(
            Box::new(Mutating(AlterTable { table, action })) as Box<dyn Statement>
        ))
    },
};

/// Reads `IS 'text'`; NULL is no text.
fn text(parser: &mut StatementParser) -> ParseResult<String> {
    parser.expect(&["is"])?;
    match parser.accept(&["null"]) {
        true => Ok(String::new()),
        false => parser.string(),
    }
}
