//! `text/html`: a table that scrolls, in the colours of the front end, without a script.
//!
//! The rows come from the engine's own HTML format, which escapes them; here they get a frame and a style.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_engine::display::DisplayOptions;
use lakesh_engine::format::{self, FormatError, FormatOptions, ResultEnd, ResultWriter};
use serde_json::Value;

use super::Shown;

/// Bytes of a table beyond which no more rows are shown.
const MOST_BYTES: usize = 384 * 1024;

/// Rows after which the bytes are looked at.
const STEP: usize = 20;

/// The style of every table: JupyterLab's colours where they are defined, else by the system's theme.
const STYLE: &str = "<style>\
.lakesh-frame{--lakesh-text:#1f2328;--lakesh-line:#d0d7de;--lakesh-head:#f6f8fa;--lakesh-dim:#6e7781;\
--lakesh-hover:#eef2f6}\
@media (prefers-color-scheme:dark){.lakesh-frame{--lakesh-text:#e6edf3;--lakesh-line:#30363d;\
--lakesh-head:#161b22;--lakesh-dim:#8b949e;--lakesh-hover:#1c2430}}\
.lakesh-frame{color:var(--jp-content-font-color1,var(--lakesh-text));\
font-family:var(--jp-content-font-family,system-ui,sans-serif);font-size:var(--jp-content-font-size0,0.85em)}\
.lakesh-scroll{max-height:26em;overflow:auto;width:fit-content;max-width:100%;\
border:1px solid var(--jp-border-color2,var(--lakesh-line));border-radius:4px}\
.lakesh-scroll table.lakesh-result{border-collapse:separate;border-spacing:0;margin:0;border:0;\
font-variant-numeric:tabular-nums}\
.lakesh-scroll table.lakesh-result th{position:sticky;top:0;font-weight:600;vertical-align:bottom;\
background:var(--jp-layout-color2,var(--lakesh-head));\
border-bottom:1px solid var(--jp-border-color1,var(--lakesh-line))}\
.lakesh-scroll table.lakesh-result th,.lakesh-scroll table.lakesh-result td{padding:3px 10px;\
white-space:pre;max-width:48em;overflow:hidden;text-overflow:ellipsis}\
.lakesh-scroll table.lakesh-result tbody tr:hover td{background:var(--jp-layout-color2,var(--lakesh-hover))}\
.lakesh-frame .type,.lakesh-frame .lakesh-footer{color:var(--jp-content-font-color2,var(--lakesh-dim));\
font-weight:400}\
.lakesh-frame td.null{color:var(--jp-content-font-color3,var(--lakesh-dim));font-style:italic}\
.lakesh-frame .lakesh-footer{margin:4px 2px 0}\
</style>";

/// Writes rows until they are too many bytes.
pub(crate) struct HtmlRows {
    writer: Box<dyn ResultWriter>,
    text: Vec<u8>,
    rows: usize,
}

impl HtmlRows {
    /// Begins a table.
    pub(crate) fn new(schema: &SchemaRef, display: &DisplayOptions) -> Result<Self, FormatError> {
        let options = FormatOptions {
            display: display.clone(),
            width: None,
            colour: false,
        };
        let format = format::find("html").ok_or(FormatError::Unsupported {
            format: "html",
            what: "this build".to_owned(),
        })?;
        let mut html = Self {
            writer: format.writer(&options),
            text: Vec::new(),
            rows: 0,
        };
        html.writer.start(schema, &mut html.text)?;
        Ok(html)
    }

    /// Writes rows; returns how many of them had room.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<usize, FormatError> {
        let mut taken = 0;
        while taken < batch.num_rows() {
            let rows = STEP.min(batch.num_rows() - taken);
            let before = self.text.len();
            self.writer
                .batch(&batch.slice(taken, rows), &mut self.text)?;
            if self.text.len() > MOST_BYTES {
                self.text.truncate(before);
                return self.push_singly(batch, taken);
            }
            taken += rows;
        }
        self.rows += taken;
        Ok(taken)
    }

    /// Writes the last rows that have room one by one.
    fn push_singly(&mut self, batch: &RecordBatch, from: usize) -> Result<usize, FormatError> {
        let mut taken = from;
        while taken < batch.num_rows() {
            let before = self.text.len();
            self.writer.batch(&batch.slice(taken, 1), &mut self.text)?;
            if self.text.len() > MOST_BYTES {
                self.text.truncate(before);
                break;
            }
            taken += 1;
        }
        self.rows += taken;
        Ok(taken)
    }

    /// Ends the table.
    pub(crate) fn finish(mut self) -> Result<String, FormatError> {
        let end = ResultEnd {
            rows: self.rows as u64,
            complete: true,
        };
        self.writer.finish(&end, &mut self.text)?;
        // The writer wrote text and was cut between rows only.
        Ok(String::from_utf8_lossy(&self.text).into_owned())
    }
}

pub(super) fn render(shown: &Shown<'_>) -> Option<(Value, usize)> {
    let html = format!(
        "{STYLE}<div class=\"lakesh-frame\"><div class=\"lakesh-scroll\">\n{}</div>\n\
         <p class=\"lakesh-footer\">{}</p></div>",
        shown.html, shown.footer
    );
    let size = html.len();
    Some((html.into(), size))
}
