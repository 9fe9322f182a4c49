//! SALT(t, n): the rows of t with one key are spread over n partitions.
//!
//! Each row of t gets a random salt from 0 to n - 1, each row of the other side stands there once for
//! every salt, and the join compares salts too. Every pair of rows meets exactly once, as before.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ExcludeSelectItem, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins,
    WildcardAdditionalOptions,
};
use lakesh_sql::{normalized, parse_expression, parse_query_tree, select_from_nothing};

use super::super::block::{Block, visible_name, without_place};
use super::super::comment::Hint;
use super::super::{HintWord, Refusal};
use super::is_plain;

pub(in super::super) static SALT: HintWord = HintWord {
    names: &["SALT"],
    usage: "SALT(t, n)",
    summary: "Spreads the rows of t with one key over n partitions; the other side of the join is repeated n times.",
    example: "SELECT /*+ SALT(a, 4) */ count(*) FROM (VALUES (1), (1), (2)) a(i) JOIN (VALUES (1), (2)) b(i) ON a.i = b.i;",
    apply,
};

/// The salt of a row of the skewed side, and those of the other side.
const SALT_COLUMN: &str = "__salt";
const SALTS_COLUMN: &str = "__salts";

/// More salts than this repeat the other side too often.
const MOST_SALTS: usize = 1024;

fn apply(block: &mut Block<'_>, hint: &Hint) -> Result<(), Refusal> {
    let [table, salts] = hint.arguments.as_slice() else {
        return Err(Refusal::new(
            "it takes a relation and a number, as in SALT(t, 8)",
        ));
    };
    let count = salts.text.parse::<usize>().ok();
    let Some(count) = count.filter(|count| (2..=MOST_SALTS).contains(count)) else {
        return Err(Refusal {
            reason: format!("a whole number from 2 to {MOST_SALTS} is expected"),
            at: Some(salts.at.clone()),
        });
    };
    block.find(table)?;
    let plain = block.select.projection.iter().all(is_plain);
    if !plain {
        return Err(Refusal::new(
            "a `*` with EXCLUDE or the like stands in the SELECT",
        ));
    }
    let found = block.select.from.iter().position(|item| {
        let joined = item.joins.first().map(|join| &join.relation);
        let names = [Some(&item.relation), joined].into_iter().flatten();
        names
            .filter_map(visible_name)
            .any(|name| name == table.text)
    });
    let Some(place) = found else {
        return Err(Refusal::new(
            "write the table first, or as the first that is joined",
        ));
    };
    let names = salted(&mut block.select.from[place], &table.text, count)?;
    hide_salts(&mut block.select.projection, &names);
    block.done(hint);
    Ok(())
}

/// The names of the skewed side and of the other.
struct Names {
    skewed: String,
    other: String,
}

/// Salts the first join of an item of FROM.
fn salted(item: &mut TableWithJoins, skewed: &str, count: usize) -> Result<Names, Refusal> {
    let is_left = visible_name(&item.relation).as_deref() == Some(skewed);
    let Some(Join {
        relation: right,
        join_operator,
        ..
    }) = item.joins.first_mut()
    else {
        return Err(Refusal::new("it is not joined"));
    };
    let condition = match join_operator {
        JoinOperator::Join(JoinConstraint::On(condition))
        | JoinOperator::Inner(JoinConstraint::On(condition)) => condition,
        JoinOperator::Left(JoinConstraint::On(condition))
        | JoinOperator::LeftOuter(JoinConstraint::On(condition))
            if is_left =>
        {
            condition
        }
        JoinOperator::Right(JoinConstraint::On(condition))
        | JoinOperator::RightOuter(JoinConstraint::On(condition))
            if !is_left =>
        {
            condition
        }
        _ => {
            return Err(Refusal::new(
                "salting works for inner joins with ON, and for outer joins that keep the rows of the table",
            ));
        }
    };
    let (of_left, of_right) = match is_left {
        true => (with_salt(&item.relation, count)?, with_salts(right, count)?),
        false => (with_salts(&item.relation, count)?, with_salt(right, count)?),
    };
    let other = visible_name(if is_left { &of_right } else { &of_left }).unwrap_or_default();
    let names = Names {
        skewed: skewed.to_owned(),
        other,
    };
    let column = |table: &str, name: &str| {
        Expr::CompoundIdentifier(vec![
            Ident::with_quote('"', table),
            Ident::with_quote('"', name),
        ])
    };
    let same = Expr::BinaryOp {
        left: Box::new(column(&names.skewed, SALT_COLUMN)),
        op: BinaryOperator::Eq,
        right: Box::new(column(&names.other, SALTS_COLUMN)),
    };
    *condition = Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(condition.clone()))),
        op: BinaryOperator::And,
        right: Box::new(same),
    };
    *right = of_right;
    item.relation = of_left;
    Ok(names)
}

