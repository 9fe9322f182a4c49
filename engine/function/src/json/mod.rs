//! JSON that is a text: what stands where in it, and values written as such.

pub(crate) mod change;
mod path;
mod scan;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListBuilder, StringArray, StringBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::arrow::json::writer::{EncoderOptions, make_encoder};
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::kernel::{is_text, texts};
use crate::registry::find;
use scan::{Broken, Step};

/// Plans `->` and `->>` behind a text.
#[derive(Debug)]
pub(crate) struct ArrowPlanner;

impl ExprPlanner for ArrowPlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let function = match expr.op {
            BinaryOperator::Arrow => &ARROW,
            BinaryOperator::LongArrow => &LONG_ARROW,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let is_json = expr
            .left
            .get_type(schema)
            .is_ok_and(|data_type| is_text(&data_type) || data_type.is_null());
        match &**function {
            Some(function) if is_json => {
                let arguments = vec![expr.left, expr.right];
                let call = ScalarFunction::new_udf(Arc::clone(function), arguments);
                Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
            }
            _ => Ok(PlannerResult::Original(expr)),
        }
    }
}

/// Plans places and slices of a text, `'abc'[1]`, `'abc'[2:]`; and a list beside NULL, `[1, 2] || NULL`, which
/// PostgreSQL takes for a list that is NULL and DataFusion for an element.
#[derive(Debug)]
pub(crate) struct TextPlacePlanner;

impl ExprPlanner for TextPlacePlanner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let is_null = |side: &Expr| matches!(side, Expr::Literal(ScalarValue::Null, _));
        let is_list = |side: &Expr| {
            let data_type = side.get_type(schema);
            matches!(data_type, Ok(DataType::List(_) | DataType::LargeList(_)))
        };
        let kept = match expr.op {
            BinaryOperator::StringConcat if is_null(&expr.right) && is_list(&expr.left) => {
                expr.left
            }
            BinaryOperator::StringConcat if is_null(&expr.left) && is_list(&expr.right) => {
                expr.right
            }
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(PlannerResult::Planned(kept))
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let is_a_text = expr
            .expr
            .get_type(schema)
            .is_ok_and(|data_type| is_text(&data_type));
        let Some(function) = SLICE.as_ref().filter(|_| is_a_text) else {
            return Ok(PlannerResult::Original(expr));
        };
        let RawFieldAccessExpr {
            expr: text,
            field_access,
        } = expr;
        let (start, stop) = match field_access {
            GetFieldAccess::ListIndex { key } => ((*key).clone(), *key),
            GetFieldAccess::ListRange {
                start,
                stop,
                stride,
            } if matches!(*stride, Expr::Literal(ScalarValue::Int64(Some(1)), _)) => {
                (*start, *stop)
            }
            GetFieldAccess::ListRange { .. } => {
                return plan_err!("a slice of a text has no step");
            }
            GetFieldAccess::NamedStructField { name } => {
                return plan_err!(
                    "a text has no field `{name}`; json_extract_string takes one out of JSON"
                );
            }
        };
        let call = ScalarFunction::new_udf(Arc::clone(function), vec![text, start, stop]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

static SLICE: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| kernel_of("lakesh_text_slice"));

static ARROW: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| kernel_of("json_extract"));
static LONG_ARROW: LazyLock<Option<Arc<ScalarUDF>>> =
    LazyLock::new(|| kernel_of("json_extract_string"));

fn kernel_of(name: &str) -> Option<Arc<ScalarUDF>> {
    find(name).and_then(|function| function.scalar())
}

/// The ways of a column of arguments: texts, or numbers that are places in lists.
struct Ways<'a> {
    texts: Option<&'a StringArray>,
    numbers: Option<Int64Array>,
    known: Option<(&'a str, Vec<Step>)>,
}

impl<'a> Ways<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self> {
        let is_number = array.data_type().is_integer();
        let numbers = match is_number {
            true => Some(
                cast(array, &DataType::Int64)?
                    .as_primitive::<Int64Type>()
                    .clone(),
            ),
            false => None,
        };
        let texts = match array.data_type() {
            DataType::Utf8 => Some(array.as_string::<i32>()),
            _ => None,
        };
        if texts.is_none() && numbers.is_none() && !array.data_type().is_null() {
            return exec_err!("a way into JSON is a text such as '$.a[0]', or a number");
        }
        Ok(Self {
            texts,
            numbers,
            known: None,
        })
    }

    /// The way of a row; `None` for NULL.
    fn of(&mut self, row: usize) -> Result<Option<Vec<Step>>> {
        if let Some(numbers) = &self.numbers {
            let number = numbers.is_valid(row).then(|| numbers.value(row));
            return Ok(number.map(|index| vec![Step::Index(index)]));
        }
        let Some(texts) = self.texts.filter(|texts| texts.is_valid(row)) else {
            return Ok(None);
        };
        let text = texts.value(row);
        if let Some((known, steps)) = &self.known
            && *known == text
        {
            return Ok(Some(steps.clone()));
        }
        match path::parse(text) {
            Ok(steps) => {
                self.known = Some((text, steps.clone()));
                Ok(Some(steps))
            }
            Err(problem) => exec_err!("{problem}"),
        }
    }
}

