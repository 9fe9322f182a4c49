//! The commands that need a terminal or the user's own shell; the others are the engine's.

pub(crate) mod ask;
pub(crate) mod edit;
pub(crate) mod folder;
pub(crate) mod history;
pub(crate) mod pager;
pub(crate) mod shell;

use std::sync::{Arc, Mutex, PoisonError};

/// Text that the user edited and that the prompt shows next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edited {
    text: Arc<Mutex<Option<String>>>,
}

impl Edited {
    /// Takes the text, if there is one.
    pub(crate) fn take(&self) -> Option<String> {
        self.text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn put(&self, text: String) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
}
