//! CREATE ENCODER: fits encoders and binners on the rows of a query and keeps them in the catalog.

mod parse;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_catalog::OnConflict;
use lakesh_catalog::definition::TableRead;
use lakesh_encoder::{
    CategoryType, EncoderDefinition, EncoderKind, FitColumn, Fitted, OutputDefinition, OutputError,
    Provenance, ProvenanceTable, learn, to_stored,
};
use lakesh_event::event::Summary;
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::{Query, TableName};
use lakesh_statement::create_view::accept_create;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind, sql_type_name};
use lakesh_text::hash::StableHash;

use self::parse::{OutputSpecification, parse_rows, portable};

/// The statement `CREATE ENCODER`.
pub static CREATE_ENCODER: StatementKind = StatementKind {
    name: "CREATE ENCODER",
    usage: "CREATE [OR REPLACE] ENCODER [IF NOT EXISTS] name AS\n\
            SELECT target_encoder(column, target [, smooth => 'auto' | m] [, min_samples => n] [, weight => w]) AS output,\n\
            \x20      frequency_encoder(column [, weight => w]) AS output,\n\
            \x20      rare_grouper(column [, min_share => s] [, max_categories => n] [, label => 'RARE'] [, weight => w]) AS output,\n\
            \x20      quantile_bins(column, n [, weight => w]) AS output, uniform_bins(column, n) AS output\n\
            FROM table [WHERE …]",
    summary: "Fits encoders and binners in one scan and keeps them; OR REPLACE adds a version, and \
              older ones stay readable as 'name@v1'.",
    examples: &[
        "CREATE TABLE train AS SELECT value % 3 AS city, value % 2 AS y FROM generate_series(1, 9); \
         CREATE ENCODER te AS SELECT target_encoder(city, y, smooth => 10) AS city_te FROM train; \
         SELECT apply_encoder('te', 'city_te', 1) AS encoded;",
        "CREATE ENCODER bins AS SELECT quantile_bins(value, 4) AS quarter FROM generate_series(1, 100); \
         SELECT apply_encoder('bins', 30) AS quarter;",
    ],
    parse: |parser| {
        let Some(on_conflict) = accept_create(parser, "encoder") else {
            return Ok(None);
        };
        let if_not_exists = parser.if_not_exists();
        let name = parser.name()?;
        parser.expect(&["as"])?;
        let rows = parse_rows(parser)?;
        Ok(Some(Box::new(CreateEncoder {
            name,
            outputs: rows.outputs,
            query: rows.query,
            relation: rows.relation,
            predicate: rows.predicate,
            qualifiers: rows.qualifiers,
            on_conflict: match if_not_exists {
                true => OnConflict::Skip,
                false => on_conflict,
            },
        })))
    },
};

struct CreateEncoder {
    name: ObjectName,
    outputs: Vec<OutputSpecification>,
    /// Selects the columns that the outputs learn from, one after the other.
    query: Query,
    relation: String,
    predicate: Option<String>,
    qualifiers: Vec<String>,
    on_conflict: OnConflict,
}

/// What is to be learned, and from which rows.
struct Prepared {
    plan: Erased<LogicalPlan>,
    columns: Vec<FitColumn>,
    definition: EncoderDefinition,
}

