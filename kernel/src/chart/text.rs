//! Charts as text, for the terminal and for front ends that show nothing else.

use lakesh_engine::failure::printable;

use super::points::{Axis, Points, shown};
use super::request::{Kind, Request};

/// Columns and rows of the drawing.
const WIDTH: usize = 60;
const HEIGHT: usize = 17;

/// Letters of a label.
const LABEL: usize = 20;

/// Draws a chart.
pub(super) fn draw(request: &Request, points: &Points) -> String {
    let title = format!(
        "{} by {}\n",
        printable(request.y.as_deref().unwrap_or("count")),
        printable(&request.x)
    );
    if points.rows.is_empty() {
        return title + "(no rows)\n";
    }
    title
        + &match request.kind {
            Kind::Bar | Kind::Histogram => bars(points),
            Kind::Box => boxes(points),
            Kind::Line | Kind::Area | Kind::Scatter => grid(points, false),
            Kind::Heatmap => grid(points, true),
        }
}

fn bars(points: &Points) -> String {
    let axis = Axis::new(points, "y", &["y"], true);
    let zero = axis.place_of(Some(&0.into())).unwrap_or(0.0);
    let mut text = String::new();
    for row in &points.rows {
        let mut label = shown(row.get("x"));
        if row.contains_key("color") {
            label = format!("{label} {}", shown(row.get("color")));
        }
        let length = axis.place(row).map_or(0.0, |place| (place - zero).abs());
        let eighths = (length * WIDTH as f64 * 8.0).round() as usize;
        let mut bar = "█".repeat(eighths / 8);
        let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        bar.push_str(rest[eighths % 8]);
        text.push_str(&format!(
            "{} {bar} {}\n",
            fitted(&label),
            shown(row.get("y"))
        ));
    }
    text
}

fn boxes(points: &Points) -> String {
    let axis = Axis::new(points, "y", &["low", "high"], false);
    let mut text = String::new();
    for row in &points.rows {
        let mut line = vec![' '; WIDTH];
        let at = |name: &str| {
            let place = axis.place_of(row.get(name))?;
            Some(((place * (WIDTH - 1) as f64).round() as usize).min(WIDTH - 1))
        };
        let places = (at("low"), at("q1"), at("y"), at("q3"), at("high"));
        if let (Some(low), Some(q1), Some(middle), Some(q3), Some(high)) = places {
            line[low..=high].fill('─');
            line[q1..=q3].fill('█');
            line[low] = '├';
            line[high] = '┤';
            line[middle] = '│';
        }
        let line: String = line.into_iter().collect();
        let ends = format!("{} … {}", shown(row.get("low")), shown(row.get("high")));
        text.push_str(&format!("{} {line} {ends}\n", fitted(&shown(row.get("x")))));
    }
    text
}

fn grid(points: &Points, shades: bool) -> String {
    let x = Axis::new(points, "x", &["x"], false);
    let y = Axis::new(points, "y", &["y"], false);
    let colours = match shades {
        true => Vec::new(),
        false if points.scale("color").is_some() => points.values("color"),
        false => Vec::new(),
    };
    let strength = Axis::new(points, "color", &["color"], true);
    let mut cells = vec![vec![' '; WIDTH]; HEIGHT];
    for row in &points.rows {
        let (Some(across), Some(up)) = (x.place(row), y.place(row)) else {
            continue;
        };
        let column = ((across * (WIDTH - 1) as f64).round() as usize).min(WIDTH - 1);
        let line = ((up * (HEIGHT - 1) as f64).round() as usize).min(HEIGHT - 1);
        let group = shown(row.get("color"));
        let group = colours.iter().position(|value| *value == group);
        cells[HEIGHT - 1 - line][column] = if shades {
            let level = strength.place(row).unwrap_or(0.0) * 4.0;
            ['·', '░', '▒', '▓', '█'][(level.round() as usize).min(4)]
        } else {
            ['•', 'o', '+', 'x', '*', '#', '@', '%'][group.unwrap_or(0) % 8]
        };
    }
    let mut text = String::new();
    let ticks = y.ticks(5);
    for (index, line) in cells.iter().enumerate() {
        let share = (HEIGHT - 1 - index) as f64 / (HEIGHT - 1) as f64;
        let near = |tick: &&(f64, String)| (tick.0 - share).abs() < 0.5 / (HEIGHT - 1) as f64;
        let label = ticks.iter().find(near).map_or("", |(_, label)| label);
        let line: String = line.iter().collect();
        text.push_str(&format!("{} │{}\n", fitted(label), line.trim_end()));
    }
    let ticks = x.ticks(2);
    let ends: Vec<_> = ticks.iter().map(|(_, label)| printable(label)).collect();
    let (first, last) = (
        ends.first().map_or("", String::as_str),
        ends.last().map_or("", String::as_str),
    );
    let room = WIDTH.saturating_sub(first.chars().count());
    text.push_str(&format!("{} └{}\n", fitted(""), "─".repeat(WIDTH)));
    text.push_str(&format!("{}  {first}{last:>room$}\n", fitted("")));
    for (index, value) in colours.iter().enumerate().take(8) {
        let mark = ['•', 'o', '+', 'x', '*', '#', '@', '%'][index % 8];
        text.push_str(&format!("{} {mark} {}\n", fitted(""), printable(value)));
    }
    text
}

/// Brings a label to its width.
fn fitted(label: &str) -> String {
    let label = printable(label);
    if label.chars().count() > LABEL {
        let head: String = label.chars().take(LABEL - 1).collect();
        return head + "…";
    }
    format!("{label:>LABEL$}")
}
