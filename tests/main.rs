//! The one integration-test binary: everything that is proved over the real `lakesh` binary or over
//! a session in process.
//!
//! One module per subject. Benchmarks against peers are not here; see `tests/bench`.

#![allow(clippy::unwrap_used)]

mod support;

mod architecture;
mod asof;
mod cached_tables;
mod catalog;
mod contributing;
mod delta_changing;
mod delta_checkpoints;
mod delta_checks;
mod delta_faults;
mod delta_features;
mod delta_maintenance;
mod delta_model;
mod delta_outside;
mod delta_predicates;
mod delta_reading;
mod delta_statements;
mod delta_writers;
mod dropped_tables;
mod effects;
mod encoders;
mod examples;
mod examples_in_from;
mod faults;
mod features;
mod formats;
mod fuzz;
mod hint_comments;
mod hints;
mod kernel;
mod leakage;
mod memory;
mod memory_limit;
mod metrics;
mod native;
mod object_store;
mod optimizer;
mod packages;
mod pages;
mod parquet_reading;
mod profiles;
mod pty;
mod rendering;
mod script;
mod script_input;
mod secrets;
mod sqllogictest;
mod statuses;
mod table_diff;
mod time_travel;
