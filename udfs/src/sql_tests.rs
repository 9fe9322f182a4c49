//! All functions in SQL: results, NULL and odd values, errors, and independence of how a plan is cut.

use crate::testing::{rows, session};

#[track_caller]
fn run(sql: &str) -> Result<Vec<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let found = runtime.block_on(rows(&session(2, 8192), sql));
    found.map_err(|error| error.strip_backtrace())
}

#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    assert_eq!(run(sql).unwrap(), expected, "{sql}");
}

#[track_caller]
fn check_error(sql: &str, part: &str) {
    let error = run(sql).unwrap_err();
    assert!(error.contains(part), "{sql}\n{error}");
}

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

const SERIES: &str = "(values (1, 2.0, 10), (2, null, 20), (3, 4.0, 20), (4, 4.0, 0), (5, 1.0, -10), (6, null, null), (7, 8.0, 5)) as s(t, x, k)";

#[track_caller]
fn check_column(call: &str, window: &str, expected: &str) {
    let sql = format!("select {call} over ({window}) from {SERIES} order by t");
    let found = run(&sql).unwrap();
    assert_eq!(found.join(" "), expected, "{sql}");
}

const THREE: &str = "order by t rows between 2 preceding and current row";

#[test]
fn window_functions() {
    check_column(
        "delta(x)",
        "order by t",
        "NULL NULL NULL 0.0 -3.0 NULL NULL",
    );
    check_column(
        "delta(x, 2)",
        "order by t",
        "NULL NULL 2.0 NULL -3.0 NULL 7.0",
    );
    check_column(
        "delta(k, k => 1)",
        "order by t",
        "NULL 10 0 -20 -10 NULL NULL",
    );
    check_column(
        "delta(date '2026-01-01' + k)",
        "order by t rows current row",
        "NULL 10 days 0 secs -20 days -10 days NULL NULL",
    );
    check_column(
        "pct_change(k)",
        "order by t",
        "NULL 1.0 0.0 -1.0 NULL NULL NULL",
    );
    check_column(
        "pct_change(x, 2)",
        "order by t",
        "NULL NULL 1.0 NULL -0.75 NULL 7.0",
    );
    check_column("momentum(x)", THREE, "0.0 NULL 1.0 0.0 -2.0 NULL 3.5");
    check_column(
        "momentum(k, 'ratio')",
        THREE,
        "0.0 0.3333333333333333 0.19999999999999996 -1.0 -3.9999999999999996 NULL -3.0",
    );
    check_column(
        "volatility(x)",
        THREE,
        "NULL NULL 1.4142135623730951 0.0 1.7320508075688772 2.1213203435596424 4.949747468305833",
    );
    check_column(
        "volatility(k, 'cv')",
        "order by t rows between 1 preceding and current row",
        "NULL 0.4714045207910317 0.0 1.4142135623730951 -1.4142135623730951 NULL NULL",
    );
    check_column("trend_slope(x)", THREE, "NULL NULL 1.0 0.0 -1.5 -3.0 3.5");
    check_column(
        "trend_slope(x, t)",
        THREE,
        "NULL NULL 1.0 0.0 -1.5 -3.0 3.5",
    );
    check_column(
        "trend_slope(x, date '2026-01-01' + 2 * t)",
        THREE,
        "NULL NULL 0.5 0.0 -0.75 -1.5 1.75",
    );
    check_column(
        "trend_slope(x, 5)",
        THREE,
        "NULL NULL NULL NULL NULL NULL NULL",
    );
    check_column("rolling_rank(x)", THREE, "1.0 NULL 2.0 1.5 1.0 NULL 2.0");
    check_column(
        "rolling_rank(k, 'max', true)",
        THREE,
        "1.0 1.0 1.0 0.3333333333333333 0.3333333333333333 NULL 1.0",
    );
    check_column(
        "rolling_rank(x, method => 'dense')",
        "order by t rows unbounded preceding",
        "1.0 NULL 2.0 2.0 1.0 NULL 4.0",
    );
    check_column(
        "rolling_rank(x, 'min')",
        "order by t rows unbounded preceding",
        "1.0 NULL 2.0 2.0 1.0 NULL 5.0",
    );
    check_column("minmax_range(x)", THREE, "0.0 0.0 2.0 0.0 3.0 3.0 7.0");
    check_column("minmax_range(k)", THREE, "0 10 10 20 30 10 15");
    check_column(
        "minmax_range(k::decimal(5,1))",
        THREE,
        "0.0 10.0 10.0 20.0 30.0 10.0 15.0",
    );
    check_column(
        "minmax_range(date '2026-01-01' + k)",
        "order by t rows current row",
        "0 secs 0 secs 0 secs 0 secs 0 secs NULL 0 secs",
    );
}

#[test]
fn frames_with_peers_rank_each_row() {
    // k ties at 20: both rows share one frame, and each is subtracted from its mean.
    let sql = format!(
        "select t, momentum(t) over (order by k), rolling_rank(t) over (order by k) from {SERIES} where k > 0 order by t"
    );
    check(
        &sql,
        &["1,-3.0,1.0", "2,-1.25,2.0", "3,-0.25,3.0", "7,0.0,1.0"],
    );
}

