//! SHOW PARTITIONS: the values by which the files of a Delta table are put apart.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, ObjectName, SelectItem, TableFactor,
};
use lakesh_session::scope::{Found, Resolver};
use lakesh_session::{Output, Statement, StatementContext};
use lakesh_sql::{Query, Selection, TableName, VersionClauses, without_joins};
use lakesh_text::failure::{Failure, FailureKind};

pub(super) struct ShowPartitions {
    pub(super) name: ObjectName,
    /// The table as it stands in FROM.
    pub(super) factor: TableFactor,
}

impl ShowPartitions {
    async fn query(&self, context: &StatementContext) -> Result<Query, Failure> {
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        let shown = name.shown(context.current_schema());
        let refuse = |what: &str| Failure::new(FailureKind::Plan, format!("`{shown}` {what}"));
        let Found::Table(definition) = Resolver::new(context).find(&name, &parts).await? else {
            return Err(refuse("is no table, and has no partitions"));
        };
        if definition.format != "delta" {
            return Err(refuse(
                "is no Delta table; its folders are columns of its rows",
            ));
        }
        let tables = context.table_context();
        let columns = lakesh_table::delta_partition_columns(&definition, &tables).await?;
        if columns.is_empty() {
            return Err(refuse("has no partitions")
                .hint("CREATE TABLE … PARTITIONED BY (column) puts the files of a table apart"));
        }
        let column = |name: &String| {
            SelectItem::UnnamedExpr(SqlExpr::Identifier(Ident::with_quote('"', name)))
        };
        let selection = Selection {
            distinct: true,
            items: columns.iter().map(column).collect(),
            from: vec![without_joins(self.factor.clone())],
            condition: None,
        };
        selection
            .query(VersionClauses::default())
            .map_err(|error| context.failure(error))
    }
}

#[async_trait]
impl Statement for ShowPartitions {
    fn verb(&self) -> &'static str {
        "SHOW"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let query = self.query(context).await?;
        Ok(Output::Plan(context.plan(query).await?))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, parts) = TableName::from_object(&self.name, context.current_schema())?;
        Resolver::new(context).find(&name, &parts).await.map(drop)
    }
}
