//! Charts as Vega-Lite: the front end draws them, with tooltips.

use serde_json::{Map, Value, json};

use super::points::{Points, Scale};
use super::request::{Kind, Request};

pub(crate) const MEDIA_TYPE: &str = "application/vnd.vegalite.v5+json";

/// Writes a chart as a specification with its rows.
pub(super) fn specification(request: &Request, points: &Points) -> Value {
    let mut encoding = Map::new();
    encoding.insert("x".to_owned(), channel(points, "x", &request.x));
    let y = request.y.as_deref().unwrap_or("count");
    encoding.insert("y".to_owned(), channel(points, "y", y));
    if points.scale("color").is_some() {
        let title = request.color.as_deref().unwrap_or("count");
        encoding.insert("color".to_owned(), channel(points, "color", title));
    }
    if let Some(facet) = &request.facet
        && points.scale("facet").is_some()
    {
        let mut facets = channel(points, "facet", facet);
        facets["columns"] = 3.into();
        encoding.insert("facet".to_owned(), facets);
    }
    let (width, height) = match request.facet {
        Some(_) => (180, 140),
        None => (480, 280),
    };
    let mut specification = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": { "values": points.rows },
        "width": width,
        "height": height,
    });
    if request.kind == Kind::Box {
        let layers = boxes(&encoding);
        match encoding.remove("facet") {
            None => specification["layer"] = layers,
            // Layers cannot have facets; facets can have layers.
            Some(mut facet) => {
                specification["columns"] = 3.into();
                if let Some(facet) = facet.as_object_mut() {
                    facet.remove("columns");
                }
                specification["facet"] = facet;
                specification["spec"] =
                    json!({ "width": width, "height": height, "layer": layers });
                if let Some(specification) = specification.as_object_mut() {
                    specification.remove("width");
                    specification.remove("height");
                }
            }
        }
        return specification;
    }
    // Averages must not be piled up, so groups stand side by side or lie over each other.
    encoding["y"]["stack"] = Value::Null;
    if request.kind == Kind::Bar && encoding.contains_key("color") {
        encoding.insert("xOffset".to_owned(), json!({ "field": "color" }));
    }
    if request.kind == Kind::Histogram {
        encoding["x"]["bin"] = "binned".into();
        encoding.insert("x2".to_owned(), json!({ "field": "x2" }));
    }
    specification["mark"] = json!({ "type": mark(request.kind), "tooltip": true });
    if request.kind == Kind::Area {
        specification["mark"]["opacity"] = 0.4.into();
        specification["mark"]["line"] = true.into();
    }
    specification["encoding"] = Value::Object(encoding);
    specification
}

fn channel(points: &Points, field: &str, title: &str) -> Value {
    let scale = points.scale(field).unwrap_or(Scale::Nominal);
    json!({ "field": field, "type": scale.name(), "title": title })
}

fn mark(kind: Kind) -> &'static str {
    match kind {
        Kind::Bar | Kind::Histogram => "bar",
        Kind::Line => "line",
        Kind::Area => "area",
        Kind::Scatter => "point",
        Kind::Heatmap => "rect",
        Kind::Box => "boxplot",
    }
}

/// Boxes from quartiles that are known: whiskers, the box, the median.
fn boxes(encoding: &Map<String, Value>) -> Value {
    let (x, y) = (&encoding["x"], &encoding["y"]);
    let between = |mark: Value, from: &str, to: &str| {
        let mut start = y.clone();
        start["field"] = from.into();
        json!({ "mark": mark, "encoding": { "x": x, "y": start, "y2": { "field": to } } })
    };
    json!([
        between(json!({ "type": "rule" }), "low", "high"),
        between(json!({ "type": "bar", "size": 16, "tooltip": true }), "q1", "q3"),
        { "mark": { "type": "tick", "color": "white", "size": 16 }, "encoding": { "x": x, "y": y } },
    ])
}
