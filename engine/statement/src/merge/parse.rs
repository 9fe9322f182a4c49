//! Reads a MERGE: the parser of DataFusion knows neither `UPDATE SET *` nor `INSERT *`.

use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_sql::{ChangedTable, ParseResult, StatementParser};

use super::source::Source;
use super::{Merge, ParsedAction, ParsedClause};
use crate::mutation::MergeWhen;

/// Reads what follows the word MERGE.
pub(super) fn parse(parser: &mut StatementParser) -> ParseResult<Merge> {
    let evolves = parser.accept(&["with", "schema", "evolution"]);
    parser.accept(&["into"]);
    let mut table = parser.sql().parse_table_factor()?;
    parser.complete(&mut table)?;
    parser.expect(&["using"])?;
    let mut source = parser.sql().parse_table_factor()?;
    parser.complete(&mut source)?;
    parser.expect(&["on"])?;
    let on = parser.expression()?;
    let mut clauses = Vec::new();
    while parser.accept(&["when"]) {
        clauses.push(clause(parser)?);
    }
    if clauses.is_empty() {
        return parser.expected("WHEN MATCHED or WHEN NOT MATCHED");
    }
    let mut versions = parser.take_versions();
    let table = ChangedTable::new(table, &mut versions)?;
    let source = Source::new(source, versions)?;
    if source.name == table.visible.value {
        return Err(DataFusionError::Plan(format!(
            "the table and the source of MERGE are both called `{}`; give one another name with AS",
            source.name
        )));
    }
    refuse_unreachable(&clauses)?;
    Ok(Merge {
        evolves,
        table,
        source,
        on,
        clauses,
    })
}

/// Refuses clauses behind one of the same kind without a condition.
fn refuse_unreachable(clauses: &[ParsedClause]) -> ParseResult<()> {
    for (index, clause) in clauses.iter().enumerate() {
        let is_last = !clauses[index + 1..]
            .iter()
            .any(|later| later.when == clause.when);
        if clause.condition.is_none() && !is_last {
            return Err(DataFusionError::Plan(
                "only the last WHEN of its kind can stand without a condition; those behind it would never apply"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

fn clause(parser: &mut StatementParser) -> ParseResult<ParsedClause> {
    let when = if parser.accept(&["matched"]) {
        MergeWhen::Matched
    } else if parser.accept(&["not", "matched", "by", "source"]) {
        MergeWhen::NotMatchedBySource
    } else if parser.accept(&["not", "matched", "by", "target"])
        || parser.accept(&["not", "matched"])
    {
        MergeWhen::NotMatched
    } else {
        return parser.expected("MATCHED or NOT MATCHED");
    };
    let condition = match parser.accept(&["and"]) {
        true => Some(parser.expression()?),
        false => None,
    };
    parser.expect(&["then"])?;
    let action = match when {
        MergeWhen::NotMatched => {
            parser.expect(&["insert"])?;
            insert(parser)?
        }
        MergeWhen::Matched | MergeWhen::NotMatchedBySource => {
            if parser.accept(&["delete"]) {
                ParsedAction::Delete
            } else if parser.accept(&["update", "set"]) {
                update(parser, when)?
            } else {
                return parser.expected("UPDATE SET or DELETE");
            }
        }
    };
    Ok(ParsedClause {
        when,
        condition,
        action,
    })
}

fn update(parser: &mut StatementParser, when: MergeWhen) -> ParseResult<ParsedAction> {
    if when == MergeWhen::Matched && parser.sql().consume_token(&Token::Mul) {
        return Ok(ParsedAction::UpdateAll);
    }
    let mut assignments = parser
        .sql()
        .parse_comma_separated(Parser::parse_assignment)?;
    parser.complete(&mut assignments)?;
    Ok(ParsedAction::Update(assignments))
}

fn insert(parser: &mut StatementParser) -> ParseResult<ParsedAction> {
    if parser.sql().consume_token(&Token::Mul) {
        return Ok(ParsedAction::InsertAll);
    }
    let mut columns = Vec::new();
    if parser.sql().consume_token(&Token::LParen) {
        columns = parser
            .sql()
            .parse_comma_separated(Parser::parse_identifier)?;
        parser.sql().expect_token(&Token::RParen)?;
    }
    parser.expect(&["values"])?;
    parser.sql().expect_token(&Token::LParen)?;
    let values = parser.expressions()?;
    parser.sql().expect_token(&Token::RParen)?;
    Ok(ParsedAction::Insert(columns, values))
}
