//! What a front end may draw beside a result, as data: a plan, or how the values of columns are spread.
//!
//! Nothing here knows of pixels. Pictures are made only for front ends that ask for them, since some
//! need queries of their own.

mod plan;

pub use plan::PlanPicture;

/// Something to draw.
#[derive(Debug, Clone)]
pub enum Picture {
    /// The plan of a query.
    Plan(PlanPicture),
    /// How the values of columns are spread.
    Distributions(Distributions),
}

/// How the values of the columns of a table are spread, or of two tables that are compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distributions {
    /// Whether each bin has the share of a reference too.
    pub compared: bool,
    /// The columns, in the order of the table.
    pub columns: Vec<Distribution>,
}

/// How the values of a column are spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// The column.
    pub column: String,
    /// The population stability index of a comparison, where there is one.
    pub index: Option<f64>,
    /// The bins: of numbers in their order, of other values the largest first.
    pub bins: Vec<Bin>,
}

/// A bin and the shares of the rows that are in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// Which values it holds.
    pub values: BinValues,
    /// The share of the rows.
    pub share: f64,
    /// The share of the reference's rows; 0 where nothing is compared.
    pub reference: f64,
}

/// The values that a bin holds.
#[derive(Debug, Clone, PartialEq)]
pub enum BinValues {
    /// Numbers from the first, which belongs to it, to the second; without one it is open.
    Range(Option<f64>, Option<f64>),
    /// One value.
    Value(String),
    /// Values that have no bin of their own.
    Other,
    /// NULL.
    Missing,
}
