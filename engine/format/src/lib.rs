//! The output formats: a registry, and the trait that every format implements.
//!
//! A new format is one file here and one line in [`FORMATS`]. A writer turns record batches into bytes
//! on a stream that it is given; it opens no files, decides no colours and knows no session. All
//! formats but `table` need constant memory; `table` holds back a bounded number of rows.

#![forbid(unsafe_code)]

mod arrow;
mod compression;
mod csv;
mod encode;
mod harmless;
mod held_rows;
mod html;
mod json;
mod markdown;
mod names;
mod ndjson;
mod none;
mod parquet;
mod rows;
mod screen;
mod table;
mod tsv;
mod types;
mod values;
mod vertical;

use std::error::Error;
use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_text::display::DisplayOptions;
use lakesh_text::similar::closest;

use self::harmless::Harmless;

pub use self::compression::{CompressedWriter, Compression};
pub use self::values::texts;

/// The registry: one line a format, in the order in which help lists them.
static FORMATS: &[Format] = &[
    table::FORMAT,
    vertical::FORMAT,
    csv::FORMAT,
    tsv::FORMAT,
    json::FORMAT,
    ndjson::FORMAT,
    markdown::FORMAT,
    html::FORMAT,
    arrow::FORMAT,
    parquet::FORMAT,
    none::FORMAT,
];

/// An output format: its names, and how to make its writer.
#[derive(Debug)]
pub struct Format {
    /// The name that help shows.
    pub name: &'static str,
    /// Further names that are accepted.
    pub aliases: &'static [&'static str],
    /// File name endings, without the dot, that choose this format.
    pub suffixes: &'static [&'static str],
    /// One line for help.
    pub summary: &'static str,
    /// Whether the output is bytes that no terminal should see.
    pub binary: bool,
    /// Whether a file holds one result: with a second behind it no reader takes it for one.
    pub one_result: bool,
    /// Whether it is made for the eyes, and shows nothing of the data that could steer a terminal.
    pub for_eyes: bool,
    /// Whether an empty line stands between one result and the next. Readers of some formats take a stream of
    /// results as it is, and would take the line for data.
    pub separated: bool,
    /// Makes a writer for one result.
    pub create: fn(&FormatOptions) -> Box<dyn ResultWriter>,
}

/// What a writer needs to know about the user's wishes and the place where the result is read.
#[derive(Debug, Clone, Default)]
pub struct FormatOptions {
    /// The session's display settings.
    pub display: DisplayOptions,
    /// The columns of the screen on which a person reads the result. `None` means that a program or
    /// a file takes it: then nothing is cut, `display.max_rows` included.
    pub width: Option<usize>,
    /// Whether escape sequences for colour may be written.
    pub colour: bool,
}

impl FormatOptions {
    /// How many rows may be shown at most: the setting, but only where a person reads the result.
    pub fn max_rows(&self) -> Option<usize> {
        self.width.and(self.display.max_rows)
    }

    /// What stands for NULL: the setting, or the given default.
    pub(crate) fn null_value(&self, default: &str) -> String {
        let setting = self.display.null_value.as_deref();
        setting.unwrap_or(default).to_owned()
    }
}

/// How a result ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultEnd {
    /// Rows that were handed to the writer.
    pub rows: u64,
    /// Whether these are all rows; `false` when the query failed or was interrupted. A format that
    /// has an end mark then leaves it out, so that no reader takes the result for whole.
    pub complete: bool,
}

/// Writes one result: `start` once, `batch` as often as there are rows, `finish` once.
pub trait ResultWriter: Send {
    /// Begins a result of this schema.
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError>;

    /// Takes rows of the schema given to `start`. They may be held back until `finish`.
    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError>;

    /// Writes what was held back and the format's end mark. Does not flush `out`.
    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError>;
}

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The stream refused the bytes: a full disk, a closed pipe.
    #[error("cannot write the result: {0}")]
    Write(#[source] io::Error),
    /// The format cannot hold this result, or the file name asks for something that does not exist.
    #[error("format `{format}` does not support {what}")]
    Unsupported {
        /// The format's name.
        format: &'static str,
        /// What it does not support.
        what: String,
    },
    /// The values could not be turned into bytes.
    #[error("cannot encode the result as `{format}`: {source}")]
    Encode {
        /// The format's name.
        format: &'static str,
        /// What the encoder said.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What a file name says about its content.
#[derive(Debug, Clone, Copy)]
pub struct FileFormat {
    /// The format.
    pub format: &'static Format,
    /// How the file is compressed as a whole.
    pub compression: Compression,
}

/// Lists all formats in the order in which help shows them.
pub fn formats() -> &'static [Format] {
    FORMATS
}

/// Finds a format by its name or one of its aliases, whatever their case.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS
        .iter()
        .find(|format| format.names().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Finds the name that a misspelt one probably stands for.
pub fn similar(name: &str) -> Option<&'static str> {
    closest(name, FORMATS.iter().flat_map(Format::names))
}

/// Finds the format that the display settings ask for; `None` when they name an unknown one.
pub fn for_display(display: &DisplayOptions) -> Option<&'static Format> {
    let format = find(display.format.as_deref().unwrap_or(table::FORMAT.name))?;
    if display.expanded && format.name == table::FORMAT.name {
        return find(vertical::FORMAT.name);
    }
    Some(format)
}

/// Finds the format that a file name's ending stands for, `.csv.gz` and `.json.zst` included.
///
/// `None` when the ending is not known; an error when a format that compresses by itself is to be
/// compressed once more.
pub fn by_suffix(path: &str) -> Result<Option<FileFormat>, FormatError> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let (name, compression) = Compression::split(name);
    let Some((_, suffix)) = name.rsplit_once('.') else {
        return Ok(None);
    };
    let matches = |format: &&Format| {
        format
            .suffixes
            .iter()
            .any(|known| known.eq_ignore_ascii_case(suffix))
    };
    match FORMATS.iter().find(matches) {
        Some(format) if format.binary && compression != Compression::None => {
            Err(FormatError::Unsupported {
                format: format.name,
                what: format!(
                    "compression of the whole file: name it without `.{}`",
                    compression.suffix()
                ),
            })
        }
        Some(format) => Ok(Some(FileFormat {
            format,
            compression,
        })),
        None => Ok(None),
    }
}

impl Format {
    /// Makes a writer for one result.
    pub fn writer(&self, options: &FormatOptions) -> Box<dyn ResultWriter> {
        let writer = (self.create)(options);
        match options.width {
            Some(_) if !self.for_eyes && !self.binary => Box::new(Harmless::new(writer)),
            _ => writer,
        }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
