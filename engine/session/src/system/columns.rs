//! The columns of tables: `information_schema.columns`, DESCRIBE, SHOW COLUMNS.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::{MemTable, TableProvider};
use datafusion::sql::sqlparser::ast::Ident;
use lakesh_catalog::definition::TableVersion;
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, sql_type_name};

use super::{Equalities, Rows, optional, provider, rows, text};
use crate::StatementContext;
use crate::scope::Resolver;

/// Returns the table that DESCRIBE shows: column_name, data_type, is_nullable, comment.
pub fn columns_provider(schema: &SchemaRef) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let names = ["column_name", "data_type", "is_nullable", "comment"];
    let fields: Vec<_> = names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true))
        .collect();
    let shown = Arc::new(Schema::new(fields));
    let batch = provider::batch(&shown, column_rows(schema))?;
    Ok(Arc::new(MemTable::try_new(shown, vec![vec![batch]])?))
}

fn column_rows(schema: &SchemaRef) -> Rows {
    schema
        .fields()
        .iter()
        .map(|field| {
            vec![
                text(field.name()),
                text(sql_type_name(field.data_type())),
                text(if field.is_nullable() { "YES" } else { "NO" }),
                optional(field.metadata().get("comment").map(ToOwned::to_owned)),
            ]
        })
        .collect()
}

/// Rows of `information_schema.columns`. A table that cannot be opened has no rows here.
pub(super) async fn information_schema(
    context: &StatementContext,
    equalities: &Equalities,
) -> Result<Rows, Failure> {
    let wanted = Equalities::of(
        &[("schema", "table_schema"), ("name", "table_name")]
            .iter()
            .filter_map(|(ours, theirs)| equalities.get(theirs).map(|value| (*ours, value)))
            .collect::<Vec<_>>(),
    );
    let mut all = Rows::new();
    let mut resolver = Resolver::new(context);
    for entry in rows::entries(context, &wanted).await? {
        let name = TableName::new(&entry.schema, &entry.name);
        let parts = [Ident::with_quote('"', &entry.name)];
        let Ok(source) = resolver.named(&name, &parts, TableVersion::Latest).await else {
            continue;
        };
        for (position, field) in source.schema().fields().iter().enumerate() {
            all.push(vec![
                text("lakesh"),
                text(&entry.schema),
                text(&entry.name),
                text(field.name()),
                ScalarValue::Int64(Some(position as i64 + 1)),
                ScalarValue::Utf8(None),
                text(if field.is_nullable() { "YES" } else { "NO" }),
                text(sql_type_name(field.data_type())),
            ]);
        }
    }
    Ok(all)
}
