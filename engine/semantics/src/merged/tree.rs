//! Finds joins with merged columns in a syntax tree and prepares them for the planner.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::{DataFusionError, Result, plan_datafusion_err};
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableAliasColumnDef,
    TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions,
};
use lakesh_sql::normalized;

use super::{MARK, own_name};

/// A table and one of its columns.
type Key = (String, String);

/// Puts joins with USING and NATURAL joins into brackets that the planner of this room knows.
pub fn mark_merged_columns(statement: &mut ParsedStatement) -> Result<()> {
    let marked = match statement {
        ParsedStatement::Statement(statement) => statement.visit(&mut Marker),
        ParsedStatement::Explain(explain) => return mark_merged_columns(&mut explain.statement),
        ParsedStatement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(&mut Marker),
            CopyToSource::Relation(_) => return Ok(()),
        },
        ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => return Ok(()),
    };
    match marked {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Marker;

impl VisitorMut for Marker {
    type Break = DataFusionError;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        match mark_query(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn mark_query(query: &mut Query) -> Result<()> {
    let mut own = BTreeSet::new();
    let names = all_tables(query);
    let mentions = mentions(query);
    mark_set(&mut query.body, &names, &mentions, &mut own)?;
    if !own.is_empty() {
        let renamed = query.visit(&mut OwnNames { own: &own });
        debug_assert!(renamed.is_continue(), "the walk itself never stops");
    }
    Ok(())
}

fn mark_set(
    set: &mut SetExpr,
    names: &[String],
    mentions: &BTreeSet<Key>,
    own: &mut BTreeSet<Key>,
) -> Result<()> {
    match set {
        SetExpr::Select(select) => mark_select(select, names, mentions, own),
        SetExpr::SetOperation { left, right, .. } => {
            mark_set(left, names, mentions, own)?;
            mark_set(right, names, mentions, own)
        }
        // A query in brackets has been visited.
        _ => Ok(()),
    }
}

fn mark_select(
    select: &mut Select,
    names: &[String],
    mentions: &BTreeSet<Key>,
    own: &mut BTreeSet<Key>,
) -> Result<()> {
    let mut from = std::mem::take(&mut select.from);
    let mut found = BTreeSet::new();
    for tables in &mut from {
        let mut kept = BTreeSet::new();
        collect_kept(tables, select, mentions, &mut kept)?;
        for (table, _) in &kept {
            if names.iter().filter(|name| *name == table).count() > 1 {
                return Err(plan_datafusion_err!(
                    "two tables of the query are called `{table}`, and the key of one is asked for \
                     beside a column that USING merges; give one of them an alias"
                ));
            }
        }
        bracket_merging(tables, &kept);
        found.extend(kept);
    }
    select.from = from;
    if !found.is_empty() {
        exclude(select, &found);
        own.extend(found);
    }
    Ok(())
}

/// Collects the keys that joins hide and the query asks for, those of joins in brackets first.
fn collect_kept(
    from: &TableWithJoins,
    select: &mut Select,
    mentions: &BTreeSet<Key>,
    kept: &mut BTreeSet<Key>,
) -> Result<()> {
    for factor in factors(from) {
        if let TableFactor::NestedJoin {
            table_with_joins, ..
        } = factor
        {
            collect_kept(table_with_joins, select, mentions, kept)?;
        }
    }
    let Some(joins) = Joins::of(from) else {
        return Ok(());
    };
    let hidden = mentions
        .iter()
        .filter(|(table, column)| joins.hides(table, column));
    kept.extend(hidden.cloned());
    expand_wildcards(select, &joins, kept)
}

/// Puts joins that merge columns into brackets, and so those in brackets whose tables keep a key: a condition
/// within them knows the table's own key by the name that it gets here.
fn bracket_merging(from: &mut TableWithJoins, kept: &BTreeSet<Key>) {
    let joined = from.joins.iter_mut().map(|join| &mut join.relation);
    for factor in std::iter::once(&mut from.relation).chain(joined) {
        let TableFactor::NestedJoin {
            table_with_joins,
            alias,
        } = factor
        else {
            continue;
        };
        bracket_merging(table_with_joins, kept);
        let mut tables = factors(table_with_joins).flat_map(|factor| Side::of(factor).tables);
        let keeps =
            alias.is_none() && tables.any(|name| kept.iter().any(|(table, _)| *table == name));
        drop(tables);
        if keeps && is_plain(table_with_joins) {
            let count = table_with_joins.joins.len();
            bracket(table_with_joins, count, kept);
        }
    }
    if let Some(joins) = Joins::of(from) {
        bracket(from, joins.count, kept);
    }
}

fn factors(from: &TableWithJoins) -> impl Iterator<Item = &TableFactor> {
    let joined = from.joins.iter().map(|join| &join.relation);
    std::iter::once(&from.relation).chain(joined)
}

/// Says whether the planner of this room can plan all joins.
fn is_plain(from: &TableWithJoins) -> bool {
    from.joins.iter().all(|join| constraint(join).is_some()) && !factors(from).any(is_lateral)
}

/// One side of a join: a table, or joins in brackets.
struct Side {
    tables: Vec<String>,
    is_one_table: bool,
}

impl Side {
    fn of(factor: &TableFactor) -> Self {
        match factor {
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } if alias.as_ref().is_none_or(|alias| alias.name.value == MARK) => Self {
                tables: factors(table_with_joins)
                    .flat_map(|factor| Self::of(factor).tables)
                    .collect(),
                is_one_table: false,
            },
            TableFactor::NestedJoin {
                alias: Some(alias), ..
            } => Self {
                tables: vec![normalized(&alias.name)],
                is_one_table: true,
            },
            factor => Self {
                tables: name_of(factor).into_iter().collect(),
                is_one_table: true,
            },
        }
    }

    fn has(&self, table: &str) -> bool {
        self.tables.iter().any(|name| name == table)
    }

    fn one_table(&self) -> Option<String> {
        match self.is_one_table {
            true => self.tables.first().cloned(),
            false => None,
        }
    }
}

/// What joins with merged columns, at the beginning of a FROM, are about.
struct Joins {
    /// So many joins, of which the last merges columns.
    count: usize,
    sides: Vec<Side>,
    /// The columns that each join merges; `None` is NATURAL, all or nothing otherwise.
    merged: Vec<Option<Vec<String>>>,
    /// Which tables show all of their columns anyhow.
    open: Option<String>,
}

impl Joins {
    fn of(from: &TableWithJoins) -> Option<Self> {
        let merges = |join: &Join| constraint(join).is_some_and(is_merging);
        let last = from.joins.iter().rposition(merges)?;
        let joins = &from.joins[..=last];
        let plain = joins.iter().all(|join| constraint(join).is_some());
        if !plain || factors(from).take(last + 2).any(is_lateral) {
            return None;
        }
        let sides: Vec<_> = factors(from).take(last + 2).map(Side::of).collect();
        let keeps_left = |join: &Join| {
            !merges(join)
                || matches!(
                    join.join_operator,
                    JoinOperator::Join(_)
                        | JoinOperator::Inner(_)
                        | JoinOperator::Left(_)
                        | JoinOperator::LeftOuter(_)
                )
        };
        let open = match joins {
            joins if joins.iter().all(keeps_left) => sides[0].one_table(),
            [join] => match join.join_operator {
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => sides[1].one_table(),
                _ => None,
            },
            _ => None,
        };
        let merged = joins.iter().map(|join| match constraint(join) {
            Some(JoinConstraint::Using(names)) => Some(names.iter().filter_map(column).collect()),
            Some(JoinConstraint::Natural) => None,
            _ => Some(Vec::new()),
        });
        Some(Self {
            count: joins.len(),
            merged: merged.collect(),
            sides,
            open,
        })
    }

    fn has(&self, table: &str) -> bool {
        self.sides.iter().any(|side| side.has(table))
    }

    /// Says whether a merged column hides a table's own.
    fn hides(&self, table: &str, column: &str) -> bool {
        let mut merged = self.merged.iter();
        self.has(table)
            && self.open.as_deref() != Some(table)
            && merged.any(|names| {
                names
                    .as_ref()
                    .is_none_or(|names| names.iter().any(|name| name == column))
            })
    }

    /// Returns the merged columns that a table has; `None` where only the planner can know.
    fn keys_of(&self, table: &str) -> Option<BTreeSet<String>> {
        let place = self.sides.iter().position(|side| side.has(table))?;
        let is_alone = self.sides[place].is_one_table;
        let mut keys = BTreeSet::new();
        for (join, names) in self.merged.iter().enumerate() {
            let names = names.as_ref()?;
            // A join's right side has its keys, and so has its left side if that is one table.
            let certain = is_alone && (place == join + 1 || (join == 0 && place == 0));
            match certain {
                true => keys.extend(names.iter().cloned()),
                false if place > join + 1 => {}
                false if names.iter().all(|name| keys.contains(name)) => {}
                false => return None,
            }
        }
        Some(keys)
    }
}

fn constraint(join: &Join) -> Option<&JoinConstraint> {
    match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => Some(constraint),
        _ => None,
    }
}

fn is_merging(constraint: &JoinConstraint) -> bool {
    matches!(
        constraint,
        JoinConstraint::Using(_) | JoinConstraint::Natural
    )
}

fn is_lateral(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Derived { lateral, .. } | TableFactor::Function { lateral, .. } => *lateral,
        TableFactor::UNNEST { .. } => true,
        _ => false,
    }
}

