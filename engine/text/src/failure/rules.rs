//! A table of the errors that statements commonly cause, and what to say instead.
//!
//! A rule's pattern is text with `{}` for what varies. In the message and the hint `{0}` is what the
//! first `{}` held, cut to a readable length; `{0t}` reads it as a type, `{0e}` as an expression,
//! `{0m}` as a message, `{0p}` as a path, `{0+}` as a number to count up by one, and `{0#row}` as a
//! number of rows.

use crate::failure::{FailureKind, Subject};

use super::wording::{short, sql_type, sql_words, tidy};

/// What to look for in the statement to find the place of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seek {
    /// Nothing is known.
    Nothing,
    /// The name that this `{}` held.
    Name(usize),
    /// The string or number that this `{}` held.
    Value(usize),
}

/// One known error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) pattern: &'static str,
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
    pub(super) seek: Seek,
    pub(super) kind: Option<FailureKind>,
    /// What the failure is about, given what the first `{}` held.
    pub(super) about: Option<fn(&str) -> Subject>,
}

const fn rule(pattern: &'static str, message: &'static str) -> Rule {
    Rule {
        pattern,
        message,
        hint: "",
        seek: Seek::Nothing,
        kind: None,
        about: None,
    }
}

impl Rule {
    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    const fn name(mut self, capture: usize) -> Self {
        self.seek = Seek::Name(capture);
        self
    }

    const fn value(mut self, capture: usize) -> Self {
        self.seek = Seek::Value(capture);
        self
    }

    const fn about(mut self, about: fn(&str) -> Subject) -> Self {
        self.about = Some(about);
        self
    }

    const fn plan(mut self) -> Self {
        self.kind = Some(FailureKind::Plan);
        self
    }

    const fn input(mut self) -> Self {
        self.kind = Some(FailureKind::InputOutput);
        self
    }

    const fn resources(mut self) -> Self {
        self.kind = Some(FailureKind::Resources);
        self
    }
}

const TEXT_VIEWS: &str = "`SET datafusion.execution.parquet.schema_force_view_types = true` reads text in a form without that limit";
const ONE_TYPE: &str = "cast one side to the type of the other";

