//! What `--check` has defined so far.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::TableProvider;
use lakesh_catalog::definition::ViewDefinition;
use lakesh_encoder::EncoderDefinition;
use lakesh_sql::{SqlFunction, TableName};

/// What `--check` assumes of a name.
#[derive(Clone)]
pub enum Overlay {
    /// An earlier statement of the script would have created this table.
    Table(Arc<dyn TableProvider>),
    /// An earlier statement would have created this view.
    View(ViewDefinition),
    /// An earlier statement would have dropped it.
    Dropped,
}

/// What `--check` has defined so far.
#[derive(Default)]
pub(crate) struct Overlays {
    pub(crate) names: HashMap<TableName, Overlay>,
    pub(crate) schemas: Vec<String>,
    /// Encoders that an earlier statement would have made; `None` for those that it would have dropped.
    pub(crate) encoders: HashMap<TableName, Option<EncoderDefinition>>,
    /// Functions that an earlier statement would have made; `None` for those that it would have dropped.
    pub(crate) functions: HashMap<TableName, Option<SqlFunction>>,
    /// Files that an earlier statement would have written, by absolute path.
    pub(crate) paths: HashMap<String, SchemaRef>,
}
