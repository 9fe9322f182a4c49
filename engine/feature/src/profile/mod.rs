//! What the columns of a table look like, and how those of two tables differ: `feature_profile`, `drift`,
//! `woe_table`, `compress`.

mod accumulator;
mod columns;
mod compress;
mod drift;
mod exact;
mod shares;
mod spread;
mod statistics;
mod woe;

pub(crate) use columns::profile_plan;
pub(crate) use compress::{compress_plan, totals_plan};
pub(crate) use drift::{Drift, drift};
pub(crate) use spread::{Profiled, to_draw};
pub(crate) use woe::woe_plan;
