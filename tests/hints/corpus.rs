//! A lake and queries over it: each slow one for a known reason, and healthy ones of the same families.

/// Makes the lake; `rows` is the size of its larger tables.
pub(super) fn lake(rows: u64) -> String {
    let quarter = rows / 4;
    let series = |from: u64, to: u64| format!("FROM generate_series({from}, {to})");
    let mixed =
        "SELECT value AS id, value * 7919 % 1000 AS code, CAST(value % 997 AS DOUBLE) AS amount";
    let events = "SELECT value AS id, value % 100 AS kind, CAST(value % 1000 AS DOUBLE) AS amount, \
         'c' || lpad(CAST(value AS VARCHAR), 9, '0') AS code, 'text number ' || value % 1000 AS note, \
         to_timestamp_seconds(1704067200 + value * 600) AS ts";
    let customers = rows / 8;
    let mut script = format!(
        "CREATE TABLE events AS {events} {};
         CREATE TABLE mixed AS {mixed} {};
         INSERT INTO mixed {mixed} {};
         INSERT INTO mixed {mixed} {};
         INSERT INTO mixed {mixed} {};
         CREATE TABLE orders AS SELECT value AS id, value % {customers} AS customer, value % 777 AS payer,
           CAST(value % 90 AS DOUBLE) AS total {};
         CREATE TABLE customers AS SELECT value AS id, 'name ' || value AS name, value % 20 AS region {};
         CREATE TABLE regions AS SELECT value AS id, 'region ' || value AS name FROM generate_series(0, 19);
         COPY events TO 'events.csv';
         COPY events TO 'events.json';
         COPY (SELECT value % 1000 AS k, value AS a, value * 2 AS b, value * 3 AS c, value * 4 AS d, value * 5 AS e {}) TO 'wide.parquet';
         COPY events TO 'groups.parquet' (FORMAT parquet, max_row_group_size 500);
         CREATE TABLE parts AS SELECT value AS id {};",
        series(1, rows),
        series(1, quarter),
        series(quarter + 1, 2 * quarter),
        series(2 * quarter + 1, 3 * quarter),
        series(3 * quarter + 1, rows),
        series(1, rows),
        series(1, customers),
        series(1, rows),
        series(1, 100),
    );
    for part in 1..36 {
        script.push_str(&format!(
            "INSERT INTO parts SELECT value {};",
            series(part * 100 + 1, part * 100 + 100)
        ));
    }
    script
}

/// The rule that has to come first or second, and the query.
pub(super) const SLOW: &[(&str, &str)] = &[
    (
        "date-function-on-column",
        "SELECT sum(amount) FROM events WHERE date_trunc('month', ts) = '2024-03-01'",
    ),
    (
        "date-function-on-column",
        "SELECT kind, count(*) AS n FROM events e WHERE to_char(e.ts, '%Y-%m') = '2024-03' GROUP BY kind",
    ),
    (
        "date-function-on-column",
        "SELECT count(*) FROM events WHERE date_trunc('day', ts) BETWEEN '2024-03-01' AND '2024-03-03'",
    ),
    (
        "cast-on-column",
        "SELECT max(amount) FROM events WHERE CAST(ts AS DATE) = DATE '2024-03-05'",
    ),
    (
        "cast-on-column",
        "SELECT count(*) FROM events WHERE ts::date < '2024-01-20' AND kind < 50",
    ),
    (
        "cast-on-column",
        "SELECT sum(amount) FROM events WHERE to_date(ts) IN ('2024-02-01', '2024-02-02')",
    ),
    (
        "arithmetic-on-column",
        "SELECT sum(amount) FROM events WHERE id - 5 = 1000",
    ),
    (
        "arithmetic-on-column",
        "SELECT sum(amount) FROM events WHERE id * 2 < 1001",
    ),
    (
        "prefix-function-on-column",
        "SELECT count(*) FROM events WHERE substr(code, 1, 8) = 'c0000012'",
    ),
    (
        "prefix-function-on-column",
        "SELECT count(*) FROM events WHERE left(code, 8) = 'c0000012'",
    ),
    (
        "null-function-on-column",
        "SELECT count(*) FROM events WHERE coalesce(id, 0) > 19000",
    ),
    (
        "not-in-nullable",
        "SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer FROM orders WHERE total > 88)",
    ),
    (
        "or-in-join",
        "SELECT count(*) FROM orders o JOIN customers c ON o.customer = c.id OR o.payer = c.id",
    ),
    (
        "or-in-join",
        "SELECT c.region, sum(o.total) AS total FROM orders o, customers c WHERE c.id IN (o.customer, o.payer) GROUP BY c.region",
    ),
    (
        "hidden-join-condition",
        "SELECT count(*) FROM orders o JOIN customers c ON o.customer - c.id = 0",
    ),
    (
        "hidden-join-condition",
        "SELECT count(*) FROM orders o JOIN customers c ON o.customer = c.id OR (o.customer IS NULL AND c.id IS NULL)",
    ),
    (
        "cross-join",
        "SELECT count(*) FROM orders o, customers c WHERE o.total > 10",
    ),
    (
        "union-distinct",
        "SELECT max(n) FROM (SELECT customer AS n FROM orders UNION SELECT payer FROM orders) u",
    ),
    (
        "union-distinct",
        "SELECT 'customer' AS role, customer AS n FROM orders GROUP BY customer UNION SELECT 'payer', payer FROM orders GROUP BY payer",
    ),
    (
        "redundant-distinct",
        "SELECT DISTINCT customer, payer, count(*) AS n FROM orders GROUP BY customer, payer",
    ),
    (
        "count-distinct",
        "SELECT count(DISTINCT id) AS a, count(DISTINCT code) AS b FROM events",
    ),
    (
        "repeated-subquery",
        "WITH s AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) SELECT count(*) FROM s a JOIN s b ON a.customer = b.customer + 1",
    ),
    (
        "repeated-subquery",
        "SELECT count(*) FROM (SELECT customer, sum(total) AS t FROM orders GROUP BY customer) a JOIN (SELECT customer, sum(total) AS t FROM orders GROUP BY customer) b ON a.t = b.t",
    ),
    (
        "join-order",
        "SELECT count(*) AS n FROM orders a JOIN orders b ON a.payer = b.payer JOIN customers c ON c.id = a.id WHERE c.region = 3 AND c.id < 100",
    ),
    (
        "order-in-subquery",
        "SELECT o.id, c.name FROM (SELECT * FROM orders ORDER BY total, id) o JOIN customers c ON o.customer = c.id",
    ),
    (
        "regex-as-like",
        "SELECT count(*) FROM events WHERE regexp_count(note, 'number 77') > 0",
    ),
    (
        "expensive-filter-first",
        "SELECT count(*) FROM events WHERE regexp_like(note, '(1|2)(3|4)+5$') AND kind = 12",
    ),
    (
        "filter-pushdown",
        "SELECT a, b, c, d, e FROM './wide.parquet' WHERE k = 17",
    ),
    (
        "text-format",
        "SELECT kind, sum(amount) AS amount FROM './events.csv' GROUP BY kind",
    ),
    (
        "text-format",
        "SELECT count(*) FROM './events.json' WHERE kind = 3",
    ),
    ("small-files", "SELECT sum(id) FROM parts"),
    (
        "unclustered-filter",
        "SELECT sum(amount) FROM mixed WHERE code = 77",
    ),
    ("small-row-groups", "SELECT sum(id) FROM './groups.parquet'"),
];

