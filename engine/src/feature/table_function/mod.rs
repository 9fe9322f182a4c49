//! The table functions of features.

pub(crate) mod encoder;
pub(crate) mod profile;
