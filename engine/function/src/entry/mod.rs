//! The entries of the registry, by what they are about. The files hold one entry behind the other and nothing else.

mod absent;
mod aggregate;
mod condition;
mod date;
mod document;
mod nested;
mod number;
mod text;
mod tree;

use crate::registry::Function;

pub(crate) use absent::ABSENT;

/// All entries.
pub(crate) static GROUPS: &[&[Function]] = &[
    condition::ENTRIES,
    number::ENTRIES,
    text::ENTRIES,
    date::ENTRIES,
    nested::ENTRIES,
    aggregate::ENTRIES,
    document::ENTRIES,
];

/// The aggregates of DataFusion's that entries are other names of.
pub(crate) const AGGREGATES_BELOW: &[&str] = &[
    "approx_distinct",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "first_value",
    "last_value",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "sum",
    "var_samp",
];
