//! Plans of the library's operations that are disturbed on purpose.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Operator, col, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{self, binary};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::prelude::SessionContext;
use deltalake::delta_datafusion::SessionFallbackPolicy;
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableError};
use lakesh_catalog::definition::TableVersion;

use super::{SessionStateBuilder, accounting_state};
use crate::delta_change::OpenForChange;
use crate::testing::{Bench, definition};
use crate::{WriteInput, WriteMode, WriteRequest, open, write_delta};

/// What goes wrong in a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Disturbance {
    Nothing,
    /// Another value of `c` above the scan.
    ValueAboveScan,
    /// Another value of `c` below the writer.
    ValueBelowWriter,
    /// A row of the table less below the writer.
    RowBelowWriter,
}

/// Disturbs the plans in which the library counts rows.
#[derive(Debug)]
struct Disturb(Disturbance);

impl PhysicalOptimizerRule for Disturb {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut is_change = false;
        plan.apply(|node| {
            is_change |= node.name() == "MetricObserverExec";
            Ok(TreeNodeRecursion::Continue)
        })?;
        if !is_change || plan.schema().index_of("c").is_err() {
            return Ok(plan);
        }
        match self.0 {
            Disturbance::Nothing => Ok(plan),
            Disturbance::ValueBelowWriter => other_value(plan),
            Disturbance::ValueAboveScan => plan
                .transform_up(|node| match node.name().starts_with("DeltaScan") {
                    true => other_value(node).map(Transformed::yes),
                    false => Ok(Transformed::no(node)),
                })
                .data(),
            Disturbance::RowBelowWriter => {
                let schema = plan.schema();
                let k = expressions::col("k", &schema)?;
                let stays = binary(k, Operator::NotEq, expressions::lit(3_i64), &schema)?;
                Ok(Arc::new(FilterExec::try_new(stays, plan)?))
            }
        }
    }

    fn name(&self) -> &str {
        "disturb"
    }

    fn schema_check(&self) -> bool {
        false
    }
}

fn other_value(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let columns = schema.fields().iter().map(|field| {
        let column = expressions::col(field.name(), &schema)?;
        let column = match field.name() == "c" {
            true => binary(column, Operator::Plus, expressions::lit(1_i64), &schema)?,
            false => column,
        };
        Ok((column, field.name().clone()))
    });
    let columns = columns.collect::<Result<Vec<(Arc<dyn PhysicalExpr>, String)>>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}

async fn update(table: DeltaTable, state: SessionState) -> Result<(), DeltaTableError> {
    let operation = table
        .update()
        .with_predicate(col("k").eq(lit(1_i64)))
        .with_update("b", lit(11_i64))
        .with_session_state(Arc::new(state))
        .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState);
    operation.await.map(drop)
}

async fn delete(table: DeltaTable, state: SessionState) -> Result<(), DeltaTableError> {
    let operation = table
        .delete()
        .with_predicate(col("k").eq(lit(1_i64)))
        .with_session_state(Arc::new(state))
        .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState);
    operation.await.map(drop)
}

async fn merge(table: DeltaTable, state: SessionState) -> Result<(), DeltaTableError> {
    let query = "SELECT * FROM (VALUES (1, 5), (9, 9)) v(k, b)";
    let source = SessionContext::new_with_state(state.clone())
        .sql(query)
        .await?;
    let operation = table
        .merge(source, col("t.k").eq(col("s.k")))
        .with_source_alias("s")
        .with_target_alias("t")
        .with_session_state(Arc::new(state))
        .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState)
        .when_matched_update(|update| update.update("b", col("s.b")))?
        .when_not_matched_insert(|insert| {
            let insert = insert.set("k", col("s.k")).set("b", col("s.b"));
            insert.set("c", lit(1_i64))
        })?;
    operation.await.map(drop)
}

