//! The rules of hints: one file and one line each.

mod arithmetic_on_column;
mod batch_size;
mod build_side;
mod cast_in_join;
mod cast_on_column;
mod count_distinct;
mod cross_join;
mod date_function_on_column;
mod deletion_vectors;
mod dynamic_filter_off;
mod expensive_filter_first;
mod few_partitions;
mod filter_pushdown;
mod hash_join_off;
mod hidden_join_condition;
mod join_distribution;
mod join_order;
mod limit_without_order;
mod many_partitions;
mod missing_statistics;
mod not_in_nullable;
mod null_function_on_column;
mod or_in_join;
mod order_in_subquery;
mod partition_column_unused;
mod point_lookup;
mod prefix_function_on_column;
mod pruning_off;
mod redundant_distinct;
mod regex_as_like;
mod repartition_off;
mod repeated_subquery;
mod select_star;
mod several_sorts;
mod skewed_key;
mod small_files;
mod small_row_groups;
mod spill;
mod statistics_off;
mod text_format;
mod unclustered_filter;
mod union_distinct;

use super::evidence::Evidence;
use super::finding::Finding;

/// A rule of hints: what it is about, and how it recognises it.
pub struct Rule {
    /// The name that the table of hints shows: `cast-on-column`.
    pub name: &'static str,
    /// One sentence: what a query that it fires on does.
    pub summary: &'static str,
    /// What to do instead and why that is faster, in a few sentences.
    pub advice: &'static str,
    /// Whether it looks at what a run has counted, so that only ANALYZE and VERIFY show it.
    pub measured: bool,
    /// Statements that make the tables of the examples, in an empty session.
    pub setup: &'static str,
    /// A query that it fires on.
    pub fires: &'static str,
    /// A query like it that it leaves alone.
    pub silent: &'static str,
    pub(super) inspect: fn(&Evidence) -> Vec<Finding>,
}

/// Returns the rules, in alphabetical order.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}

static RULES: &[&Rule] = &[
    &arithmetic_on_column::RULE,
    &batch_size::RULE,
    &build_side::RULE,
    &cast_in_join::RULE,
    &cast_on_column::RULE,
    &count_distinct::RULE,
    &cross_join::RULE,
    &date_function_on_column::RULE,
    &deletion_vectors::RULE,
    &dynamic_filter_off::RULE,
    &expensive_filter_first::RULE,
    &few_partitions::RULE,
    &filter_pushdown::RULE,
    &hash_join_off::RULE,
    &hidden_join_condition::RULE,
    &join_distribution::RULE,
    &join_order::RULE,
    &limit_without_order::RULE,
    &many_partitions::RULE,
    &missing_statistics::RULE,
    &not_in_nullable::RULE,
    &null_function_on_column::RULE,
    &or_in_join::RULE,
    &order_in_subquery::RULE,
    &partition_column_unused::RULE,
    &point_lookup::RULE,
    &prefix_function_on_column::RULE,
    &pruning_off::RULE,
    &redundant_distinct::RULE,
    &regex_as_like::RULE,
    &repartition_off::RULE,
    &repeated_subquery::RULE,
    &select_star::RULE,
    &several_sorts::RULE,
    &skewed_key::RULE,
    &small_files::RULE,
    &small_row_groups::RULE,
    &spill::RULE,
    &statistics_off::RULE,
    &text_format::RULE,
    &unclustered_filter::RULE,
    &union_distinct::RULE,
];

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

const EVENTS: &str = concat!("CREATE TABLE events AS ", events!(), ";");

const ORDERS: &str = orders!();

const EVENTS_AS_TEXT: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; COPY events TO 'events.csv';"
);

const EVENTS_WITHOUT_STATISTICS: &str = concat!(
    "COPY (",
    events!(),
    ") TO 'events.parquet'; SET datafusion.execution.collect_statistics = false;"
);

const EVENTS_WITHOUT_PRUNING: &str = concat!(
    "COPY (",
    events!(),
    ") TO 'events.parquet'; SET datafusion.execution.parquet.pruning = false;"
);

const EVENTS_IN_ONE_PARTITION: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET datafusion.optimizer.repartition_aggregations = false;"
);

const EVENTS_IN_SMALL_BATCHES: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET datafusion.execution.batch_size = 100;"
);

const EVENTS_IN_ONE_THREAD: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET lakesh.threads = 1;"
);

const EVENTS_IN_MANY_THREADS: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; SET lakesh.threads = 1000;"
);

const ORDERS_WITHOUT_DYNAMIC_FILTERS: &str = concat!(
    orders!(),
    " SET datafusion.optimizer.enable_join_dynamic_filter_pushdown = false;"
);

const ORDERS_WITHOUT_HASH_JOIN: &str = concat!(
    orders!(),
    " SET datafusion.optimizer.prefer_hash_join = false;"
);

/// A Parquet file of ten columns.
const WIDE: &str = "COPY (SELECT value % 1000 AS k, value AS a, value * 2 AS b, value * 3 AS c, value * 4 AS d, \
    value * 5 AS e, value * 6 AS f, value * 7 AS g, value * 8 AS h, value * 9 AS i \
    FROM generate_series(1, 20000)) TO 'wide.parquet';";

