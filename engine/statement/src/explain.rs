//! EXPLAIN: the plan of a query, or with ANALYZE its plan and metrics after running it.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use datafusion::common::DataFusionError;
use datafusion::common::format::ExplainFormat;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::{ExplainStatement as ParsedExplain, Statement as ParsedStatement};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use futures::TryStreamExt;
use lakesh_event::event::Event;
use lakesh_event::picture::{Picture, PlanPicture};
use lakesh_session::scope::Resolver;
use lakesh_session::{Output, Parsing, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{Query, StatementParser};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::explain_compare::observed;

/// The statement `EXPLAIN`.
pub static EXPLAIN: StatementKind = StatementKind {
    name: "EXPLAIN",
    usage: "EXPLAIN [ANALYZE] [VERBOSE] [FORMAT tree | indent | graphviz | pgjson] query\n\
            EXPLAIN INSERT … | UPDATE … | DELETE … | MERGE …",
    summary: "Shows how a query is run; with ANALYZE it is run and measured. Of a change it lists the files that would be rewritten or removed.",
    examples: &[
        "EXPLAIN SELECT 1;",
        "EXPLAIN ANALYZE SELECT 1;",
        "EXPLAIN ANALYZE FORMAT tree SELECT count(*) FROM generate_series(1, 9);",
        "CREATE TABLE t AS SELECT 1 AS id; EXPLAIN DELETE FROM t WHERE id = 1;",
    ],
    parse: |parser| {
        if !parser.peeks(&["explain"]) {
            return Ok(None);
        }
        parser.accept(&["explain"]);
        let options = parse_options(parser)?;
        if !starts_query(parser) {
            return change(parser, options.analyze);
        }
        let query = parser.query()?;
        if options.analyze && options.format == Some(ExplainFormat::Tree) {
            return Ok(Some(Box::new(ExplainTree { query })));
        }
        let tree = ParsedStatement::Explain(ParsedExplain {
            options,
            statement: Box::new(query.tree),
        });
        Ok(Some(Box::new(ExplainStatement {
            query: Query {
                tree,
                versions: query.versions,
                target: None,
            },
        })))
    },
};

/// Reads a statement that changes a table.
fn change(
    parser: &mut Parsing,
    analyze: bool,
) -> lakesh_sql::ParseResult<Option<Box<dyn Statement>>> {
    let start = parser.sql().peek_token_ref().span.start;
    let statement = parser.statement()?;
    if !statement.foretells() {
        let message = format!("{} cannot be explained", statement.verb());
        return Err(lakesh_sql::syntax_error(&message, start));
    }
    if analyze {
        let message = "a change of a table is foretold, not run and measured; leave ANALYZE out";
        return Err(lakesh_sql::syntax_error(message, start));
    }
    Ok(Some(Box::new(ExplainChange { statement })))
}

/// Lists the files that a change of a table would touch.
struct ExplainChange {
    statement: Box<dyn Statement>,
}

#[async_trait]
impl Statement for ExplainChange {
    fn verb(&self) -> &'static str {
        "EXPLAIN"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        self.statement.foretell(context).await
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.statement.check(context).await
    }
}

/// Runs a query and shows its operators with bars of time and rows.
struct ExplainTree {
    query: Query,
}

#[async_trait]
impl Statement for ExplainTree {
    fn verb(&self) -> &'static str {
        "EXPLAIN"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let plan = context.plan(self.query.clone()).await?;
        let observation = observed(context, &plan, true).await;
        let observation = observation.map_err(|error| context.failure(error))?;
        let lines = StringArray::from(lakesh_event::observation::tree(&observation));
        let columns: [(&str, ArrayRef); 1] = [("plan", Arc::new(lines))];
        let batch = RecordBatch::try_from_iter(columns);
        let batch = batch.map_err(|error| context.failure(error.into()))?;
        Ok(Output::batch(batch))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.query.clone()).await.map(drop)
    }
}

struct ExplainStatement {
    query: Query,
}

#[async_trait]
impl Statement for ExplainStatement {
    fn verb(&self) -> &'static str {
        "EXPLAIN"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let plan = match self.runs() {
            true => context.plan(self.query.clone()).await?,
            false => planned(context, self.query.clone()).await?,
        };
        lines_of(context, plan)
            .await
            .map_err(|error| context.failure(error))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        context.plan(self.query.clone()).await.map(drop)
    }
}

impl ExplainStatement {
    /// Says whether the query is run, as ANALYZE does.
    fn runs(&self) -> bool {
        matches!(&self.query.tree, ParsedStatement::Explain(explain) if explain.options.analyze)
    }
}

