//! The lakesh session: text becomes cells, cells become plans, plans become a stream of events.
//!
//! The engine never writes to a terminal, reads an environment variable or exits: whoever embeds it
//! passes settings in and renders the events that come out. See `docs/architecture.md`.

#![forbid(unsafe_code)]

pub mod command;
pub mod completion;
pub mod inspection;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod vocabulary;

pub use vocabulary::{open, statements, table_functions};

pub use lakesh_catalog as catalog;
pub use lakesh_event::{event, footer, observation, picture};
pub use lakesh_format as format;
pub use lakesh_hint as hint;
pub use lakesh_memory as memory;
pub use lakesh_plan::directive;
pub use lakesh_session as session;
pub use lakesh_text::{display, effect, failure, input, quantity, secret, similar, source};
