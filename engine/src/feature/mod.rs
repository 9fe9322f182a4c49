//! Encoders at work, profiles, drift and leakage: the statements and table functions of features.

pub(crate) mod statement;
pub(crate) mod table_function;