/// Gives each row a salt.
fn with_salt(relation: &TableFactor, count: usize) -> Result<TableFactor, Refusal> {
    let expression = parse_expression(&format!("CAST(floor(random() * {count}) AS BIGINT)"));
    let salt = SelectItem::ExprWithAlias {
        expr: expression.map_err(|_| Refusal::new("the salt cannot be written"))?,
        alias: Ident::with_quote('"', SALT_COLUMN),
    };
    bracketed(relation, |items, _| items.push(salt))
}

/// Repeats each row for every salt.
fn with_salts(relation: &TableFactor, count: usize) -> Result<TableFactor, Refusal> {
    let last = count - 1;
    let text =
        format!("SELECT * FROM generate_series(0, {last}) AS \"__numbers\"(\"{SALTS_COLUMN}\")");
    let series = parse_query_tree(&text)
        .ok()
        .and_then(|query| match *query.body {
            SetExpr::Select(mut select) => select.from.pop(),
            _ => None,
        });
    let Some(series) = series else {
        return Err(Refusal::new("the salts cannot be written"));
    };
    let series = TableWithJoins {
        relation: without_place(series.relation),
        joins: Vec::new(),
    };
    bracketed(relation, |_, from| from.push(series))
}

/// Makes `(SELECT * FROM relation) AS name`, changed.
fn bracketed(
    relation: &TableFactor,
    change: impl FnOnce(&mut Vec<SelectItem>, &mut Vec<TableWithJoins>),
) -> Result<TableFactor, Refusal> {
    let own = match relation {
        TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => alias.clone(),
        _ => {
            return Err(Refusal::new(
                "one side of the join is no table and no subquery",
            ));
        }
    };
    let Some(name) = visible_name(relation) else {
        return Err(Refusal::new("one side of the join has no name"));
    };
    let mut query = select_from_nothing();
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.select_token = AttachedToken::empty();
        select.from = vec![TableWithJoins {
            relation: relation.clone(),
            joins: Vec::new(),
        }];
        change(&mut select.projection, &mut select.from);
    }
    let name = match own {
        Some(alias) => Ident {
            span: datafusion::sql::sqlparser::tokenizer::Span::empty(),
            ..alias.name
        },
        None => Ident::with_quote('"', name),
    };
    Ok(TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(TableAlias {
            explicit: true,
            name,
            columns: Vec::new(),
            at: None,
        }),
        sample: None,
    })
}

/// Leaves the salts out of `*`.
fn hide_salts(projection: &mut [SelectItem], names: &Names) {
    let hide = |options: &mut WildcardAdditionalOptions, columns: &[&str]| {
        let columns = columns
            .iter()
            .map(|column| ObjectName::from(vec![Ident::with_quote('"', *column)]));
        options.opt_exclude = Some(ExcludeSelectItem::Multiple(columns.collect()));
    };
    for item in projection {
        match item {
            SelectItem::Wildcard(options) => hide(options, &[SALT_COLUMN, SALTS_COLUMN]),
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) => {
                let name = name.0.last().and_then(|part| part.as_ident());
                let name = name.map(normalized).unwrap_or_default();
                if name == names.skewed {
                    hide(options, &[SALT_COLUMN]);
                } else if name == names.other {
                    hide(options, &[SALTS_COLUMN]);
                }
            }
            _ => {}
        }
    }
}
