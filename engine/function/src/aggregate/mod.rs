//! Aggregates that DataFusion has not: `mode`, `histogram`, `entropy`, `product`.

mod counts;
mod product;

pub(crate) use counts::{entropy, histogram, mode};
pub(crate) use product::product;
