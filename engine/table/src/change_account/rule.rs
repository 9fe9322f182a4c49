//! Puts the places at which rows are entered into the plan of a change.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, ExecutionPlanProperties};

use super::account::Account;
use super::checksum::is_comparable;
use super::rows::{AccountedRows, Entry, Place};
use crate::delta_change::generated_columns;

/// The node of the library that counts rows, and what it counts.
const COUNTER: &str = "MetricObserverExec";
const READ_BY_UPDATE: &str = "update_source_count";
const READ_BY_DELETE: &str = "delete_source_count";
const KEPT_BY_DELETE: &str = "delete_rescued_count";
const READ_BY_MERGE: &str = "merge_target_count";
const MERGED: &str = "merge_output_count";
const INSERTED: &str = "write_source_count";

/// What the name of the column begins with by which the rows of an INSERT that replaces rows are told from
/// those that it keeps.
const IS_INSERTED: &str = "__delta_rs_write_insert";

/// The nodes in which the inserted rows and those that stay meet.
const UNIONS: [&str; 2] = ["UnionExec", "InterleaveExec"];

/// What the names of the library's scans begin with.
const SCAN: &str = "DeltaScan";

/// The node that holds the rows of a file back until one of them changes.
const BARRIER: &str = "MergeBarrierExec";

/// The columns of a merge beside those of the table.
const IN_TARGET: &str = "__delta_rs_target";
const IS_DELETED: &str = "__delta_rs_delete";
const MERGED_VALUE: &str = "__delta_rs_c_";

/// The column by which rows of a change feed are told from those of the table.
const CHANGE_TYPE: &str = "_change_type";

/// Makes the plan that rewrites a table's files account for its rows. It must be the last rule.
#[derive(Debug)]
pub(super) struct AccountForChange {
    /// The columns that the statement does not set.
    untouched: Vec<String>,
    /// The columns that the table computes; a merge computes them anew above the place where it decides.
    computed: Vec<String>,
    /// Whether the table itself has a column of the change feed's name.
    has_change_type: bool,
}

impl AccountForChange {
    pub(super) fn new(table: &Schema, assigned: &[String]) -> Self {
        let names = table.fields().iter().map(|field| field.name());
        Self {
            untouched: names
                .filter(|name| !assigned.contains(name))
                .cloned()
                .collect(),
            computed: generated_columns(table),
            has_change_type: table.field_with_name(CHANGE_TYPE).is_ok(),
        }
    }

    /// Finds the column that splits rows between the table and its change feed.
    fn change_type(&self, written: &Schema) -> Option<usize> {
        let found = written.index_of(CHANGE_TYPE).ok();
        found.filter(|_| !self.has_change_type)
    }

    /// Chooses the columns whose values have the same hash wherever they are looked at.
    fn compared(
        &self,
        verb: &str,
        read: &Schema,
        later: &[(&Schema, &str)],
    ) -> Result<Vec<String>> {
        let mut compared = Vec::with_capacity(self.untouched.len());
        for name in &self.untouched {
            let Ok(before) = read.field_with_name(name) else {
                return exec_err!(
                    "this {verb} cannot account for column `{name}`, which it does not read; nothing was committed"
                );
            };
            let mut is_compared = true;
            for (schema, prefix) in later {
                let Ok(after) = schema.field_with_name(&format!("{prefix}{name}")) else {
                    return exec_err!(
                        "this {verb} cannot account for column `{name}`, which it does not write; nothing was \
                         committed"
                    );
                };
                is_compared &= is_comparable(before.data_type(), after.data_type());
            }
            if is_compared {
                compared.push(name.clone());
            }
        }
        Ok(compared)
    }

    fn update(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        // The change feed of an update is a plan of its own.
        if self.change_type(&plan.schema()).is_some() {
            return Ok(plan);
        }
        match scan_below(&plan, READ_BY_UPDATE) {
            Some(scan) => self.rewritten("UPDATE", plan, &scan, Vec::new()),
            None => Ok(plan),
        }
    }

    fn delete(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let counter = find(&plan, &|node| is_counter(node, KEPT_BY_DELETE));
        let (Some(counter), Some(scan)) = (counter, scan_below(&plan, READ_BY_DELETE)) else {
            return Ok(plan);
        };
        let filters = filters_until(&counter, &|node| is_counter(node, READ_BY_DELETE));
        let (reader, keeps) = reader_of_kept(&filters, scan, counter)?;
        self.rewritten("DELETE", plan, &reader, keeps)
    }

    /// An INSERT that replaces rows writes those of their files again that it does not replace.
    fn insert(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        if self.is_inserted(&plan.schema()).is_none() {
            return Ok(plan);
        }
        let Some(kept) = beside_inserted(&plan) else {
            return Ok(plan);
        };
        let is_scan = |node: &dyn ExecutionPlan| node.name().starts_with(SCAN);
        let Some(scan) = chain(&kept).find(|node| is_scan(node.as_ref())) else {
            return Ok(plan);
        };
        let filters = filters_until(&kept, &is_scan);
        let (reader, keeps) = reader_of_kept(&filters, scan, kept)?;
        self.rewritten("INSERT", plan, &reader, keeps)
    }

