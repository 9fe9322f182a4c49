//! Hints: what would make a query faster and why, and the measured proof of it.
//!
//! A rule is one file and one line in `rule/mod.rs`. Rules look at the evidence and change nothing;
//! what they suggest is SQL for the user's own query. Verifying runs the query with and without each
//! remedy; nothing that is the user's is written.

#![forbid(unsafe_code)]

mod advisor;
pub(crate) mod ast;
mod auto;
mod check;
pub mod command;
pub(crate) mod evidence;
pub(crate) mod finding;
pub(crate) mod layout;
mod notice;
pub(crate) mod range;
mod report;
pub(crate) mod rewrite;
mod rule;
pub(crate) mod scans;
pub(crate) mod scope;
mod selectivity;
pub(crate) mod setting;
mod sides;
pub mod statement;
mod text;
mod verify;

pub use advisor::HintAdvisor;
pub(crate) use auto::remember;
pub(crate) use check::inspect;
pub(crate) use evidence::Evidence;
pub(crate) use finding::Finding;
pub(crate) use report::{last_hints, report};
pub(crate) use rewrite::first_in_selects;
pub use rule::{Rule, rules};
pub(crate) use verify::verify;
