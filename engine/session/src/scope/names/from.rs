//! What stands in FROM: which columns there are, and the names in conditions of joins.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName,
    Query, SelectItem, SetExpr, Spanned, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use lakesh_sql::{identifiers, select_from_nothing, syntax_error};

use super::columns::Columns;
use super::{Level, Names, Resolved, looked_up, quoted};
use crate::scope::reference::reference;

/// What a table is called where its columns get other names.
const INNER: &str = "_lakesh_spelled";

/// What the elements of a list in FROM are called.
const UNNEST: &str = "unnest";

impl Names<'_> {
    /// Resolves the names in FROM; returns the columns of all of its tables.
    pub(super) fn from(&mut self, from: &mut [TableWithJoins]) -> Resolved<Columns> {
        let mut all = Columns::default();
        for item in from {
            let columns = self.joined(item, &all)?;
            all.extend(columns);
        }
        Ok(all)
    }

    fn joined(&mut self, item: &mut TableWithJoins, before: &Columns) -> Resolved<Columns> {
        let mut left = self.factor(&mut item.relation, before)?;
        for join in &mut item.joins {
            let mut visible = before.clone();
            visible.extend(left.clone());
            let right = self.factor(&mut join.relation, &visible)?;
            left = self.join(join, left, right)?;
        }
        Ok(left)
    }

    /// Resolves the names in one relation; `before` is what it can name if it is lateral.
    pub(super) fn factor(
        &mut self,
        factor: &mut TableFactor,
        before: &Columns,
    ) -> Resolved<Columns> {
        match factor {
            TableFactor::Table {
                name, alias, args, ..
            } => {
                if let Some(call) = args {
                    self.within(Level::of(before.clone()), |names| {
                        names.arguments(&mut call.args)
                    })?;
                    let columns = self.knowledge.function(factor);
                    let columns =
                        columns.map_or_else(Columns::unknown, |schema| Columns::of_schema(&schema));
                    let TableFactor::Table { name, alias, .. } = factor else {
                        return Ok(columns);
                    };
                    let columns = called(columns, alias.as_ref(), last(name));
                    return Ok(match lakesh_sql::is_series(name) {
                        true => columns.found_by(other_names(alias.as_ref())),
                        false => columns,
                    });
                }
                let columns = self.relation(name);
                Ok(called(columns, alias.as_ref(), last(name)))
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let columns = match lateral {
                    true => self.within(Level::of(before.clone()), |names| names.query(subquery)),
                    false => self.query(subquery),
                }?;
                Ok(called(columns, alias.as_ref(), None))
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let columns = self.joined(table_with_joins, before)?;
                Ok(match alias {
                    Some(_) => called(columns, alias.as_ref(), None),
                    None => columns,
                })
            }
            TableFactor::UNNEST {
                array_exprs, alias, ..
            } => {
                let element = self.within(Level::of(before.clone()), |names| {
                    array_exprs
                        .iter_mut()
                        .try_for_each(|array| names.expression(array))?;
                    Ok(match array_exprs.as_slice() {
                        [only] => names.type_of(only).as_ref().and_then(element_type),
                        _ => None,
                    })
                })?;
                if let Some(element) = element {
                    let given = name_element(alias);
                    let columns = called(Columns::unknown(), alias.as_ref(), None);
                    return Ok(columns.of_type(element).found_by(given));
                }
                Ok(called(Columns::unknown(), alias.as_ref(), None))
            }
            TableFactor::Function {
                name, args, alias, ..
            } => {
                self.within(Level::of(before.clone()), |names| names.arguments(args))?;
                Ok(called(Columns::unknown(), alias.as_ref(), last(name)))
            }
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => self.pivoted(factor, before),
            // All others are refused by the parser.
            _ => Ok(Columns::unknown()),
        }
    }

    fn arguments(&mut self, arguments: &mut [FunctionArg]) -> Resolved {
        for argument in arguments {
            let (FunctionArg::Unnamed(value)
            | FunctionArg::Named { arg: value, .. }
            | FunctionArg::ExprNamed { arg: value, .. }) = argument;
            if let FunctionArgExpr::Expr(value) = value {
                self.expression(value)?;
            }
        }
        Ok(())
    }

    /// Returns the columns of a table, a view or a query of WITH.
    fn relation(&self, name: &ObjectName) -> Columns {
        let Some(parts) = identifiers(name) else {
            return Columns::unknown();
        };
        if let [only] = parts.as_slice() {
            let wanted = looked_up(only);
            let cte = self.ctes.iter().rev().find(|(name, _)| *name == wanted);
            if let Some((_, columns)) = cte {
                return columns.clone();
            }
        }
        match self.knowledge.relation(&reference(&parts)) {
            Some(schema) => Columns::of_schema(&schema),
            None => Columns::unknown(),
        }
    }

    /// Resolves the condition of a join; returns the columns that it leaves.
    pub(super) fn join(
        &mut self,
        join: &mut Join,
        mut left: Columns,
        mut right: Columns,
    ) -> Resolved<Columns> {
        let Join {
            relation,
            join_operator,
            ..
        } = join;
        let keeps = match join_operator {
            JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_)
            | JoinOperator::Anti(_)
            | JoinOperator::LeftAnti(_) => Keeps::Left,
            JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => Keeps::Right,
            _ => Keeps::Both,
        };
        if let JoinOperator::AsOf {
            match_condition, ..
        } = join_operator
        {
            let mut both = left.clone();
            both.extend(right.clone());
            self.within(Level::of(both), |names| names.expression(match_condition))?;
        }
        match constraint(join_operator) {
            Some(JoinConstraint::On(condition)) => {
                let mut both = left.clone();
                both.extend(right.clone());
                self.within(Level::of(both), |names| names.expression(condition))?;
            }
            Some(JoinConstraint::Using(keys)) => {
                for key in keys {
                    self.key(key, relation, &left, &mut right)?;
                }
            }
            Some(JoinConstraint::Natural) => {
                self.natural(relation, &left, &mut right)?;
                for column in &mut right.list {
                    let is_key = left.list.iter().any(|other| other.name == column.name);
                    column.is_merged |= is_key;
                }
            }
            Some(JoinConstraint::None) | None => {}
        }
        for column in &mut left.list {
            let mut others = right.list.iter();
            column.is_key |= others.any(|other| other.is_merged && other.name == column.name);
        }
        Ok(match keeps {
            Keeps::Left => left,
            Keeps::Right => right,
            Keeps::Both => {
                let mut both = left;
                both.extend(right);
                both
            }
        })
    }

    /// Finds a key of USING on both sides; where those spell it differently, the right one takes the left
    /// one's name.
    fn key(
        &self,
        key: &mut ObjectName,
        relation: &mut TableFactor,
        left: &Columns,
        right: &mut Columns,
    ) -> Resolved {
        let parts = identifiers(key).unwrap_or_default();
        let [word] = parts.as_slice() else {
            return Ok(());
        };
        let (mut on_left, mut on_right) = (word.clone(), word.clone());
        let wanted = looked_up(word);
        let is_found = self.spelled(&mut on_left, left.column(&wanted))?
            && self.spelled(&mut on_right, right.column(&wanted))?;
        if !is_found {
            return Ok(());
        }
        let (name, other) = (looked_up(&on_left), looked_up(&on_right));
        if name != other {
            rename(relation, right, &[(other, name.clone())], word)?;
        }
        for column in &mut right.list {
            column.is_merged |= column.name == name;
        }
        *key = ObjectName::from(vec![on_left]);
        Ok(())
    }

    /// Gives the columns that a NATURAL JOIN merges one name.
    fn natural(&self, relation: &mut TableFactor, left: &Columns, right: &mut Columns) -> Resolved {
        if self.is_strict {
            return Ok(());
        }
        let mut renamed = Vec::new();
        for column in &right.list {
            let folded = column.name.to_lowercase();
            let mut fitting = left
                .list
                .iter()
                .map(|other| other.name.as_str())
                .filter(|name| name.to_lowercase() == folded);
            let Some(first) = fitting.next() else {
                continue;
            };
            let is_exact = first == column.name || fitting.clone().any(|name| name == column.name);
            // One of the right side that is spelled so is the key.
            let is_taken = right.list.iter().any(|other| other.name == first);
            if is_exact || is_taken {
                continue;
            }
            if let Some(second) = fitting.find(|name| *name != first) {
                let place = relation.span().start;
                let message = format!(
                    "`{}` of a NATURAL JOIN can be \"{first}\" or \"{second}\"; join with USING or ON",
                    column.name
                );
                return Err(syntax_error(&message, place));
            }
            renamed.push((column.name.clone(), first.to_owned()));
        }
        if renamed.is_empty() {
            return Ok(());
        }
        let word = Ident::with_span(relation.span(), renamed[0].0.as_str());
        rename(relation, right, &renamed, &word)
    }
}

