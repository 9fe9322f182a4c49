//! `transform`, `encoder_outputs` and `encoder_values`: encoders in FROM.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::{MemTable, TableProvider, ViewTable};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::sql::sqlparser::ast::{Expr, Ident};
use lakesh_encoder::{EncoderDefinition, listed_values, parse_key};
use lakesh_session::StatementContext;
use lakesh_session::scope::{Resolver, StoredEncoder, set_policy};
use lakesh_session::table_functions::{Bound, TableFunction, named_table};
use lakesh_table::Argument;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use crate::{CrossFit, Transformation, transformed};

/// The table function `encoder_outputs`.
pub static ENCODER_OUTPUTS: TableFunction = TableFunction {
    name: "encoder_outputs",
    usage: "encoder_outputs('encoder')",
    summary: "The outputs of an encoder and where it was fitted: what DESCRIBE ENCODER shows.",
    example: "SELECT output, default_value FROM encoder_outputs('te@v1')",
    open: |resolver, arguments| Box::pin(call_outputs(resolver, arguments)),
};

/// The table function `encoder_values`.
pub static ENCODER_VALUES: TableFunction = TableFunction {
    name: "encoder_values",
    usage: "encoder_values('encoder')",
    summary: "What an encoder learned, a row a category or a bin: what EXPORT ENCODER writes.",
    example: "SELECT category, value FROM encoder_values('te') ORDER BY weight DESC",
    open: |resolver, arguments| Box::pin(call_values(resolver, arguments)),
};

/// The table function `transform`.
pub static TRANSFORM: TableFunction = TableFunction {
    name: "transform",
    usage: "transform('table', 'encoder' [, on_unseen => 'error'] [, on_null => 'null'] [, by_hash => 'column', folds => 5 | by_fold => 'column' | by_time => 'column'])",
    summary: "The rows of a table with the outputs of an encoder: what TRANSFORM returns.",
    example: "SELECT * FROM transform('test', 'te', on_unseen => 'null')",
    open: |resolver, arguments| Box::pin(call(resolver, arguments)),
};

/// The folds of `by_hash` where the call does not say.
const FOLDS: u32 = 5;

/// Opens `transform('table', 'encoder', …)`.
async fn call(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let names = &[
        "table",
        "encoder",
        "on_unseen",
        "on_null",
        "folds",
        "by_hash",
        "by_fold",
        "by_time",
    ];
    let mut bound = Bound::new("transform", names, 2, arguments)?;
    let table = Argument {
        name: None,
        value: bound.take("table").unwrap_or(ScalarValue::Null),
    };
    let encoder = bound.take_text("encoder")?.unwrap_or_default();
    let transformation = transformation(&mut bound)?;
    let (name, source) = named_table(resolver, "transform", vec![table]).await?;
    let context = resolver.context();
    let encoder = StoredEncoder::find(&encoder, context.current_schema(), context)?;
    let input = LogicalPlanBuilder::scan(name, source, None)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| context.failure(error))?;
    let plan = transformed(context, Erased::new(input), &encoder, &transformation).await?;
    if transformation.cross_fit.is_none() {
        resolver.note_encoder(encoder);
    }
    Ok(Arc::new(ViewTable::new(plan.into_inner(), None)))
}

fn transformation(bound: &mut Bound) -> Result<Transformation, Failure> {
    let mut transformation = Transformation::default();
    for name in ["on_unseen", "on_null"] {
        if let Some(word) = bound.take_text(name)? {
            let word = word.to_lowercase();
            set_policy(&mut transformation.policy, name, Some(&word))
                .map_err(|problem| bound.wrong(&format!("is told wrongly: {problem}")))?;
        }
    }
    let folds = bound.take("folds");
    let mut ways = Vec::new();
    let keys = bound.take_columns("by_hash")?;
    if !keys.is_empty() {
        let keys = keys
            .iter()
            .map(|key| column(key))
            .collect::<Result<_, _>>()?;
        let count = folds.as_ref().map_or(Some(FOLDS), fold_count);
        let folds = count.ok_or_else(|| bound.wrong("takes from 2 to 1000 `folds`"))?;
        ways.push(CrossFit::Hash { folds, keys });
    } else if folds.is_some() {
        return Err(bound.wrong("takes `folds` only with `by_hash`"));
    }
    if let Some(fold) = bound.take_text("by_fold")? {
        ways.push(CrossFit::Fold(column(&fold)?));
    }
    if let Some(time) = bound.take_text("by_time")? {
        ways.push(CrossFit::Time(column(&time)?));
    }
    if ways.len() > 1 {
        return Err(bound.wrong("takes one of `by_hash`, `by_fold` and `by_time`"));
    }
    transformation.cross_fit = ways.pop();
    Ok(transformation)
}

