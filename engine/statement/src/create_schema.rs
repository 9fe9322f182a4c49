//! CREATE SCHEMA.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::Ident;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::normalized;
use lakesh_text::failure::{Failure, FailureKind};

/// The statement `CREATE SCHEMA`.
pub static CREATE_SCHEMA: StatementKind = StatementKind {
    name: "CREATE SCHEMA",
    usage: "CREATE SCHEMA [IF NOT EXISTS] name",
    summary: "Makes a name space for tables and views.",
    examples: &[
        "CREATE SCHEMA staging; CREATE VIEW staging.one AS SELECT 1 AS n; SELECT * FROM staging.one;",
    ],
    parse: |parser| {
        if !parser.accept(&["create", "schema"]) && !parser.accept(&["create", "database"]) {
            return Ok(None);
        }
        let if_not_exists = parser.if_not_exists();
        let name: Ident = parser.identifier()?;
        Ok(Some(Box::new(CreateSchema {
            name: normalized(&name),
            if_not_exists,
        })))
    },
};

struct CreateSchema {
    name: String,
    if_not_exists: bool,
}

#[async_trait]
impl Statement for CreateSchema {
    fn verb(&self) -> &'static str {
        "CREATE SCHEMA"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        context
            .session
            .catalog()
            .create_schema(&self.name, self.if_not_exists)?;
        Ok(Output::done("CREATE SCHEMA"))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.assume_schema(&self.name);
        Ok(())
    }
}

/// Fails unless a schema, an attachment or a system schema has this name.
pub(super) fn require_schema(context: &StatementContext, name: &str) -> Result<(), Failure> {
    let known = matches!(name, "information_schema" | "system")
        || context.schema_exists(name)?
        || context.session.catalog().attachment(name)?.is_some();
    if known {
        return Ok(());
    }
    Err(
        Failure::new(FailureKind::Plan, format!("schema `{name}` not found"))
            .hint("SHOW SCHEMAS lists what there is; CREATE SCHEMA makes one"),
    )
}
