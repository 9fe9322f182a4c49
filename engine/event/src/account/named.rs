//! Names the file where a decoder fails, and keeps a panic of a decoder to its file.
//!
//! Decoders trust a file's pages more than its footer and panic on broken ones. Neither what they say then
//! nor most of their errors tell of which file they are.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::errors::ParquetError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::TableSchema;
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt};
use lakesh_text::failure::{Failure, damaged};
use object_store::ObjectStore;

/// What is said of a file whose decoder panicked.
const PANICKED: &str = "what is in it cannot be decoded";

/// What is said of a file whose footer names a place that it does not have.
const OUTSIDE: &str = "a column in it lies outside of it";

/// How stores say that a file has no such place.
const NO_SUCH_PLACE: [&str; 3] = [
    "Requested range was invalid",
    "Wanted range starting at ",
    "Range started at ",
];

/// Returns a scan whose errors name the file.
pub(super) fn with_named_files(config: &FileScanConfig) -> FileScanConfig {
    let root = config.object_store_url.as_str();
    let source = NamedFiles {
        inner: Arc::clone(config.file_source()),
        root: root.strip_prefix("file://").unwrap_or(root).into(),
    };
    FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(source))
        .build()
}

/// Reads files as another source does.
struct NamedFiles {
    inner: Arc<dyn FileSource>,
    /// What stands before a path of the store where it is shown.
    root: Arc<str>,
}

impl FileSource for NamedFiles {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.inner.create_file_opener(store, config, partition)
    }

    fn create_morselizer(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        Ok(Box::new(NamedMorselizer {
            inner: self.inner.create_morselizer(store, config, partition)?,
            root: Arc::clone(&self.root),
        }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self {
            inner: self.inner.with_batch_size(batch_size),
            root: Arc::clone(&self.root),
        })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(
        &self,
        style: DisplayFormatType,
        formatter: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        self.inner.fmt_extra(style, formatter)
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(visit)
    }
}

#[derive(Debug)]
struct NamedMorselizer {
    inner: Box<dyn Morselizer>,
    root: Arc<str>,
}

impl Morselizer for NamedMorselizer {
    fn plan_file(&self, file: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let name = Name(format!("{}{}", self.root, file.object_meta.location).into());
        let inner = name.guard(|| self.inner.plan_file(file))?;
        Ok(Box::new(NamedPlanner { inner, name }))
    }
}

/// The name of the file that a piece of work is about.
#[derive(Debug, Clone)]
pub(super) struct Name(Arc<str>);

impl Name {
    pub(super) fn new(path: &str) -> Self {
        Self(path.into())
    }

    /// Does a piece of work, whose failure names the file.
    pub(super) fn guard<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let done = catch_unwind(AssertUnwindSafe(work));
        let done = done.unwrap_or_else(|_| Err(self.damaged(PANICKED)));
        done.map_err(|error| self.explain(error))
    }

    fn damaged(&self, how: &str) -> DataFusionError {
        DataFusionError::External(Box::new(damaged(&self.0, how)))
    }

    /// Names the file in what a decoder says; what came from elsewhere, as from a filter, stays.
    fn explain(&self, error: DataFusionError) -> DataFusionError {
        if let Some(of_filter) = of_filter(&error) {
            return of_filter;
        }
        match said(&error) {
            Some(said) if !said.contains(self.0.trim_start_matches('/')) => self.damaged(&said),
            _ => error,
        }
    }
}

/// What the decoder puts before the error of a filter that it applies to rows, whose kind it turns into text.
const OF_FILTER: &str = "Error evaluating filter predicate: ";

