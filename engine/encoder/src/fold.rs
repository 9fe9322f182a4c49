//! Folds: which rows an encoding may not learn from, and the functions that encode each row from the
//! other folds.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, StringArray, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use lakesh_text::hash::StableHash;

use super::category::{CategoryType, exact_cast};
use super::definition::OutputDefinition;
use super::fitted::{Fitted, Policy};
use super::function::{check_type, encode, output_type};
use super::index::{CategoryIndex, UNSEEN};

/// Makes the function that gives each row a fold from 0, by a stable hash of its arguments as text.
pub fn fold_function(folds: u32) -> ScalarUDF {
    ScalarUDF::from(FoldOf {
        folds,
        signature: Signature::variadic_any(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FoldOf {
    folds: u32,
    signature: Signature,
}

impl ScalarUDFImpl for FoldOf {
    fn name(&self) -> &str {
        "fold_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(
        &self,
        arguments: ScalarFunctionArgs,
    ) -> Result<ColumnarValue, DataFusionError> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?
            .iter()
            .map(|column| Ok(exact_cast(column, &DataType::Utf8)?))
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let texts: Vec<&StringArray> = columns.iter().map(|column| column.as_string()).collect();
        let rows = texts.first().map_or(0, |text| text.len());
        let folds: Int64Array = (0..rows)
            .map(|row| (key_hash(&texts, row) % u64::from(self.folds)).cast_signed())
            .collect::<Vec<_>>()
            .into();
        Ok(ColumnarValue::Array(Arc::new(folds)))
    }
}

/// Hashes the bytes of one text; of several, each with its length before it; NULL as the byte 0xff, which
/// no text contains.
fn key_hash(columns: &[&StringArray], row: usize) -> u64 {
    let mut hash = StableHash::default();
    for column in columns {
        if columns.len() > 1 && column.is_valid(row) {
            let mut length = String::new();
            // Writing to a text cannot fail.
            let _: std::fmt::Result = write!(length, "{}:", column.value(row).len());
            hash.write(length.as_bytes());
        }
        match column.is_valid(row) {
            true => hash.write(column.value(row).as_bytes()),
            false => hash.write(&[0xff]),
        }
    }
    hash.finish()
}

/// What was learned for each fold from the others.
#[derive(Debug)]
pub struct CrossFitted {
    category: CategoryType,
    index: CategoryIndex,
    /// By the number of the fold.
    fitted: Vec<Fitted>,
}

impl CrossFitted {
    /// Takes the keys of the folds and what was learned for each.
    pub fn new(
        category: CategoryType,
        keys: &ArrayRef,
        fitted: Vec<Fitted>,
    ) -> Result<Self, DataFusionError> {
        let mut index = CategoryIndex::new(category.is_text());
        index.insert(keys)?;
        Ok(Self {
            category,
            index,
            fitted,
        })
    }
}

/// Makes the function that encodes its second argument with what was learned for the fold that is its
/// first.
pub fn cross_fitted_function(
    name: String,
    output: OutputDefinition,
    fitted: Arc<CrossFitted>,
    policy: Policy,
) -> ScalarUDF {
    ScalarUDF::from(ApplyCrossFitted {
        name,
        output,
        fitted,
        policy,
        signature: Signature::any(2, Volatility::Immutable),
    })
}

#[derive(Debug)]
struct ApplyCrossFitted {
    name: String,
    output: OutputDefinition,
    fitted: Arc<CrossFitted>,
    policy: Policy,
    signature: Signature,
}

impl PartialEq for ApplyCrossFitted {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.policy == other.policy
            && Arc::ptr_eq(&self.fitted, &other.fitted)
    }
}

impl Eq for ApplyCrossFitted {}

impl Hash for ApplyCrossFitted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.policy.hash(state);
    }
}

impl ScalarUDFImpl for ApplyCrossFitted {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType, DataFusionError> {
        if let [_, value] = arguments {
            check_type(&self.output, value)?;
        }
        Ok(output_type(&self.output.encoder))
    }

    fn invoke_with_args(
        &self,
        arguments: ScalarFunctionArgs,
    ) -> Result<ColumnarValue, DataFusionError> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let keys = self.fitted.category.keys(&columns[0])?;
        let folds = self.fitted.index.find(&keys)?;
        let encoded = self.encode_by_fold(&folds, &columns[1])?;
        Ok(ColumnarValue::Array(encoded))
    }
}

impl ApplyCrossFitted {
    fn encode_by_fold(
        &self,
        folds: &[u32],
        column: &ArrayRef,
    ) -> Result<ArrayRef, DataFusionError> {
        if folds.is_empty() {
            return Ok(new_null_array(&output_type(&self.output.encoder), 0));
        }
        let mut rows_of = vec![Vec::new(); self.fitted.fitted.len()];
        // Where each row's encoding comes to lie: in which array, and where in it.
        let mut places = Vec::with_capacity(folds.len());
        for (row, fold) in (0_u32..).zip(folds) {
            if *fold == UNSEEN {
                return exec_err!("the table changed while it was cross-fitted; run it again");
            }
            let rows: &mut Vec<u32> = &mut rows_of[*fold as usize];
            places.push((*fold as usize, rows.len()));
            rows.push(row);
        }
        let parts = rows_of
            .into_iter()
            .zip(&self.fitted.fitted)
            .map(|(rows, fitted)| {
                let column = take(column, &UInt32Array::from(rows), None)?;
                encode(fitted, &self.output, &column, self.policy)
            })
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&parts, &places)?)
    }
}
