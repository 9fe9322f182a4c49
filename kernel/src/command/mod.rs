//! The commands that a notebook brings: those that ask, and charts as pictures.

mod prompt;

use std::sync::Arc;

use lakesh_engine::command::Command;

use crate::chart::{Chart, Charts};
use crate::stdin::Asker;

/// Makes the commands of a notebook, which ask through an asker and draw into charts.
pub(crate) fn of_notebook(asker: &Asker, charts: &Charts) -> Vec<Arc<dyn Command>> {
    vec![
        Arc::new(Chart {
            charts: Some(charts.clone()),
        }),
        Arc::new(prompt::Prompt::new(asker.clone(), &prompt::PROMPT)),
        Arc::new(prompt::Prompt::new(asker.clone(), &prompt::SECRET)),
    ]
}

/// Returns the commands that only a notebook has, for the documentation.
pub fn commands() -> Vec<Arc<dyn Command>> {
    of_notebook(&Asker::default(), &Charts::default())
}
