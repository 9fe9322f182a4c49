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
    /// What would make a query faster.
    Hints(Vec<HintCard>),
}

/// What would make a query faster, for reading.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HintCard {
    /// Its number, as `\apply` takes it.
    pub number: usize,
    /// The name of the rule.
    pub rule: &'static str,
    /// `info`, `advice` or `warning`.
    pub severity: &'static str,
    /// What is the matter.
    pub finding: String,
    /// The numbers that say so.
    pub evidence: Vec<String>,
    /// SQL that mends it.
    pub remedy: Option<String>,
    /// What measuring showed: `confirmed`, with the rest of what is to be said.
    pub verdict: Option<String>,
    /// Milliseconds without and with the remedy.
    pub times: Option<(f64, f64)>,
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
