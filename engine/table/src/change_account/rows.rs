//! A node that lets rows pass and enters them into the account of a change.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, BooleanArray, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::cast::{as_boolean_array, as_string_array};
use datafusion::common::stats::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
    apply_expression_roots,
};
use futures::{StreamExt, stream};

use super::account::{Account, ByFile, Merged};
use super::checksum::{Tally, of_rows, of_values};

/// Where in the plan rows are entered, with the columns that say what becomes of them.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Above the scan of the files.
    Read {
        /// What rows must meet to stay; each is asked of those that have met the ones before it.
        keeps: Vec<Arc<dyn PhysicalExpr>>,
        /// The column with the name of the row's file; absent where all files are rewritten.
        file: Option<usize>,
    },
    /// Where a merge has decided.
    Merged {
        file: usize,
        /// Says that a row is one of the table, and not only of the source.
        in_target: usize,
        /// Says that a row will be taken out.
        is_deleted: usize,
    },
    /// Below the writer of files.
    Written {
        /// The column by which rows of the change feed are told from the others.
        change_type: Option<usize>,
        /// The column that says of an INSERT which rows are new, and none of the table's.
        is_inserted: Option<usize>,
    },
}

/// Rows that pass, and the account into which they are entered.
#[derive(Debug)]
pub(super) struct AccountedRows {
    input: Arc<dyn ExecutionPlan>,
    entry: Entry,
}

/// How rows are entered.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) account: Arc<Account>,
    pub(super) place: Place,
    /// The columns over which checksums are taken.
    pub(super) columns: Vec<usize>,
}

impl AccountedRows {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, entry: Entry) -> Self {
        Self { input, entry }
    }
}

impl Entry {
    fn checksums(&self, batch: &RecordBatch) -> Result<Vec<u64>> {
        let columns: Vec<_> = self.columns.iter().map(|at| batch.column(*at)).collect();
        of_rows(&columns, batch.num_rows())
    }

    fn enter(&self, batch: &RecordBatch) -> Result<()> {
        match &self.place {
            Place::Read { keeps, file } => {
                let mut kept = batch.clone();
                for keeps in keeps {
                    let stays = keeps.evaluate(&kept)?.into_array(kept.num_rows())?;
                    kept = filter_record_batch(&kept, as_boolean_array(&stays)?)?;
                }
                let checksums = self.checksums(&kept)?;
                let files = file.map(|file| of_values(kept.column(file))).transpose()?;
                let rows = 0..kept.num_rows();
                self.account
                    .read(by_file(rows, &checksums, files.as_deref()));
            }
            Place::Merged {
                file,
                in_target,
                is_deleted,
            } => {
                let checksums = self.checksums(batch)?;
                let in_target = as_boolean_array(batch.column(*in_target))?;
                let is_deleted = as_boolean_array(batch.column(*is_deleted))?;
                let files = of_values(batch.column(*file))?;
                let rows = (0..batch.num_rows()).filter(|row| is_true(in_target, *row));
                let kept = (0..batch.num_rows()).filter(|row| is_false(is_deleted, *row));
                self.account.merged(Merged {
                    by_file: by_file(rows, &checksums, Some(&files)),
                    kept: tally(kept, &checksums),
                });
            }
            Place::Written {
                change_type,
                is_inserted,
            } => {
                let checksums = self.checksums(batch)?;
                let is_inserted = is_inserted
                    .map(|at| as_boolean_array(batch.column(at)))
                    .transpose()?;
                let change_type = change_type
                    .map(|at| as_string_array(batch.column(at)))
                    .transpose()?;
                let rows = (0..batch.num_rows())
                    .filter(|row| change_type.is_none_or(|kinds| is_of_data(kinds, *row)))
                    .filter(|row| is_inserted.is_none_or(|new| is_false(new, *row)));
                self.account.written(tally(rows, &checksums));
            }
        }
        Ok(())
    }
}

fn is_true(values: &BooleanArray, row: usize) -> bool {
    values.is_valid(row) && values.value(row)
}

fn is_false(values: &BooleanArray, row: usize) -> bool {
    values.is_valid(row) && !values.value(row)
}

/// Says whether a row goes into the data files, as the library splits rows by the kind of their change
/// (`split_cdc_batch` in `write/execution.rs`).
fn is_of_data(kinds: &StringArray, row: usize) -> bool {
    kinds.is_valid(row)
        && !matches!(
            kinds.value(row),
            "delete" | "source_delete" | "update_preimage"
        )
}

fn tally(rows: impl Iterator<Item = usize>, checksums: &[u64]) -> Tally {
    let mut tally = Tally::default();
    rows.for_each(|row| tally.add_row(checksums[row]));
    tally
}

/// Adds up rows by file; rows of one file mostly follow each other.
fn by_file(rows: impl Iterator<Item = usize>, checksums: &[u64], files: Option<&[u64]>) -> ByFile {
    let mut tallies = ByFile::new();
    let mut current: (u64, Tally) = Default::default();
    for row in rows {
        let file = files.map_or(0, |files| files[row]);
        if file != current.0 {
            let (file, tally) = std::mem::replace(&mut current, (file, Tally::default()));
            tallies.entry(file).or_default().add(tally);
        }
        current.1.add_row(checksums[row]);
    }
    if current.1.rows > 0 {
        tallies.entry(current.0).or_default().add(current.1);
    }
    tallies.retain(|_, tally| tally.rows > 0);
    tallies
}

impl DisplayAs for AccountedRows {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccountedRows")
    }
}

