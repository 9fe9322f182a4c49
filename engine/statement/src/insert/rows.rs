//! The rows of an INSERT, with the table's columns in the table's order.

use datafusion::common::{DataFusionError, ScalarValue, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ident, lit};
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{SetExpr, Statement as SqlStatement, TableObject};
use datafusion::sql::sqlparser::parser::Parser;
use lakesh_session::StatementContext;
use lakesh_sql::DIALECT;
use lakesh_sql::Query;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

use super::parse::column_names;
use super::{Insert, Matching};
use crate::mutation::{Target, assigned};

/// What is written.
pub(super) struct Rows {
    pub(super) plan: Erased<LogicalPlan>,
    /// Whether there are columns that the table does not have yet.
    pub(super) adds_columns: bool,
    /// Whether the query reads the table that the rows go to.
    pub(super) reads_target: bool,
}

impl Insert {
    /// Returns the statement as DataFusion plans it: by position, or by a list of columns.
    fn positional(&self, columns: &[String]) -> Result<Query, Failure> {
        let parsed = Parser::new(&DIALECT)
            .try_with_sql("INSERT INTO relation VALUES (1)")
            .and_then(|mut parser| parser.parse_statement());
        let Ok(SqlStatement::Insert(mut insert)) = parsed else {
            return Err(Failure::new(FailureKind::Plan, "INSERT cannot be planned"));
        };
        insert.table = TableObject::TableName(self.table.clone());
        insert.source = Some(self.query.clone());
        insert.columns = column_names(columns);
        Ok(Query {
            tree: ParsedStatement::Statement(Box::new(SqlStatement::Insert(insert))),
            versions: self.versions.clone(),
            target: Some(self.table.clone()),
        })
    }

    /// Plans the rows.
    pub(super) async fn rows(
        &self,
        context: &StatementContext,
        target: &Target,
    ) -> Result<Rows, Failure> {
        let evolves = self.evolves || context.session.schema_evolution();
        let query = Query {
            tree: ParsedStatement::Statement(Box::new(SqlStatement::Query(self.query.clone()))),
            versions: self.versions.clone(),
            target: None,
        };
        match &self.matching {
            Matching::Position | Matching::Listed(_) if !self.evolves => {
                let listed = self.listed(context, target)?;
                if !are_values(&self.query.body) {
                    return self.by_place(context, target, query, &listed).await;
                }
                // Planned alone the query says which tables it reads; with INSERT around it its
                // VALUES take the types of the table's columns.
                let reads_target = self.reads_target(context, query, target).await?;
                let plan = context.plan(self.positional(&listed)?).await?.into_inner();
                let plan = self
                    .without_generated(target, &listed, plan)
                    .map_err(|error| context.failure(error))?;
                Ok(Rows {
                    plan: plan.into(),
                    adds_columns: false,
                    reads_target,
                })
            }
            Matching::Listed(columns) => {
                let place = columns
                    .first()
                    .map(|column| context.place(column.span.start));
                let failure = Failure::new(
                    FailureKind::Plan,
                    "WITH SCHEMA EVOLUTION takes the columns by the names that the query gives them; a list cannot stand beside it",
                );
                Err(match place {
                    Some(place) => failure.at(place),
                    None => failure,
                })
            }
            Matching::Position | Matching::Name => {
                self.by_name(context, target, query, evolves).await
            }
        }
    }

    /// Returns the columns that the statement lists, as the table spells them.
    fn listed(&self, context: &StatementContext, target: &Target) -> Result<Vec<String>, Failure> {
        let Matching::Listed(columns) = &self.matching else {
            return Ok(Vec::new());
        };
        let schema = target.schema();
        columns
            .iter()
            .map(|column| {
                let place = target.column(context, column)?;
                Ok(schema.field(place).name().clone())
            })
            .collect()
    }

    async fn reads_target(
        &self,
        context: &StatementContext,
        query: Query,
        target: &Target,
    ) -> Result<bool, Failure> {
        let Some(location) = &target.location else {
            return Ok(true);
        };
        let reads = context.reads(query).await?;
        Ok(reads
            .iter()
            .any(|read| read.location.as_ref().is_none_or(|read| read == location)))
    }

    /// Leaves columns out that the table computes, unless the statement names them.
    fn without_generated(
        &self,
        target: &Target,
        listed: &[String],
        plan: LogicalPlan,
    ) -> Result<LogicalPlan, DataFusionError> {
        let LogicalPlan::Dml(dml) = plan else {
            return Err(DataFusionError::Plan("INSERT has no rows".to_owned()));
        };
        let rows = std::sync::Arc::unwrap_or_clone(dml.input);
        if !matches!(self.matching, Matching::Listed(_)) {
            return Ok(rows);
        }
        let left_out = |name: &String| target.generated.contains(name) && !listed.contains(name);
        let fields = rows.schema().fields();
        if !fields.iter().any(|field| left_out(field.name())) {
            return Ok(rows);
        }
        let kept: Vec<Expr> = fields
            .iter()
            .filter(|field| !left_out(field.name()))
            .map(|field| ident(field.name()))
            .collect();
        LogicalPlanBuilder::from(rows).project(kept)?.build()
    }

