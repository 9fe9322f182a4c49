//! MERGE INTO: brings a source of rows together with a table, row by row.

mod parse;
mod source;
pub(super) mod upsert;

use async_trait::async_trait;
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{Assignment, Expr as SqlExpr, Ident, ObjectName};
use lakesh_session::{Statement, StatementContext, StatementKind};
use lakesh_sql::ChangedTable;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use super::mutating::Mutating;
use super::update::assigned_columns;
use crate::mutation::{
    Change, Columns, MergeAction, MergeChange, MergeClause, MergeWhen, Mutation, Target,
    has_subquery, is_recordable, with_generated,
};
use source::Source;

/// The statement `MERGE`.
pub static MERGE: StatementKind = StatementKind {
    name: "MERGE",
    usage: "MERGE [WITH SCHEMA EVOLUTION] INTO name [AS alias] USING table | (query) [AS alias] ON condition\n\
            WHEN MATCHED [AND condition] THEN UPDATE SET column = value, … | UPDATE SET * | DELETE\n\
            WHEN NOT MATCHED [BY TARGET] [AND condition] THEN INSERT [(column, …)] VALUES (value, …) | INSERT *\n\
            WHEN NOT MATCHED BY SOURCE [AND condition] THEN UPDATE SET column = value, … | DELETE",
    summary: "Updates, deletes and inserts rows of a Delta table by the rows of a source, in one commit.",
    examples: &[
        "CREATE TABLE t (id INT, name VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, 'b'); \
         MERGE INTO t USING (VALUES (2, 'B'), (3, 'C')) AS s (id, name) ON t.id = s.id \
         WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *; SELECT * FROM t;",
    ],
    parse: |parser| {
        if !parser.peeks(&["merge"]) {
            return Ok(None);
        }
        parser.accept(&["merge"]);
        let merge = parse::parse(parser)?;
        Ok(Some(Box::new(Mutating(merge)) as Box<dyn Statement>))
    },
};

/// A MERGE as it was written.
pub(super) struct Merge {
    evolves: bool,
    table: ChangedTable,
    source: Source,
    on: SqlExpr,
    clauses: Vec<ParsedClause>,
}

struct ParsedClause {
    when: MergeWhen,
    condition: Option<SqlExpr>,
    action: ParsedAction,
}

enum ParsedAction {
    UpdateAll,
    Update(Vec<Assignment>),
    Delete,
    InsertAll,
    /// No columns name all of the table's.
    Insert(Vec<Ident>, Vec<SqlExpr>),
}

/// New values of the table's columns, and columns that the table is to get.
#[derive(Default)]
struct Values {
    columns: Vec<(usize, SqlExpr)>,
    added: Vec<String>,
}

/// Plans the pieces of a merge against the columns of its two sides.
struct Planner<'a> {
    merge: &'a Merge,
    context: &'a StatementContext,
    target: &'a Target,
    evolves: bool,
    source_columns: Vec<String>,
    both: Columns<'a>,
    only_source: Columns<'a>,
    only_target: Columns<'a>,
}

impl<'a> Planner<'a> {
    fn new(
        merge: &'a Merge,
        context: &'a StatementContext,
        target: &'a Target,
        source: &DFSchema,
    ) -> Result<Self, Failure> {
        let schema = target
            .qualified(&merge.table.visible.value)
            .map_err(|error| context.failure(error))?;
        let both = schema
            .join(source)
            .map_err(|error| context.failure(error))?;
        Ok(Self {
            merge,
            context,
            target,
            evolves: merge.evolves || context.session.schema_evolution(),
            source_columns: source
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
            both: Columns::new(context, both),
            only_source: Columns::new(context, source.clone()),
            only_target: Columns::new(context, schema),
        })
    }

    fn clause(&self, clause: &ParsedClause) -> Result<MergeClause, Failure> {
        let columns = match clause.when {
            MergeWhen::Matched => &self.both,
            MergeWhen::NotMatched => &self.only_source,
            MergeWhen::NotMatchedBySource => &self.only_target,
        };
        let condition = clause
            .condition
            .as_ref()
            .map(|condition| self.condition(columns, condition))
            .transpose()?;
        let action = match &clause.action {
            ParsedAction::Delete => MergeAction::Delete,
            ParsedAction::UpdateAll => {
                MergeAction::Update(self.values(columns, self.all_columns()?, false)?)
            }
            ParsedAction::Update(assignments) => {
                let visible = &self.merge.table.visible;
                let values = Values {
                    columns: assigned_columns(self.context, self.target, visible, assignments)?,
                    added: Vec::new(),
                };
                MergeAction::Update(self.values(columns, values, false)?)
            }
            ParsedAction::InsertAll => {
                MergeAction::Insert(self.values(columns, self.all_columns()?, true)?)
            }
            ParsedAction::Insert(names, values) => {
                MergeAction::Insert(self.values(columns, self.inserted(names, values)?, true)?)
            }
        };
        Ok(MergeClause {
            when: clause.when,
            condition,
            action,
        })
    }

