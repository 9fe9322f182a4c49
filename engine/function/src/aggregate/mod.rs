//! Aggregates that DataFusion has not: `mode`, `histogram`, `entropy`, `product`.

mod counts;
mod product;

pub(crate) use counts::{entropy, histogram, mad, mode};
pub(crate) use product::product;
