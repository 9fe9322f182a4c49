//! Functions of lists, structs and maps.

use super::tree;
use crate::kernel::{Kernel, Kind, map, pick};
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::renamed(
        "list_value",
        "list_value(x, …)",
        "A list of values.",
        "make_array",
    )
    .also(&["list_pack", "array", "array_value"])
    .nulls("NULL is an element.")
    .example("SELECT list_value(1, NULL), array(1, 2);")
    .duckdb("list_value, list_pack")
    .postgres("ARRAY[…]")
    .spark("array"),
    Function::tree(
        "array_push_front",
        "array_push_front(list, value)",
        "The list with a value before its elements.",
        tree::push_front,
    )
    .nulls("NULL is an element; a list that is NULL is taken for an empty one.")
    .example("SELECT array_push_front([2, 3], 1);")
    .duckdb("array_push_front"),
    Function::tree(
        "list_concat",
        "list_concat(list, …)",
        "The elements of several lists behind each other.",
        tree::list_concat,
    )
    .also(&["list_cat", "array_concat", "array_cat"])
    .nulls("NULL is left out.")
    .example("SELECT list_concat([1], [2, 3], NULL);")
    .duckdb("list_concat")
    .postgres("array_cat")
    .spark("concat"),
    Function::tree(
        "generate_subscripts",
        "generate_subscripts(list, 1)",
        "A row for each element, with its place, counted from 1.",
        tree::subscripts,
    )
    .example("SELECT generate_subscripts([4, 5], 1);")
    .duckdb("generate_subscripts")
    .postgres("generate_subscripts"),
    Function::renamed(
        "sequence",
        "sequence(start, end [, step])",
        "The values from a start to an end, both among them.",
        "generate_series",
    )
    .example("SELECT sequence(1, 5, 2);")
    .duckdb("generate_series")
    .postgres("generate_series")
    .spark("sequence"),
    Function::tree(
        "sort_array",
        "sort_array(list [, ascending])",
        "The list sorted; NULL first where it ascends, and last where it descends.",
        tree::sort_array,
    )
    .example("SELECT sort_array([2, NULL, 1], false);")
    .spark("sort_array"),
    Function::written(
        "list_reverse_sort",
        "list_reverse_sort(list)",
        "The list sorted from the largest to the smallest; NULL is last.",
        &[Form {
            parameters: &["x"],
            sql: "array_sort(x, 'DESC', 'NULLS LAST')",
        }],
    )
    .also(&["array_reverse_sort"])
    .example("SELECT list_reverse_sort([1, NULL, 2]);")
    .duckdb("list_reverse_sort"),
    Function::renamed(
        "list_min",
        "list_min(list)",
        "The smallest element.",
        "array_min",
    )
    .nulls("NULL is left out.")
    .example("SELECT list_min([2, NULL, 1]);")
    .duckdb("list_min")
    .spark("array_min"),
    Function::tree(
        "list_first",
        "list_first(list)",
        "The first element.",
        tree::list_first,
    )
    .example("SELECT list_first([3, 1]);")
    .duckdb("list_first"),
    Function::written(
        "list_last",
        "list_last(list)",
        "The last element.",
        &[Form {
            parameters: &["x"],
            sql: "(x)[-1]",
        }],
    )
    .example("SELECT list_last([3, 1]);")
    .duckdb("list_last"),
    Function::written(
        "list_count",
        "list_count(list)",
        "How many elements are not NULL.",
        &[Form {
            parameters: &["x"],
            sql: "length(array_compact(x))",
        }],
    )
    .example("SELECT list_count([3, NULL]);")
    .duckdb("list_count"),
    Function::written(
        "list_unique",
        "list_unique(list)",
        "How many different elements there are, without NULL.",
        &[Form {
            parameters: &["x"],
            sql: "length(array_distinct(array_compact(x)))",
        }],
    )
    .also(&["array_unique"])
    .example("SELECT list_unique([1, 1, NULL]);")
    .duckdb("list_unique"),
    Function::tree(
        "list_aggregate",
        "list_aggregate(list, name)",
        "An aggregate over the elements: sum, avg, min, max, count, product, first or last.",
        tree::list_aggregate,
    )
    .also(&["list_aggr", "array_aggregate", "array_aggr"])
    .example("SELECT list_aggregate([1, 2, NULL], 'sum');")
    .duckdb("list_aggregate"),
    Function::kernel(
        "list_select",
        "list_select(list, places)",
        "The elements at places, which are counted from 1; NULL where there is none.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], pick::list_type, pick::at_places),
    )
    .also(&["array_select"])
    .nulls("NULL for NULL; a place that is NULL is an error.")
    .example("SELECT list_select(['a', 'b', 'c'], [3, 1]);")
    .duckdb("list_select"),
    Function::kernel(
        "list_where",
        "list_where(list, truths)",
        "The elements beside which another list is true; NULL where there is none.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], pick::list_type, pick::where_true),
    )
    .also(&["array_where"])
    .nulls("NULL for NULL; NULL in the other list is an error.")
    .example("SELECT list_where(['a', 'b', 'c'], [true, false, true]);")
    .duckdb("list_where"),
    Function::written(
        "list_cosine_similarity",
        "list_cosine_similarity(a, b)",
        "The cosine of the angle between two lists of numbers.",
        &[Form {
            parameters: &["a", "b"],
            sql: "1e0 - cosine_distance(a, b)",
        }],
    )
    .also(&["array_cosine_similarity"])
    .example("SELECT list_cosine_similarity([1.0, 2.0], [1.0, 2.0]);")
    .duckdb("list_cosine_similarity"),
    Function::renamed(
        "list_cosine_distance",
        "list_cosine_distance(a, b)",
        "1 less the cosine of the angle between two lists of numbers.",
        "cosine_distance",
    )
    .also(&["array_cosine_distance"])
    .example("SELECT list_cosine_distance([1.0, 2.0], [2.0, 1.0]);")
    .duckdb("list_cosine_distance"),
    Function::renamed(
        "list_dot_product",
        "list_dot_product(a, b)",
        "The sum of the products of the elements.",
        "inner_product",
    )
    .also(&[
        "list_inner_product",
        "array_inner_product",
        "array_dot_product",
    ])
    .example("SELECT list_dot_product([1.0, 2.0], [2.0, 1.0]);")
    .duckdb("list_dot_product"),
    Function::written(
        "slice",
        "slice(list, start, length)",
        "So many elements from a place on, counted from 1.",
        &[Form {
            parameters: &["x", "a", "n"],
            sql: "array_slice(x, a, a + n - 1)",
        }],
    )
    .example("SELECT slice([1, 2, 3, 4], 2, 2);")
    .spark("slice"),
    Function::written(
        "get",
        "get(list, place)",
        "The element at a place, counted from 0.",
        &[Form {
            parameters: &["x", "n"],
            sql: "array_element(x, n + 1)",
        }],
    )
    .example("SELECT get([1, 2], 0);")
    .spark("get"),
    Function::renamed(
        "explode",
        "explode(list)",
        "A row for each element.",
        "unnest",
    )
    .nulls("NULL and an empty list make no row.")
    .example("SELECT explode([1, 2]);")
    .duckdb("unnest")
    .postgres("unnest")
    .spark("explode"),
    Function::lambda(
        "list_transform",
        "list_transform(list, x -> …)",
        "What a lambda makes of each element; with two parameters, (x, i) -> …, of its place too, which is counted from 1, and by transform from 0.",
        "array_transform",
    )
    .also(&[
        "array_transform",
        "transform",
        "list_apply",
        "array_apply",
        "apply",
    ])
    .example("SELECT list_transform([1, 2], x -> x + 1);")
    .duckdb("list_transform, list_apply")
    .spark("transform"),
    Function::lambda(
        "list_filter",
        "list_filter(list, x -> …)",
        "The elements for which a lambda is true; with two parameters, (x, i) -> …, i is the place, counted from 1.",
        "array_filter",
    )
    .also(&["array_filter", "filter"])
    .example("SELECT list_filter([1, 2, 3], x -> x > 1);")
    .duckdb("list_filter")
    .spark("filter"),
    Function::lambda(
        "list_reduce",
        "list_reduce(list, (x, y) -> … [, initial])",
        "What a lambda makes of what came out so far, x, and each next element, y; the first element, or the value to begin with, is what comes out at first. With a third parameter, (x, y, i) -> …, i is the place of y, counted from 1. The value may stand before the lambda, as in Spark.",
        "lakesh_reduce",
    )
    .also(&["array_reduce", "reduce", "aggregate"])
    .nulls("NULL for NULL; an empty list without a value to begin with is an error.")
    .example("SELECT list_reduce([1, 2, 3], (x, y) -> x * y);")
    .duckdb("list_reduce")
    .spark("reduce, without its last lambda"),
    Function::lambda(
        "any_match",
        "any_match(list, x -> …)",
        "Whether a lambda is true for one element.",
        "array_any_match",
    )
    .also(&["array_any_match", "list_any_match"])
    .example("SELECT any_match([1, 2], x -> x > 1);")
    .duckdb("list_any_match")
    .spark("exists"),
    Function::tree(
        "struct_pack",
        "struct_pack(name := value, …)",
        "A struct of these fields.",
        tree::struct_pack,
    )
    .nulls("NULL is a value of a field.")
    .example("SELECT struct_pack(a := 1, b := 'ñ');")
    .duckdb("struct_pack")
    .spark("named_struct"),
    Function::renamed(
        "row",
        "row(value, …)",
        "A struct of these values, whose fields are called c0, c1 and so on.",
        "struct",
    )
    .nulls("NULL is a value of a field.")
    .example("SELECT row(1, 'a');")
    .duckdb("row")
    .postgres("row"),
    Function::renamed(
        "struct_extract",
        "struct_extract(struct, name)",
        "A field of a struct.",
        "get_field",
    )
    .example("SELECT struct_extract(named_struct('a', 1), 'a');")
    .duckdb("struct_extract"),
    Function::renamed(
        "map_from_arrays",
        "map_from_arrays(keys, values)",
        "A map of a list of keys and one of values.",
        "map",
    )
    .example("SELECT map_from_arrays(['a', 'b'], [1, 2]);")
    .spark("map_from_arrays"),
    Function::written(
        "map_contains",
        "map_contains(map, key)",
        "Whether a map has a key.",
        &[Form {
            parameters: &["m", "k"],
            sql: "array_has(map_keys(m), k)",
        }],
    )
    .also(&["map_contains_key"])
    .example("SELECT map_contains(MAP {'a': 1}, 'a');")
    .duckdb("map_contains")
    .spark("map_contains_key"),
    Function::written(
        "map_extract_value",
        "map_extract_value(map, key)",
        "The value of a key.",
        &[Form {
            parameters: &["m", "k"],
            sql: "(map_extract(m, k))[1]",
        }],
    )
    .example("SELECT map_extract_value(MAP {'a': 1}, 'a');")
    .duckdb("map_extract_value"),
    Function::kernel(
        "map_from_entries",
        "map_from_entries(list)",
        "A map of a list of structs of a key and a value.",
        Kernel::new(&[&[Kind::Any]], map::map_type, map::of_entries),
    )
    .example("SELECT map_from_entries([struct(1, 'a'), struct(2, 'b')]);")
    .duckdb("map_from_entries")
    .spark("map_from_entries"),
];
