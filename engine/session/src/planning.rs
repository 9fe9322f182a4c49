//! Builds DataFusion's state for a session: its settings, functions and runtime.

use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::SessionConfig;
use lakesh_event::account::AccountForScans;
use lakesh_memory::planning::adjust;
use lakesh_memory::runtime::{Memory, MemorySettings, build_runtime};
use lakesh_optimizer::Switches;
use lakesh_plan::asof::AsOfRelationPlanner;
use lakesh_plan::bounded;
use lakesh_plan::cooperate::Cooperate;
use lakesh_plan::directive::after_join_selection;
use lakesh_plan::interval::IntervalPlanner;
use lakesh_plan::plan_size::PlanSize;
use lakesh_plan::planner::AsOfQueryPlanner;
use lakesh_plan::window::ChargeWindows;
use lakesh_semantics::{MergedColumnPlanner, PlanUnbounded, series_tables};
use lakesh_sql::{TimeTypes, session_zone};
use lakesh_text::failure::Failure;
use lakesh_udfs::{FrameRule, FuseFeatures, SortByKeys};

/// Builds the state that every statement of a session starts from.
pub(super) fn session_state(
    threads: usize,
    limit: u64,
    settings: &MemorySettings,
) -> Result<(SessionState, Memory), Failure> {
    let (runtime, memory) = build_runtime(settings).map_err(Failure::from_error)?;
    let config = adjust(base_config(), limit, threads)
        .with_extension(Arc::new(PlanSize::new(memory.clone())));
    let zone = session_zone(config.options());
    let mut state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_analyzer_rules(lakesh_semantics::analyzer_rules())
        .with_analyzer_rule(Arc::new(FrameRule))
        .with_optimizer_rules(lakesh_optimizer::with_logical_rules(
            lakesh_semantics::optimizer_rules(),
        ))
        .with_physical_optimizer_rules(physical_rules().map_err(Failure::from_error)?)
        .with_physical_optimizer_rule(Arc::new(FuseFeatures))
        .with_physical_optimizer_rule(Arc::new(SortByKeys))
        .with_relation_planners(vec![
            Arc::new(AsOfRelationPlanner),
            Arc::new(MergedColumnPlanner),
        ])
        .with_type_planner(Arc::new(TimeTypes::new(zone)))
        .with_query_planner(Arc::new(PlanUnbounded::before(AsOfQueryPlanner)))
        .with_physical_optimizer_rule(Arc::new(ChargeWindows))
        .with_physical_optimizer_rule(Arc::new(Cooperate))
        // Last, since no rule sees into a scan behind it.
        .with_physical_optimizer_rule(Arc::new(AccountForScans))
        .build();
    state
        .register_expr_planner(Arc::new(IntervalPlanner))
        .map_err(Failure::from_error)?;
    for planner in lakesh_semantics::expr_planners() {
        state
            .register_expr_planner(planner)
            .map_err(Failure::from_error)?;
    }
    lakesh_semantics::register(&mut state).map_err(Failure::from_error)?;
    for (name, function) in series_tables(state.table_functions()) {
        state.register_udtf(name, function);
    }
    lakesh_function::register(&mut state).map_err(Failure::from_error)?;
    for planner in lakesh_function::expr_planners() {
        state
            .register_expr_planner(planner)
            .map_err(Failure::from_error)?;
    }
    lakesh_udfs::register(&mut state).map_err(Failure::from_error)?;
    bounded::register(&mut state, &memory).map_err(Failure::from_error)?;
    Ok((state, memory))
}

/// Tells the functions of a session in which zone it is from now on.
pub(super) fn move_to_zone(state: &mut SessionState) -> Result<(), Failure> {
    let execution = &mut state.config_mut().options_mut().execution;
    // RESET brings back the text of no zone.
    execution.time_zone = execution.time_zone.take().filter(|zone| !zone.is_empty());
    let options = Arc::clone(state.config_options());
    let functions: Vec<_> = state
        .scalar_functions()
        .iter()
        // Under another name there may be a function that ours has taken the place of.
        .filter(|(name, function)| *name == function.name())
        .filter_map(|(_, function)| function.inner().with_updated_config(&options))
        .collect();
    for function in functions {
        state
            .register_udf(Arc::new(function))
            .map_err(Failure::from_error)?;
    }
    Ok(())
}

/// DataFusion's own rules, those of hints, ours in the place of unsound ones, and those that make plans faster.
fn physical_rules() -> Result<Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>, DataFusionError> {
    let mut rules = after_join_selection()?;
    lakesh_semantics::adjust_physical_rules(&mut rules);
    lakesh_optimizer::add_physical_rules(&mut rules)?;
    Ok(rules)
}

/// Settings of DataFusion's that differ from its own defaults, each with its reason.
fn base_config() -> SessionConfig {
    let mut config = SessionConfig::new();
    let options = config.options_mut();
    // Our names are resolved by the scope; DataFusion's catalog stays empty.
    options.catalog.create_default_catalog_and_schema = false;
    options.catalog.information_schema = false;
    // `0.1` is a DECIMAL; `1e-1` is made a DOUBLE before it is planned.
    options.sql_parser.parse_float_as_decimal = true;
    // Carets need spans.
    options.sql_parser.collect_spans = true;
    // Arrays of views keep the buffers of every batch that they were ever joined with: a window held
    // 2.2 GB of them, and merges were charged for them many times. See decision 10.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // `x IS TRUE` is never NULL to the logical plan, and may be to the operator that computes it: an aggregate
    // above was refused as if columns had been mixed up.
    options.execution.skip_physical_aggregate_schema_check = true;
    // A panic in the Delta scan, see DeltaSessionConfig.
    options.optimizer.hash_join_inlist_pushdown_max_size = 0;
    options
        .optimizer
        .hash_join_inlist_pushdown_max_distinct_values = 0;
    options.extensions.insert(Switches::default());
    config
}
