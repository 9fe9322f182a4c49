//! Functions that choose, and what else is left.

use super::tree;
use crate::kernel::{Kernel, Kind, shape, text, to_text};
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::kernel(
        "typeof",
        "typeof(value)",
        "The SQL type of an expression, as DESCRIBE names it.",
        Kernel::new(&[&[Kind::Any]], to_text, shape::type_name),
    )
    .also(&["pg_typeof"])
    .nulls("The type of NULL is NULL, as a text.")
    .example("SELECT typeof(1), typeof(DATE '2024-01-01'), typeof(NULL);")
    .duckdb("typeof")
    .postgres("pg_typeof")
    .spark("typeof"),
    Function::written(
        "if",
        "if(condition, yes, no)",
        "One of two values.",
        &[Form { parameters: &["c", "a"], sql: "CASE WHEN c THEN a END" }, Form { parameters: &["c", "a", "b"], sql: "CASE WHEN c THEN a ELSE b END" }],
    )
    .also(&["iff", "iif"])
    .nulls("A condition that is NULL counts as false.")
    .example("SELECT if(1 > 2, 'a', 'b');")
    .duckdb("if")
    .spark("if"),
    Function::written(
        "zeroifnull",
        "zeroifnull(x)",
        "The number, and 0 for NULL.",
        &[Form { parameters: &["x"], sql: "coalesce(x, 0)" }],
    )
    .nulls("")
    .example("SELECT zeroifnull(NULL);")
    .spark("zeroifnull"),
    Function::written(
        "nullifzero",
        "nullifzero(x)",
        "The number, and NULL for 0.",
        &[Form { parameters: &["x"], sql: "nullif(x, 0)" }],
    )
    .example("SELECT nullifzero(0);")
    .spark("nullifzero"),
    Function::written(
        "isnull",
        "isnull(x)",
        "Whether a value is NULL.",
        &[Form { parameters: &["x"], sql: "x IS NULL" }],
    )
    .nulls("")
    .example("SELECT isnull(NULL);")
    .spark("isnull"),
    Function::written(
        "isnotnull",
        "isnotnull(x)",
        "Whether a value is not NULL.",
        &[Form { parameters: &["x"], sql: "x IS NOT NULL" }],
    )
    .nulls("")
    .example("SELECT isnotnull(NULL);")
    .spark("isnotnull"),
    Function::written(
        "equal_null",
        "equal_null(a, b)",
        "Whether two values are the same, NULL among them.",
        &[Form { parameters: &["a", "b"], sql: "a IS NOT DISTINCT FROM b" }],
    )
    .nulls("")
    .example("SELECT equal_null(NULL, NULL);")
    .spark("equal_null"),
    Function::tree(
        "decode",
        "decode(value, search, result, … [, otherwise])",
        "The result behind the first search that is the value. With one argument the text that bytes are in UTF-8, with two that of another format: decode(bytes, format).",
        tree::decode,
    )
    .nulls("NULL is found by NULL.")
    .example("SELECT decode(2, 1, 'one', 2, 'two', 'many');")
    .spark("decode"),
    Function::kernel(
        "error",
        "error(message)",
        "Fails with a message.",
        Kernel::new(&[&[Kind::Text]], to_text, text::fail),
    )
    .also(&["raise_error"])
    .example("SELECT CASE WHEN 1 > 0 THEN 'good' ELSE error('bad') END;")
    .duckdb("error")
    .spark("raise_error"),
    Function::written(
        "gen_random_uuid",
        "gen_random_uuid()",
        "A random UUID.",
        &[Form { parameters: &[], sql: "uuid()" }],
    )
    .example("SELECT length(gen_random_uuid());")
    .duckdb("gen_random_uuid")
    .postgres("gen_random_uuid")
    .spark("uuid"),
    Function::written(
        "monotonically_increasing_id",
        "monotonically_increasing_id()",
        "A number for each row, from 0.",
        &[Form { parameters: &[], sql: "(CAST(row_number() OVER () AS BIGINT) - 1)" }],
    )
    .example("SELECT monotonically_increasing_id() FROM (VALUES (1), (2)) AS v(x);")
    .spark("monotonically_increasing_id"),
];
