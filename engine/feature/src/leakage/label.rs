//! Finds the columns that LABEL and AT name, and what the target is made of.

use datafusion::common::DFSchema;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use lakesh_session::StatementContext;
use lakesh_sql::normalized;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::similar::closest;

use super::facts::{Linear, Origin};
use super::lineage::{Reach, Relation, Value};
use super::walk::Walker;

/// The label: when it is, and of which columns of tables.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) times: Vec<Origin>,
    pub(super) targets: Vec<Origin>,
    /// The name of the time, for messages.
    pub(super) time: String,
    pub(super) target: String,
    /// Which columns of the result are the label itself.
    pub(super) outputs: Vec<usize>,
}

/// What a name in LABEL or AT stands for.
struct Named {
    output: Option<usize>,
    value: Value,
}

impl Label {
    pub(super) fn find(
        (target, time): (&ObjectName, &ObjectName),
        (schema, relation): (&DFSchema, &Relation),
        walker: &Walker<'_>,
        context: &StatementContext,
    ) -> Result<Self, Failure> {
        let find = |name: &ObjectName| {
            let parts = lakesh_sql::identifiers(name).unwrap_or_default();
            let place = parts.last().map(|part| context.place(part.span.start));
            named(&parts, schema, relation, walker).map_err(|failure| match place {
                Some(place) => failure.at(place),
                None => failure,
            })
        };
        let found_time = find(time)?;
        let times: Vec<Origin> = found_time
            .value
            .linear
            .iter()
            .flat_map(Linear::exact)
            .collect();
        if times.is_empty() {
            let parts = lakesh_sql::identifiers(time).unwrap_or_default();
            let failure = Failure::new(
                FailureKind::Plan,
                format!("`{time}` is computed: the label's time is a column of a table"),
            )
            .hint("name the table's column in AT, as in `AT labels.ts`");
            return Err(match parts.last() {
                Some(part) => failure.at(context.place(part.span.start)),
                None => failure,
            });
        }
        let found = find(target)?;
        let targets = targets(&found.value, &times);
        let outputs = [found_time.output, found.output]
            .into_iter()
            .flatten()
            .collect();
        Ok(Self {
            times,
            targets,
            time: time.to_string(),
            target: target.to_string(),
            outputs,
        })
    }
}

/// The columns that a target is made of. A target that looks at other rows is no column of its row: what
/// sees the rows that it sees is found by their times.
fn targets(value: &Value, times: &[Origin]) -> Vec<Origin> {
    if let Some(linear) = &value.linear {
        return linear.columns().collect();
    }
    let all_own = value.dependencies.iter().all(|one| one.reach == Reach::Own);
    let columns = value.dependencies.iter().filter_map(|one| {
        Some(Origin {
            scan: one.scan,
            column: one.column?,
        })
    });
    columns
        .filter(|origin| all_own && !times.contains(origin))
        .collect()
}

/// Finds a name in the result, or else in what the query reads.
fn named(
    parts: &[Ident],
    schema: &DFSchema,
    relation: &Relation,
    walker: &Walker<'_>,
) -> Result<Named, Failure> {
    let names: Vec<String> = parts.iter().map(normalized).collect();
    let (column, table) = match names.as_slice() {
        [.., table, column] => (column.as_str(), Some(table.as_str())),
        [column] => (column.as_str(), None),
        [] => ("", None),
    };
    let is_meant = |qualifier: Option<&str>| table.is_none() || table == qualifier;
    let mut places = schema.iter().enumerate().filter(|(_, (qualifier, field))| {
        field.name() == column && is_meant(qualifier.map(|qualifier| qualifier.table()))
    });
    if let Some((place, _)) = places.next() {
        if places.next().is_some() {
            return Err(ambiguous(column));
        }
        let value = relation.columns.get(place).cloned().unwrap_or_default();
        return Ok(Named {
            output: Some(place),
            value,
        });
    }
    let mut found: Vec<&Value> = Vec::new();
    for (name, columns) in &walker.named {
        if !is_meant(Some(name)) {
            continue;
        }
        for (_, value) in columns.iter().filter(|(name, _)| name == column) {
            if !found.iter().any(|known| known.linear == value.linear) {
                found.push(value);
            }
        }
    }
    match found.as_slice() {
        [value] => Ok(Named {
            output: None,
            value: (*value).clone(),
        }),
        [] => Err(not_found(column, schema, walker)),
        _ => Err(ambiguous(column)),
    }
}

fn ambiguous(column: &str) -> Failure {
    Failure::new(
        FailureKind::Plan,
        format!("`{column}` is a column of several tables of the query"),
    )
    .hint(format!("name the table too, as in `labels.{column}`"))
}

fn not_found(column: &str, schema: &DFSchema, walker: &Walker<'_>) -> Failure {
    let failure = Failure::new(
        FailureKind::Plan,
        format!("the query has no column `{column}`"),
    );
    let below = walker
        .named
        .iter()
        .flat_map(|(_, columns)| columns.iter().map(|(name, _)| name));
    let all = schema
        .fields()
        .iter()
        .map(|field| field.name())
        .chain(below);
    match closest(column, all.map(String::as_str)) {
        Some(close) => failure.hint(format!("did you mean `{close}`?")),
        None => failure.hint("LABEL and AT name columns that the query returns or reads"),
    }
}
