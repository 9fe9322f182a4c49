//! What front ends ask of a session: to run and check cells, and what there is.

use std::sync::Arc;

use lakesh_text::failure::Failure;
use lakesh_text::input::Cell;
use lakesh_text::source::Place;

use super::locks::read;
use super::scope::APPLY_ENCODER;
use super::stream::{EventStream, spawn_with};
use super::{Session, drive, system};

impl Session {
    /// Runs one cell. Dropping the stream cancels it, unless it has begun to commit.
    pub fn run(self: &Arc<Self>, cell: Cell) -> EventStream {
        let session = Arc::clone(self);
        spawn_with(self.secrets.clone(), |sender| {
            drive::drive(session, cell, sender)
        })
    }

    /// Runs a statement that is not the user's own: it does not become the previous one.
    pub fn run_aside(self: &Arc<Self>, statement: Place) -> EventStream {
        let session = Arc::clone(self);
        spawn_with(self.secrets.clone(), |sender| {
            drive::drive_aside(session, statement, sender)
        })
    }

    /// Checks one cell without running it: names, types, permissions. Tables and views that a cell
    /// would create count as there for the cells that follow.
    pub async fn check(self: &Arc<Self>, cell: Cell) -> Result<(), Failure> {
        drive::check(self, cell).await
    }

    /// Returns the columns of a table or view with their SQL types, for completion and `\d`.
    pub async fn columns(self: &Arc<Self>, table: &str) -> Result<Vec<(String, String)>, Failure> {
        drive::columns(self, table).await
    }

    /// Returns the names of the tables and views in a schema or an attachment.
    pub async fn table_names(self: &Arc<Self>, schema: &str) -> Result<Vec<String>, Failure> {
        system::table_names(self, schema).await
    }

    /// Returns the names of all functions, in alphabetical order.
    pub fn function_names(&self) -> Vec<String> {
        let state = read(&self.state);
        let mut names: Vec<_> = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .chain(state.table_functions().keys())
            .filter(|name| !lakesh_sql::is_of_the_parser(name))
            .filter(|name| !lakesh_semantics::is_internal(name))
            .cloned()
            .chain(
                lakesh_table::READERS
                    .iter()
                    .map(|reader| reader.name.to_owned()),
            )
            .chain(
                lakesh_function::functions()
                    .iter()
                    .filter(|function| !function.is_internal())
                    .flat_map(|function| function.names().map(str::to_owned)),
            )
            .chain([APPLY_ENCODER.to_owned()])
            .chain(
                lakesh_encoder::ENCODER_FUNCTIONS
                    .iter()
                    .map(|function| function.name.to_owned()),
            )
            .collect();
        names.sort();
        names.dedup();
        names
    }
}
