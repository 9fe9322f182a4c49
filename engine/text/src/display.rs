//! How results are shown. The session owns these settings; renderers receive a copy with each change.

/// How results are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayOptions {
    /// A name in the registry of output formats; `None` lets the renderer choose (`table`).
    pub format: Option<String>,
    /// At most so many rows are shown in a table; `None` shows all.
    pub max_rows: Option<usize>,
    /// What stands for NULL in `table`, `vertical`, `csv`, `tsv`; `None` is the format's own default.
    pub null_value: Option<String>,
    /// Whether rows are shown one below the other, a line a column, in place of a table.
    pub expanded: bool,
    /// Whether the time of each statement is shown.
    pub timing: bool,
    /// Whether formats that have a header line write it.
    pub header: bool,
    /// At most so many rows of a result are shown in a notebook.
    pub notebook_rows: usize,
}

/// How many rows of a result a notebook shows, unless the user says.
pub const NOTEBOOK_ROWS: usize = 1_000;

impl Default for DisplayOptions {
    fn default() -> Self {
        Self {
            format: None,
            max_rows: None,
            null_value: None,
            expanded: false,
            timing: false,
            header: true,
            notebook_rows: NOTEBOOK_ROWS,
        }
    }
}
