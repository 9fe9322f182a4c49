//! The rows of one statement as far as a notebook shows them.

use std::path::Path;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_engine::display::DisplayOptions;
use lakesh_engine::event::{QueryReads, Summary};
use lakesh_engine::failure::{Failure, FailureKind, masked};
use lakesh_engine::footer::{footer, rows_text};
use lakesh_engine::format::FormatError;
use lakesh_engine::quantity::grouped;
use lakesh_engine::session::EarlierResult;
use serde_json::{Value, json};

use crate::VERSION;
use crate::mime::{self, HtmlRows, Shown};
use crate::output::Bundle;

/// The rows of one statement.
pub(crate) struct ShownResult {
    schema: SchemaRef,
    display: DisplayOptions,
    batches: Vec<RecordBatch>,
    html: HtmlRows,
    rows: usize,
    /// Rows that came and are not shown.
    left_out: u64,
    /// Whether a row was left out because it was too large, not because there were enough.
    too_large: bool,
}

impl ShownResult {
    pub(crate) fn new(schema: SchemaRef, display: DisplayOptions) -> Result<Self, Failure> {
        Ok(Self {
            html: HtmlRows::new(&schema, &display).map_err(failed)?,
            schema,
            display,
            batches: Vec::new(),
            rows: 0,
            left_out: 0,
            too_large: false,
        })
    }

    /// Takes rows; those that have no room are counted.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let room = self.display.notebook_rows.saturating_sub(self.rows);
        let wanted = if self.too_large {
            0
        } else {
            room.min(batch.num_rows())
        };
        if wanted > 0 {
            let head = batch.slice(0, wanted);
            let taken = self.html.push(&head).map_err(failed)?;
            self.rows += taken;
            self.batches.push(head.slice(0, taken));
            self.too_large = taken < wanted;
        }
        let shown_of_batch = self.rows_of_last(wanted);
        self.left_out += (batch.num_rows() - shown_of_batch) as u64;
        Ok(())
    }

    fn rows_of_last(&self, wanted: usize) -> usize {
        match self.batches.last() {
            Some(last) if wanted > 0 => last.num_rows(),
            _ => 0,
        }
    }

    /// Returns the texts of a column; none if there is no such column, or one of another type.
    pub(crate) fn texts(&self, column: &str) -> Vec<String> {
        let columns = self.batches.iter();
        let columns =
            columns.filter_map(|batch| batch.column_by_name(column)?.as_string_opt::<i32>());
        let texts = columns.flat_map(|column| column.iter().flatten());
        texts.map(str::to_owned).collect()
    }

    /// Tells whether a row came that is not shown.
    pub(crate) fn is_full(&self) -> bool {
        self.left_out > 0
    }

    /// Writes the result in every form. Without a summary it was stopped because it was full.
    pub(crate) fn bundle(
        self,
        summary: Option<&Summary>,
        reads: Option<&QueryReads>,
        settings: &[(String, String)],
        folder: &Path,
    ) -> Result<(Bundle, EarlierResult), Failure> {
        let footer = self.footer(summary);
        let complete = self.left_out == 0;
        let html = self.html.finish().map_err(failed)?;
        let mut bundle = mime::bundle(&Shown {
            schema: &self.schema,
            batches: &self.batches,
            html: &html,
            footer: &footer,
            display: &self.display,
        });
        let metadata = metadata(reads, settings, folder, self.rows, complete);
        bundle.metadata.insert("lakesh".to_owned(), metadata);
        let earlier = match reads {
            _ if complete => EarlierResult::Rows {
                schema: self.schema,
                batches: self.batches,
            },
            Some(reads) => EarlierResult::Query(reads.clone()),
            None => EarlierResult::Forgotten,
        };
        Ok((bundle, earlier))
    }

    fn footer(&self, summary: Option<&Summary>) -> String {
        let shown = grouped(self.rows as u64);
        let why = match self.too_large {
            true => "; the next one is too large to show",
            false => "",
        };
        match summary {
            _ if self.left_out > 0 && self.rows == 0 => {
                "the rows are too large to show; `\\save FILE` writes them".to_owned()
            }
            None => format!("first {shown} rows; more exist{why}"),
            Some(_) if self.left_out > 0 => {
                let all = rows_text(self.rows as u64 + self.left_out);
                format!("first {shown} of {all}{why}")
            }
            Some(summary) => {
                footer(summary, self.display.timing).unwrap_or_else(|| rows_text(self.rows as u64))
            }
        }
    }
}

/// What makes a result reproducible: the statement, the versions that it read, the settings.
fn metadata(
    reads: Option<&QueryReads>,
    settings: &[(String, String)],
    folder: &Path,
    rows: usize,
    complete: bool,
) -> Value {
    let settings: serde_json::Map<_, _> = settings
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.clone())))
        .collect();
    let mut metadata = json!({
        "version": VERSION,
        "settings": settings,
        "rows": rows,
        "complete": complete,
    });
    if let Some(reads) = reads {
        metadata["sql"] = masked(&reads.shown).into();
        let tables = reads
            .versions
            .iter()
            .map(|read| json!({ "location": masked(&below(&read.location, folder)), "version": read.version }));
        metadata["tables"] = tables.collect();
    }
    metadata
}

/// Writes a path below the notebook's folder as seen from there, so that it means the same elsewhere.
fn below(location: &str, folder: &Path) -> String {
    match Path::new(location).strip_prefix(folder) {
        Ok(relative) => relative.display().to_string(),
        Err(_) => location.to_owned(),
    }
}

fn failed(error: FormatError) -> Failure {
    Failure::new(FailureKind::Execution, error.to_string()).caused_by(error)
}
