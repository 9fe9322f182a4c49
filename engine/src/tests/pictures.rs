//! The pictures that profiles and drift come with.

use std::sync::Arc;

use futures::StreamExt;
use lakesh_event::event::Event;
use lakesh_event::picture::{BinValues, Distribution, Distributions, Picture};
use lakesh_session::SessionOptions;
use lakesh_text::input;
use lakesh_text::input::SplitOptions;
use lakesh_text::source::Source;

/// Runs a script in a session that wants pictures; returns the last one.
async fn drawn(script: &str) -> Option<Distributions> {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SessionOptions::in_folder(folder.path());
    options.pictures = true;
    let session = crate::open(options).unwrap();
    let mut found = None;
    let source = Source::new("test", script);
    for cell in input::cells(&source, SplitOptions::default()) {
        let mut events = Arc::clone(&session).run(cell.unwrap());
        while let Some(event) = events.next().await {
            match event {
                Event::Picture(Picture::Distributions(drawn)) => found = Some(drawn),
                Event::Failed(failure) => panic!("{}", failure.report(false)),
                _ => {}
            }
        }
    }
    found
}

fn column<'a>(drawn: &'a Distributions, name: &str) -> &'a Distribution {
    let mut columns = drawn.columns.iter();
    columns.find(|column| column.column == name).unwrap()
}

/// The bins of a column as texts.
fn bins(drawn: &Distributions, name: &str) -> Vec<String> {
    let bins = column(drawn, name).bins.iter();
    bins.map(|bin| {
        let (share, reference) = (bin.share, bin.reference);
        let values = match &bin.values {
            BinValues::Range(lower, upper) => {
                let end = |end: &Option<f64>| end.map_or("…".to_owned(), |end| end.to_string());
                format!("{}-{}", end(lower), end(upper))
            }
            BinValues::Value(value) => value.clone(),
            BinValues::Other => "other".to_owned(),
            BinValues::Missing => "missing".to_owned(),
        };
        match drawn.compared {
            true => format!("{values}: {reference:.3} {share:.3}"),
            false => format!("{values}: {share:.3}"),
        }
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_has_a_histogram_a_column() {
    let drawn = drawn(
        "CREATE VIEW t AS SELECT value AS n, value % 4 AS few, value / 8.0 AS real, \
         CASE WHEN value % 4 > 0 THEN 'kind ' || (value % 4) END AS kind, \
         CASE WHEN value < 500 THEN 'NaN'::double WHEN value < 1000 THEN 'inf'::double \
         WHEN value >= 2000 THEN 0.5 END AS odd, 'name ' || value AS name FROM range(5000);\n\
         SELECT * FROM feature_profile('t')",
    );
    let drawn = drawn.await.unwrap();
    assert!(!drawn.compared);
    let names: Vec<_> = drawn.columns.iter().map(|column| &column.column).collect();
    // A column of names has no picture.
    assert_eq!(names, ["n", "few", "real", "kind", "odd"]);
    let n = bins(&drawn, "n");
    assert_eq!((n.len(), n[0].as_str()), (20, "0-249.95: 0.050"));
    assert_eq!(
        bins(&drawn, "few"),
        ["0: 0.250", "1: 0.250", "2: 0.250", "3: 0.250"]
    );
    let total: f64 = column(&drawn, "real")
        .bins
        .iter()
        .map(|bin| bin.share)
        .sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let kinds = [
        "kind 1: 0.250",
        "kind 2: 0.250",
        "kind 3: 0.250",
        "missing: 0.250",
    ];
    assert_eq!(bins(&drawn, "kind"), kinds);
    let odd = ["0.5-0.5: 0.600", "other: 0.200", "missing: 0.200"];
    assert_eq!(bins(&drawn, "odd"), odd);
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_count_and_groups_are_left_out() {
    let drawn = drawn(
        "CREATE VIEW t AS SELECT * FROM (VALUES (1, 10, 'x'), (2, 30, 'y')) AS v(a, w, g);\n\
         SELECT * FROM feature_profile('t', weight => 'w', by => 'g')",
    );
    let drawn = drawn.await.unwrap();
    assert_eq!(drawn.columns.len(), 1);
    assert_eq!(bins(&drawn, "a"), ["1: 0.250", "2: 0.750"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_table_has_an_empty_picture() {
    let drawn = drawn(
        "CREATE VIEW t AS SELECT 1 AS a, 'x' AS b WHERE false;\n\
         SELECT * FROM feature_profile('t')",
    );
    for column in drawn.await.unwrap().columns {
        assert!(column.bins.is_empty(), "{column:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_shows_both_tables() {
    let drawn = drawn(
        "DRIFT (SELECT value % 10 AS v, 'b' AS kind, 7 AS same FROM range(100)) \
         AGAINST (SELECT value % 20 AS v, CASE WHEN value % 4 = 0 THEN 'b' ELSE 'a' END AS kind, \
         7 AS same FROM range(100)) USING quantile 4",
    );
    let drawn = drawn.await.unwrap();
    assert!(drawn.compared);
    let v = bins(&drawn, "v");
    assert_eq!(v.len(), 4, "{v:?}");
    assert!(
        v[0].starts_with("…-") && v[3].ends_with("-…: 0.250 0.000"),
        "{v:?}"
    );
    assert!(column(&drawn, "v").index.unwrap() > 1.0);
    assert_eq!(bins(&drawn, "kind"), ["b: 0.250 1.000", "a: 0.750 0.000"]);
    assert_eq!(bins(&drawn, "same"), ["…-…: 1.000 1.000"]);
}
