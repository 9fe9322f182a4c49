//! Plans a statement against the relations of its scope: no I/O, no catalog.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::TableFunctionArgs;
use datafusion::common::config::ConfigOptions;
use datafusion::common::file_options::file_type::FileType;
use datafusion::common::{
    DFSchema, DataFusionError, ParamValues, ScalarValue, TableReference, plan_datafusion_err,
};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{
    ContextProvider, ExprPlanner, RelationPlanner, TypePlanner,
};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    AggregateUDF, Expr, ExprSchemable, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource,
    Volatility, WindowUDF,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::parser::{CopyToSource, Statement as ParsedStatement};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast::{
    ColumnDef, Expr as SqlExpr, SetExpr, Statement as SqlStatement, TableFactor,
};
use lakesh_plan::directive::HintRelationPlanner;
use lakesh_plan::plan_size::PlanSize;
use lakesh_semantics::{ExclusionPlanner, TimeArithmetic};
use lakesh_sql::{CallKind, TimeTypes, check_calls, select_from_nothing, session_zone};
use lakesh_text::failure::{Failure, FailureKind};
use lakesh_udfs::{FrameUse, frame_use};

use super::names::Knowledge;
use super::{OwnFunctions, StatementScope};

/// Plans a parsed statement and binds its parameters.
pub(crate) fn plan(
    state: &SessionState,
    scope: &StatementScope,
    mut tree: ParsedStatement,
    parameters: Option<&ParamValues>,
) -> Result<LogicalPlan, DataFusionError> {
    let provider = ScopeProvider::new(state, scope);
    provider.check_calls(&tree)?;
    let bound = state.config().get_extension::<PlanSize>();
    // Before planning, which writes out each CTE where it is used, and after it, when views are there too.
    if let Some(bound) = &bound {
        bound.check_count(lakesh_sql::relations(&tree))?;
    }
    let planner = SqlToRel::new_with_options(&provider, parser_options(state));
    lakesh_sql::type_numbers(&mut tree, &|expression| type_of(&planner, expression))?;
    let plan = planner.statement_to_plan(tree)?;
    if let Some(bound) = &bound {
        bound.check(&plan)?;
    }
    if let Some(parameters) = parameters {
        return plan.with_param_values(parameters.clone());
    }
    match plan.get_parameter_names()?.into_iter().min() {
        None => Ok(plan),
        Some(name) => Err(DataFusionError::External(Box::new(Failure::without_value(
            &name,
        )))),
    }
}

/// Turns column definitions into a schema.
pub fn column_schema(
    state: &SessionState,
    columns: Vec<ColumnDef>,
) -> Result<Schema, DataFusionError> {
    let scope = StatementScope::default();
    let provider = ScopeProvider::new(state, &scope);
    SqlToRel::new_with_options(&provider, parser_options(state)).build_schema(columns)
}

/// Plans an expression over the columns of a schema; it can hold no subquery.
pub fn expression(
    state: &SessionState,
    schema: &DFSchema,
    mut expression: SqlExpr,
    parameters: Option<&ParamValues>,
    functions: OwnFunctions,
) -> Result<Expr, DataFusionError> {
    let scope = StatementScope {
        functions,
        ..StatementScope::default()
    };
    let provider = ScopeProvider::new(state, &scope);
    check_calls(&expression, &|name| provider.call_kind(name))?;
    let planner = SqlToRel::new_with_options(&provider, parser_options(state));
    lakesh_sql::type_numbers_in(&mut expression, &|part| type_of(&planner, part))?;
    let planned = planner.sql_to_expr(expression, schema, &mut PlannerContext::new())?;
    lakesh_sql::bind(planned, parameters)
}

/// Returns the type of an expression that names no column.
fn type_of(planner: &SqlToRel<'_, ScopeProvider<'_>>, expression: &SqlExpr) -> Option<DataType> {
    let schema = DFSchema::empty();
    let planned = planner.sql_to_expr(expression.clone(), &schema, &mut PlannerContext::new());
    planned.ok()?.get_type(&schema).ok()
}

