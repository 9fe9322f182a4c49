//! A few random bits for folder names and for waiting times; not for anything that must stay secret.

use std::hash::{BuildHasher, RandomState};

/// Returns a number that differs between calls, threads and processes.
///
/// The standard library seeds each `RandomState` from the operating system, which is all that names
/// of folders need, so that no crate for random numbers is called for.
pub(super) fn random_number() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
