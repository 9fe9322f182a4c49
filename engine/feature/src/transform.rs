//! Plans that add the outputs of an encoder to the rows of a table.

use std::sync::Arc;

use datafusion::common::{DataFusionError, plan_datafusion_err};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::Expr as SqlExpr;
use lakesh_encoder::{
    CategoryType, CrossFitted, FitColumn, Fitted, OutputDefinition, OutputError, PastOutput,
    Policy, apply_function, check_type, cross_fitted_function, encoded_from_past, fold_function,
    learn,
};
use lakesh_session::StatementContext;
use lakesh_session::scope::{StoredEncoder, single_expression};
use lakesh_sql::parse_expression;
use lakesh_text::erased::Erased;
use lakesh_text::failure::{Failure, FailureKind};

/// How rows are encoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transformation {
    pub(crate) policy: Policy,
    pub(crate) cross_fit: Option<CrossFit>,
}

/// From which other rows each row is encoded.
#[derive(Debug, Clone)]
pub(crate) enum CrossFit {
    /// From those of other folds, by a stable hash of expressions.
    Hash { folds: u32, keys: Vec<SqlExpr> },
    /// From those that differ in an expression.
    Fold(SqlExpr),
    /// From those before it.
    Time(SqlExpr),
}

/// The expressions of an output over the columns of a table.
struct Planned<'a> {
    output: &'a OutputDefinition,
    value: Expr,
    target: Option<Expr>,
    weight: Option<Expr>,
}

/// Adds the outputs of an encoder to the rows of a plan.
pub(crate) async fn transformed(
    context: &StatementContext,
    input: Erased<LogicalPlan>,
    encoder: &StoredEncoder,
    transformation: &Transformation,
) -> Result<Erased<LogicalPlan>, Failure> {
    refuse_taken_names(&input, encoder)?;
    match &transformation.cross_fit {
        None => apply(context, &input, encoder, transformation.policy),
        Some(CrossFit::Time(time)) => {
            let outputs = planned(context, &input, encoder, true)?;
            let time = over(context, &input, time.clone())?;
            let outputs = outputs
                .into_iter()
                .map(|planned| PastOutput {
                    output: planned.output,
                    value: planned.value,
                    target: planned.target,
                    weight: planned.weight,
                })
                .collect();
            encoded_from_past(input.into_inner(), outputs, time, transformation.policy)
                .map(Erased::new)
                .map_err(|error| context.failure(error))
        }
        Some(CrossFit::Hash { folds, keys }) => {
            let keys = keys
                .iter()
                .map(|key| over(context, &input, key.clone()))
                .collect::<Result<Vec<_>, _>>()?;
            let fold = fold_function(*folds).call(keys);
            cross_fitted(context, input, encoder, fold, transformation.policy).await
        }
        Some(CrossFit::Fold(fold)) => {
            let fold = over(context, &input, fold.clone())?;
            cross_fitted(context, input, encoder, fold, transformation.policy).await
        }
    }
}

fn refuse_taken_names(input: &LogicalPlan, encoder: &StoredEncoder) -> Result<(), Failure> {
    let names = encoder.definition.output_names();
    let taken = names.into_iter().find(|name| {
        let fields = input.schema().fields();
        fields.iter().any(|field| field.name() == name)
    });
    match taken {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            FailureKind::Plan,
            format!(
                "the table has a column `{name}` already, as an output of encoder `{}` is called",
                encoder.shown
            ),
        )
        .hint("leave it out: (SELECT * EXCLUDE (column) FROM table)")),
    }
}

fn over(context: &StatementContext, input: &LogicalPlan, text: SqlExpr) -> Result<Expr, Failure> {
    single_expression(context, input.schema(), text)
}

/// Plans the expressions of all outputs; the target and the weight only where rows are learned from.
fn planned<'a>(
    context: &StatementContext,
    input: &LogicalPlan,
    encoder: &'a StoredEncoder,
    learns: bool,
) -> Result<Vec<Planned<'a>>, Failure> {
    let plan = |text: &str| {
        let parsed = parse_expression(text).map_err(Failure::from_error)?;
        over(context, input, parsed).map_err(|mut failure| {
            failure.message = format!(
                "encoder `{}` needs `{text}`: {}",
                encoder.shown, failure.message
            );
            failure
        })
    };
    let learned = |text: &'a Option<String>| {
        let text = text.as_ref().filter(|_| learns);
        text.map(|text| plan(text)).transpose()
    };
    let mut all = Vec::new();
    for output in &encoder.definition.outputs {
        let value = plan(&output.value)?;
        value
            .get_type(input.schema())
            .and_then(|found| check_type(output, &found))
            .map_err(|error| context.failure(error))?;
        all.push(Planned {
            output,
            value,
            target: learned(&output.target)?,
            weight: learned(&output.weight)?,
        });
    }
    Ok(all)
}

