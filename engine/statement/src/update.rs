//! UPDATE: gives columns of rows new values, computed from the rows and from other tables.

mod direct;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    Assignment, AssignmentTarget, Expr as SqlExpr, Ident, ObjectName, Statement as SqlStatement,
    TableWithJoins, Update as ParsedUpdate, UpdateTableFromKind,
};
use lakesh_session::{Statement, StatementContext, StatementKind};
use lakesh_sql::{ChangedTable, ParseResult, Selection, VersionClauses, without_joins};
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use super::mutating::{Mutating, refuse_extras};
use crate::mutation::{
    Change, Changes, ContentKey, MergeAction, MergeChange, MergeClause, MergeWhen, Mutation,
    Target, assigned, has_subquery, mentioned_columns, with_generated,
};

/// The statement `UPDATE`.
pub static UPDATE: StatementKind = StatementKind {
    name: "UPDATE",
    usage: "UPDATE name [AS alias] SET column = value, … [FROM table, …] [WHERE condition]",
    summary: "Gives columns of a Delta table's rows new values.",
    examples: &[
        "CREATE TABLE t (id INT, name VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, 'b'); \
         UPDATE t SET name = upper(name) WHERE id = 2; SELECT * FROM t;",
        "CREATE TABLE t (id INT, name VARCHAR); INSERT INTO t VALUES (1, 'a'), (2, 'b'); \
         UPDATE t SET name = n.name FROM (VALUES (1, 'one')) AS n (id, name) WHERE n.id = t.id;",
    ],
    parse: |parser| {
        if !parser.peeks(&["update"]) {
            return Ok(None);
        }
        let mut parsed = parser.sql().parse_statement()?;
        parser.complete(&mut parsed)?;
        let SqlStatement::Update(update) = parsed else {
            return parser.expected("UPDATE");
        };
        let mut versions = parser.take_versions();
        refuse(&update)?;
        let table = ChangedTable::new(update.table.relation, &mut versions)?;
        Ok(Some(Box::new(Mutating(Update {
            table,
            assignments: update.assignments,
            from: match update.from {
                Some(UpdateTableFromKind::AfterSet(from)) => from,
                _ => Vec::new(),
            },
            condition: update.selection,
            versions,
        })) as Box<dyn Statement>))
    },
};

fn refuse(update: &ParsedUpdate) -> ParseResult<()> {
    refuse_extras(
        "UPDATE",
        &[
            ("JOIN", !update.table.joins.is_empty()),
            (
                "FROM before SET",
                matches!(update.from, Some(UpdateTableFromKind::BeforeSet(_))),
            ),
            (
                "RETURNING",
                update.returning.is_some() || update.output.is_some(),
            ),
            ("OR", update.or.is_some()),
            ("ORDER BY", !update.order_by.is_empty()),
            ("LIMIT", update.limit.is_some()),
        ],
    )
}

struct Update {
    table: ChangedTable,
    assignments: Vec<Assignment>,
    from: Vec<TableWithJoins>,
    condition: Option<SqlExpr>,
    versions: VersionClauses,
}

/// A column of the table and what it becomes.
struct Assigned {
    column: usize,
    value: SqlExpr,
}

/// Finds the columns that assignments name: `a = 1` or `t.a = 1`, each column once.
pub(super) fn assigned_columns(
    context: &StatementContext,
    target: &Target,
    visible: &Ident,
    assignments: &[Assignment],
) -> Result<Vec<(usize, SqlExpr)>, Failure> {
    let mut found: Vec<(usize, SqlExpr)> = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return Err(Failure::new(
                FailureKind::Plan,
                "SET takes one column at a time",
            ));
        };
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let column = match parts.as_slice() {
            [column] => *column,
            [table, column] if lakesh_sql::normalized(table) == visible.value => *column,
            _ => {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("`{name}` is not a column of `{}`", target.shown),
                )
                .hint("a field of a structure is changed by giving the whole column a new value"));
            }
        };
        let index = target.column(context, column)?;
        if found.iter().any(|(known, _)| *known == index) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("column `{}` is set twice", column.value),
            )
            .at(context.place(column.span.start)));
        }
        found.push((index, assignment.value.clone()));
    }
    Ok(found)
}

impl Update {
    fn assigned(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Vec<Assigned>, Failure> {
        let assigned = assigned_columns(context, target, &self.table.visible, &self.assignments)?;
        let assigned = with_generated(context, target, &self.table.visible, assigned)?;
        Ok(assigned
            .into_iter()
            .map(|(column, value)| Assigned { column, value })
            .collect())
    }

    /// Plans an update as a merge on the columns that decide.
    async fn keyed(
        &self,
        context: &StatementContext,
        target: &Target,
        assigned: Vec<Assigned>,
    ) -> Result<MergeChange, Failure> {
        let mut trees: Vec<&SqlExpr> = assigned.iter().map(|assigned| &assigned.value).collect();
        trees.extend(&self.condition);
        let mut mentioned = mentioned_columns(&trees);
        mentioned.extend(mentioned_columns(&self.from.iter().collect::<Vec<_>>()));
        let key = ContentKey::new(target, &mentioned);
        let mut items = key.selected(&self.table.visible);
        for (index, assigned) in assigned.iter().enumerate() {
            items.push(ContentKey::selected_value(index, &assigned.value));
        }
        let mut from = vec![without_joins(self.table.factor.clone())];
        from.extend(self.from.iter().cloned());
        let query = Selection {
            distinct: true,
            items,
            from,
            condition: self.condition.clone(),
        };
        let query = query
            .query(self.versions.clone())
            .map_err(|error| context.failure(error))?;
        let source = context.plan(query).await?;
        let values = new_values(target, &source, &assigned)?;
        Ok(key.merge(
            source,
            MergeClause {
                when: MergeWhen::Matched,
                condition: None,
                action: MergeAction::Update(values),
            },
            |changes| Changes {
                inserted: None,
                deleted: None,
                ..changes
            },
        ))
    }
}

/// Takes the new values from the last columns of the source, each made to fit its column.
fn new_values(
    target: &Target,
    source: &LogicalPlan,
    assigned_columns: &[Assigned],
) -> Result<Vec<(String, datafusion::logical_expr::Expr)>, Failure> {
    let schema = target.schema();
    let fields = source.schema().fields();
    let first = fields.len() - assigned_columns.len();
    assigned_columns
        .iter()
        .enumerate()
        .map(|(index, to)| {
            let field = schema.field(to.column);
            let from = fields[first + index].data_type();
            let value = assigned(ContentKey::value(index), from, field)?;
            Ok((field.name().clone(), value))
        })
        .collect()
}

#[async_trait]
impl Mutation for Update {
    fn verb(&self) -> &'static str {
        "UPDATE"
    }

    fn target(&self) -> &ObjectName {
        &self.table.name
    }

    async fn plan(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Box<dyn Change>, Failure> {
        let assigned = self.assigned(context, target)?;
        let has_query = self.condition.iter().any(has_subquery)
            || assigned
                .iter()
                .any(|assigned| has_subquery(&assigned.value));
        if self.from.is_empty() && !has_query {
            let direct = self.direct(context, target, &assigned)?;
            if let Some(direct) = direct {
                return Ok(Box::new(Erased::new(direct)));
            }
        }
        let change = self.keyed(context, target, assigned).await?;
        Ok(Box::new(Erased::new(change)))
    }
}
