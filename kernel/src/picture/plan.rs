//! A plan as SVG: a tree of operators, a bar for the rows of each, a colour for its time.
//!
//! It takes the colours of the front end's theme where it stands in its page, and has colours of its own
//! for light and dark where it is an image.

use std::fmt::Write as _;
use std::time::Duration;

use lakesh_engine::footer::grouped;
use lakesh_engine::picture::PlanNode;

use super::{percent, shortened};
use crate::mime::escaped;

const WIDTH: f64 = 960.0;
/// Where the columns for rows and time begin.
const ROWS_AT: f64 = 590.0;
const TIME_AT: f64 = 800.0;
/// The length of the longest bar of rows.
const BAR: f64 = 110.0;
const HEAD: f64 = 26.0;
/// The height of an operator with the room below it.
const LINE: f64 = 42.0;
const BOX: f64 = 35.0;
const INDENT: f64 = 20.0;
/// Deeper operators are not indented more.
const DEEPEST: usize = 14;
/// Operators beyond these are counted only.
const MOST: usize = 300;
/// About the width of a letter.
const LETTER: f64 = 5.7;

/// The colours; without `--jp-…` of a notebook's page those of the system's theme.
const STYLE: &str = "<style>\
.lakesh-plan{--lakesh-text:#1f2328;--lakesh-dim:#57606a;--lakesh-line:#8c959f;--lakesh-panel:#ffffff;\
--lakesh-box:#f3f5f8;--lakesh-bar:#4a90d9}\
@media (prefers-color-scheme:dark){.lakesh-plan{--lakesh-text:#e6edf3;--lakesh-dim:#9da7b1;\
--lakesh-line:#6e7681;--lakesh-panel:#0d1117;--lakesh-box:#1c2430;--lakesh-bar:#388bfd}}\
.lakesh-plan text{fill:var(--jp-content-font-color1,var(--lakesh-text))}\
.lakesh-plan .lakesh-dim{fill:var(--jp-content-font-color2,var(--lakesh-dim))}\
.lakesh-plan .lakesh-panel{fill:var(--jp-layout-color0,var(--lakesh-panel))}\
.lakesh-plan .lakesh-box{fill:var(--jp-layout-color2,var(--lakesh-box))}\
.lakesh-plan .lakesh-edge{stroke:var(--jp-border-color0,var(--lakesh-line));fill:none}\
.lakesh-plan .lakesh-rows{fill:var(--lakesh-bar)}\
.lakesh-plan .lakesh-time{fill:#e8590c}\
</style>";

/// Draws a plan.
pub(crate) fn plan(root: &PlanNode) -> String {
    let mut operators = Vec::new();
    let count = list(root, None, 0, &mut operators);
    let drawing = Drawing::new(&operators);
    let height = HEAD + LINE * operators.len() as f64 + 8.0;
    let more = count - operators.len();
    let height = height + if more > 0 { 20.0 } else { 0.0 };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"lakesh-plan\" role=\"img\" \
         aria-label=\"the plan of the query\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" style=\"max-width:100%;height:auto\" \
         font-family=\"system-ui,sans-serif\" font-size=\"11\">{STYLE}\
         <rect class=\"lakesh-panel\" width=\"100%\" height=\"100%\" rx=\"6\"/>"
    );
    drawing.head(&mut svg, root.is_estimate);
    // Edges first, so that boxes lie over them.
    for (index, operator) in operators.iter().enumerate() {
        edge(&mut svg, &operators, index, operator);
    }
    for (index, operator) in operators.iter().enumerate() {
        drawing.operator(&mut svg, index, operator);
    }
    if more > 0 {
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<text class=\"lakesh-dim\" x=\"10\" y=\"{}\">{} more operators</text>",
            height - 10.0,
            grouped(more as u64)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// An operator with its place in the tree.
struct Placed<'a> {
    node: &'a PlanNode,
    depth: usize,
    /// The operator that takes its rows.
    parent: Option<usize>,
}

impl Placed<'_> {
    fn left(&self) -> f64 {
        8.0 + INDENT * self.depth.min(DEEPEST) as f64
    }
}

/// Lists operators from the root on, each before what it reads; returns how many there are.
fn list<'a>(
    node: &'a PlanNode,
    parent: Option<usize>,
    depth: usize,
    operators: &mut Vec<Placed<'a>>,
) -> usize {
    let own = operators.len();
    if own < MOST {
        operators.push(Placed {
            node,
            depth,
            parent,
        });
    }
    let inputs = node.inputs.iter();
    1 + inputs
        .map(|input| list(input, Some(own), depth + 1, operators))
        .sum::<usize>()
}

fn top(index: usize) -> f64 {
    HEAD + LINE * index as f64
}

