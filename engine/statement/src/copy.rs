//! COPY … TO: writes the rows of a query or a table to files.
//!
//! Local targets are written beside themselves and renamed at the end, so that neither a failure
//! nor a killed process leaves half a result under the target's name.

mod folder_name;
mod folders;
mod options;
mod remote;
mod staging;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::Column;
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_catalog::definition::{DELTA, TableDefinition};
use lakesh_event::event::Summary;
use lakesh_memory::planning::adjust_for_files;
use lakesh_session::{Output, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{ParseResult, Query, StatementParser};
use lakesh_table::{SchemaChange, WriteInput, WriteMode, WriteNotes, WriteRequest};
use lakesh_text::effect::Effect;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};
use std::sync::Arc;

use crate::columns::partition_columns;
use folder_name::folder_name;
use folders::write_by_folder;
use options::{CopyOptions, Existing, ParsedOptions};
use remote::Remote;
use staging::Staging;

/// With more partition values than these memory may run short, and the result is written by folder.
const FILES_AT_ONCE: usize = 16;

/// The statement `COPY`.
pub static COPY: StatementKind = StatementKind {
    name: "COPY",
    usage: "COPY (query) | name TO 'path or URL' [STORED AS PARQUET | CSV | JSON | ARROW | DELTA]\n\
            [PARTITIONED BY (column, …)] [OPTIONS (key value, …)]\n\
            COPY name [(column, …)] FROM 'path or URL' [(option value, …)]",
    summary: "Writes rows to a file, or to a folder of files; OPTIONS (overwrite true) replaces a folder, (append true) adds to it. FROM adds the rows of a file to a table.",
    examples: &[
        "COPY (SELECT value FROM generate_series(1, 3)) TO 'three.csv' OPTIONS (header true); SELECT * FROM 'three.csv';",
        "COPY (SELECT value, value % 2 AS odd FROM generate_series(1, 10)) TO 'numbers' STORED AS PARQUET PARTITIONED BY (odd); \
         SELECT odd, count(*) FROM 'numbers' GROUP BY odd;",
    ],
    parse: |parser| {
        if !parser.peeks(&["copy"]) || parser.peeks(&["copy", "into"]) {
            return Ok(None);
        }
        parser.accept(&["copy"]);
        if reads_a_file(parser) {
            return crate::insert::copied(parser).map(Some);
        }
        parse(parser).map(|copy| Some(Box::new(copy) as Box<dyn Statement>))
    },
};

/// Says whether a table's name is followed by FROM: then rows come from a file.
fn reads_a_file(parser: &mut StatementParser) -> bool {
    let is_name = !starts_query(parser) && parser.sql().peek_token_ref().token != Token::LParen;
    let from = parser.tokens_before("from");
    is_name && from.is_some_and(|from| parser.tokens_before("to").is_none_or(|to| from < to))
}

fn parse(parser: &mut StatementParser) -> ParseResult<Copy> {
    let query = if parser.sql().consume_token(&Token::LParen) {
        let query = parser.query()?;
        parser.sql().expect_token(&Token::RParen)?;
        query
    } else if starts_query(parser) {
        parser.query()?
    } else {
        parser.parse_from_tail_before("to")?
    };
    target_of(query, "COPY", parser)
}

/// Reads `TO 'target' …` and returns the statement that copies a query's rows there.
pub fn copy_of(
    query: Query,
    verb: &'static str,
    parser: &mut StatementParser,
) -> ParseResult<Box<dyn Statement>> {
    target_of(query, verb, parser).map(|copy| Box::new(copy) as Box<dyn Statement>)
}

fn target_of(query: Query, verb: &'static str, parser: &mut StatementParser) -> ParseResult<Copy> {
    parser.expect(&["to"])?;
    let target = parser.string()?;
    let options = ParsedOptions::parse(parser)?;
    Ok(Copy {
        verb,
        query,
        target,
        options,
    })
}

struct Copy {
    /// What the user calls it.
    verb: &'static str,
    query: Query,
    target: String,
    options: ParsedOptions,
}

#[async_trait]
impl Statement for Copy {
    fn verb(&self) -> &'static str {
        self.verb
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let mut options = self.options.evaluate(context, &self.target)?;
        let input = context.plan(self.query.clone()).await?;
        find_partition_columns(context, &mut options, &input)?;
        let target = context.absolute(&self.target)?;
        if options.format == DELTA {
            return self.to_delta(context, &target, input, &options).await;
        }
        let rows = self.to_files(context, &target, &input, &options).await?;
        Ok(Output::Done(Summary {
            verb: self.verb.to_owned(),
            rows: Some(rows),
            ..Summary::default()
        }))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let mut options = self.options.evaluate(context, &self.target)?;
        let input = context.plan(self.query.clone()).await?;
        find_partition_columns(context, &mut options, &input)?;
        let target = context.absolute(&self.target)?;
        context.assume_path(&target, Arc::clone(input.schema().inner()));
        Ok(())
    }
}

impl Copy {
    async fn to_delta(
        &self,
        context: &StatementContext,
        target: &str,
        input: Erased<LogicalPlan>,
        options: &CopyOptions,
    ) -> Result<Output, Failure> {
        let definition = TableDefinition::delta(target);
        let (mode, schema_change) = match options.existing {
            Existing::Refuse => (WriteMode::Create, SchemaChange::Refuse),
            Existing::Overwrite => (WriteMode::Overwrite, SchemaChange::Overwrite),
            Existing::Append => (WriteMode::Append, SchemaChange::Refuse),
        };
        let mut request = WriteRequest::new(WriteInput::Query(input), mode);
        request.schema_change = schema_change;
        request
            .partition_columns
            .clone_from(&options.partition_columns);
        let report = context.write_delta(&definition, request).await?;
        Ok(Output::Done(Summary {
            verb: self.verb.to_owned(),
            rows: Some(report.rows),
            counts: vec![
                ("files".to_owned(), report.files),
                ("version".to_owned(), report.version),
            ],
            ..Summary::default()
        }))
    }

