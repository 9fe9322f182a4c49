//! Feature functions against pandas, scipy, scikit-learn and exact arithmetic, on data with everything
//! in it that such functions may meet; and that results do not depend on how a query is run.

use crate::support::{Lake, python};

/// Values of each kind have a column of their name.
const KINDS: [&str; 6] = ["plain", "offset", "spike", "constant", "ties", "odd"];

fn events() -> Lake {
    let lake = Lake::new();
    python("features_data.py", &[&lake.path()]);
    lake
}

/// Runs a script that compares, and shows what differs.
#[track_caller]
fn same(lake: &Lake, script: &str, at_least: u64) {
    let answer = python(script, &[&lake.path()]);
    let problems = answer["problems"].as_array().unwrap();
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| problem.as_str().unwrap())
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let compared = answer["compared"].as_u64().unwrap();
    assert!(compared >= at_least, "only {compared} values were compared");
}

/// All window functions over a frame of so many rows.
fn windows(width: usize) -> String {
    let mut calls = Vec::new();
    for kind in KINDS {
        for (name, call) in [
            ("momentum", "momentum({})"),
            ("ratio", "momentum({}, 'ratio')"),
            ("volatility", "volatility({})"),
            ("cv", "volatility({}, 'cv')"),
            ("slope", "trend_slope({})"),
            ("timed", "trend_slope({}, ts)"),
            ("range", "minmax_range({})"),
            ("rank_average", "rolling_rank({})"),
            ("rank_min", "rolling_rank({}, 'min', true)"),
            ("rank_max", "rolling_rank({}, 'max')"),
            ("rank_dense", "rolling_rank({}, method => 'dense')"),
        ] {
            let call = call.replace("{}", kind);
            calls.push(format!("{call} over w as {name}_{kind}"));
        }
    }
    format!(
        "select grp, id, {}, delta(plain) over w as delta_plain, delta(plain, 3) over w as delta3_plain,
         pct_change(plain, 2) over w as change_plain, delta(whole) over w as delta_whole,
         target_encode_oof(city, y, fold, 7) over () as oof, target_encode_ordered(city, y, 2, 0.3) over (order by id) as ordered
         from 'events.parquet'
         window w as (partition by grp order by id rows between {} preceding and current row)",
        calls.join(", "),
        width - 1
    )
}

#[test]
fn window_functions_equal_pandas_and_exact_arithmetic() {
    let lake = events();
    let copies: String = [1, 2, 7, 60]
        .map(|width| format!("copy ({}) to 'windows_{width}.parquet';", windows(width)))
        .concat();
    lake.does(&copies);
    same(&lake, "features_windows.py", 200_000);
}

#[test]
fn validation_functions_equal_pandas_and_scipy() {
    let lake = events();
    let mut calls = Vec::new();
    for kind in KINDS {
        for (name, call) in [
            ("missing", "missing_rate({})"),
            ("missing_w", "missing_rate({}, w)"),
            ("constant", "zero_variance({})"),
            ("constant_w", "zero_variance({}, w)"),
            ("skewness", "skewness({})"),
            ("kurtosis", "kurtosis({})"),
            ("skewness_pop", "skewness_pop({})"),
            ("kurtosis_pop", "kurtosis_pop({})"),
            ("skewness_w", "skewness({}, w)"),
            ("kurtosis_w", "kurtosis({}, weight => w)"),
            ("mean_w", "weighted_mean({}, w)"),
            ("std_w", "weighted_std({}, w)"),
            ("quantile_w", "weighted_quantile({}, 0.3, w)"),
        ] {
            calls.push(format!("{} as {name}_{kind}", call.replace("{}", kind)));
        }
    }
    let query = format!(
        "select grp, {}, weighted_mean(plain, share) as mean_share from 'events.parquet' group by grp",
        calls.join(", ")
    );
    lake.does(&format!("copy ({query}) to 'validation.parquet'"));
    same(&lake, "features_validation.py", 400);
}

