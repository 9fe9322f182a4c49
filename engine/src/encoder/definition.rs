//! What the catalog stores of an encoder beside what it has learned.

use serde::{Deserialize, Serialize};

use super::category::CategoryType;
use super::kind::EncoderKind;

/// An encoder: its outputs, and where they were learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EncoderDefinition {
    pub(crate) outputs: Vec<OutputDefinition>,
    pub(crate) provenance: Provenance,
}

/// One output of an encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutputDefinition {
    pub(crate) name: String,
    pub(crate) encoder: EncoderKind,
    /// The expression that is encoded, over the columns of the table.
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<String>,
    /// The sort of the values, where they are categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<CategoryType>,
    /// The SQL type of the values.
    pub(crate) value_type: String,
}

/// Where an encoder was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    /// What FROM said.
    pub(crate) relation: String,
    pub(crate) tables: Vec<ProvenanceTable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) predicate: Option<String>,
    /// Tells one plan of the rows from another.
    pub(crate) plan_hash: String,
    /// How many rows there were.
    pub(crate) rows: u64,
}

/// A table that an encoder was fitted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProvenanceTable {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u64>,
}

impl EncoderDefinition {
    /// Finds an output; without a name, the only one.
    pub(crate) fn output(&self, name: Option<&str>) -> Option<(usize, &OutputDefinition)> {
        match name {
            Some(name) => {
                let place = self.outputs.iter().position(|output| output.name == name)?;
                Some((place, &self.outputs[place]))
            }
            None => match self.outputs.as_slice() {
                [only] => Some((0, only)),
                _ => None,
            },
        }
    }

    /// Returns the names of the outputs.
    pub(crate) fn output_names(&self) -> Vec<&str> {
        self.outputs
            .iter()
            .map(|output| output.name.as_str())
            .collect()
    }
}
