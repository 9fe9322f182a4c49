//! The rows of a change add up, or it is not committed: those that were there, less those deleted, more
//! those inserted, are those that are there after it.
//!
//! What a change counted stands in its log entry beside the files that it removes and adds, and each
//! file's rows stand there too. So a scan or a join below it that lost a row is found before its commit.

use deltalake::kernel::transaction::TransactionError;
use serde_json::Value;

/// Compares what an entry says that it did with the rows of the files that it removes and adds.
pub(super) fn check(entry: &[u8], removed: i64, added: i64) -> Result<(), TransactionError> {
    let Some(information) = commit_information(entry) else {
        return Ok(());
    };
    let Information {
        operation,
        has_predicate,
        counts,
    } = information;
    let count = |name: &str| counts[name].as_i64();
    let inserted = count("num_target_rows_inserted");
    let (change, written) = match operation.as_str() {
        "DELETE" => (count("num_deleted_rows").map(|deleted| -deleted), None),
        "UPDATE" => {
            let written = sum([count("num_updated_rows"), count("num_copied_rows")]);
            (Some(0), written)
        }
        "MERGE" => {
            let deleted = count("num_target_rows_deleted").map(|deleted| -deleted);
            let written = [
                count("num_target_rows_updated"),
                count("num_target_rows_copied"),
                inserted,
            ];
            (sum([inserted, deleted]), sum(written))
        }
        // With a condition, rows of the files that it replaces may stay: at most all of them.
        "WRITE" => {
            let new = count("num_added_rows");
            let fits = match has_predicate {
                true => new.is_none_or(|new| (new..=new.saturating_add(removed)).contains(&added)),
                false => new.is_none_or(|new| new == added),
            };
            return does_fit(fits, operation, removed, added, &counts);
        }
        _ => return Ok(()),
    };
    let fits = change.is_none_or(|change| removed + change == added)
        && written.is_none_or(|written| written == added);
    does_fit(fits, operation, removed, added, &counts)
}

fn does_fit(
    fits: bool,
    operation: String,
    removed: i64,
    added: i64,
    counts: &Value,
) -> Result<(), TransactionError> {
    if fits {
        return Ok(());
    }
    let source = DoesNotAddUp {
        operation,
        removed,
        added,
        counts: counts.to_string(),
    };
    Err(TransactionError::LogStoreError {
        msg: source.to_string(),
        source: Box::new(source),
    })
}

/// What an entry says of itself.
struct Information {
    operation: String,
    /// Whether it replaces the rows that meet a condition, and not all.
    has_predicate: bool,
    counts: Value,
}

/// Returns what an entry did and what it counted.
fn commit_information(entry: &[u8]) -> Option<Information> {
    let information = entry
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"{\"commitInfo\""))
        .find_map(|line| serde_json::from_slice::<Value>(line).ok())?;
    let information = information.get("commitInfo")?;
    Some(Information {
        operation: information.get("operation")?.as_str()?.to_owned(),
        has_predicate: information["operationParameters"]["predicate"].is_string(),
        counts: information.get("operationMetrics")?.clone(),
    })
}

fn sum<const N: usize>(counts: [Option<i64>; N]) -> Option<i64> {
    counts.into_iter().sum()
}

/// A change whose rows are not accounted for.
#[derive(Debug, thiserror::Error)]
#[error(
    "the rows of this {operation} do not add up: the files that it replaces hold {removed}, the new ones {added}, and \
     it counted {counts}; nothing was committed"
)]
struct DoesNotAddUp {
    operation: String,
    removed: i64,
    added: i64,
    counts: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_add_up_or_the_commit_fails() {
        for (operation, counts, removed, added, expect) in [
            ("DELETE", "\"num_deleted_rows\":2", 5, 3, true),
            ("DELETE", "\"num_deleted_rows\":2", 5, 2, false),
            ("DELETE", "\"num_copied_rows\":2", 5, 0, true),
            (
                "UPDATE",
                "\"num_updated_rows\":2,\"num_copied_rows\":3",
                5,
                5,
                true,
            ),
            (
                "UPDATE",
                "\"num_updated_rows\":2,\"num_copied_rows\":3",
                6,
                5,
                false,
            ),
            (
                "UPDATE",
                "\"num_updated_rows\":2,\"num_copied_rows\":2",
                5,
                5,
                false,
            ),
            (
                "MERGE",
                "\"num_target_rows_inserted\":1,\"num_target_rows_deleted\":2,\
                 \"num_target_rows_updated\":1,\"num_target_rows_copied\":2",
                5,
                4,
                true,
            ),
            (
                "MERGE",
                "\"num_target_rows_inserted\":1,\"num_target_rows_deleted\":0,\
                 \"num_target_rows_updated\":0,\"num_target_rows_copied\":0",
                5,
                4,
                false,
            ),
            ("WRITE", "\"num_added_rows\":4", 5, 4, true),
            ("WRITE", "\"num_added_rows\":1", 5, 4, false),
            ("WRITE", "\"num_added_files\":1", 5, 4, true),
            ("OPTIMIZE", "\"num_added_rows\":1", 5, 4, true),
        ] {
            let entry = format!(
                "{{\"commitInfo\":{{\"operation\":\"{operation}\",\"operationMetrics\":{{{counts}}}}}}}"
            );
            let checked = check(entry.as_bytes(), removed, added);
            assert_eq!(checked.is_ok(), expect, "{entry} {removed} {added}");
        }
    }

    #[test]
    fn rows_beside_a_condition_may_stay() {
        for (new, removed, added, expect) in [
            (1, 5, 1, true),
            (1, 5, 6, true),
            (1, 5, 3, true),
            (1, 5, 0, false),
            (1, 5, 7, false),
            (0, 0, 0, true),
        ] {
            let entry = format!(
                "{{\"commitInfo\":{{\"operation\":\"WRITE\",\"operationParameters\":{{\"predicate\":\"a = 1\"}},\
                 \"operationMetrics\":{{\"num_added_rows\":{new}}}}}}}"
            );
            let checked = check(entry.as_bytes(), removed, added);
            assert_eq!(checked.is_ok(), expect, "{new} {removed} {added}");
        }
    }
}