impl CreateEncoder {
    async fn prepare(&self, context: &StatementContext) -> Result<Prepared, Failure> {
        let (plan, reads) = context.plan_with_reads(self.query.clone()).await?;
        let schema = plan.schema();
        let text = |expression| portable(expression, &self.qualifiers);
        let mut next = 0;
        let mut take = || {
            next += 1;
            next - 1
        };
        let mut columns = Vec::with_capacity(self.outputs.len());
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            let encoder = output.kind(context)?;
            let value = take();
            let value_type = schema.field(value).data_type();
            let target = output.target.is_some().then(&mut take);
            let weight = output.weight.is_some().then(&mut take);
            let category = value_category(&encoder, value_type)
                .map_err(|failure| failure.at(context.place(output.location)))?;
            for (what, column) in [("target", target), ("weight", weight)] {
                let Some(column) = column else { continue };
                check_number(what, schema.field(column).data_type())
                    .map_err(|failure| failure.at(context.place(output.location)))?;
            }
            outputs.push(OutputDefinition {
                name: output.name.clone(),
                encoder: encoder.clone(),
                value: portable(&output.value, &self.qualifiers),
                target: output.target.as_ref().map(text),
                weight: output.weight.as_ref().map(text),
                category,
                value_type: sql_type_name(value_type),
            });
            columns.push(FitColumn {
                encoder,
                category,
                value,
                target,
                weight,
            });
        }
        let provenance = self.provenance(&plan, reads);
        Ok(Prepared {
            plan,
            columns,
            definition: EncoderDefinition {
                outputs,
                provenance,
            },
        })
    }

    fn provenance(&self, plan: &LogicalPlan, reads: Vec<TableRead>) -> Provenance {
        let mut hash = StableHash::default();
        hash.write(plan.display_indent().to_string().as_bytes());
        Provenance {
            relation: self.relation.clone(),
            tables: reads
                .into_iter()
                .map(|read| ProvenanceTable {
                    name: read.name,
                    location: read.location,
                    version: read.version,
                })
                .collect(),
            predicate: self.predicate.clone(),
            plan_hash: format!("{:016x}", hash.finish()),
            rows: 0,
        }
    }

    /// Learns the outputs; returns what they learned, and of how many rows.
    async fn fit(
        &self,
        context: &StatementContext,
        plan: Erased<LogicalPlan>,
        columns: Vec<FitColumn>,
    ) -> Result<(Vec<Fitted>, u64), Failure> {
        let columns = Arc::new(columns);
        let learned = context
            .with_join_retry(|state| {
                learn(Erased::new(state), plan.clone(), Arc::clone(&columns), None)
            })
            .await?;
        let learned = learned.map_err(|wrong| self.failure_of_output(context, wrong))?;
        let rows = learned.rows;
        let fitted = learned
            .finish()
            .map_err(|wrong| self.failure_of_output(context, wrong))?;
        Ok((fitted, rows))
    }

    /// Says what is wrong with an output, at its place.
    fn failure_of_output(&self, context: &StatementContext, wrong: OutputError) -> Failure {
        let output = &self.outputs[wrong.output];
        let mut failure = Failure::from_error(wrong.error);
        failure.message = format!("`{}`: {}", output.name, failure.message);
        failure.place = Some(context.place(output.location));
        failure
    }
}

/// Returns the sort of the categories, or refuses a type that cannot be encoded.
fn value_category(
    encoder: &EncoderKind,
    value_type: &DataType,
) -> Result<Option<CategoryType>, Failure> {
    let function = encoder.function();
    let found = sql_type_name(value_type);
    if !encoder.has_categories() {
        return match value_type.is_numeric() {
            true => Ok(None),
            false => Err(Failure::new(
                FailureKind::Plan,
                format!("`{function}` bins numbers, not {found}"),
            )),
        };
    }
    match (CategoryType::of(value_type), value_type) {
        (Some(category), _) => Ok(Some(category)),
        // A column that is NULL in every row has no type.
        (None, DataType::Null) => Ok(Some(CategoryType::Text)),
        (None, _) => Err(Failure::new(
            FailureKind::Plan,
            format!("`{function}` cannot take {found} as a category"),
        )
        .hint("cast the column to text")),
    }
}

fn check_number(what: &str, found: &DataType) -> Result<(), Failure> {
    if found.is_numeric() || matches!(found, DataType::Boolean | DataType::Null) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Plan,
        format!("the {what} is {}, not a number", sql_type_name(found)),
    ))
}

#[async_trait]
impl Statement for CreateEncoder {
    fn verb(&self) -> &'static str {
        "CREATE ENCODER"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        let catalog = context.session.catalog();
        let skips = self.on_conflict == OnConflict::Skip;
        if skips && catalog.encoder(&name.schema, &name.table, None)?.is_some() {
            return self.skipped(context, &name).await;
        }
        let Prepared {
            plan,
            columns,
            mut definition,
        } = self.prepare(context).await?;
        let (fitted, rows) = self.fit(context, plan, columns).await?;
        definition.provenance.rows = rows;
        let stored = fitted
            .iter()
            .map(to_stored)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| context.failure(error))?;
        let text = serde_json::to_string(&definition).map_err(Failure::from_error)?;
        let created =
            catalog.create_encoder(&name.schema, &name.table, &text, &stored, self.on_conflict)?;
        let Some(version) = created else {
            return self.skipped(context, &name).await;
        };
        Ok(Output::Done(Summary {
            verb: self.verb().to_owned(),
            counts: vec![
                ("version".to_owned(), u64::from(version)),
                ("outputs".to_owned(), definition.outputs.len() as u64),
                ("rows read".to_owned(), rows),
            ],
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        let prepared = self.prepare(context).await?;
        context.assume_encoder(name, Some(prepared.definition));
        Ok(())
    }
}

impl CreateEncoder {
    async fn skipped(
        &self,
        context: &StatementContext,
        name: &TableName,
    ) -> Result<Output, Failure> {
        context
            .notice(format!(
                "encoder `{}` is there already; nothing was changed",
                name.table
            ))
            .await?;
        Ok(Output::done(self.verb()))
    }
}
