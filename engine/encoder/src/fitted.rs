//! What an output of an encoder has learned: how it encodes a column, and how it is stored.

use std::io::Cursor;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    new_null_array,
};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Schema};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::{DataFusionError, exec_datafusion_err, exec_err};

use super::category::{CategoryType, exact_cast};
use super::definition::OutputDefinition;
use super::index::{CategoryIndex, UNSEEN};
use super::kind::EncoderKind;

/// The key of the default in the metadata of what is stored.
const DEFAULT_KEY: &str = "default";

/// What becomes of a category that was not there when the encoder was fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnUnseen {
    /// The encoder's default: the mean of all rows, 0, or the label.
    #[default]
    Default,
    /// NULL.
    Null,
    /// The query fails.
    Error,
}

/// What becomes of NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnNull {
    /// It is a category like the others.
    #[default]
    Category,
    /// It stays NULL.
    Null,
}

/// How values are treated that the encoder knows nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Policy {
    /// What becomes of a value that was not seen while learning.
    pub on_unseen: OnUnseen,
    /// What becomes of NULL.
    pub on_null: OnNull,
}

/// What an output has learned.
#[derive(Debug, Clone)]
pub struct Fitted(Learned);

#[derive(Debug, Clone)]
enum Learned {
    Categories {
        stored: RecordBatch,
        default: Default,
        index: Box<CategoryIndex>,
        /// The values by number, then the default, then NULL.
        values: ArrayRef,
        /// Whether NULL stays NULL whatever the policy says.
        keeps_null: bool,
    },
    /// All edges, the outer ones included.
    Bins(Vec<f64>),
}

/// Values by category.
#[derive(Debug)]
pub(super) enum Values {
    Number(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
}

/// The value of categories that were not seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Default {
    Number(Option<f64>),
    Text(String),
}

/// Categories with their weights and values, in the order of the categories.
#[derive(Debug)]
pub(super) struct FittedCategories {
    pub(super) keys: ArrayRef,
    pub(super) weights: Vec<f64>,
    pub(super) values: Values,
    pub(super) default: Default,
}

impl Fitted {
    /// What stands for an output that was only assumed to be fitted.
    pub fn nothing(output: &OutputDefinition) -> Self {
        let default = match output.encoder {
            EncoderKind::QuantileBins { .. } | EncoderKind::UniformBins { .. } => {
                return Self::bins(Vec::new());
            }
            EncoderKind::Rare { .. } => Default::Text(String::new()),
            EncoderKind::Target { .. } | EncoderKind::Frequency => Default::Number(None),
        };
        let text = output.category.is_none_or(CategoryType::is_text);
        Self(Learned::Categories {
            stored: RecordBatch::new_empty(Arc::new(Schema::empty())),
            values: match &default {
                Default::Number(_) => new_null_array(&DataType::Float64, 2),
                Default::Text(_) => new_null_array(&DataType::Utf8, 2),
            },
            index: Box::new(CategoryIndex::new(text)),
            keeps_null: true,
            default,
        })
    }

    pub(super) fn bins(edges: Vec<f64>) -> Self {
        Self(Learned::Bins(edges))
    }

    pub(super) fn categories(categories: FittedCategories) -> Result<Self, DataFusionError> {
        let FittedCategories {
            keys,
            weights,
            values,
            default,
        } = categories;
        let values: ArrayRef = match values {
            Values::Number(values) => Arc::new(Float64Array::from(values)),
            Values::Text(values) => Arc::new(StringArray::from(values)),
        };
        let fields = [
            Field::new("category", keys.data_type().clone(), true),
            Field::new("weight", DataType::Float64, false),
            Field::new("value", values.data_type().clone(), true),
        ];
        // An output without any row has no values.
        let rows = values.len();
        let stored = RecordBatch::try_new(
            Arc::new(Schema::new(fields.to_vec())),
            vec![
                keys.slice(0, rows),
                Arc::new(Float64Array::from(weights[..rows].to_vec())),
                values,
            ],
        )?;
        Self::of_stored(stored, default)
    }

