//! Functions of numbers.

use crate::kernel::{
    Kernel, Kind, base, bytes, check, float, size, to_number, to_text, to_truth, to_whole,
};
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::written(
        "add",
        "add(a, b)",
        "The sum.",
        &[Form { parameters: &["a", "b"], sql: "a + b" }],
    )
    .example("SELECT add(1, -2);")
    .duckdb("add"),
    Function::written(
        "subtract",
        "subtract(a, b)",
        "The difference.",
        &[Form { parameters: &["a", "b"], sql: "a - b" }],
    )
    .example("SELECT subtract(1, 2);")
    .duckdb("subtract"),
    Function::written(
        "multiply",
        "multiply(a, b)",
        "The product.",
        &[Form { parameters: &["a", "b"], sql: "a * b" }],
    )
    .example("SELECT multiply(2, -3);")
    .duckdb("multiply"),
    Function::written(
        "divide",
        "divide(a, b)",
        "The quotient without its rest.",
        &[Form { parameters: &["a", "b"], sql: "CAST(trunc(CAST(a AS DOUBLE) / CAST(b AS DOUBLE)) AS BIGINT)" }],
    )
    .example("SELECT divide(-7, 2);")
    .duckdb("divide"),
    Function::written(
        "div",
        "div(a, b)",
        "The quotient without its rest, as PostgreSQL gives it.",
        &[Form { parameters: &["a", "b"], sql: "CAST(trunc(a / b) AS BIGINT)" }],
    )
    .example("SELECT div(-7, 2);")
    .postgres("div")
    .spark("div"),
    Function::written(
        "fdiv",
        "fdiv(a, b)",
        "The quotient rounded down, as a DOUBLE.",
        &[Form { parameters: &["a", "b"], sql: "floor(CAST(a AS DOUBLE) / CAST(b AS DOUBLE))" }],
    )
    .example("SELECT fdiv(-7, 2);")
    .duckdb("fdiv"),
    Function::written(
        "fmod",
        "fmod(a, b)",
        "What is left of a DOUBLE, with the sign of b.",
        &[Form { parameters: &["a", "b"], sql: "(CAST(a AS DOUBLE) - CAST(b AS DOUBLE) * floor(CAST(a AS DOUBLE) / CAST(b AS DOUBLE)))" }],
    )
    .example("SELECT fmod(-7, 2);")
    .duckdb("fmod"),
    Function::written(
        "pmod",
        "pmod(a, b)",
        "The remainder that is not negative for a positive b.",
        &[Form { parameters: &["a", "b"], sql: "((a % b) + b) % b" }],
    )
    .example("SELECT pmod(-7, 3);")
    .spark("pmod"),
    Function::written(
        "negative",
        "negative(x)",
        "The number with the other sign.",
        &[Form { parameters: &["x"], sql: "-x" }],
    )
    .example("SELECT negative(5);")
    .spark("negative"),
    Function::written(
        "positive",
        "positive(x)",
        "The number as it is.",
        &[Form { parameters: &["x"], sql: "+x" }],
    )
    .example("SELECT positive(-5);")
    .spark("positive"),
    Function::written(
        "xor",
        "xor(a, b)",
        "The bits that one of two whole numbers has alone.",
        &[Form { parameters: &["a", "b"], sql: "a # b" }],
    )
    .example("SELECT xor(17, 5);")
    .duckdb("xor"),
    Function::written(
        "even",
        "even(x)",
        "The next even number away from 0.",
        &[Form { parameters: &["x"], sql: "sign(x) * 2 * ceil(abs(CAST(x AS DOUBLE)) / 2)" }],
    )
    .example("SELECT even(2.9), even(-1);")
    .duckdb("even"),
    Function::written(
        "isinf",
        "isinf(x)",
        "Whether a number is infinite.",
        &[Form { parameters: &["x"], sql: "abs(CAST(x AS DOUBLE)) = CAST('inf' AS DOUBLE)" }],
    )
    .example("SELECT isinf(CAST('-inf' AS DOUBLE));")
    .duckdb("isinf"),
    Function::written(
        "isfinite",
        "isfinite(x)",
        "Whether a number is neither infinite nor NaN.",
        &[Form { parameters: &["x"], sql: "abs(CAST(x AS DOUBLE)) < CAST('inf' AS DOUBLE)" }],
    )
    .example("SELECT isfinite(1), isfinite(CAST('nan' AS DOUBLE));")
    .duckdb("isfinite"),
    Function::renamed(
        "ceiling",
        "ceiling(x)",
        "The number rounded up.",
        "ceil",
    )
    .example("SELECT ceiling(-1.5);")
    .duckdb("ceiling")
    .postgres("ceiling")
    .spark("ceiling"),
    Function::written(
        "e",
        "e()",
        "Euler's number.",
        &[Form { parameters: &[], sql: "exp(1e0)" }],
    )
    .example("SELECT e();")
    .spark("e"),
    Function::written(
        "expm1",
        "expm1(x)",
        "e^x - 1.",
        &[Form { parameters: &["x"], sql: "exp(CAST(x AS DOUBLE)) - 1e0" }],
    )
    .example("SELECT expm1(0);")
    .spark("expm1"),
    Function::written(
        "log1p",
        "log1p(x)",
        "The natural logarithm of x + 1; NULL at and below -1.",
        &[Form { parameters: &["x"], sql: "CASE WHEN x > -1 THEN ln(1e0 + x) END" }],
    )
    .example("SELECT log1p(0);")
    .spark("log1p"),
    Function::written(
        "hypot",
        "hypot(a, b)",
        "The root of the sum of two squares.",
        &[Form { parameters: &["a", "b"], sql: "sqrt(power(CAST(a AS DOUBLE), 2e0) + power(CAST(b AS DOUBLE), 2e0))" }],
    )
    .example("SELECT hypot(3, 4);")
    .spark("hypot"),
    Function::written(
        "rint",
        "rint(x)",
        "The nearest whole number as a DOUBLE, a half to the even one.",
        &[Form { parameters: &["x"], sql: "bround(x)" }],
    )
    .example("SELECT rint(12.5);")
    .spark("rint"),
    Function::kernel(
        "bround",
        "bround(x [, digits])",
        "A number rounded to digits behind the point, a half to the even neighbour; a DOUBLE.",
        Kernel::new(&[&[Kind::Number], &[Kind::Number, Kind::Whole]], to_number, base::round_even),
    )
    .also(&["round_even", "roundbankers"])
    .example("SELECT bround(2.5), bround(-1.25, 1);")
    .duckdb("round_even")
    .spark("bround"),
    Function::written(
        "width_bucket",
        "width_bucket(x, low, high, count)",
        "In which of so many buckets between two bounds a number falls; 0 below and count + 1 above. The bounds ascend.",
        &[Form { parameters: &["x", "a", "b", "n"], sql: "CASE WHEN x < a THEN 0 WHEN x >= b THEN n + 1 WHEN x IS NOT NULL THEN CAST(floor((CAST(x AS DOUBLE) - a) * n / (CAST(b AS DOUBLE) - a)) AS BIGINT) + 1 END" }],
    )
    .example("SELECT width_bucket(5.3, 0.2, 10.6, 5);")
    .postgres("width_bucket")
    .spark("width_bucket"),
    Function::kernel(
        "bit_count",
        "bit_count(x)",
        "How many bits of a whole number are set; one below 0 has 64.",
        Kernel::new(&[&[Kind::Whole]], to_whole, bytes::bit_count),
    )
    .example("SELECT bit_count(31);")
    .duckdb("bit_count")
    .postgres("bit_count")
    .spark("bit_count"),
    Function::written(
        "getbit",
        "getbit(x, place)",
        "The bit at a place from the right, counted from 0.",
        &[Form { parameters: &["x", "n"], sql: "(x >> n) & 1" }],
    )
    .also(&["bit_get"])
    .example("SELECT getbit(11, 0);")
    .spark("getbit"),
    Function::written(
        "shiftleft",
        "shiftleft(x, count)",
        "The bits moved to the left.",
        &[Form { parameters: &["a", "b"], sql: "a << b" }],
    )
    .example("SELECT shiftleft(2, 1);")
    .spark("shiftleft"),
    Function::written(
        "shiftright",
        "shiftright(x, count)",
        "The bits moved to the right.",
        &[Form { parameters: &["a", "b"], sql: "a >> b" }],
    )
    .example("SELECT shiftright(4, 1);")
    .spark("shiftright"),
    Function::kernel(
        "try_add",
        "try_add(a, b)",
        "The sum, and NULL where it has no room.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], check::sum_type, check::sum),
    )
    .example("SELECT try_add(9223372036854775807, 1);")
    .spark("try_add"),
    Function::kernel(
        "try_subtract",
        "try_subtract(a, b)",
        "The difference, and NULL where it has no room.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], check::difference_type, check::difference),
    )
    .example("SELECT try_subtract(2, 3);")
    .spark("try_subtract"),
    Function::kernel(
        "try_multiply",
        "try_multiply(a, b)",
        "The product, and NULL where it has no room.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], check::product_type, check::product),
    )
    .example("SELECT try_multiply(2, 3);")
    .spark("try_multiply"),
    Function::written(
        "try_divide",
        "try_divide(a, b)",
        "The quotient as a DOUBLE, and NULL where b is 0.",
        &[Form { parameters: &["a", "b"], sql: "CAST(a AS DOUBLE) / nullif(CAST(b AS DOUBLE), 0e0)" }],
    )
    .example("SELECT try_divide(3, 2), try_divide(1, 0);")
    .spark("try_divide"),
    Function::kernel(
        "try_mod",
        "try_mod(a, b)",
        "The remainder, and NULL where b is 0.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], check::remainder_type, check::remainder),
    )
    .example("SELECT try_mod(3, 0);")
    .spark("try_mod"),
    Function::kernel(
        "nextafter",
        "nextafter(x, y)",
        "The next number that there is from x to y, of FLOATs a FLOAT and else a DOUBLE.",
        Kernel::new(&[&[Kind::Any, Kind::Any]], float::next_type, float::next_after),
    )
    .example("SELECT nextafter(1, 2);")
    .duckdb("nextafter"),
    Function::kernel(
        "signbit",
        "signbit(x)",
        "Whether a number has a sign in front, as -0.0 has.",
        Kernel::new(&[&[Kind::Number]], to_truth, float::has_sign),
    )
    .example("SELECT signbit(CAST('-0' AS DOUBLE));")
    .duckdb("signbit"),
    Function::kernel(
        "format_bytes",
        "format_bytes(bytes)",
        "A number of bytes as a text, in units of 1024: 1.5 KiB.",
        Kernel::new(&[&[Kind::Whole]], to_text, size::binary),
    )
    .also(&["formatreadablesize"])
    .example("SELECT format_bytes(1536);")
    .duckdb("format_bytes, formatReadableSize"),
    Function::kernel(
        "formatreadabledecimalsize",
        "formatreadabledecimalsize(bytes)",
        "A number of bytes as a text, in units of 1000: 1.5 kB.",
        Kernel::new(&[&[Kind::Whole]], to_text, size::decimal),
    )
    .example("SELECT formatReadableDecimalSize(1500);")
    .duckdb("formatReadableDecimalSize"),
    Function::kernel(
        "crc32",
        "crc32(value)",
        "The checksum CRC-32 of bytes.",
        Kernel::new(&[&[Kind::Bytes]], to_whole, bytes::crc32),
    )
    .example("SELECT crc32('Spark');")
    .postgres("crc32")
    .spark("crc32"),
    Function::kernel(
        "sha1",
        "sha1(value)",
        "The hash SHA-1 of bytes, in base 16.",
        Kernel::new(&[&[Kind::Bytes]], to_text, bytes::sha1),
    )
    .also(&["sha"])
    .example("SELECT sha1('Spark');")
    .duckdb("sha1")
    .spark("sha1"),
    Function::written(
        "sha2",
        "sha2(value, bits)",
        "The hash SHA-2 of 224, 256, 384 or 512 bits, in base 16; 0 means 256.",
        &[Form { parameters: &["x", "b"], sql: "CASE b WHEN 0 THEN encode(digest(x, 'sha256'), 'hex') WHEN 224 THEN encode(digest(x, 'sha224'), 'hex') WHEN 256 THEN encode(digest(x, 'sha256'), 'hex') WHEN 384 THEN encode(digest(x, 'sha384'), 'hex') WHEN 512 THEN encode(digest(x, 'sha512'), 'hex') END" }],
    )
    .example("SELECT sha2('Spark', 256);")
    .spark("sha2"),
    Function::kernel(
        "xxhash64",
        "xxhash64(value, …)",
        "A hash of 64 bits, the same as in Spark for values of the same types.",
        Kernel::new(&[&[Kind::Any]], to_whole, bytes::xxhash64).going_on(),
    )
    .nulls("NULL is left out.")
    .example("SELECT xxhash64('Spark', 2);")
    .spark("xxhash64"),
    Function::renamed(
        "hash",
        "hash(value, …)",
        "A hash of 64 bits, that of xxhash64; those of other databases are others.",
        "xxhash64",
    )
    .example("SELECT hash('a') = hash('a');")
    .duckdb("hash")
    .spark("hash"),
];
