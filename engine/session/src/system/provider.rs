//! A table provider over rows that are made when they are scanned.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session as DataFusionSession, TableProvider};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use super::{Rows, SystemTable};
use crate::{Session, StatementContext};

/// `column = 'text'` conditions that every returned row must meet.
#[derive(Debug, Default)]
pub(crate) struct Equalities(HashMap<String, String>);

impl Equalities {
    /// Returns the only value that a column may have.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }

    /// Says whether a column may have this value.
    pub(crate) fn admit(&self, column: &str, value: &str) -> bool {
        self.get(column).is_none_or(|only| only == value)
    }

    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs
            .iter()
            .map(|(column, value)| ((*column).to_owned(), (*value).to_owned()));
        Self(pairs.collect())
    }

    fn from_filters(filters: &[Expr]) -> Self {
        Self(filters.iter().filter_map(equality).collect())
    }
}

/// Reads `column = 'text'`.
fn equality(filter: &Expr) -> Option<(String, String)> {
    let Expr::BinaryExpr(BinaryExpr {
        left,
        op: Operator::Eq,
        right,
    }) = filter
    else {
        return None;
    };
    let (column, value) = match (&**left, &**right) {
        (Expr::Column(column), Expr::Literal(value, _))
        | (Expr::Literal(value, _), Expr::Column(column)) => (column, value),
        _ => return None,
    };
    let value = value.try_as_str()??;
    Some((column.name.clone(), value.to_owned()))
}

/// A table provider over rows that are made when they are scanned.
pub(super) struct SystemProvider {
    session: Arc<Session>,
    table: &'static SystemTable,
    schema: SchemaRef,
}

impl SystemProvider {
    pub(super) fn new(context: &StatementContext, table: &'static SystemTable) -> Self {
        Self {
            session: Arc::clone(&context.session),
            schema: table.arrow_schema(),
            table,
        }
    }
}

impl fmt::Debug for SystemProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.table.schema, self.table.name)
    }
}

#[async_trait]
impl TableProvider for SystemProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        Ok(filters
            .iter()
            .map(|filter| match equality(filter) {
                Some(_) => TableProviderFilterPushDown::Inexact,
                None => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        _state: &dyn DataFusionSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let context = StatementContext::background(&self.session);
        let equalities = Equalities::from_filters(filters);
        let rows = (self.table.rows)(&context, &equalities)
            .await
            .map_err(|failure| DataFusionError::External(Box::new(failure)))?;
        let batch = batch(&self.schema, rows)?;
        let plan = MemorySourceConfig::try_new_exec(
            &[vec![batch]],
            Arc::clone(&self.schema),
            projection.cloned(),
        )?;
        Ok(plan)
    }
}

/// Turns rows into a batch.
pub(super) fn batch(schema: &SchemaRef, rows: Rows) -> Result<RecordBatch, DataFusionError> {
    let count = rows.len();
    let mut columns: Vec<Vec<ScalarValue>> = schema
        .fields()
        .iter()
        .map(|_| Vec::with_capacity(count))
        .collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let arrays = columns
        .into_iter()
        .zip(schema.fields())
        .map(|(values, field)| {
            if values.is_empty() {
                return Ok(datafusion::arrow::array::new_empty_array(field.data_type()));
            }
            ScalarValue::iter_to_array(values)
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        arrays,
        &options,
    )?)
}
