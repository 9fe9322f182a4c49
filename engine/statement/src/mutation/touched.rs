//! Dry runs: which files of a table a change would rewrite or remove, as a query.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, JoinType, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::functions::string::expr_fn::replace;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, ident, lit};
use lakesh_session::{Output, StatementContext};
use lakesh_table::FILE_COLUMN;
use lakesh_text::failure::Failure;

use super::Target;
use super::merge::{MergeChange, MergeWhen};

/// Marks rows of the target and of the source on their sides of a join.
const IN_TARGET: &str = "__lakesh_in_target";
const IN_SOURCE: &str = "__lakesh_in_source";

/// Lists the files that hold rows for which a condition holds; without one, every file.
pub(crate) fn by_condition(
    target: &Target,
    condition: Option<Expr>,
) -> Result<Option<LogicalPlan>, Failure> {
    let Some(scan) = scan(target, "target").map_err(Failure::from_error)? else {
        return Ok(None);
    };
    let filtered = match condition {
        Some(condition) => scan.filter(condition),
        None => Ok(scan),
    };
    let plan = filtered
        .and_then(|rows| by_file(rows, target))
        .map_err(Failure::from_error)?;
    Ok(Some(plan))
}

/// Lists the files that hold rows which a merge would update or delete.
pub(super) fn by_merge(
    target: &Target,
    change: &MergeChange,
) -> Result<Option<LogicalPlan>, Failure> {
    let Some(scan) = scan(target, &change.target_name).map_err(Failure::from_error)? else {
        return Ok(None);
    };
    merged(scan, change, target)
        .map(Some)
        .map_err(Failure::from_error)
}

fn merged(
    scan: LogicalPlanBuilder,
    change: &MergeChange,
    target: &Target,
) -> Result<LogicalPlan, DataFusionError> {
    let source = LogicalPlanBuilder::from((*change.source).clone())
        .alias(TableReference::bare(change.source_name.as_str()))?
        .build()?;
    let source = marked(source, IN_SOURCE)?;
    let rows = marked(scan.build()?, IN_TARGET)?;
    let joined = rows.join_on(source.build()?, JoinType::Left, [change.on.clone()])?;
    let fires = change
        .clauses
        .iter()
        .filter_map(|clause| {
            let side = match clause.when {
                MergeWhen::Matched => ident(IN_SOURCE).is_not_null(),
                MergeWhen::NotMatchedBySource => ident(IN_SOURCE).is_null(),
                MergeWhen::NotMatched => return None,
            };
            Some(match &clause.condition {
                Some(condition) => side.and(condition.clone()),
                None => side,
            })
        })
        .reduce(Expr::or)
        .unwrap_or_else(|| lit(false));
    by_file(joined.filter(fires)?, target)
}

fn marked(plan: LogicalPlan, marker: &str) -> Result<LogicalPlanBuilder, DataFusionError> {
    let mut columns: Vec<Expr> = plan.schema().columns().into_iter().map(col).collect();
    columns.push(lit(true).alias(marker));
    LogicalPlanBuilder::from(plan).project(columns)
}

fn scan(target: &Target, name: &str) -> Result<Option<LogicalPlanBuilder>, DataFusionError> {
    let Some(provider) = &target.with_files else {
        return Ok(None);
    };
    let source = provider_as_source(Arc::clone(provider));
    LogicalPlanBuilder::scan(TableReference::bare(name), source, None).map(Some)
}

/// Counts rows by file; a file's name is shown from the table's folder on.
fn by_file(rows: LogicalPlanBuilder, target: &Target) -> Result<LogicalPlan, DataFusionError> {
    let folder = target.location.clone().unwrap_or_default();
    let name = replace(
        cast(ident(FILE_COLUMN), DataType::Utf8),
        lit(folder),
        lit(""),
    );
    rows.aggregate([name.alias("file")], [count(lit(1_i64)).alias("rows")])?
        .sort([ident("file").sort(true, true)])?
        .build()
}

/// Says that no file would be touched.
pub(super) fn nothing(context: &StatementContext) -> Result<Output, Failure> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("file", DataType::Utf8, true),
        Field::new("rows", DataType::Int64, false),
    ]));
    debug_assert!(
        context.events.is_some(),
        "only a running statement is explained"
    );
    Ok(Output::batch(RecordBatch::new_empty(schema)))
}
