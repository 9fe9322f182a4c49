//! Columns that JOIN … USING merges, where a SELECT names them alone.
//!
//! DataFusion calls them ambiguous in WHERE, and takes the left side's everywhere else, which is NULL where
//! a RIGHT or FULL JOIN found no row on the left. The standard's merged column is `COALESCE(left, right)`:
//! the left one for inner and left joins, the right one for right joins.
//!
//! Only names that the syntax settles are written out: where the left side is more than one relation, nobody
//! knows here which of them has the column.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Select,
    SelectItem, TableFactor, TableWithJoins, WildcardAdditionalOptions, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::call;
use crate::{identifiers, normalized, stem, word};

/// The merged columns of a SELECT.
#[derive(Default)]
pub(super) struct Merged {
    columns: Vec<MergedColumn>,
}

struct MergedColumn {
    name: String,
    value: Expr,
    /// Whether it is the column of the leftmost relation, as DataFusion takes it to be.
    is_leftmost: bool,
}

impl Merged {
    /// Reads the joins of a SELECT.
    pub(super) fn of(select: &Select) -> Self {
        let [TableWithJoins { relation, joins }] = select.from.as_slice() else {
            return Self::default();
        };
        let mut merged = Self::default();
        let mut first = visible(relation);
        for join in joins {
            merged.join(first.take().as_ref(), join);
        }
        merged
    }

    /// Adds what a join merges. `first` is the only relation on its left, if it is that.
    fn join(&mut self, first: Option<&Ident>, join: &Join) {
        let Some((constraint, side)) = merging(&join.join_operator) else {
            return;
        };
        let JoinConstraint::Using(names) = constraint else {
            return;
        };
        let right = visible(&join.relation);
        for name in names {
            let Some(column) = single(name) else { continue };
            let name = normalized(&column);
            let known = self.columns.iter().position(|known| known.name == name);
            let (left, is_leftmost) = match known.map(|place| self.columns.remove(place)) {
                Some(known) => (Some(known.value), known.is_leftmost),
                None => (first.map(|table| qualified(table, &column)), true),
            };
            let right = right.as_ref().map(|table| qualified(table, &column));
            let (value, is_leftmost) = match (side, left, right) {
                (Side::Either | Side::Left, Some(left), _) => (left, is_leftmost),
                (Side::Either | Side::Right, _, Some(right)) => (right, false),
                (Side::Both, Some(left), Some(right)) => {
                    (call("coalesce", vec![left, right], Span::empty()), false)
                }
                _ => continue,
            };
            self.columns.push(MergedColumn {
                name,
                value,
                is_leftmost,
            });
        }
    }

    fn find(&self, word: &Ident) -> Option<&MergedColumn> {
        let name = normalized(word);
        self.columns.iter().find(|column| column.name == name)
    }

    /// Leaves out what a SELECT returns under the same name: ORDER BY means that.
    pub(super) fn without_results(mut self, select: &Select) -> Self {
        self.columns.retain(|column| {
            !select.projection.iter().any(|item| match item {
                SelectItem::ExprWithAlias { alias: word, .. }
                | SelectItem::UnnamedExpr(Expr::Identifier(word)) => {
                    normalized(word) == column.name
                }
                _ => false,
            })
        });
        self
    }

    /// Names the items that are merged columns, and writes out those that `*` stands for.
    pub(super) fn name_items(&self, select: &mut Select) {
        if self.columns.is_empty() {
            return;
        }
        let shows_others = self.columns.iter().any(|column| !column.is_leftmost)
            && is_uniform(&select.from, self.columns.len());
        let items = std::mem::take(&mut select.projection).into_iter();
        select.projection = items
            .flat_map(|item| match item {
                SelectItem::UnnamedExpr(Expr::Identifier(word)) if self.find(&word).is_some() => {
                    vec![named(&normalized(&word), word.span)]
                }
                SelectItem::Wildcard(options) if shows_others && is_plain(&options) => {
                    self.written_out(options)
                }
                other => vec![other],
            })
            .collect();
    }

    /// Writes `*` as the merged columns and the others, which is their order in the standard.
    fn written_out(&self, options: WildcardAdditionalOptions) -> Vec<SelectItem> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        let excluded = names.clone().map(|name| ObjectName::from(vec![word(name)]));
        let others = SelectItem::Wildcard(WildcardAdditionalOptions {
            opt_exclude: Some(ExcludeSelectItem::Multiple(excluded.collect())),
            ..options
        });
        names
            .map(|name| named(name, Span::empty()))
            .chain([others])
            .collect()
    }

    /// Writes a merged column out.
    pub(super) fn rewrite(&self, expression: &mut Expr) {
        if let Expr::Identifier(word) = expression
            && let Some(column) = self.find(word)
        {
            *expression = placed(&column.value, word.span);
        }
    }
}

/// The side whose value a merged column has.
#[derive(Clone, Copy)]
enum Side {
    Either,
    Left,
    Right,
    Both,
}

fn merging(operator: &JoinOperator) -> Option<(&JoinConstraint, Side)> {
    match operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
            Some((constraint, Side::Either))
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
            Some((constraint, Side::Left))
        }
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            Some((constraint, Side::Right))
        }
        JoinOperator::FullOuter(constraint) => Some((constraint, Side::Both)),
        _ => None,
    }
}

/// Says whether all joins merge the same columns, so that `*` has an order that the syntax tells.
fn is_uniform(from: &[TableWithJoins], count: usize) -> bool {
    let [TableWithJoins { joins, .. }] = from else {
        return false;
    };
    joins.iter().all(|join| {
        matches!(
            merging(&join.join_operator),
            Some((JoinConstraint::Using(names), _)) if names.len() == count
        )
    })
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_ilike.is_none()
}

/// Names a merged column. The alias has neither quotes nor a place: where the column turns out to be spelled
/// in another case, it follows.
fn named(name: &str, span: Span) -> SelectItem {
    let alias = word(name);
    let mut word = alias.clone();
    word.span = span;
    SelectItem::ExprWithAlias {
        expr: Expr::Identifier(word),
        alias,
    }
}

/// Gives a merged column the place of the word that stands for it.
fn placed(value: &Expr, span: Span) -> Expr {
    let mut value = value.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut value, |node| {
        if let Expr::CompoundIdentifier(words) = node {
            words.iter_mut().for_each(|word| word.span = span);
        }
        ControlFlow::Continue(())
    });
    value
}

/// Returns the name by which a relation's columns are qualified.
pub(super) fn visible(relation: &TableFactor) -> Option<Ident> {
    match relation {
        TableFactor::Table {
            name, alias, args, ..
        } => {
            if let Some(alias) = alias {
                return Some(alias.name.clone());
            }
            let last = identifiers(name)?.pop()?;
            match (args, last.quote_style) {
                (Some(_), _) => None,
                (None, Some('\'')) => Some(Ident::with_quote('"', stem(&last.value))),
                // The version in `t@v3` is no part of it.
                (None, None) if last.value.contains('@') => None,
                (None, _) => Some(last),
            }
        }
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| alias.name.clone()),
        _ => None,
    }
}

fn single(name: &ObjectName) -> Option<Ident> {
    match name.0.as_slice() {
        [only] => only.as_ident().cloned(),
        _ => None,
    }
}

fn qualified(table: &Ident, column: &Ident) -> Expr {
    Expr::CompoundIdentifier(vec![table.clone(), column.clone()])
}
