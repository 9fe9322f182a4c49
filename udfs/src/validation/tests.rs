//! Validation functions in SQL: results, weights, errors, independence of how a plan is cut.

use crate::testing::{check, check_error, rows, session};

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
            "select round(psi(e, a), 12) from (values (0.5, 0.4), (0.5, 0.6)) as t(e, a)",
            "0.040546510811",
        ),
        (
            "select round(psi(e, a), 10) from (values (0.0, 0.5)) as t(e, a)",
            "4.2577448764",
        ),
        (
            "select psi(e, a) from (values (0.5, 0.5)) as t(e, a) where e > 1",
            "NULL",
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
