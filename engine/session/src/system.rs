//! Tables about the session itself: `information_schema.*` and `system.*`.
//!
//! Their rows are made when they are scanned, and only as many tables are opened as the filters on
//! schema and table name leave.

mod cache;
mod columns;
mod encoders;
mod provider;
mod queries;
mod rows;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::datasource::TableProvider;
use futures::future::BoxFuture;
use lakesh_sql::TableName;
use lakesh_text::failure::Failure;
use lakesh_text::input::Substituted;

use super::{Session, StatementContext};

pub use columns::columns_provider;
pub(crate) use provider::Equalities;

/// Rows of a system table, a value a column.
pub(crate) type Rows = Vec<Vec<ScalarValue>>;

/// Makes the rows; may leave out rows that the equalities exclude.
type MakeRows =
    for<'a> fn(&'a StatementContext, &'a Equalities) -> BoxFuture<'a, Result<Rows, Failure>>;

/// A table about the session itself.
pub struct SystemTable {
    pub(crate) schema: &'static str,
    pub(crate) name: &'static str,
    columns: &'static [(&'static str, Kind)],
    rows: MakeRows,
}

/// A system table's column type.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Float,
    Flag,
    /// A moment in UTC, to the microsecond.
    Moment,
}

use crate::system::Kind::{Flag, Float, Moment, Number, Text};

pub(super) static SYSTEM_TABLES: &[SystemTable] = &[
    SystemTable {
        schema: "information_schema",
        name: "columns",
        columns: &[
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("column_name", Text),
            ("ordinal_position", Number),
            ("column_default", Text),
            ("is_nullable", Text),
            ("data_type", Text),
        ],
        rows: |context, equalities| Box::pin(columns::information_schema(context, equalities)),
    },
    SystemTable {
        schema: "information_schema",
        name: "schemata",
        columns: &[
            ("catalog_name", Text),
            ("schema_name", Text),
            ("schema_owner", Text),
        ],
        rows: |context, _| Box::pin(rows::schemata(context)),
    },
    SystemTable {
        schema: "information_schema",
        name: "tables",
        columns: &[
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("table_type", Text),
        ],
        rows: |context, equalities| Box::pin(rows::information_schema_tables(context, equalities)),
    },
    SystemTable {
        schema: "information_schema",
        name: "views",
        columns: &[
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("view_definition", Text),
        ],
        rows: |context, equalities| Box::pin(rows::views(context, equalities)),
    },
    SystemTable {
        schema: "system",
        name: "cache",
        columns: &[
            ("schema", Text),
            ("name", Text),
            ("storage", Text),
            ("rows", Number),
            ("memory_bytes", Number),
            ("disk_bytes", Number),
            ("hits", Number),
            ("misses", Number),
            ("sources", Text),
            ("query", Text),
        ],
        rows: |context, _| Box::pin(cache::cache(context)),
    },
    SystemTable {
        schema: "system",
        name: "encoders",
        columns: &[
            ("schema", Text),
            ("name", Text),
            ("version", Number),
            ("current", Text),
            ("outputs", Text),
            ("relation", Text),
            ("predicate", Text),
            ("rows", Number),
            ("created_at", Text),
        ],
        rows: |context, _| Box::pin(encoders::encoders(context)),
    },
    SystemTable {
        schema: "system",
        name: "feature_views",
        columns: &[
            ("schema", Text),
            ("name", Text),
            ("keys", Text),
            ("timestamp", Text),
            ("query", Text),
        ],
        rows: |context, _| Box::pin(rows::feature_views(context)),
    },
    SystemTable {
        schema: "system",
        name: "functions",
        columns: &[
            ("name", Text),
            ("kind", Text),
            ("usage", Text),
            ("summary", Text),
            ("example", Text),
        ],
        rows: |context, _| Box::pin(rows::functions(context)),
    },
    SystemTable {
        schema: "system",
        name: "operators",
        columns: &[
            ("query_id", Number),
            ("label", Text),
            ("operator_id", Number),
            ("parent_id", Number),
            ("depth", Number),
            ("pipeline", Number),
            ("operator", Text),
            ("detail", Text),
            ("partitions", Number),
            ("estimated_rows", Number),
            ("estimate_exact", Flag),
            ("rows", Number),
            ("elapsed_ms", Float),
            ("bytes_scanned", Number),
            ("files", Number),
            ("files_pruned", Number),
            ("row_groups", Number),
            ("row_groups_pruned", Number),
            ("repartitioned_rows", Number),
            ("repartitioned_bytes", Number),
            ("output_bytes", Number),
            ("peak_memory", Number),
            ("spills", Number),
            ("spilled_bytes", Number),
            ("spilled_rows", Number),
            ("skew", Float),
        ],
        rows: |context, _| Box::pin(queries::operators(context)),
    },
    SystemTable {
        schema: "system",
        name: "queries",
        columns: &[
            ("id", Number),
            ("sql", Text),
            ("statement", Text),
            ("label", Text),
            ("started_at", Moment),
            ("duration_ms", Float),
            ("planning_ms", Float),
            ("execution_ms", Float),
            ("rows", Number),
            ("bytes_scanned", Number),
            ("files", Number),
            ("files_pruned", Number),
            ("row_groups", Number),
            ("row_groups_pruned", Number),
            ("peak_memory", Number),
            ("spilled_bytes", Number),
            ("tables", Text),
            ("status", Text),
            ("error", Text),
        ],
        rows: |context, _| Box::pin(queries::queries(context)),
    },
    SystemTable {
        schema: "system",
        name: "session",
        columns: &[("name", Text), ("value", Text)],
        rows: |context, _| Box::pin(rows::session(context)),
    },
    SystemTable {
        schema: "system",
        name: "settings",
        columns: &[
            ("name", Text),
            ("value", Text),
            ("default_value", Text),
            ("summary", Text),
        ],
        rows: |context, _| Box::pin(rows::settings(context)),
    },
    SystemTable {
        schema: "system",
        name: "tables",
        columns: &[
            ("schema", Text),
            ("name", Text),
            ("kind", Text),
            ("format", Text),
            ("location", Text),
            ("comment", Text),
        ],
        rows: |context, equalities| Box::pin(rows::tables(context, equalities)),
    },
];