/// A table whose files hold ranges of `id`, but each of them all values of `code`.
const UNCLUSTERED: &str = "CREATE TABLE mixed AS SELECT value AS id, value * 7919 % 1000 AS code, \
    CAST(value AS DOUBLE) AS amount FROM generate_series(1, 5000); \
    INSERT INTO mixed SELECT value, value * 7919 % 1000, value FROM generate_series(5001, 10000); \
    INSERT INTO mixed SELECT value, value * 7919 % 1000, value FROM generate_series(10001, 15000); \
    INSERT INTO mixed SELECT value, value * 7919 % 1000, value FROM generate_series(15001, 20000);";

/// A table of ten files, and one of a single file.
const SMALL_FILES: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; CREATE TABLE parts AS SELECT 1 AS id; INSERT INTO parts VALUES (2); INSERT INTO parts VALUES (3); \
     INSERT INTO parts VALUES (4); INSERT INTO parts VALUES (5); INSERT INTO parts VALUES (6); \
     INSERT INTO parts VALUES (7); INSERT INTO parts VALUES (8); INSERT INTO parts VALUES (9);"
);

const SMALL_GROUPS: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; COPY events TO 'groups.parquet' (FORMAT parquet, max_row_group_size 500);"
);

const LITTLE_MEMORY: &str = concat!(
    "CREATE TABLE events AS ",
    "SELECT value AS id, value * 7919 % 100003 AS amount, 'c' || lpad(CAST(value % 500 AS VARCHAR), 90, '0') AS code \
     FROM generate_series(1, 300000)",
    "; SET lakesh.memory_limit = '48MB';"
);

/// A table in which one page has nearly all visits.
const SKEWED: &str = "CREATE TABLE pages AS SELECT value AS id FROM generate_series(1, 4000); CREATE TABLE visits AS SELECT value AS id, CASE WHEN value % 100 = 0 THEN value ELSE 1 END AS page \
    FROM generate_series(1, 4000); SET datafusion.optimizer.hash_join_single_partition_threshold = 0; \
    SET datafusion.optimizer.hash_join_single_partition_threshold_rows = 0; SET lakesh.threads = 4;";

/// A small table, and a large one of which a filter leaves next to nothing.
const MISESTIMATED: &str = "CREATE TABLE few AS SELECT value AS id FROM generate_series(1, 3000); \
    CREATE TABLE many AS SELECT value AS id, 'c' || (value % 100) AS code FROM generate_series(1, 20000);";

/// A small table and a large one, whose joins are distributed.
const DISTRIBUTED: &str = "CREATE TABLE few AS SELECT value AS id FROM generate_series(1, 500); \
    CREATE TABLE many AS SELECT value AS id, value % 500 AS few FROM generate_series(1, 20000); \
    SET datafusion.optimizer.hash_join_single_partition_threshold = 0; \
    SET datafusion.optimizer.hash_join_single_partition_threshold_rows = 0; SET lakesh.threads = 4;";

/// A table of twelve partitions.
const PARTITIONED: &str = "CREATE TABLE visits PARTITIONED BY (day) AS SELECT value AS id, value % 50 AS kind, \
    CAST(value AS DOUBLE) AS amount, value % 12 AS day FROM generate_series(1, 20000);";

/// A Parquet file without statistics, and a table with them.
const WITHOUT_STATISTICS: &str = concat!(
    "CREATE TABLE events AS ",
    events!(),
    "; COPY events TO 'bare.parquet' (FORMAT parquet, statistics_enabled none);"
);

/// A Parquet file of ten row groups, whose `code` may be in each of them.
const KEYS: &str = "COPY (SELECT value AS id, 'c' || lpad(CAST(value * 7919 % 20011 AS VARCHAR), 6, '0') AS code, \
    CAST(value AS DOUBLE) AS amount FROM generate_series(1, 20000)) TO 'keys.parquet' \
    (FORMAT parquet, max_row_group_size 2000);";

/// Two tables that have numbers for keys, and the same numbers as text.
const TEXT_KEYS: &str = "CREATE TABLE orders AS SELECT value AS id, value % 500 AS customer FROM generate_series(1, 5000); \
    CREATE TABLE customers AS SELECT value AS number, CAST(value AS VARCHAR) AS id FROM generate_series(1, 600);";

/// A Delta table of one file, six rows of which are marked as deleted.
const WITH_DELETION_VECTOR: &str = r#"COPY (SELECT value AS id FROM generate_series(1, 1000))
    TO 'marked/part-0.parquet' (FORMAT parquet, compression uncompressed, created_by 'x');
COPY (VALUES
    ('{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}'),
    ('{"metaData":{"id":"d1","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{},"createdTime":0}}'),
    ('{"add":{"path":"part-0.parquet","partitionValues":{},"size":9715,"modificationTime":0,"dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":44,"cardinality":6}}}')
) TO 'marked/_delta_log/00000000000000000000.json' (FORMAT csv, has_header false, delimiter '~', quote '|');
CREATE EXTERNAL TABLE marked STORED AS DELTA LOCATION 'marked';"#;
