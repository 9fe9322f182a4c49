//! The commands that need a front end with a field for answers.

mod prompt;

use std::sync::Arc;

use lakesh_engine::command::Command;

use crate::stdin::Asker;

/// Makes the commands of a kernel, which ask through an asker.
pub(crate) fn asking(asker: &Asker) -> Vec<Arc<dyn Command>> {
    vec![
        Arc::new(prompt::Prompt::new(asker.clone(), &prompt::PROMPT)),
        Arc::new(prompt::Prompt::new(asker.clone(), &prompt::SECRET)),
    ]
}

/// Returns the commands that only a notebook has, for the documentation.
pub fn commands() -> Vec<Arc<dyn Command>> {
    asking(&Asker::default())
}