impl SystemTable {
    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<_> = self
            .columns
            .iter()
            .map(|(name, kind)| {
                let data_type = match kind {
                    Text => DataType::Utf8,
                    Number => DataType::Int64,
                    Float => DataType::Float64,
                    Flag => DataType::Boolean,
                    Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                };
                Field::new(*name, data_type, true)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }
}

/// Finds a system table by its name.
pub fn find_system_table(name: &TableName) -> Option<&'static SystemTable> {
    SYSTEM_TABLES
        .iter()
        .find(|table| table.schema == name.schema && table.name == name.table)
}

/// Lists the tables and views of a schema, an attachment included, and our own tables.
pub(super) async fn table_names(
    session: &Arc<Session>,
    schema: &str,
) -> Result<Vec<String>, Failure> {
    let context = StatementContext::new(session, Substituted::detached(""), None);
    let entries = rows::entries(&context, &Equalities::of(&[("schema", schema)])).await?;
    let ours = SYSTEM_TABLES.iter().filter(|table| table.schema == schema);
    Ok(entries
        .into_iter()
        .map(|entry| entry.name)
        .chain(ours.map(|table| table.name.to_owned()))
        .collect())
}

/// Opens a system table, where the name is one.
pub(crate) fn system_table(
    context: &StatementContext,
    name: &TableName,
) -> Option<Arc<dyn TableProvider>> {
    find_system_table(name).map(|table| system_provider(context, table))
}

/// Opens a system table.
pub fn system_provider(
    context: &StatementContext,
    table: &'static SystemTable,
) -> Arc<dyn TableProvider> {
    Arc::new(provider::SystemProvider::new(context, table))
}

/// A text value.
pub(crate) fn text(value: impl Into<String>) -> ScalarValue {
    ScalarValue::Utf8(Some(value.into()))
}

/// A text value or NULL.
pub(crate) fn optional(value: Option<String>) -> ScalarValue {
    ScalarValue::Utf8(value)
}