/// Returns the name by which a table's columns are qualified.
fn name_of(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(normalized(&alias.name)),
            None => column(name),
        },
        TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::TableFunction { alias, .. } => {
            alias.as_ref().map(|alias| normalized(&alias.name))
        }
        _ => None,
    }
}

fn column(name: &ObjectName) -> Option<String> {
    name.0.last()?.as_ident().map(normalized)
}

/// Writes `t.*`, of which a merged column hides a part, as that part and the rest.
fn expand_wildcards(select: &mut Select, joins: &Joins, kept: &mut BTreeSet<Key>) -> Result<()> {
    let mut items = Vec::with_capacity(select.projection.len());
    for item in std::mem::take(&mut select.projection) {
        let SelectItem::QualifiedWildcard(
            SelectItemQualifiedWildcardKind::ObjectName(name),
            options,
        ) = &item
        else {
            items.push(item);
            continue;
        };
        let table =
            column(name).filter(|table| joins.has(table) && joins.open.as_ref() != Some(table));
        let Some(table) = table else {
            items.push(item);
            continue;
        };
        let Some(keys) = joins.keys_of(&table) else {
            return Err(plan_datafusion_err!(
                "`{table}.*` has columns that the join merges; name its columns, or join with ON"
            ));
        };
        let mut options = options.clone();
        let left_out = excluded(&options);
        for key in keys {
            let own = Ident::with_quote('"', own_name(&table, &key));
            add_exclusion(&mut options, own);
            if !left_out.contains(&key) {
                let mut parts: Vec<_> = name
                    .0
                    .iter()
                    .filter_map(|part| part.as_ident())
                    .cloned()
                    .collect();
                parts.push(Ident::with_quote('"', key.clone()));
                items.push(SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)));
            }
            kept.insert((table.clone(), key));
        }
        let kind = SelectItemQualifiedWildcardKind::ObjectName(name.clone());
        items.push(SelectItem::QualifiedWildcard(kind, options));
    }
    select.projection = items;
    Ok(())
}

