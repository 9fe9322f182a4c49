//! What is added to DataFusion's planner: as-of joins, hint comments, kept rows, intervals, checks.

#![forbid(unsafe_code)]

pub mod asof;
pub mod bounded;
pub mod cache;
pub mod cooperate;
pub mod directive;
pub mod interval;
pub mod nullable;
pub mod plan_size;
pub mod planner;
pub mod window;