fn malformed(text: &str, broken: Broken) -> datafusion::common::DataFusionError {
    let Broken(at) = broken;
    let shown: String = text.chars().take(40).collect();
    datafusion::common::exec_datafusion_err!("'{shown}' is no JSON: byte {} is wrong", at + 1)
}

/// Calls a function with what stands at each row's way, and appends what it gives.
fn each(
    arrays: &[ArrayRef],
    mut found: impl FnMut(Option<&str>) -> Result<()>,
    refuses: bool,
) -> Result<()> {
    let (documents, mut ways) = match arrays {
        [documents] => (texts(documents), None),
        [documents, ways] => (texts(documents), Some(Ways::new(ways)?)),
        _ => return exec_err!("a JSON text and a way into it are needed"),
    };
    for row in 0..documents.len() {
        let steps = match &mut ways {
            None => Some(Vec::new()),
            Some(ways) => ways.of(row)?,
        };
        let (true, Some(steps)) = (documents.is_valid(row), steps) else {
            found(None)?;
            continue;
        };
        match scan::follow(documents.value(row), &steps) {
            Ok(value) => found(value)?,
            Err(broken) if refuses => return Err(malformed(documents.value(row), broken)),
            Err(_) => found(None)?,
        }
    }
    Ok(())
}

/// `json_extract`: the value as JSON.
pub(crate) fn extract(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let mut values = StringBuilder::new();
    each(
        arrays,
        |value| {
            values.append_option(value.map(scan::compact));
            Ok(())
        },
        true,
    )?;
    Ok(Arc::new(values.finish()))
}

/// `json_extract_string`: the value as a text; `null` is NULL.
pub(crate) fn extract_text(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    plain_texts(arrays, true)
}

/// `get_json_object`: as `json_extract_string`, and NULL for what is no JSON.
pub(crate) fn get_object(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    plain_texts(arrays, false)
}

fn plain_texts(arrays: &[ArrayRef], refuses: bool) -> Result<ArrayRef> {
    let mut values = StringBuilder::new();
    each(
        arrays,
        |value| {
            let text =
                value
                    .filter(|value| *value != "null")
                    .map(|value| match value.starts_with('"') {
                        true => scan::unquoted(value),
                        false => scan::compact(value),
                    });
            values.append_option(text);
            Ok(())
        },
        refuses,
    )?;
    Ok(Arc::new(values.finish()))
}

/// `json_valid`.
pub(crate) fn is_valid(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [documents] = arrays else {
        return exec_err!("`json_valid` takes one text");
    };
    let valid = texts(documents)
        .iter()
        .map(|text| text.map(|text| scan::document(text).is_ok()));
    Ok(Arc::new(valid.collect::<BooleanArray>()))
}

/// A cast to JSON: a text is checked and stays, any other value is written.
pub(crate) fn as_json(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("a cast to JSON takes one value");
    };
    if !is_text(values.data_type()) {
        return written(arrays);
    }
    let values = cast(values, &DataType::Utf8)?;
    for text in texts(&values).iter().flatten() {
        scan::document(text).map_err(|broken| malformed(text, broken))?;
    }
    Ok(values)
}

/// TRY_CAST to JSON: NULL for a text that is none.
pub(crate) fn try_as_json(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("a cast to JSON takes one value");
    };
    if !is_text(values.data_type()) {
        return written(arrays);
    }
    let values = cast(values, &DataType::Utf8)?;
    let kept = texts(&values)
        .iter()
        .map(|text| text.filter(|text| scan::document(text).is_ok()));
    Ok(Arc::new(kept.collect::<StringArray>()))
}