/// Keeps the columns that only this room knows out of `*`, and gives those that a query asks for the
/// names that it calls them by.
fn exclude(select: &mut Select, kept: &BTreeSet<Key>) {
    let mut names: Vec<_> = select
        .projection
        .iter()
        .filter_map(|item| output_name(item, kept))
        .collect();
    let own = |(table, key): &Key| Ident::with_quote('"', own_name(table, key));
    for item in &mut select.projection {
        match item {
            SelectItem::Wildcard(options) => {
                for key in kept {
                    add_exclusion(options, own(key));
                    names.push(key.1.clone());
                }
            }
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
                if let Some(key) = key(parts).filter(|key| kept.contains(key)) {
                    let name = free_name(&key.1, &names);
                    names.push(name.clone());
                    *item = SelectItem::ExprWithAlias {
                        expr: Expr::CompoundIdentifier(parts.clone()),
                        alias: Ident::with_quote('"', name),
                    };
                }
            }
            _ => {}
        }
    }
}

/// Returns what a column of the result is called, unless it is a kept key, which has no name yet.
fn output_name(item: &SelectItem, kept: &BTreeSet<Key>) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(normalized(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => key(parts)
            .filter(|key| !kept.contains(key))
            .map(|(_, column)| column),
        SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
        _ => None,
    }
}