/// Which sides of a join have columns afterwards.
enum Keeps {
    Left,
    Right,
    Both,
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::StraightJoin(constraint)
        | JoinOperator::AsOf { constraint, .. } => Some(constraint),
        JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => None,
    }
}

/// What finds the column of a series besides its own name: the name of its table, and `value`.
fn other_names(alias: Option<&TableAlias>) -> Vec<String> {
    let alias = alias.filter(|alias| alias.columns.is_empty());
    let table = alias.map(|alias| looked_up(&alias.name));
    table.into_iter().chain(["value".to_owned()]).collect()
}

/// Names the column of `unnest(list)`, where nobody did: after its table, or `unnest`.
///
/// Returns what finds it too.
fn name_element(alias: &mut Option<TableAlias>) -> Vec<String> {
    let alias = alias.get_or_insert_with(|| TableAlias {
        explicit: true,
        name: Ident::new(UNNEST),
        columns: Vec::new(),
        at: None,
    });
    let table = looked_up(&alias.name);
    let series = alias
        .columns
        .first()
        .filter(|column| column.name.span == Span::empty());
    if let Some(column) = series {
        return vec![looked_up(&column.name), table, "value".to_owned()];
    }
    if !alias.columns.is_empty() {
        return Vec::new();
    }
    let column = TableAliasColumnDef {
        name: alias.name.clone(),
        data_type: None,
    };
    alias.columns.push(column);
    vec![UNNEST.to_owned()]
}

