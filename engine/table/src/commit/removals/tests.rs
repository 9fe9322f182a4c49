#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use deltalake::DeltaTable;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::protocol::DeltaOperation;

use super::*;
use crate::commit::{PointOfNoReturn, is_conflict};

/// A table of two files with two rows each.
async fn table() -> DeltaTable {
    let mut table = DeltaTable::new_in_memory();
    for values in [vec![1, 2], vec![3, 4]] {
        let column = Field::new("id", DataType::Int64, true);
        let values = Arc::new(Int64Array::from(values));
        let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![column])), vec![values]);
        table = table.write(vec![rows.unwrap()]).await.unwrap();
    }
    table
}

/// What a commit does: the files that it removes by their number, and the rows of the file that it adds.
struct Rewrite {
    removes: &'static [usize],
    adds: Option<(&'static str, i64)>,
    data_change: bool,
}

const COMPACT: Rewrite = Rewrite {
    removes: &[0, 1],
    adds: Some(("compact.parquet", 4)),
    data_change: false,
};

const DELETE_FIRST: Rewrite = Rewrite {
    removes: &[0],
    adds: Some(("remainder.parquet", 1)),
    data_change: true,
};

/// Commits a rewrite that was planned on a state of the table.
async fn commit(planned_on: &DeltaTable, rewrite: &Rewrite) -> Result<(), DeltaTableError> {
    let state = planned_on.snapshot().unwrap();
    let files: Vec<_> = state.log_data().iter().collect();
    let mut actions: Vec<Action> = rewrite
        .removes
        .iter()
        .map(|index| Action::Remove(files[*index].remove_action(rewrite.data_change)))
        .collect();
    if let Some((path, rows)) = rewrite.adds {
        #[allow(deprecated)]
        let mut file = files[0].add_action();
        file.path = path.to_owned();
        file.data_change = rewrite.data_change;
        file.stats = Some(format!(r#"{{"numRecords":{rows}}}"#));
        actions.push(Action::Add(file));
    }
    let point = PointOfNoReturn::default();
    let operation = DeltaOperation::Optimize {
        predicate: None,
        target_size: 0,
    };
    CommitBuilder::from(CommitProperties::default())
        .with_actions(actions)
        .build(
            Some(state),
            point.guard(planned_on.log_store(), Some(state)),
            operation,
        )
        .await
        .map(drop)
}

async fn newest_version(table: &DeltaTable) -> u64 {
    table.log_store().get_latest_version(0).await.unwrap()
}

#[track_caller]
fn conflicts(outcome: Result<(), DeltaTableError>) {
    let error = outcome.expect_err("the second commit conflicts with the first");
    assert!(is_conflict(&error), "{error}");
}

#[tokio::test]
async fn a_file_is_removed_once_whatever_the_two_commits_are() {
    for (first, second) in [
        (&COMPACT, &COMPACT),
        (&COMPACT, &DELETE_FIRST),
        (&DELETE_FIRST, &COMPACT),
        (&DELETE_FIRST, &DELETE_FIRST),
    ] {
        let table = table().await;
        commit(&table, first).await.unwrap();
        conflicts(commit(&table, second).await);
        assert_eq!(newest_version(&table).await, 2, "only the first landed");
    }
}

#[tokio::test]
async fn what_another_commit_left_alone_can_be_removed() {
    let table = table().await;
    let only = |index| Rewrite {
        removes: match index {
            0 => &[0],
            _ => &[1],
        },
        adds: Some((if index == 0 { "a.parquet" } else { "b.parquet" }, 2)),
        data_change: false,
    };
    commit(&table, &only(0)).await.unwrap();
    commit(&table, &only(1)).await.unwrap();
    assert_eq!(newest_version(&table).await, 3);
}

#[tokio::test]
async fn moving_rows_keeps_their_number() {
    let table = table().await;
    for rows in [3, 5, 8] {
        let wrong = Rewrite {
            adds: Some(("compact.parquet", rows)),
            ..COMPACT
        };
        let error = commit(&table, &wrong).await.unwrap_err();
        let said = error.to_string();
        let counts = format!("hold 4 rows by the table's statistics, the new ones {rows}");
        assert!(said.contains(&counts), "{said}");
    }
    assert_eq!(newest_version(&table).await, 1, "nothing landed");
}

#[tokio::test]
async fn a_change_of_rows_may_change_their_number() {
    let table = table().await;
    commit(&table, &DELETE_FIRST).await.unwrap();
    assert_eq!(newest_version(&table).await, 2);
}
