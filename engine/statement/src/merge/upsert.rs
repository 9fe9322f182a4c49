//! `INSERT … ON CONFLICT (key) DO NOTHING | UPDATE SET …` as a merge: Delta tables have no unique keys, so that
//! the statement says which columns decide.

use std::ops::ControlFlow;

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::{
    Assignment, BinaryOperator, Expr as SqlExpr, Ident, ObjectName, Query as SqlQuery, TableAlias,
    TableAliasColumnDef, TableFactor, VisitMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::StatementContext;
use lakesh_session::scope::find_name;
use lakesh_sql::{
    ChangedTable, DIALECT, ParseResult, StatementParser, VersionClauses, normalized, syntax_error,
};
use lakesh_text::failure::{Failure, FailureKind};

use super::source::Source;
use super::{Merge, ParsedAction, ParsedClause};
use crate::mutation::{Change, MergeWhen, Mutation, Target};

/// What the statement's expressions call the rows that are to be inserted.
const NEW: &str = "excluded";

/// What happens to a row whose key is there.
pub(crate) struct Conflict {
    keys: Vec<Ident>,
    /// No assignments leave the row as it is.
    assignments: Vec<Assignment>,
    condition: Option<SqlExpr>,
}

/// Reads `ON CONFLICT (key, …) DO NOTHING | DO UPDATE SET … [WHERE …]`, if it comes next.
pub(crate) fn conflict(parser: &mut StatementParser) -> ParseResult<Option<Conflict>> {
    if !parser.accept(&["on", "conflict"]) {
        return Ok(None);
    }
    let place = parser.sql().peek_token_ref().span.start;
    if !parser.sql().consume_token(&Token::LParen) {
        return Err(syntax_error(
            "a Delta table has no unique keys: name the columns that decide, ON CONFLICT (key)",
            place,
        ));
    }
    let keys = parser
        .sql()
        .parse_comma_separated(Parser::parse_identifier)?;
    parser.sql().expect_token(&Token::RParen)?;
    parser.expect(&["do"])?;
    if parser.accept(&["nothing"]) {
        return Ok(Some(Conflict {
            keys,
            assignments: Vec::new(),
            condition: None,
        }));
    }
    parser.expect(&["update", "set"])?;
    let mut assignments = parser
        .sql()
        .parse_comma_separated(Parser::parse_assignment)?;
    parser.complete(&mut assignments)?;
    let condition = match parser.accept(&["where"]) {
        true => Some(parser.expression()?),
        false => None,
    };
    Ok(Some(Conflict {
        keys,
        assignments,
        condition,
    }))
}

/// An INSERT that looks for its keys.
pub(crate) struct Upsert {
    pub(crate) table: ObjectName,
    /// No columns are all of the table's.
    pub(crate) columns: Vec<Ident>,
    pub(crate) query: Box<SqlQuery>,
    pub(crate) versions: VersionClauses,
    pub(crate) conflict: Conflict,
}

impl Upsert {
    /// Returns the merge that says the same.
    fn merge(&self, context: &StatementContext, target: &Target) -> Result<Merge, Failure> {
        let explain = |error: DataFusionError| context.failure(error);
        let schema = target.schema();
        let columns: Vec<Ident> = match self.columns.as_slice() {
            [] => {
                let fields = schema.fields().iter();
                fields.map(|field| quoted(field.name())).collect()
            }
            listed => listed
                .iter()
                .map(|column| {
                    let place = target.column(context, column)?;
                    Ok(quoted(schema.field(place).name()))
                })
                .collect::<Result<_, Failure>>()?,
        };
        let mut keys = Vec::new();
        for key in &self.conflict.keys {
            let names = columns.iter().map(|column| column.value.as_str());
            let Some(name) = find_name(context, names, key)? else {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("the INSERT gives no value to the key `{}`", key.value),
                )
                .at(context.place(key.span.start)));
            };
            keys.push(quoted(&name));
        }
        let table = self.changed().map_err(explain)?;
        let visible = table.visible.clone();
        let rows = self.rows(&columns, &keys).map_err(explain)?;
        let source = Source::new(rows, self.versions.clone()).map_err(explain)?;
        let side = |table: &Ident, column: &Ident| {
            SqlExpr::CompoundIdentifier(vec![table.clone(), column.clone()])
        };
        let on = keys
            .iter()
            .map(|key| {
                binary(
                    side(&visible, key),
                    BinaryOperator::Eq,
                    side(&quoted(NEW), key),
                )
            })
            .reduce(|left, right| binary(left, BinaryOperator::And, right));
        let on = on.ok_or_else(|| Failure::new(FailureKind::Plan, "ON CONFLICT has no key"))?;
        let values = columns
            .iter()
            .map(|column| side(&quoted(NEW), column))
            .collect();
        let mut clauses = Vec::new();
        if !self.conflict.assignments.is_empty() {
            let mut assignments = self.conflict.assignments.clone();
            let mut condition = self.conflict.condition.clone();
            for assignment in &mut assignments {
                of_the_table(&mut assignment.value, &visible);
            }
            if let Some(condition) = &mut condition {
                of_the_table(condition, &visible);
            }
            clauses.push(ParsedClause {
                when: MergeWhen::Matched,
                condition,
                action: ParsedAction::Update(assignments),
            });
        }
        clauses.push(ParsedClause {
            when: MergeWhen::NotMatched,
            condition: None,
            action: ParsedAction::Insert(columns, values),
        });
        Ok(Merge {
            evolves: false,
            table,
            source,
            on,
            clauses,
        })
    }

    fn changed(&self) -> ParseResult<ChangedTable> {
        let factor = Parser::new(&DIALECT)
            .try_with_sql(&self.table.to_string())?
            .parse_table_factor()?;
        ChangedTable::new(factor, &mut VersionClauses::default())
    }

    /// Returns the new rows, of which a key has one: the first where the others are to do nothing; a second one
    /// is an error where it would update what the first has inserted.
    fn rows(&self, columns: &[Ident], keys: &[Ident]) -> ParseResult<TableFactor> {
        let listed = comma_separated(columns);
        let keyed = comma_separated(keys);
        let nulls: Vec<_> = keys.iter().map(|key| format!("{key} IS NULL")).collect();
        let nulls = nulls.join(" OR ");
        let condition = match self.conflict.assignments.is_empty() {
            true => format!("{nulls} OR row_number() OVER (PARTITION BY {keyed}) = 1"),
            false => format!(
                "CASE WHEN {nulls} OR count(*) OVER (PARTITION BY {keyed}) = 1 THEN true \
                 ELSE CAST(concat('two new rows have the key ', {keyed}) AS BOOLEAN) END"
            ),
        };
        let text = format!(
            "(SELECT * FROM (SELECT 1) AS {NEW} ({listed}) QUALIFY {condition}) AS {NEW} ({listed})"
        );
        let mut factor = Parser::new(&DIALECT)
            .try_with_sql(&text)?
            .parse_table_factor()?;
        if let TableFactor::Derived { subquery, .. } = &mut factor
            && let datafusion::sql::sqlparser::ast::SetExpr::Select(select) = subquery.body.as_mut()
            && let Some(from) = select.from.first_mut()
        {
            from.relation = TableFactor::Derived {
                lateral: false,
                subquery: self.query.clone(),
                alias: Some(named(columns)),
                sample: None,
            };
        }
        Ok(factor)
    }
}