#[test]
fn frames_that_do_not_end_at_the_row_are_refused() {
    for call in ["momentum(x)", "rolling_rank(x)"] {
        for window in [
            "order by t rows between 1 preceding and 1 following",
            "order by t rows between 3 preceding and 1 preceding",
            "order by t rows between unbounded preceding and unbounded following",
        ] {
            let sql = format!("select {call} over ({window}) from {SERIES}");
            check_error(&sql, "must end at CURRENT ROW");
        }
        check_error(
            &format!("select {call} over () from {SERIES}"),
            "CURRENT ROW",
        );
        check_error(
            &format!("select {call} from {SERIES}"),
            "is about the current row",
        );
        let filtered =
            format!("select {call} filter (where t > 1) over (order by t) from {SERIES}");
        check_error(&filtered, "FILTER");
    }
    check_error(
        &format!("select trend_slope(x) from {SERIES}"),
        "needs a time",
    );
    check_error(
        &format!("select delta(x, 0) over (order by t) from {SERIES}"),
        "positive number of rows",
    );
    check_error(
        &format!("select momentum(x, 'share') over (order by t) from {SERIES}"),
        "has the mode 'ratio'",
    );
    check_error(
        &format!("select rolling_rank(x, 'first') over (order by t) from {SERIES}"),
        "'dense'",
    );
    check_error(
        &format!("select skewness(x) over ({THREE}) from {SERIES}"),
        "UNBOUNDED PRECEDING",
    );
    check_error(
        &format!("select delta(x, t) over (order by t) from {SERIES}"),
        "constant",
    );
}

#[test]
fn other_frames() {
    check_column(
        "volatility(t)",
        "order by t rows between current row and 1 following",
        "0.7071067811865476 0.7071067811865476 0.7071067811865476 0.7071067811865476 0.7071067811865476 0.7071067811865476 NULL",
    );
    check_column(
        "minmax_range(t)",
        "order by t rows between current row and unbounded following",
        "6 5 4 3 2 1 0",
    );
    check_column("minmax_range(t)", "", "6 6 6 6 6 6 6");
    check_column(
        "trend_slope(x)",
        "order by t range between 2 preceding and current row",
        "NULL NULL 1.0 0.0 -1.5 -3.0 3.5",
    );
    check_column(
        "minmax_range(x) filter (where t <> 4)",
        THREE,
        "0.0 0.0 2.0 0.0 3.0 0.0 7.0",
    );
}

#[test]
fn what_leaves_the_frame_leaves_no_trace() {
    for odd in ["1e16", "'NaN'::double", "'inf'::double", "'-inf'::double"] {
        let sql = format!(
            "select t, volatility(x) over w, momentum(x) over w, trend_slope(x) over w, minmax_range(x) over w, rolling_rank(x) over w
             from (select t, case when t = 3 then {odd} else 1e15 + t end as x from (values (1), (2), (3), (4), (5), (6), (7)) as v(t))
             window w as (order by t rows between 1 preceding and current row) order by t"
        );
        let found = run(&sql).unwrap();
        let clean = |t: usize| format!("{t},0.7071067811865476,0.5,1.0,1.0,2.0");
        assert_eq!(found[1], clean(2), "{odd}");
        assert_eq!(found[4..], [clean(5), clean(6), clean(7)], "{odd}");
    }
}

#[test]
fn groups() {
    let sql = format!(
        "select k > 5 as g, volatility(x), minmax_range(x), trend_slope(x, t) from {SERIES} group by 1 order by 1"
    );
    check(
        &sql,
        &[
            "false,3.511884584284246,7.0,1.642857142857143",
            "true,1.4142135623730951,2.0,1.0",
            "NULL,NULL,NULL,NULL",
        ],
    );
}

#[test]
fn target_encodings() {
    let rows = "(values (1, 'a', 1.0, 0), (2, 'a', 0.0, 1), (3, 'b', 1.0, 1), (4, null, 1.0, 0), (5, 'a', null, 0), (6, null, 0.0, 1), (7, 'c', 1.0, 0)) as r(id, c, y, f)";
    let sql = format!("select target_encode_oof(c, y, f, 2) over () from {rows} order by id");
    // Fold 0 is encoded from fold 1, whose mean is 1/3: a (0 + 2/3) / 3; fold 1 from fold 0, mean 1.
    check(
        &sql,
        &[
            "0.2222222222222222",
            "1.0",
            "1.0",
            "0.2222222222222222",
            "0.2222222222222222",
            "1.0",
            "0.3333333333333333",
        ],
    );
    let sql = format!(
        "select target_encode_ordered(c, y, 1, 0.5) over (order by id) from {rows} order by id"
    );
    check(&sql, &["0.5", "0.75", "0.5", "0.5", "0.5", "0.75", "0.5"]);
    let alone = format!("select target_encode_oof(c, y, 1, 2) over () from {rows} limit 1");
    check(&alone, &["NULL"]);
    let negative = format!("select target_encode_oof(c, y, f, -1) over () from {rows}");
    check_error(&negative, "0 or more rows");
}

