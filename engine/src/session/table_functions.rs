//! Table functions of the engine itself: the twins in FROM of statements that return rows.

mod arguments;
mod changes;
mod diff;
mod encoder;
mod history;
mod profile;
mod summary;
mod versions;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::datasource::{TableProvider, ViewTable};
use datafusion::sql::sqlparser::ast::Ident;
use futures::future::BoxFuture;

use crate::definition::TableVersion;
use crate::failure::{Failure, FailureKind};
use crate::scope::Resolver;
use crate::sql::TableName;
use crate::table::{self, Argument};

pub(crate) use diff::{Comparison, rows as diff_rows, summary as diff_summary};
pub(crate) use encoder::encoder_outputs;
pub(crate) use history::{detail, history};
pub(crate) use profile::{DRIFT_BINS, compressed};
pub(crate) use summary::summary_plan;

type Open = for<'a, 'b> fn(
    &'a mut Resolver<'b>,
    Vec<Argument>,
) -> BoxFuture<'a, Result<Arc<dyn TableProvider>, Failure>>;

/// A table function of the engine.
pub(crate) struct TableFunction {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) example: &'static str,
    pub(crate) open: Open,
}

static TABLE_FUNCTIONS: &[TableFunction] = &[
    TableFunction {
        name: "compress",
        usage: "compress('table', by => ['column', …] [, weight => 'w'] [, verify => true])",
        summary: "Each combination of values once, with its number of rows and its weight: what COMPRESS returns.",
        example: "SELECT * FROM compress('scores', by => ['bin', 'y'], weight => 'w')",
        open: |resolver, arguments| Box::pin(profile::call_compress(resolver, arguments)),
    },
    TableFunction {
        name: "drift",
        usage: "drift('current', 'reference' [, bins => 10] [, weight => 'w'])",
        summary: "How the distribution of each column differs from a reference: what DRIFT returns.",
        example: "SELECT column_name, psi FROM drift('today', 'train') WHERE psi > 0.1",
        open: |resolver, arguments| Box::pin(profile::call_drift(resolver, arguments)),
    },
    TableFunction {
        name: "encoder_outputs",
        usage: "encoder_outputs('encoder')",
        summary: "The outputs of an encoder and where it was fitted: what DESCRIBE ENCODER shows.",
        example: "SELECT output, default_value FROM encoder_outputs('te@v1')",
        open: |resolver, arguments| Box::pin(encoder::call_outputs(resolver, arguments)),
    },
    TableFunction {
        name: "encoder_values",
        usage: "encoder_values('encoder')",
        summary: "What an encoder learned, a row a category or a bin: what EXPORT ENCODER writes.",
        example: "SELECT category, value FROM encoder_values('te') ORDER BY weight DESC",
        open: |resolver, arguments| Box::pin(encoder::call_values(resolver, arguments)),
    },
    TableFunction {
        name: "feature_profile",
        usage: "feature_profile('table' [, weight => 'w'] [, by => 'column' | ['column', …]])",
        summary: "Missing share, distinct count, moments and quantiles of every column, exact, in one scan.",
        example: "SELECT column_name, missing_rate, skewness FROM feature_profile('train', weight => 'w')",
        open: |resolver, arguments| Box::pin(profile::call_profile(resolver, arguments)),
    },
    TableFunction {
        name: "summarize",
        usage: "summarize('table')",
        summary: "Range, distinct count, mean, quartiles and missing share of every column.",
        example: "SELECT * FROM summarize('information_schema.tables')",
        open: |resolver, arguments| Box::pin(summarize(resolver, arguments)),
    },
    TableFunction {
        name: "table_changes",
        usage: "table_changes('table', from [, to])",
        summary: "The rows that each commit of a Delta table changed, from its change data feed.",
        example: "SELECT * FROM table_changes('trips', 3, 5)",
        open: |resolver, arguments| Box::pin(changes::call(resolver, arguments)),
    },
    TableFunction {
        name: "table_columns",
        usage: "table_columns('table')",
        summary: "The columns of a table or view with their types.",
        example: "SELECT column_name FROM table_columns('information_schema.tables')",
        open: |resolver, arguments| Box::pin(columns(resolver, arguments)),
    },
    TableFunction {
        name: "table_detail",
        usage: "table_detail('table')",
        summary: "Format, place, size, properties and protocol of a Delta table, as one row.",
        example: "SELECT \"numFiles\" FROM table_detail('trips')",
        open: |resolver, arguments| Box::pin(history::call_detail(resolver, arguments)),
    },
    TableFunction {
        name: "table_diff",
        usage: "table_diff('table', from, to [, keys => ['column', …]])",
        summary: "The rows that differ between two versions of a Delta table.",
        example: "SELECT * FROM table_diff('trips', 3, 5, keys => ['id'])",
        open: |resolver, arguments| Box::pin(diff::call(resolver, arguments)),
    },
    TableFunction {
        name: "table_diff_summary",
        usage: "table_diff_summary('table', from, to [, keys => ['column', …]])",
        summary: "What differs between two versions of a Delta table, counted.",
        example: "SELECT item, count FROM table_diff_summary('trips', 3, 5)",
        open: |resolver, arguments| Box::pin(diff::call_summary(resolver, arguments)),
    },
    TableFunction {
        name: "table_history",
        usage: "table_history('table')",
        summary: "The commits of a Delta table, newest first.",
        example: "SELECT version, operation FROM table_history('trips')",
        open: |resolver, arguments| Box::pin(history::call_history(resolver, arguments)),
    },
    TableFunction {
        name: "transform",
        usage: "transform('table', 'encoder' [, on_unseen => 'error'] [, on_null => 'null'] [, by_hash => 'column', folds => 5 | by_fold => 'column' | by_time => 'column'])",
        summary: "The rows of a table with the outputs of an encoder: what TRANSFORM returns.",
        example: "SELECT * FROM transform('test', 'te', on_unseen => 'null')",
        open: |resolver, arguments| Box::pin(encoder::call(resolver, arguments)),
    },
    TableFunction {
        name: "woe_table",
        usage: "woe_table('table', 'column', 'target' [, bins => 10] [, weight => 'w'])",
        summary: "Weight of evidence, ln(share of non-events / share of events), and information value of each group or bin.",
        example: "SELECT \"group\", woe, iv FROM woe_table('train', 'city', 'y')",
        open: |resolver, arguments| Box::pin(profile::call_woe(resolver, arguments)),
    },
];

