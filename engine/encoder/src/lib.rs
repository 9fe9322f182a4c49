//! Encoders and binners: what turns categories and numbers into features, fitted on one table and
//! applied to others.
//!
//! The arithmetic lives here; `feature` plans and runs queries that use it, statements are parsed in
//! `statement`, names are resolved in `scope`, and the catalog stores what was learned without understanding
//! it.

#![forbid(unsafe_code)]

mod category;
mod definition;
mod fit;
mod fitted;
mod fold;
mod function;
mod index;
mod kind;
mod learn;
mod past;
mod sum;

pub use category::CategoryType;
pub use definition::{EncoderDefinition, OutputDefinition, Provenance, ProvenanceTable};
pub use fitted::{Fitted, OnNull, OnUnseen, Policy};
pub use fold::{CrossFitted, cross_fitted_function, fold_function};
pub use function::{applied, apply_function, check_type};
pub use kind::{ENCODER_FUNCTIONS, EncoderFunction, EncoderKind, Smooth, encoder_function};
pub use learn::{FitColumn, OutputError, learn};
pub use past::{PastOutput, encoded_from_past, named_windows};
pub use sum::Sum;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::ast::Expr;

/// Writes what an output learned, for the catalog.
pub fn to_stored(fitted: &Fitted) -> Result<Vec<u8>, DataFusionError> {
    fitted.to_bytes()
}

/// Reads what the catalog stored.
pub fn from_stored(bytes: &[u8]) -> Result<Fitted, DataFusionError> {
    Fitted::from_bytes(bytes)
}

/// Reads the name of a column, or an expression over columns.
pub fn parse_key(text: &str) -> Result<Expr, DataFusionError> {
    lakesh_sql::parse_expression(text)
}

/// Lists what an output learned: output, function, category, lower, upper, weight, value, label; a row a
/// category or a bin.
pub fn listed_values(
    output: &OutputDefinition,
    fitted: &Fitted,
) -> Result<RecordBatch, DataFusionError> {
    let listed = fitted.listed(output.category)?;
    let rows = listed.categories.len();
    let repeated =
        |text: &str| Arc::new(StringArray::from(vec![text.to_owned(); rows])) as ArrayRef;
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("output", repeated(&output.name), true),
        ("function", repeated(output.encoder.function()), true),
        ("category", listed.categories, true),
        ("lower", Arc::new(listed.lower) as ArrayRef, true),
        ("upper", Arc::new(listed.upper) as ArrayRef, true),
        ("weight", listed.weights, true),
        ("value", listed.numbers, true),
        ("label", listed.labels, true),
    ])?)
}
