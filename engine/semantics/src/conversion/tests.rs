//! What DataFusion makes of casts, which is why ours take their place.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array, Float64Array};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::common::{ScalarValue, ToDFSchema};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{cast, col, lit};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use super::kernel::{OnFailure, converted};

#[test]
fn upstream_moves_a_cast_that_loses_digits() {
    let schema = Schema::new(vec![Field::new("d", DataType::Decimal128(20, 4), true)]);
    let context = SimplifyContext::builder()
        .with_schema(schema.to_dfschema_ref().unwrap())
        .build();
    let literal = lit(ScalarValue::Decimal128(Some(123), 20, 2));
    let comparison = cast(col("d"), DataType::Decimal128(20, 2)).eq(literal);
    let simplified = ExprSimplifier::new(context).simplify(comparison).unwrap();
    let wrong = col("d").eq(lit(ScalarValue::Decimal128(Some(12300), 20, 4)));
    assert_eq!(simplified, wrong);
}

#[test]
fn doubles_round_half_to_even_and_decimals_half_away() {
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![2.5, 3.5, -2.5, 2.75, -0.4]));
    let rounded = converted(&doubles, &DataType::Int64, OnFailure::Error).unwrap();
    let expected = [2, 4, -2, 3, 0];
    assert_eq!(rounded.as_primitive::<Int64Type>().values(), &expected);

    let decimals = Decimal128Array::from(vec![250, 350, -250, 275, -40]);
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(5, 2).unwrap());
    let rounded = converted(&decimals, &DataType::Int64, OnFailure::Error).unwrap();
    let expected = [3, 4, -3, 3, 0];
    assert_eq!(rounded.as_primitive::<Int64Type>().values(), &expected);
}

#[test]
fn what_has_no_counterpart_fails_or_is_null() {
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, 1e30, 9.3e18]));
    assert!(converted(&doubles, &DataType::Int64, OnFailure::Error).is_err());
    let nulls = converted(&doubles, &DataType::Int64, OnFailure::Null).unwrap();
    assert_eq!(nulls.null_count(), 3);
}
