//! The statements that are mutations: how they run, are checked, explained and refused.

use async_trait::async_trait;
use datafusion::common::DataFusionError;
use lakesh_session::{Output, Statement, StatementContext};
use lakesh_sql::ParseResult;
use lakesh_text::failure::Failure;

use crate::mutation::{self, Mutation};

/// A mutation as a statement.
pub(super) struct Mutating<M>(pub(super) M);

#[async_trait]
impl<M: Mutation> Statement for Mutating<M> {
    fn verb(&self) -> &'static str {
        self.0.verb()
    }

    fn writes(&self) -> bool {
        true
    }

    fn foretells(&self) -> bool {
        true
    }

    async fn foretell(&self, context: &StatementContext) -> Result<Output, Failure> {
        mutation::explain(&self.0, context).await
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        mutation::run(&self.0, context).await
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        mutation::check(&self.0, context).await
    }
}

/// Refuses the parts of a statement that the parser knows and lakesh does not.
pub(super) fn refuse_extras(verb: &str, parts: &[(&str, bool)]) -> ParseResult<()> {
    match parts.iter().find(|(_, present)| *present) {
        None => Ok(()),
        Some((what, _)) => Err(DataFusionError::NotImplemented(format!(
            "{verb} … {what} is not supported"
        ))),
    }
}
