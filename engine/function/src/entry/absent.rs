//! Functions of other databases that there are not, with what serves instead.

use crate::registry::Absent;

/// All of them, by name.
pub(crate) static ABSENT: &[Absent] = &[
    absent("pg_sleep", "a query cannot wait; a script of the shell can"),
    absent("sleep", "a query cannot wait; a script of the shell can"),
    absent(
        "getenv",
        "a query reads no environment; `\\set name value` and `:name` bring a value into it",
    ),
    absent(
        "setseed",
        "`random()` cannot be repeated; a hash of a key can: xxhash64(key)",
    ),
    absent(
        "nextval",
        "there are no sequences; `row_number() OVER ()` numbers rows",
    ),
    absent(
        "currval",
        "there are no sequences; `row_number() OVER ()` numbers rows",
    ),
    absent(
        "current_setting",
        "`SHOW name` shows a setting, and `system.settings` all",
    ),
    absent("set_config", "`SET name = value` changes a setting"),
    absent(
        "pg_size_pretty",
        "sizes are numbers; `table_detail('t')` has those of a table",
    ),
    absent(
        "pg_total_relation_size",
        "`table_detail('t')` has the size of a table",
    ),
    absent(
        "pg_table_size",
        "`table_detail('t')` has the size of a table",
    ),
    absent("pg_backend_pid", "there is no server"),
    absent("duckdb_tables", "`SHOW TABLES`, or `system.tables`"),
    absent("duckdb_columns", "`DESCRIBE t`, or `table_columns('t')`"),
    absent("duckdb_functions", "`\\df`, or `system.functions`"),
    absent("duckdb_settings", "`SHOW ALL`, or `system.settings`"),
    absent("pragma_table_info", "`DESCRIBE t`"),
    absent(
        "from_json",
        "`json_extract_string(json, way)` and a cast take out one value; `read_json('file')` reads files with their types",
    ),
    absent(
        "json_tuple",
        "`json_extract_string(json, key)` for each key",
    ),
    absent(
        "json_each",
        "`unnest(json_keys(json))` gives the keys; `json ->> key` their values",
    ),
    absent(
        "json_tree",
        "`unnest(json_keys(json))` gives the keys; `json ->> key` their values",
    ),
    absent(
        "json_transform",
        "`json_extract_string(json, way)` and a cast take out one value",
    ),
    absent("jsonb_path_query", "`json_extract(json, way)`"),
    absent(
        "posexplode",
        "`unnest(range(0, len(list)))` beside `unnest(list)`",
    ),
    absent(
        "explode_outer",
        "`unnest(list)`, with a LEFT JOIN for the rows without elements",
    ),
    absent(
        "inline",
        "`unnest(list)` of the structs, and their fields by name",
    ),
    absent("stack", "`VALUES (…), (…)`, or UNION ALL"),
    absent(
        "zip_with",
        "`list_zip(a, b)` and list_transform over its structs",
    ),
    absent(
        "map_filter",
        "`map_entries(map)`, list_filter and map_from_entries",
    ),
    absent(
        "transform_keys",
        "`map_entries(map)`, list_transform and map_from_entries",
    ),
    absent(
        "transform_values",
        "`map_entries(map)`, list_transform and map_from_entries",
    ),
    absent(
        "map_concat",
        "`list_concat` of `map_entries(a)` and `map_entries(b)`, and map_from_entries",
    ),
    absent(
        "input_file_block_start",
        "`input_file_name()` and `file_row_index()`",
    ),
    absent("spark_partition_id", "rows have no partition that stays"),
    absent("bitstring_agg", "`bit_or(1 << x)`"),
    absent(
        "bitstring",
        "`bin(x)` shows bits; `&`, `|`, `#` and `<<` compute with them",
    ),
    absent("xpath", "XML is not read"),
    absent("xpath_string", "XML is not read"),
    absent("from_csv", "`split(text, ',')`, or `read_csv('file')`"),
    absent("to_csv", "`concat_ws(',', …)`, or COPY … TO 'file.csv'"),
    absent("schema_of_json", "`json_type(json)`"),
    absent(
        "java_method",
        "no programs are called; `CREATE FUNCTION … LANGUAGE RUST` makes functions",
    ),
    absent(
        "reflect",
        "no programs are called; `CREATE FUNCTION … LANGUAGE RUST` makes functions",
    ),
    absent(
        "aes_encrypt",
        "there is no encryption; `sha2` and `digest` hash",
    ),
    absent(
        "aes_decrypt",
        "there is no encryption; `sha2` and `digest` hash",
    ),
    absent(
        "to_tsvector",
        "there is no full-text search; `regexp_like` and `contains` search",
    ),
    absent(
        "strip_accents",
        "letters keep their accents; `translate(text, 'áé', 'ae')` takes those that it names",
    ),
    absent(
        "unaccent",
        "letters keep their accents; `translate(text, 'áé', 'ae')` takes those that it names",
    ),
    absent("count_star", "`count(*)`"),
    absent("sum_distinct", "`sum(DISTINCT x)`"),
    absent(
        "approx_top_k",
        "`GROUP BY x ORDER BY count(*) DESC LIMIT k`",
    ),
    absent("reservoir_quantile", "`approx_quantile(x, share)`"),
    absent(
        "list_grade_up",
        "`row_number() OVER (ORDER BY x)` over unnest(list)",
    ),
];

const fn absent(name: &'static str, instead: &'static str) -> Absent {
    Absent { name, instead }
}
