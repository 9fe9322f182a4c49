-- Makes a small lake below `target/trips-lake`, names it in the catalog, and asks it a question.
-- Run it again as often as you like: the answer stays the same.
--
--   cargo run --release -- docs/examples/trips.sql

-- 100,000 taxi trips of half a year, as Parquet with a folder for each month. Numbers that are
-- coprime to each other stand in for chance, so that everybody gets the same trips.
COPY (
    SELECT
        value AS trip_id,
        to_timestamp_seconds(1704067200 + (value * 7919) % 15724800) AS pickup_at,
        1 + (value * 31) % 12 AS zone_id,
        1 + (value * 17) % 4 AS passengers,
        round(0.4 + power(((value * 104729) % 10007) / 10007.0, 3) * (8 + (value * 31) % 12), 2) AS distance_km,
        to_char(to_timestamp_seconds(1704067200 + (value * 7919) % 15724800), '%Y-%m') AS month
    FROM generate_series(1, 100000)
) TO 'target/trips-lake/trips' STORED AS PARQUET PARTITIONED BY (month) OPTIONS (overwrite true);

-- The zones where trips begin, as a Delta table.
CREATE SCHEMA IF NOT EXISTS example;
CREATE OR REPLACE TABLE example.zones USING DELTA LOCATION 'target/trips-lake/zones' AS
SELECT * FROM (VALUES
    (1, 'Airport', 'West'), (2, 'Central Station', 'Centre'), (3, 'Old Town', 'Centre'),
    (4, 'Harbour', 'North'), (5, 'University', 'Centre'), (6, 'Fairground', 'East'),
    (7, 'Hospital', 'South'), (8, 'Stadium', 'East'), (9, 'Market Hall', 'Centre'),
    (10, 'Zoo', 'South'), (11, 'Lake Shore', 'North'), (12, 'Industrial Park', 'West')
) AS zone(zone_id, name, district);

-- The trips are files that are there already: the catalog only learns their name.
CREATE OR REPLACE EXTERNAL TABLE example.trips STORED AS PARQUET LOCATION 'target/trips-lake/trips';

-- How far do people go from where?
SELECT
    zones.district,
    count(*) AS trips,
    round(avg(trips.distance_km), 2) AS mean_km,
    round(max(trips.distance_km), 2) AS longest_km,
    sum(trips.passengers) AS passengers
FROM example.trips AS trips
JOIN example.zones AS zones ON zones.zone_id = trips.zone_id
WHERE trips.month >= '2024-02'
GROUP BY zones.district
ORDER BY mean_km DESC, zones.district;