/// A name that no other column of the result has: a column is called once.
fn free_name(name: &str, taken: &[String]) -> String {
    let numbered = (1..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| !taken.contains(name));
    free.unwrap_or_else(|| name.to_owned())
}

fn excluded(options: &WildcardAdditionalOptions) -> Vec<String> {
    match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => column(name).into_iter().collect(),
        Some(ExcludeSelectItem::Multiple(names)) => names.iter().filter_map(column).collect(),
        None => Vec::new(),
    }
}

fn add_exclusion(options: &mut WildcardAdditionalOptions, column: Ident) {
    let mut names = match options.opt_exclude.take() {
        Some(ExcludeSelectItem::Single(name)) => vec![name],
        Some(ExcludeSelectItem::Multiple(names)) => names,
        None => Vec::new(),
    };
    let name = ObjectName::from(column);
    if !names.contains(&name) {
        names.push(name);
    }
    options.opt_exclude = Some(ExcludeSelectItem::Multiple(names));
}

/// Puts the first joins of a FROM into brackets, whose alias says which keys are kept.
fn bracket(from: &mut TableWithJoins, count: usize, kept: &BTreeSet<Key>) {
    let joins = from.joins.drain(..count).collect();
    let columns = kept.iter().flat_map(|(table, column)| [table, column]);
    let columns = columns.map(|name| TableAliasColumnDef {
        name: Ident::with_quote('"', name),
        data_type: None,
    });
    let alias = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', MARK),
        columns: columns.collect(),
        at: None,
    };
    from.relation = TableFactor::NestedJoin {
        table_with_joins: Box::new(TableWithJoins {
            relation: from.relation.clone(),
            joins,
        }),
        alias: Some(alias),
    };
}

/// Lists the names of all tables of a query, those of its subqueries included.
fn all_tables(query: &Query) -> Vec<String> {
    struct Tables(Vec<String>);
    impl Visitor for Tables {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            self.0.extend(name_of(factor));
            ControlFlow::Continue(())
        }
    }
    let mut tables = Tables(Vec::new());
    let walked = query.visit(&mut tables);
    debug_assert!(walked.is_continue(), "the walk itself never stops");
    tables.0
}

/// Lists the columns that a query names with their tables.
fn mentions(query: &Query) -> BTreeSet<Key> {
    struct Mentions(BTreeSet<Key>);
    impl Visitor for Mentions {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(parts) = expression {
                self.0.extend(key(parts));
            }
            ControlFlow::Continue(())
        }
    }
    let mut mentions = Mentions(BTreeSet::new());
    let walked = query.visit(&mut mentions);
    debug_assert!(walked.is_continue(), "the walk itself never stops");
    mentions.0
}

fn key(parts: &[Ident]) -> Option<Key> {
    match parts {
        [.., table, column] => Some((normalized(table), normalized(column))),
        _ => None,
    }
}

/// Gives kept keys the names by which the planner knows them.
struct OwnNames<'a> {
    own: &'a BTreeSet<Key>,
}

impl VisitorMut for OwnNames<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expression
            && let Some(key) = key(parts)
            && self.own.contains(&key)
            && let Some(last) = parts.last_mut()
        {
            last.value = own_name(&key.0, &key.1);
            last.quote_style = Some('"');
        }
        ControlFlow::Continue(())
    }
}
