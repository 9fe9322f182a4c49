//! The names by which the planner asks for relations.

use datafusion::common::TableReference;
use datafusion::sql::sqlparser::ast::Ident;
use lakesh_sql::normalized;

/// Returns the reference by which the planner will ask for a name.
pub(super) fn reference(parts: &[Ident]) -> TableReference {
    let names: Vec<_> = parts.iter().map(normalized).collect();
    match names.as_slice() {
        [catalog, schema, table] => {
            TableReference::full(catalog.clone(), schema.clone(), table.clone())
        }
        [schema, table] => TableReference::partial(schema.clone(), table.clone()),
        _ => TableReference::bare(names.join(".")),
    }
}
