//! OPTIMIZE: writes the small files of a Delta table together, or orders its rows for skipping.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_session::scope::{DeltaTarget, Resolver, find_name};
use lakesh_session::{Output, Statement, StatementContext, StatementKind};
use lakesh_sql::normalized;
use lakesh_table::Optimize;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::similar::closest;

use self::condition::partition_filters;

mod condition;

/// The statement `OPTIMIZE`.
pub static OPTIMIZE: StatementKind = StatementKind {
    name: "OPTIMIZE",
    usage: "OPTIMIZE [TABLE] name | 'path' [WHERE condition on partition columns]\n\
            [ZORDER BY (column, …)]",
    summary: "Writes the small files of a Delta table together, or orders the rows of each partition \
              by several columns at once, so that queries on them skip files.",
    examples: &[
        "CREATE TABLE t AS SELECT 1 AS n; INSERT INTO t VALUES (2); OPTIMIZE t;",
        "CREATE TABLE t PARTITIONED BY (day) AS SELECT 1 AS n, 2 AS m, DATE '2024-03-01' AS day; \
         OPTIMIZE t WHERE day >= '2024-03-01' ZORDER BY (n, m);",
    ],
    parse: |parser| {
        if !parser.accept(&["optimize"]) {
            return Ok(None);
        }
        parser.accept(&["table"]);
        let name = parser.name()?;
        let condition = match parser.accept(&["where"]) {
            true => Some(parser.expression()?),
            false => None,
        };
        let mut order = Vec::new();
        if parser.accept(&["zorder", "by"]) {
            let in_brackets = parser.sql().consume_token(&Token::LParen);
            order = parser
                .sql()
                .parse_comma_separated(|parser| parser.parse_identifier())?;
            if in_brackets {
                parser.sql().expect_token(&Token::RParen)?;
            }
        }
        Ok(Some(Box::new(OptimizeStatement {
            name,
            condition,
            order,
        })))
    },
};

struct OptimizeStatement {
    name: ObjectName,
    condition: Option<Expr>,
    order: Vec<Ident>,
}

impl OptimizeStatement {
    /// Checks the names of columns and evaluates the condition's values.
    async fn operation(
        &self,
        context: &StatementContext,
        definition: &TableDefinition,
    ) -> Result<Optimize, Failure> {
        let newest = TableVersion::Latest;
        let opened = lakesh_table::open(definition, newest, &context.table_context()).await?;
        let schema = opened.provider.schema();
        let partitions =
            lakesh_table::delta_partition_columns(definition, &context.table_context()).await?;
        let filters = match &self.condition {
            None => Vec::new(),
            Some(condition) => partition_filters(condition, &schema, &partitions, context)?,
        };
        let mut order = Vec::new();
        for column in &self.order {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let found = find_name(context, names, column)?;
            let name = found.unwrap_or_else(|| normalized(column));
            let failure = if schema.field_with_name(&name).is_err() {
                let names = schema.fields().iter().map(|field| field.name().as_str());
                let failure = Failure::new(FailureKind::Plan, format!("column `{name}` not found"));
                match closest(&name, names) {
                    Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
                    None => failure,
                }
            } else if partitions.contains(&name) {
                Failure::new(
                    FailureKind::Plan,
                    format!(
                        "`{name}` is a partition column; all rows of a file have the same value"
                    ),
                )
                .hint("leave it out of ZORDER BY")
            } else {
                order.push(name);
                continue;
            };
            return Err(failure.at(context.place(column.span.start)));
        }
        Ok(Optimize { filters, order })
    }
}

#[async_trait]
impl Statement for OptimizeStatement {
    fn verb(&self) -> &'static str {
        "OPTIMIZE"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let target = Resolver::new(context).delta(&self.name).await?;
        let DeltaTarget::Table { definition, .. } = target else {
            return Ok(Output::done(self.verb()));
        };
        let operation = self.operation(context, &definition).await?;
        let summary = context.maintain(&definition, operation).await?;
        Ok(Output::Done(summary))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        match Resolver::new(context).delta(&self.name).await? {
            DeltaTarget::Table { definition, .. } => {
                self.operation(context, &definition).await.map(drop)
            }
            DeltaTarget::Assumed(_) => Ok(()),
        }
    }
}
