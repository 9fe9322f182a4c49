//! Charts as SVG, for viewers without Vega: the same marks on two axes, or on many with facets.

use std::fmt::Write as _;

use super::points::{Axis, Points};
use super::request::{Kind, Request};
use crate::mime::escaped;

pub(crate) const MEDIA_TYPE: &str = "image/svg+xml";

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 46.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 110.0;

/// Colours that stay apart for most eyes (Okabe and Ito).
pub(crate) const COLOURS: &[&str] = &[
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#666666",
];

/// Facets in a row, the size of one, and what it has around it.
const FACETS_ACROSS: usize = 3;
const FACET_SIZE: (f64, f64) = (170.0, 130.0);
const FACET_LEFT: f64 = 58.0;
const FACET_TOP: f64 = 20.0;
const FACET_BOTTOM: f64 = 26.0;

/// Facets beyond these are counted only.
const MOST_FACETS: usize = 30;

/// Draws a chart.
pub(super) fn draw(request: &Request, points: &Points) -> String {
    let frame = Frame::new(request, points);
    let facets = match points.scale("facet") {
        Some(_) => points.ordered_values("facet"),
        None => Vec::new(),
    };
    if facets.is_empty() {
        let mut svg = opening(WIDTH, HEIGHT);
        let area = Area {
            left: LEFT,
            top: TOP,
            width: WIDTH - LEFT - RIGHT,
            height: HEIGHT - BOTTOM - TOP,
        };
        frame.axes(&mut svg, &area, Ticks::WIDE);
        frame.panel(&mut svg, &area, points, request.kind);
        frame.titles(&mut svg, &area, request, HEIGHT - 8.0);
        frame.legend(&mut svg, WIDTH - RIGHT + 10.0);
        return svg + "</svg>";
    }
    frame.facets(request, points, &facets)
}

fn opening(width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    )
}

/// Where marks are drawn, within the axes.
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn across(&self, share: f64) -> f64 {
        self.left + share * self.width
    }

    fn down(&self, share: f64) -> f64 {
        self.floor() - share * self.height
    }

    fn floor(&self) -> f64 {
        self.top + self.height
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }
}

/// How many labels the axes have, and how long they are.
#[derive(Clone, Copy)]
struct Ticks {
    across: usize,
    up: usize,
    letters: usize,
}

impl Ticks {
    const WIDE: Self = Self {
        across: 8,
        up: 5,
        letters: 11,
    };
    const NARROW: Self = Self {
        across: 3,
        up: 3,
        letters: 11,
    };
}

/// What all facets share: axes, colours, and how much room a value has.
struct Frame {
    x: Axis,
    y: Axis,
    /// How strong the colour of a cell is.
    strength: Axis,
    colours: Vec<String>,
    /// How many different values the axes have.
    columns: f64,
    lines: f64,
}

impl Frame {
    fn new(request: &Request, points: &Points) -> Self {
        let from_zero = matches!(request.kind, Kind::Bar | Kind::Area | Kind::Histogram);
        Self {
            x: Axis::new(points, "x", &["x", "x2"], false),
            y: Axis::new(points, "y", &["y", "low", "high"], from_zero),
            strength: Axis::new(points, "color", &["color"], true),
            colours: match request.kind {
                Kind::Heatmap => Vec::new(),
                _ if points.scale("color").is_some() => points.ordered_values("color"),
                _ => Vec::new(),
            },
            columns: points.values("x").len().max(1) as f64,
            lines: points.values("y").len().max(1) as f64,
        }
    }

