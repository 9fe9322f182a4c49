//! What `--check` assumes: the names and files that earlier statements of a script would have made.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use lakesh_encoder::EncoderDefinition;
use lakesh_sql::{SqlFunction, TableName};
use lakesh_text::failure::Failure;

use super::StatementContext;
use crate::overlay::Overlay;
use crate::{read, write};

impl StatementContext {
    /// Returns a table with the schema of files that an earlier statement would have written.
    pub fn assumed_path(&self, path: &str) -> Option<Arc<dyn TableProvider>> {
        let overlays = read(&self.session.overlay);
        let schema = overlays.paths.get(path.trim_end_matches('/'))?;
        Some(Arc::new(EmptyTable::new(Arc::clone(schema))))
    }

    /// Lets `--check` assume that files of a schema exist.
    pub fn assume_path(&self, path: &str, schema: SchemaRef) {
        let path = path.trim_end_matches('/').to_owned();
        write(&self.session.overlay).paths.insert(path, schema);
    }

    /// Returns what `--check` assumes of an encoder's name; `Some(None)` where it would have been dropped.
    pub fn assumed_encoder(&self, name: &TableName) -> Option<Option<EncoderDefinition>> {
        read(&self.session.overlay).encoders.get(name).cloned()
    }

    /// Lets `--check` assume that an encoder exists, or that it was dropped.
    pub fn assume_encoder(&self, name: TableName, definition: Option<EncoderDefinition>) {
        let mut overlays = write(&self.session.overlay);
        overlays.encoders.insert(name, definition);
    }

    /// Returns what `--check` assumes of a function's name; `Some(None)` where it would have been dropped.
    pub fn assumed_function(&self, name: &TableName) -> Option<Option<SqlFunction>> {
        read(&self.session.overlay).functions.get(name).cloned()
    }

    /// Lets `--check` assume that a function exists, or that it was dropped.
    pub fn assume_function(&self, name: TableName, function: Option<SqlFunction>) {
        let mut overlays = write(&self.session.overlay);
        overlays.functions.insert(name, function);
    }

    /// Returns what `--check` assumes of a name.
    pub fn overlay(&self, name: &TableName) -> Option<Overlay> {
        read(&self.session.overlay).names.get(name).cloned()
    }

    /// Lets `--check` assume something of a name.
    pub fn assume(&self, name: TableName, overlay: Overlay) {
        write(&self.session.overlay).names.insert(name, overlay);
    }

    /// Lets `--check` assume that a schema exists.
    pub fn assume_schema(&self, schema: &str) {
        write(&self.session.overlay).schemas.push(schema.to_owned());
    }

    /// Says whether a schema exists, or would by now.
    pub fn schema_exists(&self, schema: &str) -> Result<bool, Failure> {
        Ok(read(&self.session.overlay)
            .schemas
            .iter()
            .any(|known| known == schema)
            || self.session.catalog().has_schema(schema)?)
    }
}
