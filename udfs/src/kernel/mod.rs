//! What a frame is summarized by, and how summaries follow a frame that slides.
//!
//! Nothing here subtracts a value that has left: what has left the frame leaves no trace.

mod extremes;
mod line;
mod moments;
mod order_statistics;
mod rolling;
mod shape;
mod two_stack;

pub use extremes::Extremes;
pub use line::{Line, Point};
pub use moments::{Moments, Strays};
pub use order_statistics::{OrderStatistics, Standing};
pub use rolling::{Formula, Rolling, RollingFormula};
pub use shape::Shape;
pub use two_stack::{Mergeable, TwoStack};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
