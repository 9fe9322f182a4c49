//! The expressions of a mutation: planned over given columns, constants folded, types made to fit.
//!
//! The library takes conditions over columns and constants only, and writes them into the log as text.
//! So `now()` becomes the moment at which the statement began, and what cannot be written down is
//! recognised before the library is asked.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, cast};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Query, Visit, Visitor};
use lakesh_session::StatementContext;
use lakesh_session::scope::OwnFunctions;
use lakesh_text::failure::{Failure, FailureKind};

/// The columns that an expression may name.
pub(crate) struct Columns<'a> {
    context: &'a StatementContext,
    schema: DFSchema,
    /// Whether expressions are stored in the table, where others must understand them.
    stored: bool,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(context: &'a StatementContext, schema: DFSchema) -> Self {
        Self {
            context,
            schema,
            stored: false,
        }
    }

    /// The columns that an expression may name which others will read in the table's log.
    pub(crate) fn for_storage(context: &'a StatementContext, schema: DFSchema) -> Self {
        Self {
            stored: true,
            ..Self::new(context, schema)
        }
    }

    /// Returns the columns with their qualifiers.
    pub(crate) fn schema(&self) -> &DFSchema {
        &self.schema
    }

    /// Plans an expression that holds no subquery.
    pub(crate) fn expression(&self, expression: &SqlExpr) -> Result<Expr, Failure> {
        let planned = match self.stored {
            false => lakesh_session::scope::single_expression(
                self.context,
                &self.schema,
                expression.clone(),
            ),
            true => lakesh_session::scope::expression(
                &self.context.state,
                &self.schema,
                expression.clone(),
                self.context.parameters(),
                OwnFunctions::new(),
            )
            .map_err(|error| self.context.failure(error)),
        }?;
        let planned = self
            .fold(planned)
            .map_err(|error| self.context.failure(error))?;
        if planned.is_volatile() {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("`{expression}` gives another value each time; it cannot stand here"),
            )
            .hint("put such values into a table first, or into the source of a MERGE"));
        }
        Ok(planned)
    }

    /// Plans a condition.
    pub(crate) fn condition(&self, expression: &SqlExpr) -> Result<Expr, Failure> {
        let planned = self.expression(expression)?;
        let data_type = planned
            .get_type(&self.schema)
            .map_err(|error| self.context.failure(error))?;
        match data_type {
            DataType::Boolean | DataType::Null => Ok(planned),
            other => Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "the condition `{expression}` is {}, not BOOLEAN",
                    lakesh_text::failure::sql_type_name(&other)
                ),
            )),
        }
    }

    /// Plans the value of a column.
    pub(crate) fn value(&self, expression: &SqlExpr, field: &Field) -> Result<Expr, Failure> {
        let planned = self.expression(expression)?;
        let from = planned
            .get_type(&self.schema)
            .map_err(|error| self.context.failure(error))?;
        let is_literal = matches!(planned, Expr::Literal(..));
        let value = assigned(planned, &from, field)?;
        // Where a clock becomes a moment, or the other way round, the session's zone is between them. A constant
        // is cast here, since the library's cast cuts what ours rounds.
        let has_zone = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(_)));
        let needs_ours = is_literal || has_zone(&from) || has_zone(field.data_type());
        match from != *field.data_type() && needs_ours {
            true => self
                .fold(value)
                .map_err(|error| self.context.failure(error)),
            false => Ok(value),
        }
    }

    /// Makes types fit and computes what does not depend on a row.
    fn fold(&self, expression: Expr) -> Result<Expr, DataFusionError> {
        let state = &self.context.state;
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(self.schema.clone()))
            .with_config_options(Arc::clone(state.config_options()))
            .with_query_execution_start_time(state.execution_props().query_execution_start_time)
            .build();
        lakesh_semantics::simplified(expression, context)
    }
}

/// Makes a value fit its column. The cast fails for a value that does not fit; it never gives NULL.
pub(crate) fn assigned(value: Expr, from: &DataType, field: &Field) -> Result<Expr, Failure> {
    let to = field.data_type();
    if from == to {
        return Ok(value);
    }
    let crosses_boolean = (*from == DataType::Boolean && (to.is_numeric() || to.is_temporal()))
        || (*to == DataType::Boolean && (from.is_numeric() || from.is_temporal()));
    if crosses_boolean || !can_cast_types(from, to) {
        return Err(Failure::new(
            FailureKind::Plan,
            format!(
                "column `{}` is {}; a value of type {} does not fit",
                field.name(),
                lakesh_text::failure::sql_type_name(to),
                lakesh_text::failure::sql_type_name(from),
            ),
        )
        .hint("CAST converts it explicitly"));
    }
    Ok(cast(value, to.clone()))
}

/// Takes the table's name off the columns: a statement that reads one table needs none.
pub(crate) fn unqualified(expression: Expr) -> Result<Expr, DataFusionError> {
    let plain = expression.transform(|node| match node {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::from_name(
            column.name,
        )))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(plain.data)
}

/// Says whether an expression holds a query.
pub(crate) fn has_subquery(expression: &SqlExpr) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    expression.visit(&mut Find).is_break()
}

/// Says whether the library can write a condition into the log; it panics where it cannot.
pub(crate) fn is_recordable(expression: &Expr) -> bool {
    let mut recordable = true;
    let walked = expression.apply(|node| {
        recordable = match node {
            Expr::Literal(value, _) => is_recordable_value(value),
            Expr::Column(_)
            | Expr::Case(_)
            | Expr::Not(_)
            | Expr::Negative(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::BinaryExpr(_)
            | Expr::Cast(_)
            | Expr::Between(_)
            | Expr::Like(_)
            | Expr::InList(_) => true,
            // What only our catalog knows cannot be read again from the log.
            Expr::ScalarFunction(call) => {
                lakesh_encoder::applied(&call.func).is_none()
                    && !lakesh_native::is_native(&call.func)
                    && !lakesh_semantics::is_internal(call.func.name())
            }
            _ => false,
        };
        Ok(match recordable {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    });
    walked.is_ok() && recordable
}

fn is_recordable_value(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Dictionary(_, inner) => is_recordable_value(inner),
        ScalarValue::Decimal128(..)
        | ScalarValue::Date32(_)
        | ScalarValue::TimestampMicrosecond(..)
        | ScalarValue::Boolean(_)
        | ScalarValue::Utf8(_)
        | ScalarValue::LargeUtf8(_)
        | ScalarValue::Utf8View(_)
        | ScalarValue::Null => true,
        ScalarValue::Float32(value) => value.is_none_or(f32::is_finite),
        ScalarValue::Float64(value) => value.is_none_or(f64::is_finite),
        other => other.data_type().is_integer() || other.data_type().is_binary(),
    }
}

/// Says whether a query can give other rows when it is run a second time.
pub(crate) fn is_volatile(plan: &LogicalPlan) -> bool {
    let mut volatile = false;
    let walked = plan.apply_with_subqueries(|node| {
        volatile |= matches!(node, LogicalPlan::Limit(_));
        node.apply_expressions(|expression| {
            volatile |= expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(match volatile {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    });
    walked.is_err() || volatile
}
