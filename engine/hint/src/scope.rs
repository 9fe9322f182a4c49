//! What the names in one SELECT stand for, as far as they are columns of tables of files.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, GroupByExpr, Ident, JoinOperator, ObjectName, Query as SqlQuery, Select, SelectItem,
    TableAlias, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};
use lakesh_sql::{normalized, session_zone};

use super::ast::select_of;
use super::evidence::{Evidence, TableFacts};
use super::range::is_utc;
use super::text::call_text;

/// The relations of one SELECT.
pub(crate) struct SelectScope<'a> {
    pub(crate) relations: Vec<Relation<'a>>,
    /// Whether clocks of the session show what moments are stored as.
    is_in_utc: bool,
}

/// Something in FROM.
#[derive(Clone)]
pub(crate) struct Relation<'a> {
    /// What its columns are qualified with.
    pub(crate) visible: Ident,
    /// What is known of it, if it is a table of files, or a subquery that hands one through.
    pub(crate) table: Option<&'a TableFacts>,
    /// Whether an outer join gives rows in which it has NULL everywhere.
    pub(crate) is_optional: bool,
}

/// A column of a table of files.
#[derive(Clone, Copy)]
pub(crate) struct ColumnFacts<'a> {
    pub(crate) table: &'a TableFacts,
    /// The place of its relation in FROM.
    pub(crate) relation: usize,
    pub(crate) field: &'a Field,
}

impl<'a> ColumnFacts<'a> {
    pub(crate) fn data_type(&self) -> &'a DataType {
        match self.field.data_type() {
            // Partition columns of Delta tables come as dictionaries.
            DataType::Dictionary(_, value) => value,
            other => other,
        }
    }

    pub(crate) fn is_partition(&self) -> bool {
        let columns = &self.table.files.partition_columns;
        columns.contains(self.field.name())
    }
}

impl<'a> SelectScope<'a> {
    pub(crate) fn of(select: &Select, evidence: &'a Evidence) -> Self {
        let optional = optional(&select.from);
        let relations = factors(&select.from)
            .into_iter()
            .enumerate()
            .map(|(place, factor)| Relation {
                is_optional: optional.contains(&place),
                ..relation(factor, evidence)
            })
            .collect();
        Self {
            relations,
            is_in_utc: is_utc(Some(&session_zone(&evidence.options))),
        }
    }

    /// Finds the column that an expression is; brackets make no difference.
    pub(crate) fn column(&self, expression: &Expr) -> Option<ColumnFacts<'a>> {
        match expression {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(name) => self.unqualified(&normalized(name)),
            Expr::CompoundIdentifier(parts) => {
                let [.., relation, name] = parts.as_slice() else {
                    return None;
                };
                let place = self.relation(relation)?;
                self.column_of(place, &normalized(name))
            }
            _ => None,
        }
    }

    /// Finds the relation that a column is qualified with.
    pub(crate) fn relation(&self, name: &Ident) -> Option<usize> {
        let name = normalized(name);
        self.relations
            .iter()
            .position(|relation| normalized(&relation.visible) == name)
    }

    /// Returns the places of the relations that an expression names; `None` where a name is of none.
    pub(crate) fn relations_of(&self, expression: &Expr) -> Option<Vec<usize>> {
        let mut places = Vec::new();
        for column in super::ast::columns(expression)? {
            let place = match &column {
                Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                    [.., relation, _] => self.relation(relation)?,
                    _ => return None,
                },
                other => self.column(other)?.relation,
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.sort_unstable();
        Some(places)
    }

    fn unqualified(&self, name: &str) -> Option<ColumnFacts<'a>> {
        let mut found = (0..self.relations.len()).filter_map(|place| self.column_of(place, name));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    fn column_of(&self, place: usize, name: &str) -> Option<ColumnFacts<'a>> {
        let table = self.relations.get(place)?.table?;
        let field = table.field(name)?;
        // Of a moment, functions and literals mean the session's clock, which no rule here knows.
        if matches!(field.data_type(), DataType::Timestamp(_, Some(_))) && !self.is_in_utc {
            return None;
        }
        Some(ColumnFacts {
            table,
            relation: place,
            field,
        })
    }
}

/// Lists the tables and subqueries of a FROM clause, brackets of joins opened.
pub(crate) fn factors(from: &[TableWithJoins]) -> Vec<&TableFactor> {
    let mut found = Vec::new();
    for table in from {
        let joined = table.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&table.relation).chain(joined) {
            match factor {
                TableFactor::NestedJoin {
                    table_with_joins,
                    alias: None,
                } => found.extend(factors(std::slice::from_ref(table_with_joins))),
                other => found.push(other),
            }
        }
    }
    found
}

