//! Aggregates.

use crate::aggregate;
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::renamed(
        "list",
        "list(x [ORDER BY y])",
        "The values as a list, NULL among them.",
        "array_agg",
    )
    .nulls("NULL is an element; no rows make NULL.")
    .example("SELECT list(x ORDER BY x) FROM (VALUES (2), (1), (NULL)) AS v(x);")
    .duckdb("list")
    .postgres("array_agg")
    .spark("collect_list"),
    Function::grouped(
        "collect_list",
        "collect_list(x)",
        "The values that are not NULL as a list.",
        &[Form { parameters: &["x"], sql: "coalesce(array_agg(x) FILTER (WHERE x IS NOT NULL), make_array())" }],
    )
    .nulls("NULL is left out; no rows make an empty list.")
    .example("SELECT collect_list(x) FROM (VALUES (2), (NULL)) AS v(x);")
    .duckdb("list")
    .postgres("array_agg")
    .spark("collect_list"),
    Function::grouped(
        "collect_set",
        "collect_set(x)",
        "The values that are not NULL as a list, each once.",
        &[Form { parameters: &["x"], sql: "coalesce(array_agg(DISTINCT x) FILTER (WHERE x IS NOT NULL), make_array())" }],
    )
    .nulls("NULL is left out; no rows make an empty list.")
    .example("SELECT collect_set(x) FROM (VALUES (1), (1), (NULL)) AS v(x);")
    .duckdb("list(DISTINCT x)")
    .postgres("array_agg(DISTINCT x)")
    .spark("collect_set"),
    Function::renamed(
        "first",
        "first(x [ORDER BY y])",
        "The value of the first row.",
        "first_value",
    )
    .also(&["arbitrary"])
    .nulls("A row with NULL counts.")
    .example("SELECT first(x ORDER BY x DESC) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("first")
    .spark("first"),
    Function::renamed(
        "last",
        "last(x [ORDER BY y])",
        "The value of the last row.",
        "last_value",
    )
    .nulls("A row with NULL counts.")
    .example("SELECT last(x ORDER BY x DESC) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("last")
    .spark("last"),
    Function::grouped(
        "arg_max",
        "arg_max(x, by)",
        "The x of the row whose `by` is the largest; with a number n, those of the n largest as a list.",
        &[Form { parameters: &["x", "y"], sql: "first_value(x ORDER BY y DESC) FILTER (WHERE x IS NOT NULL AND y IS NOT NULL)" }, Form { parameters: &["x", "y", "n"], sql: "(array_agg(x ORDER BY y DESC) FILTER (WHERE x IS NOT NULL AND y IS NOT NULL))[1:n]" }],
    )
    .also(&["max_by", "argmax"])
    .example("SELECT arg_max(x, y) FROM (VALUES ('a', 1), ('b', 2), ('c', NULL)) AS v(x, y);")
    .duckdb("arg_max, max_by")
    .spark("max_by"),
    Function::grouped(
        "arg_min",
        "arg_min(x, by)",
        "The x of the row whose `by` is the smallest; with a number n, those of the n smallest as a list.",
        &[Form { parameters: &["x", "y"], sql: "first_value(x ORDER BY y) FILTER (WHERE x IS NOT NULL AND y IS NOT NULL)" }, Form { parameters: &["x", "y", "n"], sql: "(array_agg(x ORDER BY y) FILTER (WHERE x IS NOT NULL AND y IS NOT NULL))[1:n]" }],
    )
    .also(&["min_by", "argmin"])
    .example("SELECT arg_min(x, y) FROM (VALUES ('a', 1), ('b', 2), ('c', NULL)) AS v(x, y);")
    .duckdb("arg_min, min_by")
    .spark("min_by"),
    Function::grouped(
        "arg_max_null",
        "arg_max_null(x, by)",
        "The x of the row whose `by` is the largest, also where that x is NULL.",
        &[Form { parameters: &["x", "y"], sql: "first_value(x ORDER BY y DESC) FILTER (WHERE y IS NOT NULL)" }],
    )
    .nulls("Rows whose `by` is NULL are left out.")
    .example("SELECT arg_max_null(x, y) FROM (VALUES ('a', 1), (NULL, 2)) AS v(x, y);")
    .duckdb("arg_max_null"),
    Function::grouped(
        "arg_min_null",
        "arg_min_null(x, by)",
        "The x of the row whose `by` is the smallest, also where that x is NULL.",
        &[Form { parameters: &["x", "y"], sql: "first_value(x ORDER BY y) FILTER (WHERE y IS NOT NULL)" }],
    )
    .nulls("Rows whose `by` is NULL are left out.")
    .example("SELECT arg_min_null(x, y) FROM (VALUES (NULL, 1), ('a', 2)) AS v(x, y);")
    .duckdb("arg_min_null"),
    Function::grouped(
        "count_if",
        "count_if(condition)",
        "How many rows fulfil a condition.",
        &[Form { parameters: &["c"], sql: "count(*) FILTER (WHERE c)" }],
    )
    .also(&["countif"])
    .example("SELECT count_if(x > 1) FROM (VALUES (1), (2), (NULL)) AS v(x);")
    .duckdb("count_if")
    .spark("count_if"),
    Function::renamed(
        "every",
        "every(condition)",
        "Whether all rows fulfil a condition.",
        "bool_and",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT every(x > 0) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("bool_and")
    .postgres("every")
    .spark("every"),
    Function::renamed(
        "some",
        "some(condition)",
        "Whether one row fulfils a condition.",
        "bool_or",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT some(x > 1) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("bool_or")
    .postgres("bool_or")
    .spark("some"),
    Function::grouped(
        "group_concat",
        "group_concat(x [, separator] [ORDER BY y])",
        "The texts of a group in one, with a comma or the separator between them.",
        &[Form { parameters: &["x"], sql: "string_agg(x, ',')" }, Form { parameters: &["x", "s"], sql: "string_agg(x, s)" }],
    )
    .also(&["listagg"])
    .example("SELECT group_concat(x, '; ' ORDER BY x) FROM (VALUES ('b'), ('ä'), (NULL)) AS v(x);")
    .duckdb("group_concat, listagg")
    .postgres("string_agg")
    .spark("listagg"),
    Function::aggregate_of(
        "mode",
        "mode(x)",
        "The value that is there most often; of several the smallest.",
        aggregate::mode,
    )
    .example("SELECT mode(x) FROM (VALUES (1), (2), (2), (NULL)) AS v(x);")
    .duckdb("mode")
    .postgres("mode")
    .spark("mode"),
    Function::aggregate_of(
        "histogram",
        "histogram(x)",
        "A map from each value to how often it is there.",
        aggregate::histogram,
    )
    .example("SELECT histogram(x) FROM (VALUES (1), (2), (2)) AS v(x);")
    .duckdb("histogram"),
    Function::aggregate_of(
        "entropy",
        "entropy(x)",
        "The entropy of the shares of the values, in bits.",
        aggregate::entropy,
    )
    .example("SELECT entropy(x) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("entropy"),
    Function::aggregate_of(
        "lakesh_product",
        "lakesh_product(x)",
        "The product of the rows.",
        aggregate::product,
    )
    .example("SELECT product(x) FROM (VALUES (2), (3)) AS v(x);")
    .duckdb("product"),
    Function::grouped(
        "geomean",
        "geomean(x)",
        "The geometric mean.",
        &[Form { parameters: &["x"], sql: "exp(avg(ln(CAST(x AS DOUBLE))))" }],
    )
    .also(&["geometric_mean"])
    .example("SELECT geomean(x) FROM (VALUES (2), (8)) AS v(x);")
    .duckdb("geomean"),
    Function::grouped(
        "weighted_avg",
        "weighted_avg(x, weight)",
        "The mean in which each value counts by its weight.",
        &[Form {
            parameters: &["x", "w"],
            sql: "sum(CAST(x AS DOUBLE) * w) / nullif(sum(CASE WHEN x IS NOT NULL THEN CAST(w AS DOUBLE) END), 0)",
        }],
    )
    .also(&["wavg"])
    .example("SELECT weighted_avg(x, w) FROM (VALUES (1, 3), (5, 1)) AS v(x, w);")
    .duckdb("weighted_avg"),
    Function::grouped(
        "regr_r2",
        "regr_r2(y, x)",
        "The share of the spread of y that a line through x explains.",
        &[Form {
            parameters: &["y", "x"],
            sql: "CASE WHEN regr_sxx(y, x) = 0 THEN NULL WHEN regr_syy(y, x) = 0 THEN 1e0 ELSE power(corr(y, x), 2) END",
        }],
    )
    .nulls("Rows with NULL are left out; NULL where x has one value only, 1 where y has.")
    .example("SELECT regr_r2(y, x) FROM (VALUES (1, 1), (2, 3), (4, 4)) AS v(y, x);")
    .duckdb("regr_r2")
    .postgres("regr_r2")
    .spark("regr_r2"),
    Function::renamed(
        "grouping_id",
        "grouping_id(key, …)",
        "A bit for each key, set where GROUPING SETS, ROLLUP or CUBE leave it out.",
        "grouping",
    )
    .nulls("")
    .example("SELECT k, grouping_id(k) FROM (VALUES (1)) AS v(k) GROUP BY ROLLUP (k) ORDER BY 2;")
    .duckdb("grouping_id")
    .spark("grouping_id"),
    Function::renamed(
        "fsum",
        "fsum(x)",
        "The sum.",
        "sum",
    )
    .also(&["sumkahan", "kahan_sum"])
    .nulls("Rows with NULL are left out.")
    .example("SELECT fsum(x) FROM (VALUES (1.5), (2)) AS v(x);")
    .duckdb("fsum"),
    Function::renamed(
        "favg",
        "favg(x)",
        "The mean.",
        "avg",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT favg(x) FROM (VALUES (1.5), (2)) AS v(x);")
    .duckdb("favg"),
    Function::grouped(
        "sem",
        "sem(x)",
        "The standard error of the mean.",
        &[Form { parameters: &["x"], sql: "stddev_pop(x) / sqrt(count(x))" }],
    )
    .example("SELECT sem(x) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("sem"),
    Function::renamed(
        "std",
        "std(x)",
        "The standard deviation of a sample.",
        "stddev",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT std(x) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("stddev")
    .postgres("stddev")
    .spark("std"),
    Function::renamed(
        "variance",
        "variance(x)",
        "The variance of a sample.",
        "var_samp",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT variance(x) FROM (VALUES (1), (2)) AS v(x);")
    .duckdb("variance")
    .postgres("variance")
    .spark("variance"),
    Function::renamed(
        "approx_count_distinct",
        "approx_count_distinct(x)",
        "About how many values there are.",
        "approx_distinct",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT approx_count_distinct(x) FROM (VALUES (1), (1)) AS v(x);")
    .duckdb("approx_count_distinct")
    .spark("approx_count_distinct"),
    Function::grouped(
        "approx_quantile",
        "approx_quantile(x, share)",
        "About the value at a share of the sorted values.",
        &[Form { parameters: &["x", "q"], sql: "approx_percentile_cont(x, q)" }, Form { parameters: &["x", "q", "n"], sql: "approx_percentile_cont(x, q)" }],
    )
    .also(&["approx_percentile", "percentile_approx"])
    .example("SELECT approx_quantile(x, 0.5) FROM (VALUES (1), (2), (9)) AS v(x);")
    .duckdb("approx_quantile")
    .spark("approx_percentile"),
    Function::grouped(
        "mad",
        "mad(x)",
        "The median of the distances from the median, a DOUBLE.",
        &[Form { parameters: &["x"], sql: "lakesh_mad(CAST(x AS DOUBLE))" }],
    )
    .example("SELECT mad(x) FROM (VALUES (1), (2), (5), (9)) AS v(x);")
    .duckdb("mad"),
    Function::aggregate_of(
        "lakesh_mad",
        "lakesh_mad(x)",
        "What mad gives for a DOUBLE.",
        aggregate::mad,
    )
    .example("SELECT mad(x) FROM (VALUES (1), (2), (5), (9)) AS v(x);")
    .duckdb("mad"),
    Function::renamed(
        "quantile",
        "quantile(x, share)",
        "The first value at or behind a share of the sorted values.",
        "quantile_disc",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT quantile(x, 0.5) FROM (VALUES (1), (2), (9)) AS v(x);")
    .duckdb("quantile"),
    Function::renamed(
        "percentile",
        "percentile(x, share)",
        "The value at a share of the sorted values, between two of them where it falls between them.",
        "quantile_cont",
    )
    .nulls("Rows with NULL are left out.")
    .example("SELECT percentile(x, 0.25) FROM (VALUES (0), (10)) AS v(x);")
    .spark("percentile"),
    Function::grouped(
        "json_group_array",
        "json_group_array(x)",
        "The values as a JSON list.",
        &[Form { parameters: &["x"], sql: "to_json(array_agg(x))" }],
    )
    .also(&["json_agg", "jsonb_agg"])
    .nulls("NULL is an element.")
    .example("SELECT json_group_array(x) FROM (VALUES (1), (NULL)) AS v(x);")
    .duckdb("json_group_array")
    .postgres("json_agg"),
    Function::grouped(
        "product",
        "product(x)",
        "The product of the rows of a group, as a DOUBLE. With two arguments and more, the product of the values of a row.",
        &[Form { parameters: &["x"], sql: "lakesh_product(x)" }],
    )
    .example("SELECT product(x) FROM (VALUES (2), (3), (NULL)) AS v(x);")
    .duckdb("product"),
];
