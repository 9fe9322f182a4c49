//! What the catalog stores of an encoder beside what it has learned.

use serde::{Deserialize, Serialize};

use super::category::CategoryType;
use super::kind::EncoderKind;

/// An encoder: its outputs, and where they were learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderDefinition {
    /// What it gives, in the order of the columns.
    pub outputs: Vec<OutputDefinition>,
    /// Where it was learned.
    pub provenance: Provenance,
}

/// One output of an encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputDefinition {
    /// The name.
    pub name: String,
    /// How the values are encoded.
    pub encoder: EncoderKind,
    /// The expression that is encoded, over the columns of the table.
    pub value: String,
    /// The expression that is to be predicted, where the encoder looks at one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How much each row counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The sort of the values, where they are categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryType>,
    /// The SQL type of the values.
    pub value_type: String,
}

/// Where an encoder was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What FROM said.
    pub relation: String,
    /// The tables that were read.
    pub tables: Vec<ProvenanceTable>,
    /// The condition on the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Tells one plan of the rows from another.
    pub plan_hash: String,
    /// How many rows there were.
    pub rows: u64,
}

/// A table that an encoder was fitted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenanceTable {
    /// The name.
    pub name: String,
    /// Where it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The version that was read, of a Delta table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl EncoderDefinition {
    /// Finds an output; without a name, the only one.
    pub fn output(&self, name: Option<&str>) -> Option<(usize, &OutputDefinition)> {
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
    pub fn output_names(&self) -> Vec<&str> {
        self.outputs
            .iter()
            .map(|output| output.name.as_str())
            .collect()
    }
}