fn apply(
    context: &StatementContext,
    input: &LogicalPlan,
    encoder: &StoredEncoder,
    policy: Policy,
) -> Result<Erased<LogicalPlan>, Failure> {
    let mut added = Vec::new();
    for (position, planned) in planned(context, input, encoder, false)?
        .into_iter()
        .enumerate()
    {
        let output = planned.output;
        let fitted = encoder.fitted(position, context)?;
        let name = format!("{}@v{}.{}", encoder.shown, encoder.version(), output.name);
        let function = apply_function(
            name,
            output.clone(),
            Arc::new(fitted),
            policy,
            Some(Arc::new(encoder.definition.provenance.clone())),
        );
        added.push(function.call(vec![planned.value]).alias(&output.name));
    }
    with_columns(input.clone(), added)
        .map(Erased::new)
        .map_err(|error| context.failure(error))
}

fn with_columns(input: LogicalPlan, added: Vec<Expr>) -> Result<LogicalPlan, DataFusionError> {
    let mut columns: Vec<Expr> = input
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    columns.extend(added);
    LogicalPlanBuilder::from(input).project(columns)?.build()
}

/// Fits the outputs for each fold on all the others, and encodes each row with its fold's.
async fn cross_fitted(
    context: &StatementContext,
    input: Erased<LogicalPlan>,
    encoder: &StoredEncoder,
    fold: Expr,
    policy: Policy,
) -> Result<Erased<LogicalPlan>, Failure> {
    let (rows, columns, folds) = fold_rows(context, &input, encoder, &fold)?;
    let columns = Arc::new(columns);
    let learned = learned_folds(context, rows, &columns, folds, encoder).await?;
    let mut added = Vec::new();
    let outputs = planned(context, &input, encoder, false)?;
    for (planned, fitted) in outputs.into_iter().zip(learned) {
        let output = planned.output;
        let name = format!("{}.{} of the other folds", encoder.shown, output.name);
        let function = cross_fitted_function(name, output.clone(), Arc::new(fitted), policy);
        added.push(
            function
                .call(vec![fold.clone(), planned.value])
                .alias(&output.name),
        );
    }
    with_columns(input.into_inner(), added)
        .map(Erased::new)
        .map_err(|error| context.failure(error))
}

type FoldRows = (Erased<LogicalPlan>, Vec<FitColumn>, (usize, CategoryType));

/// Plans the columns that are learned from, and last the fold.
fn fold_rows(
    context: &StatementContext,
    input: &LogicalPlan,
    encoder: &StoredEncoder,
    fold: &Expr,
) -> Result<FoldRows, Failure> {
    let mut expressions: Vec<Expr> = Vec::new();
    let mut columns = Vec::new();
    for planned in planned(context, input, encoder, true)? {
        let mut push = |expression: Expr| {
            let position = expressions.len();
            expressions.push(expression.alias(format!("column {position}")));
            position
        };
        columns.push(FitColumn {
            encoder: planned.output.encoder.clone(),
            category: planned.output.category,
            value: push(planned.value),
            target: planned.target.map(&mut push),
            weight: planned.weight.map(&mut push),
        });
    }
    let build = || {
        let fold_type = fold.get_type(input.schema())?;
        let category = CategoryType::of(&fold_type).ok_or_else(|| {
            plan_datafusion_err!("`{fold}` cannot tell folds apart; cast it to text")
        })?;
        let position = expressions.len();
        expressions.push(fold.clone().alias(format!("column {position}")));
        let plan = LogicalPlanBuilder::from(input.clone())
            .project(expressions)?
            .build()?;
        Ok((plan, (position, category)))
    };
    let (plan, folds) = build().map_err(|error| context.failure(error))?;
    Ok((plan.into(), columns, folds))
}

/// Learns by fold; returns for each output what it learned.
async fn learned_folds(
    context: &StatementContext,
    rows: Erased<LogicalPlan>,
    columns: &Arc<Vec<FitColumn>>,
    folds: (usize, CategoryType),
    encoder: &StoredEncoder,
) -> Result<Vec<CrossFitted>, Failure> {
    let explained = |wrong: OutputError| {
        let output = &encoder.definition.outputs[wrong.output];
        let mut failure = Failure::from_error(wrong.error);
        failure.message = format!("`{}`: {}", output.name, failure.message);
        failure
    };
    let (keys, by_fold) = if context.events.is_some() {
        let learned = context
            .with_join_retry(|state| {
                learn(
                    Erased::new(state),
                    rows.clone(),
                    Arc::clone(columns),
                    Some(folds),
                )
            })
            .await?;
        let learned = learned.map_err(explained)?;
        learned.finish_folds(columns).map_err(explained)?
    } else {
        // While checking nothing is run.
        let none = match folds.1.is_text() {
            true => datafusion::arrow::datatypes::DataType::Utf8,
            false => datafusion::arrow::datatypes::DataType::Int64,
        };
        (datafusion::arrow::array::new_empty_array(&none), Vec::new())
    };
    let mut by_output: Vec<Vec<Fitted>> = columns.iter().map(|_| Vec::new()).collect();
    for fitted in by_fold {
        for (all, one) in by_output.iter_mut().zip(fitted) {
            all.push(one);
        }
    }
    by_output
        .into_iter()
        .map(|fitted| CrossFitted::new(folds.1, &keys, fitted))
        .collect::<Result<_, _>>()
        .map_err(|error| context.failure(error))
}
