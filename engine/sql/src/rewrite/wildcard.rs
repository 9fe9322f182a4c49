//! `* EXCLUDE (K)`, `* REPLACE (… AS K)`: names find columns as they do anywhere else.
//!
//! DataFusion compares the words as they are written, and drops a replacement whose column is not there.

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, ObjectNamePart, Select, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned, WildcardAdditionalOptions,
};

use super::call;
use crate::{identifiers, normalized};

/// The function that returns its first argument; the second is the column that it replaces, which must be
/// there.
pub const REPLACING: &str = "_lakesh_replacing";

/// Folds the names in the options of each `*`, and ties each replacement to its column.
pub(super) fn rewrite(select: &mut Select) {
    for item in &mut select.projection {
        match item {
            SelectItem::Wildcard(options) => fold_options(options, &[]),
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(table),
                options,
            ) => {
                let table = identifiers(table).unwrap_or_default();
                fold_options(options, &table);
            }
            _ => {}
        }
    }
}

fn fold_options(options: &mut WildcardAdditionalOptions, table: &[Ident]) {
    match &mut options.opt_exclude {
        None => {}
        Some(ExcludeSelectItem::Single(name)) => fold_name(name),
        Some(ExcludeSelectItem::Multiple(names)) => names.iter_mut().for_each(fold_name),
    }
    if let Some(except) = &mut options.opt_except {
        fold(&mut except.first_element);
        except.additional_elements.iter_mut().for_each(fold);
    }
    for item in options
        .opt_replace
        .iter_mut()
        .flat_map(|replace| &mut replace.items)
    {
        fold(&mut item.column_name);
        let mut column = table.to_vec();
        column.push(item.column_name.clone());
        let column = match table.is_empty() {
            true => Expr::Identifier(item.column_name.clone()),
            false => Expr::CompoundIdentifier(column),
        };
        let place = item.expr.span();
        item.expr = call(REPLACING, vec![item.expr.clone(), column], place);
    }
}

fn fold_name(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(ident) = part {
            fold(ident);
        }
    }
}

/// Folds a word. That it was written without quotes stays: what it stands for may be spelled in another case.
fn fold(ident: &mut Ident) {
    ident.value = normalized(ident);
}
