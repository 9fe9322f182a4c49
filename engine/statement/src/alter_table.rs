//! ALTER TABLE: columns, constraints, properties and the name of a table.

mod change;
mod rename;

use std::collections::HashMap;

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{ColumnDef, Expr as SqlExpr, Ident, ObjectName};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::{Statement, StatementContext, StatementKind};
use lakesh_sql::{ParseResult, StatementParser, refuse_version};
use lakesh_text::failure::{Failure, FailureKind};

use super::mutating::Mutating;
use crate::mutation::{Change, Mutation, Target, has_subquery};
use change::Alteration;

/// The statement `ALTER TABLE`.
pub static ALTER_TABLE: StatementKind = StatementKind {
    name: "ALTER TABLE",
    usage: "ALTER TABLE name ADD COLUMN[S] column type [COMMENT 'text'] | (column type, …)\n\
            ALTER TABLE name ADD CONSTRAINT constraint CHECK (condition)\n\
            ALTER TABLE name DROP CONSTRAINT [IF EXISTS] constraint\n\
            ALTER TABLE name ALTER COLUMN column DROP NOT NULL | COMMENT 'text'\n\
            ALTER TABLE name SET TBLPROPERTIES (key = value, …)\n\
            ALTER TABLE name RENAME TO name",
    summary: "Changes the columns, constraints, properties or the name of a table.",
    examples: &[
        "CREATE TABLE t (id INT NOT NULL); ALTER TABLE t ADD COLUMNS (name VARCHAR COMMENT 'as written', size DOUBLE); \
         ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0); ALTER TABLE t ALTER COLUMN id DROP NOT NULL; \
         ALTER TABLE t DROP CONSTRAINT positive; ALTER TABLE t SET TBLPROPERTIES ('delta.appendOnly' = 'false'); \
         ALTER TABLE t RENAME TO things; SELECT * FROM things;",
    ],
    parse: |parser| {
        if !parser.peeks(&["alter", "table"]) {
            return Ok(None);
        }
        parser.accept(&["alter", "table"]);
        parse(parser).map(Some)
    },
};

/// What is to become of a table.
pub(super) enum Action {
    AddColumns(Vec<ColumnDef>),
    AddConstraint(Ident, Box<SqlExpr>),
    DropConstraint { name: Ident, if_exists: bool },
    DropNotNull(Ident),
    Comment(Ident, String),
    CommentTable(String),
    SetProperties(HashMap<String, String>),
}

fn parse(parser: &mut StatementParser) -> ParseResult<Box<dyn Statement>> {
    let table = parser.name()?;
    if parser.accept(&["rename", "to"]) {
        let new_name = parser.name()?;
        return Ok(Box::new(rename::Rename { table, new_name }));
    }
    let action = if parser.accept(&["add", "constraint"]) {
        let name = parser.identifier()?;
        parser.expect(&["check"])?;
        parser.sql().expect_token(&Token::LParen)?;
        let condition = parser.expression()?;
        parser.sql().expect_token(&Token::RParen)?;
        Action::AddConstraint(name, Box::new(condition))
    } else if parser.accept(&["add"]) {
        if !parser.accept(&["columns"]) {
            parser.accept(&["column"]);
        }
        Action::AddColumns(column_definitions(parser)?)
    } else if parser.accept(&["drop", "constraint"]) {
        let if_exists = parser.if_exists();
        let name = parser.identifier()?;
        Action::DropConstraint { name, if_exists }
    } else if parser.accept(&["alter", "column"]) || parser.accept(&["change", "column"]) {
        let column = parser.identifier()?;
        if parser.accept(&["drop", "not", "null"]) {
            Action::DropNotNull(column)
        } else if parser.accept(&["comment"]) {
            Action::Comment(column, parser.string()?)
        } else {
            return parser.expected("DROP NOT NULL or COMMENT");
        }
    } else if parser.accept(&["set", "tblproperties"]) {
        Action::SetProperties(properties(parser)?)
    } else if parser.peeks(&["drop", "column"]) || parser.peeks(&["rename", "column"]) {
        return Err(DataFusionError::NotImplemented(
            "columns of a Delta table cannot be dropped or renamed yet; CREATE OR REPLACE TABLE … AS SELECT writes the table anew".to_owned(),
        ));
    } else {
        return parser
            .expected("ADD, DROP CONSTRAINT, ALTER COLUMN, SET TBLPROPERTIES or RENAME TO");
    };
    if let Some(name) = table.0.last().and_then(|part| part.as_ident()) {
        refuse_version(name, &mut parser.take_versions())?;
    }
    Ok(Box::new(Mutating(AlterTable { table, action })))
}

