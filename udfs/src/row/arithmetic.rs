//! `ratio`, `difference` and `product` of columns.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, Operator, binary_expr};

use super::{RowArguments, RowBehaviour};
use crate::registry::{Behaviour, Function};
use crate::subtract::{subtract, subtraction};
use crate::types::{check_count, double, number};

pub(super) static RATIO: Function = Function {
    name: "ratio",
    usage: "ratio(x, y)",
    summary: "Divides x by y as DOUBLE.",
    nulls: "NULL if either is NULL or y is 0.",
    examples: &["SELECT ratio(3, 4), ratio(1, 0);"],
    parameters: &["x", "y"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: |types| {
            check_count("ratio", types, 2..=2)?;
            types.iter().map(|one| double("ratio", one)).collect()
        },
        returns: |_| Ok(DataType::Float64),
        compute: |arguments| {
            let columns = arguments.columns()?;
            let left = columns[0].as_primitive::<Float64Type>().iter();
            let right = columns[1].as_primitive::<Float64Type>().iter();
            let quotient = |(left, right): (Option<f64>, Option<f64>)| {
                let (left, right) = (left?, right?);
                // -0.0 == 0.0 here, unlike in the comparisons of SQL plans.
                (right != 0.0).then(|| left / right)
            };
            let ratios: Float64Array = left.zip(right).map(quotient).collect();
            Ok(Arc::new(ratios))
        },
        simplify: None,
        makes_nulls: true,
    }),
};

pub(super) static DIFFERENCE: Function = Function {
    name: "difference",
    usage: "difference(x, y)",
    summary: "Subtracts y from x: integers give BIGINT, dates and timestamps an interval.",
    nulls: "NULL if either is NULL; an overflow is an error.",
    examples: &["SELECT difference(3, 4), difference(DATE '2026-03-01', DATE '2026-02-01');"],
    parameters: &["x", "y"],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: |types| {
            check_count("difference", types, 2..=2)?;
            let found = subtraction("difference", &types[0], &types[1])?;
            Ok(vec![found.left, found.right])
        },
        returns: |types| Ok(subtraction("difference", &types[0], &types[1])?.result),
        compute: |arguments| {
            let columns = arguments.columns()?;
            subtract("difference", &columns[0], &columns[1], arguments.returns)
        },
        simplify: Some(|args, info| chain(args, Operator::Minus, info)),
        makes_nulls: false,
    }),
};

pub(super) static PRODUCT: Function = Function {
    name: "product",
    usage: "product(x, y, …)",
    summary: "Multiplies the columns of a row: integers give BIGINT.",
    nulls: "NULL if any is NULL; an overflow is an error.",
    examples: &["SELECT product(2, 3, 4), product(2, 0.5);"],
    parameters: &[],
    behaviour: Behaviour::Row(RowBehaviour {
        coerce: product_types,
        returns: |types| {
            let (first, rest) = types.split_first().unwrap_or((&DataType::Float64, &[]));
            rest.iter().try_fold(first.clone(), |left, right| {
                BinaryTypeCoercer::new(&left, &Operator::Multiply, right).get_result_type()
            })
        },
        compute: multiply,
        simplify: Some(|args, info| chain(args, Operator::Multiply, info)),
        makes_nulls: false,
    }),
};

fn product_types(types: &[DataType]) -> Result<Vec<DataType>> {
    check_count("product", types, 1..=usize::MAX)?;
    let numbers = types.iter().map(|one| number("product", one));
    let numbers = numbers.collect::<Result<Vec<_>>>()?;
    if numbers.contains(&DataType::Float64) {
        return Ok(vec![DataType::Float64; numbers.len()]);
    }
    let decimals = numbers
        .iter()
        .any(|one| matches!(one, DataType::Decimal128(..)));
    Ok(numbers
        .into_iter()
        .map(|one| match one {
            DataType::UInt64 if decimals => DataType::Decimal128(20, 0),
            DataType::Int64 if decimals => DataType::Decimal128(19, 0),
            DataType::UInt64 => DataType::Int64,
            other => other,
        })
        .collect())
}

fn multiply(arguments: &RowArguments) -> Result<ArrayRef> {
    let columns = arguments.columns()?;
    if arguments.returns != &DataType::Int64 {
        let mut factors = columns.iter();
        let first = factors.next().map(Arc::clone);
        let first = first.ok_or_else(|| exec_datafusion_err!("`product` of nothing"))?;
        return Ok(factors.try_fold(first, |left, right| numeric::mul(&left, right))?);
    }
    let columns: Vec<_> = columns
        .iter()
        .map(|column| column.as_primitive::<Int64Type>())
        .collect();
    let product = |row: usize| {
        let mut product = Some(1i64);
        for column in &columns {
            if datafusion::arrow::array::Array::is_null(column, row) {
                return Ok(None);
            }
            match column.value(row) {
                // Zero makes good what overflowed on the way to it.
                0 => product = Some(0),
                factor => product = product.and_then(|sofar| sofar.checked_mul(factor)),
            }
        }
        let zero = || columns.iter().any(|column| column.value(row) == 0);
        match product {
            Some(found) => Ok(Some(found)),
            None if zero() => Ok(Some(0)),
            None => Err(exec_datafusion_err!(
                "`product` does not fit into BIGINT; multiply DOUBLE or DECIMAL"
            )),
        }
    };
    let products = (0..arguments.rows).map(product);
    Ok(Arc::new(products.collect::<Result<Int64Array>>()?))
}

/// Writes a call as a chain of operators, which DataFusion can prune and reorder by. Integers keep the
/// function: the operators of SQL plans wrap around.
fn chain(args: &[Expr], operator: Operator, info: &SimplifyContext) -> Result<Option<Expr>> {
    for argument in args {
        let found = info.get_data_type(argument)?;
        if !matches!(found, DataType::Float64) {
            return Ok(None);
        }
    }
    let chained = args.iter().cloned();
    Ok(chained.reduce(|left, right| binary_expr(left, operator, right)))
}