/// Queries that nothing is wrong with.
pub(super) const HEALTHY: &[&str] = &[
    "SELECT count(*) FROM events",
    "SELECT sum(amount) FROM events",
    "SELECT kind, sum(amount) AS amount FROM events GROUP BY kind ORDER BY kind",
    "SELECT sum(amount) FROM events WHERE ts >= TIMESTAMP '2024-03-01T00:00:00' AND ts < TIMESTAMP '2024-04-01T00:00:00'",
    "SELECT sum(amount) FROM events WHERE id = 1005",
    "SELECT sum(amount) FROM events WHERE id BETWEEN 100 AND 200",
    "SELECT count(*) FROM events WHERE code LIKE 'c0000012%'",
    "SELECT count(*) FROM events WHERE amount > 500",
    "SELECT max(ts), min(ts) FROM events",
    "SELECT * FROM events ORDER BY id LIMIT 10",
    "SELECT kind, avg(amount) AS amount FROM events GROUP BY kind HAVING avg(amount) > 10",
    "SELECT date_trunc('month', ts) AS month, sum(amount) AS amount FROM events GROUP BY date_trunc('month', ts)",
    "SELECT CAST(ts AS DATE) AS day, count(*) AS n FROM events GROUP BY CAST(ts AS DATE)",
    "SELECT id + 1 AS next FROM events WHERE id > 19000",
    "SELECT coalesce(amount, 0) AS amount FROM events WHERE id < 50",
    "SELECT count(*) FROM orders o JOIN customers c ON o.customer = c.id",
    "SELECT c.region, sum(o.total) AS total FROM orders o JOIN customers c ON o.customer = c.id GROUP BY c.region",
    "SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.id)",
    "SELECT count(*) FROM customers WHERE id IN (SELECT customer FROM orders)",
    "SELECT c.name FROM customers c LEFT JOIN orders o ON o.customer = c.id WHERE o.id IS NULL",
    "SELECT r.name, count(*) AS n FROM regions r JOIN customers c ON c.region = r.id JOIN orders o ON o.customer = c.id GROUP BY r.name",
    "SELECT sum(n) FROM (SELECT customer AS n FROM orders UNION ALL SELECT payer FROM orders) u",
    "SELECT customer, payer FROM orders UNION SELECT payer, customer FROM orders",
    "SELECT DISTINCT payer FROM orders",
    "SELECT payer, count(DISTINCT customer) AS n FROM orders GROUP BY payer",
    "WITH s AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) SELECT count(*) FROM s WHERE total > 10",
    "SELECT id, row_number() OVER (PARTITION BY customer ORDER BY total, id) AS n FROM orders",
    "SELECT o.id, o.total - m.mean AS above FROM orders o CROSS JOIN (SELECT avg(total) AS mean FROM orders) m",
    "SELECT count(*) FROM events WHERE kind = 12 AND regexp_like(note, '(1|2)(3|4)+5$')",
    "SELECT sum(a) AS a FROM './wide.parquet' WHERE k < 900",
    "SELECT sum(amount) FROM mixed WHERE id = 77",
    "SELECT 1",
];

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
        "own time",
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
