//! The query of a chart: rows are aggregated or sampled in SQL, so that few points leave the engine.

use super::request::{Kind, Request};

/// Points of lines and clouds.
pub(super) const POINTS: usize = 2_000;

/// Bars.
pub(super) const BARS: usize = 60;

/// Bars of a histogram.
const BINS: usize = 30;

/// Cells of a heatmap.
const CELLS: usize = 2_500;

/// Writes the query whose columns are `x`, `y`, `color` and `facet`, and for boxes the quartiles.
///
/// `source` is what stands behind FROM. The parts of the request are expressions, and only those.
pub(super) fn query(request: &Request, source: &str) -> String {
    let x = request.x.as_str();
    let further = further(request);
    match request.kind {
        Kind::Bar => {
            let (inner, group) = aggregated(request, source, &further);
            format!(
                "SELECT * FROM ({inner} {group} ORDER BY y DESC NULLS LAST LIMIT {BARS}) ORDER BY 1{}",
                further.numbers
            )
        }
        Kind::Line | Kind::Area => {
            let (inner, group) = aggregated(request, source, &further);
            // Each line is thinned out by itself: of lines that take turns every other point is one line.
            let lines = match further.names.strip_prefix(", ") {
                Some(names) => format!("PARTITION BY {names} "),
                None => String::new(),
            };
            format!(
                "SELECT * EXCEPT (point, points) FROM (SELECT *, \
                 row_number() OVER ({lines}ORDER BY x) - 1 AS point, \
                 count(*) OVER () AS points FROM ({inner} {group})) \
                 WHERE point % (1 + points / {POINTS}) = 0 ORDER BY x{} LIMIT {}",
                further.names,
                2 * POINTS
            )
        }
        Kind::Scatter => {
            let y = request.y.as_deref().unwrap_or("NULL");
            format!(
                "SELECT ({x}) AS x, ({y}) AS y{} FROM {source} \
                 WHERE random() * (SELECT count(*) FROM {source}) < {POINTS} LIMIT {POINTS}",
                further.columns
            )
        }
        Kind::Histogram => {
            let (columns, names) = (&further.columns, &further.names);
            format!(
                "WITH v AS (SELECT CAST(({x}) AS DOUBLE) AS v{columns} FROM {source}), \
                 r AS (SELECT min(v) AS low, max(v) AS high FROM v) \
                 SELECT low + (high - low) / {BINS} * bin AS x, count(*) AS y{names}, \
                 low + (high - low) / {BINS} * (bin + 1) AS x2 FROM (SELECT low, high{names}, \
                 coalesce(least(floor((v - low) / nullif(high - low, 0) * {BINS}), {BINS} - 1), 0) AS bin \
                 FROM v CROSS JOIN r WHERE v IS NOT NULL) GROUP BY low, high, bin{names} \
                 ORDER BY bin{names} LIMIT {POINTS}"
            )
        }
        Kind::Heatmap => {
            let y = request.y.as_deref().unwrap_or("NULL");
            let color = request
                .color
                .as_deref()
                .map_or("count(*)".to_owned(), measure);
            let (facet, group) = facet_column(request, 4);
            format!(
                "SELECT * FROM (SELECT ({x}) AS x, ({y}) AS y, {color} AS color{facet} FROM {source} \
                 GROUP BY 1, 2{group} ORDER BY 3 DESC NULLS LAST LIMIT {CELLS}) ORDER BY x, y"
            )
        }
        Kind::Box => {
            let y = request.y.as_deref().unwrap_or("NULL");
            let (facet, group) = facet_column(request, 7);
            let quartile = |share: &str| {
                format!(
                    "approx_percentile_cont({share}) WITHIN GROUP (ORDER BY CAST(({y}) AS DOUBLE))"
                )
            };
            format!(
                "SELECT ({x}) AS x, min(CAST(({y}) AS DOUBLE)) AS low, {} AS q1, {} AS y, {} AS q3, \
                 max(CAST(({y}) AS DOUBLE)) AS high{facet} FROM {source} GROUP BY 1{group} \
                 ORDER BY 1{group} LIMIT {BARS}",
                quartile("0.25"),
                quartile("0.5"),
                quartile("0.75")
            )
        }
    }
}

/// Columns for colours and facets, and their numbers for GROUP BY.
struct Further {
    columns: String,
    numbers: String,
    names: String,
}

fn further(request: &Request) -> Further {
    let mut further = Further {
        columns: String::new(),
        numbers: String::new(),
        names: String::new(),
    };
    let mut number = 2;
    let parts = [("color", &request.color), ("facet", &request.facet)];
    for (name, expression) in parts {
        if let Some(expression) = expression {
            number += 1;
            further
                .columns
                .push_str(&format!(", ({expression}) AS {name}"));
            further.numbers.push_str(&format!(", {number}"));
            further.names.push_str(&format!(", {name}"));
        }
    }
    further
}

/// The facet as a column, and its number for GROUP BY.
fn facet_column(request: &Request, number: usize) -> (String, String) {
    match &request.facet {
        None => (String::new(), String::new()),
        Some(facet) => (format!(", ({facet}) AS facet"), format!(", {number}")),
    }
}

fn aggregated(request: &Request, source: &str, further: &Further) -> (String, String) {
    let y = request.y.as_deref().map_or("count(*)".to_owned(), measure);
    let columns = &further.columns;
    (
        format!(
            "SELECT ({}) AS x, {y} AS y{columns} FROM {source}",
            request.x
        ),
        format!("GROUP BY 1{}", further.numbers),
    )
}

/// A call is taken for an aggregate as it stands; anything else is summed up.
fn measure(expression: &str) -> String {
    let is_call =
        expression.ends_with(')') && expression.starts_with(|first: char| first.is_alphabetic());
    match is_call {
        true => expression.to_owned(),
        false => format!("sum({expression})"),
    }
}
