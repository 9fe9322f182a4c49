//! Functions of JSON.

use crate::json::{self, change};
use crate::kernel::{Kernel, Kind, to_text, to_texts, to_truth, to_whole};
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::kernel(
        "json_extract",
        "json_extract(json, way)",
        "What a way such as '$.a[0].b' leads to, as JSON; a text without $ is a key, a number a place in a list. The same as json -> way.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole]], to_text, json::extract),
    )
    .also(&["json_extract_path"])
    .nulls("NULL where the way leads to nothing.")
    .example("SELECT json_extract('{\"a\": [1, {\"b\": \"x\"}]}', '$.a[1]');")
    .duckdb("json_extract")
    .postgres("->"),
    Function::kernel(
        "json_extract_string",
        "json_extract_string(json, way)",
        "What a way leads to, as a text: a string without its quotes, NULL for null. The same as json ->> way.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole]], to_text, json::extract_text),
    )
    .also(&["json_extract_path_text", "json_extract_scalar"])
    .nulls("NULL where the way leads to nothing.")
    .example("SELECT json_extract_string('{\"a\": \"ñ\"}', '$.a');")
    .duckdb("json_extract_string")
    .postgres("->>")
    .spark("get_json_object"),
    Function::kernel(
        "get_json_object",
        "get_json_object(json, way)",
        "What a way leads to, as a text.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole]], to_text, json::get_object),
    )
    .nulls("NULL where the way leads to nothing, and where the text is no JSON.")
    .example("SELECT get_json_object('{\"a\": \"b\"}', '$.a');")
    .spark("get_json_object"),
    Function::kernel(
        "json_valid",
        "json_valid(text)",
        "Whether a text is JSON.",
        Kernel::new(&[&[Kind::Text]], to_truth, json::is_valid),
    )
    .example("SELECT json_valid('{a:1}');")
    .duckdb("json_valid"),
    Function::kernel(
        "json_array_length",
        "json_array_length(json [, way])",
        "How many elements a JSON list has; 0 for what is none.",
        Kernel::new(&[&[Kind::Text], &[Kind::Text, Kind::TextOrWhole]], to_whole, json::list_length),
    )
    .also(&["jsonb_array_length"])
    .example("SELECT json_array_length('[1, [2, 3]]');")
    .duckdb("json_array_length")
    .postgres("json_array_length")
    .spark("json_array_length"),
    Function::kernel(
        "json_keys",
        "json_keys(json [, way])",
        "The keys of a JSON object.",
        Kernel::new(&[&[Kind::Text], &[Kind::Text, Kind::TextOrWhole]], to_texts, json::keys),
    )
    .also(&["json_object_keys"])
    .example("SELECT json_keys('{\"a\": 1, \"b\": 2}');")
    .duckdb("json_keys")
    .postgres("json_object_keys")
    .spark("json_object_keys"),
    Function::kernel(
        "json_type",
        "json_type(json [, way])",
        "The kind of a JSON value in DuckDB's words: OBJECT, ARRAY, VARCHAR, UBIGINT, BIGINT, DOUBLE, BOOLEAN, NULL.",
        Kernel::new(&[&[Kind::Text], &[Kind::Text, Kind::TextOrWhole]], to_text, json::type_of),
    )
    .example("SELECT json_type('[1]'), json_type('{\"a\": -1}', '$.a');")
    .duckdb("json_type"),
    Function::kernel(
        "json_typeof",
        "json_typeof(json)",
        "The kind of a JSON value in PostgreSQL's words: object, array, string, number, boolean, null.",
        Kernel::new(&[&[Kind::Text]], to_text, json::plain_type_of),
    )
    .also(&["jsonb_typeof"])
    .example("SELECT json_typeof('1.5');")
    .postgres("json_typeof"),
    Function::kernel(
        "to_json",
        "to_json(value)",
        "A value as JSON: structs and maps as objects, lists as lists, dates as texts.",
        Kernel::new(&[&[Kind::Any]], to_text, json::written),
    )
    .also(&["to_jsonb", "row_to_json", "array_to_json", "json_quote"])
    .nulls("NULL for NULL, and null for what is NULL within a value.")
    .example("SELECT to_json(named_struct('a', [1, NULL], 'b', 'ñ'));")
    .duckdb("to_json")
    .postgres("to_json")
    .spark("to_json"),
    Function::kernel(
        "json_value",
        "json_value(json, way)",
        "What a way leads to, as a text, where it is no object and no list.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole]], to_text, json::scalar_text),
    )
    .nulls("NULL where the way leads to nothing, to null, to an object or to a list.")
    .example("SELECT json_value('{\"a\": \"ñ\"}', '$.a');")
    .duckdb("json_value, with quotes around texts")
    .postgres("json_value"),
    Function::kernel(
        "json",
        "json(text)",
        "The JSON text without blanks between its parts.",
        Kernel::new(&[&[Kind::Text]], to_text, json::minified),
    )
    .nulls("NULL for NULL; what is no JSON is an error.")
    .example("SELECT json('{\"a\": [1, 2]}');")
    .duckdb("json"),
    Function::kernel(
        "json_strip_nulls",
        "json_strip_nulls(json)",
        "The JSON text without the members of objects that are null.",
        Kernel::new(&[&[Kind::Text]], to_text, json::without_nulls),
    )
    .also(&["jsonb_strip_nulls"])
    .example("SELECT json_strip_nulls('{\"a\": null, \"b\": [null]}');")
    .duckdb("json_strip_nulls")
    .postgres("json_strip_nulls"),
    Function::kernel(
        "json_set",
        "json_set(json, way, value)",
        "The JSON text with a value at a way, in the place of what is there or new. A text is read as JSON, any other value is written as such.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole, Kind::Any]], to_text, change::set),
    )
    .example("SELECT json_set('{\"a\": 1}', '$.b', '[2]'), json_set('[1]', '$[#]', 2);")
    .duckdb("json_set"),
    Function::kernel(
        "json_insert",
        "json_insert(json, way, value)",
        "As json_set, but what is there stays.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole, Kind::Any]], to_text, change::insert),
    )
    .example("SELECT json_insert('{\"a\": 1}', '$.a', 2), json_insert('{\"a\": 1}', '$.b', 2);")
    .duckdb("json_insert"),
    Function::kernel(
        "json_replace",
        "json_replace(json, way, value)",
        "As json_set, but only where a value is there.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole, Kind::Any]], to_text, change::replace),
    )
    .example("SELECT json_replace('{\"a\": 1}', '$.a', 2), json_replace('{\"a\": 1}', '$.b', 2);")
    .duckdb("json_replace"),
    Function::kernel(
        "json_remove",
        "json_remove(json, way)",
        "The JSON text without what stands at a way.",
        Kernel::new(&[&[Kind::Text, Kind::TextOrWhole]], to_text, change::remove),
    )
    .nulls("NULL for NULL, and where the way is that of the whole text.")
    .example("SELECT json_remove('{\"a\": [1, 2]}', '$.a[0]');")
    .duckdb("json_remove"),
    Function::kernel(
        "json_merge_patch",
        "json_merge_patch(json, patch, …)",
        "JSON texts laid over each other by RFC 7396: members of objects are joined, null takes one away, anything else is replaced.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_text, change::merge_patch).going_on(),
    )
    .nulls("NULL where the last text is NULL; what is laid over NULL stays as it is.")
    .example("SELECT json_merge_patch('{\"a\": 1, \"b\": 2}', '{\"b\": null, \"c\": 3}');")
    .duckdb("json_merge_patch"),
    Function::kernel(
        "json_array",
        "json_array(value, …)",
        "A JSON list of values.",
        Kernel::new(&[&[], &[Kind::Any]], to_text, change::list).going_on(),
    )
    .also(&["json_build_array", "jsonb_build_array"])
    .nulls("NULL is written as null.")
    .example("SELECT json_array(1, 'ñ', NULL, [2]);")
    .duckdb("json_array")
    .postgres("json_build_array"),
    Function::kernel(
        "json_object",
        "json_object(name, value, …)",
        "A JSON object of names and values.",
        Kernel::new(&[&[], &[Kind::Any]], to_text, change::object).going_on(),
    )
    .also(&["json_build_object", "jsonb_build_object"])
    .nulls("NULL is written as null; a name that is NULL is an error.")
    .example("SELECT json_object('a', 1, 'b', 'ñ');")
    .duckdb("json_object")
    .postgres("json_build_object"),
    Function::written(
        "json_exists",
        "json_exists(json, way)",
        "Whether a way leads to a value.",
        &[Form { parameters: &["j", "w"], sql: "CASE WHEN j IS NOT NULL AND w IS NOT NULL THEN json_extract(j, w) IS NOT NULL END" }],
    )
    .example("SELECT json_exists('{\"a\": null}', '$.a');")
    .duckdb("json_exists"),
    Function::kernel(
        "lakesh_as_json",
        "lakesh_as_json(value)",
        "What a cast to JSON gives.",
        Kernel::new(&[&[Kind::Any]], to_text, json::as_json),
    )
    .nulls("NULL for NULL; a text that is no JSON is an error.")
    .example("SELECT CAST('[1, 2]' AS JSON);")
    .duckdb("CAST(… AS JSON)"),
    Function::kernel(
        "lakesh_try_as_json",
        "lakesh_try_as_json(value)",
        "What TRY_CAST to JSON gives.",
        Kernel::new(&[&[Kind::Any]], to_text, json::try_as_json),
    )
    .nulls("NULL for NULL and for a text that is no JSON.")
    .example("SELECT TRY_CAST('[1, 2' AS JSON);")
    .duckdb("TRY_CAST(… AS JSON)"),
];
