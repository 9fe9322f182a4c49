//! PIVOT and UNPIVOT, by the queries that say the same.
//!
//! PIVOT groups by the columns that nobody mentions and computes each aggregate once for each value; UNPIVOT
//! writes each row once for each column. Names and their order are DuckDB's.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, Expr, ExprWithAlias, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, NullInclusion, ObjectName,
    PivotValueSource, SelectItem, SetExpr, Spanned, TableFactor, Value, ValueWithSpan,
    visit_expressions,
};
use datafusion::sql::sqlparser::tokenizer::Location;
use lakesh_sql::{select_from_nothing, syntax_error};

use super::columns::{Column, Columns};
use super::from::called;
use super::star::{refuse_open, text, written};
use super::{Level, Names, Resolved, looked_up, quoted};

impl Names<'_> {
    /// Writes PIVOT and UNPIVOT out; returns the columns.
    pub(super) fn pivoted(
        &mut self,
        factor: &mut TableFactor,
        before: &Columns,
    ) -> Resolved<Columns> {
        let place = factor.span().start;
        match factor.clone() {
            TableFactor::Pivot {
                mut table,
                aggregate_functions,
                value_column,
                value_source: PivotValueSource::List(values),
                alias,
                ..
            } => {
                let columns = self.factor(&mut table, before)?;
                refuse_open(&columns, place)?;
                let items = self.pivot(&columns, aggregate_functions, value_column, &values)?;
                let output = of_items(&items.shown);
                let grouped = !items.groups.is_empty();
                let mut query = select_from_nothing();
                if let SetExpr::Select(select) = query.body.as_mut() {
                    select.projection = items.shown;
                    if grouped {
                        select.group_by = GroupByExpr::Expressions(items.groups, Vec::new());
                    }
                    if let Some(from) = select.from.first_mut() {
                        from.relation = *table;
                    }
                }
                let columns = called(output, alias.as_ref(), None);
                *factor = TableFactor::Derived {
                    lateral: false,
                    subquery: Box::new(query),
                    alias,
                    sample: None,
                };
                Ok(columns)
            }
            TableFactor::Unpivot {
                mut table,
                value,
                name,
                columns: chosen,
                null_inclusion,
                alias,
            } => {
                let columns = self.factor(&mut table, before)?;
                refuse_open(&columns, place)?;
                let Expr::Identifier(value) = value else {
                    return Err(syntax_error(
                        "UNPIVOT makes one column of values; name it by one word",
                        place,
                    ));
                };
                let items = self.unpivot(&columns, chosen, &name, &value)?;
                let output = of_items(&items);
                let mut inner = select_from_nothing();
                if let SetExpr::Select(select) = inner.body.as_mut() {
                    select.projection = items;
                    if let Some(from) = select.from.first_mut() {
                        from.relation = *table;
                    }
                }
                let inner = TableFactor::Derived {
                    lateral: false,
                    subquery: Box::new(inner),
                    alias: None,
                    sample: None,
                };
                let mut query = select_from_nothing();
                if let SetExpr::Select(select) = query.body.as_mut() {
                    if null_inclusion != Some(NullInclusion::IncludeNulls) {
                        let value = Expr::Identifier(quoted(&looked_up(&value)));
                        select.selection = Some(Expr::IsNotNull(Box::new(value)));
                    }
                    if let Some(from) = select.from.first_mut() {
                        from.relation = inner;
                    }
                }
                let columns = called(output, alias.as_ref(), None);
                *factor = TableFactor::Derived {
                    lateral: false,
                    subquery: Box::new(query),
                    alias,
                    sample: None,
                };
                Ok(columns)
            }
            // Refused by the parser.
            _ => Ok(Columns::unknown()),
        }
    }

    /// Returns the columns of a PIVOT and those that it groups by.
    fn pivot(
        &mut self,
        columns: &Columns,
        aggregates: Vec<ExprWithAlias>,
        keys: Vec<Expr>,
        values: &[ExprWithAlias],
    ) -> Resolved<Pivoted> {
        let is_alone = aggregates.len() == 1 && aggregates[0].alias.is_none();
        let named = aggregates.into_iter().map(|aggregate| {
            let name = match &aggregate.alias {
                Some(alias) => looked_up(alias),
                None => aggregate.expr.to_string(),
            };
            (name, aggregate.expr)
        });
        let mut named: Vec<(String, Expr)> = named.collect();
        let mut keys = keys;
        self.within(Level::of(columns.clone()), |names| {
            for (_, aggregate) in &mut named {
                names.expression(aggregate)?;
            }
            keys.iter_mut().try_for_each(|key| names.expression(key))
        })?;
        let mut mentioned = HashSet::new();
        for expression in named.iter().map(|(_, aggregate)| aggregate).chain(&keys) {
            mention(expression, &mut mentioned);
        }
        let shown = columns.shown(None);
        let groups = shown
            .into_iter()
            .filter(|column| !mentioned.contains(&column.name));
        let mut pivoted = Pivoted::default();
        for column in groups {
            pivoted.groups.push(written(column));
            pivoted.shown.push(as_column(column));
        }
        for value in values {
            let condition = condition(&keys, &value.expr)?;
            let value_name = match &value.alias {
                Some(alias) => looked_up(alias),
                None => value_name(&value.expr),
            };
            for (name, aggregate) in &named {
                let name = match is_alone {
                    true => value_name.clone(),
                    false => format!("{value_name}_{name}"),
                };
                pivoted.shown.push(SelectItem::ExprWithAlias {
                    expr: filtered(aggregate, &condition)?,
                    alias: quoted(&name),
                });
            }
        }
        Ok(pivoted)
    }

    /// Returns the columns of an UNPIVOT.
    fn unpivot(
        &mut self,
        columns: &Columns,
        chosen: Vec<ExprWithAlias>,
        name: &Ident,
        value: &Ident,
    ) -> Resolved<Vec<SelectItem>> {
        let mut names = Vec::new();
        let mut values = Vec::new();
        let mut taken = HashSet::new();
        for column in chosen {
            let mut expression = column.expr;
            let place = expression.span().start;
            self.within(Level::of(columns.clone()), |names| {
                names.expression(&mut expression)
            })?;
            let own = match &expression {
                Expr::Identifier(word) => looked_up(word),
                Expr::CompoundIdentifier(words) => words.last().map(looked_up).unwrap_or_default(),
                _ => return Err(syntax_error("UNPIVOT takes columns", place)),
            };
            names.push(text(
                &column
                    .alias
                    .as_ref()
                    // It is a value here, and keeps its case as one.
                    .map_or_else(|| own.clone(), |alias| alias.value.clone()),
            ));
            taken.insert(own);
            values.push(expression);
        }
        let others = columns.shown(None).into_iter();
        let mut items: Vec<SelectItem> = others
            .filter(|column| !taken.contains(&column.name))
            .map(as_column)
            .collect();
        for (word, list) in [(name, names), (value, values)] {
            items.push(SelectItem::ExprWithAlias {
                expr: unnest(list),
                alias: quoted(&looked_up(word)),
            });
        }
        Ok(items)
    }
}