fn element_type(list: &DataType) -> Option<DataType> {
    match list {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => Some(field.data_type().clone()),
        _ => None,
    }
}

fn last(name: &ObjectName) -> Option<String> {
    name.0.last()?.as_ident().map(looked_up)
}

/// Returns columns under the name that a relation goes by.
pub(super) fn called(
    columns: Columns,
    alias: Option<&TableAlias>,
    otherwise: Option<String>,
) -> Columns {
    match alias {
        None => columns.called(otherwise.as_deref(), &[]),
        Some(alias) => {
            let names: Vec<_> = alias
                .columns
                .iter()
                .map(|column| looked_up(&column.name))
                .collect();
            columns.called(Some(&looked_up(&alias.name)), &names)
        }
    }
}

/// Gives columns of a relation other names, by a query around it.
fn rename(
    relation: &mut TableFactor,
    columns: &mut Columns,
    names: &[(String, String)],
    word: &Ident,
) -> Resolved {
    let mut tables = columns.list.iter().map(|column| column.table.as_deref());
    let first = tables.next().flatten().map(ToOwned::to_owned);
    let Some(table) =
        first.filter(|first| !columns.is_open && tables.all(|table| table == Some(first.as_str())))
    else {
        let (other, name) = &names[0];
        let message = format!(
            "`{}` is \"{name}\" on one side of the join and \"{other}\" on the other; join with ON",
            word.value
        );
        return Err(syntax_error(&message, word.span.start));
    };
    // Within the brackets the table has another name, so that none is there twice.
    let mut inner = relation.clone();
    let qualifier = match &mut inner {
        TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => {
            let columns = alias.take().map_or_else(Vec::new, |alias| alias.columns);
            *alias = Some(TableAlias {
                explicit: true,
                name: quoted(INNER),
                columns,
                at: None,
            });
            INNER
        }
        _ => table.as_str(),
    };
    let mut items = Vec::with_capacity(columns.list.len());
    for column in &mut columns.list {
        let written = Expr::CompoundIdentifier(vec![quoted(qualifier), quoted(&column.name)]);
        if let Some((_, name)) = names.iter().find(|(other, _)| *other == column.name) {
            column.name.clone_from(name);
        }
        items.push(SelectItem::ExprWithAlias {
            expr: written,
            alias: quoted(&column.name),
        });
    }
    *relation = renamed(inner, items, &table);
    Ok(())
}

/// Writes `(SELECT items FROM relation) AS table`.
pub(super) fn renamed(relation: TableFactor, items: Vec<SelectItem>, table: &str) -> TableFactor {
    let mut query: Query = select_from_nothing();
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = items;
        if let Some(from) = select.from.first_mut() {
            from.relation = relation;
        }
    }
    TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(TableAlias {
            explicit: true,
            name: quoted(table),
            columns: Vec::new(),
            at: None,
        }),
        sample: None,
    }
}