fn named(columns: &[Ident]) -> TableAlias {
    TableAlias {
        explicit: true,
        name: quoted(NEW),
        columns: columns
            .iter()
            .map(|column| TableAliasColumnDef {
                name: column.clone(),
                data_type: None,
            })
            .collect(),
        at: None,
    }
}

fn comma_separated(columns: &[Ident]) -> String {
    let names: Vec<_> = columns.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

fn binary(left: SqlExpr, op: BinaryOperator, right: SqlExpr) -> SqlExpr {
    SqlExpr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

/// A name without a table is the column of the row that is there, as in PostgreSQL.
fn of_the_table<T: VisitMut>(tree: &mut T, table: &Ident) {
    // The walk never breaks off.
    let _: ControlFlow<()> = visit_expressions_mut(tree, |node| {
        if let SqlExpr::Identifier(word) = node
            && normalized(word) != NEW
        {
            *node = SqlExpr::CompoundIdentifier(vec![table.clone(), word.clone()]);
        }
        ControlFlow::Continue(())
    });
}

#[async_trait]
impl Mutation for Upsert {
    fn verb(&self) -> &'static str {
        "INSERT"
    }

    fn target(&self) -> &ObjectName {
        &self.table
    }

    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure> {
        self.merge(context, target)?.plan(context, target).await
    }
}
