-- Slow queries over the lake of lake.sql; the line before each names the rule that has to come first or second.

-- date-function-on-column
SELECT sum(amount) FROM events WHERE date_trunc('month', ts) = '2024-03-01';

-- date-function-on-column
SELECT kind, count(*) AS n FROM events e WHERE to_char(e.ts, '%Y-%m') = '2024-03' GROUP BY kind;

-- date-function-on-column
SELECT count(*) FROM events WHERE date_trunc('day', ts) BETWEEN '2024-03-01' AND '2024-03-03';

-- cast-on-column
SELECT max(amount) FROM events WHERE left(CAST(ts AS VARCHAR), 7) = '2024-03';

-- cast-on-column
SELECT count(*) FROM events WHERE substr(ts::text, 1, 10) = '2024-01-20' AND kind < 50;

-- cast-on-column
SELECT sum(amount) FROM events WHERE to_date(ts) IN ('2024-02-01', '2024-02-02');

-- arithmetic-on-column
SELECT sum(amount) FROM events WHERE id - 5 = 1000;

-- arithmetic-on-column
SELECT sum(amount) FROM events WHERE id * 2 < 1001;

-- prefix-function-on-column
SELECT count(*) FROM events WHERE substr(code, 1, 8) = 'c0000012';

-- prefix-function-on-column
SELECT count(*) FROM events WHERE left(code, 8) = 'c0000012';

-- null-function-on-column
SELECT sum(amount) FROM events WHERE coalesce(code, '') = 'c000012345';

-- not-in-nullable
SELECT count(*) FROM orders WHERE referrer IS NOT NULL AND referrer NOT IN (SELECT alt FROM customers WHERE alt IS NOT NULL AND region = 3);

-- or-in-join
SELECT count(*) FROM some_orders o JOIN some_customers c ON o.customer = c.id OR o.payer = c.id;

-- or-in-join
SELECT c.region, sum(o.total) AS total FROM some_orders o, some_customers c WHERE c.id IN (o.customer, o.payer) GROUP BY c.region;

-- hidden-join-condition
SELECT count(*) FROM some_orders o JOIN some_customers c ON o.customer - c.id = 0;

-- hidden-join-condition
SELECT count(*) FROM some_orders o JOIN some_customers c ON o.customer - c.id = 5;

-- cross-join
SELECT count(*) FROM some_orders o, some_customers c WHERE o.total > 10;

-- union-distinct
SELECT max(n) FROM (SELECT customer AS n FROM orders UNION SELECT payer FROM orders) u;

-- union-distinct
SELECT 'customer' AS role, customer AS n FROM orders GROUP BY customer UNION SELECT 'payer', payer FROM orders GROUP BY payer;

-- redundant-distinct
SELECT DISTINCT customer, payer, count(*) AS n FROM orders GROUP BY customer, payer;

-- count-distinct
SELECT count(DISTINCT id) AS a, count(DISTINCT code) AS b, count(DISTINCT ts) AS c FROM events;

-- repeated-subquery
WITH s AS (SELECT customer, sum(total) AS total FROM orders GROUP BY customer) SELECT count(*) FROM s a JOIN s b ON a.customer = b.customer + 1;

-- repeated-subquery
SELECT count(*) FROM (SELECT customer, sum(total) AS t FROM orders GROUP BY customer) a JOIN (SELECT customer, sum(total) AS t FROM orders GROUP BY customer) b ON a.customer = b.customer + 1;

-- join-order
SELECT count(*) AS n FROM some_orders a JOIN some_orders b ON a.payer = b.payer JOIN some_customers c ON c.id = a.id WHERE c.region = 3 AND c.id < 100;

-- regex-as-like
SELECT count(*) FROM events WHERE regexp_count(note, 'number 77') > 0;

-- filter-pushdown
SELECT * FROM events WHERE kind = 12;

-- text-format
SELECT kind, sum(amount) AS amount FROM './events.csv' GROUP BY kind;

-- text-format
SELECT count(*) FROM './events.json' WHERE kind = 3;

-- small-files
SELECT sum(id) FROM parts;

-- unclustered-filter
SELECT sum(amount) FROM mixed WHERE code = 77;

-- small-row-groups
SELECT sum(id) FROM './groups.parquet';

-- cast-on-column
SELECT sum(amount) FROM events WHERE CAST(ts AS VARCHAR) LIKE '2024-03-05%';

-- date-function-on-column
WITH e AS (SELECT * FROM events) SELECT sum(amount) FROM e WHERE date_trunc('day', ts) = '2024-03-05';

-- arithmetic-on-column
SELECT sum(amount) FROM events WHERE 5 - id > -1000;
