//! Statements that make the tables of the rules' examples, in an empty session.

/// The rows of a table that the examples of many rules use.
macro_rules! events {
    () => {
        "SELECT value AS id, value % 100 AS kind, CAST(value % 1000 AS DOUBLE) AS amount, \
         'c' || lpad(CAST(value % 500 AS VARCHAR), 6, '0') AS code, \
         to_timestamp_seconds(1704067200 + value * 600) AS ts FROM generate_series(1, 20000)"
    };
}

/// Two tables that are joined in the examples of many rules.
macro_rules! orders {
    () => {
        "CREATE TABLE orders AS SELECT value AS id, value % 500 AS customer, value % 77 AS payer, \
         CAST(value % 90 AS DOUBLE) AS total FROM generate_series(1, 5000); \
         CREATE TABLE customers AS SELECT value AS id, 'name ' || value AS name, value % 20 AS region \
         FROM generate_series(1, 600);"
    };
}

pub(super) const EVENTS: &str = concat!("CREATE TABLE events AS ", events!(), ";");

pub(super) const ORDERS: &str = orders!();

pub(super) const EVENTS_AS_TEXT: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; COPY events TO 'events.csv';"
);

pub(super) const EVENTS_WITHOUT_STATISTICS: &str = concat!(
    "COPY (",
    events!(),
    ") TO 'events.parquet'; SET datafusion.execution.collect_statistics = false;"
);

pub(super) const EVENTS_WITHOUT_PRUNING: &str = concat!(
    "COPY (",
    events!(),
    ") TO 'events.parquet'; SET datafusion.execution.parquet.pruning = false;"
);

pub(super) const EVENTS_IN_ONE_PARTITION: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET datafusion.optimizer.repartition_aggregations = false;"
);

pub(super) const EVENTS_IN_SMALL_BATCHES: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET datafusion.execution.batch_size = 100;"
);

pub(super) const EVENTS_IN_ONE_THREAD: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET lakesh.threads = 1;"
);

pub(super) const EVENTS_IN_MANY_THREADS: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET lakesh.threads = 1000;"
);

pub(super) const ORDERS_WITHOUT_DYNAMIC_FILTERS: &str = concat!(
    orders!(),
    " SET datafusion.optimizer.enable_join_dynamic_filter_pushdown = false;"
);

pub(super) const ORDERS_WITHOUT_HASH_JOIN: &str = concat!(
    orders!(),
    " SET datafusion.optimizer.prefer_hash_join = false;"
);

/// A Parquet file of ten columns.
pub(super) const WIDE: &str = "COPY (SELECT value % 1000 AS k, value AS a, value * 2 AS b, value * 3 AS c, value * 4 AS d, \
    value * 5 AS e, value * 6 AS f, value * 7 AS g, value * 8 AS h, value * 9 AS i \
    FROM generate_series(1, 20000)) TO 'wide.parquet';";

/// A table whose files hold ranges of `id`, but each of them all values of `code`.
pub(super) const UNCLUSTERED: &str = "CREATE TABLE mixed AS SELECT value AS id, value * 7919 % 1000 AS code, \
    CAST(value AS DOUBLE) AS amount FROM generate_series(1, 5000); \
    INSERT INTO mixed SELECT value, value * 7919 % 1000, value FROM generate_series(5001, 10000); \
    INSERT INTO mixed SELECT value, value * 7919 % 1000, value FROM generate_series(10001, 15000); \
    INSERT INTO mixed SELECT value, value * 7919 % 1000, value FROM generate_series(15001, 20000);";

/// A table of ten files, and one of a single file.
pub(super) const SMALL_FILES: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; CREATE TABLE parts AS SELECT 1 AS id; INSERT INTO parts VALUES (2); INSERT INTO parts VALUES (3); \
     INSERT INTO parts VALUES (4); INSERT INTO parts VALUES (5); INSERT INTO parts VALUES (6); \
     INSERT INTO parts VALUES (7); INSERT INTO parts VALUES (8); INSERT INTO parts VALUES (9);"
);

pub(super) const SMALL_GROUPS: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; COPY events TO 'groups.parquet' (FORMAT parquet, max_row_group_size 500);"
);

/// The same rows in one row group and in several.
pub(super) const LARGE_GROUPS: &str = concat!(
    "COPY (",
    events!(),
    ") TO 'whole.parquet' (FORMAT parquet); COPY (",
    events!(),
    ") TO 'pieces.parquet' (FORMAT parquet, max_row_group_size 5000); SET lakesh.hint_group_rows = 10000;"
);

