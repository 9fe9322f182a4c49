//! To which type moments, days and texts are taken that meet each other.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::{Cast, Expr};

use super::{Zone, is_date, is_same_zone, is_text};

/// Casts an expression.
pub(super) fn cast(expression: Expr, to: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expression), to))
}

/// Returns a value as a timestamp; what has no zone shows a clock in the session's.
pub(super) fn as_timestamp(value: Expr, from: &DataType, to: &DataType, session: &Zone) -> Expr {
    if from == to {
        return value;
    }
    let DataType::Timestamp(unit, zone) = to else {
        return cast(value, to.clone());
    };
    let here = || DataType::Timestamp(*unit, Some(Arc::clone(session)));
    let is_elsewhere = |zone: &Zone| !is_same_zone(zone, session);
    match (from, zone) {
        // The clock of the session, whatever zone the moment came with.
        (DataType::Timestamp(_, Some(from)), None) if is_elsewhere(from) => {
            cast(cast(value, here()), to.clone())
        }
        (DataType::Timestamp(_, Some(_)), _) => cast(value, to.clone()),
        (_, Some(zone)) if is_elsewhere(zone) => cast(cast(value, here()), to.clone()),
        _ => cast(value, to.clone()),
    }
}

/// Returns the type in which the values of several types stand beside each other, if a timestamp is among them.
///
/// Texts count where they are literals, which the caller knows; `None` means that they fit already, or never.
pub(super) fn one_type<'a>(
    types: impl Iterator<Item = &'a DataType>,
    session: &Zone,
) -> Option<DataType> {
    let mut unit: Option<TimeUnit> = None;
    let mut zone: Option<Zone> = None;
    let mut zones_differ = false;
    let (mut has_clock, mut has_day) = (false, false);
    let mut all_equal = true;
    let mut first = None;
    for data_type in types.filter(|data_type| !data_type.is_null()) {
        all_equal &= first.is_none_or(|first| first == data_type);
        first = first.or(Some(data_type));
        match data_type {
            DataType::Timestamp(next, its) => {
                unit = Some(unit.map_or(*next, |unit| finer(unit, *next)));
                match (its, &zone) {
                    (None, _) => has_clock = true,
                    (Some(its), None) => zone = Some(Arc::clone(its)),
                    (Some(its), Some(zone)) => zones_differ |= its != zone,
                }
            }
            other if is_date(other) || is_text(other) => has_day = true,
            _ => return None,
        }
    }
    if all_equal {
        return None;
    }
    let zone = zone.map(|zone| match zones_differ || has_clock || has_day {
        true => Arc::clone(session),
        false => zone,
    });
    unit.map(|unit| DataType::Timestamp(unit, zone))
}

/// Returns the finer of two units.
pub(super) fn finer(left: TimeUnit, right: TimeUnit) -> TimeUnit {
    let digits = |unit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    match digits(left) >= digits(right) {
        true => left,
        false => right,
    }
}