/// `json_value`: as `json_extract_string`, and NULL for objects and lists.
pub(crate) fn scalar_text(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let mut values = StringBuilder::new();
    each(
        arrays,
        |value| {
            let scalar = value.filter(|value| *value != "null" && !value.starts_with(['{', '[']));
            values.append_option(scalar.map(|value| match value.starts_with('"') {
                true => scan::unquoted(value),
                false => value.to_owned(),
            }));
            Ok(())
        },
        true,
    )?;
    Ok(Arc::new(values.finish()))
}

/// `json`: the text without blanks between its parts.
pub(crate) fn minified(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    extract(arrays)
}

/// `json_strip_nulls`: objects without the members that are null.
pub(crate) fn without_nulls(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [documents] = arrays else {
        return exec_err!("`json_strip_nulls` takes one text");
    };
    let mut values = StringBuilder::new();
    for text in texts(documents) {
        let Some(text) = text else {
            values.append_null();
            continue;
        };
        let value = scan::document(text).map_err(|broken| malformed(text, broken))?;
        let mut stripped = String::with_capacity(text.len());
        strip(value, &mut stripped).map_err(|broken| malformed(text, broken))?;
        values.append_value(stripped);
    }
    Ok(Arc::new(values.finish()))
}

fn strip(value: &str, out: &mut String) -> std::result::Result<(), Broken> {
    if let Some(members) = scan::members(value)? {
        out.push('{');
        let mut is_first = true;
        for (name, member) in members {
            if member == "null" {
                continue;
            }
            if !is_first {
                out.push(',');
            }
            is_first = false;
            out.push_str(name);
            out.push(':');
            strip(member, out)?;
        }
        out.push('}');
    } else if let Some(elements) = scan::elements(value)? {
        out.push('[');
        for (place, element) in elements.into_iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            strip(element, out)?;
        }
        out.push(']');
    } else {
        out.push_str(value);
    }
    Ok(())
}

/// `json_array_length`: 0 for what is no list, as in DuckDB.
pub(crate) fn list_length(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let mut lengths = Vec::new();
    each(
        arrays,
        |value| {
            lengths.push(match value {
                None => None,
                Some(value) => {
                    let elements = scan::elements(value).ok().flatten();
                    let length = elements.map_or(0, |elements| elements.len());
                    Some(i64::try_from(length).unwrap_or(i64::MAX))
                }
            });
            Ok(())
        },
        true,
    )?;
    Ok(Arc::new(Int64Array::from(lengths)))
}

/// `json_keys`: the keys of an object in their order; none for what is no object.
pub(crate) fn keys(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    each(
        arrays,
        |value| {
            if let Some(value) = value {
                let members = scan::members(value).ok().flatten().unwrap_or_default();
                for (name, _) in members {
                    lists.values().append_value(scan::unquoted(name));
                }
            }
            lists.append(value.is_some());
            Ok(())
        },
        true,
    )?;
    Ok(Arc::new(lists.finish()))
}

/// `json_type`, in DuckDB's words.
pub(crate) fn type_of(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    typed(arrays, |value| match value.as_bytes().first() {
        Some(b'{') => "OBJECT",
        Some(b'[') => "ARRAY",
        Some(b'"') => "VARCHAR",
        Some(b't' | b'f') => "BOOLEAN",
        Some(b'n') => "NULL",
        _ if value.contains(['.', 'e', 'E']) => "DOUBLE",
        Some(b'-') => "BIGINT",
        _ => "UBIGINT",
    })
}

/// `json_typeof`, in PostgreSQL's words.
pub(crate) fn plain_type_of(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    typed(arrays, |value| match value.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    })
}

fn typed(arrays: &[ArrayRef], name: fn(&str) -> &'static str) -> Result<ArrayRef> {
    let mut names = StringBuilder::new();
    each(
        arrays,
        |value| {
            names.append_option(value.map(name));
            Ok(())
        },
        true,
    )?;
    Ok(Arc::new(names.finish()))
}

/// `to_json`: any value as JSON; NULL stays NULL.
pub(crate) fn written(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`to_json` takes one value");
    };
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let field = Arc::new(Field::new("value", values.data_type().clone(), true));
    let mut encoder = make_encoder(&field, values, &options)?;
    let mut texts = StringBuilder::new();
    let mut bytes = Vec::new();
    let nulls = values.logical_nulls();
    for row in 0..values.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            texts.append_null();
            continue;
        }
        bytes.clear();
        encoder.encode(row, &mut bytes);
        match std::str::from_utf8(&bytes) {
            Ok(text) => texts.append_value(text),
            Err(_) => return exec_err!("a value cannot be written as JSON"),
        }
    }
    Ok(Arc::new(texts.finish()))
}
