//! Which of the bounds in a Delta table's log are believed, and by which conditions files are left out.
//!
//! deltalake-core 1.1.3 writes bounds of DECIMAL through doubles or 64-bit integers (`writer/stats.rs`;
//! its pull request 4757 mends a part), so that from 16 digits on they are other numbers, and takes
//! those of floats from the Parquet footer, which leaves NaN out. Which writer made a file is not in the
//! log. Its scans give bounds on as exact, moments cut to milliseconds and shortened texts among them,
//! and DataFusion makes constants of columns by them. So no bound of a log is exact here, and a
//! condition may leave out files only if it holds for none of their rows whatever was left out of the
//! bounds.
//!
//! Inexact is not enough: DataFusion's `FilterExec` takes a column for a constant where its condition and
//! the bounds together leave one value (`physical-plan/filter.rs`, `collect_new_statistics`), inexact bounds
//! too. So a plan is told of a bound only where no value lies beyond it. Files are left out elsewhere, by
//! the reader of the log, which is told conditions and not bounds.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Operator, lit};
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use lakesh_event::account::finds_rows_by_place;

use super::believed::with_believing_readers;

/// How many digits a double holds whatever they are.
const DIGITS_OF_DOUBLE: u8 = 15;

/// Leaves out the filters by which the log's reader would leave out files that it must not.
///
/// What is left out here is evaluated above the scan all the same.
pub(super) fn told_to_log(filters: &[Expr], schema: &Schema) -> Vec<Expr> {
    let bounded = bounded_above(filters, schema);
    let sound = |filter: &&Expr| is_sound(filter, schema, &bounded);
    filters.iter().filter(sound).cloned().collect()
}

/// Rewrites a condition so that the library's operations evaluate it row by row where it must not leave
/// out files by the log's bounds. The condition means the same.
pub(super) fn undecided_by_log(condition: Expr, schema: &Schema) -> Expr {
    let parts = split_conjunction_owned(condition);
    let bounded = bounded_above(&parts, schema);
    let parts = parts
        .into_iter()
        .map(|part| match is_sound(&part, schema, &bounded) {
            true => part,
            // Of a condition only TRUE counts, and the library's translation stops here.
            false => part.is_true(),
        });
    conjunction(parts).unwrap_or_else(|| lit(true))
}

/// Rewrites the condition of a merge so that the library does not compare the source's bounds of such
/// columns with the log's. It is still a comparison of keys.
pub(super) fn keys_apart_from_log(on: Expr, schema: &Schema) -> Result<Expr> {
    on.transform(|part| match part {
        Expr::Column(column) if has_loose_bounds(&column, schema) => {
            let column = Expr::Column(column);
            Ok(Transformed::new(
                coalesce(vec![column.clone(), column]),
                true,
                datafusion::common::tree_node::TreeNodeRecursion::Jump,
            ))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

/// Takes out of the scans of a plan what is not known to hold.
pub(super) fn believed_scan(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    believed(plan, false)
}

/// `is_counted` says that a node above finds rows by their places in the files, as one with deletion
/// vectors does. It takes no other reader than its own, and has no filters pushed below it.
fn believed(plan: Arc<dyn ExecutionPlan>, is_counted: bool) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else {
            return Ok(plan);
        };
        let loosened = DataSourceExec::from_data_source(loosened(config));
        return match is_counted {
            true => Ok(loosened),
            false => with_believing_readers(loosened),
        };
    }
    let is_counted = is_counted || finds_rows_by_place(plan.as_ref());
    let children = plan
        .children()
        .into_iter()
        .map(|child| believed(Arc::clone(child), is_counted))
        .collect::<Result<Vec<_>>>()?;
    match children.is_empty() {
        true => Ok(plan),
        false => plan.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        ),
    }
}

/// The same scan with bounds that are not exact.
fn loosened(config: &FileScanConfig) -> FileScanConfig {
    let groups: Vec<FileGroup> = config
        .file_groups
        .iter()
        .map(|group| believed_group(group.clone()))
        .collect();
    FileScanConfigBuilder::from(config.clone())
        .with_file_groups(groups)
        .with_statistics(inexact(&config.statistics()))
        .build()
}

fn believed_group(group: FileGroup) -> FileGroup {
    let statistics = group.file_statistics(None).map(inexact);
    let files = group.into_inner().into_iter().map(|mut file| {
        file.statistics = file
            .statistics
            .as_deref()
            .map(|known| Arc::new(inexact(known)));
        file
    });
    let group = FileGroup::new(files.collect());
    match statistics {
        Some(statistics) => group.with_statistics(Arc::new(statistics)),
        None => group,
    }
}

/// Makes all but the counts of rows and bytes inexact, and leaves out bounds that may not hold.
fn inexact(known: &Statistics) -> Statistics {
    Statistics {
        num_rows: known.num_rows,
        total_byte_size: known.total_byte_size,
        column_statistics: known
            .column_statistics
            .iter()
            .map(|column| {
                let column = ColumnStatistics::clone(column).to_inexact();
                ColumnStatistics {
                    min_value: lower(column.min_value),
                    max_value: upper(column.max_value),
                    ..column
                }
            })
            .collect(),
    }
}

/// A bound below which there is no value.
fn lower(bound: Precision<ScalarValue>) -> Precision<ScalarValue> {
    let Some(value) = bound.get_value() else {
        return Precision::Absent;
    };
    match value {
        // Which zero was smaller is not known.
        ScalarValue::Float16(Some(zero)) if zero.to_f32() == 0.0 => Precision::Absent,
        ScalarValue::Float32(Some(zero)) if *zero == 0.0 => Precision::Absent,
        ScalarValue::Float64(Some(zero)) if *zero == 0.0 => Precision::Absent,
        // NaN ranks above all numbers, so that leaving it out does no harm here.
        value if value.data_type().is_floating() => bound,
        value if is_vague(&value.data_type()) => Precision::Absent,
        // A moment that is cut lies before the one that was meant.
        _ => bound,
    }
}

/// A bound above which there is no value.
fn upper(bound: Precision<ScalarValue>) -> Precision<ScalarValue> {
    let end = match bound.get_value() {
        Some(ScalarValue::TimestampMicrosecond(Some(at), zone)) => end_of_millisecond(*at, 1_000)
            .map(|at| ScalarValue::TimestampMicrosecond(Some(at), zone.clone())),
        Some(ScalarValue::TimestampNanosecond(Some(at), zone)) => {
            end_of_millisecond(*at, 1_000_000)
                .map(|at| ScalarValue::TimestampNanosecond(Some(at), zone.clone()))
        }
        Some(value) if is_vague(&value.data_type()) => None,
        Some(value) => Some(value.clone()),
        None => None,
    };
    end.map_or(Precision::Absent, Precision::Inexact)
}

/// Returns the last moment that may have been cut to a whole millisecond.
fn end_of_millisecond(at: i64, units: i64) -> Option<i64> {
    match at % units {
        0 => at.checked_add(units - 1),
        _ => Some(at),
    }
}

/// Says whether a bound of a type in a log may be another value than the one that was meant.
fn is_vague(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_vague(value),
        // Writers shorten them, each in its way.
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => true,
        data_type => data_type.is_nested() || is_loose(data_type),
    }
}

