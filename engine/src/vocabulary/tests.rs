use lakesh_session::parse;
use lakesh_text::input::Substituted;

use super::STATEMENTS;

#[track_caller]
fn check(sql: &str, message: &str, hint: Option<&str>) {
    let failure = parse(STATEMENTS, &Substituted::detached(sql))
        .err()
        .unwrap();
    assert_eq!(failure.message, message, "{sql}");
    let hints: Vec<&str> = failure.hints.iter().map(String::as_str).collect();
    assert_eq!(hints, hint.into_iter().collect::<Vec<_>>(), "{sql}");
}

#[test]
fn words_that_begin_statements_are_known() {
    let meant = |word: &str| format!("did you mean `{word}`?");
    check(
        "selct 1",
        "expected a statement, found `selct`",
        Some(&meant("SELECT")),
    );
    check(
        "compres t",
        "expected a statement, found `compres`",
        Some(&meant("COMPRESS")),
    );
    check(
        "explain selct 1",
        "expected a statement, found `selct`",
        Some(&meant("SELECT")),
    );
    check("qqqqqq 1", "expected a statement, found `qqqqqq`", None);
    let missing = Some("a `;` may be missing before it");
    check(
        "select 1\nselect 2",
        "expected the end of the statement, found `select`",
        missing,
    );
    check(
        "select 1\nfrom t vacuum t",
        "expected the end of the statement, found `t`",
        None,
    );
    check(
        "drop table t drop table u",
        "expected the end of the statement, found `drop`",
        missing,
    );
}

