//! A plan as SVG: a tree of operators, a bar for the rows of each, a colour for its time.
//!
//! It takes the colours of the front end's theme where it stands in its page, and has colours of its own
//! for light and dark where it is an image.

use std::fmt::Write as _;
use std::time::Duration;

use lakesh_engine::observation::Operator;
use lakesh_engine::picture::PlanPicture;
use lakesh_engine::quantity::{format_size, grouped};

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
pub(crate) fn plan(plan: &PlanPicture) -> String {
    let all = &plan.observation.operators;
    let operators = &all[..all.len().min(MOST)];
    let more = all.len() - operators.len();
    let drawing = Drawing::new(plan, operators);
    let room_for_more = if more > 0 { 20.0 } else { 0.0 };
    let height = HEAD + LINE * operators.len() as f64 + 8.0 + room_for_more;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"lakesh-plan\" role=\"img\" \
         aria-label=\"the plan of the query\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" style=\"max-width:100%;height:auto\" \
         font-family=\"system-ui,sans-serif\" font-size=\"11\">{STYLE}\
         <rect class=\"lakesh-panel\" width=\"100%\" height=\"100%\" rx=\"6\"/>"
    );
    drawing.head(&mut svg);
    // Edges first, so that boxes lie over them.
    for operator in operators {
        edge(&mut svg, operators, operator);
    }
    let nothing = Vec::new();
    for operator in operators {
        let details = plan.details.get(operator.id).unwrap_or(&nothing);
        drawing.operator(&mut svg, operator, details);
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

fn left(operator: &Operator) -> f64 {
    8.0 + INDENT * operator.depth.min(DEEPEST) as f64
}

fn top(index: usize) -> f64 {
    HEAD + LINE * index as f64
}

/// Draws the line from an operator to the one that takes its rows.
fn edge(svg: &mut String, operators: &[Operator], operator: &Operator) {
    let Some(taker) = operator.parent.and_then(|taker| operators.get(taker)) else {
        return;
    };
    let _ = write!(
        svg,
        "<path class=\"lakesh-edge\" d=\"M{:.0} {:.0}V{:.0}H{:.0}\"/>",
        left(taker) + 9.0,
        top(taker.id) + BOX,
        top(operator.id) + BOX / 2.0,
        left(operator).max(left(taker) + 10.0)
    );
}

/// What is worth knowing of an operator besides its rows and its time.
fn remarks(operator: &Operator) -> Vec<String> {
    let mut remarks = Vec::new();
    let considered = [
        (operator.files, "files"),
        (operator.row_groups, "row groups"),
    ];
    for (considered, what) in considered {
        if let Some(found) = considered.filter(|found| found.pruned > 0) {
            let (pruned, all) = (grouped(found.pruned), grouped(found.all));
            remarks.push(format!("{pruned} of {all} {what} left out"));
        }
    }
    if operator.spill.bytes > 0 {
        remarks.push(format!("spilled {}", format_size(operator.spill.bytes)));
    }
    if let (Some(estimate), Some(_)) = (operator.estimated_rows, operator.far_off()) {
        remarks.push(format!("{} rows expected", grouped(estimate.value)));
    }
    remarks
}

/// What sizes and colours are relative to.
struct Drawing {
    has_run: bool,
    most_rows: u64,
    longest: Duration,
    total: Duration,
}

impl Drawing {
    fn new(plan: &PlanPicture, operators: &[Operator]) -> Self {
        let mut drawing = Self {
            has_run: plan.has_run,
            most_rows: 0,
            longest: operators
                .iter()
                .filter_map(|operator| operator.elapsed)
                .max()
                .unwrap_or_default(),
            total: plan.observation.elapsed(),
        };
        let rows = operators.iter().filter_map(|one| drawing.rows_of(one));
        drawing.most_rows = rows.max().unwrap_or(0);
        drawing
    }

    fn rows_of(&self, operator: &Operator) -> Option<u64> {
        match self.has_run {
            true => operator.rows,
            false => operator.estimated_rows.map(|estimate| estimate.value),
        }
    }

    fn head(&self, svg: &mut String) {
        let (rows, time) = match self.has_run {
            true => ("rows", "time over all threads"),
            false => ("rows, estimated", ""),
        };
        for (at, text) in [(10.0, "operator"), (ROWS_AT, rows), (TIME_AT, time)] {
            let _ = write!(
                svg,
                "<text class=\"lakesh-dim\" x=\"{at}\" y=\"17\">{text}</text>"
            );
        }
    }

    fn operator(&self, svg: &mut String, operator: &Operator, details: &[String]) {
        let (left, top) = (left(operator), top(operator.id));
        let width = ROWS_AT - 20.0 - left;
        let letters = ((width - 16.0) / LETTER) as usize;
        let frame = format!(
            "x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{BOX}\" rx=\"5\""
        );
        let _ = write!(svg, "<rect class=\"lakesh-box\" {frame}/>");
        let heat = share(operator.elapsed.unwrap_or_default(), self.longest);
        if heat > 0.0 {
            // Faint enough that the text on it stays readable in both themes.
            let _ = write!(
                svg,
                "<rect class=\"lakesh-time\" {frame} fill-opacity=\"{:.2}\"/>",
                heat * 0.45
            );
        }
        let mut said = remarks(operator);
        said.extend(details.iter().cloned());
        let _ = write!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" font-size=\"12\" font-weight=\"600\">{}</text>\
             <text class=\"lakesh-dim\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            left + 8.0,
            top + 15.0,
            escaped(&shortened(operator.name.trim_end_matches("Exec"), letters)),
            left + 8.0,
            top + 29.0,
            escaped(&shortened(&said.join(" · "), letters))
        );
        self.rows(svg, top, self.rows_of(operator));
        self.time(svg, top, operator.elapsed.filter(|_| self.has_run));
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

    use lakesh_engine::observation::{Considered, Estimate, Observation, Operator, Spill};
    use lakesh_engine::picture::PlanPicture;

    use super::{MOST, plan};

    /// A plan of operators that all stand below the first.
    fn picture(operators: Vec<Operator>) -> PlanPicture {
        let operators = operators.into_iter().enumerate();
        let operators: Vec<_> = operators
            .map(|(id, operator)| Operator {
                id,
                depth: usize::from(id > 0),
                parent: (id > 0).then_some(0),
                ..operator
            })
            .collect();
        PlanPicture {
            details: vec![vec!["predicate=a < '<script>'".to_owned()]; operators.len()],
            observation: Observation { operators },
            has_run: true,
        }
    }

    fn operator(name: &str, rows: u64, milliseconds: u64) -> Operator {
        Operator {
            name: name.to_owned(),
            rows: Some(rows),
            elapsed: Some(Duration::from_millis(milliseconds)),
            ..Operator::default()
        }
    }

    #[test]
    fn rows_and_time_are_drawn_to_scale() {
        let operators = vec![
            operator("FilterExec", 0, 10),
            operator("DataSourceExec", 999, 30),
        ];
        let svg = plan(&picture(operators));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert_eq!(svg.matches("class=\"lakesh-box\"").count(), 2);
        assert_eq!(svg.matches("class=\"lakesh-edge\"").count(), 1);
        // The longest bars of rows and of time are those of the scan.
        let longest = "width=\"110.0\" height=\"7\" rx=\"2\"/><text x=\"590\" y=\"83\">999<";
        assert!(svg.contains(longest), "{svg}");
        assert!(
            svg.contains("30.0 ms · 75 %") && svg.contains("10.0 ms · 25 %"),
            "{svg}"
        );
        assert!(svg.contains("fill-opacity=\"0.45\"") && svg.contains("fill-opacity=\"0.15\""));
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
    }

    #[test]
    fn what_is_worth_knowing_is_said() {
        let estimate = |value| {
            Some(Estimate {
                value,
                exact: false,
            })
        };
        let mut scan = operator("DataSourceExec", 10, 1);
        scan.files = Some(Considered { all: 9, pruned: 8 });
        scan.row_groups = Some(Considered { all: 4, pruned: 0 });
        scan.estimated_rows = estimate(1_000);
        scan.spill = Spill {
            bytes: 2 << 20,
            ..Spill::default()
        };
        let svg = plan(&picture(vec![scan.clone()]));
        let said = "8 of 9 files left out · spilled 2 MiB · 1,000 rows expected · predicate";
        assert!(svg.contains(said), "{svg}");
        scan.estimated_rows = estimate(30);
        assert!(!plan(&picture(vec![scan])).contains("expected"));
    }

    #[test]
    fn an_estimate_says_so_and_has_no_times() {
        let mut scan = operator("DataSourceExec", 7, 5);
        scan.estimated_rows = Some(Estimate {
            value: 4321,
            exact: true,
        });
        let mut picture = picture(vec![scan]);
        picture.has_run = false;
        let svg = plan(&picture);
        assert!(
            svg.contains("rows, estimated") && !svg.contains("threads"),
            "{svg}"
        );
        assert!(svg.contains(">4,321<"), "{svg}");
        picture.observation.operators[0].estimated_rows = None;
        assert!(!plan(&picture).contains("NaN"));
    }

    #[test]
    fn a_huge_plan_is_cut() {
        let operators = (0..MOST + 10).map(|rows| operator("ScanExec", rows as u64, 1));
        let svg = plan(&picture(operators.collect()));
        assert_eq!(svg.matches("class=\"lakesh-box\"").count(), MOST);
        assert!(svg.contains("10 more operators"));
    }
}