/// What a PIVOT selects, and what it groups by.
#[derive(Default)]
struct Pivoted {
    shown: Vec<SelectItem>,
    groups: Vec<Expr>,
}

fn as_column(column: &Column) -> SelectItem {
    SelectItem::ExprWithAlias {
        expr: written(column),
        alias: quoted(&column.name),
    }
}

fn of_items(items: &[SelectItem]) -> Columns {
    let mut columns = Columns::default();
    for item in items {
        if let SelectItem::ExprWithAlias { alias, .. } = item {
            columns.push(looked_up(alias), None);
        }
    }
    columns
}

fn mention(expression: &Expr, names: &mut HashSet<String>) {
    // The walk never breaks off.
    let _: ControlFlow<()> = visit_expressions(expression, |node| {
        match node {
            Expr::Identifier(word) => {
                names.insert(looked_up(word));
            }
            Expr::CompoundIdentifier(words) => names.extend(words.last().map(looked_up)),
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// Writes that the keys have a value.
fn condition(keys: &[Expr], value: &Expr) -> Resolved<Expr> {
    let values = match value {
        Expr::Tuple(values) | Expr::Struct { values, .. } => values.clone(),
        other => vec![other.clone()],
    };
    if values.len() != keys.len() {
        return Err(syntax_error(
            "a value of PIVOT has as many parts as there are columns behind FOR",
            value.span().start,
        ));
    }
    let mut parts = keys.iter().zip(values).map(|(key, value)| {
        let key = Box::new(key.clone());
        match is_null(&value) {
            true => Expr::IsNull(key),
            false => Expr::BinaryOp {
                left: key,
                op: BinaryOperator::Eq,
                right: Box::new(value),
            },
        }
    });
    let first = parts
        .next()
        .ok_or_else(|| syntax_error("PIVOT needs a column behind FOR", Location::empty()))?;
    Ok(parts.fold(first, and))
}

fn is_null(value: &Expr) -> bool {
    matches!(
        value,
        Expr::Value(ValueWithSpan {
            value: Value::Null,
            ..
        })
    )
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::And,
        right: Box::new(right),
    }
}

/// Returns what a column is called after its value.
fn value_name(value: &Expr) -> String {
    match value {
        Expr::Value(value) => match value.value.clone().into_string() {
            Some(text) => text,
            None => value.to_string(),
        },
        Expr::Tuple(values) | Expr::Struct { values, .. } => {
            let names: Vec<_> = values.iter().map(value_name).collect();
            names.join("_")
        }
        other => other.to_string(),
    }
}

/// Computes an aggregate over the rows for which a condition holds.
fn filtered(aggregate: &Expr, condition: &Expr) -> Resolved<Expr> {
    match aggregate {
        Expr::Nested(inner) => filtered(inner, condition),
        Expr::Function(function) if function.over.is_none() => {
            let mut function = function.clone();
            let filter = match function.filter.take() {
                None => condition.clone(),
                Some(filter) => and(
                    Expr::Nested(Box::new(condition.clone())),
                    Expr::Nested(filter),
                ),
            };
            function.filter = Some(Box::new(filter));
            Ok(Expr::Function(function))
        }
        other => Err(syntax_error(
            "PIVOT takes aggregate functions",
            other.span().start,
        )),
    }
}

fn unnest(list: Vec<Expr>) -> Expr {
    let list = Expr::Array(Array {
        elem: list,
        named: false,
    });
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("unnest")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(list))],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