/// Says whether a column's bounds in a log may leave out values of its files.
fn has_loose_bounds(column: &Column, schema: &Schema) -> bool {
    schema
        .field_with_name(&column.name)
        .is_ok_and(|field| is_loose(field.data_type()))
}

fn is_loose(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal32(digits, _)
        | DataType::Decimal64(digits, _)
        | DataType::Decimal128(digits, _)
        | DataType::Decimal256(digits, _) => *digits > DIGITS_OF_DOUBLE,
        DataType::Struct(fields) => fields.iter().any(|field| is_loose(field.data_type())),
        other => other.is_floating(),
    }
}

/// Finds the columns of floats of which other parts of a condition say that they are no NaN.
fn bounded_above(parts: &[Expr], schema: &Schema) -> HashSet<Column> {
    let none = HashSet::new();
    parts
        .iter()
        .filter_map(|part| match part {
            Expr::BinaryExpr(_) | Expr::InList(_) if is_sound(part, schema, &none) => {
                compared(part).cloned()
            }
            _ => None,
        })
        .collect()
}

/// Returns the column that a condition compares with constants.
fn compared(part: &Expr) -> Option<&Column> {
    let expression = match part {
        Expr::BinaryExpr(binary) => &binary.left,
        Expr::InList(list) => &list.expr,
        _ => return None,
    };
    match expression.as_ref() {
        Expr::Column(column) => Some(column),
        _ => None,
    }
}

/// Says whether a condition that does not hold for the bounds of a file holds for none of its rows.
///
/// NaN ranks above all numbers, so of a float it holds for upper limits; for lower ones where another
/// part of the condition is such a limit. Zero has two signs, which bounds may mix up.
fn is_sound(part: &Expr, schema: &Schema, bounded: &HashSet<Column>) -> bool {
    let is_loose = |column: &&Column| has_loose_bounds(column, schema);
    if !part.column_refs().iter().any(is_loose) {
        return true;
    }
    match part {
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::And | Operator::Or) => {
            is_sound(&binary.left, schema, bounded) && is_sound(&binary.right, schema, bounded)
        }
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => matches!(inner.as_ref(), Expr::Column(_)),
        Expr::BinaryExpr(binary) => match (binary.left.as_ref(), binary.op) {
            (Expr::Column(column), Operator::Eq | Operator::Lt | Operator::LtEq) => {
                is_float(column, schema) && is_plain_number(&binary.right)
            }
            (Expr::Column(column), Operator::Gt | Operator::GtEq) => {
                bounded.contains(column)
                    && is_float(column, schema)
                    && is_plain_number(&binary.right)
            }
            _ => false,
        },
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => match expr.as_ref() {
            Expr::Column(column) => is_float(column, schema) && list.iter().all(is_plain_number),
            _ => false,
        },
        _ => false,
    }
}