#[test]
fn validation() {
    for (sql, expected) in [
        (
            "select missing_rate(x) from (values (1.0), (null), ('NaN'::double), (2.0)) as t(x)",
            "0.5",
        ),
        (
            "select missing_rate(x, w) from (values ('a', 1), (null, 3), (null, null), ('b', 0)) as t(x, w)",
            "0.75",
        ),
        (
            "select missing_rate(x) from (values (1)) as t(x) where x > 1",
            "NULL",
        ),
        (
            "select zero_variance(x) from (values (0.0), (-0.0), (null)) as t(x)",
            "true",
        ),
        (
            "select zero_variance(x) from (values ('a'), ('b')) as t(x)",
            "false",
        ),
        (
            "select zero_variance(x, w) from (values ('a', 1), ('b', 0)) as t(x, w)",
            "true",
        ),
        (
            "select zero_variance(x) from (values (null::int)) as t(x)",
            "true",
        ),
        (
            "select zero_variance(x) from (values (1)) as t(x) where x > 1",
            "NULL",
        ),
        (
            "select skewness(x), kurtosis(x) from (values (1), (2), (9)) as t(x)",
            "1.6300591617118863,NULL",
        ),
        (
            "select skewness(x), kurtosis(x) from (values (1), (1), (1), (1)) as t(x)",
            "NULL,NULL",
        ),
        (
            "select weighted_mean(x, w), weighted_std(x, w) from (values (1, 3), (5, 1), (7, null)) as t(x, w)",
            "2.0,2.0",
        ),
        (
            "select weighted_mean(x, w), weighted_std(x, w) from (values (1, 0.5), (5, 0.5)) as t(x, w)",
            "3.0,NULL",
        ),
        (
            "select weighted_mean(x, w) from (values ('NaN'::double, 0), (5, 1)) as t(x, w)",
            "5.0",
        ),
        (
            "select weighted_quantile(x, 0.5, w) from (values (1, 1), (2, 1), (9, 3)) as t(x, w)",
            "9.0",
        ),
        (
            "select weighted_quantile(x, q => 0.4, weight => w) from (values (1, 1), (2, 1), (9, 3)) as t(x, w)",
            "2.0",
        ),
        (
            "select weighted_quantile(x, 0, w), weighted_quantile(x, 1, w) from (values (1, 1), (9, 3)) as t(x, w)",
            "1.0,9.0",
        ),
        (
            "select psi(e, a) from (values (0.5, 0.5), (0.5, 0.5), (null, 1.0)) as t(e, a)",
            "0.0",
        ),
        (
            "select weighted_mean(x, 2) from (values (1.10::decimal(10,2)), (1.30)) as t(x)",
            "1.2",
        ),
    ] {
        check(sql, &[expected]);
    }
    for (sql, part) in [
        (
            "select weighted_mean(x, -1) from (values (1)) as t(x)",
            "a weight is -1",
        ),
        (
            "select missing_rate(x, -1) from (values (1)) as t(x)",
            "a weight is -1",
        ),
        (
            "select zero_variance(x, 'NaN'::double) from (values (1)) as t(x)",
            "a weight is NaN",
        ),
        (
            "select weighted_quantile(x, 1.5, 1) from (values (1)) as t(x)",
            "from 0 to 1",
        ),
        (
            "select psi(x, -x) from (values (1)) as t(x)",
            "not both 0 or more",
        ),
        (
            "select weighted_mean(distinct x, 1) from (values (1)) as t(x)",
            "DISTINCT",
        ),
    ] {
        check_error(sql, part);
    }
}

#[test]
fn results_do_not_depend_on_how_the_plan_is_cut() {
    let rows_of = "(select value as id, value % 7 as g, case when value % 11 = 0 then null else sin(value) * 1e6 + value end as x, value % 5 as w from generate_series(1, 3000))";
    let windows = format!(
        "select id, volatility(x) over w, momentum(x) over w, trend_slope(x) over w, rolling_rank(x) over w, minmax_range(x) over w, delta(x, 3) over w, pct_change(x) over w
         from {rows_of} window w as (partition by g order by id rows between 20 preceding and current row) order by id"
    );
    let groups = format!(
        "select g, round(skewness(x, w), 9), round(kurtosis(x), 9), missing_rate(x, w), zero_variance(g), weighted_quantile(x, 0.3, w), round(weighted_std(x, w), 6), round(volatility(x), 6), minmax_range(x), round(trend_slope(x, id), 6)
         from {rows_of} group by g order by g"
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for sql in [windows, groups] {
        let expected = runtime.block_on(rows(&session(1, 8192), &sql)).unwrap();
        assert!(expected.len() >= 7);
        for (partitions, batch_size) in [(1, 1), (3, 17), (8, 100), (2, 8192)] {
            let found = runtime.block_on(rows(&session(partitions, batch_size), &sql));
            assert_eq!(found.unwrap(), expected, "{partitions}, {batch_size}");
        }
    }
}
