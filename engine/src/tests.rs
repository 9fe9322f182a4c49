//! What whole statements show of rooms that know no statements.

mod kept_results;
mod pictures;
