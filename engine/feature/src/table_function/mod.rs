//! The table functions of features.

pub mod encoder;
pub mod profile;
