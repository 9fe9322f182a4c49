//! EXPLAIN LEAKAGE in pairs: a query with a leak and the same query without it.

use std::sync::Arc;

use lakesh_engine::session::Session;

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// Tables of rides with labels, and encoders that were fitted on some of them.
async fn lake() -> (Lake, Arc<Session>) {
    let lake = Lake::new();
    let session = session_in(&lake);
    for sql in [
        "create table rides as select value % 3 as rider, to_timestamp(value * 100) as at, value as fare,
         value % 2 = 0 as late from generate_series(1, 30)",
        "create table labels as select value as id, value % 3 as rider, to_timestamp(value * 170) as ts,
         value % 2 as y from generate_series(1, 12)",
        "create table train as select value as id, value % 4 as g, 'c' || (value % 5) as city, to_timestamp(value) as ts,
         value * 1.5 as x, cast(value % 2 as double) as y from generate_series(1, 40)",
        "create table other as select * from train",
        "create table country as select value as rider, 'n' || value as name from generate_series(0, 2)",
        "create feature view spent keys (rider) timestamp at as
         select rider, at, sum(fare) over (partition by rider order by at) as total from rides",
        "create feature view ahead keys (rider) timestamp at as
         select rider, at, sum(fare) over (partition by rider order by at rows between current row and 2 following) as total from rides",
        "create encoder te as select target_encoder(city, y) as city_te, frequency_encoder(city) as city_freq from train",
        "create encoder early as select target_encoder(city, y) as early_te from train where ts < '1970-01-01T00:00:20'",
        "create encoder elsewhere as select target_encoder(city, y) as else_te from other",
    ] {
        run(&session, sql).await.unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    }
    (lake, session)
}

/// The leaks of a query, as `feature: leak`, in their order.
async fn leaks(session: &Arc<Session>, label: &str, query: &str) -> Vec<String> {
    let sql = format!("explain leakage label {label} for {query}");
    let answer = run(session, &sql).await;
    let answer = answer.unwrap_or_else(|failure| panic!("{query}: {failure} {:?}", failure.hints));
    let found = answer.rows.iter();
    found.map(|row| format!("{}: {}", row[0], row[1])).collect()
}