    fn condition(&self, columns: &Columns<'_>, condition: &SqlExpr) -> Result<Expr, Failure> {
        refuse_subquery(condition)?;
        let planned = columns.condition(condition)?;
        match is_recordable(&planned) {
            true => Ok(planned),
            false => Err(Failure::new(
                FailureKind::Plan,
                format!("`{condition}` cannot be written into the table's log, as a MERGE must"),
            )
            .hint("compute the value in the source: USING (SELECT *, … AS value FROM …)")),
        }
    }

    /// Returns what `*` stands for: the source's columns by their names.
    fn all_columns(&self) -> Result<Values, Failure> {
        let schema = self.target.schema();
        let is = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
        let mut values = Values::default();
        for (index, field) in schema.fields().iter().enumerate() {
            let found = self
                .source_columns
                .iter()
                .find(|name| is(name, field.name()));
            match found {
                Some(name) => values.columns.push((index, self.source_column(name))),
                None if self.evolves || self.target.generated.contains(field.name()) => {}
                None => {
                    return Err(Failure::new(
                        FailureKind::Plan,
                        format!(
                            "the source has no column `{}`, which `*` needs",
                            field.name()
                        ),
                    )
                    .hint("name the columns to set, or use MERGE WITH SCHEMA EVOLUTION"));
                }
            }
        }
        if self.evolves {
            let fields = schema.fields();
            values.added = self
                .source_columns
                .iter()
                .filter(|name| !fields.iter().any(|field| is(name, field.name())))
                .cloned()
                .collect();
        }
        Ok(values)
    }

    fn source_column(&self, name: &str) -> SqlExpr {
        let source = Ident::with_quote('"', &self.merge.source.name);
        SqlExpr::CompoundIdentifier(vec![source, Ident::with_quote('"', name)])
    }

    /// Pairs the columns of an INSERT with its values.
    fn inserted(&self, names: &[Ident], values: &[SqlExpr]) -> Result<Values, Failure> {
        let schema = self.target.schema();
        let columns: Vec<usize> = match names {
            [] => (0..schema.fields().len()).collect(),
            names => names
                .iter()
                .map(|name| self.target.column(self.context, name))
                .collect::<Result<_, _>>()?,
        };
        if columns.len() != values.len() {
            return Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "INSERT has {} columns and {} values",
                    columns.len(),
                    values.len()
                ),
            ));
        }
        Ok(Values {
            columns: columns.into_iter().zip(values.iter().cloned()).collect(),
            added: Vec::new(),
        })
    }

    /// Plans new values, those of generated columns included.
    fn values(
        &self,
        columns: &Columns<'_>,
        mut values: Values,
        inserts: bool,
    ) -> Result<Vec<(String, Expr)>, Failure> {
        let schema = self.target.schema();
        if inserts && !self.target.generated.is_empty() {
            // What a new row does not name is NULL, for the generated columns too.
            for (index, field) in schema.fields().iter().enumerate() {
                let is_named = values.columns.iter().any(|(known, _)| *known == index);
                if !is_named && !self.target.generated.contains(field.name()) {
                    values.columns.push((index, null()));
                }
            }
        }
        let visible = &self.merge.table.visible;
        let assigned = with_generated(self.context, self.target, visible, values.columns)?;
        let mut planned = Vec::with_capacity(assigned.len() + values.added.len());
        for (index, value) in &assigned {
            refuse_subquery(value)?;
            let field = schema.field(*index);
            planned.push((field.name().clone(), columns.value(value, field)?));
        }
        for name in values.added {
            let value = columns.expression(&self.source_column(&name))?;
            planned.push((name, value));
        }
        Ok(planned)
    }
}

fn null() -> SqlExpr {
    SqlExpr::value(datafusion::sql::sqlparser::ast::Value::Null)
}

fn refuse_subquery(expression: &SqlExpr) -> Result<(), Failure> {
    match has_subquery(expression) {
        false => Ok(()),
        true => Err(Failure::new(
            FailureKind::Plan,
            format!("`{expression}` holds a query, which cannot stand in a clause of MERGE"),
        )
        .hint("put it into the source: USING (SELECT … ) AS source")),
    }
}

#[async_trait]
impl Mutation for Merge {
    fn verb(&self) -> &'static str {
        "MERGE"
    }

    fn target(&self) -> &ObjectName {
        &self.table.name
    }

    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure> {
        let source = self.source.plan(context).await?;
        let schema = self.source.schema(context, &source)?;
        let planner = Planner::new(self, context, target, &schema)?;
        let on = planner.condition(&planner.both, &self.on)?;
        let clauses = self
            .clauses
            .iter()
            .map(|clause| planner.clause(clause))
            .collect::<Result<_, _>>()?;
        let change = MergeChange {
            target_name: self.table.visible.value.clone(),
            source_name: self.source.name.clone(),
            source,
            on,
            clauses,
            evolves: planner.evolves,
            counts: |changes| changes,
        };
        Ok(Box::new(Erased::new(change)))
    }
}
