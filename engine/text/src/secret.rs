//! Secrets: values that a session works with and that are never shown.
//!
//! A secret is known by where it came from: `\secret`, the environment, or the name that it was given.
//! From then on the session finds its value in whatever text leaves, and `***` stands there instead. Text
//! that nobody said to be a secret is looked at by `masked` alone, which goes by names.

mod held;
mod named;

use std::fmt;
use std::sync::Arc;

pub use held::{Origin, Secrets};
pub use named::{given_options, given_values, is_secret_name};

/// What stands in the place of a secret.
pub const HIDDEN: &str = "***";

/// A text that may hold secrets. It shows itself as `***`; who needs it asks by name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text itself, for those that work with it and not for those that show it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}
