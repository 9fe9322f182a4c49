//! Text that is converted from one form of it to another, row by row.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};

use crate::evidence::Node;
use crate::finding::{CopyLayout, Remedy, Severity};
use crate::layout::as_text;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "converted-text",
    summary: "A column of text is converted row by row: from a dictionary or from views to plain text, or to a dictionary.",
    advice: "Functions work on plain text; what a file calls a dictionary (pandas writes categories so) is \
             unpacked first, and so are the views that `schema_force_view_types` asks for. Keep the column as \
             plain text: Parquet has dictionaries of its own, which cost nothing.",
    measured: false,
    setup: super::lakes::CATEGORIES,
    fires: "SELECT count(*) AS n FROM './categories.parquet' WHERE split_part(kind, ' ', 2) = '7'",
    silent: "SELECT count(*) AS n FROM './categories.parquet' WHERE split_part(name, ' ', 2) = '7'",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let nodes = evidence.nodes.iter();
    let found = nodes.filter_map(|node| Some((node, converted(node)?)));
    found
        .take(1)
        .map(|(node, (column, from))| finding(evidence, node, &column, &from))
        .collect()
}

fn finding(evidence: &Evidence, node: &Node, column: &str, from: &DataType) -> Finding {
    let is_view = matches!(from, DataType::Utf8View);
    let text = match from {
        DataType::Utf8View => format!("`{column}` comes as views and is converted to plain text"),
        DataType::Dictionary(..) => {
            format!("`{column}` comes as a dictionary and is converted to plain text")
        }
        _ => format!("`{column}` is made a dictionary to be compared with one"),
    };
    let finding = Finding::new(
        // Unpacking is seldom what a query spends its time on.
        Severity::Info,
        node.label(),
        format!("{text} for every row"),
    )
    .gain(1.1);
    let finding = match node.rows {
        Some(rows) => finding.evidence(format!("about {rows} rows")),
        None => finding,
    };
    if is_view && evidence.options.execution.parquet.schema_force_view_types {
        return finding.setting(
            "datafusion.execution.parquet.schema_force_view_types",
            "false",
        );
    }
    // Of the two that are compared, the dictionary is the one to change.
    let packed = evidence.tables.iter().find_map(|table| {
        let partitions = &table.files.partition_columns;
        let mut fields = table.schema.fields().iter();
        let field = fields.find(|field| {
            let of_text =
                matches!(field.data_type(), DataType::Dictionary(_, value) if value.is_string());
            let named = field.name() == column || !matches!(from, DataType::Dictionary(..));
            of_text && named && !partitions.contains(field.name())
        })?;
        Some((table, field.name()))
    });
    match packed {
        None => finding,
        Some((table, column)) => finding.remedy(Remedy::Layout {
            statement: as_text(table, column),
            table: table.name.clone(),
            copy: CopyLayout::default(),
        }),
    }
}

/// Finds a column of text that an expression of a node converts to another form of text.
fn converted(node: &Node) -> Option<(String, DataType)> {
    let input = node.plan.children().first().map(|input| input.schema());
    let schema = input.unwrap_or_else(|| node.plan.schema());
    let mut found = None;
    let walked = node.plan.apply_expressions(&mut |expression| {
        Arc::clone(expression).apply(|part| {
            if found.is_none() {
                found = conversion(part, &schema);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    walked.ok().and(found)
}

fn conversion(part: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<(String, DataType)> {
    let cast = part.downcast_ref::<CastExpr>()?;
    let column = cast.expr().downcast_ref::<Column>()?;
    let from = column.data_type(schema).ok()?;
    let is_plain = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8);
    let is_dictionary =
        |kind: &DataType| matches!(kind, DataType::Dictionary(_, value) if value.is_string());
    let to = cast.cast_type();
    let unpacked = (is_dictionary(&from) || from == DataType::Utf8View) && is_plain(to);
    let packed = is_plain(&from) && is_dictionary(to);
    (unpacked || packed).then(|| (column.name().to_owned(), from))
}
