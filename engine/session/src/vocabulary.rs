//! What a session is told when it is opened: the entries that it does not know by itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use lakesh_sql::Query;
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::command::Command;
use super::table_functions::TableFunction;
use super::{StatementContext, StatementKind};

/// What can be said to a session. The lists stand above it: the session names none of their entries.
pub struct Vocabulary {
    /// The statements, in alphabetical order but where one begins as another does.
    pub statements: &'static [&'static StatementKind],
    /// The commands that every front end has.
    pub commands: fn() -> Vec<Arc<dyn Command>>,
    /// The table functions of the engine itself.
    pub table_functions: &'static [&'static TableFunction],
    /// Who knows more about queries than the session does.
    pub advisor: &'static dyn Advisor,
}

/// What may be said about a query, and done to it, by somebody who knows more than the session.
#[async_trait]
pub trait Advisor: Send + Sync {
    /// Plans a query in another way than its text says; `None` where no better way is known.
    async fn planned(
        &self,
        context: &StatementContext,
        query: &Query,
    ) -> Result<Option<Erased<LogicalPlan>>, Failure>;

    /// Looks at the query that has just run, and tells the user what is to be said of it.
    async fn ran(&self, context: &StatementContext, elapsed: Duration) -> Result<(), Failure>;
}