async fn replace(table: DeltaTable, state: SessionState) -> Result<(), DeltaTableError> {
    let query = "SELECT * FROM (VALUES (1, 11, 100)) v(k, b, c)";
    let rows = SessionContext::new().sql(query).await?.collect().await?;
    let operation = table
        .write(rows)
        .with_save_mode(SaveMode::Overwrite)
        .with_replace_where(col("k").eq(lit(1_i64)))
        .with_session_state(Arc::new(state))
        .with_session_fallback_policy(SessionFallbackPolicy::RequireSessionState);
    operation.await.map(drop)
}

/// Runs an operation over (1, 10, 100), (2, 20, 200), (3, 30, 300); returns what it says and the rows
/// after it.
async fn run(
    verb: &str,
    assigned: &[&str],
    disturbance: Disturbance,
) -> (Result<(), DeltaTableError>, String) {
    let bench = Bench::new();
    let query = "SELECT * FROM (VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300)) v(k, b, c)";
    let rows = bench.query(query).await;
    let table = datafusion::datasource::MemTable::try_new(rows[0].schema(), vec![rows]).unwrap();
    let source = datafusion::datasource::provider_as_source(Arc::new(table));
    let plan = datafusion::logical_expr::LogicalPlanBuilder::scan("v", source, None);
    let plan = plan.unwrap().build().unwrap();
    let definition = definition("delta", &["t"], &[]);
    let request = WriteRequest::new(WriteInput::Query(plan.into()), WriteMode::Create);
    write_delta(&definition, request, &bench.context())
        .await
        .unwrap();

    let open_table = OpenForChange::open(&definition, &bench.context())
        .await
        .unwrap();
    let disturbed = SessionStateBuilder::new_from_existing((**bench.context().state).clone())
        .with_physical_optimizer_rule(Arc::new(Disturb(disturbance)))
        .build();
    let assigned: Vec<String> = assigned.iter().map(ToString::to_string).collect();
    let table = open_table.table.clone();
    let state = accounting_state(&disturbed, &table, &assigned).unwrap();
    let said = match verb {
        "UPDATE" => update(table, state).await,
        "DELETE" => delete(table, state).await,
        "INSERT" => replace(table, state).await,
        _ => merge(table, state).await,
    };
    let after = open(&definition, TableVersion::Latest, &bench.context())
        .await
        .unwrap();
    let rows = bench.rows(&after, "SELECT * FROM t ORDER BY 1").await;
    (said, rows.join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disturbed_change_is_not_committed() {
    const BEFORE: &str = "1|10|100 2|20|200 3|30|300";
    for (verb, assigned, after) in [
        ("UPDATE", vec!["b"], "1|11|100 2|20|200 3|30|300"),
        ("DELETE", vec![], "2|20|200 3|30|300"),
        ("INSERT", vec![], "1|11|100 2|20|200 3|30|300"),
        ("MERGE", vec!["b"], "1|5|100 2|20|200 3|30|300 9|9|1"),
    ] {
        let (said, rows) = run(verb, &assigned, Disturbance::Nothing).await;
        said.unwrap();
        assert_eq!(rows, after, "{verb}");
        for (disturbance, expect) in [
            (Disturbance::ValueAboveScan, "columns that it does not set"),
            (
                Disturbance::ValueBelowWriter,
                "columns that it does not set",
            ),
            (Disturbance::RowBelowWriter, "does not account for its rows"),
        ] {
            let (said, rows) = run(verb, &assigned, disturbance).await;
            let error = said.unwrap_err().to_string();
            assert!(error.contains(expect), "{verb} {disturbance:?}: {error}");
            assert!(error.contains(verb), "{verb} {disturbance:?}: {error}");
            assert_eq!(rows, BEFORE, "{verb} {disturbance:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_are_set_may_change() {
    // Were `c` taken for untouched, the statement would fail.
    let (said, rows) = run("UPDATE", &["b", "c"], Disturbance::ValueBelowWriter).await;
    said.unwrap();
    assert_eq!(rows, "1|11|101 2|20|201 3|30|301");
}