    fn of_stored(stored: RecordBatch, default: Default) -> Result<Self, DataFusionError> {
        let keys = stored.column(0);
        let mut index = CategoryIndex::new(keys.data_type() == &DataType::Utf8);
        index.insert(keys)?;
        let (extra, keeps_null): (ArrayRef, bool) = match &default {
            Default::Number(number) => (Arc::new(Float64Array::from(vec![*number, None])), false),
            Default::Text(label) => (
                Arc::new(StringArray::from(vec![Some(label.as_str()), None])),
                true,
            ),
        };
        let values = concat(&[stored.column(2).as_ref(), extra.as_ref()])?;
        Ok(Self(Learned::Categories {
            stored,
            default,
            index: Box::new(index),
            values,
            keeps_null,
        }))
    }

    /// Returns how many categories or bins there are.
    pub fn value_count(&self) -> usize {
        match &self.0 {
            Learned::Bins(edges) => edges.len().saturating_sub(1),
            Learned::Categories { index, .. } => index.len(),
        }
    }

    /// Returns the value of categories that were not seen, as text; bins have none.
    pub fn default_text(&self) -> Option<String> {
        match &self.0 {
            Learned::Bins(_) => None,
            Learned::Categories { default, .. } => match default {
                Default::Number(number) => number.map(|number| number.to_string()),
                Default::Text(label) => Some(label.clone()),
            },
        }
    }

    /// Encodes a column. `category` is the sort of the fitted column's values.
    pub(super) fn encode(
        &self,
        column: &ArrayRef,
        category: Option<CategoryType>,
        policy: Policy,
    ) -> Result<ArrayRef, DataFusionError> {
        match (&self.0, category) {
            (Learned::Bins(edges), _) => bin_numbers(edges, column),
            (
                Learned::Categories {
                    index,
                    values,
                    keeps_null,
                    ..
                },
                Some(category),
            ) => {
                let keys = match column.data_type() {
                    DataType::Null => new_null_array(
                        match category.is_text() {
                            true => &DataType::Utf8,
                            false => &DataType::Int64,
                        },
                        column.len(),
                    ),
                    _ => category.keys(column)?,
                };
                let numbers = index.find(&keys)?;
                let numbers = with_policy(numbers, index, (&keys, category), *keeps_null, policy)?;
                Ok(take(values, &UInt32Array::from(numbers), None)?)
            }
            (Learned::Categories { .. }, None) => exec_err!("the encoder has no category type"),
        }
    }

    /// Writes it as an Arrow stream.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, DataFusionError> {
        let batch = match &self.0 {
            Learned::Bins(edges) => RecordBatch::try_from_iter([(
                "edge",
                Arc::new(Float64Array::from(edges.clone())) as ArrayRef,
            )])?,
            Learned::Categories {
                stored, default, ..
            } => {
                let default = match default {
                    // The shortest text that reads back as the same number.
                    Default::Number(number) => number.map(|number| format!("{number:?}")),
                    Default::Text(label) => Some(label.clone()),
                };
                let metadata = default.map(|default| (DEFAULT_KEY.to_owned(), default));
                let schema = stored
                    .schema()
                    .as_ref()
                    .clone()
                    .with_metadata(metadata.into_iter().collect());
                stored.clone().with_schema(Arc::new(schema))?
            }
        };
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(&batch)?;
        Ok(writer.into_inner()?)
    }

    /// Reads what `to_bytes` wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, DataFusionError> {
        let mut reader = StreamReader::try_new(Cursor::new(bytes), None)?;
        let batch = reader
            .next()
            .transpose()?
            .ok_or_else(|| ArrowError::ParseError("it has no rows".to_owned()))?;
        if batch.num_columns() == 1 {
            let edges = batch.column(0).as_primitive_opt::<Float64Type>();
            let edges = edges.ok_or_else(|| exec_datafusion_err!("the edges are no numbers"))?;
            return Ok(Self::bins(edges.values().to_vec()));
        }
        let default = batch.schema().metadata().get(DEFAULT_KEY).cloned();
        let default = match (batch.column(2).data_type(), default) {
            (DataType::Utf8, default) => Default::Text(default.unwrap_or_default()),
            (_, None) => Default::Number(None),
            (_, Some(number)) => {
                Default::Number(Some(number.parse().map_err(|_| {
                    exec_datafusion_err!("the default `{number}` is no number")
                })?))
            }
        };
        Self::of_stored(batch, default)
    }

    /// Lists what was learned: a row a category or a bin, as texts and numbers.
    pub(super) fn listed(&self, category: Option<CategoryType>) -> Result<Listed, DataFusionError> {
        match &self.0 {
            Learned::Bins(edges) => {
                let bins = edges.len().saturating_sub(1);
                let inner = |edge: usize| (0 < edge && edge < bins).then(|| edges[edge]);
                Ok(Listed {
                    categories: new_null_array(&DataType::Utf8, bins),
                    lower: (0..bins).map(inner).collect(),
                    upper: (1..=bins).map(inner).collect(),
                    weights: new_null_array(&DataType::Float64, bins),
                    numbers: Arc::new(
                        (0..bins)
                            .map(|bin| Some(bin as f64))
                            .collect::<Float64Array>(),
                    ),
                    labels: new_null_array(&DataType::Utf8, bins),
                })
            }
            Learned::Categories { stored, .. } => {
                let keys = stored.column(0);
                let shown = match category {
                    Some(category) => category.shown(keys)?,
                    None => Arc::clone(keys),
                };
                let values = stored.column(2);
                let of_type = |wanted: &DataType| match values.data_type() == wanted {
                    true => Arc::clone(values),
                    false => new_null_array(wanted, values.len()),
                };
                Ok(Listed {
                    categories: exact_cast(&shown, &DataType::Utf8)?,
                    lower: Float64Array::new_null(values.len()),
                    upper: Float64Array::new_null(values.len()),
                    weights: Arc::clone(stored.column(1)),
                    numbers: of_type(&DataType::Float64),
                    labels: of_type(&DataType::Utf8),
                })
            }
        }
    }
}