fn column_definitions(parser: &mut StatementParser) -> ParseResult<Vec<ColumnDef>> {
    let sql = parser.sql();
    if !sql.consume_token(&Token::LParen) {
        return Ok(sql.parse_comma_separated(Parser::parse_column_def)?);
    }
    let columns = sql.parse_comma_separated(Parser::parse_column_def)?;
    sql.expect_token(&Token::RParen)?;
    Ok(columns)
}

/// Reads `('key' = 'value', …)`; keys keep their case.
pub(super) fn properties(parser: &mut StatementParser) -> ParseResult<HashMap<String, String>> {
    let mut properties = HashMap::new();
    parser.sql().expect_token(&Token::LParen)?;
    loop {
        let key = property_key(parser)?;
        parser.sql().expect_token(&Token::Eq)?;
        let token = parser.sql().next_token();
        let value = match token.token {
            Token::SingleQuotedString(text) | Token::Number(text, _) => text,
            Token::Word(word) if word.quote_style.is_none() => word.value,
            _ => return Ok(parser.sql().expected("a property's value", token)?),
        };
        properties.insert(key, value);
        if !parser.sql().consume_token(&Token::Comma) {
            parser.sql().expect_token(&Token::RParen)?;
            return Ok(properties);
        }
    }
}

fn property_key(parser: &mut StatementParser) -> ParseResult<String> {
    let mut key = String::new();
    loop {
        let token = parser.sql().next_token();
        match &token.token {
            Token::Word(word) => key.push_str(&word.value),
            Token::SingleQuotedString(text) => key.push_str(text),
            _ => return Ok(parser.sql().expected("a property's name", token)?),
        }
        if !parser.sql().consume_token(&Token::Period) {
            return Ok(key);
        }
        key.push('.');
    }
}

/// A change of what a Delta table's log says about the table.
pub(super) struct AlterTable {
    pub(super) table: ObjectName,
    pub(super) action: Action,
}

impl AlterTable {
    fn alteration(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Alteration, Failure> {
        let column = |name: &Ident| -> Result<String, Failure> {
            let index = target.column(context, name)?;
            Ok(target.schema().field(index).name().clone())
        };
        Ok(match &self.action {
            Action::AddColumns(definitions) => change::added(context, target, definitions)?,
            Action::AddConstraint(name, condition) => {
                if has_subquery(condition) {
                    return Err(Failure::new(
                        FailureKind::Plan,
                        "a CHECK constraint cannot hold a query",
                    ));
                }
                change::constraint(context, target, &name.value, condition)?
            }
            Action::DropConstraint { name, if_exists } => Alteration::DropConstraint {
                name: name.value.clone(),
                if_exists: *if_exists,
            },
            Action::DropNotNull(name) => Alteration::DropNotNull(column(name)?),
            Action::Comment(name, text) => Alteration::Comment(column(name)?, text.clone()),
            Action::CommentTable(text) => Alteration::CommentTable(text.clone()),
            Action::SetProperties(properties) => Alteration::SetProperties(properties.clone()),
        })
    }
}

#[async_trait]
impl Mutation for AlterTable {
    fn verb(&self) -> &'static str {
        "ALTER TABLE"
    }

    fn target(&self) -> &ObjectName {
        &self.table
    }

    fn condition(&self) -> Option<String> {
        match &self.action {
            Action::AddConstraint(name, condition) => {
                Some(format!("the new one, `{name} CHECK ({condition})`"))
            }
            _ => None,
        }
    }

    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure> {
        Ok(Box::new(self.alteration(context, target)?))
    }
}