#[test]
fn results_do_not_depend_on_threads_or_batches() {
    let lake = events();
    let query = format!("{} order by grp nulls first, id", windows(7));
    let script = |threads: usize, batch_size: usize| {
        format!(
            "set datafusion.execution.target_partitions = {threads};
             set datafusion.execution.batch_size = {batch_size};
             {query};"
        )
    };
    let expected = lake.rows(&script(1, 8192));
    assert_eq!(expected.lines().count(), 780);
    for (threads, batch_size) in [(2, 1), (4, 7), (3, 100)] {
        let found = lake.rows(&script(threads, batch_size));
        assert!(
            found == expected,
            "{threads} threads, batches of {batch_size} rows"
        );
    }
}

#[test]
fn one_large_partition_runs_within_a_small_memory_limit() {
    let lake = Lake::new();
    let rows = 300_000_u64;
    // About 40 MB to sort, in an order that has nothing to do with the values.
    let source = format!(
        "select value as n, lpad(value::varchar, 100, '0') as pad from generate_series(1, {rows}) order by (value * 7919) % 1000003"
    );
    lake.does(&format!("copy ({source}) to 'wide.parquet'"));
    let query = "select count(*), max(pad), sum(d), sum(r), sum(p) from (
        select pad, delta(n) over w as d, minmax_range(n) over w as r, rolling_rank(n) over w as p
        from 'wide.parquet' window w as (order by n rows between 99 preceding and current row))";
    let limited = ["--memory-limit", "32MB", "--format", "csv", "-c", query];
    let found = lake.shell(limited).run().succeeds();
    // Values ascend by 1: the frame of row n holds min(n, 100) values, the current one the largest.
    let ranks: u64 = (1..=rows).map(|n| n.min(100)).sum();
    let expected = format!(
        "{rows},{rows:0>100},{},{},{ranks}.0",
        rows - 1,
        ranks - rows
    );
    assert_eq!(found.lines().nth(1), Some(expected.as_str()));
}

#[test]
fn notices_say_what_a_window_does() {
    let lake = Lake::new();
    let run = |sql: &str| lake.shell(["--format", "csv", "-c", sql]).run();
    let ties = run("select volatility(value) over (order by value) from generate_series(1, 3)");
    assert!(ties.stderr.contains("RANGE"), "{}", ties.stderr);
    let rows = run(
        "select volatility(value) over (order by value rows unbounded preceding) from generate_series(1, 3)",
    );
    assert!(!rows.stderr.contains("RANGE"), "{}", rows.stderr);
    let sliding = "select avg(value) over (order by value rows between 1 preceding and current row) from generate_series(1, 3)";
    assert!(!run(sliding).stderr.contains("momentum"));
    // Frames that move are exact, whatever the aggregate: there is nothing to say.
    let explained = run(&format!("explain {sliding}"));
    assert!(
        !explained.stderr.contains("momentum"),
        "{}",
        explained.stderr
    );
}

#[test]
fn all_functions_of_a_window_share_one_operator_and_one_sort() {
    let lake = events();
    let plan = lake.rows(&format!("explain {}", windows(7)));
    let count = |part: &str| plan.matches(part).count();
    // Frames of rows by (grp, id); the two encodings have windows of their own.
    assert_eq!(count("FeatureWindowExec"), 1, "{plan}");
    assert_eq!(count("WindowAggExec"), 2, "{plan}");
}

#[test]
fn frames_that_make_no_sense_are_refused_at_their_place() {
    let lake = Lake::new();
    let message = lake.refuses(
        "select rolling_rank(value) over (order by value rows between 1 preceding and 1 following) from generate_series(1, 3)",
    );
    assert!(message.contains("must end at CURRENT ROW"), "{message}");
    let message = lake.refuses("select ratio('a', 1)");
    assert!(
        message.contains("`ratio` takes numbers, not VARCHAR"),
        "{message}"
    );
}

#[test]
fn functions_are_listed_with_their_usage() {
    let lake = Lake::new();
    let listed = lake.rows("show functions like 'rolling_rank'");
    assert!(listed.contains("rolling_rank(x [, method"), "{listed}");
    let helped = lake.shell(["-c", "\\help rolling_rank"]).run().succeeds();
    assert!(helped.contains("example"), "{helped}");
}