    /// Draws a panel for each value of the facet, all on the same axes.
    fn facets(&self, request: &Request, points: &Points, facets: &[String]) -> String {
        let shown = &facets[..facets.len().min(MOST_FACETS)];
        let across = shown.len().min(FACETS_ACROSS);
        let lines = shown.len().div_ceil(FACETS_ACROSS);
        let (width, height) = FACET_SIZE;
        let (step, line) = (FACET_LEFT + width, FACET_TOP + height + FACET_BOTTOM);
        let whole = Area {
            left: 20.0,
            top: 0.0,
            width: step * across as f64,
            height: line * lines as f64,
        };
        let total = (whole.right() + RIGHT + 8.0, whole.floor() + 26.0);
        let mut svg = opening(total.0, total.1);
        for (place, facet) in shown.iter().enumerate() {
            let area = Area {
                left: whole.left + FACET_LEFT + step * (place % FACETS_ACROSS) as f64,
                top: FACET_TOP + line * (place / FACETS_ACROSS) as f64,
                width,
                height,
            };
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>",
                area.left + width / 2.0,
                area.top - 7.0,
                escaped(&shortened(facet, 28))
            );
            self.axes(&mut svg, &area, Ticks::NARROW);
            self.panel(&mut svg, &area, &points.only("facet", facet), request.kind);
        }
        self.titles(&mut svg, &whole, request, total.1 - 8.0);
        if facets.len() > shown.len() {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#57606a\">and {} more</text>",
                whole.right() - 60.0,
                total.1 - 8.0,
                facets.len() - shown.len()
            );
        }
        self.legend(&mut svg, whole.right() + 10.0);
        svg + "</svg>"
    }

    fn panel(&self, svg: &mut String, area: &Area, points: &Points, kind: Kind) {
        match kind {
            Kind::Line | Kind::Area => self.lines(svg, area, points, kind == Kind::Area),
            Kind::Heatmap => self.cells(svg, area, points),
            kind => self.marks(svg, area, points, kind),
        }
    }

    fn colour(&self, row: &serde_json::Map<String, serde_json::Value>) -> &'static str {
        let shown = super::points::shown(row.get("color"));
        let index = self.colours.iter().position(|value| *value == shown);
        COLOURS[index.unwrap_or(0) % COLOURS.len()]
    }

    fn axes(&self, svg: &mut String, area: &Area, ticks: Ticks) {
        let (left, right, floor) = (area.left, area.right(), area.floor());
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<path d=\"M{left} {}V{floor}H{right}\" fill=\"none\" stroke=\"#888\"/>",
            area.top
        );
        for (share, label) in self.x.ticks(ticks.across) {
            let at = area.across(share);
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                floor + 15.0,
                escaped(&shortened(&label, ticks.letters))
            );
        }
        for (share, label) in self.y.ticks(ticks.up) {
            let at = area.down(share);
            let _ = write!(
                svg,
                "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 5.0,
                at + 4.0,
                escaped(&shortened(&label, ticks.letters.min(10)))
            );
        }
    }

    /// Says what the axes are, below and on the left of everything.
    fn titles(&self, svg: &mut String, area: &Area, request: &Request, down: f64) {
        let middle = area.floor() / 2.0;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{down:.1}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\
             <text x=\"12\" y=\"{middle:.1}\" text-anchor=\"middle\" font-weight=\"bold\" \
             transform=\"rotate(-90 12 {middle:.1})\">{}</text>",
            (area.left + area.right()) / 2.0,
            escaped(&shortened(&request.x, 60)),
            escaped(&shortened(request.y.as_deref().unwrap_or("count"), 40))
        );
    }

    fn legend(&self, svg: &mut String, at: f64) {
        for (index, value) in self.colours.iter().take(14).enumerate() {
            let down = TOP + 18.0 * index as f64;
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

    fn lines(&self, svg: &mut String, area: &Area, points: &Points, filled: bool) {
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
                .map(|(x, y)| format!("{:.1},{:.1}", area.across(x), area.down(y)))
                .collect();
            let colour = COLOURS[index % COLOURS.len()];
            if let (true, Some(first), Some(last)) = (filled, path.first(), path.last()) {
                let floor = area.down(self.y.place_of(Some(&0.into())).unwrap_or(0.0));
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

    fn marks(&self, svg: &mut String, area: &Area, points: &Points, kind: Kind) {
        let room = area.width / self.columns;
        let floor = area.down(self.y.place_of(Some(&0.into())).unwrap_or(0.0));
        for row in &points.rows {
            let (Some(x), Some(y)) = (self.x.place(row), self.y.place(row)) else {
                continue;
            };
            let (x, y, colour) = (area.across(x), area.down(y), self.colour(row));
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
                    let to = end("x2", &self.x).map_or(x, |share| area.across(share));
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
                    let down = |name| end(name, &self.y).map_or(y, |share| area.down(share));
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

    fn cells(&self, svg: &mut String, area: &Area, points: &Points) {
        let (width, height) = (area.width / self.columns, area.height / self.lines);
        for row in &points.rows {
            let (Some(x), Some(y)) = (self.x.place(row), self.y.place(row)) else {
                continue;
            };
            let strength = self.strength.place(row).unwrap_or(0.0);
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 fill=\"#0072b2\" fill-opacity=\"{:.2}\"/>",
                area.across(x) - width / 2.0,
                area.down(y) - height / 2.0,
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