/// Draws the line from an operator to the one that takes its rows.
fn edge(svg: &mut String, operators: &[Placed<'_>], index: usize, operator: &Placed<'_>) {
    let Some((parent, taker)) = operator
        .parent
        .and_then(|parent| Some((parent, operators.get(parent)?)))
    else {
        return;
    };
    let _ = write!(
        svg,
        "<path class=\"lakesh-edge\" d=\"M{:.0} {:.0}V{:.0}H{:.0}\"/>",
        taker.left() + 9.0,
        top(parent) + BOX,
        top(index) + BOX / 2.0,
        operator.left().max(taker.left() + 10.0)
    );
}

/// What sizes and colours are relative to.
struct Drawing {
    most_rows: u64,
    longest: Duration,
    total: Duration,
}

impl Drawing {
    fn new(operators: &[Placed<'_>]) -> Self {
        let times = || {
            operators
                .iter()
                .filter_map(|operator| operator.node.elapsed)
        };
        let rows = operators.iter().filter_map(|operator| operator.node.rows);
        Self {
            most_rows: rows.max().unwrap_or(0),
            longest: times().max().unwrap_or_default(),
            total: times().sum(),
        }
    }

    fn head(&self, svg: &mut String, is_estimate: bool) {
        let rows = match is_estimate {
            true => "rows, estimated",
            false => "rows",
        };
        let time = match self.total > Duration::ZERO {
            true => "time over all threads",
            false => "",
        };
        for (at, text) in [(10.0, "operator"), (ROWS_AT, rows), (TIME_AT, time)] {
            let _ = write!(
                svg,
                "<text class=\"lakesh-dim\" x=\"{at}\" y=\"17\">{text}</text>"
            );
        }
    }

    fn operator(&self, svg: &mut String, index: usize, operator: &Placed<'_>) {
        let (left, top) = (operator.left(), top(index));
        let width = ROWS_AT - 20.0 - left;
        let letters = ((width - 16.0) / LETTER) as usize;
        let frame = format!(
            "x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{BOX}\" rx=\"5\""
        );
        let _ = write!(svg, "<rect class=\"lakesh-box\" {frame}/>");
        let heat = share(operator.node.elapsed.unwrap_or_default(), self.longest);
        if heat > 0.0 {
            // Faint enough that the text on it stays readable in both themes.
            let _ = write!(
                svg,
                "<rect class=\"lakesh-time\" {frame} fill-opacity=\"{:.2}\"/>",
                heat * 0.45
            );
        }
        let details = operator.node.details.join(" · ");
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" font-size=\"12\" font-weight=\"600\">{}</text>\
             <text class=\"lakesh-dim\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            left + 8.0,
            top + 15.0,
            escaped(&shortened(&operator.node.name, letters)),
            left + 8.0,
            top + 29.0,
            escaped(&shortened(&details, letters))
        );
        self.rows(svg, top, operator.node.rows);
        self.time(svg, top, operator.node.elapsed);
    }

    /// Draws a bar whose length follows the number of digits: plans have tables of ten and of billions.
    fn rows(&self, svg: &mut String, top: f64, rows: Option<u64>) {
        let Some(rows) = rows else {
            return;
        };
        let digits = |rows: u64| (rows as f64 + 1.0).ln();
        let length = match self.most_rows {
            0 => 0.0,
            most => digits(rows) / digits(most) * BAR,
        };
        let _ = write!(
            svg,
            "<rect class=\"lakesh-rows\" x=\"{ROWS_AT}\" y=\"{:.0}\" width=\"{length:.1}\" \
             height=\"7\" rx=\"2\"/><text x=\"{ROWS_AT}\" y=\"{:.0}\">{}</text>",
            top + 20.0,
            top + 15.0,
            grouped(rows)
        );
    }

    fn time(&self, svg: &mut String, top: f64, elapsed: Option<Duration>) {
        let Some(elapsed) = elapsed else {
            return;
        };
        let length = share(elapsed, self.longest) * BAR;
        let _ = write!(
            svg,
            "<rect class=\"lakesh-time\" x=\"{TIME_AT}\" y=\"{:.0}\" width=\"{length:.1}\" \
             height=\"7\" rx=\"2\"/><text x=\"{TIME_AT}\" y=\"{:.0}\">{} · {}</text>",
            top + 20.0,
            top + 15.0,
            duration(elapsed),
            percent(share(elapsed, self.total))
        );
    }
}

fn share(part: Duration, whole: Duration) -> f64 {
    match whole.is_zero() {
        true => 0.0,
        false => part.as_secs_f64() / whole.as_secs_f64(),
    }
}

fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    match seconds {
        _ if seconds >= 1.0 => format!("{seconds:.2} s"),
        _ if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lakesh_engine::picture::PlanNode;

    use super::{MOST, plan};

    fn node(name: &str, rows: u64, milliseconds: u64, inputs: Vec<PlanNode>) -> PlanNode {
        PlanNode {
            name: name.to_owned(),
            details: vec!["predicate=a < '<script>'".to_owned()],
            rows: Some(rows),
            is_estimate: false,
            elapsed: Some(Duration::from_millis(milliseconds)),
            inputs,
        }
    }

    #[test]
    fn rows_and_time_are_drawn_to_scale() {
        let scan = node("DataSource", 999, 30, Vec::new());
        let svg = plan(&node("Filter", 0, 10, vec![scan]));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert_eq!(svg.matches("class=\"lakesh-box\"").count(), 2);
        assert_eq!(svg.matches("class=\"lakesh-edge\"").count(), 1);
        // The longest bars of rows and of time are those of the scan.
        assert!(
            svg.contains("width=\"110.0\" height=\"7\" rx=\"2\"/><text x=\"590\" y=\"83\">999<")
        );
        assert!(
            svg.contains("30.0 ms · 75 %") && svg.contains("10.0 ms · 25 %"),
            "{svg}"
        );
        assert!(svg.contains("fill-opacity=\"0.45\"") && svg.contains("fill-opacity=\"0.15\""));
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
    }

    #[test]
    fn an_estimate_says_so_and_has_no_times() {
        let mut root = node("Filter", 5, 0, Vec::new());
        (root.is_estimate, root.elapsed) = (true, None);
        let svg = plan(&root);
        assert!(
            svg.contains("rows, estimated") && !svg.contains("threads"),
            "{svg}"
        );
        root.rows = None;
        assert!(!plan(&root).contains("NaN"));
    }

    #[test]
    fn a_huge_plan_is_cut() {
        let inputs = (0..MOST + 9).map(|rows| node("Scan", rows as u64, 1, Vec::new()));
        let svg = plan(&node("Union", 1, 1, inputs.collect()));
        assert_eq!(svg.matches("class=\"lakesh-box\"").count(), MOST);
        assert!(svg.contains("10 more operators"));
    }
}