/// Plans a query without running what its plan is made with, such as the bins of `drift` or the folds of
/// CROSS FIT.
async fn planned(context: &StatementContext, query: Query) -> Result<Erased<LogicalPlan>, Failure> {
    let quiet = context.without_events();
    let (plan, warnings) = {
        let mut resolver = Resolver::new(&quiet);
        let plan: Erased<LogicalPlan> = resolver.plan(query).await?.into();
        (plan, resolver.leakage_warnings())
    };
    for note in warnings
        .into_iter()
        .chain(lakesh_udfs::notes_on_ties(&plan))
    {
        context.notice(note).await?;
    }
    Ok(plan)
}

/// Runs EXPLAIN's plan and gives each line of its texts a row: a table shows one line a row.
async fn lines_of(
    context: &StatementContext,
    plan: Erased<LogicalPlan>,
) -> Result<Output, DataFusionError> {
    let (state, changes) = context.watching_rules();
    // A form of its own, such as JSON, is left as it is.
    let has_lines = match &*plan {
        LogicalPlan::Explain(explain) => explain.explain_format == ExplainFormat::Indent,
        _ => true,
    };
    let physical = state.create_physical_plan(&plan).await?;
    let schema = physical.schema();
    let running = execute_stream(Arc::clone(&physical), state.task_ctx())?;
    let texts: Vec<RecordBatch> = running.try_collect().await?;
    if context.session.options().pictures
        && let Some(picture) = picture(context, plan, physical).await
        && let Some(events) = &context.events
    {
        // A statement that nobody listens to any more is cancelled with its next event.
        drop(events.send(Event::Picture(picture)).await);
    }
    let mut batches = Vec::with_capacity(texts.len());
    for batch in &texts {
        let (kinds, plans) = (
            batch.column(0).as_string::<i32>(),
            batch.column(1).as_string::<i32>(),
        );
        let mut kind_of_line = StringBuilder::new();
        let mut lines = StringBuilder::new();
        for row in 0..batch.num_rows() {
            for (number, line) in plans.value(row).trim_end().lines().enumerate() {
                kind_of_line.append_value(if number == 0 { kinds.value(row) } else { "" });
                lines.append_value(line);
            }
        }
        let columns: Vec<ArrayRef> =
            vec![Arc::new(kind_of_line.finish()), Arc::new(lines.finish())];
        batches.push(RecordBatch::try_new(Arc::clone(&schema), columns)?);
    }
    let rules = changes.lock().unwrap_or_else(PoisonError::into_inner);
    if !rules.is_empty() && has_lines {
        let names = rules.iter().copied().collect::<Vec<_>>().join(", ");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["optimizer_rules"])),
            Arc::new(StringArray::from(vec![names])),
        ];
        batches.push(RecordBatch::try_new(Arc::clone(&schema), columns)?);
    }
    drop(rules);
    Ok(Output::Batches { schema, batches })
}

/// Describes the plan for drawing, unless its text was asked for in a form of its own.
async fn picture(
    context: &StatementContext,
    plan: Erased<LogicalPlan>,
    physical: Arc<dyn ExecutionPlan>,
) -> Option<Picture> {
    let explained = match &*plan {
        LogicalPlan::Analyze(analyze) => (!analyze.verbose).then_some(None),
        LogicalPlan::Explain(explain) => {
            let is_plain = !explain.verbose && explain.explain_format == ExplainFormat::Indent;
            is_plain.then(|| Some(Erased::new((*explain.plan).clone())))
        }
        _ => None,
    };
    let described = match explained? {
        None => physical,
        // What could not be planned, the text says.
        Some(query) => context.state.create_physical_plan(&query).await.ok()?,
    };
    Some(Picture::Plan(PlanPicture::of(&described)))
}

type Options = datafusion::common::format::ExplainStatementOptions;

fn parse_options(parser: &mut StatementParser) -> lakesh_sql::ParseResult<Options> {
    let is_list = parser.sql().peek_token_ref().token == Token::LParen
        && !matches!(parser.sql().peek_nth_token_ref(1).token, Token::LParen)
        && !matches!(
            parser.sql().peek_nth_token_ref(1).token,
            Token::Word(ref word) if matches!(
                word.keyword,
                Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE | Keyword::FROM
            )
        );
    if is_list {
        let raw = parser.sql().parse_utility_options()?;
        return Options::from_utility_options(&raw);
    }
    let analyze = parser.accept_keyword(Keyword::ANALYZE);
    let verbose = parser.accept_keyword(Keyword::VERBOSE);
    let format = parser
        .datafusion()
        .parse_explain_format()?
        .map(|name| name.parse())
        .transpose()?;
    Ok(Options {
        analyze,
        verbose,
        format,
        ..Options::default()
    })
}
