//! What stands in FROM: tables, subqueries, functions, joins, and the names that they go by.

use datafusion::sql::sqlparser::ast::{
    FunctionArg, Join, JoinConstraint, JoinOperator, Spanned, TableAlias, TableAliasColumnDef,
    TableFactor, TableFunctionArgs,
};

use super::{Checked, Refusal};

/// Checks one relation.
pub(super) fn factor(factor: &TableFactor) -> Checked {
    let start = || factor.span().start;
    let refuse = |what: &str| Err(Refusal::at(start(), format!("{what} is not supported")));
    let alias_of = match factor {
        TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } => {
            let has_settings = args.as_ref().is_some_and(|call| {
                let TableFunctionArgs { args: _, settings } = call;
                settings.is_some()
            });
            let ignored = [
                (version.is_some(), "", "a table version of this form"),
                (sample.is_some(), "tablesample", "TABLESAMPLE"),
                (!with_hints.is_empty(), "with", "WITH hints"),
                (!index_hints.is_empty(), "index", "index hints"),
                (!partitions.is_empty(), "partition", "PARTITION"),
                (json_path.is_some(), "", "a path into a table"),
                (*with_ordinality, "with ordinality", "WITH ORDINALITY"),
                (has_settings, "settings", "SETTINGS"),
            ];
            if let Some((_, words, what)) = ignored.into_iter().find(|(present, ..)| *present) {
                let message = format!("{what} is not supported behind a table (`{name}`)");
                return Err(match words {
                    "" => Refusal::at(start(), message),
                    words => Refusal::clause(start(), words, message),
                });
            }
            alias
        }
        TableFactor::Derived {
            lateral: _,
            subquery: _,
            alias,
            sample,
        } => {
            if sample.is_some() {
                let message = "TABLESAMPLE is not supported behind a subquery";
                return Err(Refusal::clause(start(), "tablesample", message));
            }
            alias
        }
        TableFactor::Function {
            lateral: _,
            name,
            args,
            with_ordinality,
            alias,
        } => {
            if *with_ordinality {
                return refuse("WITH ORDINALITY");
            }
            for argument in args {
                match argument {
                    FunctionArg::Unnamed(_) => {}
                    FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                        return Err(Refusal::at(
                            start(),
                            format!("arguments with names are not supported in LATERAL {name}(…)"),
                        ));
                    }
                }
            }
            alias
        }
        TableFactor::UNNEST {
            alias,
            array_exprs: _,
            with_offset,
            with_offset_alias: _,
            with_ordinality,
        } => {
            if *with_offset {
                return refuse("WITH OFFSET behind unnest");
            }
            if *with_ordinality {
                return refuse("WITH ORDINALITY behind unnest");
            }
            alias
        }
        TableFactor::NestedJoin {
            table_with_joins,
            alias,
        } => {
            table_with_joins.joins.iter().try_for_each(join)?;
            alias
        }
        TableFactor::TableFunction { expr: _, alias: _ } => {
            return refuse("TABLE(…) in FROM");
        }
        TableFactor::JsonTable { .. } => return refuse("JSON_TABLE"),
        TableFactor::OpenJsonTable { .. } => return refuse("OPENJSON"),
        TableFactor::Pivot { .. } => return refuse("PIVOT"),
        TableFactor::Unpivot { .. } => return refuse("UNPIVOT"),
        TableFactor::MatchRecognize { .. } => return refuse("MATCH_RECOGNIZE"),
        TableFactor::XmlTable { .. } => return refuse("XMLTABLE"),
        TableFactor::SemanticView { .. } => return refuse("SEMANTIC_VIEW"),
    };
    alias_of.as_ref().map_or(Ok(()), alias)
}

/// Checks the name that a relation goes by.
pub(super) fn alias(alias: &TableAlias) -> Checked {
    let TableAlias {
        explicit: _,
        name: _,
        columns,
        at,
    } = alias;
    if let Some(at) = at {
        return Err(Refusal::at(
            at.span.start,
            "AT behind a table's name is not supported",
        ));
    }
    for TableAliasColumnDef { name, data_type } in columns {
        if data_type.is_some() {
            return Err(Refusal::at(
                name.span.start,
                format!("the column `{name}` cannot be given a type here; CAST it in the list"),
            ));
        }
    }
    Ok(())
}

/// Checks one join.
pub(super) fn join(join: &Join) -> Checked {
    let Join {
        relation,
        global,
        join_operator,
    } = join;
    let start = || relation.span().start;
    let refuse = |what: &str| Err(Refusal::at(start(), format!("{what} is not supported")));
    if *global {
        return refuse("GLOBAL JOIN");
    }
    match join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::AsOf {
            match_condition: _,
            constraint,
        } => match constraint {
            JoinConstraint::On(_)
            | JoinConstraint::Using(_)
            | JoinConstraint::Natural
            | JoinConstraint::None => Ok(()),
        },
        JoinOperator::CrossJoin(JoinConstraint::None) => Ok(()),
        JoinOperator::CrossJoin(_) => Err(Refusal::at(
            start(),
            "CROSS JOIN takes no condition; write JOIN",
        )),
        JoinOperator::CrossApply => refuse("CROSS APPLY (write CROSS JOIN LATERAL)"),
        JoinOperator::OuterApply => refuse("OUTER APPLY (write LEFT JOIN LATERAL … ON true)"),
        JoinOperator::StraightJoin(_) => refuse("STRAIGHT_JOIN"),
        JoinOperator::ArrayJoin | JoinOperator::LeftArrayJoin | JoinOperator::InnerArrayJoin => {
            refuse("ARRAY JOIN (use unnest)")
        }
    }
}