    /// Finds the column that says which rows are inserted.
    fn is_inserted(&self, written: &Schema) -> Option<usize> {
        let is_table_s = |name: &String| self.untouched.contains(name);
        written
            .fields()
            .iter()
            .map(|field| field.name())
            .position(|name| name.starts_with(IS_INSERTED) && !is_table_s(name))
    }

    /// Enters rows above the node that reads them, and at the top.
    fn rewritten(
        &self,
        verb: &'static str,
        plan: Arc<dyn ExecutionPlan>,
        reader: &Arc<dyn ExecutionPlan>,
        keeps: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (read, written) = (reader.schema(), plan.schema());
        let columns = self.compared(verb, &read, &[(&written, "")])?;
        let partitions = plan.output_partitioning().partition_count();
        let account = Arc::new(Account::new(verb, columns.clone(), partitions));
        let entry = Entry {
            columns: places(&read, "", &columns)?,
            account: Arc::clone(&account),
            place: Place::Read { keeps, file: None },
        };
        let plan = with_entry_at(plan, reader, entry)?;
        self.with_entry_on_top(plan, account, &columns)
    }

    fn merge(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(decided) = find(&plan, &|node| is_counter(node, MERGED)) else {
            return Ok(plan);
        };
        let Some(scan) = scan_below(&plan, READ_BY_MERGE) else {
            return Ok(plan);
        };
        let (read, merged, written) = (scan.schema(), decided.schema(), plan.schema());
        let later = [(merged.as_ref(), MERGED_VALUE), (written.as_ref(), "")];
        let mut columns = self.compared("MERGE", &read, &later)?;
        columns.retain(|name| !self.computed.contains(name));
        let partitions = plan.output_partitioning().partition_count();
        let account = Arc::new(Account::of_merge(columns.clone(), partitions));
        let file = file_column(&decided)?;
        let entry = Entry {
            columns: places(&read, "", &columns)?,
            account: Arc::clone(&account),
            place: Place::Read {
                keeps: Vec::new(),
                file: Some(read.index_of(&file)?),
            },
        };
        let plan = with_entry_at(plan, &scan, entry)?;
        let Some(decided) = find(&plan, &|node| is_counter(node, MERGED)) else {
            return Ok(plan);
        };
        let entry = Entry {
            columns: places(&merged, MERGED_VALUE, &columns)?,
            account: Arc::clone(&account),
            place: Place::Merged {
                file: merged.index_of(&file)?,
                in_target: merged.index_of(IN_TARGET)?,
                is_deleted: merged.index_of(IS_DELETED)?,
            },
        };
        let plan = with_entry_at(plan, &decided, entry)?;
        self.with_entry_on_top(plan, account, &columns)
    }

    fn with_entry_on_top(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        account: Arc<Account>,
        columns: &[String],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = plan.schema();
        let entry = Entry {
            account,
            place: Place::Written {
                change_type: self.change_type(&schema),
                is_inserted: self.is_inserted(&schema),
            },
            columns: places(&schema, "", columns)?,
        };
        Ok(Arc::new(AccountedRows::new(plan, entry)))
    }
}

impl PhysicalOptimizerRule for AccountForChange {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let has = |counter| find(&plan, &|node| is_counter(node, counter)).is_some();
        match (has(READ_BY_UPDATE), has(KEPT_BY_DELETE), has(MERGED)) {
            (true, ..) => self.update(plan),
            (_, true, _) => self.delete(plan),
            (.., true) => self.merge(plan),
            _ if has(INSERTED) => self.insert(plan),
            _ => Ok(plan),
        }
    }

    fn name(&self) -> &str {
        "account_for_change"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A node as EXPLAIN shows it.
struct Shown<'a>(&'a dyn ExecutionPlan);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(DisplayFormatType::Default, formatter)
    }
}

fn is_counter(node: &dyn ExecutionPlan, counter: &str) -> bool {
    node.name() == COUNTER && Shown(node).to_string() == format!("{COUNTER} id={counter}")
}

/// Finds the first node of a kind, from the top.
fn find(
    plan: &Arc<dyn ExecutionPlan>,
    is_wanted: &dyn Fn(&dyn ExecutionPlan) -> bool,
) -> Option<Arc<dyn ExecutionPlan>> {
    if is_wanted(plan.as_ref()) {
        return Some(Arc::clone(plan));
    }
    plan.children()
        .into_iter()
        .find_map(|child| find(child, is_wanted))
}

/// Walks down from a node for as long as there is one way.
fn chain(from: &Arc<dyn ExecutionPlan>) -> impl Iterator<Item = Arc<dyn ExecutionPlan>> {
    std::iter::successors(Some(Arc::clone(from)), |node| {
        match node.children().as_slice() {
            [only] => Some(Arc::clone(only)),
            _ => None,
        }
    })
}