/// The rules; the first that fits is taken.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    // Names.
    rule("table function '{}' not found", "table function `{0}` not found").name(0),
    rule("Table function '{}' not found", "table function `{0}` not found").name(0),
    rule("Table '{}' already exists", "table `{0}` exists already").name(0).plan(),
    rule("The table {} already exists", "table `{0}` exists already").name(0).plan(),
    rule("External table '{}' already exists", "table `{0}` exists already").name(0).plan(),
    rule("Schema '{}' already exists", "schema `{0}` exists already").name(0).plan(),
    rule("Schema '{}' doesn't exist", "schema `{0}` not found").name(0).plan(),
    rule("Catalog '{}' already exists", "catalog `{0}` exists already").name(0).plan(),
    rule("Table '{}' doesn't exist", "table `{0}` not found").name(0).plan().about(|_| Subject::MissingTable),
    rule("View '{}' doesn't exist", "view `{0}` not found").name(0).plan().about(|_| Subject::View),
    rule("No table named '{}'", "table `{0}` not found").name(0).plan().about(|_| Subject::MissingTable),
    rule("failed to resolve schema: {}", "schema `{0}` not found").name(0).plan(),
    rule("failed to resolve catalog: {}", "catalog `{0}` not found").name(0).plan(),
    rule("Invalid qualifier {}", "table `{0}` not found in FROM").name(0),
    rule("The window {} is not defined", "window `{0}` is not defined")
        .hint("define it with WINDOW {0} AS (…)").name(0),
    rule("The window {} is defined multiple times", "window `{0}` is defined twice"),
    rule("WITH query name \"{}\" specified more than once", "`{0}` is defined twice in WITH"),
    rule("Prepared statement '{}' does not exist", "prepared statement `{0}` not found").name(0).plan(),
    rule("Prepared statement '{}' already exists", "prepared statement `{0}` exists already").name(0).plan(),
    rule("Prepared statement '{}' expects {} parameters, but {} provided",
        "prepared statement `{0}` takes {1#parameter}, not {2}").name(0).plan(),
    rule("Unsupported SQL type {}", "type `{0}` is not known").name(0).plan(),
    rule("Projections require unique expression names but the expression \"{} AS {}\" at position {} and \"{}\" at position {} have the same name",
        "two columns of the result are called `{1}`").hint("give one of them another name with AS"),
    rule("Projections require unique expression names but the expression \"{}\" at position {} and \"{}\" at position {} have the same name",
        "the result has the column `{0e}` twice").hint("give one of them another name with AS"),
    rule("Unsupported JOIN operator {}", "this kind of join is not supported")
        .hint("JOIN, LEFT, RIGHT, FULL, CROSS, SEMI, ANTI and ASOF JOIN are"),
    rule("dot access not supported for non-string expr: {}", "a field behind this value is written in brackets")
        .hint("value['field']"),
    rule("Unsupported Value {}", "a literal of this kind is not supported"),
    rule("Unsupported binary operator: {}", "this operator is not supported"),
    rule("Unsupported SQL unary operator {}", "this operator is not supported"),
    rule("Unsupported function argument: {}", "an argument of this kind is not supported here"),
    rule("Unsupported ast node {}", "this is not supported in FROM"),
    rule("Field {} not found in struct", "field `{0}` not found in the struct").value(0).plan(),
    rule("Cannot access field at argument {}: type {} is not Struct, Map, or Null",
        "a value of type {1t} has no fields").plan(),
    rule("UPDATE failed: column '{}' does not exist", "column `{0}` not found").name(0).about(|_| Subject::Column),
    rule("Column '{}' not found", "column `{0}` not found").name(0).about(|_| Subject::Column),
    rule("Config value \"{}\" not found on {}", "setting `{0}` not found").name(0).about(|_| Subject::Setting),
    rule("Could not find config namespace \"{}\"", "settings that begin with `{0}.` do not exist").name(0),
    rule("Unknown runtime configuration: {}", "setting `{0}` not found").name(0).about(|_| Subject::Setting),
    rule("'{}' is not a variable which can be viewed with 'SHOW'", "setting `{0}` not found").name(0).about(|_| Subject::Setting),
    rule("Placeholder '{}' was not provided a value", "parameter `{0}` has no value").value(0).plan().about(|name| Subject::Parameter(name.to_owned())),

    // Grouping, aggregates, windows.
    rule("'{}' must appear in GROUP BY clause because it's not an aggregate expression",
        "`{0e}` must be in GROUP BY or inside an aggregate function")
        .hint("add it to GROUP BY, or take one value with `first_value({0e})`").name(0),
    rule("{}: While expanding wildcard, column \"{}\" must appear in the GROUP BY clause",
        "`{1e}` must be in GROUP BY or inside an aggregate function")
        .hint("add it to GROUP BY, or take one value with `first_value({1e})`").name(1),
    rule("Cannot find column with position {} in SELECT clause. Valid columns: 1 to {}",
        "GROUP BY position {0} is not in the select list")
        .hint("the select list has {1#column}").value(0),
    rule("Order by column out of bounds, specified: {}, max: {}",
        "ORDER BY position {0} is not in the select list")
        .hint("the select list has {1#column}").value(0),
    rule("Order by index starts at 1 for column indexes", "ORDER BY positions count from 1"),
    rule("Aggregate function calls cannot be nested: '{}' is nested inside '{}'",
        "aggregate functions cannot be nested").hint("compute `{0e}` in an inner query"),
    rule("Aggregate functions are not allowed in the WHERE clause",
        "aggregate functions are not allowed in WHERE").hint("filter groups with HAVING"),
    rule("Physical plan does not support logical expression WindowFunction",
        "a window function is not allowed here")
        .hint("filter its result with QUALIFY, or compute it in an inner query").plan(),
    rule("Physical plan does not support logical expression OuterReferenceColumn",
        "this subquery uses columns of the outer query in a way that is not supported")
        .hint("write it as a join").plan(),
    rule("Physical plan does not support logical expression", "this expression is not allowed here").plan(),
    rule("Percentile value must be between 0.0 and 1.0 inclusive, {} is invalid",
        "a percentile lies between 0 and 1, not at {0}").value(0),

    // Shapes: subqueries, unions, values.
    rule("Scalar subquery returned more than one row", "a subquery that stands for a value returned several rows")
        .hint("add LIMIT 1, aggregate its rows, or compare with IN"),
    rule("Too many columns! The subquery should only return one column: {}",
        "the subquery must return one column").hint("select only one column in it"),
    rule("Incompatible inputs for Union: Previous inputs were of type {}, but got incompatible type {} on column '{}'",
        "column `{2}` of the union is {0t} on one side and {1t} on the other").hint(ONE_TYPE).name(2).plan(),
    rule("Union schemas have different number of fields: query 1 has {} fields whereas query {} has {} fields",
        "both sides of a union need as many columns: the first has {0}, another {2}").plan(),
    rule("Non-recursive term and recursive term must have the same number of columns ({} != {})",
        "both parts of a recursive query need as many columns: {0} and {1}"),
    rule("Inconsistent data length across values list: got {} values in row {} but expected {}",
        "row {1+} of VALUES has {0#value}, not {2}"),
    rule("Inconsistent data type across values list at row {} column {}. Was {} but found {}",
        "column {1+} of VALUES is {2t} at first and {3t} in row {0+}"),
    rule("Column count doesn't match insert query", "the number of columns is not that of the inserted query"),
    rule("Mismatch: {} columns specified, but result has {} columns",
        "{0#name} given for a query of {1#column}"),
    rule("unnest() can only be applied to array, struct and null", "unnest takes an array or a struct"),
    rule("map requires key and value lists to have the same length", "a map needs as many keys as values"),
    rule("SELECT * with no tables specified is not valid", "`*` needs a FROM clause"),

    // Types.
    rule("Cannot create filter with non-boolean predicate '{}' returning {}",
        "a condition must be BOOLEAN: `{0e}` is {1t}").name(0),
    rule("{} must be boolean type, but got {}", "a condition must be BOOLEAN, not {1t}"),
    rule("Expected {} to be an integer or null, but got {}", "{0} takes a whole number, not {1t}").plan(),
    rule("LIMIT must be >= 0, '{}' was provided", "LIMIT cannot be negative: {0}").value(0).plan(),
    rule("OFFSET must be >=0, '{}' was provided", "OFFSET cannot be negative: {0}").value(0).plan(),
    rule("There isn't a common type to coerce {} and {} in {} expression",
        "{2} cannot be used with {0t} and {1t}").hint(ONE_TYPE).plan(),
    rule("Failed to coerce types {} and {} in {} expression",
        "{2} cannot be used with {0t} and {1t}").hint(ONE_TYPE).plan(),
    rule("Can not find compatible types to compare {} with [{}]",
        "cannot compare {0t} with {1e}").hint(ONE_TYPE).plan(),
    rule("Failed to coerce case ({}) and when ({}) to common types in CASE WHEN expression",
        "CASE compares {0t} with {1e}").hint(ONE_TYPE).plan(),
    rule("Failed to coerce then ({}) and else ({}) to common types in CASE WHEN expression",
        "the branches of CASE have different types: {0e} and {1e}").hint("cast them to one type").plan(),
    rule("Cannot automatically convert {} to {}", "cannot convert {0t} to {1t}").hint("cast it explicitly").plan(),
    rule("expr type {} can't cast to {} in {}", "cannot compare {0t} with {1t}").hint(ONE_TYPE).plan(),
    rule("{} cannot be used with {}", "`{0}` cannot be used with {1t}"),
    rule("Unary operator '{}' requires a boolean expression, got {}", "`{0}` cannot be used with {1t}"),

    // Casts and values.
    rule("Cannot cast string '{}' to value of {} type", "cannot cast '{0}' to {1t}")
        .hint("TRY_CAST gives NULL where a value does not fit").value(0),
    rule("Cannot cast value '{}' to value of {} type", "cannot cast '{0}' to {1t}")
        .hint("TRY_CAST gives NULL where a value does not fit").value(0),
    rule("Can't cast value {} to type {}", "{0} is out of range for {1t}")
        .hint("TRY_CAST gives NULL where a value does not fit").value(0),
    rule("Unsupported CAST from {} to {}", "cannot cast {0t} to {1t}").plan(),
    rule("Casting from {} to {} not supported", "cannot cast {0t} to {1t}").plan(),
    rule("Error parsing timestamp from '{}': {}", "cannot read '{0}' as a timestamp: {1}")
        .hint("a timestamp is written like '2024-12-31 23:59:59'").value(0),
    rule("Invalid timezone \"{}\"", "time zone '{0}' is not known").value(0).plan(),
    rule("Invalid input syntax for type interval: \"{}\"", "cannot read '{0}' as an interval")
        .hint("an interval is written like '3 days 2 hours'").value(0),
    rule("Unable to cast to Date32 for converting", "a value cannot be read as a date")
        .hint("a date is written like '2024-12-31'"),
    rule("{} is too large to store in a Decimal{} of precision {}. Max is {}",
        "a value is out of range for DECIMAL with {2#digit}"),
    rule("{} is too small to store in a Decimal{} of precision {}. Min is {}",
        "a value is out of range for DECIMAL with {2#digit}"),
    rule("Cannot cast to Decimal{}({}, {}). Overflowing on {}", "{3} is out of range for DECIMAL({1}, {2})").value(3),
    rule("Overflow happened on: {}", "the result of {0} is out of range"),
    rule("Overflow happened on {}", "the result of {0} is out of range"),
    rule("Offset overflow error: {}", "more than 2 GiB of text came together in one column").hint(TEXT_VIEWS),
    rule("offset overflow, buffer size > {}", "more than 2 GiB of text came together in one column").hint(TEXT_VIEWS),
    rule("Divide by zero", "division by zero"),
    rule("Invalid HexStringLiteral '{}'", "x'{0}' is not a string of hexadecimal digits"),
    rule("Unsupported date_trunc granularity: '{}'. Supported values are: {}",
        "date_trunc does not know the unit '{0}'").hint("it knows {1m}").value(0),
    rule("Date part '{}' not supported", "date part '{0}' is not known").value(0).plan(),
    rule("Unsupported type '{}'. Must be a supported arrow type name", "type '{0}' is not known").value(0).plan(),
    rule("Substring without for/from is not valid", "substr needs the position to start from"),

    // Files and formats.
    rule("No files found at {}. Cannot infer schema", "no files found at `{0p}`").value(0),
    rule("Unable to find factory for {}", "table format `{0}` is not known").name(0).plan(),
    rule("There is no registered file format with ext {}", "file format `{0}` is not known").plan(),
    rule("No suitable object store found for {}.", "no storage is set up for `{0p}`").plan(),
    rule("No suitable object store found for {}", "no storage is set up for `{0p}`").plan(),
    rule("Error while parsing value '{}' as type '{}' for column {} at line {}. Row data: '{}'",
        "column {2+} of a CSV file holds '{0}', which is no {1t}").hint("the row is {4}").input(),
    rule("incorrect number of fields for line {}, expected {} got {}",
        "a row of a CSV file has {2#column}, not {1}").hint("it is near line {0}").input(),
    rule("Not valid JSON: {}", "a JSON file is damaged: {0m}").input(),
    rule("Incorrect avro magic", "a file is not an Avro file").input(),
    rule("Failed to parse Arrow file as either file format or stream format",
        "a file is not an Arrow file").input(),
    rule("Error encountered while finalizing writes", "writing the results failed before they were complete")
        .hint("the target may be full, or a part may have been written").input(),
    rule("Unable to create dir {}: {}", "cannot create folder `{0p}`: {1m}"),
    rule("Unable to create file {}: {}", "cannot create file `{0p}`: {1m}"),
    rule("Unable to open file {}: {}", "cannot open `{0p}`: {1m}"),
    rule("Invalid Parquet file. {}", "a file is not a Parquet file, or is damaged: {0m}"),
    rule("Parquet files are at least {} bytes long, but file length is {}",
        "a file is too short for a Parquet file: {1#byte}"),

    // Limits.
    rule("The used disk space during the spilling process has exceeded the allowable limit of {}. Please",
        "the files that the query spilled exceed {0}")
        .hint("raise it with SET datafusion.runtime.max_temp_directory_size = '…'").resources(),
    rule("Memory Exhausted while {} (DiskManager is disabled)", "out of memory while {0}")
        .hint("let queries spill to disk, or raise lakesh.memory_limit").resources(),

    // What is not there.
    rule("Unsupported SQL statement: {}", "this statement is not supported: `{0}`").plan(),
    rule("Unsupported logical plan: {}", "this statement is not supported").plan(),
    rule("DML not supported: {}", "this statement is not supported").plan(),
    rule("DDL not supported: {}", "this statement is not supported").plan(),
    rule("Statement not supported: {}", "this statement is not supported").plan(),
    rule("{} not supported for Base table", "{0} is not supported for this table").plan(),
    rule("Function factory has not been configured", "CREATE FUNCTION is not supported here").plan(),
];