    async fn to_files(
        &self,
        context: &StatementContext,
        target: &str,
        input: &LogicalPlan,
        options: &CopyOptions,
    ) -> Result<u64, Failure> {
        let remote = Remote::open(target, options, context).await?;
        let target = remote.as_ref().map_or(target, Remote::url);
        let rows = self.written(context, target, input, options).await?;
        if let Some(remote) = remote {
            remote.finish().await?;
        }
        Ok(rows)
    }

    /// Writes files where `target` says, and gives local ones their names when all are complete.
    async fn written(
        &self,
        context: &StatementContext,
        target: &str,
        input: &LogicalPlan,
        options: &CopyOptions,
    ) -> Result<u64, Failure> {
        let refusal = format!("{} is refused", self.verb);
        context.session.require(Effect::WriteFiles, &refusal)?;
        let memory = context.session.memory();
        context
            .with_join_retry(|state| async move {
                let (notes, runtime) = WriteNotes::of(state.runtime_env());
                let state = SessionStateBuilder::new_from_existing(state)
                    .with_runtime_env(runtime)
                    .build();
                let staging = Staging::begin(target, options, memory.spill().parent())?;
                let failed = match write_at_once(&state, input, staging.url(), options).await {
                    Ok(rows) => {
                        staging.finish()?;
                        return Ok(rows);
                    }
                    Err(error) => error,
                };
                let exhausted = memory.exhausted_by(&failed);
                let too_many_files = options.is_partitioned()
                    && (exhausted.is_some_and(|by| !by.was_join) || is_out_of_files(&failed));
                if !too_many_files {
                    return Err(notes.explain(failed));
                }
                drop(staging);
                let staging = Staging::begin(target, options, memory.spill().parent())?;
                let url = staging.url().to_owned();
                let rows = write_by_folder(Erased::new(state), input.clone().into(), url, options)
                    .await
                    .map_err(|error| notes.explain(error))?;
                staging.finish()?;
                Ok(rows)
            })
            .await
    }
}

/// Writes all files at the same time, as DataFusion does it.
async fn write_at_once(
    state: &SessionState,
    input: &LogicalPlan,
    url: &str,
    options: &CopyOptions,
) -> Result<u64, DataFusionError> {
    let columns = &options.partition_columns;
    let mut state = state.clone();
    if options.is_partitioned() {
        let limit = match state.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Finite(limit) => limit as u64,
            MemoryLimit::Infinite | MemoryLimit::Unknown => u64::MAX,
        };
        let config = state.config().clone();
        *state.config_mut() = adjust_for_files(config, limit, FILES_AT_ONCE);
    }
    let input = named_partitions(input, columns)?;
    let plan = files_plan(&state, input, url.to_owned(), columns.clone(), options)?;
    lakesh_session::count_rows(&state, &plan).await
}

/// Says whether the process has as many files open as it may.
fn is_out_of_files(error: &DataFusionError) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
        {
            return true;
        }
        source = error.source();
    }
    false
}

/// Plans the writing of files.
fn files_plan(
    state: &SessionState,
    input: LogicalPlan,
    url: String,
    partition_columns: Vec<String>,
    options: &CopyOptions,
) -> Result<LogicalPlan, DataFusionError> {
    let Some(factory) = state.get_file_format_factory(options.writer()) else {
        return Err(DataFusionError::Plan(format!(
            "`{}` cannot be written; the formats are parquet, csv, tsv, json, arrow, delta",
            options.format
        )));
    };
    Ok(LogicalPlan::Copy(CopyTo::new(
        Arc::new(input),
        url,
        partition_columns,
        format_as_file_type(factory),
        options.writer_options.clone(),
    )))
}

/// Gives the rows without a partition value the folder that stands for NULL: DataFusion's writer
/// would file them under whatever stands behind the NULL. Turns into text what it cannot name.
fn named_partitions(
    input: &LogicalPlan,
    partition_columns: &[String],
) -> Result<LogicalPlan, DataFusionError> {
    let schema = input.schema();
    let is_partition = |name: &String| partition_columns.contains(name);
    let needs_name = |field: &Field| {
        let data_type = field.data_type();
        is_partition(field.name())
            && (field.is_nullable() || data_type.is_string() || !has_name(data_type))
    };
    if !schema.fields().iter().any(|field| needs_name(field)) {
        return Ok(input.clone());
    }
    let columns = schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        if needs_name(field) {
            let text = cast(column, DataType::Utf8);
            folder_name(text).alias(field.name())
        } else {
            column
        }
    });
    LogicalPlanBuilder::from(input.clone())
        .project(columns.collect::<Vec<_>>())?
        .build()
}

/// Says whether DataFusion's writer can turn a value into the name of a folder.
fn has_name(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(
            data_type,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Boolean
                | DataType::Date32
                | DataType::Date64
        )
}

/// Finds the columns that name folders; the rest must be something.
fn find_partition_columns(
    context: &StatementContext,
    options: &mut CopyOptions,
    input: &LogicalPlan,
) -> Result<(), Failure> {
    let schema = input.schema().as_arrow();
    options.partition_columns = partition_columns(context, &options.partition_columns, schema)?;
    if !options.partition_columns.is_empty()
        && options.partition_columns.len() >= schema.fields().len()
    {
        return Err(Failure::new(
            FailureKind::Plan,
            "every column is a partition column; nothing is left to write",
        ));
    }
    Ok(())
}
