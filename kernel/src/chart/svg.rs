//! Charts as SVG, for viewers without Vega: the same marks on two axes, without facets.

use std::fmt::Write as _;

use super::points::{Axis, Points};
use super::request::{Kind, Request};
use crate::mime::escaped;

pub(super) const MEDIA_TYPE: &str = "image/svg+xml";

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 46.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 110.0;

/// Colours that stay apart for most eyes (Okabe and Ito).
const COLOURS: &[&str] = &[
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#666666",
];

/// Draws a chart.
pub(super) fn draw(request: &Request, points: &Points) -> String {
    let from_zero = matches!(request.kind, Kind::Bar | Kind::Area | Kind::Histogram);
    let frame = Frame {
        x: Axis::new(points, "x", &["x", "x2"], false),
        y: Axis::new(points, "y", &["y", "low", "high"], from_zero),
        colours: match request.kind {
            Kind::Heatmap => Vec::new(),
            _ if points.scale("color").is_some() => points.values("color"),
            _ => Vec::new(),
        },
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    );
    frame.axes(&mut svg, request);
    match request.kind {
        Kind::Line | Kind::Area => frame.lines(&mut svg, points, request.kind == Kind::Area),
        Kind::Heatmap => frame.cells(&mut svg, points),
        kind => frame.marks(&mut svg, points, kind),
    }
    frame.legend(&mut svg);
    svg.push_str("</svg>");
    svg
}

struct Frame {
    x: Axis,
    y: Axis,
    colours: Vec<String>,
}

impl Frame {
    fn across(share: f64) -> f64 {
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn down(share: f64) -> f64 {
        HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    }

    fn colour(&self, row: &serde_json::Map<String, serde_json::Value>) -> &'static str {
        let shown = super::points::shown(row.get("color"));
        let index = self.colours.iter().position(|value| *value == shown);
        COLOURS[index.unwrap_or(0) % COLOURS.len()]
    }

