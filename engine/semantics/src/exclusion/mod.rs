//! EXCLUDE CURRENT ROW, GROUP and TIES in the frames of windows; FILTER and places per row for single values.
//!
//! DataFusion's frames know no EXCLUDE. The parser marks the windows that have one (see `frame` in the crate `sql`);
//! here the mark is taken away, and the function is put into a window function of ours, which computes over the
//! frame without the rows that are left out. Functions that have no use for a frame keep theirs, as in PostgreSQL.
//!
//! The same function stands for `first_value`, `last_value` and `nth_value` with a FILTER, and for `nth_value` whose
//! place differs from row to row, which DataFusion's refuse.

mod accumulate;
mod evaluate;
mod function;
mod mark;
mod parts;

use std::fmt;
use std::sync::Arc;

use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{ScalarFunction, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawWindowExpr};
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{AggregateUDF, Expr, WindowFunctionDefinition, WindowUDF};
use lakesh_sql::EXCLUSION;

use function::{Computed, Without};

pub(crate) use mark::mark;

/// Which rows of its frame a window function does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Exclusion {
    /// It sees all.
    NoOthers,
    /// The row itself.
    CurrentRow,
    /// The row and its peers.
    Group,
    /// The row's peers, but not the row itself.
    Ties,
}

impl fmt::Display for Exclusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoOthers => "NO OTHERS",
            Self::CurrentRow => "CURRENT ROW",
            Self::Group => "GROUP",
            Self::Ties => "TIES",
        })
    }
}

/// Plans window functions whose frames leave rows out.
#[derive(Debug)]
pub struct ExclusionPlanner {
    /// Says whether an aggregate function knows nothing of its frame but the rows in it.
    takes_any_rows: fn(&AggregateUDF) -> bool,
}

impl ExclusionPlanner {
    /// Plans for aggregate functions of which some may depend on where their frames end.
    #[must_use]
    pub fn new(takes_any_rows: fn(&AggregateUDF) -> bool) -> Self {
        Self { takes_any_rows }
    }

    /// Returns what is computed over the rows that remain; `None` where frames have no effect.
    fn computed(&self, function: &WindowFunctionDefinition) -> Result<Option<Computed>> {
        match function {
            WindowFunctionDefinition::AggregateUDF(function)
                if (self.takes_any_rows)(function.as_ref()) =>
            {
                Ok(Some(Computed::Aggregate(Arc::clone(function))))
            }
            WindowFunctionDefinition::WindowUDF(function) => match function.name() {
                "first_value" => Ok(Some(Computed::First)),
                "last_value" => Ok(Some(Computed::Last)),
                "nth_value" => Ok(Some(Computed::Nth)),
                "row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist" | "ntile"
                | "lag" | "lead" => Ok(None),
                other => no_exclusion(other),
            },
            WindowFunctionDefinition::AggregateUDF(function) => no_exclusion(function.name()),
        }
    }
}

fn no_exclusion<T>(function: &str) -> Result<T> {
    plan_err!(
        "`{function}` is about the current row or about positions: its frame takes no EXCLUDE"
    )
}

impl ExprPlanner for ExclusionPlanner {
    fn plan_window(&self, mut call: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let exclusion = match take_mark(&mut call.partition_by)? {
            Some(exclusion) => exclusion,
            None if is_beyond_theirs(&call) => Exclusion::NoOthers,
            None => return Ok(PlannerResult::Original(call)),
        };
        let Some(computed) = self.computed(&call.func_def)? else {
            return Ok(PlannerResult::Original(call));
        };
        if is_count_of_rows(&call) {
            call.args = vec![Expr::Literal(COUNT_STAR_EXPANSION, None)];
        }
        let RawWindowExpr {
            func_def,
            mut args,
            partition_by,
            order_by,
            window_frame,
            filter,
            null_treatment,
            distinct,
        } = call;
        let params = |args, filter| WindowFunctionParams {
            args,
            partition_by: partition_by.clone(),
            order_by: order_by.clone(),
            window_frame: window_frame.clone(),
            filter,
            null_treatment,
            distinct,
        };
        let written = Expr::from(WindowFunction {
            fun: func_def,
            params: params(args.clone(), filter.clone()),
        });
        let name = match exclusion {
            Exclusion::NoOthers => written.schema_name().to_string(),
            _ => format!("{} EXCLUDE {exclusion}", written.schema_name()),
        };
        let without = Without::new(computed, exclusion, filter.is_some(), distinct);
        // Window functions that are no aggregates have no filter.
        args.extend(filter.map(|filter| *filter));
        let planned = Expr::from(WindowFunction {
            fun: WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::from(without))),
            params: params(args, None),
        });
        Ok(PlannerResult::Planned(planned.alias(name)))
    }
}

/// Says whether the last argument of a call is its filter.
pub(crate) fn ends_with_filter(call: &WindowFunction) -> bool {
    match &call.fun {
        WindowFunctionDefinition::WindowUDF(function) => {
            let without = function.inner().downcast_ref::<Without>();
            without.is_some_and(Without::has_filter)
        }
        WindowFunctionDefinition::AggregateUDF(_) => false,
    }
}

/// Says whether a call of a function that gives one value of its frame is one that DataFusion's refuses.
fn is_beyond_theirs(call: &RawWindowExpr) -> bool {
    let WindowFunctionDefinition::WindowUDF(function) = &call.func_def else {
        return false;
    };
    match function.name() {
        "first_value" | "last_value" => call.filter.is_some(),
        "nth_value" => {
            let is_constant = match call.args.get(1) {
                Some(Expr::Negative(place)) => matches!(place.as_ref(), Expr::Literal(..)),
                place => matches!(place, None | Some(Expr::Literal(..))),
            };
            call.filter.is_some() || !is_constant
        }
        _ => false,
    }
}

/// Takes the mark out of the keys that tell partitions apart.
fn take_mark(keys: &mut Vec<Expr>) -> Result<Option<Exclusion>> {
    let Some(place) = keys.iter().position(|key| marked(key).is_some()) else {
        return Ok(None);
    };
    let key = keys.remove(place);
    match marked(&key) {
        Some("CURRENT ROW") => Ok(Some(Exclusion::CurrentRow)),
        Some("GROUP") => Ok(Some(Exclusion::Group)),
        Some("TIES") => Ok(Some(Exclusion::Ties)),
        _ => plan_err!("EXCLUDE takes CURRENT ROW, GROUP, TIES or NO OTHERS"),
    }
}

fn marked(key: &Expr) -> Option<&str> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = key else {
        return None;
    };
    match args.as_slice() {
        [Expr::Literal(ScalarValue::Utf8(Some(what)), _)] if func.name() == EXCLUSION => Some(what),
        _ => None,
    }
}

/// Says whether a call is `count(*)` or `count()`.
fn is_count_of_rows(call: &RawWindowExpr) -> bool {
    #[expect(deprecated, reason = "it is what the planner makes of `*`")]
    let is_star = |argument: &Expr| matches!(argument, Expr::Wildcard { .. });
    call.func_def.name() == "count" && call.args.iter().all(is_star)
}