/// Matches a text with a pattern from its start on and returns what the `{}` held.
pub(super) fn capture<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut literals = pattern.split("{}");
    let mut rest = text.strip_prefix(literals.next()?)?;
    let mut captures = Vec::new();
    for literal in literals {
        let end = if literal.is_empty() {
            rest.len()
        } else {
            rest.find(literal)?
        };
        captures.push(&rest[..end]);
        rest = &rest[end + literal.len()..];
    }
    Some(captures)
}

/// Fills a template with what a pattern captured.
pub(super) fn fill(template: &str, captures: &[&str]) -> String {
    let mut result = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        result.push_str(before);
        let Some((field, next)) = after.split_once('}') else {
            break;
        };
        let digits = field.len()
            - field
                .trim_start_matches(|digit: char| digit.is_ascii_digit())
                .len();
        let number = field[..digits].parse::<usize>().unwrap_or_default();
        let value = captures.get(number).copied().unwrap_or_default().trim();
        result.push_str(&shown(value, &field[digits..]));
        rest = next;
    }
    result + rest
}

fn shown(value: &str, form: &str) -> String {
    match form {
        "t" => sql_type(value),
        "e" => short(&sql_words(value)),
        "m" => tidy(value),
        "p" => short(value.strip_prefix("file://").unwrap_or(value)),
        "+" => match value.parse::<u64>() {
            Ok(number) => (number + 1).to_string(),
            Err(_) => short(value),
        },
        noun if noun.starts_with('#') => match value {
            "1" => format!("1 {}", &noun[1..]),
            many => format!("{} {}s", short(many), &noun[1..]),
        },
        _ => short(value),
    }
}

