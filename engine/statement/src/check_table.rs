//! CHECK TABLE and REPAIR TABLE: whether a Delta table is what its log says, and making the log say so.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_event::event::Summary;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_table::{RepairStep, RepairTable};
use lakesh_text::failure::Failure;

use super::describe::provider_output;
use super::table_function::check::check;

/// The statement `CHECK TABLE`.
pub static CHECK_TABLE: StatementKind = StatementKind {
    name: "CHECK TABLE",
    usage: "CHECK TABLE name | 'path'",
    summary: "Says whether a Delta table is what its log says: files, sizes, footers, counts, doubled \
              rows, orphans and protocol, each with a verdict and a remedy. Rows are not read.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; CHECK TABLE t;",
        "CREATE TABLE t AS SELECT 1 AS n; SELECT * FROM table_check('t') WHERE verdict = 'error';",
    ],
    parse: |parser| {
        if !parser.accept(&["check", "table"]) {
            return Ok(None);
        }
        let name = parser.name()?;
        Ok(Some(Box::new(CheckTable { name })))
    },
};

/// The statement `REPAIR TABLE`.
pub static REPAIR_TABLE: StatementKind = StatementKind {
    name: "REPAIR TABLE",
    usage: "[FSCK] REPAIR TABLE name | 'path' [DRY RUN]",
    summary: "Makes the log of a Delta table say what its files are, where that is safe: files that are \
              gone leave it, doubled rows are taken back, false sizes and counts set right. DRY RUN lists \
              what it would do.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; REPAIR TABLE t DRY RUN;",
        "CREATE TABLE t AS SELECT 1 AS n; REPAIR TABLE t;",
    ],
    parse: |parser| {
        if !parser.accept(&["repair", "table"]) && !parser.accept(&["fsck", "repair", "table"]) {
            return Ok(None);
        }
        let name = parser.name()?;
        let dry_run = parser.accept(&["dry", "run"]);
        Ok(Some(Box::new(RepairStatement { name, dry_run })))
    },
};

struct CheckTable {
    name: ObjectName,
}

#[async_trait]
impl Statement for CheckTable {
    fn verb(&self) -> &'static str {
        "CHECK TABLE"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let target = Resolver::new(context).delta(&self.name).await?;
        let provider = check(context, &self.name, &target).await?;
        provider_output(context, provider)
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}

struct RepairStatement {
    name: ObjectName,
    dry_run: bool,
}

#[async_trait]
impl Statement for RepairStatement {
    fn verb(&self) -> &'static str {
        "REPAIR TABLE"
    }

    fn writes(&self) -> bool {
        !self.dry_run
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let target = Resolver::new(context).delta(&self.name).await?;
        let DeltaTarget::Table { definition, .. } = target else {
            return Ok(Output::done(self.verb()));
        };
        let shown = self.name.to_string();
        if self.dry_run {
            let context = context.table_context();
            let steps = lakesh_table::repair_steps(&definition, &shown, &context).await?;
            return steps_output(&steps);
        }
        let report = context.maintain(&definition, RepairTable { shown }).await?;
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![
                ("files_removed".to_owned(), report.removed),
                ("files_added".to_owned(), report.added),
                ("version".to_owned(), report.version),
            ],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}

fn steps_output(steps: &[RepairStep]) -> Result<Output, Failure> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("version", DataType::Int64, true),
        Field::new("file", DataType::Utf8, true),
        Field::new("repair", DataType::Utf8, false),
    ]));
    let versions: Int64Array = steps
        .iter()
        .map(|step| step.version.and_then(|version| i64::try_from(version).ok()))
        .collect();
    let files: StringArray = steps.iter().map(|step| step.file.as_deref()).collect();
    let texts: StringArray = steps.iter().map(|step| Some(step.text.as_str())).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(versions), Arc::new(files), Arc::new(texts)];
    RecordBatch::try_new(schema, columns)
        .map(Output::batch)
        .map_err(Failure::from_error)
}
