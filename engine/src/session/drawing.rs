//! What is drawn once the rows of a statement are there.

use futures::future::BoxFuture;

use super::StatementContext;
use crate::failure::Failure;
use crate::picture::Picture;

/// Makes a picture, which may take queries of its own: whoever asks for one need not say what it is made of.
pub(crate) type ToDraw =
    Box<dyn for<'a> FnOnce(&'a StatementContext) -> BoxFuture<'a, Result<Picture, Failure>> + Send>;
