//! `generate_series` and `range` over timestamps give microseconds, and in FROM a column of their own name.
//!
//! DataFusion 55.2 makes nanoseconds of what they are given, or refuses what is not nanoseconds in FROM, and
//! calls the column `value`. In PostgreSQL and DuckDB it is called as the function is.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::types::IntervalMonthDayNanoType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, IntervalMonthDayNano, Schema, TimeUnit, TimestampMicrosecondType,
};
use datafusion::catalog::{TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::registry::FunctionRegistry;
use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, ident,
};

use super::session_zone;
use super::sides::cast as cast_expression;
use crate::function::over_arrays;

const NAMES: [&str; 2] = ["generate_series", "range"];

/// Returns the functions around those that are registered.
pub(super) fn functions(registry: &dyn FunctionRegistry) -> Result<Vec<Arc<ScalarUDF>>> {
    NAMES
        .iter()
        .map(|name| {
            let theirs = registry.udf(name)?;
            Ok(Arc::new(ScalarUDF::from(Series { theirs })))
        })
        .collect()
}

/// The functions as values: a list.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Series {
    theirs: Arc<ScalarUDF>,
}

impl Series {
    fn with_end(&self) -> bool {
        self.name() == "generate_series"
    }
}

impl ScalarUDFImpl for Series {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [
                DataType::Timestamp(start, zone),
                DataType::Timestamp(stop, _),
                _,
            ] if *start != TimeUnit::Nanosecond && *stop != TimeUnit::Nanosecond => {
                let item = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Ok(DataType::new_list(item, true))
            }
            types => self.theirs.return_type(types),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let item = match arguments.return_field.data_type() {
            DataType::List(item) => item.data_type().clone(),
            _ => DataType::Null,
        };
        let DataType::Timestamp(TimeUnit::Microsecond, _) = &item else {
            return self.theirs.invoke_with_args(arguments);
        };
        let zone: Tz = match &item {
            DataType::Timestamp(_, Some(_)) => {
                super::local::zone(&session_zone(&arguments.config_options))?
            }
            _ => super::local::zone("UTC")?,
        };
        let with_end = self.with_end();
        over_arrays(&arguments, |arrays| match arrays {
            [start, stop, step] => series(start, stop, step, &item, zone, with_end),
            _ => exec_err!(
                "`{}` of timestamps takes a start, an end and a step",
                self.name()
            ),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

fn series(
    start: &ArrayRef,
    stop: &ArrayRef,
    step: &ArrayRef,
    item: &DataType,
    zone: Tz,
    with_end: bool,
) -> Result<ArrayRef> {
    let (start, stop) = (cast(start, item)?, cast(stop, item)?);
    let start = start.as_primitive::<TimestampMicrosecondType>();
    let stop = stop.as_primitive::<TimestampMicrosecondType>();
    let step = step.as_primitive::<IntervalMonthDayNanoType>();
    let mut values = Vec::new();
    let mut lengths = Vec::with_capacity(start.len());
    let nulls = NullBuffer::union_many([start.nulls(), stop.nulls(), step.nulls()]);
    for row in 0..start.len() {
        let before = values.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let ends = (start.value(row), stop.value(row));
            extend(&mut values, ends, step.value(row), zone, with_end)?;
        }
        lengths.push(values.len() - before);
    }
    let zone = match item {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let values = PrimitiveArray::<TimestampMicrosecondType>::from_iter_values(values)
        .with_timezone_opt(zone);
    let field = Arc::new(Field::new_list_field(item.clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(field, offsets, Arc::new(values), nulls)?;
    Ok(Arc::new(list))
}

fn extend(
    values: &mut Vec<i64>,
    (start, stop): (i64, i64),
    step: IntervalMonthDayNano,
    zone: Tz,
    with_end: bool,
) -> Result<()> {
    let next = |value| TimestampMicrosecondType::add_month_day_nano(value, step, zone);
    let Some(second) = next(start) else {
        return exec_err!("the second timestamp of the series is out of range");
    };
    if second == start {
        return exec_err!("the step of a series of timestamps must not be zero");
    }
    let is_rising = second > start;
    let mut value = Some(start);
    while let Some(now) = value {
        let is_inside = match is_rising {
            true => now < stop,
            false => now > stop,
        };
        if !(is_inside || with_end && now == stop) {
            break;
        }
        values.push(now);
        // A step that goes back and forth, as one of months and days can, must not run for ever.
        value = next(now).filter(|next| (*next > now) == is_rising && *next != now);
    }
    Ok(())
}

/// Returns the functions that stand in FROM, around those that are registered.
pub fn series_tables(
    registered: &HashMap<String, Arc<TableFunction>>,
) -> Vec<(&'static str, Arc<dyn TableFunctionImpl>)> {
    let found = NAMES.iter().filter_map(|name| {
        let theirs = Arc::clone(registered.get(*name)?.function());
        let function: Arc<dyn TableFunctionImpl> = Arc::new(SeriesTable { name, theirs });
        Some((*name, function))
    });
    found.collect()
}

#[derive(Debug)]
struct SeriesTable {
    name: &'static str,
    theirs: Arc<dyn TableFunctionImpl>,
}

impl SeriesTable {
    /// The series of whole numbers, where that is what the arguments ask for.
    fn of_numbers(&self, arguments: &[Expr]) -> Option<GenerateSeriesTable> {
        let schema = Schema::new(vec![Field::new(self.name, DataType::Int64, false)]);
        let mut numbers = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let Expr::Literal(value, _) = argument else {
                return None;
            };
            if !value.data_type().is_integer() && !value.data_type().is_null() {
                return None;
            }
            match value.cast_to(&DataType::Int64).ok()? {
                ScalarValue::Int64(number) => numbers.push(number),
                _ => return None,
            }
        }
        let numbers: Option<Vec<i64>> = numbers.into_iter().collect();
        let series = match numbers.as_deref() {
            None => GenSeriesArgs::ContainsNull { name: self.name },
            Some(numbers) => {
                let (start, end, step) = match *numbers {
                    [end] => (0, end, 1),
                    [start, end] => (start, end, 1),
                    [start, end, step] if step != 0 => (start, end, step),
                    _ => return None,
                };
                GenSeriesArgs::Int64Args {
                    start,
                    end,
                    step,
                    include_end: self.name == NAMES[0],
                    name: self.name,
                }
            }
        };
        Some(GenerateSeriesTable::new(Arc::new(schema), series))
    }

    /// Gives the column of another table the name of this function, and a type.
    fn renamed(
        &self,
        theirs: Arc<dyn TableProvider>,
        to: Option<DataType>,
    ) -> Result<Arc<dyn TableProvider>> {
        let schema = theirs.schema();
        let value = ident(schema.field(0).name());
        let value = match to {
            Some(to) => cast_expression(value, to),
            None => value,
        };
        let plan = LogicalPlanBuilder::scan("series", provider_as_source(theirs), None)?
            .project(vec![value.alias(self.name)])?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }

    /// Unfolds the list that the function of the same name gives, since that holds all years.
    fn as_list(&self, arguments: &TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let Some(function) = arguments.session().scalar_functions().get(self.name) else {
            return plan_err!("`{}` is not a function of this session", self.name);
        };
        let list = function.call(arguments.exprs().to_vec()).alias(self.name);
        let plan = LogicalPlanBuilder::empty(true)
            .project(vec![list])?
            .unnest_column(self.name)?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

impl TableFunctionImpl for SeriesTable {
    fn call_with_args(&self, arguments: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if let Some(numbers) = self.of_numbers(arguments.exprs()) {
            return Ok(Arc::new(numbers));
        }
        let is_fine = |argument: &Expr| {
            matches!(
                argument,
                Expr::Literal(ScalarValue::TimestampNanosecond(..), _)
            )
        };
        let stays = arguments.exprs().iter().any(is_fine);
        let given: Option<Vec<Expr>> = arguments
            .exprs()
            .iter()
            .map(|argument| in_nanoseconds(argument.clone()))
            .collect();
        let Some(given) = given else {
            return self.as_list(&arguments);
        };
        let session = arguments.session();
        let theirs = self
            .theirs
            .call_with_args(TableFunctionArgs::new(&given, session))?;
        let schema = theirs.schema();
        let to = match schema.field(0).data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) if !stays => {
                Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
            }
            _ => None,
        };
        self.renamed(theirs, to)
    }
}

/// Returns an argument in the unit of DataFusion's function; `None` where that cannot hold it.
fn in_nanoseconds(argument: Expr) -> Option<Expr> {
    let Expr::Literal(value, _) = &argument else {
        return Some(argument);
    };
    let DataType::Timestamp(_, zone) = value.data_type() else {
        return Some(argument);
    };
    let to = DataType::Timestamp(TimeUnit::Nanosecond, zone);
    Some(Expr::Literal(value.cast_to(&to).ok()?, None))
}