fn parser_options(state: &SessionState) -> ParserOptions {
    let options = &state.config_options().sql_parser;
    ParserOptions {
        parse_float_as_decimal: options.parse_float_as_decimal,
        enable_ident_normalization: options.enable_ident_normalization,
        enable_options_value_normalization: options.enable_options_value_normalization,
        support_varchar_with_length: options.support_varchar_with_length,
        map_string_types_to_utf8view: options.map_string_types_to_utf8view,
        collect_spans: true,
        default_null_ordering: options.default_null_ordering.as_str().into(),
    }
}

/// Says whether an aggregate function knows nothing of a frame but the rows in it.
fn takes_any_rows(function: &AggregateUDF) -> bool {
    matches!(
        frame_use(function),
        None | Some(FrameUse::Any | FrameUse::Growing)
    )
}

/// The error for a table function that there is not; of one that other databases have it says what serves instead.
fn unknown_table_function(name: &str) -> DataFusionError {
    match lakesh_function::absent(name) {
        Some(instead) => {
            let message = format!("table function `{name}` not found");
            let failure = Failure::new(FailureKind::Plan, message);
            DataFusionError::External(Box::new(failure.hint(format!("instead: {instead}"))))
        }
        None => plan_datafusion_err!("table function '{name}' not found"),
    }
}

/// What a session and a scope know of names.
pub(super) struct Known<'a> {
    state: &'a SessionState,
    scope: &'a StatementScope,
}

impl<'a> Known<'a> {
    pub(super) fn new(state: &'a SessionState, scope: &'a StatementScope) -> Self {
        Self { state, scope }
    }
}

impl Knowledge for Known<'_> {
    fn relation(&self, name: &TableReference) -> Option<SchemaRef> {
        self.scope.relations.get(name).map(|source| source.schema())
    }

    fn relations(&self) -> Vec<SchemaRef> {
        let sources = self.scope.relations.values();
        sources.map(|source| source.schema()).collect()
    }

    fn function(&self, factor: &TableFactor) -> Option<SchemaRef> {
        let mut query = select_from_nothing();
        if let SetExpr::Select(select) = query.body.as_mut()
            && let Some(from) = select.from.first_mut()
        {
            from.relation = factor.clone();
        }
        let provider = ScopeProvider::new(self.state, self.scope);
        let planner = SqlToRel::new_with_options(&provider, parser_options(self.state));
        let statement = SqlStatement::Query(Box::new(query));
        let plan = planner.sql_statement_to_plan(statement).ok()?;
        Some(Arc::new(plan.schema().as_arrow().clone()))
    }

    fn holds(&self, condition: &SqlExpr) -> Result<bool, DataFusionError> {
        let value = lakesh_sql::constant(condition, self.state, None)?;
        Ok(value == ScalarValue::Boolean(Some(true)))
    }

    fn type_of(&self, expression: &SqlExpr, columns: &DFSchema) -> Option<DataType> {
        let provider = ScopeProvider::new(self.state, self.scope);
        let planner = SqlToRel::new_with_options(&provider, parser_options(self.state));
        let mut context = PlannerContext::new();
        let planned = planner.sql_to_expr(expression.clone(), columns, &mut context);
        planned.ok()?.get_type(columns).ok()
    }

    fn is_volatile(&self, function: &str) -> bool {
        let function = self.state.scalar_functions().get(function);
        function.is_some_and(|function| function.signature().volatility == Volatility::Volatile)
    }
}

/// Answers the planner from a session's functions and a scope's relations.
struct ScopeProvider<'a> {
    state: &'a SessionState,
    scope: &'a StatementScope,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    types: Arc<TimeTypes>,
}