/// Lists the places of the relations that an outer join can fill with NULL.
fn optional(from: &[TableWithJoins]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut start = 0;
    for table in from {
        let (width, inner) = width(&table.relation);
        places.extend(inner.into_iter().map(|place| start + place));
        let mut end = start + width;
        for join in &table.joins {
            let (width, inner) = self::width(&join.relation);
            places.extend(inner.into_iter().map(|place| end + place));
            let (left, right) = match &join.join_operator {
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => (false, true),
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => (true, false),
                JoinOperator::FullOuter(_) => (true, true),
                _ => (false, false),
            };
            if left {
                places.extend(start..end);
            }
            if right {
                places.extend(end..end + width);
            }
            end += width;
        }
        start = end;
    }
    places
}

/// Counts the relations in a part of FROM, and lists those of them that are optional.
fn width(factor: &TableFactor) -> (usize, Vec<usize>) {
    match factor {
        TableFactor::NestedJoin {
            table_with_joins,
            alias: None,
        } => {
            let inside = std::slice::from_ref(table_with_joins.as_ref());
            (factors(inside).len(), optional(inside))
        }
        _ => (1, Vec::new()),
    }
}

/// Finds the table that a subquery hands through: its rows, or some of them, with columns as they are.
fn handed_through<'a>(query: &SqlQuery, evidence: &'a Evidence) -> Option<&'a TableFacts> {
    let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let select = select_of(query).filter(|_| plain)?;
    let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers)
        if keys.is_empty() && modifiers.is_empty());
    let columns_alone = select.projection.iter().all(|item| match item {
        SelectItem::UnnamedExpr(expression) => matches!(
            expression,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_)
        ),
        SelectItem::Wildcard(options) => *options == WildcardAdditionalOptions::default(),
        _ => false,
    });
    let whole = ungrouped
        && columns_alone
        && select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none();
    match select.from.as_slice() {
        [table] if whole && table.joins.is_empty() => relation(&table.relation, evidence).table,
        _ => None,
    }
}

/// Finds the common table expression that a name stands for.
fn cte<'a>(name: &ObjectName, evidence: &'a Evidence) -> Option<&'a Cte> {
    let [part] = name.0.as_slice() else {
        return None;
    };
    let name = normalized(part.as_ident()?);
    let with = evidence.tree.with.as_ref().filter(|with| !with.recursive)?;
    with.cte_tables
        .iter()
        .find(|cte| normalized(&cte.alias.name) == name && cte.alias.columns.is_empty())
}

fn relation<'a>(factor: &TableFactor, evidence: &'a Evidence) -> Relation<'a> {
    let nameless = || Ident::new("");
    match factor {
        TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } => {
            let table = match is_cte(name, evidence) {
                true => cte(name, evidence).and_then(|cte| handed_through(&cte.query, evidence)),
                false => evidence.table(&name.to_string()),
            };
            let renames = alias
                .as_ref()
                .is_some_and(|alias| !alias.columns.is_empty());
            Relation {
                visible: visible(name, alias.as_ref(), table),
                table: table.filter(|_| !renames),
                is_optional: false,
            }
        }
        TableFactor::Table {
            name,
            alias,
            args: Some(arguments),
            ..
        } => {
            let text = call_text(name, arguments);
            let renames = |alias: &TableAlias| !alias.columns.is_empty();
            let table = text.and_then(|text| evidence.table(&text));
            Relation {
                visible: visible(name, alias.as_ref(), None),
                table: table.filter(|_| !alias.as_ref().is_some_and(renames)),
                is_optional: false,
            }
        }
        TableFactor::Derived {
            alias: Some(alias),
            subquery,
            ..
        } => Relation {
            visible: alias.name.clone(),
            table: handed_through(subquery, evidence).filter(|_| alias.columns.is_empty()),
            is_optional: false,
        },
        TableFactor::Derived { alias, .. } | TableFactor::Function { alias, .. } => Relation {
            visible: alias
                .as_ref()
                .map_or_else(nameless, |alias| alias.name.clone()),
            table: None,
            is_optional: false,
        },
        _ => Relation {
            visible: nameless(),
            table: None,
            is_optional: false,
        },
    }
}

fn visible(name: &ObjectName, alias: Option<&TableAlias>, table: Option<&TableFacts>) -> Ident {
    if let Some(alias) = alias {
        return alias.name.clone();
    }
    match (table, name.0.last().and_then(|part| part.as_ident())) {
        (Some(table), Some(last)) if table.has_version || !table.in_catalog => {
            let mut visible = Ident::with_quote('"', table.visible.clone());
            visible.span = last.span;
            visible
        }
        (_, Some(last)) => last.clone(),
        (_, None) => Ident::new(""),
    }
}

fn is_cte(name: &ObjectName, evidence: &Evidence) -> bool {
    let [part] = name.0.as_slice() else {
        return false;
    };
    let Some(ident) = part.as_ident() else {
        return false;
    };
    let name = normalized(ident);
    super::ast::cte_names(&evidence.tree).contains(&name)
}