/// What was learned, in columns.
pub(super) struct Listed {
    pub(super) categories: ArrayRef,
    /// The edges of bins; the outermost are open.
    pub(super) lower: Float64Array,
    pub(super) upper: Float64Array,
    pub(super) weights: ArrayRef,
    pub(super) numbers: ArrayRef,
    pub(super) labels: ArrayRef,
}

/// Replaces the numbers of unseen categories and of NULL by the places of their values.
fn with_policy(
    mut numbers: Vec<u32>,
    index: &CategoryIndex,
    (keys, category): (&ArrayRef, CategoryType),
    keeps_null: bool,
    policy: Policy,
) -> Result<Vec<u32>, DataFusionError> {
    // `CategoryIndex` leaves room for these two.
    let default = u32::try_from(index.len()).unwrap_or(UNSEEN - 2);
    let null = default + 1;
    let nulls_stay = keeps_null || policy.on_null == OnNull::Null;
    if nulls_stay && let Some(nulls) = keys.nulls() {
        for (row, number) in numbers.iter_mut().enumerate() {
            if nulls.is_null(row) {
                *number = null;
            }
        }
    }
    let unseen = match policy.on_unseen {
        OnUnseen::Default => default,
        OnUnseen::Null => null,
        OnUnseen::Error => match numbers.iter().position(|number| *number == UNSEEN) {
            None => return Ok(numbers),
            Some(row) => {
                let shown = array_value_to_string(&category.shown(&keys.slice(row, 1))?, 0)?;
                return match keys.is_null(row) {
                    true => exec_err!("NULL was not seen when the encoder was fitted"),
                    false => exec_err!("`{shown}` was not seen when the encoder was fitted"),
                };
            }
        },
    };
    for number in &mut numbers {
        if *number == UNSEEN {
            *number = unseen;
        }
    }
    Ok(numbers)
}

/// Returns the numbers of bins: left-closed, the outer ones open; NULL and NaN have none.
fn bin_numbers(edges: &[f64], column: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    let values = exact_cast(column, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let inner = match edges {
        [_, inner @ .., _] => inner,
        _ => return Ok(new_null_array(&DataType::Int64, column.len())),
    };
    let numbers: Int64Array = values
        .iter()
        .map(|value| {
            let value = value.filter(|value| !value.is_nan())?;
            Some(inner.partition_point(|edge| *edge <= value) as i64)
        })
        .collect();
    Ok(Arc::new(numbers))
}
