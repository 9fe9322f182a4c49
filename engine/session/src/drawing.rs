//! What is drawn once the rows of a statement are there.

use futures::future::BoxFuture;
use lakesh_event::picture::Picture;
use lakesh_text::failure::Failure;

use super::StatementContext;

/// Makes a picture, which may take queries of its own: whoever asks for one need not say what it is made of.
pub type ToDraw =
    Box<dyn for<'a> FnOnce(&'a StatementContext) -> BoxFuture<'a, Result<Picture, Failure>> + Send>;
