//! Compiled libraries: each is kept beside its source under a hash of the source and the compiler.
//!
//! The folder is the user's own and nobody else's, since what lies in it is run. A library counts only if
//! the source beside it is the same to the last byte, so that no collision of hashes can matter.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lakesh_text::hash::StableHash;

use super::call::Library;
use super::compile::{Compiler, remove};
use super::source::source;
use super::{CompileError, NativeDefinition};

/// Finds the library of a function, or compiles it.
pub(super) fn library(
    function: &NativeDefinition,
    search_path: &str,
    folder: &Path,
) -> Result<Arc<Library>, CompileError> {
    let compiler = Compiler::find(search_path)?;
    let mut text = source(function);
    for line in compiler.version.lines() {
        text.push_str("// ");
        text.push_str(line);
        text.push('\n');
    }
    let failed = |what: &str, error: io::Error| {
        CompileError::outside(
            format!(
                "the compiled function cannot be kept in `{}`: {what}: {error}",
                folder.display()
            ),
            None,
        )
    };
    create_private(folder).map_err(|error| failed("the folder", error))?;
    let mut hash = StableHash::default();
    hash.write(text.as_bytes());
    let stem = format!("{:016x}", hash.finish());
    let (kept_source, kept) = (
        folder.join(format!("{stem}.rs")),
        folder.join(format!("{stem}{}", std::env::consts::DLL_SUFFIX)),
    );
    let is_kept =
        kept.is_file() && fs::read(&kept_source).is_ok_and(|known| known == text.as_bytes());
    if !is_kept {
        compile(&compiler, function, &text, (&kept_source, &kept)).map_err(
            |error| match error {
                Problem::Compiler(error) => error,
                Problem::Files(error) => failed("a file", error),
            },
        )?;
    }
    Library::open(&kept).map(Arc::new).map_err(|why| {
        CompileError::outside(
            format!("the compiled function cannot be loaded: {why}"),
            None,
        )
    })
}

enum Problem {
    Compiler(CompileError),
    Files(io::Error),
}

/// Compiles into files of names of their own, and gives them the right ones once they are whole: other
/// processes may do the same at the same time.
fn compile(
    compiler: &Compiler,
    function: &NativeDefinition,
    text: &str,
    (kept_source, kept): (&Path, &Path),
) -> Result<(), Problem> {
    let own: PathBuf = kept_source.with_extension(format!("{}.rs", uuid::Uuid::new_v4().simple()));
    let built = own.with_extension("built");
    let work = || {
        fs::write(&own, text).map_err(Problem::Files)?;
        compiler
            .compile(&own, &built, &function.body)
            .map_err(Problem::Compiler)?;
        fs::rename(&built, kept).map_err(Problem::Files)?;
        fs::rename(&own, kept_source).map_err(Problem::Files)
    };
    let done = work();
    if done.is_err() {
        remove(&own);
        remove(&built);
    }
    done
}

/// Makes a folder that only the user can write to; one of another user, or that others can write to, is
/// refused.
fn create_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let found = fs::metadata(folder)?;
    // Whoever makes a file owns it.
    if tempfile::tempfile_in(folder)?.metadata()?.uid() != found.uid() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others can write to it; chmod go-w takes that away",
        ));
    }
    Ok(())
}
