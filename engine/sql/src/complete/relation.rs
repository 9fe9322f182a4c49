//! What stands in FROM: tables, subqueries, functions, joins, and the names that they go by.

use datafusion::sql::sqlparser::ast::{
    FunctionArg, Join, JoinConstraint, JoinOperator, PivotValueSource, Spanned, TableAlias,
    TableAliasColumnDef, TableFactor, TableFunctionArgs, TableSample, TableSampleKind,
    TableSampleMethod,
};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::{Checked, Refusal};
use crate::sampling::counts_rows;

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
            sampled(sample.as_ref(), start())?;
            alias
        }
        TableFactor::Derived {
            lateral: _,
            subquery: _,
            alias,
            sample,
        } => {
            sampled(sample.as_ref(), start())?;
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
        // `scope::names` writes both out.
        TableFactor::Pivot {
            table: _,
            aggregate_functions: _,
            value_column: _,
            value_source,
            default_on_null,
            alias,
        } => {
            match value_source {
                PivotValueSource::List(_) => {}
                PivotValueSource::Any(_) | PivotValueSource::Subquery(_) => {
                    let message = "PIVOT needs its values by name: IN (1, 2)";
                    return Err(Refusal::clause(start(), "pivot", message));
                }
            }
            if default_on_null.is_some() {
                return refuse("DEFAULT ON NULL in PIVOT");
            }
            alias
        }
        TableFactor::Unpivot {
            table: _,
            value: _,
            name: _,
            columns: _,
            null_inclusion: _,
            alias,
        } => alias,
        TableFactor::MatchRecognize { .. } => return refuse("MATCH_RECOGNIZE"),
        TableFactor::XmlTable { .. } => return refuse("XMLTABLE"),
        TableFactor::SemanticView { .. } => return refuse("SEMANTIC_VIEW"),
    };
    alias_of.as_ref().map_or(Ok(()), alias)
}

/// Checks what a sample says of itself.
fn sampled(kind: Option<&TableSampleKind>, start: Location) -> Checked {
    let Some(TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) =
        kind
    else {
        return Ok(());
    };
    let TableSample {
        modifier: _,
        name,
        quantity: _,
        seed,
        bucket,
        offset,
    } = sample.as_ref();
    let refused = [
        (bucket.is_some(), "BUCKET in TABLESAMPLE is not supported"),
        (offset.is_some(), "OFFSET in TABLESAMPLE is not supported"),
        (
            seed.is_some(),
            "REPEATABLE is not supported: files have no order that lasts; keep a sample with CREATE TABLE … AS",
        ),
        (
            matches!(
                name,
                Some(TableSampleMethod::Row | TableSampleMethod::Block)
            ),
            "TABLESAMPLE has the methods BERNOULLI and SYSTEM",
        ),
        (
            counts_rows(sample).is_none(),
            "TABLESAMPLE must say ROWS or PERCENT behind its number",
        ),
    ];
    match refused.into_iter().find(|(present, _)| *present) {
        None => Ok(()),
        Some((_, message)) => Err(Refusal::clause(start, "tablesample", message)),
    }
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