impl ExecutionPlan for AccountedRows {
    fn name(&self) -> &str {
        "AccountedRows"
    }

    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        match &self.entry.place {
            Place::Read { keeps, .. } => apply_expression_roots(keeps, visit),
            _ => Ok(TreeNodeRecursion::Continue),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, self.entry.clone()))),
            _ => internal_err!("rows that are accounted for have one input"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let schema = rows.schema();
        let entry = self.entry.clone();
        let entered = rows.map(move |batch| {
            let batch = batch?;
            entry.enter(&batch)?;
            Ok(batch)
        });
        if !matches!(self.entry.place, Place::Written { .. }) {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, entered)));
        }
        let account = Arc::clone(&self.entry.account);
        let end = stream::once(async move { account.end() })
            .filter_map(|ended| async move { ended.err().map(Err) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            schema,
            entered.chain(end),
        )))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{binary, col, lit};
    use datafusion::physical_plan::{collect, displayable};

    use super::*;

    /// Rows of `a` and `b`, each row a batch and a partition of its own.
    fn rows(rows: &[(i64, i64)]) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Int64, true),
        ]));
        let partitions: Vec<Vec<RecordBatch>> = rows
            .iter()
            .map(|(a, b)| {
                let columns: Vec<ArrayRef> = vec![
                    Arc::new(Int64Array::from(vec![*a])),
                    Arc::new(Int64Array::from(vec![*b])),
                ];
                vec![RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()]
            })
            .collect();
        MemorySourceConfig::try_new_exec(&partitions, schema, None).unwrap()
    }

    fn entered(
        input: Arc<dyn ExecutionPlan>,
        account: &Arc<Account>,
        place: Place,
        columns: &[usize],
    ) -> Arc<dyn ExecutionPlan> {
        let entry = Entry {
            account: Arc::clone(account),
            place,
            columns: columns.to_vec(),
        };
        Arc::new(AccountedRows::new(input, entry))
    }

    async fn run(plan: Arc<dyn ExecutionPlan>) -> Result<usize> {
        let shown = displayable(plan.as_ref()).one_line().to_string();
        assert!(shown.starts_with("AccountedRows"), "{shown}");
        let batches = collect(plan, Arc::new(TaskContext::default())).await?;
        Ok(batches.iter().map(RecordBatch::num_rows).sum())
    }

    #[tokio::test]
    async fn a_disturbance_between_scan_and_writer_fails() {
        let read = [(1, 10), (2, 20), (3, 30)];
        for (written, columns, expect) in [
            (vec![(3, 30), (1, 10), (2, 20)], vec![0, 1], true),
            // A column that the statement sets may change.
            (vec![(1, 11), (2, 21), (3, 31)], vec![0], true),
            (vec![(1, 11), (2, 20), (3, 30)], vec![0, 1], false),
            (vec![(1, 20), (2, 10), (3, 30)], vec![0, 1], false),
            (vec![(1, 10), (2, 20)], vec![0, 1], false),
            (vec![(1, 10), (2, 20), (2, 20)], vec![0, 1], false),
        ] {
            let names = vec!["a".to_owned(), "b".to_owned()];
            let account = Arc::new(Account::new("UPDATE", names, written.len()));
            let place = Place::Read {
                keeps: Vec::new(),
                file: None,
            };
            let scan = entered(rows(&read), &account, place, &columns);
            assert_eq!(run(scan).await.unwrap(), 3);
            let place = Place::Written {
                change_type: None,
                is_inserted: None,
            };
            let writer = entered(rows(&written), &account, place, &columns);
            assert_eq!(run(writer).await.is_ok(), expect, "{written:?}");
        }
    }

    #[tokio::test]
    async fn rows_that_a_condition_takes_out_do_not_count() {
        for (written, expect) in [(vec![(1, 10)], true), (vec![(2, 20)], false)] {
            let account = Arc::new(Account::new("DELETE", vec!["a".to_owned()], 1));
            let scan = rows(&[(1, 10), (2, 20)]);
            let schema = scan.schema();
            let keeps = binary(
                col("a", &schema).unwrap(),
                Operator::Lt,
                lit(2_i64),
                &schema,
            );
            let place = Place::Read {
                keeps: vec![keeps.unwrap()],
                file: None,
            };
            run(entered(scan, &account, place, &[0, 1])).await.unwrap();
            let place = Place::Written {
                change_type: None,
                is_inserted: None,
            };
            let writer = entered(rows(&written), &account, place, &[0, 1]);
            assert_eq!(run(writer).await.is_ok(), expect, "{written:?}");
        }
    }

    #[tokio::test]
    async fn a_condition_is_not_asked_of_rows_that_one_before_it_takes_out() {
        let scan = rows(&[(0, 10), (2, 20), (5, 30)]);
        let schema = scan.schema();
        let a = || col("a", &schema).unwrap();
        let guard = binary(a(), Operator::NotEq, lit(0_i64), &schema).unwrap();
        let failing = binary(lit(10_i64), Operator::Divide, a(), &schema).unwrap();
        let failing = binary(failing, Operator::Gt, lit(2_i64), &schema).unwrap();
        let account = Arc::new(Account::new("DELETE", vec!["a".to_owned()], 1));
        let place = Place::Read {
            keeps: vec![guard, failing],
            file: None,
        };
        run(entered(Arc::clone(&scan), &account, place, &[0]))
            .await
            .unwrap();
        let place = Place::Written {
            change_type: None,
            is_inserted: None,
        };
        let writer = entered(rows(&[(2, 20)]), &account, place, &[0]);
        run(writer).await.unwrap();
    }

    #[test]
    fn rows_are_added_up_by_file() {
        let files = [0, 5, 5, 0, 7];
        let tallies = by_file([0, 1, 2, 3].into_iter(), &[1, 2, 3, 4, 5], Some(&files));
        assert_eq!(
            tallies,
            ByFile::from([
                (0, Tally { rows: 2, sum: 5 }),
                (5, Tally { rows: 2, sum: 5 })
            ])
        );
    }
}