/// Returns the error of a filter that was applied while a file was decoded: the file is not to blame.
fn of_filter(error: &DataFusionError) -> Option<DataFusionError> {
    let text = error.to_string();
    let (_, said) = text.split_once(OF_FILTER)?;
    if let Some((_, rest)) = said.split_once("ArithmeticOverflow(\"")
        && let Some((what, _)) = rest.split_once("\")")
    {
        return Some(ArrowError::ArithmeticOverflow(what.to_owned()).into());
    }
    if said.contains("DivideByZero") {
        return Some(ArrowError::DivideByZero.into());
    }
    let (_, said) = said.split_once("(\"").unwrap_or(("", said));
    let (said, _) = said.split_once("\")").unwrap_or((said, ""));
    Some(DataFusionError::Execution(said.to_owned()))
}

/// Returns what a decoder says of the content of a file.
fn said(error: &DataFusionError) -> Option<String> {
    let text = match error.find_root() {
        DataFusionError::ParquetError(error) => of_parquet(error)?,
        DataFusionError::ArrowError(error, _) => of_arrow(error)?,
        DataFusionError::ObjectStore(error) if is_outside(error.as_ref()) => OUTSIDE.to_owned(),
        DataFusionError::External(error) => {
            let error: &(dyn Error + 'static) = error.as_ref();
            std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| {
                let parquet = error.downcast_ref().and_then(of_parquet);
                parquet.or_else(|| error.downcast_ref().and_then(of_arrow))
            })?
        }
        _ => return None,
    };
    // Errors of decoders come wrapped several times.
    let prefixes = [
        "Parquet error: ",
        "External: ",
        "EOF: ",
        "Arrow: ",
        "Parquet argument error: ",
    ];
    let mut text = text.trim_end_matches('.');
    while let Some(rest) = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    Some(text.to_owned())
}

fn of_parquet(error: &ParquetError) -> Option<String> {
    Some(match error {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::ArrowError(text) => {
            text.clone()
        }
        ParquetError::External(inner) if is_outside(inner.as_ref()) => OUTSIDE.to_owned(),
        ParquetError::External(inner) if is_elsewhere(inner.as_ref()) => return None,
        ParquetError::External(inner) => inner.to_string(),
        ParquetError::IndexOutOfBound(..)
        | ParquetError::NeedMoreData(_)
        | ParquetError::NeedMoreDataRange(_) => PANICKED.to_owned(),
        _ => return None,
    })
}

fn of_arrow(error: &ArrowError) -> Option<String> {
    match error {
        ArrowError::ParquetError(text) => Some(text.clone()),
        ArrowError::ExternalError(inner) => inner.downcast_ref().and_then(of_parquet),
        _ => None,
    }
}

/// Says whether a store had no such place in a file, which a footer has made up then.
fn is_outside(error: &(dyn Error + 'static)) -> bool {
    if !error.is::<object_store::Error>() {
        return false;
    }
    std::iter::successors(Some(error), |error| (*error).source()).any(|error| {
        let text = error.to_string();
        NO_SUCH_PLACE.iter().any(|said| text.starts_with(said))
    })
}

/// Says whether an error inside a reader's is not about what is in the file.
fn is_elsewhere(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.is::<object_store::Error>()
        || error.is::<DataFusionError>()
        || error.is::<Failure>()
        || error.is::<std::io::Error>()
}

#[derive(Debug)]
struct NamedPlanner {
    inner: Box<dyn MorselPlanner>,
    name: Name,
}

impl MorselPlanner for NamedPlanner {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { inner, name } = *self;
        let planned = name.guard(|| inner.plan())?;
        Ok(planned.map(|mut plan| {
            let morsels = plan.take_morsels().into_iter();
            let morsels = morsels.map(|inner| -> Box<dyn Morsel> {
                let name = name.clone();
                Box::new(NamedMorsel { inner, name })
            });
            let planners = plan.take_ready_planners().into_iter();
            let planners = planners.map(|inner| named(inner, &name));
            let named_plan = MorselPlan::new()
                .with_morsels(morsels.collect())
                .with_planners(planners.collect());
            match plan.take_pending_planner() {
                None => named_plan,
                Some(pending) => named_plan.with_pending_planner(async move {
                    let planned = AssertUnwindSafe(pending.into_future()).catch_unwind().await;
                    let planned = name.guard(|| match planned {
                        Ok(planned) => planned,
                        Err(_) => Err(name.damaged(PANICKED)),
                    })?;
                    Ok(named(planned, &name))
                }),
            }
        }))
    }
}

