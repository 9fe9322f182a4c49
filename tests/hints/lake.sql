-- A lake for queries that are slow for one reason each; :rows is the size of its larger tables.

CREATE TABLE events AS SELECT value AS id, value % 100 AS kind, CAST(value % 1000 AS DOUBLE) AS amount,
  'c' || lpad(CAST(value AS VARCHAR), 9, '0') AS code, 'text number ' || (value % 1000) AS note,
  to_timestamp_seconds(1704067200 + value * 600) AS ts
  FROM generate_series(1, :rows);

-- Four files, each with a range of id and all values of code.
CREATE TABLE mixed AS SELECT value AS id, value * 7919 % 1000 AS code, CAST(value % 997 AS DOUBLE) AS amount
  FROM generate_series(1, :rows / 4);
INSERT INTO mixed SELECT value, value * 7919 % 1000, value % 997 FROM generate_series(:rows / 4 + 1, :rows / 2);
INSERT INTO mixed SELECT value, value * 7919 % 1000, value % 997 FROM generate_series(:rows / 2 + 1, 3 * :rows / 4);
INSERT INTO mixed SELECT value, value * 7919 % 1000, value % 997 FROM generate_series(3 * :rows / 4 + 1, :rows);

CREATE TABLE orders AS SELECT value AS id, value % (:rows / 8) AS customer, value % 777 AS payer,
  CASE WHEN value % 13 <> 0 THEN value % (:rows / 8) END AS referrer, CAST(value % 90 AS DOUBLE) AS total
  FROM generate_series(1, :rows);
CREATE TABLE customers AS SELECT value AS id, 'name ' || value AS name, value % 20 AS region,
  CASE WHEN value % 11 <> 0 THEN value END AS alt
  FROM generate_series(1, :rows / 8);
-- Few enough for joins that compare every row with every other.
CREATE TABLE some_orders AS SELECT * FROM orders WHERE id <= :rows / 40;
CREATE TABLE some_customers AS SELECT * FROM customers WHERE id <= :rows / 160;
CREATE TABLE regions AS SELECT value AS id, 'region ' || value AS name FROM generate_series(0, 19);

COPY events TO 'events.csv';
COPY events TO 'events.json';
COPY (SELECT value % 1000 AS k, value AS a, value * 2 AS b, value * 3 AS c, value * 4 AS d, value * 5 AS e
  FROM generate_series(1, :rows)) TO 'wide.parquet';
COPY events TO 'groups.parquet' (FORMAT parquet, max_row_group_size 500);

CREATE TABLE parts AS SELECT value AS id FROM generate_series(1, 100);
INSERT INTO parts SELECT value FROM generate_series(101, 200);
INSERT INTO parts SELECT value FROM generate_series(201, 300);
INSERT INTO parts SELECT value FROM generate_series(301, 400);
INSERT INTO parts SELECT value FROM generate_series(401, 500);
INSERT INTO parts SELECT value FROM generate_series(501, 600);
INSERT INTO parts SELECT value FROM generate_series(601, 700);
INSERT INTO parts SELECT value FROM generate_series(701, 800);
INSERT INTO parts SELECT value FROM generate_series(801, 900);
INSERT INTO parts SELECT value FROM generate_series(901, 1000);
INSERT INTO parts SELECT value FROM generate_series(1001, 1100);
INSERT INTO parts SELECT value FROM generate_series(1101, 1200);
INSERT INTO parts SELECT value FROM generate_series(1201, 1300);
INSERT INTO parts SELECT value FROM generate_series(1301, 1400);
INSERT INTO parts SELECT value FROM generate_series(1401, 1500);
INSERT INTO parts SELECT value FROM generate_series(1501, 1600);
INSERT INTO parts SELECT value FROM generate_series(1601, 1700);
INSERT INTO parts SELECT value FROM generate_series(1701, 1800);
INSERT INTO parts SELECT value FROM generate_series(1801, 1900);
INSERT INTO parts SELECT value FROM generate_series(1901, 2000);
INSERT INTO parts SELECT value FROM generate_series(2001, 2100);
INSERT INTO parts SELECT value FROM generate_series(2101, 2200);
INSERT INTO parts SELECT value FROM generate_series(2201, 2300);
INSERT INTO parts SELECT value FROM generate_series(2301, 2400);
INSERT INTO parts SELECT value FROM generate_series(2401, 2500);
INSERT INTO parts SELECT value FROM generate_series(2501, 2600);
INSERT INTO parts SELECT value FROM generate_series(2601, 2700);
INSERT INTO parts SELECT value FROM generate_series(2701, 2800);
INSERT INTO parts SELECT value FROM generate_series(2801, 2900);
INSERT INTO parts SELECT value FROM generate_series(2901, 3000);
INSERT INTO parts SELECT value FROM generate_series(3001, 3100);
INSERT INTO parts SELECT value FROM generate_series(3101, 3200);
INSERT INTO parts SELECT value FROM generate_series(3201, 3300);
INSERT INTO parts SELECT value FROM generate_series(3301, 3400);
INSERT INTO parts SELECT value FROM generate_series(3401, 3500);
INSERT INTO parts SELECT value FROM generate_series(3501, 3600);