/// The same rows with and without an index of the pages.
pub(super) const WITHOUT_PAGE_INDEX: &str = "CREATE VIEW numbered AS SELECT value AS id, CAST(value AS DOUBLE) AS amount FROM generate_series(1, 100000); \
    COPY numbered TO 'unpaged.parquet' (FORMAT parquet, max_row_group_size 50000, statistics_enabled chunk); \
    COPY numbered TO 'paged.parquet' (FORMAT parquet, max_row_group_size 50000);";

pub(super) const LITTLE_MEMORY: &str = concat!(
    "CREATE TABLE events AS ",
    "SELECT value AS id, value * 7919 % 100003 AS amount, 'c' || lpad(CAST(value % 500 AS VARCHAR), 90, '0') AS code \
     FROM generate_series(1, 300000)",
    "; SET lakesh.memory_limit = '48MB';"
);

/// A table in which one page has nearly all visits.
pub(super) const SKEWED: &str = "CREATE TABLE pages AS SELECT value AS id FROM generate_series(1, 20000); CREATE TABLE visits AS SELECT value AS id, CASE WHEN value % 100 = 0 THEN value ELSE 1 END AS page \
    FROM generate_series(1, 20000); SET datafusion.optimizer.hash_join_single_partition_threshold = 0; \
    SET datafusion.optimizer.hash_join_single_partition_threshold_rows = 0; SET lakesh.threads = 4;";

/// A small table, and a large one of which a filter leaves next to nothing.
pub(super) const MISESTIMATED: &str = "CREATE TABLE few AS SELECT value AS id FROM generate_series(1, 3000); \
    CREATE TABLE many AS SELECT value AS id, 'c' || (value % 100) AS code FROM generate_series(1, 20000);";

/// A small table and a large one, whose joins are distributed.
pub(super) const DISTRIBUTED: &str = "CREATE TABLE few AS SELECT value AS id FROM generate_series(1, 500); \
    CREATE TABLE many AS SELECT value AS id, value % 500 AS few FROM generate_series(1, 20000); \
    SET datafusion.optimizer.hash_join_single_partition_threshold = 0; \
    SET datafusion.optimizer.hash_join_single_partition_threshold_rows = 0; SET lakesh.threads = 4;";

/// A table of twelve partitions.
pub(super) const PARTITIONED: &str = "CREATE TABLE visits PARTITIONED BY (day) AS SELECT value AS id, value % 50 AS kind, \
    CAST(value AS DOUBLE) AS amount, value % 12 AS day FROM generate_series(1, 20000);";

/// A Parquet file without statistics, and a table with them.
pub(super) const WITHOUT_STATISTICS: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; COPY events TO 'bare.parquet' (FORMAT parquet, statistics_enabled none);"
);

/// A Parquet file of ten row groups, whose `code` may be in each of them.
pub(super) const KEYS: &str = "COPY (SELECT value AS id, 'c' || lpad(CAST(value * 7919 % 20011 AS VARCHAR), 6, '0') AS code, \
    CAST(value AS DOUBLE) AS amount FROM generate_series(1, 20000)) TO 'keys.parquet' \
    (FORMAT parquet, max_row_group_size 2000);";

/// Two tables that have numbers for keys, and the same numbers as text.
pub(super) const TEXT_KEYS: &str = "CREATE TABLE orders AS SELECT value AS id, value % 500 AS customer FROM generate_series(1, 5000); \
    CREATE TABLE customers AS SELECT value AS number, CAST(value AS VARCHAR) AS id FROM generate_series(1, 600);";

/// A Delta table of one file, six rows of which are marked as deleted.
pub(super) const WITH_DELETION_VECTOR: &str = r#"COPY (SELECT value AS id FROM generate_series(1, 1000))
    TO 'marked/part-0.parquet' (FORMAT parquet, compression uncompressed, created_by 'x');
COPY (VALUES
    ('{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}'),
    ('{"metaData":{"id":"d1","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{},"createdTime":0}}'),
    ('{"add":{"path":"part-0.parquet","partitionValues":{},"size":9715,"modificationTime":0,"dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":44,"cardinality":6}}}')
) TO 'marked/_delta_log/00000000000000000000.json' (FORMAT csv, has_header false, delimiter '~', quote '|');
CREATE EXTERNAL TABLE marked STORED AS DELTA LOCATION 'marked';"#;
