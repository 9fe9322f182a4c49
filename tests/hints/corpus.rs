//! A lake and queries over it: each slow one for a known reason, and healthy ones of the same families.
//!
//! The benchmark `tests/bench/hints.py` uses the same files at another size.

/// Makes the lake; `rows` is the size of its larger tables.
pub(super) fn lake(rows: u64) -> String {
    include_str!("lake.sql").replace(":rows", &rows.to_string())
}

/// Lists the slow queries, each with the rule that has to come first or second.
pub(super) fn slow() -> Vec<(&'static str, &'static str)> {
    let blocks = include_str!("slow.sql").split("\n\n").skip(1);
    blocks
        .map(|block| {
            let named = block.trim().strip_prefix("-- ");
            let (rule, query) = named.and_then(|named| named.split_once('\n')).expect(block);
            (rule, query.trim_end_matches(';'))
        })
        .collect()
}

/// Lists queries that nothing is wrong with.
pub(super) fn healthy() -> Vec<&'static str> {
    queries(include_str!("healthy.sql"))
}

/// Makes the lake of the odd queries.
pub(super) const ODD_LAKE: &str = include_str!("odd_lake.sql");

/// Lists queries that are easy to rewrite wrongly.
pub(super) fn odd() -> Vec<&'static str> {
    queries(include_str!("odd.sql"))
}

/// Lists queries over the odd lake that nothing is wrong with.
pub(super) fn odd_healthy() -> Vec<&'static str> {
    queries(include_str!("odd_healthy.sql"))
}

/// Takes a file apart that has a query in each line, below a comment and an empty line.
fn queries(file: &'static str) -> Vec<&'static str> {
    let lines = file.lines().skip(2);
    lines.map(|line| line.trim_end_matches(';')).collect()
}

/// The tables of `VERIFIED`.
pub(super) const LAKE_FOR_VERIFY: &str = "
    CREATE TABLE orders AS SELECT value AS id, value % 500 AS customer, value % 77 AS payer,
      CAST(value % 90 AS DOUBLE) / 7 AS total FROM generate_series(1, 3000);
    CREATE TABLE customers AS SELECT value AS id, 'name ' || value AS name FROM generate_series(1, 600);
    CREATE TABLE gaps AS SELECT CASE WHEN value % 9 > 0 THEN value END AS n FROM generate_series(1, 500);
    COPY orders TO 'orders.csv';
    SET lakesh.hint_rows = 100;
    SET lakesh.verify_budget = '1ms';";

/// A query, a rule, whether the result is the same, and what the verdict says.
pub(super) const VERIFIED: &[(&str, &str, &str, &str)] = &[
    (
        "SELECT o.id, c.name, o.total FROM orders o JOIN customers c ON o.customer = c.id OR o.payer = c.id ORDER BY o.id, c.name",
        "or-in-join",
        "true",
        "",
    ),
    (
        "SELECT DISTINCT customer, sum(total) AS total FROM orders GROUP BY customer ORDER BY customer LIMIT 10",
        "redundant-distinct",
        "true",
        "",
    ),
    (
        "SELECT customer, sum(total) AS total FROM './orders.csv' GROUP BY customer",
        "text-format",
        "true",
        "tried on a copy",
    ),
    (
        "WITH s AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) SELECT a.customer, a.total + b.total AS t FROM s a JOIN s b ON a.customer = b.customer + 1",
        "repeated-subquery",
        "true",
        "",
    ),
    (
        "SELECT id FROM customers WHERE id NOT IN (SELECT n FROM gaps)",
        "not-in-nullable",
        "false",
        "unsafe",
    ),
    (
        "SELECT max(n) AS n FROM (SELECT customer AS n FROM orders WHERE random() < 2 UNION SELECT payer FROM orders) u",
        "union-distinct",
        "NULL",
        "not verifiable: a function gives other values each time",
    ),
    (
        "SELECT DISTINCT customer, payer, count(*) AS n FROM orders GROUP BY customer, payer LIMIT 5",
        "redundant-distinct",
        "NULL",
        "not verifiable: LIMIT without ORDER BY",
    ),
    (
        "SELECT DISTINCT customer, payer, count(*) AS n FROM orders GROUP BY customer, payer ORDER BY n LIMIT 5",
        "redundant-distinct",
        "NULL",
        "not verifiable: rows tie",
    ),
];