/// Finds the scan below a counter; what the counter counts where there is no scan.
fn scan_below(plan: &Arc<dyn ExecutionPlan>, counter: &str) -> Option<Arc<dyn ExecutionPlan>> {
    let counter = find(plan, &|node| is_counter(node, counter))?;
    chain(&counter)
        .find(|node| node.name().starts_with(SCAN))
        .or_else(|| counter.children().into_iter().next().cloned())
}

/// Finds what is put together with the rows that are inserted; nothing where that is more than one thing.
fn beside_inserted(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let children = plan.children();
    let counts =
        |child: &&Arc<dyn ExecutionPlan>| find(child, &|node| is_counter(node, INSERTED)).is_some();
    let inserted = children.iter().position(counts)?;
    let below = beside_inserted(children[inserted]);
    match children.as_slice() {
        _ if below.is_some() => below,
        [first, second] if UNIONS.contains(&plan.name()) => {
            let kept = if inserted == 0 { second } else { first };
            Some(Arc::clone(kept))
        }
        _ => None,
    }
}

/// Finds the filters from a node down to another one, from the top. A condition that may fail stands in a
/// filter of its own, above those that guard it.
fn filters_until(
    from: &Arc<dyn ExecutionPlan>,
    is_end: &dyn Fn(&dyn ExecutionPlan) -> bool,
) -> Vec<Arc<dyn ExecutionPlan>> {
    chain(from)
        .take_while(|node| !is_end(node.as_ref()))
        .filter(|node| node.is::<FilterExec>())
        .collect()
}

/// What rows must meet, all of it.
type Conditions = Vec<Arc<dyn PhysicalExpr>>;

/// Chooses the node above which rows are read, and what those must meet that filters let through.
fn reader_of_kept(
    filters: &[Arc<dyn ExecutionPlan>],
    scan: Arc<dyn ExecutionPlan>,
    filtered: Arc<dyn ExecutionPlan>,
) -> Result<(Arc<dyn ExecutionPlan>, Conditions)> {
    let conditions: Vec<_> = filters
        .iter()
        .rev()
        .filter_map(|node| node.downcast_ref::<FilterExec>())
        .map(|filter| Arc::clone(filter.predicate()))
        .collect();
    if let Some(keeps) = placed(&conditions, &scan.schema())? {
        return Ok((scan, keeps));
    }
    // Parts that occur twice in a condition are computed below its filter: then only there.
    let input = filters
        .last()
        .and_then(|lowest| lowest.children().into_iter().next().cloned());
    if let Some(input) = input
        && let Some(keeps) = placed(&conditions, &input.schema())?
    {
        return Ok((input, keeps));
    }
    Ok((filtered, Vec::new()))
}

/// Finds the name of the column with the names of files, by which the rows of a merge are held back.
fn file_column(decided: &Arc<dyn ExecutionPlan>) -> Result<String> {
    let mut found = None;
    if let Some(barrier) = find(decided, &|node| node.name() == BARRIER) {
        barrier.apply_expressions(&mut |part| {
            if let Some(column) = part.downcast_ref::<Column>() {
                found = Some(column.name().to_owned());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    match found {
        Some(found) => Ok(found),
        None => exec_err!(
            "this MERGE cannot account for its rows, since its plan does not say from which file they are; nothing was \
             committed"
        ),
    }
}

/// Puts an entry between a node and the one above it.
fn with_entry_at(
    plan: Arc<dyn ExecutionPlan>,
    node: &Arc<dyn ExecutionPlan>,
    entry: Entry,
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_down(|found| {
        if !Arc::ptr_eq(&found, node) {
            return Ok(Transformed::no(found));
        }
        let entered = Arc::new(AccountedRows::new(found, entry.clone()));
        Ok(Transformed::new(entered, true, TreeNodeRecursion::Stop))
    })
    .data()
}

/// Takes conditions to other columns of the same names; `None` where one is not there.
fn placed(
    conditions: &[Arc<dyn PhysicalExpr>],
    schema: &Schema,
) -> Result<Option<Vec<Arc<dyn PhysicalExpr>>>> {
    let is_there = |column: &Column| schema.field_with_name(column.name()).is_ok();
    let are_there =
        |condition: &Arc<dyn PhysicalExpr>| collect_columns(condition).iter().all(is_there);
    if !conditions.iter().all(are_there) {
        return Ok(None);
    }
    let placed = conditions
        .iter()
        .map(|condition| reassign_expr_columns(Arc::clone(condition), schema));
    placed.collect::<Result<_>>().map(Some)
}

/// Finds columns by their names.
fn places(schema: &Schema, prefix: &str, names: &[String]) -> Result<Vec<usize>> {
    names
        .iter()
        .map(|name| Ok(schema.index_of(&format!("{prefix}{name}"))?))
        .collect()
}
