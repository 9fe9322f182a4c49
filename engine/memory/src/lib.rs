//! Bounded memory: how much a session may use, who gets it, and where the rest spills to.
//!
//! It decides nothing about statements: which query is retried, and when a limit changes, is up to
//! the session.

#![forbid(unsafe_code)]

pub mod consumer;
pub mod exhausted;
pub mod limit;
pub mod planning;
mod policy;
pub mod pool;
pub mod runtime;
pub mod spill;
pub mod sweep;
pub mod unfinished;
pub mod watchdog;

#[cfg(test)]
mod pool_tests;
#[cfg(test)]
mod spilling_tests;
