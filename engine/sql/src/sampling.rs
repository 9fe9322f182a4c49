//! What the number of a TABLESAMPLE counts.

use datafusion::sql::sqlparser::ast::{
    TableSample, TableSampleMethod, TableSampleQuantity, TableSampleUnit,
};

/// Says whether a sample is a number of rows; nothing where that is not said.
pub(crate) fn counts_rows(sample: &TableSample) -> Option<bool> {
    let TableSampleQuantity { unit, .. } = sample.quantity.as_ref()?;
    match (unit, &sample.name) {
        (Some(TableSampleUnit::Rows), _) => Some(true),
        (Some(TableSampleUnit::Percent), _) => Some(false),
        // The standard's methods take a share.
        (None, Some(TableSampleMethod::Bernoulli | TableSampleMethod::System)) => Some(false),
        (None, _) => None,
    }
}
