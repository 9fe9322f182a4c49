//! Rows of the system tables that need no table to be opened.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Documentation;
use lakesh_catalog::{Entry, EntryKind};
use lakesh_encoder::ENCODER_FUNCTIONS;
use lakesh_sql::{SqlFunction, TableName};
use lakesh_text::failure::Failure;
use lakesh_text::quantity::format_size;

use super::{Equalities, Rows, optional, text};
use crate::scope::{APPLY_ENCODER, APPLY_USAGE};
use crate::{Session, StatementContext, moment_text};

/// A table or view, wherever it is known from.
pub(super) struct Listed {
    pub(super) schema: String,
    pub(super) name: String,
    kind: &'static str,
    format: Option<String>,
    location: Option<String>,
    comment: Option<String>,
}

/// Lists tables and views that the equalities on `schema` and `name` admit.
pub(super) async fn entries(
    context: &StatementContext,
    equalities: &Equalities,
) -> Result<Vec<Listed>, Failure> {
    let catalog = context.session.catalog();
    let mut listed: Vec<_> = catalog
        .list(equalities.get("schema"))?
        .into_iter()
        .filter(|entry| equalities.admit("name", &entry.name))
        .map(|entry| Listed {
            kind: match entry.kind {
                EntryKind::View => "view",
                EntryKind::Table if entry.managed => "managed table",
                EntryKind::Table => "external table",
            },
            schema: entry.schema,
            name: entry.name,
            format: entry.format,
            location: entry.location,
            comment: entry.comment,
        })
        .collect();
    for (name, entry) in context.session.all_temporaries() {
        let is_asked =
            equalities.admit("schema", &name.schema) && equalities.admit("name", &name.table);
        if !is_asked {
            continue;
        }
        // The catalog's table of this name cannot be seen meanwhile.
        listed.retain(|other| other.schema != name.schema || other.name != name.table);
        let (kind, format, location) = match &entry {
            Entry::View(_) => ("temporary view", None, None),
            Entry::Table { definition, .. } => (
                "temporary table",
                Some(definition.format.clone()),
                definition.locations.first().cloned(),
            ),
        };
        listed.push(Listed {
            schema: name.schema,
            name: name.table,
            kind,
            format,
            location,
            comment: entry.comment().map(ToOwned::to_owned),
        });
    }
    for attachment in catalog.attachments()? {
        if !equalities.admit("schema", &attachment.name) {
            continue;
        }
        let found = lakesh_table::discover(&attachment.location, &context.table_context()).await?;
        listed.extend(
            found
                .into_iter()
                .filter(|table| equalities.admit("name", &table.name))
                .map(|table| Listed {
                    schema: attachment.name.clone(),
                    name: table.name,
                    kind: "attached table",
                    format: Some(table.format.to_owned()),
                    location: Some(table.location),
                    comment: None,
                }),
        );
    }
    listed.sort_by(|left, right| (&left.schema, &left.name).cmp(&(&right.schema, &right.name)));
    Ok(listed)
}

pub(super) async fn tables(
    context: &StatementContext,
    equalities: &Equalities,
) -> Result<Rows, Failure> {
    let entries = entries(context, equalities).await?;
    Ok(entries
        .into_iter()
        .map(|entry| {
            vec![
                text(entry.schema),
                text(entry.name),
                text(entry.kind),
                optional(entry.format),
                optional(entry.location),
                optional(entry.comment),
            ]
        })
        .collect())
}

pub(super) async fn information_schema_tables(
    context: &StatementContext,
    equalities: &Equalities,
) -> Result<Rows, Failure> {
    let wanted = renamed(equalities);
    let mut all: Vec<_> = entries(context, &wanted)
        .await?
        .into_iter()
        .map(|entry| {
            let kind = if entry.kind.ends_with("view") {
                "VIEW"
            } else {
                "BASE TABLE"
            };
            vec![
                text("lakesh"),
                text(entry.schema),
                text(entry.name),
                text(kind),
            ]
        })
        .collect();
    all.extend(
        super::SYSTEM_TABLES
            .iter()
            .filter(|table| {
                wanted.admit("schema", table.schema) && wanted.admit("name", table.name)
            })
            .map(|table| {
                vec![
                    text("lakesh"),
                    text(table.schema),
                    text(table.name),
                    text("SYSTEM VIEW"),
                ]
            }),
    );
    Ok(all)
}

