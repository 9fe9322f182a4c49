//! What a query asks for, and what is refused before anything is looked up.

#![allow(clippy::unwrap_used)]

use lakesh_sql::parse_query;

use super::{Request, collect};

/// Lists what a query asks for: `name` or `name@version`, sorted.
#[track_caller]
fn asks_for(sql: &str) -> Vec<String> {
    let mut query = parse_query(sql).unwrap();
    let relations = collect(&mut query, &|name| name == "read_csv").unwrap();
    let mut asked: Vec<_> = relations
        .relations
        .into_iter()
        .map(|relation| match relation.request {
            Request::Named { parts, version } => {
                let name: Vec<_> = parts.iter().map(lakesh_sql::normalized).collect();
                let version = version.map_or_else(String::new, |v| format!("@{}", v.value));
                format!("{}{version}", name.join("."))
            }
            Request::Path { path, version, .. } => {
                let version = version.map_or_else(String::new, |v| format!("@{}", v.value));
                format!("'{path}'{version}")
            }
            Request::Function { text, .. } => text,
        })
        .collect();
    asked.sort();
    asked
}

#[test]
fn a_version_is_kept_wherever_a_table_can_stand() {
    for (sql, expected) in [
        ("select * from t version as of 1", &["t@1"][..]),
        ("select * from t@v1", &["t@1"]),
        ("select * from T@V1", &["t@1"]),
        ("select * from \"t\"@v1", &["t@1"]),
        ("select * from t @v1 x", &["t@1"]),
        ("select * from s.t@v1", &["s.t@1"]),
        ("from t for version as of 1", &["t@1"]),
        (
            "select * from a version as of 1, b version as of 2",
            &["a@1", "b@2"],
        ),
        (
            "select * from t version as of 1 a join t version as of 2 b on a.x = b.x",
            &["t@1", "t@2"],
        ),
        (
            "select * from t join t version as of 2 b on true",
            &["t", "t@2"],
        ),
        (
            "with c as (select * from t version as of 3) select * from c",
            &["t@3"],
        ),
        (
            "with t as (select * from t version as of 3) select * from t",
            &["t@3"],
        ),
        ("select (select max(x) from t version as of 4)", &["t@4"]),
        (
            "select * from a where x in (select x from t version as of 5)",
            &["a", "t@5"],
        ),
        (
            "select * from a where exists (select 1 from t version as of 5)",
            &["a", "t@5"],
        ),
        (
            "select * from (select * from t version as of 6) s",
            &["t@6"],
        ),
        (
            "select * from a left join lateral (select * from t version as of 7) l on true",
            &["a", "t@7"],
        ),
        (
            "select * from t version as of 1 union all select * from t version as of 2",
            &["t@1", "t@2"],
        ),
        (
            "select * from (t version as of 8 join u version as of 9 using (x))",
            &["t@8", "u@9"],
        ),
        (
            "select * from 'a/b' version as of 2 where version = 3",
            &["'a/b'@2"],
        ),
        ("select * from 'a/b'@v2", &["'a/b'@2"]),
        ("values ((select x from t version as of 1))", &["t@1"]),
        (
            "with recursive r as (select 1 as n union all select n + 1 from r, t version as of 2) select * from r",
            &["t@2"],
        ),
    ] {
        assert_eq!(asks_for(sql), expected, "{sql}");
    }
}

#[test]
fn finds_what_is_named() {
    for (sql, expected) in [
        ("select * from a, s.b, c.s.d", &["a", "c.s.d", "s.b"][..]),
        ("with a as (select 1) select * from a, b", &["b"]),
        (
            "with a as (select 1), b as (select * from a) select * from (with c as (select 2) select * from c, d) x",
            &["d"],
        ),
        (
            "select * from (with a as (select 1) select * from a) x, a",
            &["a"],
        ),
        ("select * from 'x.csv', \"x.csv\"", &["'x.csv'", "x.csv"]),
        ("select * from 't', t", &["'t'", "t"]),
        (
            "select * from read_csv('x', header => true), generate_series(1, 2)",
            &["read_csv('x', header => true)"],
        ),
        ("select * from t as version", &["t"]),
    ] {
        assert_eq!(asks_for(sql), expected, "{sql}");
    }
}

#[test]
fn refuses_what_would_be_ignored() {
    for (sql, message) in [
        (
            "select 1 as x version as of 3",
            "a version can stand only behind a table's name",
        ),
        (
            "select * from (select 1) s version as of 3",
            "a version can stand only behind a table's name",
        ),
        (
            "with c as (select 1) select * from c version as of 3, c@v9",
            "",
        ),
    ] {
        let refused =
            parse_query(sql).and_then(|mut query| collect(&mut query, &|_| false).map(|_| ()));
        if message.is_empty() {
            // A CTE with a version asks the catalog for a table of that name and version.
            refused.unwrap();
        } else {
            let text = refused.unwrap_err().to_string();
            assert!(text.contains(message), "{sql}: {text}");
        }
    }
}
