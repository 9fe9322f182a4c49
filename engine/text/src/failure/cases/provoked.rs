//! Each rule meets the error that it is for, made by the libraries in use.
//!
//! A rule goes by a library's words, and falls silent when an upgrade words the error otherwise: its message
//! would then reach the user as it is. The statements of `table.rs` provoke most rules; those here the rest.

use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::super::rules::RULES;
use super::{CASES, DAMAGED, Failure, MET, context, failure, failure_of_file};

/// A rule's pattern, and statements of which the last provokes it.
type Provoked = (&'static str, &'static [&'static str]);

#[rustfmt::skip]
const PROVOKED: &[Provoked] = &[
    ("table function '{}' not found", &["select * from nosuch(1)"]),
    ("External table '{}' already exists", &["create external table trips stored as csv location '/tmp/x.csv'"]),
    ("Schema '{}' already exists", &["create schema public"]),
    ("Schema '{}' doesn't exist", &["drop schema nope"]),
    ("Catalog '{}' already exists", &["create database datafusion"]),
    ("View '{}' doesn't exist", &["drop view nope"]),
    ("failed to resolve schema: {}", &["create table nope.t (a int)"]),
    ("failed to resolve catalog: {}", &["create table nope.public.t (a int)"]),
    ("The window {} is defined multiple times",
        &["select sum(vendor_id) over w from trips window w as (order by note), w as (order by pickup)"]),
    ("WITH query name \"{}\" specified more than once", &["with a as (select 1), a as (select 2) select * from a"]),
    ("Prepared statement '{}' does not exist", &["deallocate nope"]),
    ("Prepared statement '{}' already exists", &["prepare p as select 1", "prepare p as select 1"]),
    ("Prepared statement '{}' expects {} parameters, but {} provided",
        &["prepare q(int) as select $1", "execute q"]),
    ("Projections require unique expression names but the expression \"{}\" at position {} and \"{}\" at position {} have the same name",
        &["select vendor_id, vendor_id from trips"]),
    ("Cannot access field at argument {}: type {} is not Struct, Map, or Null", &["select vendor_id['a'] from trips"]),
    ("Unknown runtime configuration: {}", &["set datafusion.runtime.nope = '1'"]),
    ("'{}' is not a variable which can be viewed with 'SHOW'", &["show nope"]),
    ("{}: While expanding wildcard, column \"{}\" must appear in the GROUP BY clause",
        &["select * from trips group by vendor_id"]),
    ("Order by index starts at 1 for column indexes", &["select vendor_id from trips order by 0"]),
    ("Physical plan does not support logical expression",
        &["select vendor_id in (select vendor_id from zones) from trips"]),
    ("Non-recursive term and recursive term must have the same number of columns ({} != {})",
        &["with recursive r as (select 1 as a union all select 1, 2 from r) select * from r"]),
    ("Column count doesn't match insert query", &["insert into zones (vendor_id) select 1, 'x'"]),
    ("Mismatch: {} columns specified, but result has {} columns", &["create table m (a int, b int) as select 1"]),
    ("SELECT * with no tables specified is not valid", &["select *"]),
    ("{} must be boolean type, but got {}", &["select 1 from trips a join zones b on a.vendor_id + b.vendor_id"]),
    ("OFFSET must be >=0, '{}' was provided", &["select * from trips offset -1"]),
    ("Can not find compatible types to compare {} with [{}]", &["select * from trips where pickup in (1, 2)"]),
    ("Failed to coerce case ({}) and when ({}) to common types in CASE WHEN expression",
        &["select case vendor_id when pickup then 1 end from trips"]),
    ("Failed to coerce then ({}) and else ({}) to common types in CASE WHEN expression",
        &["select case when note = 'a' then vendor_id else pickup end from trips"]),
    ("expr type {} can't cast to {} in {}", &["select * from trips where pickup in (select vendor_id from zones)"]),
    ("Cannot cast value '{}' to value of {} type", &["select cast(note as boolean) from trips"]),
    ("{} is too large to store in a Decimal{} of precision {}. Max is {}",
        &["select cast(cast(vendor_id * 100000 as decimal(20, 3)) as decimal(6, 2)) from trips"]),
    ("{} is too small to store in a Decimal{} of precision {}. Min is {}",
        &["select cast(cast(vendor_id * -100000 as decimal(20, 3)) as decimal(6, 2)) from trips"]),
    ("Cannot cast to Decimal{}({}, {}). Overflowing on {}",
        &["select cast(cast('99999999999999999999999999999999999999' as decimal(38, 0)) as decimal(38, 10))"]),
    ("Overflow happened on: {}",
        &["select cast('99999999999999999999999999999999999999' as decimal(38, 0)) \
           * cast('99999999999999999999999999999999999999' as decimal(38, 0))"]),
    ("There is no registered file format with ext {}", &["copy trips to '/tmp/nowhere/x.foo'"]),
    (
        "Error encountered while finalizing writes",
        &["copy trips to '/proc/nowhere/x.csv'"],
    ),
];

/// Rules that nothing here provokes, and why.
const NOT_PROVOKED: &[(&str, &str)] = &[
    (
        "Unsupported JOIN operator {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "dot access not supported for non-string expr: {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "Unsupported Value {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "Unsupported binary operator: {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "Unsupported SQL unary operator {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "Unsupported function argument: {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "Unsupported ast node {}",
        "the parser refuses it first, in words of its own",
    ),
    (
        "UPDATE failed: column '{}' does not exist",
        "SQL's planner knows the columns before the table is asked",
    ),
    (
        "Column '{}' not found",
        "only methods of data frames say so, which SQL does not call",
    ),
    (
        "Union schemas have different number of fields: query 1 has {} fields whereas query {} has {} fields",
        "SQL's planner counts the columns of a union first",
    ),
    (
        "Cannot automatically convert {} to {}",
        "a common type is looked for first, and its absence is said in other words",
    ),
    (
        "Casting from {} to {} not supported",
        "casts that Arrow lacks are refused when the query is planned",
    ),
    (
        "Offset overflow error: {}",
        "takes more than 2 GiB of text in one column",
    ),
    (
        "offset overflow, buffer size > {}",
        "takes more than 2 GiB of text in one column",
    ),
    (
        "No suitable object store found for {}",
        "the sentence ends with a full stop, for which there is the rule before it",
    ),
    (
        "Unable to create dir {}: {}",
        "the writers of files say that writes cannot be finished; deltalake's says so",
    ),
    (
        "Unable to open file {}: {}",
        "the writers of files say that writes cannot be finished; deltalake's says so",
    ),
    (
        "Unable to create file {}: {}",
        "takes a path without a folder",
    ),
    (
        "The used disk space during the spilling process has exceeded the allowable limit of {}. Please",
        "takes a query that spills much; the tests of memory have one",
    ),
    (
        "Memory Exhausted while {} (DiskManager is disabled)",
        "takes a session that may not spill, which the engine does not make",
    ),
];

fn have_met(pattern: &str) -> bool {
    MET.with_borrow(|met| met.contains(pattern))
}

/// A session with the tables of the cases, in which SHOW works.
async fn fresh() -> SessionContext {
    let known = context(true).await;
    let config = SessionConfig::new().with_information_schema(true);
    let context = SessionContext::new_with_config(config);
    for name in ["trips", "zones"] {
        let table = known.table_provider(name).await.unwrap();
        context.register_table(name, table).unwrap();
    }
    context
}

/// Provokes what only DataFusion's own methods say; the engine calls some of them.
async fn call_methods() {
    let context = fresh().await;
    let trips = context.table_provider("trips").await.unwrap();
    let schema = context.catalog("datafusion").unwrap().schema("public");
    let ddl = SQLOptions::new().with_allow_ddl(false);
    let dml = SQLOptions::new().with_allow_dml(false);
    let statements = SQLOptions::new().with_allow_statements(false);
    let insert = "insert into zones values (1, 'x')";
    let errors = [
        context.table("nope").await.err(),
        context.table_function("nope").err(),
        schema.unwrap().register_table("trips".into(), trips).err(),
        context
            .sql_with_options("create table x (a int)", ddl)
            .await
            .err(),
        context.sql_with_options(insert, dml).await.err(),
        context
            .sql_with_options("set datafusion.execution.batch_size = 1", statements)
            .await
            .err(),
    ];
    for error in errors {
        drop(Failure::from_error(error.expect("it is refused")));
    }
}

#[tokio::test]
async fn each_rule_meets_a_real_error() {
    let mut wrong = Vec::new();
    for (pattern, statements) in PROVOKED {
        let context = fresh().await;
        let (last, before) = statements.split_last().unwrap();
        for sql in before {
            context.sql(sql).await.unwrap().collect().await.unwrap();
        }
        MET.take();
        let outcome = async { context.sql(last).await?.collect().await }.await;
        let said = match outcome {
            Ok(_) => "nothing".to_owned(),
            Err(error) => {
                let text = error.to_string();
                drop(Failure::from_error(error));
                text
            }
        };
        if !have_met(pattern) {
            wrong.push(format!("{pattern}\n  {last}\n  says {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    MET.take();
    let context = context(true).await;
    for (sql, ..) in CASES {
        failure(&context, sql).await;
    }
    for file in DAMAGED {
        failure_of_file(&context, file).await;
    }
    call_methods().await;
    let silent: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.pattern)
        .filter(|pattern| !have_met(pattern))
        .filter(|pattern| !PROVOKED.iter().any(|(provoked, _)| provoked == pattern))
        .filter(|pattern| !NOT_PROVOKED.iter().any(|(listed, _)| listed == pattern))
        .collect();
    assert!(silent.is_empty(), "nothing provokes {silent:#?}");
}

#[test]
fn the_lists_name_rules() {
    let listed = NOT_PROVOKED.iter().map(|(pattern, _)| *pattern);
    for pattern in PROVOKED.iter().map(|(pattern, _)| *pattern).chain(listed) {
        assert!(
            RULES.iter().any(|rule| rule.pattern == pattern),
            "{pattern}"
        );
    }
}