/// Finds a table function of the engine.
pub(crate) fn find(name: &str) -> Option<&'static TableFunction> {
    TABLE_FUNCTIONS
        .iter()
        .find(|function| function.name == name)
}

/// What help says of a table function.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) usage: String,
    pub(crate) summary: String,
    pub(crate) example: Option<String>,
}

/// Describes every table function of ours, readers included.
pub(crate) fn described() -> Vec<Described> {
    let readers = table::READERS.iter().map(|reader| Described {
        name: reader.name.to_owned(),
        usage: reader.usage(),
        summary: reader.summary.to_owned(),
        example: None,
    });
    let ours = TABLE_FUNCTIONS.iter().map(|function| Described {
        name: function.name.to_owned(),
        usage: function.usage.to_owned(),
        summary: function.summary.to_owned(),
        example: Some(function.example.to_owned()),
    });
    readers.chain(ours).collect()
}

/// Opens the table that the only argument names.
async fn named_table(
    resolver: &mut Resolver<'_>,
    function: &str,
    arguments: Vec<Argument>,
) -> Result<(String, Arc<dyn datafusion::logical_expr::TableSource>), Failure> {
    let usage = || {
        Failure::new(
            FailureKind::Plan,
            format!("{function} takes one argument, the name of a table in quotes"),
        )
    };
    let [argument] = arguments.as_slice() else {
        return Err(usage());
    };
    let (ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text))) = &argument.value
    else {
        return Err(usage());
    };
    let name = arguments::table_name(text)?;
    let schema = resolver.context().current_schema().to_owned();
    let (name, parts) = TableName::from_object(&name, &schema)?;
    let is_path = parts.len() == 1 && parts[0].quote_style == Some('\'');
    let source = if is_path {
        resolver.path(&parts[0].value, TableVersion::Latest).await?
    } else {
        let parts: Vec<Ident> = parts;
        resolver.named(&name, &parts, TableVersion::Latest).await?
    };
    Ok((name.table, source))
}

async fn summarize(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let (name, source) = named_table(resolver, "summarize", arguments).await?;
    let context = resolver.context();
    let plan = datafusion::logical_expr::LogicalPlanBuilder::scan(name, source, None)
        .and_then(datafusion::logical_expr::LogicalPlanBuilder::build)
        .and_then(|input| summary_plan(&context.state, input))
        .map_err(|error| context.failure(error))?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

async fn columns(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let (_, source) = named_table(resolver, "table_columns", arguments).await?;
    let context = resolver.context();
    super::columns_provider(&source.schema()).map_err(|error| context.failure(error))
}
