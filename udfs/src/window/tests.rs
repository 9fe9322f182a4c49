//! Window functions in SQL: results over frames of all kinds, errors, groups.

use crate::testing::{check, check_error, run};

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