/// Each statement is told from those that begin alike.
#[test]
fn statements_are_told_apart() {
    let mut wrong = Vec::new();
    for (sql, verb) in VERBS {
        match parse(STATEMENTS, &Substituted::detached(sql)) {
            Ok(statement) if statement.verb() == *verb => {}
            Ok(statement) => wrong.push(format!("{sql}: {}", statement.verb())),
            Err(failure) => wrong.push(format!("{sql}: {failure}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rustfmt::skip]
const VERBS: &[(&str, &str)] = &[
    ("select 1", "SELECT"),
    ("values (1), (2)", "SELECT"),
    ("from t", "SELECT"),
    ("with a as (select 1) select * from a", "SELECT"),
    ("(select 1) union all select 2", "SELECT"),
    ("explain select 1", "EXPLAIN"),
    ("explain analyze verbose select 1", "EXPLAIN"),
    ("explain compare (select 1) with (select 2)", "EXPLAIN COMPARE"),
    ("explain hints select 1", "EXPLAIN HINTS"),
    ("explain leakage label y at ts for select 1", "EXPLAIN"),
    ("create table t (a int, b varchar not null)", "CREATE TABLE"),
    ("create or replace table t using delta as select 1 as a", "CREATE TABLE"),
    ("create table if not exists t as select 1 as a", "CREATE TABLE"),
    ("create external table e (a int) stored as csv location 'x.csv'", "CREATE EXTERNAL TABLE"),
    ("create view v as select 1", "CREATE VIEW"),
    ("create or replace view v (a) as select 1", "CREATE VIEW"),
    ("create schema s", "CREATE SCHEMA"),
    ("create function f(x double) returns double return x + 1", "CREATE FUNCTION"),
    ("create feature view fv keys (k) timestamp at as select 1", "CREATE FEATURE VIEW"),
    ("create encoder te as select target_encoder(a, b) as x from t", "CREATE ENCODER"),
    ("alter table t add column c int", "ALTER TABLE"),
    ("alter table t rename to u", "ALTER TABLE"),
    ("insert into t values (1)", "INSERT"),
    ("insert into t by name select 1 as a", "INSERT"),
    ("insert overwrite t select 1", "INSERT"),
    ("update t set a = 1 where b = 'x'", "UPDATE"),
    ("delete from t where a = 1", "DELETE"),
    ("merge into t using u on t.a = u.a when matched then delete", "MERGE"),
    ("copy t to 'x.parquet'", "COPY"),
    ("copy (select 1) to 'x.csv'", "COPY"),
    ("attach 'lake' as l", "ATTACH"),
    ("detach l", "DETACH"),
    ("drop table t", "DROP TABLE"),
    ("drop view if exists v", "DROP VIEW"),
    ("drop schema s cascade", "DROP SCHEMA"),
    ("drop function f", "DROP FUNCTION"),
    ("drop encoder te", "DROP ENCODER"),
    ("drop feature view fv", "DROP FEATURE VIEW"),
    ("describe t", "DESCRIBE"),
    ("desc t", "DESCRIBE"),
    ("describe history t", "DESCRIBE HISTORY"),
    ("describe detail t", "DESCRIBE DETAIL"),
    ("describe encoder te", "DESCRIBE ENCODER"),
    ("diff table t version 0 to 1", "DIFF"),
    ("diff summary table t version 0 to 1", "DIFF SUMMARY"),
    ("drift t against u", "DRIFT"),
    ("compress t by a", "COMPRESS"),
    ("transform t using te", "TRANSFORM"),
    ("summarize t", "SUMMARIZE"),
    ("show tables", "SHOW"),
    ("show columns from t", "DESCRIBE"),
    ("show create table t", "SHOW"),
    ("show all", "SHOW"),
    ("show cache", "SHOW CACHE"),
    ("show encoders", "SHOW"),
    ("show feature graph", "SHOW FEATURE GRAPH"),
    ("cache table t", "CACHE TABLE"),
    ("cache lazy table t as select 1", "CACHE TABLE"),
    ("uncache table t", "UNCACHE TABLE"),
    ("clear cache", "CLEAR CACHE"),
    ("set lakesh.max_rows = 3", "SET"),
    ("set time zone 'UTC'", "SET"),
    ("reset lakesh.max_rows", "RESET"),
    ("use s", "USE"),
    ("optimize t", "OPTIMIZE"),
    ("optimize t where p = 1 zorder by (a)", "OPTIMIZE"),
    ("vacuum t retain 24 hours dry run", "VACUUM"),
    ("checkpoint t", "CHECKPOINT"),
    ("restore table t to version as of 1", "RESTORE"),
    ("convert to delta 'x'", "CONVERT TO DELTA"),
    ("check table t", "CHECK TABLE"),
    ("fsck repair table t dry run", "REPAIR TABLE"),
    ("repair table t", "REPAIR TABLE"),
    ("export encoder te to 'x.csv'", "EXPORT ENCODER"),
];

/// What is wrong with a text is found before anything is looked up.
#[test]
fn what_is_missing_is_said() {
    for (sql, message) in [
        (
            "create tabel t (a int)",
            "expected an object type after CREATE, found `tabel`",
        ),
        (
            "describe",
            "expected a name, found the end of the statement",
        ),
        (
            "optimize t zorder a",
            "expected the end of the statement, found `zorder`",
        ),
        (
            "restore t to",
            "expected VERSION AS OF or TIMESTAMP AS OF, found the end of the statement",
        ),
        (
            "insert into",
            "expected a name, found the end of the statement",
        ),
        ("update t", "expected SET, found the end of the statement"),
        ("use", "expected a name, found the end of the statement"),
        (
            "checkpoint",
            "expected a name, found the end of the statement",
        ),
        ("convert delta 'x'", "expected a statement, found `convert`"),
        ("cache", "expected a name, found the end of the statement"),
        ("uncache t", "expected table, found `t`"),
        ("diff t", "expected a statement, found `diff`"),
        (
            "drift t",
            "expected against, found the end of the statement",
        ),
        ("compress t", "expected by, found the end of the statement"),
        (
            "transform t",
            "expected using, found the end of the statement",
        ),
        (
            "create encoder e",
            "expected as, found the end of the statement",
        ),
        (
            "create schema",
            "expected a name, found the end of the statement",
        ),
    ] {
        let failure = parse(STATEMENTS, &Substituted::detached(sql)).err();
        let said = failure.map(|failure| failure.message);
        assert_eq!(said.as_deref(), Some(message), "{sql}");
    }
}
