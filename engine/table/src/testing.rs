//! A folder, a session and short ways to query files, for the tests of this module.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::delta_datafusion::planner::DeltaPlanner;
use lakesh_catalog::definition::{TableDefinition, TableVersion};
use lakesh_text::erased::Erased;
use lakesh_text::failure::Failure;

use super::{OpenTable, TableCache, TableContext, TableError};

/// A temporary folder and a session whose working directory it is.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    state: Erased<SessionState>,
    environment: BTreeMap<String, String>,
    cache: Erased<TableCache>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let config = SessionConfig::new().with_target_partitions(2);
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(config)
            .with_query_planner(DeltaPlanner::new())
            .build();
        Self {
            folder: tempfile::tempdir().unwrap(),
            state: Erased::new(state),
            environment: BTreeMap::from([("HOME".into(), "/home/someone".into())]),
            cache: Erased::new(TableCache::default()),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn context(&self) -> TableContext<'_> {
        TableContext {
            state: &self.state,
            working_directory: self.folder.path(),
            environment: &self.environment,
            cache: &self.cache,
            outside_files: false,
            keeps_checkpoints: false,
        }
    }

    /// Writes a file below the folder and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes the result of a query as one Parquet file.
    pub(crate) async fn parquet(&self, name: &str, query: &str) -> PathBuf {
        let batches = self.query(query).await;
        let mut bytes = Vec::new();
        let schema = batches[0].schema();
        let mut writer =
            datafusion::parquet::arrow::ArrowWriter::try_new(&mut bytes, schema, None).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        writer.close().unwrap();
        self.write(name, bytes)
    }

    pub(crate) async fn query(&self, query: &str) -> Vec<RecordBatch> {
        let session = SessionContext::new_with_state((*self.state).clone());
        let frame = session.sql(query).await.unwrap();
        let schema = frame.schema().inner().clone();
        let mut batches = frame.collect().await.unwrap();
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        batches
    }

    pub(crate) async fn open(
        &self,
        format: &str,
        location: &str,
        options: &[(&str, &str)],
    ) -> Result<OpenTable, TableError> {
        let definition = definition(format, &[location], options);
        super::open(&definition, TableVersion::Latest, &self.context()).await
    }

    /// Runs a query over an open table named `t` and writes the result as a text table.
    pub(crate) async fn select(&self, table: &OpenTable, query: &str) -> Result<String, String> {
        let session = SessionContext::new_with_state((*self.state).clone());
        session
            .deregister_table("t")
            .map_err(|error| error.to_string())?;
        session
            .register_table("t", table.provider.clone())
            .map_err(|error| error.to_string())?;
        let frame = session
            .sql(query)
            .await
            .map_err(|error| error.to_string())?;
        let batches = frame.collect().await.map_err(|error| error.to_string())?;
        Ok(pretty_format_batches(&batches).unwrap().to_string())
    }

    /// Runs a query over an open table named `t` and returns why it failed, if it did.
    pub(crate) async fn failure(&self, table: &OpenTable, query: &str) -> Option<Failure> {
        let session = SessionContext::new_with_state((*self.state).clone());
        session.register_table("t", table.provider.clone()).unwrap();
        let rows = session.sql(query).await.unwrap().collect().await;
        rows.err().map(Failure::from_error)
    }

    /// Opens and queries; the result as lines of cells joined with `|`, without the header.
    pub(crate) async fn rows(&self, table: &OpenTable, query: &str) -> Vec<String> {
        let text = self.select(table, query).await.unwrap();
        text.lines()
            .filter(|line| line.starts_with('|'))
            .skip(1)
            .map(|line| {
                let cells = line.trim_matches('|').split('|').map(str::trim);
                cells.collect::<Vec<_>>().join("|")
            })
            .collect()
    }
}

pub(crate) fn definition(
    format: &str,
    locations: &[&str],
    options: &[(&str, &str)],
) -> TableDefinition {
    TableDefinition {
        format: format.into(),
        locations: locations.iter().map(ToString::to_string).collect(),
        options: options
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        ..TableDefinition::default()
    }
}
