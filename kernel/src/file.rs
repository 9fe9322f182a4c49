//! Files that results go to instead of the notebook: `\save FILE`, `\o FILE`.
//!
//! A file is written beside its place and moved there once it is whole.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_engine::display::DisplayOptions;
use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::format::{
    self, CompressedWriter, Format, FormatError, FormatOptions, ResultEnd, ResultWriter,
};
use tempfile::NamedTempFile;

/// A file that takes results.
pub(crate) struct ResultFile {
    path: PathBuf,
    temporary: NamedTempFile,
    out: CompressedWriter<BufWriter<File>>,
    format: &'static Format,
    results: usize,
    writer: Option<Box<dyn ResultWriter>>,
    rows: u64,
}

impl ResultFile {
    /// Begins a file; its suffix says the format, or else the session's settings.
    pub(crate) fn create(path: &str, display: &DisplayOptions) -> Result<Self, Failure> {
        let named = format::by_suffix(path).map_err(|error| failed(path, &error))?;
        let format = match &named {
            Some(named) => Some(named.format),
            None => format::for_display(display),
        };
        let Some(format) = format else {
            let message = format!("the suffix of `{path}` names no format");
            return Err(Failure::new(FailureKind::Usage, message));
        };
        let begin = || -> io::Result<_> {
            let folder = Path::new(path).parent();
            let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
            let temporary = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            let out = BufWriter::new(temporary.as_file().try_clone()?);
            let compression = named.map_or(format::Compression::None, |named| named.compression);
            Ok((temporary, compression.compress(out)?))
        };
        let (temporary, out) = begin().map_err(|error| failed(path, &FormatError::Write(error)))?;
        Ok(Self {
            path: path.into(),
            temporary,
            out,
            format,
            results: 0,
            writer: None,
            rows: 0,
        })
    }

    /// Begins a result.
    pub(crate) fn start(
        &mut self,
        schema: &SchemaRef,
        display: &DisplayOptions,
    ) -> Result<(), Failure> {
        if self.results > 0 && self.format.binary {
            let message = format!("{} holds one result, and this is another", self.format.name);
            return Err(Failure::new(FailureKind::Usage, message)
                .hint("write each result to a file of its own"));
        }
        let options = FormatOptions {
            display: display.clone(),
            width: None,
            colour: false,
        };
        let mut writer = self.format.writer(&options);
        let separator: &[u8] = if self.results > 0 && self.format.separated {
            b"\n"
        } else {
            b""
        };
        let begun = self
            .out
            .write_all(separator)
            .map_err(FormatError::Write)
            .and_then(|()| writer.start(schema, &mut self.out));
        self.writer = Some(writer);
        self.rows = 0;
        begun.map_err(|error| self.failed(&error))
    }

    /// Takes rows.
    pub(crate) fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        self.rows += batch.num_rows() as u64;
        let written = writer.batch(batch, &mut self.out);
        written.map_err(|error| self.failed(&error))
    }

    /// Ends a result.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        let end = ResultEnd {
            rows: self.rows,
            complete: true,
        };
        self.results += 1;
        let written = writer.finish(&end, &mut self.out);
        written.map_err(|error| self.failed(&error))
    }

    /// Writes text between results.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.out.write_all(text.as_bytes());
        written.map_err(|error| self.failed(&FormatError::Write(error)))
    }

    /// Tells whether text may stand between its results.
    pub(crate) fn takes_text(&self) -> bool {
        !self.format.binary
    }

    /// Moves the file to its place.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let path = self.path.display().to_string();
        let commit = || -> io::Result<()> {
            let mut out = self.out.finish()?;
            out.flush()?;
            self.temporary.as_file().sync_all()?;
            // What a temporary file may not be read by others, a result may.
            let permissions = Permissions::from_mode(0o644);
            self.temporary.as_file().set_permissions(permissions)?;
            self.temporary.persist(&self.path)?;
            Ok(())
        };
        commit().map_err(|error| failed(&path, &FormatError::Write(error)))
    }

    fn failed(&self, error: &FormatError) -> Failure {
        failed(&self.path.display().to_string(), error)
    }
}

fn failed(path: &str, error: &FormatError) -> Failure {
    let kind = match error {
        FormatError::Write(_) => FailureKind::InputOutput,
        FormatError::Unsupported { .. } | FormatError::Encode { .. } => FailureKind::Execution,
    };
    Failure::new(kind, format!("`{path}`: {error}"))
}
