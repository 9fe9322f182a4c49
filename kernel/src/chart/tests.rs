use futures::StreamExt;
use lakesh_engine::event::Event;
use lakesh_engine::input::{self, SplitOptions};
use lakesh_engine::session::SessionOptions;
use lakesh_engine::source::Source;
use serde_json::Value;
use std::sync::Arc;

use super::{Chart, Charts};
use crate::output::Bundle;

/// Draws charts in a session; returns the last one and the failures.
async fn draw(script: &str) -> (Option<Bundle>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let charts = Charts::default();
    let mut options = SessionOptions::in_folder(folder.path());
    options.commands.push(Arc::new(Chart {
        charts: Some(charts.clone()),
    }));
    let session = lakesh_engine::open(options).unwrap();
    let mut failures = Vec::new();
    for cell in input::cells(&Source::new("test", script), SplitOptions::default()) {
        let mut events = session.run(cell.unwrap());
        while let Some(event) = events.next().await {
            if let Event::Failed(failure) = event {
                failures.push(failure.message);
            }
        }
    }
    (charts.take().pop(), failures)
}

const ROWS: &str = "create view t as select value as n, value % 3 as g, \
    date '2024-01-01' + cast(value as int) as day, 'a<b' || (value % 2) as name \
    from range(10000);\n";

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_drawn_with_few_points() {
    let cases = [
        ("bar x=name y=n", 2),
        ("bar x=g", 3),
        ("bar x=g y=avg(n) color=name facet=g", 6),
        ("bar x=n", 60),
        ("line x=day y=n", 2000),
        ("area x=n y=n color=g", 2000),
        ("histogram x=n", 30),
        ("heatmap x=g y=name", 6),
        ("box x=g y=n", 3),
    ];
    for (chart, expected) in cases {
        let (bundle, failures) = draw(&format!("{ROWS}\\chart {chart} FROM t")).await;
        assert!(failures.is_empty(), "{chart}: {failures:?}");
        let data = bundle.unwrap().data;
        let rows = data["application/vnd.vegalite.v5+json"]["data"]["values"]
            .as_array()
            .unwrap();
        let most = expected + expected / 50;
        assert!(
            (expected * 3 / 4..=most).contains(&rows.len()),
            "{chart}: {}",
            rows.len()
        );
        let picture = data["image/svg+xml"].as_str().unwrap();
        assert!(
            picture.starts_with("<svg ") && picture.ends_with("</svg>"),
            "{chart}"
        );
        assert!(
            !picture.contains("a<b") && !picture.contains("NaN"),
            "{chart}: {picture}"
        );
        let text = data["text/plain"].as_str().unwrap();
        assert!(text.lines().count() > 2, "{chart}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_has_facets() {
    let cases = [
        ("bar x=name y=n facet=g", 3, 6),
        ("line x=day y=n color=name facet=g", 3, 6),
        ("area x=day y=n facet=g", 3, 6),
        ("scatter x=n y=g color=name facet=name", 2, 1000),
        ("histogram x=n color=name facet=g", 3, 180),
        ("heatmap x=g y=name facet=name", 2, 6),
        ("box x=name y=n facet=g", 3, 6),
    ];
    for (chart, panels, marks) in cases {
        let (bundle, failures) = draw(&format!("{ROWS}\\chart {chart} FROM t")).await;
        assert!(failures.is_empty(), "{chart}: {failures:?}");
        let data = bundle.unwrap().data;
        let vega = &data["application/vnd.vegalite.v5+json"];
        let facet = match vega.get("spec") {
            Some(_) => &vega["facet"],
            None => &vega["encoding"]["facet"],
        };
        assert_eq!(facet["field"], "facet", "{chart}");
        let picture = data["image/svg+xml"].as_str().unwrap();
        // Each panel has its name, and axes of its own.
        let axes = picture.matches("fill=\"none\" stroke=\"#888\"").count();
        assert_eq!(axes, panels, "{chart}");
        for facet in vega["data"]["values"].as_array().unwrap() {
            let name = super::points::shown(Some(&facet["facet"]));
            let name = crate::mime::escaped(&name);
            assert!(
                picture.contains(&format!("bold\">{name}</text>")),
                "{chart}: {name}"
            );
        }
        let drawn = [
            "<circle",
            "<polyline",
            "fill-opacity=\"0.85\"",
            "fill=\"#0072b2\" fill-opacity",
        ];
        let drawn: usize = drawn.iter().map(|mark| picture.matches(mark).count()).sum();
        assert!(drawn >= marks, "{chart}: {drawn}");
        assert!(
            !picture.contains("a<b") && !picture.contains("NaN"),
            "{chart}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clouds_are_sampled() {
    let (bundle, failures) =
        draw(&format!("{ROWS}\\chart scatter x=n y=g color=name FROM t")).await;
    assert!(failures.is_empty(), "{failures:?}");
    let data = bundle.unwrap().data;
    let rows = data["application/vnd.vegalite.v5+json"]["data"]["values"]
        .as_array()
        .unwrap();
    assert!((1500..=2000).contains(&rows.len()), "{}", rows.len());
    // A small one is drawn whole.
    let (bundle, _) = draw("\\chart scatter x=value y=value SELECT value FROM range(50)").await;
    let rows = bundle.unwrap().data["application/vnd.vegalite.v5+json"]["data"]["values"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn histograms_count_every_row() {
    let (bundle, _) = draw(&format!("{ROWS}\\chart histogram x=n FROM t")).await;
    let rows = bundle.unwrap().data["application/vnd.vegalite.v5+json"]["data"]["values"].clone();
    let counts = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["y"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 10_000);
    let (bundle, _) = draw("\\chart histogram x=a SELECT 5 AS a UNION ALL SELECT NULL").await;
    let rows = bundle.unwrap().data["application/vnd.vegalite.v5+json"]["data"]["values"].clone();
    assert_eq!(rows[0]["y"], Value::from(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_called_as_they_are_written() {
    let function = "create function half(x double) returns double return x / 2;\n";
    let cases = [
        "\\chart bar x=\"half(10)\" SELECT half(10), 10 / 4",
        "\\chart bar x=\"10 / 4\" y=\"half(10)\" SELECT half(10), 10 / 4",
        "\\chart bar x=\"half(n)\" FROM (SELECT half(n) AS \"half(n)\" FROM t)",
        "\\chart histogram x=\"half(n)\" \\\n  SELECT DISTINCT half(n) \\\n  FROM t -- the end",
        "\\chart scatter x=\"half(n)\" y=g SELECT half(n), g FROM t LIMIT 10; -- the end",
    ];
    for chart in cases {
        let (bundle, failures) = draw(&format!("{ROWS}{function}{chart}")).await;
        assert!(failures.is_empty(), "{chart}: {failures:?}");
        let data = bundle.unwrap().data;
        assert!(
            !data["image/svg+xml"].as_str().unwrap().contains("Int64("),
            "{chart}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_point_at_the_command() {
    let (bundle, failures) = draw(&format!("{ROWS}\\chart bar x=nothing FROM t")).await;
    assert!(bundle.is_none());
    assert_eq!(failures, ["column `nothing` not found"]);
    let cases = [
        ("SELECT nothing FROM t", "column `nothing` not found"),
        ("SELECT n FROM t; SELECT 2 AS n", "a chart has one query"),
        ("SELECT n FROM u", "table `u` not found"),
    ];
    for (query, expected) in cases {
        let (_, failures) = draw(&format!("{ROWS}\\chart bar x=n {query}")).await;
        assert_eq!(failures, [expected], "{query}");
    }
}
