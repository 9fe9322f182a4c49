//! `FROM t` without SELECT: every column, as DuckDB reads it. DataFusion would plan rows without columns.

use datafusion::sql::sqlparser::ast::{
    SelectFlavor, SelectItem, SetExpr, WildcardAdditionalOptions,
};

/// Gives each branch of a query that has no SELECT the columns of its tables.
pub fn select_everything(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) if select.flavor == SelectFlavor::FromFirstNoSelect => {
            select.flavor = SelectFlavor::FromFirst;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        SetExpr::SetOperation { left, right, .. } => {
            select_everything(left);
            select_everything(right);
        }
        _ => {}
    }
}
