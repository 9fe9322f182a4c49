//! RESTORE: makes an older version of a Delta table the newest one.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_event::event::Summary;
use lakesh_session::scope::{DeltaTarget, Resolver, evaluate_version};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::VersionClause;
use lakesh_table::Restore;
use lakesh_text::failure::Failure;

/// The statement `RESTORE`.
pub static RESTORE: StatementKind = StatementKind {
    name: "RESTORE",
    usage: "RESTORE [TABLE] name | 'path' TO VERSION AS OF number | TIMESTAMP AS OF moment",
    summary: "Makes an older version of a Delta table the newest one; nothing of the history is lost.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; INSERT INTO t VALUES (2); RESTORE TABLE t TO VERSION AS OF 0; SELECT * FROM t;",
    ],
    parse: |parser| {
        if !parser.accept(&["restore"]) {
            return Ok(None);
        }
        parser.accept(&["table"]);
        let name = parser.name()?;
        // The clause was taken out of the tokens and is kept by the word before it.
        let word = parser.identifier_if(&["to"])?;
        let Some(version) = parser.claim_version(&word) else {
            return parser.expected("VERSION AS OF or TIMESTAMP AS OF");
        };
        Ok(Some(Box::new(RestoreStatement { name, version })))
    },
};

struct RestoreStatement {
    name: ObjectName,
    version: VersionClause,
}

#[async_trait]
impl Statement for RestoreStatement {
    fn verb(&self) -> &'static str {
        "RESTORE"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let version = evaluate_version(&self.version, context)?;
        let target = Resolver::new(context).delta(&self.name).await?;
        let DeltaTarget::Table { shown, definition } = target else {
            return Ok(Output::done(self.verb()));
        };
        let report = context
            .maintain(
                &definition,
                Restore {
                    version,
                    newest: None,
                },
            )
            .await?;
        if report.restored == report.version {
            let version = report.version;
            let text = format!("`{shown}` is at version {version} already; nothing was changed");
            context.notice(text).await?;
        }
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![
                ("restored_version".to_owned(), report.restored),
                ("files_added".to_owned(), report.files_added),
                ("files_removed".to_owned(), report.files_removed),
                ("version".to_owned(), report.version),
            ],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        evaluate_version(&self.version, context)?;
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}