impl<'a> ScopeProvider<'a> {
    fn new(state: &'a SessionState, scope: &'a StatementScope) -> Self {
        let mut relation_planners = state.relation_planners().to_vec();
        if !scope.marks.is_empty() {
            let hinted = HintRelationPlanner::new(scope.marks.clone());
            relation_planners.insert(0, Arc::new(hinted));
        }
        let zone = session_zone(state.config_options());
        let times: Arc<dyn ExprPlanner> = Arc::new(TimeArithmetic::new(Arc::clone(&zone)));
        // Before DataFusion's own planner of windows, which knows nothing of EXCLUDE.
        let frames: Arc<dyn ExprPlanner> = Arc::new(ExclusionPlanner::new(takes_any_rows));
        let others = state.expr_planners().iter().cloned();
        Self {
            state,
            scope,
            relation_planners,
            expr_planners: [times, frames, lakesh_function::text_planner()]
                .into_iter()
                .chain(others)
                .collect(),
            types: Arc::new(TimeTypes::new(zone)),
        }
    }

    /// Refuses calls with clauses that the planner would drop.
    fn check_calls(&self, tree: &ParsedStatement) -> Result<(), DataFusionError> {
        let kind = |name: &str| self.call_kind(name);
        match tree {
            ParsedStatement::Statement(statement) => check_calls(statement, &kind),
            ParsedStatement::Explain(explain) => self.check_calls(&explain.statement),
            ParsedStatement::CopyTo(copy) => match &copy.source {
                CopyToSource::Query(query) => check_calls(query, &kind),
                CopyToSource::Relation(_) => Ok(()),
            },
            ParsedStatement::CreateExternalTable(_) | ParsedStatement::Reset(_) => Ok(()),
        }
    }

    /// Says what the planner takes a call for, in its own order.
    fn call_kind(&self, name: &str) -> CallKind {
        let is_scalar = self.get_function_meta(name).is_some()
            || self.get_higher_order_meta(name).is_some()
            || matches!(name, "unnest" | "unnest_outer");
        if is_scalar {
            return CallKind::Scalar;
        }
        if self.get_aggregate_meta(name).is_some() {
            return CallKind::Aggregate;
        }
        match self.get_window_meta(name) {
            Some(_) => CallKind::Window {
                takes_nulls: matches!(
                    name,
                    "lag" | "lead" | "first_value" | "last_value" | "nth_value"
                ),
            },
            None => CallKind::Unknown,
        }
    }
}

impl ContextProvider for ScopeProvider<'_> {
    fn get_table_source(
        &self,
        name: TableReference,
    ) -> Result<Arc<dyn TableSource>, DataFusionError> {
        self.scope
            .relations
            .get(&name)
            .cloned()
            .ok_or_else(|| plan_datafusion_err!("table '{name}' not found"))
    }

    fn get_table_function_source(
        &self,
        name: &str,
        arguments: Vec<Expr>,
    ) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let function = self
            .state
            .table_functions()
            .get(name)
            .ok_or_else(|| unknown_table_function(name))?;
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.state.config_options()))
            .with_query_execution_start_time(
                self.state.execution_props().query_execution_start_time,
            )
            .build();
        let simplifier = ExprSimplifier::new(context);
        let schema = DFSchema::empty();
        let arguments = arguments
            .into_iter()
            .map(|argument| simplifier.simplify(simplifier.coerce(argument, &schema)?))
            .collect::<Result<Vec<_>, _>>()?;
        let provider = function
            .create_table_provider_with_args(TableFunctionArgs::new(&arguments, self.state))?;
        Ok(provider_as_source(provider))
    }

    fn create_cte_work_table(
        &self,
        name: &str,
        schema: SchemaRef,
    ) -> Result<Arc<dyn TableSource>, DataFusionError> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(
            name, schema,
        ))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::clone(&self.types) as _)
    }

    fn get_file_type(&self, suffix: &str) -> Result<Arc<dyn FileType>, DataFusionError> {
        self.state
            .get_file_format_factory(suffix)
            .map(format_as_file_type)
            .ok_or_else(|| plan_datafusion_err!("`{suffix}` is not a file format"))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let own = self.scope.functions.get(name);
        own.or_else(|| self.state.scalar_functions().get(name))
            .cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        let registered = self.state.scalar_functions().keys().cloned();
        let known = lakesh_function::functions().iter();
        let known = known.filter(|function| !function.is_internal());
        registered
            .chain(known.flat_map(|function| function.names().map(str::to_owned)))
            .collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state
            .higher_order_functions()
            .keys()
            .cloned()
            .collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
