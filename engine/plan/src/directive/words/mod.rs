//! The words of hint comments, a file each.

pub(super) mod broadcast;
pub(super) mod coalesce;
pub(super) mod join_order;
pub(super) mod materialize;
pub(super) mod merge;
pub(super) mod no_pushdown;
pub(super) mod repartition;
pub(super) mod salt;
pub(super) mod set;
pub(super) mod shuffle_hash;

use datafusion::sql::sqlparser::ast::SelectItem;

use super::Refusal;
use super::comment::Hint;

/// Reads a hint's first argument as a count from 1.
fn count(hint: &Hint) -> Result<usize, Refusal> {
    let Some(first) = hint.arguments.first() else {
        return Err(Refusal::new("a number of partitions is missing"));
    };
    match first.text.parse() {
        Ok(count @ 1..=MOST_PARTITIONS) if first.value.is_none() => Ok(count),
        _ => Err(Refusal {
            reason: format!("a whole number from 1 to {MOST_PARTITIONS} is expected"),
            at: Some(first.at.clone()),
        }),
    }
}

/// More partitions than this are a slip of the keyboard.
const MOST_PARTITIONS: usize = 4096;

/// Says whether an item of SELECT is no `*`, or one without EXCLUDE and the like.
fn is_plain(item: &SelectItem) -> bool {
    match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
            options.opt_exclude.is_none()
                && options.opt_except.is_none()
                && options.opt_ilike.is_none()
                && options.opt_replace.is_none()
                && options.opt_rename.is_none()
        }
        _ => true,
    }
}
