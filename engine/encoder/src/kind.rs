//! The kinds of encoders and what each can be told.

use serde::{Deserialize, Serialize};

/// What an output of an encoder computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EncoderKind {
    /// The mean of the target over the rows of a category, drawn towards the mean of all rows.
    Target {
        /// How strongly.
        smooth: Smooth,
        /// Categories of less weight get the mean of all rows.
        min_samples: f64,
    },
    /// The share of all rows that a category has.
    Frequency,
    /// The category itself, or one label for all rare ones.
    Rare {
        /// Categories of a smaller share are rare.
        min_share: f64,
        /// Only so many are kept, the most frequent ones.
        max_categories: Option<usize>,
        /// What stands for the rare ones.
        label: String,
    },
    /// The number of the bin, from 0, of bins that hold about as many rows each.
    QuantileBins {
        /// How many bins; fewer where edges coincide.
        bins: usize,
    },
    /// The number of the bin, from 0, of bins of the same width.
    UniformBins {
        /// How many bins.
        bins: usize,
    },
}

/// How strongly a target mean is drawn towards the mean of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Smooth {
    /// As much as the variances tell: empirical Bayes, as scikit-learn does it.
    Auto,
    /// As if so many more rows with the mean of all rows had been seen.
    Rows(f64),
}

/// A function that CREATE ENCODER knows.
pub struct EncoderFunction {
    /// What a user calls it.
    pub name: &'static str,
    /// Its arguments.
    pub usage: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// How many columns it takes by position: the column, and the target.
    pub columns: usize,
    /// The names of its further arguments, in order; `weight` is a column, the others are constants.
    pub options: &'static [&'static str],
}

/// The functions of CREATE ENCODER in alphabetical order.
pub static ENCODER_FUNCTIONS: &[EncoderFunction] = &[
    EncoderFunction {
        name: "frequency_encoder",
        usage: "frequency_encoder(column [, weight => w])",
        summary: "In CREATE ENCODER: the share of all rows that have the row's category.",
        columns: 1,
        options: &["weight"],
    },
    EncoderFunction {
        name: "quantile_bins",
        usage: "quantile_bins(column, bins [, weight => w])",
        summary: "In CREATE ENCODER: the number, from 0, of the bin between quantiles.",
        columns: 1,
        options: &["bins", "weight"],
    },
    EncoderFunction {
        name: "rare_grouper",
        usage: "rare_grouper(column [, min_share => 0.05] [, max_categories => n] [, label => 'RARE'] [, weight => w])",
        summary: "In CREATE ENCODER: the category, or a label in the place of rare ones.",
        columns: 1,
        options: &["min_share", "max_categories", "label", "weight"],
    },
    EncoderFunction {
        name: "target_encoder",
        usage: "target_encoder(column, target [, smooth => 'auto' | m] [, min_samples => n] [, weight => w])",
        summary: "In CREATE ENCODER: the smoothed mean of the target over the row's category.",
        columns: 2,
        options: &["smooth", "min_samples", "weight"],
    },
    EncoderFunction {
        name: "uniform_bins",
        usage: "uniform_bins(column, bins [, weight => w])",
        summary: "In CREATE ENCODER: the number, from 0, of the bin of equal width.",
        columns: 1,
        options: &["bins", "weight"],
    },
];

/// Finds a function of CREATE ENCODER by its name in lower case.
pub fn encoder_function(name: &str) -> Option<&'static EncoderFunction> {
    ENCODER_FUNCTIONS
        .iter()
        .find(|function| function.name == name)
}

impl EncoderKind {
    /// Returns the name of the function that makes it.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Target { .. } => "target_encoder",
            Self::Frequency => "frequency_encoder",
            Self::Rare { .. } => "rare_grouper",
            Self::QuantileBins { .. } => "quantile_bins",
            Self::UniformBins { .. } => "uniform_bins",
        }
    }

    /// Says whether its column holds categories rather than numbers.
    pub fn has_categories(&self) -> bool {
        !matches!(self, Self::QuantileBins { .. } | Self::UniformBins { .. })
    }

    /// Returns what it was told, as a user would write it.
    pub fn parameters(&self) -> String {
        match self {
            Self::Target {
                smooth,
                min_samples,
            } => {
                let smooth = match smooth {
                    Smooth::Auto => "smooth => 'auto'".to_owned(),
                    Smooth::Rows(rows) => format!("smooth => {rows}"),
                };
                match *min_samples > 0.0 {
                    true => format!("{smooth}, min_samples => {min_samples}"),
                    false => smooth,
                }
            }
            Self::Frequency => String::new(),
            Self::Rare {
                min_share,
                max_categories,
                label,
            } => {
                let most = max_categories
                    .map(|most| format!("max_categories => {most}, "))
                    .unwrap_or_default();
                let label = label.replace('\'', "''");
                format!("min_share => {min_share}, {most}label => '{label}'")
            }
            Self::QuantileBins { bins } | Self::UniformBins { bins } => format!("bins => {bins}"),
        }
    }
}
