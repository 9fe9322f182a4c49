use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::common::{DFSchema, TableReference};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, TableFactor};

use super::{Knowledge, Resolved, is_needed, resolve};

/// A session with a few tables.
struct Tables;

fn schema(columns: &[&str]) -> SchemaRef {
    let fields = columns
        .iter()
        .map(|name| Field::new(*name, DataType::Int64, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn text(expression: &Expr) -> String {
    expression
        .to_string()
        .trim_matches('\'')
        .trim_matches('%')
        .to_lowercase()
}

impl Knowledge for Tables {
    fn relation(&self, name: &TableReference) -> Option<SchemaRef> {
        Some(match name.table() {
            "trips" => schema(&["VendorID", "fare", "Tip"]),
            "vendors" => schema(&["vendorid", "Name"]),
            "twins" => schema(&["Aa", "aA", "b", "B"]),
            "plain" => schema(&["a", "b"]),
            "nested" => {
                let fields = Fields::from(vec![Field::new("Inner", DataType::Int64, true)]);
                let outer = Fields::from(vec![Field::new("Deep", DataType::Struct(fields), true)]);
                let field = Field::new("S", DataType::Struct(outer), true);
                Arc::new(Schema::new(vec![field]))
            }
            _ => return None,
        })
    }

    fn relations(&self) -> Vec<SchemaRef> {
        Vec::new()
    }

    fn function(&self, _factor: &TableFactor) -> Option<SchemaRef> {
        None
    }

    fn holds(&self, condition: &Expr) -> Resolved<bool> {
        Ok(match condition {
            Expr::ILike { expr, pattern, .. } => text(expr).contains(&text(pattern)),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::PGRegexMatch | BinaryOperator::Eq,
                right,
            } => text(right).split('|').any(|part| part == text(left)),
            _ => false,
        })
    }

    fn type_of(&self, _expression: &Expr, _columns: &DFSchema) -> Option<DataType> {
        None
    }

    fn is_volatile(&self, function: &str) -> bool {
        function == "random"
    }
}

fn resolved(sql: &str, is_strict: bool) -> Result<String, String> {
    let mut query = lakesh_sql::parse_query(sql).unwrap();
    resolve(&mut query.tree, &Tables, is_strict).map_err(|error| error.strip_backtrace())?;
    Ok(query.tree.to_string())
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    assert_eq!(resolved(sql, false).as_deref(), Ok(expected), "{sql}");
}

#[track_caller]
fn refused(sql: &str, expected: &str) {
    let error = resolved(sql, false).unwrap_err();
    assert!(error.contains(expected), "{sql}: {error}");
}

#[test]
fn columns_are_spelled_as_their_tables_do() {
    check(
        "SELECT vendorid, FARE FROM trips WHERE TIP > 1 GROUP BY ALL",
        "SELECT \"VendorID\", FARE FROM trips WHERE \"Tip\" > 1 GROUP BY ALL",
    );
    check(
        "SELECT t.VENDORID FROM trips AS t",
        "SELECT t.\"VendorID\" FROM trips AS t",
    );
    check(
        "SELECT t.vendorid FROM trips AS \"T\"",
        "SELECT \"T\".\"VendorID\" FROM trips AS \"T\"",
    );
    check(
        "SELECT \"vendorid\" FROM trips",
        "SELECT \"vendorid\" FROM trips",
    );
}

#[test]
fn names_of_arguments_are_no_columns() {
    check(
        "SELECT f(tip => 1) AS y FROM trips",
        "SELECT f(tip => 1) AS y FROM trips",
    );
}

#[test]
fn the_exact_spelling_wins_and_two_are_one_too_many() {
    check("SELECT b FROM twins", "SELECT b FROM twins");
    check("SELECT B FROM twins", "SELECT B FROM twins");
    refused("SELECT aa FROM twins", "`aa` can be ");
    refused("SELECT x.aa FROM twins x", "`aa` can be ");
}

#[test]
fn strictness_can_be_had() {
    let sql = "SELECT vendorid FROM trips";
    assert_eq!(resolved(sql, true).as_deref(), Ok(sql));
}

#[test]
fn subqueries_see_what_is_around_them() {
    check(
        "SELECT * FROM vendors v WHERE EXISTS (SELECT 1 FROM plain WHERE a = NAME)",
        "SELECT * FROM vendors v WHERE EXISTS (SELECT 1 FROM plain WHERE a = \"Name\")",
    );
    // What is nearer wins.
    check(
        "SELECT * FROM vendors WHERE EXISTS (SELECT 1 FROM trips WHERE vendorid = 1)",
        "SELECT * FROM vendors WHERE EXISTS (SELECT 1 FROM trips WHERE \"VendorID\" = 1)",
    );
    check(
        "WITH c AS (SELECT vendorid, fare AS \"Fare\" FROM trips) SELECT vendorid FROM c ORDER BY FARE",
        "WITH c AS (SELECT \"VendorID\", fare AS \"Fare\" FROM trips) SELECT \"VendorID\" FROM c ORDER BY \"Fare\"",
    );
    check(
        "SELECT q.tip FROM (SELECT tip FROM trips UNION ALL SELECT 1) q",
        "SELECT q.\"Tip\" FROM (SELECT \"Tip\" FROM trips UNION ALL SELECT 1) q",
    );
}

#[test]
fn fields_of_structures_are_found() {
    check(
        "SELECT s.deep.inner FROM nested",
        "SELECT \"S\".\"Deep\".\"Inner\" FROM nested",
    );
    check(
        "SELECT n.s.deep FROM nested AS n",
        "SELECT n.\"S\".\"Deep\" FROM nested AS n",
    );
    check(
        "SELECT {'a': 1}.A",
        "SELECT {'a': 1}['a'] AS \"{'a': 1}.A\"",
    );
}

#[test]
fn keys_of_joins_are_found_on_both_sides() {
    check(
        "SELECT 1 AS one FROM trips JOIN trips AS u USING (vendorid)",
        "SELECT 1 AS one FROM trips JOIN trips AS u USING(\"VendorID\")",
    );
    check(
        "SELECT name FROM trips JOIN vendors USING (vendorid)",
        "SELECT \"Name\" FROM trips JOIN (SELECT \"_lakesh_spelled\".\"vendorid\" AS \"VendorID\", \"_lakesh_spelled\".\"Name\" AS \"Name\" FROM vendors AS \"_lakesh_spelled\") AS \"vendors\" USING(\"VendorID\")",
    );
    check(
        "SELECT name FROM trips NATURAL JOIN vendors",
        "SELECT \"Name\" FROM trips NATURAL JOIN (SELECT \"_lakesh_spelled\".\"vendorid\" AS \"VendorID\", \"_lakesh_spelled\".\"Name\" AS \"Name\" FROM vendors AS \"_lakesh_spelled\") AS \"vendors\"",
    );
    check(
        "SELECT name FROM trips t JOIN vendors v ON t.VENDORID = v.VENDORID",
        "SELECT \"Name\" FROM trips t JOIN vendors v ON t.\"VendorID\" = v.VENDORID",
    );
}

#[test]
fn names_of_results_are_written_out() {
    check(
        "SELECT a + 1 AS c, c * 2 AS d FROM plain WHERE c > 1",
        "SELECT a + 1 AS c, (a + 1) * 2 AS d FROM plain WHERE (a + 1) > 1",
    );
    // A column of the table wins.
    check(
        "SELECT a + 1 AS b, b * 2 AS d FROM plain WHERE b > 1",
        "SELECT a + 1 AS b, b * 2 AS d FROM plain WHERE b > 1",
    );
    check(
        "SELECT a AS c FROM plain GROUP BY c HAVING c > 1 ORDER BY c",
        "SELECT a AS c FROM plain GROUP BY c HAVING c > 1 ORDER BY c",
    );
    refused(
        "SELECT random() AS r, r FROM plain",
        "`r` cannot be used again here",
    );
}

#[test]
fn order_by_all_names_the_columns() {
    check(
        "SELECT *, 1 AS one FROM plain ORDER BY ALL DESC NULLS LAST",
        "SELECT *, 1 AS one FROM plain ORDER BY 1 DESC NULLS LAST, 2 DESC NULLS LAST, 3 DESC NULLS LAST",
    );
}

#[test]
fn stars_with_options_are_written_out() {
    check(
        "SELECT * RENAME (TIP AS gift) FROM trips",
        "SELECT \"trips\".\"VendorID\" AS \"VendorID\", \"trips\".\"fare\" AS \"fare\", \"trips\".\"Tip\" AS \"gift\" FROM trips",
    );
    check(
        "SELECT t.* ILIKE '%t%' FROM trips t",
        "SELECT \"t\".\"Tip\" AS \"Tip\" FROM trips t",
    );
    check(
        "SELECT * EXCLUDE (vendorid) FROM trips",
        "SELECT * EXCLUDE (\"VendorID\") FROM trips",
    );
    refused(
        "SELECT * RENAME (q AS r) FROM plain",
        "column `q` not found",
    );
}

#[test]
fn columns_stands_for_several() {
    check(
        "SELECT sum(COLUMNS('a|b')) FROM plain",
        "SELECT sum(\"plain\".\"a\") AS \"a\", sum(\"plain\".\"b\") AS \"b\" FROM plain",
    );
    check(
        "SELECT min(COLUMNS(*)), max(COLUMNS(*)) FROM plain",
        "SELECT min(\"plain\".\"a\") AS \"a\", min(\"plain\".\"b\") AS \"b\", max(\"plain\".\"a\") AS \"max(a)\", max(\"plain\".\"b\") AS \"max(b)\" FROM plain",
    );
    check(
        "SELECT COLUMNS(c -> c = 'b') FROM plain",
        "SELECT \"plain\".\"b\" AS \"b\" FROM plain",
    );
    check(
        "SELECT 1 AS one FROM plain WHERE COLUMNS(['a', 'B']) > 1",
        "SELECT 1 AS one FROM plain WHERE (\"plain\".\"a\" > 1) AND (\"plain\".\"b\" > 1)",
    );
    refused("SELECT COLUMNS('q') FROM plain", "stands for no column");
    refused(
        "SELECT a FROM plain ORDER BY COLUMNS(*)",
        "COLUMNS can stand in the list",
    );
}

#[test]
fn plain_trees_are_left_alone() {
    for (sql, expected) in [
        ("SELECT a, b AS c FROM plain WHERE a > 1 ORDER BY c", false),
        ("SELECT a AS c, c FROM plain", true),
        ("SELECT a AS \"C\" FROM plain", true),
        ("SELECT a FROM plain ORDER BY ALL", true),
        ("SELECT COLUMNS(*) FROM plain", true),
    ] {
        let query = lakesh_sql::parse_query(sql).unwrap();
        assert_eq!(is_needed(&query.tree, &Tables), expected, "{sql}");
    }
}
