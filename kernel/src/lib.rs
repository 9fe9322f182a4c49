//! The Jupyter front end: a kernel and a headless notebook runner over the same session as the terminal.
//!
//! It plans and runs nothing itself. Cells go to the engine's session; its events become messages of the
//! Jupyter protocol, or outputs of a notebook's file. See `docs/decisions/0012-kernel-protocol.md`.

#![forbid(unsafe_code)]

mod chart;
mod command;
mod connection;
mod control;
mod executor;
mod file;
#[doc(hidden)]
pub mod fuzzing;
mod history;
pub mod install;
mod interrupt;
mod kernel;
mod message;
mod mime;
pub mod notebook;
mod output;
mod parent;
mod picture;
mod progress;
mod publisher;
mod requests;
mod result;
mod server;
mod stdin;
mod wire;
mod zmtp;

pub use chart::chart_command;
pub use command::commands;
pub use history::History;
pub use server::{KernelOptions, serve};

/// The version of lakesh, which results record.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
