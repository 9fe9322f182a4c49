//! A SELECT: its list, its clauses, its windows.

use datafusion::sql::sqlparser::ast::{
    ConnectByKind, Distinct, ExcludeSelectItem, GroupByExpr, GroupByWithModifier,
    NamedWindowDefinition, NamedWindowExpr, Select, SelectItem, SelectItemQualifiedWildcardKind,
    Spanned, TableWithJoins, WildcardAdditionalOptions,
};

use super::{Checked, Refusal, call, relation};
use crate::normalized;

/// Checks one SELECT; the expressions below it are visited on their own.
pub(super) fn select(select: &Select) -> Checked {
    let Select {
        select_token,
        // Comments of ours, read from the text.
        optimizer_hints: _,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by,
        cluster_by,
        distribute_by: _,
        sort_by,
        having: _,
        named_window,
        qualify: _,
        window_before_qualify: _,
        value_table_mode,
        flavor: _,
    } = select;
    let (None | Some(Distinct::All | Distinct::Distinct | Distinct::On(_))) = distinct;
    let refused = [
        (
            select_modifiers
                .as_ref()
                .is_some_and(|modifiers| modifiers.is_any_set()),
            "select",
            "a modifier of MySQL's SELECT is not supported",
        ),
        (
            top.is_some(),
            "top",
            "TOP is not supported; write LIMIT at the end",
        ),
        (
            exclude.is_some(),
            "exclude",
            "EXCLUDE behind the list is not supported; write * EXCLUDE (column)",
        ),
        (
            into.is_some(),
            "into",
            "SELECT INTO is not supported; write CREATE TABLE … AS SELECT",
        ),
        (
            !lateral_views.is_empty(),
            "lateral view",
            "LATERAL VIEW is not supported; use unnest(…) in the list, or CROSS JOIN LATERAL",
        ),
        (
            prewhere.is_some(),
            "prewhere",
            "PREWHERE is not supported; write WHERE",
        ),
        (
            !cluster_by.is_empty(),
            "cluster by",
            "CLUSTER BY is not supported; use DISTRIBUTE BY or ORDER BY",
        ),
        (
            !sort_by.is_empty(),
            "sort by",
            "SORT BY is not supported; use ORDER BY",
        ),
        (
            value_table_mode.is_some(),
            "as",
            "SELECT AS STRUCT and AS VALUE are not supported",
        ),
    ];
    let start = select_token.0.span.start;
    if let Some((_, words, message)) = refused.into_iter().find(|(present, ..)| *present) {
        return Err(Refusal::clause(start, words, message));
    }
    check_connect_by(connect_by)?;
    items(projection)?;
    for TableWithJoins { relation: _, joins } in from {
        joins.iter().try_for_each(relation::join)?;
    }
    check_group_by(group_by, select)?;
    for NamedWindowDefinition(_, window) in named_window {
        match window {
            NamedWindowExpr::NamedWindow(_) => {}
            NamedWindowExpr::WindowSpec(spec) => call::window(spec)?,
        }
    }
    Ok(())
}

fn check_connect_by(clauses: &[ConnectByKind]) -> Checked {
    let Some(first) = clauses.first() else {
        return Ok(());
    };
    let (token, what) = match first {
        ConnectByKind::ConnectBy {
            connect_token,
            nocycle: _,
            relationships: _,
        } => (connect_token, "CONNECT BY"),
        ConnectByKind::StartWith {
            start_token,
            condition: _,
        } => (start_token, "START WITH"),
    };
    Err(Refusal::at(
        token.0.span.start,
        format!("{what} is not supported; use WITH RECURSIVE"),
    ))
}

fn check_group_by(group_by: &GroupByExpr, select: &Select) -> Checked {
    let (is_all, modifiers) = match group_by {
        GroupByExpr::All(modifiers) => (true, modifiers),
        GroupByExpr::Expressions(_, modifiers) => (false, modifiers),
    };
    let Some(first) = modifiers.first() else {
        return Ok(());
    };
    let (words, what) = match first {
        GroupByWithModifier::Rollup => ("with rollup", "WITH ROLLUP"),
        GroupByWithModifier::Cube => ("with cube", "WITH CUBE"),
        GroupByWithModifier::GroupingSets(_) => ("grouping sets", "GROUPING SETS"),
        GroupByWithModifier::Totals => {
            return Err(Refusal::clause(
                select.select_token.0.span.start,
                "with totals",
                "WITH TOTALS is not supported; GROUP BY ROLLUP (…) adds a row of totals",
            ));
        }
    };
    let message = match (is_all, modifiers.len()) {
        (false, 1) => return Ok(()),
        (false, _) => format!("{what} cannot stand beside another of its kind"),
        (true, _) => format!("{what} is not supported behind GROUP BY ALL; name the columns"),
    };
    Err(Refusal::clause(
        select.select_token.0.span.start,
        words,
        message,
    ))
}

/// Checks the items of a list of columns.
pub(super) fn items(items: &[SelectItem]) -> Checked {
    for item in items {
        match item {
            SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { expr: _, alias: _ } => {}
            SelectItem::ExprWithAliases { expr, aliases: _ } => {
                return Err(Refusal::at(
                    expr.span().start,
                    "an expression can have one name only",
                ));
            }
            SelectItem::Wildcard(options) => wildcard(options)?,
            SelectItem::QualifiedWildcard(kind, options) => {
                match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(_) => {}
                    SelectItemQualifiedWildcardKind::Expr(expression) => {
                        return Err(Refusal::at(
                            expression.span().start,
                            "`.*` is supported behind a table's name only",
                        ));
                    }
                }
                wildcard(options)?;
            }
        }
    }
    Ok(())
}

fn wildcard(options: &WildcardAdditionalOptions) -> Checked {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        // `scope::names` writes both out, since it knows the columns.
        opt_ilike: _,
        opt_exclude,
        opt_except: _,
        opt_replace,
        opt_rename: _,
        opt_alias,
    } = options;
    if let Some(alias) = opt_alias {
        return Err(Refusal::at(alias.span.start, "`*` can have no name"));
    }
    let excluded = match opt_exclude {
        None => &[][..],
        Some(ExcludeSelectItem::Single(name)) => std::slice::from_ref(name),
        Some(ExcludeSelectItem::Multiple(names)) => names,
    };
    if let Some(name) = excluded.iter().find(|name| name.0.len() != 1) {
        return Err(Refusal::at(
            name.span().start,
            "* EXCLUDE takes columns without the name of their table; write table.* EXCLUDE (…)",
        ));
    }
    let mut replaced = Vec::new();
    for item in opt_replace.iter().flat_map(|replace| &replace.items) {
        let name = normalized(&item.column_name);
        if replaced.contains(&name) {
            return Err(Refusal::at(
                item.column_name.span.start,
                format!("column `{name}` is replaced twice"),
            ));
        }
        replaced.push(name);
    }
    Ok(())
}
