//! The lakesh session: text becomes cells, cells become plans, plans become a stream of events.
//!
//! The engine never writes to a terminal, reads an environment variable or exits: whoever embeds it
//! passes settings in and renders the events that come out. See `docs/architecture.md`.

mod asof;
mod cache;
pub mod catalog;
pub mod command;
mod commit;
pub mod completion;
mod cooperate;
pub mod definition;
pub mod directive;
pub mod display;
mod encoder;
pub mod erased;
pub mod event;
pub mod failure;
mod feature;
pub mod footer;
pub mod format;
mod hash;
pub mod hint;
pub mod input;
pub mod inspection;
mod interval;
pub mod memory;
mod mutation;
mod native;
pub mod observation;
pub mod picture;
mod planner;
pub mod quantity;
mod scope;
mod semantics;
pub mod session;
pub mod similar;
pub mod source;
mod sql;
mod statement;
pub mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod vocabulary;

pub use vocabulary::{open, statements};
