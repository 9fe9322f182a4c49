//! `product(x)` with one argument: the product over rows, an aggregate as in DuckDB and pandas.
//!
//! With several it multiplies the columns of a row, see `lakesh-udfs`; the parser tells the two apart by the name
//! of this one.

use std::mem::size_of_val;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility,
};
use lakesh_sql::PRODUCT_OF_ROWS;

/// Returns the function.
pub(crate) fn function() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(ProductOfRows {
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ProductOfRows {
    signature: Signature,
}

impl AggregateUDFImpl for ProductOfRows {
    fn name(&self) -> &str {
        PRODUCT_OF_ROWS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [one] if one.is_numeric() || one.is_null() => Ok(vec![DataType::Float64]),
            _ => plan_err!("`product` over rows takes one number"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(arguments.name, "product");
        Ok(vec![Arc::new(Field::new(name, DataType::Float64, true))])
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            return plan_err!(
                "`product` has no DISTINCT; take it over a subquery with SELECT DISTINCT"
            );
        }
        Ok(Box::new(Product(None)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            let section = DocSection {
                include: true,
                label: "General Functions",
                description: None,
            };
            Documentation::builder(
                section,
                "Returns the product of the values of all rows as DOUBLE; NULL is left out, and without a value \
                 it is NULL.",
                "product(x)",
            )
            .with_sql_example("SELECT product(x) FROM (VALUES (2), (3), (NULL)) AS v(x);")
            .with_argument("x", "A number.")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

/// The product of the values so far.
#[derive(Debug)]
struct Product(Option<f64>);

impl Accumulator for Product {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.0 = Some(self.0.unwrap_or(1.0) * value);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.0))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float64(self.0)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
