-- Tables with NULL, odd values and several files, for queries that are easy to rewrite wrongly.

CREATE VIEW made AS SELECT value AS id, CASE WHEN value % 1000 <> 0 THEN value % 100 END AS kind,
 CASE WHEN value % 500 <> 3 THEN CAST(value % 1000 AS DOUBLE) / 4 END AS amount,
 'c' || lpad(CAST(value AS VARCHAR), 9, '0') AS code,
 CASE value % 7 WHEN 0 THEN NULL WHEN 1 THEN 'über ' || (value % 1000) WHEN 2 THEN '50%_off ' || (value % 100) WHEN 3 THEN chr(1114111) || 'max' ELSE 'text number ' || (value % 1000) END AS note,
 CASE WHEN value % 2 = 0 THEN 'open' ELSE 'shut' END AS status,
 value % 2 = 0 AS flag,
 CASE WHEN value % 10 = 0 THEN value % 50 END AS rare,
 CASE WHEN value % 777 <> 5 THEN CAST(to_timestamp_micros((1640995200 + value * 600) * 1000000) AS TIMESTAMP) END AS ts,
 CASE WHEN value % 777 <> 6 THEN CAST(to_timestamp_seconds(1640995200 + value * 600) AS DATE) END AS day,
 CASE WHEN value % 777 <> 7 THEN arrow_cast(to_timestamp_micros((1640995200 + value * 600) * 1000000), 'Timestamp(Microsecond, Some("UTC"))') END AS tz,
 CASE WHEN value % 333 <> 1 THEN CAST(value AS DECIMAL(12,2)) / 8 END AS price,
 value - 10000 AS neg, CAST(value AS INT) AS "Id 32", value * 7919 % 1000 AS mix FROM generate_series(1, 20000);
CREATE TABLE events AS SELECT * FROM made WHERE id <= 5000;
INSERT INTO events SELECT * FROM made WHERE id BETWEEN 5001 AND 10000;
INSERT INTO events SELECT * FROM made WHERE id BETWEEN 10001 AND 15000;
INSERT INTO events SELECT * FROM made WHERE id BETWEEN 15001 AND 20000;
DROP VIEW made;

CREATE TABLE orders AS SELECT value AS id, value % 2500 AS customer, value % 777 AS payer,
  CASE WHEN value % 13 <> 0 THEN value % 2500 END AS referrer, CAST(value % 90 AS DOUBLE) AS total,
  'o' || (value % 300) AS tag FROM generate_series(1, 20000);
CREATE TABLE customers AS SELECT value AS id, 'name ' || value AS name, value % 20 AS region, CASE WHEN value % 11 <> 0 THEN value END AS alt FROM generate_series(1, 2500);
CREATE TABLE regions AS SELECT value AS id, 'region ' || value AS name FROM generate_series(0, 19);
CREATE TABLE edge AS SELECT value AS id, CASE WHEN value % 5 = 0 THEN 9223372036854775807 - value WHEN value % 5 = 1 THEN -9223372036854775807 + value ELSE value END AS big,
  CAST(to_timestamp_millis(value * 9000017 * 5 - 600000000000) AS TIMESTAMP) AS old,
  CASE WHEN value % 3 <> 0 THEN value % 40 END AS n,
  CASE WHEN value % 3 <> 0 THEN CAST(value % 40 AS DECIMAL(10,2)) END AS d,
  CASE WHEN value % 3 = 0 THEN '2024-01-01' WHEN value % 3 = 1 THEN '2024-01-01 00:00:00' END AS s,
  CASE WHEN value % 4 = 0 THEN 'x' WHEN value % 4 = 1 THEN CAST(value % 100 AS VARCHAR) WHEN value % 4 = 2 THEN 'abc' || value END AS mess,
  value % 100 AS kind
  FROM generate_series(1, 20000);
COPY events TO 'events.csv';
COPY (SELECT id, kind, amount, code, ts FROM events) TO 'events.json';
COPY events TO 'events.parquet';
COPY (SELECT value % 1000 AS k, value AS a, value * 2 AS b, value * 3 AS c, value * 4 AS d, value * 5 AS e, value * 6 AS f, value * 7 AS g FROM generate_series(1, 20000)) TO 'wide.parquet';
COPY (SELECT id, kind, amount, ts FROM events) TO 'groups.parquet' (FORMAT parquet, max_row_group_size 1000);
COPY (SELECT CASE WHEN value % 9 > 0 THEN value END AS n FROM generate_series(1, 20000)) TO 'a.parquet';
COPY (SELECT value AS n FROM generate_series(1, 20000)) TO 'data.parquet';
CREATE TABLE byday PARTITIONED BY (p) AS SELECT value AS id, value % 10 AS k, 'p' || lpad(CAST(value / 500 AS VARCHAR), 2, '0') AS p FROM generate_series(1, 19999);
CREATE VIEW v_events AS SELECT * FROM events;
CREATE VIEW v_slow AS SELECT * FROM events WHERE CAST(ts AS DATE) = DATE '2024-03-05';
CREATE TABLE mixed AS SELECT value AS id, value * 7919 % 1000 AS code, 'k' || (value * 7919 % 1000) AS txt, CAST(value AS DOUBLE) AS amount FROM generate_series(1, 5000);
INSERT INTO mixed SELECT value AS id, value * 7919 % 1000 AS code, 'k' || (value * 7919 % 1000) AS txt, CAST(value AS DOUBLE) AS amount FROM generate_series(5001, 10000);
INSERT INTO mixed SELECT value AS id, value * 7919 % 1000 AS code, 'k' || (value * 7919 % 1000) AS txt, CAST(value AS DOUBLE) AS amount FROM generate_series(10001, 15000);
INSERT INTO mixed SELECT value AS id, value * 7919 % 1000 AS code, 'k' || (value * 7919 % 1000) AS txt, CAST(value AS DOUBLE) AS amount FROM generate_series(15001, 20000);
CREATE TABLE parts AS SELECT value AS id FROM generate_series(1, 500);
INSERT INTO parts SELECT value FROM generate_series(501, 1000);
INSERT INTO parts SELECT value FROM generate_series(1001, 1500);
INSERT INTO parts SELECT value FROM generate_series(1501, 2000);
INSERT INTO parts SELECT value FROM generate_series(2001, 2500);
INSERT INTO parts SELECT value FROM generate_series(2501, 3000);
INSERT INTO parts SELECT value FROM generate_series(3001, 3500);
INSERT INTO parts SELECT value FROM generate_series(3501, 4000);
INSERT INTO parts SELECT value FROM generate_series(4001, 4500);
INSERT INTO parts SELECT value FROM generate_series(19501, 20000);