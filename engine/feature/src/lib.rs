//! Features: encoders at work on the rows of tables, profiles of tables and how they differ, and leaks into
//! training sets.
//!
//! What an encoder learns and how it encodes is in `encoder`, which runs nothing; what is here plans and runs
//! queries of its own.

#![forbid(unsafe_code)]

pub(crate) mod leakage;
pub(crate) mod profile;
pub mod statement;
pub mod table_function;
mod transform;

pub(crate) use transform::{CrossFit, Transformation, transformed};
