//! Names that were not found, and those that may have been meant.

use datafusion::common::Column;

use super::explain::{Finding, Target};
use crate::failure::{FailureKind, Subject};
use crate::keyword::quoted_name;
use crate::similar::closest;

/// How many columns a hint lists.
const LISTED: usize = 10;

/// Explains a column that no table in sight has.
pub(super) fn column_not_found(field: &Column, valid: &[Column]) -> Finding {
    let name = path(field);
    let mut finding = Finding::new(FailureKind::Plan, format!("column `{name}` not found"));
    finding.subject = Some(Subject::Column);
    finding.targets.push(Target::Name(name));
    finding.hints.extend(column_hint(field, valid));
    finding
}

/// Explains a column that several tables have; `notes` may name them.
pub(super) fn ambiguous_column(field: &Column) -> Finding {
    let name = path(field);
    let mut finding = Finding::new(FailureKind::Plan, format!("column `{name}` is ambiguous"));
    finding.subject = Some(Subject::Column);
    finding.targets.push(Target::Name(name));
    finding
}

/// The column's name as a user would write it, with its table if it has one.
fn path(column: &Column) -> String {
    match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    }
}

fn table(column: &Column) -> Option<&str> {
    column.relation.as_ref().map(|relation| relation.table())
}

fn column_hint(field: &Column, valid: &[Column]) -> Option<String> {
    if valid.is_empty() {
        let name = &field.name;
        return Some(format!(
            "nothing here has columns; a string is written '{name}'"
        ));
    }
    let same_table = |column: &&Column| field.relation.is_none() || table(column) == table(field);
    if field.relation.is_some() && !valid.iter().any(|column| same_table(&column)) {
        return Some(other_table_hint(field, valid));
    }
    let here: Vec<&Column> = valid.iter().filter(same_table).collect();
    let other_case = here
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(&field.name) && column.name != field.name);
    if let Some(column) = other_case {
        let name = quoted_name(&column.name);
        let why = "upper and lower case count, and only names in double quotes keep upper case";
        return Some(format!("did you mean `{name}`? {why}"));
    }
    if let Some(name) = closest(&field.name, here.iter().map(|column| column.name.as_str())) {
        let tables = here.iter().filter(|column| column.name == name);
        let mut tables: Vec<Option<&str>> = tables.map(|column| table(column)).collect();
        tables.dedup();
        let meant = match (tables.as_slice(), &field.relation) {
            ([Some(only)], Some(_)) => format!("{only}.{}", quoted_name(name)),
            _ => quoted_name(name),
        };
        return Some(format!("did you mean `{meant}`?"));
    }
    Some(list(here.iter().map(|column| column.name.as_str())))
}

/// The hint for a column of a table that is not in sight.
fn other_table_hint(field: &Column, valid: &[Column]) -> String {
    if let Some(column) = valid.iter().find(|column| column.name == field.name) {
        return format!("did you mean `{}`?", path(column));
    }
    let mut tables: Vec<&str> = valid.iter().filter_map(table).collect();
    tables.dedup();
    let wanted = table(field).unwrap_or_default();
    format!(
        "there is no table `{wanted}` here, only {}",
        tables.join(", ")
    )
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let shown: Vec<String> = all
        .iter()
        .take(LISTED)
        .map(|name| quoted_name(name))
        .collect();
    let shown = shown.join(", ");
    if all.len() > LISTED {
        format!("columns here: {shown}, … ({} in all)", all.len())
    } else {
        format!("columns here: {shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
        let hint = list(names.iter().map(String::as_str));
        assert!(hint.ends_with("c8, c9, … (12 in all)"), "{hint}");
    }
}