#[cfg(test)]
mod tests {
    use super::{RULES, capture, fill};

    #[test]
    fn patterns_capture() {
        assert_eq!(capture("a {} b {}", "a x b y z"), Some(vec!["x", "y z"]));
        assert_eq!(capture("a '{}' b", "a 'x' b and more"), Some(vec!["x"]));
        assert_eq!(capture("a", "a and more"), Some(vec![]));
        assert_eq!(capture("a {} c", "a b"), None);
    }

    #[test]
    fn templates_are_filled() {
        let captures = ["Int64", "1", "file:///tmp/x", &"v".repeat(99)];
        for (template, text) in [
            ("{0} {0t}", "Int64 BIGINT"),
            ("{1#row}, {1+}, {2p}", "1 row, 2, /tmp/x"),
            ("{2#row}", "file:///tmp/x rows"),
            ("{9}|", "|"),
        ] {
            assert_eq!(fill(template, &captures), text);
        }
        assert!(fill("{3}", &captures).ends_with('…'));
    }

    #[test]
    fn rules_use_what_they_capture() {
        for rule in RULES {
            let count = rule.pattern.matches("{}").count();
            for template in [rule.message, rule.hint] {
                for field in template.split('{').skip(1) {
                    let digit = field.chars().next().and_then(|digit| digit.to_digit(10));
                    assert!(
                        digit.is_some_and(|digit| (digit as usize) < count),
                        "{}",
                        rule.pattern
                    );
                }
                assert!(!template.ends_with('.'), "{template}");
            }
        }
    }
}
