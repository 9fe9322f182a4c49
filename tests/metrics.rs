//! `system.queries` and `system.operators`: what is kept of the statements of a session.

use futures::StreamExt;
use lakesh_engine::event::Event;
use lakesh_engine::input::{Cell, Terminator};
use lakesh_engine::source::{Place, Source};

use crate::support::Lake;
use crate::support::session::{run, session_in};

/// A Delta table of four files, one for each `part`.
const TABLE: &[&str] = &[
    "create table t (id bigint, part bigint) using delta partitioned by (part)",
    "insert into t select value as id, value % 4 as part from generate_series(1, 4000)",
];

#[tokio::test(flavor = "multi_thread")]
async fn statements_and_their_operators_are_kept() {
    let lake = Lake::project();
    let session = session_in(&lake);
    run(
        &session,
        "set datafusion.execution.parquet.max_row_group_size = 1000",
    )
    .await
    .unwrap();
    for sql in TABLE {
        run(&session, sql).await.unwrap();
    }
    run(
        &session,
        "copy (select value as id from generate_series(1, 4000)) to 'ids.parquet'",
    )
    .await
    .unwrap();
    run(&session, "set lakesh.query_label = 'read'")
        .await
        .unwrap();
    let read = "select count(*) from t where part = 3 and id > 0";
    run(&session, read).await.unwrap();
    run(&session, "select id from 'ids.parquet' where id > 3500")
        .await
        .unwrap();
    run(&session, "reset lakesh.query_label").await.unwrap();
    assert!(run(&session, "select nothing").await.is_err());

    let found = run(
        &session,
        "select sql, statement, label, rows, files - files_pruned, files_pruned > 0, row_groups,
                row_groups_pruned, tables, status, error, duration_ms >= planning_ms,
                execution_ms > 0, bytes_scanned > 0
         from system.queries where statement = 'SELECT' order by id",
    )
    .await
    .unwrap();
    let rows: Vec<String> = found.rows.iter().map(|row| row.join(" | ")).collect();
    let [of_delta, of_file, failed] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    // The row groups of the Delta table are the library's own affair.
    let ends = " | 0 | t@v1 | done | NULL | true | true | true";
    let begins = format!("{read} | SELECT | read | 1 | 1 | true | ");
    assert!(of_delta.starts_with(&begins), "{of_delta}");
    assert!(of_delta.ends_with(ends), "{of_delta}");
    assert_eq!(
        of_file,
        "select id from 'ids.parquet' where id > 3500 | SELECT | read | 500 | 1 | false | 4 | 3 \
         | ids.parquet | done | NULL | true | true | true"
    );
    let nulls = ["NULL"; 7].join(" | ");
    assert_eq!(
        failed,
        &format!("select nothing | SELECT | {nulls} | failed | plan | NULL | NULL | NULL")
    );
    let operators = run(
        &session,
        "select o.operator, o.rows, o.estimated_rows > 0, o.pipeline, o.parent_id is null
         from system.operators o join system.queries q on q.id = o.query_id
         where q.label = 'read' and q.rows = 500 and o.operator in ('FilterExec', 'DataSourceExec')
         order by o.operator_id",
    )
    .await
    .unwrap();
    let scan = operators.rows.last().unwrap();
    assert_eq!(scan[0], "DataSourceExec", "{:?}", operators.rows);
    let copied = run(
        &session,
        "copy (select * from system.operators) to 'operators.parquet'",
    )
    .await
    .unwrap();
    assert!(copied.summary.rows > Some(5), "{:?}", copied.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_bounded_and_knows_no_secret() {
    let lake = Lake::new();
    let session = session_in(&lake);
    run(&session, "set lakesh.query_history = 3").await.unwrap();
    for number in 1..=5 {
        let sql = format!("select {number} as token_{number} where 'https://u:hunter2@h/' <> ''");
        run(&session, &sql).await.unwrap();
    }
    let kept = run(&session, "select id, sql from system.queries order by id")
        .await
        .unwrap();
    let ids: Vec<_> = kept.rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(ids, ["4", "5", "6"]);
    assert!(kept.rows.iter().all(|row| !row[1].contains("hunter2")));
    assert!(kept.rows[0][1].contains("*******"), "{}", kept.rows[0][1]);
    run(&session, "set lakesh.query_history = 0").await.unwrap();
    let none = run(&session, "select * from system.queries").await.unwrap();
    assert!(none.rows.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_statement_was_interrupted() {
    let lake = Lake::new();
    let session = session_in(&lake);
    let sql = "select a.value from generate_series(1, 100000000) a";
    let source = Source::new("test", sql);
    let cell = Cell::Statement {
        place: Place::new(&source, 0..sql.len()),
        terminator: Terminator::EndOfInput,
    };
    let mut events = session.run(cell);
    while let Some(event) = events.next().await {
        if matches!(event, Event::Batch(_)) {
            break;
        }
    }
    drop(events);
    // The task is aborted; it records itself when it lets go.
    let status = loop {
        let found = run(&session, "select status from system.queries where sql like 'select a.value%' and sql like '%100000000%'")
            .await
            .unwrap();
        if let Some(row) = found.rows.first() {
            break row[0].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(status, "interrupted");
}

#[test]
fn a_label_groups_statements() {
    let lake = Lake::new();
    let script = "set lakesh.query_label = 'two';
        select count(*) from generate_series(1, 1000) t(i) where i % 2 = 0;
        select 1 as a;
        reset lakesh.query_label;
        \\o profile.csv
        \\mode csv
        \\profile two
        \\o
        \\profile\n";
    lake.write("script.sql", script);
    let shown = lake.shell(["script.sql"]).run().succeeds();
    let profile = lake.read("profile.csv");
    let lines: Vec<_> = profile.lines().collect();
    // SET and RESET stand in the block; RESET ends it and counts as part of it.
    assert_eq!(lines.len(), 1 + 3 + 1, "{profile}");
    assert!(lines[1].contains("select count(*)"), "{profile}");
    assert!(lines[4].contains("total of 3"), "{profile}");
    assert!(shown.contains("two"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_plans_stand_side_by_side() {
    let lake = Lake::project();
    let session = session_in(&lake);
    for sql in TABLE {
        run(&session, sql).await.unwrap();
    }
    let planned = run(
        &session,
        "explain compare (select id from t) with (select id from t where id % 2 = 0)",
    )
    .await
    .unwrap();
    assert_eq!(planned.rows[0].len(), 5);
    let added: Vec<_> = planned
        .rows
        .iter()
        .filter(|row| row[0] == "added")
        .collect();
    assert!(
        added.iter().any(|row| row[2].contains("FilterExec")),
        "{:?}",
        planned.rows
    );
    assert!(
        added.iter().all(|row| row[1] == "NULL"),
        "{:?}",
        planned.rows
    );

    // Each query keeps its own version clause, and both are run.
    let measured = run(
        &session,
        "explain compare analyze (select id from t version as of 1) with (select id from t version as of 0)",
    )
    .await
    .unwrap();
    assert_eq!(measured.rows[0].len(), 8);
    let rows_of = |column: usize| {
        let of_scans = measured
            .rows
            .iter()
            .filter(|row| row[1..3].iter().any(|line| line.contains("DeltaScanExec")));
        of_scans
            .map(|row| row[column].clone())
            .find(|rows| rows != "NULL")
    };
    assert_eq!(rows_of(6).as_deref(), Some("4000"), "{:?}", measured.rows);
    assert!(
        matches!(rows_of(7).as_deref(), None | Some("0")),
        "{:?}",
        measured.rows
    );
    for sql in [
        "explain compare (select 1) (select 2)",
        "explain compare select 1 with select 2",
        "explain compare analyze (select 1) with (select nothing)",
    ] {
        assert!(run(&session, sql).await.is_err(), "{sql}");
    }

    let tree = run(
        &session,
        "explain analyze format tree select id % 3 as rest, count(*) from t group by id % 3",
    )
    .await
    .unwrap();
    let lines: Vec<_> = tree.rows.iter().map(|row| row[0].as_str()).collect();
    assert!(lines[0].contains("expected"), "{lines:?}");
    assert!(lines[1].starts_with("* "), "{lines:?}");
    let scan = lines
        .iter()
        .find(|line| line.contains("DeltaScanExec"))
        .unwrap();
    assert!(scan.contains("4,000"), "{scan}");
}

#[test]
fn the_last_queries_are_compared_as_they_ran() {
    let lake = Lake::new();
    let fewer = lake.shell(["-c", "select 1 as a", "-c", "\\compare"]).run();
    assert!(
        fewer.stderr.contains("fewer than two queries"),
        "{}",
        fewer.stderr
    );
    lake.write(
        "script.sql",
        "select value from generate_series(1, 10);
         select value from generate_series(1, 10) where value % 2 = 0;
         \\o compared.csv\n\\mode csv\n\\compare\n\\o\n\\plan\n",
    );
    let shown = lake.shell(["script.sql"]).run().succeeds();
    let compared = lake.read("compared.csv");
    let header = compared.lines().next().unwrap();
    assert_eq!(
        header,
        "change,first,second,first_ms,second_ms,difference_ms,first_rows,second_rows"
    );
    assert!(compared.contains("added,,"), "{compared}");
    assert!(
        shown.contains("FilterExec") && shown.contains("slowest path"),
        "{shown}"
    );
}
