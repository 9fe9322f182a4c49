//! VACUUM: deletes files of a Delta table that no version within the retention needs.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{Expr, ObjectName};
use lakesh_event::event::Summary;
use lakesh_session::scope::{DeltaTarget, Resolver};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::constant;
use lakesh_table::Vacuum;
use lakesh_text::failure::{Failure, FailureKind};

/// The statement `VACUUM`.
pub static VACUUM: StatementKind = StatementKind {
    name: "VACUUM",
    usage: "VACUUM [TABLE] name | 'path' [FULL | LITE] [RETAIN n HOURS] [DRY RUN]",
    summary: "Deletes files that no version within the retention needs; DRY RUN lists them as rows. \
              LITE looks only at files that the log names.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; VACUUM t;",
        "CREATE TABLE t AS SELECT 1 AS n; SET lakesh.vacuum_retention_check = false; VACUUM t RETAIN 0 HOURS DRY RUN;",
    ],
    parse: |parser| {
        if !parser.accept(&["vacuum"]) {
            return Ok(None);
        }
        parser.accept(&["table"]);
        let name = parser.name()?;
        let all = match parser.accept(&["lite"]) {
            true => false,
            false => {
                parser.accept(&["full"]);
                true
            }
        };
        let mut statement = VacuumStatement {
            name,
            all,
            retention: None,
            dry_run: false,
        };
        loop {
            if statement.retention.is_none() && parser.accept(&["retain"]) {
                statement.retention = Some(parser.expression()?);
                if !parser.accept(&["hour"]) {
                    parser.expect(&["hours"])?;
                }
            } else if !statement.dry_run && parser.accept(&["dry", "run"]) {
                statement.dry_run = true;
            } else {
                return Ok(Some(Box::new(statement)));
            }
        }
    },
};

struct VacuumStatement {
    name: ObjectName,
    /// Whether files that the log does not name are deleted too.
    all: bool,
    /// Hours.
    retention: Option<Expr>,
    dry_run: bool,
}

impl VacuumStatement {
    fn vacuum(&self, context: &StatementContext) -> Result<Vacuum, Failure> {
        let retention = match &self.retention {
            None => None,
            Some(expression) => {
                let value = constant(expression, &context.state, context.parameters())
                    .map_err(|error| context.failure(error))?;
                Some(hours(&value).ok_or_else(|| {
                    Failure::new(
                        FailureKind::Plan,
                        format!("a retention is a number of hours from 0, not `{value}`"),
                    )
                    .at(context.text.place.clone())
                })?)
            }
        };
        Ok(Vacuum {
            retention,
            check: context.session.behaviour().vacuum_retention_check,
            all: self.all,
        })
    }
}

/// Reads a number of hours from 0.
fn hours(value: &ScalarValue) -> Option<TimeDelta> {
    if !value.data_type().is_numeric() {
        return None;
    }
    let ScalarValue::Float64(Some(hours)) = value.cast_to(&DataType::Float64).ok()? else {
        return None;
    };
    let millis = hours * 3_600_000.0;
    let fits = (0.0..=i64::MAX as f64 / 2.0).contains(&millis);
    fits.then(|| TimeDelta::try_milliseconds(millis as i64))?
}

#[async_trait]
impl Statement for VacuumStatement {
    fn verb(&self) -> &'static str {
        "VACUUM"
    }

    fn writes(&self) -> bool {
        !self.dry_run
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let vacuum = self.vacuum(context)?;
        let target = Resolver::new(context).delta(&self.name).await?;
        let DeltaTarget::Table { definition, .. } = target else {
            return Ok(Output::done(self.verb()));
        };
        if self.dry_run {
            let context = context.table_context();
            let files = lakesh_table::expired_files(&definition, &vacuum, &context).await?;
            return files_output(files);
        }
        let report = context.maintain(&definition, vacuum).await?;
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![
                ("files_deleted".to_owned(), report.files),
                ("version".to_owned(), report.version),
            ],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.vacuum(context)?;
        Resolver::new(context).delta(&self.name).await.map(drop)
    }
}

fn files_output(files: Vec<String>) -> Result<Output, Failure> {
    let schema = Arc::new(Schema::new(vec![Field::new("path", DataType::Utf8, false)]));
    let column: ArrayRef = Arc::new(StringArray::from(files));
    RecordBatch::try_new(schema, vec![column])
        .map(Output::batch)
        .map_err(Failure::from_error)
}