/// Translates the standard's column names into those of `system.tables`.
fn renamed(equalities: &Equalities) -> Equalities {
    let pairs: Vec<_> = [("schema", "table_schema"), ("name", "table_name")]
        .into_iter()
        .filter_map(|(ours, theirs)| equalities.get(theirs).map(|value| (ours, value)))
        .collect();
    Equalities::of(&pairs)
}

pub(super) async fn views(
    context: &StatementContext,
    equalities: &Equalities,
) -> Result<Rows, Failure> {
    let catalog = context.session.catalog();
    let mut rows = Rows::new();
    for entry in catalog.list(equalities.get("table_schema"))? {
        let wanted = entry.kind == EntryKind::View && equalities.admit("table_name", &entry.name);
        if !wanted {
            continue;
        }
        let Some(lakesh_catalog::Entry::View(view)) = catalog.get(&entry.schema, &entry.name)?
        else {
            continue;
        };
        rows.push(vec![
            text("lakesh"),
            text(entry.schema),
            text(entry.name),
            text(view.query),
        ]);
    }
    Ok(rows)
}

/// Lists feature views with what their rows are about.
pub(super) async fn feature_views(context: &StatementContext) -> Result<Rows, Failure> {
    let catalog = context.session.catalog();
    let mut rows = Rows::new();
    for entry in catalog.list(None)? {
        let found = catalog.get(&entry.schema, &entry.name)?;
        let Some(lakesh_catalog::Entry::View(view)) = found else {
            continue;
        };
        let Some(feature) = view.feature else {
            continue;
        };
        rows.push(vec![
            text(entry.schema),
            text(entry.name),
            text(feature.keys.join(", ")),
            text(feature.timestamp),
            text(view.query),
        ]);
    }
    Ok(rows)
}

pub(super) async fn schemata(context: &StatementContext) -> Result<Rows, Failure> {
    let catalog = context.session.catalog();
    let mut names: Vec<_> = catalog
        .schemas()?
        .into_iter()
        .map(|schema| schema.name)
        .collect();
    names.extend(catalog.attachments()?.into_iter().map(|found| found.name));
    names.extend(["information_schema".to_owned(), "system".to_owned()]);
    names.sort();
    Ok(names
        .into_iter()
        .map(|name| vec![text("lakesh"), text(name), ScalarValue::Utf8(None)])
        .collect())
}

pub(super) async fn settings(context: &StatementContext) -> Result<Rows, Failure> {
    Ok(context
        .session
        .shown_settings()
        .into_iter()
        .map(|setting| {
            vec![
                text(setting.name),
                optional(setting.value),
                optional(setting.default),
                text(setting.summary),
            ]
        })
        .collect())
}