    /// Plans the rows of a query, whose columns go to those of the table by their places.
    ///
    /// With INSERT around it each VALUES in it, in FROM and in subqueries too, would take the types of the
    /// table's columns: `SELECT b, a FROM (VALUES (1.5, 2)) v(a, b)` would give other values.
    async fn by_place(
        &self,
        context: &StatementContext,
        target: &Target,
        query: Query,
        listed: &[String],
    ) -> Result<Rows, Failure> {
        let (plan, reads) = context.plan_with_reads(query).await?;
        let reads_target = reads.iter().any(|read| read.location == target.location);
        let plan = self
            .placed(target, plan.into_inner(), listed)
            .map_err(|error| context.failure(error))?;
        Ok(Rows {
            plan: plan.into(),
            adds_columns: false,
            reads_target,
        })
    }

    fn placed(
        &self,
        target: &Target,
        plan: LogicalPlan,
        listed: &[String],
    ) -> Result<LogicalPlan, DataFusionError> {
        let schema = target.schema();
        let all = matches!(self.matching, Matching::Position);
        let wanted = match all {
            true => schema.fields().len(),
            false => listed.len(),
        };
        if plan.schema().fields().len() != wanted {
            return plan_err!("Column count doesn't match insert query!");
        }
        let mut columns = Vec::new();
        for (number, field) in schema.fields().iter().enumerate() {
            let place = match all {
                true => Some(number),
                false => listed.iter().position(|name| name == field.name()),
            };
            let value = match place {
                Some(place) => Expr::from(plan.schema().qualified_field(place)),
                None if target.generated.contains(field.name()) => continue,
                None => lit(ScalarValue::Null),
            };
            let value = value.cast_to(field.data_type(), plan.schema())?;
            columns.push(value.alias(field.name()));
        }
        LogicalPlanBuilder::from(plan).project(columns)?.build()
    }

    /// Plans rows whose columns find those of the table by their names, in any case.
    async fn by_name(
        &self,
        context: &StatementContext,
        target: &Target,
        query: Query,
        evolves: bool,
    ) -> Result<Rows, Failure> {
        let (plan, reads) = context.plan_with_reads(query).await?;
        let reads_target = reads.iter().any(|read| read.location == target.location);
        let plan = plan.into_inner();
        let (columns, adds_columns) = named_columns(target, &plan, evolves)?;
        let plan = LogicalPlanBuilder::from(plan)
            .project(columns)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| context.failure(error))?;
        Ok(Rows {
            plan: plan.into(),
            adds_columns,
            reads_target,
        })
    }
}

/// Says whether the rows themselves are written down.
fn are_values(body: &SetExpr) -> bool {
    match body {
        SetExpr::Values(_) => true,
        SetExpr::Query(query) => are_values(&query.body),
        SetExpr::SetOperation { left, right, .. } => are_values(left) || are_values(right),
        _ => false,
    }
}

/// Matches a query's columns with the table's; says whether there are new ones.
fn named_columns(
    target: &Target,
    plan: &LogicalPlan,
    evolves: bool,
) -> Result<(Vec<Expr>, bool), Failure> {
    let schema = target.schema();
    let source = plan.schema();
    let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let mut found = source
            .iter()
            .filter(|(_, from)| same(from.name(), field.name()));
        let Some((qualifier, from)) = found.next() else {
            if !target.generated.contains(field.name()) {
                let null = datafusion::logical_expr::cast(
                    lit(ScalarValue::Null),
                    field.data_type().clone(),
                );
                columns.push(null.alias(field.name()));
            }
            continue;
        };
        if found.next().is_some() {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("the query has two columns called `{}`", field.name()),
            ));
        }
        let value = Expr::from((qualifier, from));
        columns.push(assigned(value, from.data_type(), field)?.alias(field.name()));
    }
    let known = |name: &str| schema.fields().iter().any(|field| same(field.name(), name));
    let added: Vec<_> = source
        .iter()
        .filter(|(_, field)| !known(field.name()))
        .collect();
    if let Some((_, field)) = added.first()
        && !evolves
    {
        return Err(unknown_column(target, field.name()));
    }
    let adds_columns = !added.is_empty();
    columns.extend(added.into_iter().map(Expr::from));
    Ok((columns, adds_columns))
}

fn unknown_column(target: &Target, name: &str) -> Failure {
    let schema = target.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let failure = Failure::new(
        FailureKind::Plan,
        format!("table `{}` has no column `{name}`", target.shown),
    );
    match lakesh_text::similar::closest(name, names) {
        Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
        None => failure.hint("INSERT WITH SCHEMA EVOLUTION adds the columns that are missing"),
    }
}