fn is_float(column: &Column, schema: &Schema) -> bool {
    schema
        .field_with_name(&column.name)
        .is_ok_and(|field| field.data_type().is_floating())
}

/// Says whether an expression is a floating-point number other than NaN and zero.
fn is_plain_number(expression: &Expr) -> bool {
    let number = match expression {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) => *value,
        Expr::Literal(ScalarValue::Float32(Some(value)), _) => f64::from(*value),
        _ => return false,
    };
    !number.is_nan() && number != 0.0
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Field;
    use datafusion::logical_expr::col;

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("i", DataType::Int64, true),
            Field::new("f", DataType::Float64, true),
            Field::new("short", DataType::Decimal128(15, 2), true),
            Field::new("long", DataType::Decimal128(16, 2), true),
        ])
    }

    fn decimal(digits: u8) -> Expr {
        lit(ScalarValue::Decimal128(Some(123), digits, 2))
    }

    #[test]
    fn only_sound_conditions_reach_the_log() {
        for (filters, expect) in [
            (vec![col("i").gt(lit(1_i64))], 1),
            (vec![col("short").gt(decimal(15))], 1),
            (vec![col("long").gt(decimal(16))], 0),
            (vec![col("long").eq(decimal(16))], 0),
            (vec![col("long").is_null()], 1),
            (vec![col("f").lt(lit(1.0))], 1),
            (vec![col("f").eq(lit(1.0))], 1),
            (vec![col("f").eq(lit(0.0))], 0),
            (vec![col("f").lt(lit(f64::NAN))], 0),
            (vec![col("f").gt(lit(1.0))], 0),
            (vec![col("f").not_eq(lit(1.0))], 0),
            (vec![col("f").gt_eq(lit(1.0)), col("f").lt(lit(2.0))], 2),
            (vec![col("f").in_list(vec![lit(1.0), lit(2.0)], false)], 1),
            (vec![col("f").in_list(vec![lit(1.0)], true)], 0),
            (vec![col("f").lt(lit(1.0)).or(col("f").gt(lit(9.0)))], 0),
            (vec![col("f").lt(lit(1.0)).or(col("i").gt(lit(9_i64)))], 1),
            (vec![col("f").gt(col("i"))], 0),
        ] {
            assert_eq!(
                told_to_log(&filters, &schema()).len(),
                expect,
                "{filters:?}"
            );
        }
    }

    #[test]
    fn plans_are_told_only_bounds_that_hold() {
        let moment = |at| ScalarValue::TimestampMicrosecond(Some(at), None);
        let decimal = |digits| ScalarValue::Decimal128(Some(123), digits, 2);
        let inexact_one = |value: &ScalarValue| Precision::Inexact(value.clone());
        let absent = Precision::Absent;
        for (value, least, most) in [
            (
                ScalarValue::from(7_i64),
                true,
                Some(ScalarValue::from(7_i64)),
            ),
            (decimal(15), true, Some(decimal(15))),
            (decimal(16), false, None),
            (ScalarValue::from(1.5_f64), true, None),
            (ScalarValue::from(0.0_f64), false, None),
            (ScalarValue::from(-0.0_f32), false, None),
            (moment(5_000), true, Some(moment(5_999))),
            (moment(-5_000), true, Some(moment(-4_001))),
            (moment(5_001), true, Some(moment(5_001))),
            (moment(i64::MAX - i64::MAX % 1_000), true, None),
            (ScalarValue::from("abc"), false, None),
            (
                ScalarValue::Date32(Some(3)),
                true,
                Some(ScalarValue::Date32(Some(3))),
            ),
        ] {
            let column = ColumnStatistics {
                null_count: Precision::Exact(2),
                min_value: Precision::Exact(value.clone()),
                max_value: Precision::Exact(value.clone()),
                ..ColumnStatistics::new_unknown()
            };
            let known = Statistics {
                num_rows: Precision::Exact(3),
                total_byte_size: Precision::Absent,
                column_statistics: vec![column],
            };
            let told = inexact(&known);
            assert_eq!(told.num_rows, Precision::Exact(3));
            let told = &told.column_statistics[0];
            assert_eq!(told.null_count, Precision::Inexact(2), "{value:?}");
            let least = if least {
                inexact_one(&value)
            } else {
                absent.clone()
            };
            assert_eq!(told.min_value, least, "{value:?}");
            let most = most.map_or(Precision::Absent, Precision::Inexact);
            assert_eq!(told.max_value, most, "{value:?}");
        }
    }

    #[test]
    fn conditions_of_operations_are_kept_from_the_log() {
        let condition = col("i").gt(lit(1_i64)).and(col("f").gt(lit(1.0)));
        let rewritten = undecided_by_log(condition, &schema());
        assert_eq!(
            rewritten.to_string(),
            "i > Int64(1) AND f > Float64(1) IS TRUE"
        );
        let on = col("i").eq(col("f"));
        assert_eq!(
            keys_apart_from_log(on, &schema())
                .map(|on| on.to_string())
                .ok(),
            Some("i = coalesce(f, f)".to_owned())
        );
    }
}
