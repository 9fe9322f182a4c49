//! The source of a MERGE: a table, an old version of one, a file, a function or a query.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, DataFusionError, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::sql::sqlparser::ast::{Ident, TableAlias, TableFactor};
use lakesh_session::StatementContext;
use lakesh_sql::{ParseResult, Selection, VersionClauses, split_version, without_joins};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

/// The rows that are merged into the table.
pub(super) struct Source {
    /// What the clauses call it.
    pub(super) name: String,
    factor: TableFactor,
    versions: VersionClauses,
}

impl Source {
    /// Takes a FROM item and gives it a name if it has none.
    pub(super) fn new(mut factor: TableFactor, versions: VersionClauses) -> ParseResult<Self> {
        let default = default_name(&factor);
        let (TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::Function { alias, .. }) = &mut factor
        else {
            return Err(DataFusionError::Plan(format!(
                "`{factor}` cannot be the source of a MERGE; put it into a query: USING (SELECT …) AS source"
            )));
        };
        let alias = alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: Ident::with_quote('"', default),
            columns: Vec::new(),
            at: None,
        });
        Ok(Self {
            name: lakesh_sql::normalized(&alias.name),
            factor,
            versions,
        })
    }

    /// Plans the rows.
    pub(super) async fn plan(
        &self,
        context: &StatementContext,
    ) -> Result<Erased<LogicalPlan>, Failure> {
        let selection = Selection {
            distinct: false,
            items: Vec::new(),
            from: vec![without_joins(self.factor.clone())],
            condition: None,
        };
        let query = selection
            .query(self.versions.clone())
            .map_err(|error| context.failure(error))?;
        let plan = context.plan(query).await?.into_inner();
        in_microseconds(plan)
            .map(Erased::new)
            .map_err(|error| context.failure(error))
    }

    /// Returns the columns under the source's name.
    pub(super) fn schema(
        &self,
        context: &StatementContext,
        plan: &LogicalPlan,
    ) -> Result<DFSchema, Failure> {
        let name = TableReference::bare(self.name.as_str());
        DFSchema::try_from_qualified_schema(name, plan.schema().as_arrow())
            .map_err(|error| context.failure(error))
    }
}

/// Returns what a source without an alias is called.
fn default_name(factor: &TableFactor) -> String {
    let TableFactor::Table { name, .. } = factor else {
        return "source".to_owned();
    };
    match name.0.last().and_then(|part| part.as_ident()) {
        Some(last) if last.quote_style == Some('\'') => "source".to_owned(),
        Some(last) => {
            let name = lakesh_sql::normalized(last);
            match split_version(&name) {
                Some((plain, _)) if last.quote_style.is_none() => plain.to_owned(),
                _ => name,
            }
        }
        None => "source".to_owned(),
    }
}

/// Brings timestamps to the precision of Delta tables, so that both sides of a merge have the same.
fn in_microseconds(plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
    let schema = plan.schema();
    let finer =
        |data_type: &DataType| matches!(data_type, DataType::Timestamp(TimeUnit::Nanosecond, _));
    if !schema.fields().iter().any(|field| finer(field.data_type())) {
        return Ok(plan);
    }
    let columns: Vec<Expr> = schema
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::from((qualifier, field));
            match field.data_type() {
                DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                    let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                    cast(column, micros).alias(field.name())
                }
                _ => column,
            }
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
