//! Row functions in SQL: results, NULL and odd values, errors.

use crate::testing::{check, check_error};

#[test]
fn row_functions() {
    for (sql, expected) in [
        (
            "select ratio(1, 4), ratio(1, 0), ratio(1, -0.0::double), ratio(null, 1)",
            "0.25,NULL,NULL,NULL",
        ),
        (
            "select ratio('NaN'::double, 2), ratio(1.50::decimal(5,2), 2)",
            "NaN,0.75",
        ),
        (
            "select difference(1, 4), difference(1.5, 1), difference(null, 1)",
            "-3,0.5,NULL",
        ),
        (
            "select difference(arrow_cast(1, 'UInt64'), arrow_cast(2, 'UInt8'))",
            "-1",
        ),
        (
            "select difference(date '2026-03-01', date '2026-02-01')",
            "28 days",
        ),
        (
            "select difference(1.25::decimal(10,2), 1::decimal(5,1))",
            "0.25",
        ),
        (
            "select product(2, 3, 4), product(2, 0.5), product(2, null), product(4)",
            "24,1.0,NULL,4",
        ),
        ("select product(9223372036854775807, 2, 0)", "0"),
        ("select product(1.5::decimal(5,2), 2)", "3.00"),
        (
            "select safe_ln(1), safe_ln(0), safe_ln(-1), safe_ln('NaN'::double), safe_ln('inf'::double)",
            "0.0,NULL,NULL,NaN,inf",
        ),
        (
            "select safe_log1p(0), safe_log1p(-1), safe_log1p(1e-20)",
            "0.0,NULL,1e-20",
        ),
        (
            "select safe_sqrt(9), safe_sqrt(-1), safe_sqrt(null)",
            "3.0,NULL,NULL",
        ),
        (
            "select clip(12, 0, 10), clip(-3, 0, 10), clip(5, null, null), clip(null, 0, 1)",
            "10,0,5,NULL",
        ),
        (
            "select clip(1.5, 0, 1), clip(x => 7, high => 5, low => 1)",
            "1.0,5",
        ),
        (
            "select clip('NaN'::double, 0, 1), clip(3.0::double, 0, 'NaN'::double)",
            "NaN,3.0",
        ),
        (
            "select clip(date '2026-05-01', date '2026-01-01', date '2026-02-01')",
            "2026-02-01",
        ),
        ("select clip(1.25::decimal(5,2), 0, 1)", "1.00"),
        (
            "select bucketize(0.9, [1, 2]), bucketize(1, [1, 2]), bucketize(2.0, [1, 2]), bucketize(null, [1])",
            "1,2,3,NULL",
        ),
        (
            "select bucketize('NaN'::double, [1.0]), bucketize(-0.0::double, [0.0]), bucketize(5, [])",
            "NULL,2,1",
        ),
        (
            "select bucketize(date '2026-05-01', [date '2026-01-01'])",
            "2",
        ),
        (
            "select bucketize(9007199254740993, [9007199254740993])",
            "2",
        ),
    ] {
        check(sql, &[expected]);
    }
}

#[test]
fn row_functions_refuse() {
    for (sql, part) in [
        (
            "select product(9223372036854775807, 2)",
            "does not fit into BIGINT",
        ),
        (
            "select difference(-9223372036854775807, 9)",
            "does not fit into BIGINT",
        ),
        (
            "select difference(arrow_cast(18446744073709551615, 'UInt64'), 1)",
            "does not fit",
        ),
        (
            "select clip(1, 3, 2)",
            "the lower bound 3 is above the upper bound 2",
        ),
        ("select bucketize(1, [2, 1])", "not in ascending order"),
        ("select bucketize(1, [1, 1])", "not in ascending order"),
        ("select bucketize(1.0, [1.0, null])", "NULL or NaN"),
        ("select ratio(1)", "`ratio` takes 2 arguments, not 1"),
        ("select ratio('a', 1)", "`ratio` takes numbers"),
        (
            "select safe_ln(true)",
            "`safe_ln` takes numbers, not Boolean",
        ),
        ("select difference(date '2026-01-01', 1)", "cannot subtract"),
    ] {
        check_error(sql, part);
    }
}