fn fold_count(value: &ScalarValue) -> Option<u32> {
    let count = u32::try_from(lakesh_sql::whole_number(value)?).ok();
    count.filter(|count| (2..=1000).contains(count))
}

/// Reads the name of a column, or an expression over columns.
fn column(text: &str) -> Result<Expr, Failure> {
    parse_key(text).map_err(|error| {
        let quoted = Expr::Identifier(Ident::with_quote('"', text));
        Failure::new(FailureKind::Plan, format!("{quoted} is not a column")).caused_by(error)
    })
}

/// Opens `encoder_outputs('encoder')`.
async fn call_outputs(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let mut bound = Bound::new("encoder_outputs", &["encoder"], 1, arguments)?;
    let name = bound.take_text("encoder")?.unwrap_or_default();
    let context = resolver.context();
    let encoder = StoredEncoder::find(&name, context.current_schema(), context)?;
    encoder_outputs(context, &encoder)
}

/// Opens `encoder_values('encoder')`.
async fn call_values(
    resolver: &mut Resolver<'_>,
    arguments: Vec<Argument>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let mut bound = Bound::new("encoder_values", &["encoder"], 1, arguments)?;
    let name = bound.take_text("encoder")?.unwrap_or_default();
    let context = resolver.context();
    let encoder = StoredEncoder::find(&name, context.current_schema(), context)?;
    let mut batches = Vec::new();
    for (position, output) in encoder.definition.outputs.iter().enumerate() {
        let fitted = encoder.fitted(position, context)?;
        batches.push(listed_values(output, &fitted).map_err(|error| context.failure(error))?);
    }
    memory_table(batches).map_err(|error| context.failure(error))
}

fn memory_table(batches: Vec<RecordBatch>) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.unwrap_or_else(|| Arc::new(datafusion::arrow::datatypes::Schema::empty()));
    Ok(Arc::new(MemTable::try_new(schema, vec![batches])?))
}

/// Lists the outputs of an encoder with their provenance, a row an output.
pub(crate) fn encoder_outputs(
    context: &StatementContext,
    encoder: &StoredEncoder,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let EncoderDefinition {
        outputs,
        provenance,
    } = &encoder.definition;
    let mut rows: Vec<Vec<ScalarValue>> = Vec::new();
    for (position, output) in outputs.iter().enumerate() {
        let fitted = encoder.fitted(position, context)?;
        let tables: Vec<_> = provenance
            .tables
            .iter()
            .map(|table| match table.version {
                Some(version) => format!("{}@v{version}", table.name),
                None => table.name.clone(),
            })
            .collect();
        let text = |text: &str| ScalarValue::from(text);
        let optional = |text: Option<&String>| ScalarValue::Utf8(text.cloned());
        rows.push(vec![
            text(&encoder.shown),
            ScalarValue::Int64(Some(i64::from(encoder.version()))),
            text(&output.name),
            text(output.encoder.function()),
            text(&output.value),
            text(&output.value_type),
            optional(output.target.as_ref()),
            optional(output.weight.as_ref()),
            text(&output.encoder.parameters()),
            ScalarValue::Int64(i64::try_from(fitted.value_count()).ok()),
            ScalarValue::Utf8(fitted.default_text()),
            text(&provenance.relation),
            text(&tables.join(", ")),
            optional(provenance.predicate.as_ref()),
            ScalarValue::Int64(i64::try_from(provenance.rows).ok()),
            text(&provenance.plan_hash),
            ScalarValue::Utf8(
                encoder
                    .entry
                    .as_ref()
                    .map(|entry| lakesh_session::moment_text(entry.created_at)),
            ),
        ]);
    }
    let build = || {
        let mut columns: Vec<(&str, ArrayRef, bool)> = Vec::new();
        for (position, name) in OUTPUT_COLUMNS.iter().enumerate() {
            let values = rows.iter().map(|row| row[position].clone());
            columns.push((name, ScalarValue::iter_to_array(values)?, true));
        }
        memory_table(vec![RecordBatch::try_from_iter_with_nullable(columns)?])
    };
    build().map_err(|error| context.failure(error))
}

const OUTPUT_COLUMNS: [&str; 17] = [
    "encoder",
    "version",
    "output",
    "function",
    "input",
    "input_type",
    "target",
    "weight",
    "parameters",
    "categories",
    "default_value",
    "relation",
    "tables",
    "predicate",
    "rows",
    "plan_hash",
    "created_at",
];