pub(super) async fn functions(context: &StatementContext) -> Result<Rows, Failure> {
    let state = &context.state;
    let mut rows = Rows::new();
    let mut push = |name: &str, kind: &str, documentation: Option<&Documentation>| {
        let usage = documentation.map(|found| found.syntax_example.clone());
        let summary = documentation.map(|found| found.description.clone());
        let example = documentation.and_then(|found| found.sql_example.clone());
        rows.push(vec![
            text(name),
            text(kind),
            optional(usage),
            optional(summary),
            optional(example),
        ]);
    };
    let ours = |name: &str| lakesh_function::find(name).and_then(|found| found.documentation());
    let scalar = state.scalar_functions().iter();
    for (name, function) in scalar.filter(|(name, _)| !lakesh_sql::is_of_the_parser(name)) {
        push(
            name,
            "scalar",
            ours(name).or_else(|| function.documentation()),
        );
    }
    for function in lakesh_function::functions() {
        let is_registered = |name: &str| {
            state.scalar_functions().contains_key(name)
                || state.aggregate_functions().contains_key(name)
        };
        let names = function.names().filter(|name| !is_registered(name));
        for name in names {
            push(name, function.kind(), function.documentation());
        }
    }
    for (name, function) in state.aggregate_functions() {
        push(name, "aggregate", function.documentation());
    }
    for (name, function) in state.window_functions() {
        push(name, "window", function.documentation());
    }
    for name in state.table_functions().keys() {
        push(name, "table", None);
    }
    for function in ENCODER_FUNCTIONS {
        rows.push(vec![
            text(function.name),
            text("encoder"),
            text(function.usage),
            text(function.summary),
            optional(None),
        ]);
    }
    for entry in context.session.catalog().functions()? {
        // A definition that a newer lakesh wrote must not hide the others.
        let function: Option<SqlFunction> = serde_json::from_str(&entry.definition).ok();
        let name = TableName::new(&entry.schema, &entry.name).shown(context.current_schema());
        rows.push(vec![
            text(name.as_str()),
            text("sql"),
            optional(function.as_ref().map(|function| function.usage(&name))),
            optional(function.map(|function| function.body)),
            optional(None),
        ]);
    }
    rows.push(vec![
        text(APPLY_ENCODER),
        text("scalar"),
        text(APPLY_USAGE),
        text("The encoding of a value by an output of an encoder that CREATE ENCODER has made."),
        text("SELECT apply_encoder('te', 'city_te', city) FROM test"),
    ]);
    for function in context.session.described_table_functions() {
        rows.push(vec![
            text(function.name),
            text("table"),
            text(function.usage),
            text(function.summary),
            optional(function.example),
        ]);
    }
    rows.sort_by_key(|row| row[0].to_string());
    Ok(rows)
}

pub(super) async fn session(context: &StatementContext) -> Result<Rows, Failure> {
    let session = &context.session;
    let usage = session.memory().usage();
    let changed: Vec<_> = session
        .shown_settings()
        .into_iter()
        .filter(|setting| setting.value != setting.default)
        .filter(|setting| !differs_by_design(session, &setting.name, setting.value.as_deref()))
        .map(|setting| format!("{} = {}", setting.name, setting.value.unwrap_or_default()))
        .collect();
    let catalog = session.catalog();
    let pairs = [
        ("version", Some(env!("CARGO_PKG_VERSION").to_owned())),
        (
            "datafusion",
            Some(datafusion::DATAFUSION_VERSION.to_owned()),
        ),
        ("catalog", Some(shown_location(catalog))),
        ("schema", Some(session.current_schema())),
        (
            "as_of",
            Some(
                session
                    .as_of()
                    .map_or_else(|| "latest".to_owned(), moment_text),
            ),
        ),
        (
            "read_only",
            Some(
                (session.options().capabilities.is_read_only() || session.as_of().is_some())
                    .to_string(),
            ),
        ),
        (
            "threads",
            Some(context.state.config().target_partitions().to_string()),
        ),
        ("memory_limit", Some(format_size(usage.limit))),
        ("memory_used", Some(format_size(usage.used))),
        ("memory_peak", Some(format_size(session.highest_memory()))),
        (
            "temp_folder",
            Some(session.options().temp_folder.display().to_string()),
        ),
        (
            "temp_used",
            Some(format_size(session.memory().spill().used())),
        ),
        (
            "settings_changed",
            (!changed.is_empty()).then(|| changed.join(", ")),
        ),
    ];
    Ok(pairs
        .into_iter()
        .map(|(name, value)| vec![text(name), optional(value)])
        .collect())
}

fn shown_location(catalog: &lakesh_catalog::Catalog) -> String {
    catalog.location().folder().map_or_else(
        || "in memory".to_owned(),
        |folder| folder.display().to_string(),
    )
}

/// Says whether a setting of DataFusion's has the value that every session begins with.
fn differs_by_design(session: &Session, name: &str, value: Option<&str>) -> bool {
    session.initial_setting(name).as_deref() == value
}