/// Checks queries over `train`.
async fn check(cases: &[(&str, &[&str])]) {
    let (_lake, session) = lake().await;
    let mut wrong = Vec::new();
    for (query, expected) in cases {
        let found = leaks(&session, "y at ts", query).await;
        if found != *expected {
            wrong.push(format!(
                "{query}\n  expected {expected:?}\n  found    {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_reach_forward() {
    check(&[
        ("select ts, y, avg(x) over (partition by g order by ts rows between 2 preceding and 1 following) as f from train", &["f: future rows"]),
        ("select ts, y, avg(x) over (partition by g order by ts rows between 2 preceding and current row) as f from train", &[]),
        ("select ts, y, max(x) over (partition by g order by ts rows between current row and unbounded following) as f from train", &["f: future rows"]),
        ("select ts, y, max(x) over (partition by g order by ts desc rows between current row and unbounded following) as f from train", &[]),
        ("select ts, y, max(x) over (partition by g order by ts desc rows between 3 preceding and current row) as f from train", &["f: future rows"]),
        ("select ts, y, sum(x) over (order by ts range between interval '5' second preceding and interval '1' second following) as f from train", &["f: future rows"]),
        ("select ts, y, sum(x) over (order by ts range between interval '5' second preceding and interval '1' second preceding) as f from train", &[]),
        ("select ts, y, lead(x) over (order by ts) as f from train", &["f: future rows"]),
        ("select ts, y, lag(x) over (order by ts) as f from train", &[]),
        ("select ts, y, lag(x, -1) over (order by ts) as f from train", &["f: future rows"]),
        ("select ts, y, lag(x) over (order by ts desc) as f from train", &["f: future rows"]),
        ("select ts, y, delta(x, 2) over (order by ts) as f from train", &[]),
        ("select ts, y, ntile(4) over (order by ts) as f from train", &["f: future rows"]),
        ("select ts, y, row_number() over (order by ts) as f from train", &[]),
    ]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ties_and_whole_partitions() {
    check(&[
        ("select ts, y, sum(x) over (partition by g order by ts) as f from train", &["f: ties"]),
        ("select ts, y, sum(x) over (partition by g order by ts rows unbounded preceding) as f from train", &[]),
        ("select ts, y, sum(x) over (order by cast(ts as date) rows unbounded preceding) as f from train", &["f: ties"]),
        ("select ts, y, avg(x) over (partition by g) as f from train", &["f: whole partition"]),
        ("select ts, y, x - avg(x) over () as f from train", &["f: whole partition"]),
        ("select ts, y, count(*) over (partition by g) as f from train", &["f: whole partition"]),
        ("select ts, y, x / (select max(x) from train) as f from train", &["f: whole table"]),
        ("select ts, y, x / (select max(x) from train where ts < '1970-01-01T00:00:10') as f from train where ts >= '1970-01-01T00:00:10'", &[]),
        ("select ts, y, x / (select max(x) from train where ts < '1970-01-01T00:00:30') as f from train where ts >= '1970-01-01T00:00:10'", &["f: whole table"]),
        ("select ts, y, avg(x) over (order by id rows unbounded preceding) as f from train", &["f: other order"]),
        ("with s as (select g, avg(x) as m from train group by g) select t.ts, t.y, t.x - s.m as f from train t join s on t.g = s.g", &["f: whole table"]),
    ]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_in_a_feature() {
    check(&[
        ("select ts, y, y * 2 as f, x from train", &["f: target"]),
        ("select ts, y, x * 2 as f, x from train", &[]),
        ("select ts, y, avg(y) over (partition by city order by ts rows unbounded preceding) as f from train", &["f: target"]),
        ("select ts, y, avg(y) over (partition by city order by ts rows between unbounded preceding and 1 preceding) as f from train", &[]),
        ("select ts, y, lag(y) over (partition by city order by ts) as f from train", &[]),
        ("select ts, y, sum(case when y = 1 then x end) over (order by ts rows unbounded preceding) as f from train", &["f: target"]),
        ("select ts, y, sum(x) over (order by ts rows unbounded preceding) as f from train where y is not null", &[]),
        ("select ts, y, target_encode_oof(city, y, id % 5, 10) over () as f from train", &[]),
        ("select ts, y, target_encode_ordered(city, y, 1, 0.5) over (order by ts, id) as f from train", &[]),
        ("select ts, y, (select avg(b.y) from train b where b.city = train.city) as f from train", &["f: target"]),
    ]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encoders_that_know_the_rows() {
    check(&[
        ("select ts, y, apply_encoder('te', 'city_te', city) as f from train", &["f: target encoding"]),
        ("select ts, y, apply_encoder('te', 'city_freq', city) as f from train", &["f: encoder"]),
        ("select ts, y, apply_encoder('elsewhere', city) as f from train", &[]),
        ("select ts, y, apply_encoder('te', 'city_te', city) as f from other", &[]),
        ("select ts, y, apply_encoder('early', city) as f from train", &["f: target encoding"]),
        ("select ts, y, apply_encoder('early', city) as f from train where ts >= '1970-01-01T00:00:20'", &[]),
        ("select ts, y, city_te as f from transform('train', 'te')", &["f: target encoding"]),
        ("select ts, y, city_te as f from transform('train', 'te', by_hash => 'id', folds => 5)", &[]),
        ("select ts, y, early_te as f from transform('train', 'early', by_fold => 'g')", &[]),
    ]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_without_a_time() {
    let (_lake, session) = lake().await;
    let cases: &[(&str, &[&str])] = &[
        (
            "select l.*, s.total from labels l left asof join spent s match_condition (l.ts > s.at) on l.rider = s.rider",
            &[],
        ),
        (
            "select l.*, s.total from labels l left asof join spent s match_condition (l.ts >= s.at) on l.rider = s.rider",
            &["total: equal time"],
        ),
        (
            "select l.*, s.total from labels l asof join spent s match_condition (l.ts < s.at) on l.rider = s.rider",
            &["total: join without a time"],
        ),
        (
            "select l.*, s.total from labels l asof join spent s on l.rider = s.rider and l.ts > s.at",
            &[],
        ),
        (
            "select l.*, s.total from labels l asof join ahead s match_condition (l.ts > s.at) on l.rider = s.rider",
            &["total: future rows"],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider",
            &["fare: join without a time"],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and r.at < l.ts",
            &[],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and r.at <= l.ts",
            &["fare: equal time"],
        ),
        (
            "select /*+ broadcast(l) */ l.*, r.fare from labels l join rides r on l.rider = r.rider and r.at < l.ts",
            &[],
        ),
        (
            "select /*+ broadcast(l) */ l.*, r.fare from labels l join rides r on l.rider = r.rider",
            &["fare: join without a time"],
        ),
        (
            "select l.*, r.fare from labels l, rides r where l.rider = r.rider and l.ts > r.at",
            &[],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and r.at between l.ts - interval '1 day' and l.ts",
            &["fare: equal time"],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and r.at <= l.ts - interval '1 hour'",
            &[],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and r.at <= l.ts + interval '1 hour'",
            &["fare: join without a time"],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and cast(r.at as date) < cast(l.ts as date)",
            &[],
        ),
        (
            "select l.*, r.fare from labels l join rides r on l.rider = r.rider and cast(r.at as date) <= cast(l.ts as date)",
            &["fare: join without a time"],
        ),
        (
            "select l.*, r.rider as key from labels l join rides r on l.rider = r.rider",
            &[],
        ),
        (
            "select l.*, c.name from labels l join country c on l.rider = c.rider",
            &[],
        ),
        (
            "select l.id, l.ts, l.y, sum(r.fare) as s, count(*) as n from labels l join rides r on l.rider = r.rider and r.at < l.ts group by l.id, l.ts, l.y",
            &[],
        ),
        (
            "select l.id, l.ts, l.y, sum(r.fare) as s from labels l join rides r on l.rider = r.rider group by l.id, l.ts, l.y",
            &["s: whole table"],
        ),
        (
            "select l.id, l.ts, l.y, sum(r.fare) filter (where r.at < l.ts) as s from labels l join rides r on l.rider = r.rider group by l.id, l.ts, l.y",
            &[],
        ),
        (
            "select l.id, l.ts, l.y, sum(case when r.at < l.ts then r.fare else 0 end) as s from labels l join rides r on l.rider = r.rider group by l.id, l.ts, l.y",
            &[],
        ),
        (
            "select l.*, a.s from labels l join (select rider, sum(fare) as s from rides group by rider) a on a.rider = l.rider",
            &["s: whole table"],
        ),
        (
            "select l.*, a.s from labels l join (select rider, sum(fare) as s from rides where at < '1970-01-01T00:02:00' group by rider) a on a.rider = l.rider where l.ts >= '1970-01-01T00:02:00'",
            &[],
        ),
        (
            "select l.*, a.s from labels l join (select rider, date_trunc('day', at) as day, sum(fare) as s from rides group by rider, date_trunc('day', at)) a on a.rider = l.rider and a.day < date_trunc('day', l.ts)",
            &[],
        ),
        (
            "select l.*, a.s from labels l join (select rider, date_trunc('day', at) as day, sum(fare) as s from rides group by rider, date_trunc('day', at)) a on a.rider = l.rider and a.day <= date_trunc('day', l.ts)",
            &["s: whole table"],
        ),
        (
            "with r as (select rider, at, fare from rides union all select rider, at, fare + 1 from rides) select l.*, r.fare from labels l asof join r match_condition (l.ts > r.at) on l.rider = r.rider",
            &[],
        ),
        (
            "with r as (select rider, at, fare from rides union all select rider, at, fare + 1 from rides) select l.*, r.fare from labels l join r on l.rider = r.rider",
            &["fare: join without a time"],
        ),
        (
            "select l.*, m.s from labels l left join (select l.id, l.ts, sum(r.fare) as s from labels l join rides r on r.rider = l.rider and r.at < l.ts group by l.id, l.ts) m on m.id = l.id and m.ts = l.ts",
            &[],
        ),
        (
            "select l.*, m.s from labels l left join (select l.id, l.ts, sum(r.fare) as s from labels l join rides r on r.rider = l.rider and r.at <= l.ts group by l.id, l.ts) m on m.id = l.id and m.ts = l.ts",
            &["s: equal time"],
        ),
        (
            "select l.*, c.y as again from labels l join labels c on c.id = l.id and c.ts = l.ts",
            &["again: target"],
        ),
        (
            "select l.*, c.id + 1 as next from labels l join labels c on c.id = l.id and c.ts = l.ts",
            &[],
        ),
        (
            "select l.*, q.m from labels l cross join lateral (select max(fare) as m from rides r where r.rider = l.rider and r.at < l.ts) q",
            &[],
        ),
        (
            "select l.*, q.m from labels l cross join lateral (select max(fare) as m from rides r where r.rider = l.rider) q",
            &["m: whole table"],
        ),
        (
            "select l.*, q.m from labels l cross join lateral (select max(fare - l.id) as m from rides r where r.at < l.ts) q",
            &[],
        ),
        (
            "select l.*, exists (select 1 from rides r where r.rider = l.rider and r.at < l.ts) as e from labels l",
            &[],
        ),
        (
            "select l.*, exists (select 1 from rides r where r.rider = l.rider) as e from labels l",
            &["e: join without a time"],
        ),
        (
            "select l.*, c.name from labels l join country c on c.rider > 0 and c.rider <= l.rider",
            &[],
        ),
        (
            "select l.*, r.fare from labels l, rides r",
            &["fare: join without a time"],
        ),
        (
            "select l.*, (select sum(r.fare) from rides r where r.rider = l.rider) as s from labels l",
            &["s: whole table"],
        ),
    ];
    let mut wrong = Vec::new();
    for (query, expected) in cases {
        let found = leaks(&session, "y at l.ts", query).await;
        if found != *expected {
            wrong.push(format!(
                "{query}\n  expected {expected:?}\n  found    {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn times_can_be_numbers() {
    let (_lake, session) = lake().await;
    for sql in [
        "create table asked as select value as id, value % 3 as k, value * 10 as day, value % 2 as y from generate_series(1, 9)",
        "create table seen as select value % 3 as k, value as since, value * 2 as v from generate_series(1, 50)",
    ] {
        run(&session, sql).await.unwrap();
    }
    let cases: [(&str, &[&str]); 4] = [
        (
            "select a.*, s.v from asked a asof join seen s match_condition (a.day > s.since) on a.k = s.k",
            &[],
        ),
        (
            "select a.*, s.v from asked a asof join seen s match_condition (a.day >= s.since) on a.k = s.k",
            &["v: equal time"],
        ),
        (
            "select a.*, s.v from asked a join seen s on a.k = s.k and s.since < a.day + 1",
            &["v: join without a time"],
        ),
        (
            "select a.*, s.v from asked a join seen s on a.k = s.k and s.since <= a.day - 1",
            &[],
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(
            leaks(&session, "y at a.day", query).await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leaks_have_a_place() {
    let (_lake, session) = lake().await;
    let rows = |sql: &str| {
        let sql = sql.to_owned();
        let session = Arc::clone(&session);
        async move { run(&session, &sql).await.unwrap().rows }
    };
    let found = rows(
        "explain leakage label y at ts for\nselect ts, y,\n  avg(x) over (partition by g) as usual, lead(x) over w as next\nfrom train window w as (order by ts)",
    )
    .await;
    assert_eq!(
        found[0][2..5],
        ["high", "avg(x) over (partition by g)", "3:3"]
    );
    assert_eq!(found[1][3..5], ["lead(x) over w", "3:42"]);
    let found = rows(
        "explain leakage label y at l.ts for select l.*, a.total from labels l asof join ahead a match_condition (l.ts > a.at) on l.rider = a.rider",
    )
    .await;
    assert_eq!(found[0][4], "view ahead 1:19");
    let found = rows(
        "explain leakage label y at l.ts for\nselect l.*, s.total from labels l\nasof join spent s match_condition (l.ts >= s.at) on l.rider = s.rider",
    )
    .await;
    assert_eq!(
        found[0][1..5],
        ["equal time", "medium", "l.ts >= s.at", "3:36"]
    );
    let found =
        rows("explain leakage label y at ts for select ts, y, x + y as sum from train").await;
    assert_eq!(found[0][3..5], ["x + y", "1:49"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_not_there() {
    let (_lake, session) = lake().await;
    for (sql, message, hint) in [
        (
            "explain leakage label outcome at ts for select ts, y from train",
            "no column `outcome`",
            "LABEL and AT",
        ),
        (
            "explain leakage label y at tss for select ts, y from train",
            "no column `tss`",
            "did you mean `ts`?",
        ),
        (
            "explain leakage label y at day for select cast(ts as date) as day, y from train",
            "computed",
            "AT labels.ts",
        ),
        (
            "explain leakage label y at ts for select a.x from train a join other b on a.id = b.id",
            "several tables",
            "labels.ts",
        ),
        (
            "explain leakage label y at ts for select nothing from train",
            "nothing",
            "",
        ),
    ] {
        let failure = run(&session, sql).await.map(|_| ()).unwrap_err();
        assert!(failure.message.contains(message), "{sql}: {failure}");
        let hints = failure.hints.join("; ");
        assert!(hints.contains(hint), "{sql}: {hints}");
        assert!(failure.place.is_some(), "{sql}");
    }
    // The label need not be among the columns of the result.
    let found = leaks(
        &session,
        "t.y at t.ts",
        "select t.x, avg(t.x) over () as m from train t",
    )
    .await;
    assert_eq!(found, ["m: whole partition"]);
}