fn named(inner: Box<dyn MorselPlanner>, name: &Name) -> Box<dyn MorselPlanner> {
    let name = name.clone();
    Box::new(NamedPlanner { inner, name })
}

#[derive(Debug)]
struct NamedMorsel {
    inner: Box<dyn Morsel>,
    name: Name,
}

impl Morsel for NamedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let Self { inner, name } = *self;
        let rows = catch_unwind(AssertUnwindSafe(|| inner.into_stream()));
        match rows {
            Ok(rows) => named_rows(rows, name),
            Err(_) => futures::stream::iter([Err(name.damaged(PANICKED))]).boxed(),
        }
    }
}

/// Returns rows whose failures name a file.
pub(super) fn named_rows(
    rows: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
    name: Name,
) -> BoxStream<'static, Result<RecordBatch>> {
    let named = NamedRows {
        rows: rows.boxed(),
        name,
        ended: false,
    };
    named.boxed()
}

/// The rows of a piece of one file.
struct NamedRows {
    rows: BoxStream<'static, Result<RecordBatch>>,
    name: Name,
    /// Whether the decoder panicked: then it is not asked again.
    ended: bool,
}

impl Stream for NamedRows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let rows = self.rows.as_mut();
        let polled = catch_unwind(AssertUnwindSafe(|| rows.poll_next(context)));
        match polled {
            Ok(polled) => polled.map_err(|error| self.name.explain(error)),
            Err(_) => {
                self.ended = true;
                Poll::Ready(Some(Err(self.name.damaged(PANICKED))))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic, clippy::unwrap_used)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name("/lake/a.parquet".into())
    }

    #[test]
    fn a_panic_is_kept_to_its_file() {
        let failed: Result<()> = name().guard(|| panic!("index out of bounds: 5"));
        let said = failed.unwrap_err().to_string();
        assert!(said.contains("`/lake/a.parquet` is damaged: "), "{said}");
        assert!(!said.contains("out of bounds"), "{said}");
    }

    #[test]
    fn a_place_that_a_file_does_not_have_is_the_fault_of_its_footer() {
        let outside = |text: &str| object_store::Error::Generic {
            store: "LocalFileSystem",
            source: text.into(),
        };
        for (error, is_damage) in [
            (outside("Requested range was invalid"), true),
            (outside("connection reset"), false),
        ] {
            let error = ParquetError::External(Box::new(error));
            let error = DataFusionError::ParquetError(Box::new(error));
            let said = name().explain(error).to_string();
            let named = said.contains("`/lake/a.parquet` is damaged: a column in it lies outside");
            assert_eq!(named, is_damage, "{said}");
        }
    }

    #[test]
    fn what_a_decoder_says_gets_the_name_of_its_file() {
        let general = |text: &str| {
            DataFusionError::ParquetError(Box::new(ParquetError::General(text.to_owned())))
        };
        for (error, expect) in [
            (
                general("External: snappy: corrupt input"),
                "`/lake/a.parquet` is damaged: snappy: corrupt input",
            ),
            (
                ArrowError::ParquetError("EOF: not enough bytes".to_owned()).into(),
                "`/lake/a.parquet` is damaged: not enough bytes",
            ),
            (
                general("`lake/a.parquet` has 3 rows"),
                "Parquet error: Parquet error: `lake/a.parquet` has 3 rows",
            ),
            (
                ArrowError::DivideByZero.into(),
                "Arrow error: Divide by zero error",
            ),
        ] {
            assert_eq!(
                name()
                    .explain(error)
                    .strip_backtrace()
                    .trim_start_matches("External error: "),
                expect
            );
        }
    }
}
