//! The plan of DIFF SUMMARY TABLE: columns, properties and files that differ, and changed rows counted.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, DataFusionError, ScalarValue};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use datafusion::prelude::get_field;
use lakesh_table::Difference;
use lakesh_text::failure::sql_type_name;

/// The columns of a summary.
const COLUMNS: [&str; 5] = ["item", "name", "from_value", "to_value", "count"];

/// Plans the summary: item, name, from_value, to_value, count.
pub(super) fn plan(
    difference: &Difference,
    rows: LogicalPlan,
) -> Result<LogicalPlan, DataFusionError> {
    let of = |change: &str| -> Result<Expr, DataFusionError> {
        let change_type = Expr::Column(Column::new_unqualified("_change_type"));
        let counted = when(change_type.eq(lit(change)), lit(1_i64)).end()?;
        Ok(count(counted).alias(change))
    };
    let none: [Expr; 0] = [];
    let counts = LogicalPlanBuilder::from(rows)
        .aggregate(none, [of("insert")?, of("delete")?, of("update_preimage")?])?
        .build()?;
    let mut items = schema_items(&difference.from.rows.schema(), &difference.to.rows.schema());
    items.extend(property_items(difference));
    let files = |name: &str, files: u64| {
        let files = lit(i64::try_from(files).unwrap_or(i64::MAX));
        item(name, None, None, None, Some(files))
    };
    items.push(files("files_removed", difference.from.files));
    items.push(files("files_added", difference.to.files));
    items.push(files("files_unchanged", difference.same_files));
    for (name, change) in [
        ("rows_inserted", "insert"),
        ("rows_deleted", "delete"),
        ("rows_updated", "update_preimage"),
    ] {
        let count = Expr::Column(Column::new_unqualified(change));
        items.push(item(name, None, None, None, Some(count)));
    }
    let all = Expr::Column(Column::new_unqualified("items"));
    LogicalPlanBuilder::from(counts)
        .project([make_array(items).alias("items")])?
        .unnest_column(Column::new_unqualified("items"))?
        .project(COLUMNS.map(|name| get_field(all.clone(), name).alias(name)))?
        .build()
}

fn item(
    what: &str,
    name: Option<&str>,
    from: Option<String>,
    to: Option<String>,
    count: Option<Expr>,
) -> Expr {
    let text = |value: Option<String>| lit(ScalarValue::Utf8(value));
    let count = count.unwrap_or_else(|| lit(ScalarValue::Int64(None)));
    let values = [
        text(Some(what.to_owned())),
        text(name.map(ToOwned::to_owned)),
        text(from),
        text(to),
        cast(count, DataType::Int64),
    ];
    let fields = COLUMNS.iter().zip(values);
    named_struct(
        fields
            .flat_map(|(name, value)| [lit(*name), value])
            .collect(),
    )
}

fn schema_items(from: &Schema, to: &Schema) -> Vec<Expr> {
    let mut items = Vec::new();
    let shown = |schema: &Schema, name: &str| {
        let field = schema.field_with_name(name).ok()?;
        let required = if field.is_nullable() { "" } else { " NOT NULL" };
        Some(format!("{}{required}", sql_type_name(field.data_type())))
    };
    for field in from.fields() {
        let name = field.name().as_str();
        let (before, after) = (shown(from, name), shown(to, name));
        if after.is_none() {
            items.push(item("column_dropped", Some(name), before, None, None));
        } else if before != after {
            items.push(item("column_changed", Some(name), before, after, None));
        }
    }
    for field in to.fields() {
        let name = field.name().as_str();
        if from.field_with_name(name).is_err() {
            items.push(item(
                "column_added",
                Some(name),
                None,
                shown(to, name),
                None,
            ));
        }
    }
    items
}

fn property_items(difference: &Difference) -> Vec<Expr> {
    let (from, to) = (&difference.from.properties, &difference.to.properties);
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    names
        .into_iter()
        .filter(|name| from.get(*name) != to.get(*name))
        .map(|name| {
            let values = (from.get(name).cloned(), to.get(name).cloned());
            item("property_changed", Some(name), values.0, values.1, None)
        })
        .collect()
}