    fn axes(&self, svg: &mut String, request: &Request) {
        let (left, right, floor) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<path d=\"M{left} {TOP}V{floor}H{right}\" fill=\"none\" stroke=\"#888\"/>"
        );
        for (share, label) in self.x.ticks(8) {
            let at = Self::across(share);
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                floor + 15.0,
                escaped(&shortened(&label, 11))
            );
        }
        for (share, label) in self.y.ticks(5) {
            let at = Self::down(share);
            let _ = write!(
                svg,
                "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 5.0,
                at + 4.0,
                escaped(&shortened(&label, 10))
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\
             <text x=\"12\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"bold\" \
             transform=\"rotate(-90 12 {:.1})\">{}</text>",
            (left + right) / 2.0,
            HEIGHT - 8.0,
            escaped(&shortened(&request.x, 60)),
            floor / 2.0,
            floor / 2.0,
            escaped(&shortened(request.y.as_deref().unwrap_or("count"), 40))
        );
    }

    fn legend(&self, svg: &mut String) {
        for (index, value) in self.colours.iter().take(14).enumerate() {
            let (at, down) = (WIDTH - RIGHT + 10.0, TOP + 18.0 * index as f64);
            let _ = write!(
                svg,
                "<rect x=\"{at}\" y=\"{down}\" width=\"10\" height=\"10\" fill=\"{}\"/>\
                 <text x=\"{}\" y=\"{}\">{}</text>",
                COLOURS[index % COLOURS.len()],
                at + 15.0,
                down + 9.0,
                escaped(&shortened(value, 13))
            );
        }
    }

    fn lines(&self, svg: &mut String, points: &Points, filled: bool) {
        let groups = match self.colours.is_empty() {
            true => vec![String::new()],
            false => self.colours.clone(),
        };
        for (index, group) in groups.iter().enumerate() {
            let rows = points.rows.iter().filter(|row| {
                self.colours.is_empty() || super::points::shown(row.get("color")) == *group
            });
            let path: Vec<String> = rows
                .filter_map(|row| Some((self.x.place(row)?, self.y.place(row)?)))
                .map(|(x, y)| format!("{:.1},{:.1}", Self::across(x), Self::down(y)))
                .collect();
            let colour = COLOURS[index % COLOURS.len()];
            if let (true, Some(first), Some(last)) = (filled, path.first(), path.last()) {
                let floor = Self::down(self.y.place_of(Some(&0.into())).unwrap_or(0.0));
                let start = first.split(',').next().unwrap_or_default();
                let end = last.split(',').next().unwrap_or_default();
                let _ = write!(
                    svg,
                    "<polygon points=\"{start},{floor:.1} {} {end},{floor:.1}\" fill=\"{colour}\" \
                     fill-opacity=\"0.35\"/>",
                    path.join(" ")
                );
            }
            let _ = write!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>",
                path.join(" ")
            );
        }
    }

    fn marks(&self, svg: &mut String, points: &Points, kind: Kind) {
        let labels = points.values("x").len().max(1) as f64;
        let room = (WIDTH - LEFT - RIGHT) / labels;
        let floor = Self::down(self.y.place_of(Some(&0.into())).unwrap_or(0.0));
        for row in &points.rows {
            let (Some(x), Some(y)) = (self.x.place(row), self.y.place(row)) else {
                continue;
            };
            let (x, y, colour) = (Self::across(x), Self::down(y), self.colour(row));
            let bar = |from: f64, width: f64, one: f64, other: f64| {
                format!(
                    "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
                     fill=\"{colour}\" fill-opacity=\"0.85\"/>",
                    one.min(other),
                    width.max(1.0),
                    (one - other).abs()
                )
            };
            let end = |name: &str, axis: &Axis| axis.place_of(row.get(name));
            match kind {
                Kind::Histogram => {
                    let to = end("x2", &self.x).map_or(x, Self::across);
                    svg.push_str(&bar(x, to - x - 1.0, y, floor));
                }
                Kind::Scatter => {
                    let _ = write!(
                        svg,
                        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\" \
                         fill-opacity=\"0.6\"/>"
                    );
                }
                Kind::Box => {
                    let down = |name| end(name, &self.y).map_or(y, Self::down);
                    let width = (room * 0.6).min(40.0);
                    let _ = write!(
                        svg,
                        "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"#444\"/>{}\
                         <path d=\"M{:.1} {y:.1}H{:.1}\" stroke=\"white\" stroke-width=\"2\"/>",
                        down("low"),
                        down("high"),
                        bar(x - width / 2.0, width, down("q1"), down("q3")),
                        x - width / 2.0,
                        x + width / 2.0
                    );
                }
                _ => {
                    let groups = self.colours.len().max(1) as f64;
                    let shown = super::points::shown(row.get("color"));
                    let index = self.colours.iter().position(|value| *value == shown);
                    let width = room * 0.8 / groups;
                    let from = x - room * 0.4 + width * index.unwrap_or(0) as f64;
                    svg.push_str(&bar(from, width, y, floor));
                }
            }
        }
    }

    fn cells(&self, svg: &mut String, points: &Points) {
        let columns = points.values("x").len().max(1) as f64;
        let rows = points.values("y").len().max(1) as f64;
        let width = (WIDTH - LEFT - RIGHT) / columns;
        let height = (HEIGHT - BOTTOM - TOP) / rows;
        let strength = Axis::new(points, "color", &["color"], true);
        for row in &points.rows {
            let (Some(x), Some(y)) = (self.x.place(row), self.y.place(row)) else {
                continue;
            };
            let strength = strength.place(row).unwrap_or(0.0);
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 fill=\"#0072b2\" fill-opacity=\"{:.2}\"/>",
                Self::across(x) - width / 2.0,
                Self::down(y) - height / 2.0,
                0.08 + 0.92 * strength
            );
        }
    }
}

fn shortened(label: &str, most: usize) -> String {
    if label.chars().count() <= most {
        return label.to_owned();
    }
    let head: String = label.chars().take(most - 1).collect();
    head + "…"
}
