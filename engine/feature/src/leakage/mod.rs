//! EXPLAIN LEAKAGE: which features of a training set can see rows at or after the label's time, or the
//! target, and at which expression.
//!
//! Each column of the query's plan is followed down to the tables (`walk`, `expression`, `window`): to their
//! columns, and to which of their rows (`lineage`). What conditions say of times is kept as facts (`facts`).
//! At the end a feature is judged by whether the rows that it sees are known to be before the label's time
//! (`verdict`). Nothing is run: what only the data could show is reported as what may be.

mod encoder;
mod expression;
mod facts;
mod label;
mod leak;
mod lineage;
mod place;
mod verdict;
mod walk;
mod window;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::ObjectName;
use lakesh_session::StatementContext;
use lakesh_session::scope::Opened;
use lakesh_sql::Query;
use lakesh_text::failure::{Failure, excerpt};

use self::label::Label;
use self::leak::{Leak, Row, Words};
use self::place::{Text, one_line};
use self::verdict::{Judge, features};
use self::walk::{Cause, CauseKind, Walker, spans_of};

/// What was found: a row a leak, and for each a text with its place.
pub(crate) struct Findings {
    pub(crate) rows: RecordBatch,
    pub(crate) notices: Vec<String>,
    /// How many features were looked at.
    pub(crate) features: usize,
}

/// Looks for leaks in a plan.
pub(crate) fn find(
    (query, plan, opened): (&Query, &LogicalPlan, &Opened),
    target: &ObjectName,
    time: &ObjectName,
    context: &StatementContext,
) -> Result<Findings, Failure> {
    let explain = |error| context.failure(error);
    let mut walker = Walker::new(opened);
    let relation = walker.plan(plan).map_err(explain)?;
    let schema = plan.schema();
    let label = Label::find((target, time), (schema, &relation), &walker, context)?;
    let fitted_here = walker.fitted_here(&label, &relation.facts, context);
    let features = features(&relation, &label);
    let uses: Vec<usize> = features
        .iter()
        .map(|place| use_of(&mut walker, plan, *place))
        .collect();
    let judge = Judge {
        walker: &walker,
        label: &label,
        facts: &relation.facts,
        fitted_here: &fitted_here,
    };
    let mut leaks: Vec<Leak> = Vec::new();
    for (place, used_at) in features.iter().zip(uses) {
        let name = schema.field(*place).name();
        leaks.extend(judge.leaks(name, &relation.columns[*place], used_at));
    }
    let text = Text::new(context, query);
    let words = Words {
        time: &label.time,
        target: &label.target,
    };
    let mut notices = Vec::new();
    let rows: Vec<Row> = leaks
        .iter()
        .map(|leak| {
            let (row, notice) = described(leak, &walker.causes, &words, &text, opened);
            notices.push(notice);
            row
        })
        .collect();
    Ok(Findings {
        rows: leak::rows(&rows).map_err(Failure::from_error)?,
        notices,
        features: features.len(),
    })
}

/// Makes a cause of the expression that a column of the result is.
fn use_of(walker: &mut Walker<'_>, plan: &LogicalPlan, place: usize) -> usize {
    let expression = match outermost(plan) {
        LogicalPlan::Projection(projection) => projection.expr.get(place).cloned(),
        _ => None,
    };
    let column = || Expr::Column(Column::from(plan.schema().qualified_field(place)));
    let expression = expression.unwrap_or_else(column);
    walker.cause(Cause {
        kind: CauseKind::Use,
        body: None,
        function: None,
        shown: walk::unaliased(&expression).to_string(),
        spans: spans_of(&expression),
    })
}

/// Passes by what does not change columns.
fn outermost(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Sort(sort) => outermost(&sort.input),
        LogicalPlan::Limit(limit) => outermost(&limit.input),
        LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => outermost(input),
        other => other,
    }
}

/// Describes a leak: as a row, and as a text that shows the place.
fn described(
    leak: &Leak,
    causes: &[Cause],
    words: &Words<'_>,
    text: &Text<'_>,
    opened: &Opened,
) -> (Row, String) {
    let cause = &causes[leak.cause];
    // A CROSS JOIN has no place of its own.
    let located = text
        .find(cause, opened)
        .or_else(|| text.find(&causes[leak.used_at], opened));
    let why = leak.kind.why(&leak.of, words);
    let mut notice = format!("leakage: `{}`: {why}", leak.feature);
    if let Some(located) = &located {
        notice.push_str(&excerpt(&located.place));
    }
    let (expression, place) = match located {
        Some(located) => (located.expression, located.shown),
        None => (one_line(&cause.shown), String::new()),
    };
    let row = Row {
        feature: leak.feature.clone(),
        kind: leak.kind,
        expression,
        place,
        why,
        remedy: leak.kind.remedy(words),
    };
    (row, notice)
}
