//! Sorting by keys of numbers and times: the columns of a row's key become one number.
//!
//! DataFusion sorts small runs by comparing column by column and merges them row by row, which is most of
//! the time of a query over a window function. Where all key columns are numbers, times or booleans, their
//! values in the rows at hand seldom need more bits than one 128 bit integer has, together with the place
//! of the row. Those integers are distributed by their highest bits, and each small bucket is sorted as its
//! rows are asked for: no comparison of rows, no merge, and half the memory.
//!
//! It sorts in memory alone. Where memory is refused, or the keys are too wide, DataFusion's own operator
//! takes over with all rows that have come, and spills.

mod buckets;
mod key;
mod operator;
mod rule;
mod stream;

pub use operator::KeySortExec;
pub use rule::SortByKeys;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
