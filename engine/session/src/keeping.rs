//! What a session keeps until it ends: prepared statements, temporary tables and views.

use std::collections::HashMap;

use datafusion::common::{ParamValues, ScalarValue};
use lakesh_catalog::{Entry, EntryKind, OnConflict};
use lakesh_memory::spill::ScratchFolder;
use lakesh_sql::TableName;
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_text::input::Substituted;
use lakesh_text::similar::closest;

use super::prepared::Prepared;
use super::{Output, Session, StatementContext, drive, read, write};

impl Session {
    /// Returns the values of `$name` that the session has.
    pub fn parameter_values(&self) -> HashMap<String, ScalarValue> {
        self.parameters().into_iter().collect()
    }

    /// Keeps a statement under a name that no other one has.
    pub fn prepare(&self, name: &str, prepared: Prepared) -> Result<(), Failure> {
        let mut all = write(&self.prepared);
        if all.contains_key(name) {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("prepared statement `{name}` exists already"),
            )
            .hint(format!("DEALLOCATE {name} frees the name")));
        }
        all.insert(name.to_owned(), prepared);
        Ok(())
    }

    /// Returns a prepared statement.
    pub fn prepared(&self, name: &str) -> Result<Prepared, Failure> {
        let all = read(&self.prepared);
        if let Some(found) = all.get(name) {
            return Ok(found.clone());
        }
        let failure = Failure::new(
            FailureKind::Plan,
            format!("prepared statement `{name}` not found"),
        );
        Err(match closest(name, all.keys().map(String::as_str)) {
            Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
            None => failure.hint(format!("PREPARE {name} AS … makes one")),
        })
    }

    /// Forgets a prepared statement, or all of them.
    pub fn deallocate(&self, name: Option<&str>) -> Result<(), Failure> {
        match name {
            None => write(&self.prepared).clear(),
            Some(name) => {
                self.prepared(name)?;
                write(&self.prepared).remove(name);
            }
        }
        Ok(())
    }
}

impl StatementContext {
    /// Runs the text of another statement in the place of this one, with values for its parameters.
    pub async fn run_text(
        &self,
        text: &str,
        parameters: Option<ParamValues>,
    ) -> Result<Output, Failure> {
        let text = Substituted::detached(text);
        let statement = self.session.parse(&text)?;
        let inner = self.for_text(text, parameters);
        drive::refuse_where_denied(self, &inner, statement.as_ref())?;
        statement.run(&inner).await
    }

    /// Checks the text of another statement in the place of this one.
    pub async fn check_text(
        &self,
        text: &str,
        parameters: Option<ParamValues>,
    ) -> Result<(), Failure> {
        let text = Substituted::detached(text);
        let statement = self.session.parse(&text)?;
        let inner = self.for_text(text, parameters);
        drive::refuse_where_denied(self, &inner, statement.as_ref())?;
        statement.check(&inner).await
    }
}

impl Session {
    /// Returns a temporary table or view.
    pub fn temporary(&self, name: &TableName) -> Option<Entry> {
        read(&self.temporaries).get(name)
    }

    /// Says whether a temporary name that is to be made is there already and stays.
    pub fn skips_temporary(
        &self,
        name: &TableName,
        on_conflict: OnConflict,
    ) -> Result<bool, Failure> {
        match (self.temporary(name), on_conflict) {
            (None, _) | (Some(_), OnConflict::Replace) => Ok(false),
            (Some(_), OnConflict::Skip) => Ok(true),
            (Some(_), OnConflict::Fail) => Err(Failure::new(
                FailureKind::Plan,
                format!("temporary `{}` exists already", name.table),
            )
            .hint("CREATE OR REPLACE TEMP replaces it, IF NOT EXISTS keeps it")),
        }
    }

    /// Makes a folder for the rows of a temporary table.
    pub fn temporary_folder(&self) -> Result<ScratchFolder, Failure> {
        let spill = self.memory().spill();
        spill.make_folder("table-").map_err(Failure::from_error)
    }

    /// Keeps a temporary table or view in the place of what has its name.
    pub fn keep_temporary(&self, name: &TableName, entry: Entry, folder: Option<ScratchFolder>) {
        write(&self.temporaries).put(name, entry, folder);
    }

    /// Drops a temporary table or view; says whether there was one of this kind.
    pub fn drop_temporary(&self, name: &TableName, kind: EntryKind) -> bool {
        write(&self.temporaries).remove(name, kind)
    }

    /// Lists what is temporary.
    pub(crate) fn all_temporaries(&self) -> Vec<(TableName, Entry)> {
        read(&self.temporaries).all()
    }
}
