//! A plan that ran as a tree of text: time and rows of each operator as bars, the slowest path marked.

use std::time::Duration;

use lakesh_text::quantity::grouped;

use super::{Observation, Operator};

/// How wide a bar is that stands for the most.
const BAR: usize = 10;

/// The width that operators are cut to.
const WIDEST: usize = 64;

/// Renders a plan that ran, a line an operator, below a line that explains the columns.
pub fn tree(observation: &Observation) -> Vec<String> {
    let operators = &observation.operators;
    let slowest = slowest_path(observation);
    let most_time = operators.iter().filter_map(|one| one.elapsed).max();
    let most_rows = operators.iter().filter_map(|one| one.rows).max();
    let names: Vec<String> = (0..operators.len())
        .map(|id| label(observation, id))
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0).max("operator".len());
    let mut lines = vec![format!(
        "  {:width$}  {:BAR$} {:>10}  {:BAR$} {:>13}  expected",
        "operator", "time", "", "rows", ""
    )];
    for (operator, name) in operators.iter().zip(&names) {
        let mark = if slowest.contains(&operator.id) {
            '*'
        } else {
            ' '
        };
        let share_of_time = operator.elapsed.map(|elapsed| ratio(elapsed, most_time));
        let share_of_rows = operator
            .rows
            .map(|rows| rows as f64 / most_rows.unwrap_or(1).max(1) as f64);
        let line = format!(
            "{mark} {name:width$}  {} {:>10}  {} {:>13}  {}",
            bar(share_of_time),
            operator.elapsed.map_or_else(String::new, milliseconds),
            bar(share_of_rows),
            operator.rows.map_or_else(String::new, grouped),
            expected(operator)
        );
        lines.push(line.trim_end().to_owned());
    }
    lines.push(format!(
        "* the slowest path; time is summed over partitions, {} in all",
        milliseconds(observation.elapsed())
    ));
    lines
}

/// Returns the operators of the path from the root on which most time was spent.
fn slowest_path(observation: &Observation) -> Vec<usize> {
    let mut path = Vec::new();
    let mut next = (!observation.operators.is_empty()).then_some(0);
    while let Some(id) = next {
        path.push(id);
        next = observation
            .children(id)
            .map(|child| child.id)
            .max_by_key(|child| {
                let below = observation.subtree(*child).iter();
                let time: Duration = below.filter_map(|operator| operator.elapsed).sum();
                // Of equal ones the first, as EXPLAIN shows them.
                (time, std::cmp::Reverse(*child))
            });
    }
    path
}

fn label(observation: &Observation, id: usize) -> String {
    let operator = &observation.operators[id];
    let mut branches = Vec::new();
    let mut current = operator;
    while let Some(parent) = current.parent {
        let last = observation.children(parent).last().map(|child| child.id);
        let is_last = last == Some(current.id);
        branches.push(match (branches.is_empty(), is_last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
        current = &observation.operators[parent];
    }
    let branches: String = branches.into_iter().rev().collect();
    cut(&format!("{branches}{}", operator.line), WIDEST)
}

/// Cuts a text that is too long, with an ellipsis.
pub fn cut(text: &str, widest: usize) -> String {
    if text.chars().count() <= widest {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(widest - 1).collect();
    short.push('…');
    short
}

fn ratio(elapsed: Duration, most: Option<Duration>) -> f64 {
    let most = most.unwrap_or_default().as_secs_f64();
    if most == 0.0 {
        return 0.0;
    }
    elapsed.as_secs_f64() / most
}

/// Draws a share from 0 to 1 in eighths of a character.
fn bar(share: Option<f64>) -> String {
    let eighths = (share.unwrap_or(0.0).clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let mut drawn = "█".repeat(eighths / 8);
    let parts = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if let Some(part) = (eighths % 8).checked_sub(1) {
        drawn.push(parts[part]);
    }
    let missing = BAR - drawn.chars().count();
    drawn.push_str(&" ".repeat(missing));
    drawn
}

fn expected(operator: &Operator) -> String {
    let Some(estimate) = operator.estimated_rows else {
        return String::new();
    };
    let guessed = if estimate.exact { "" } else { "~" };
    let number = grouped(estimate.value);
    match operator.far_off() {
        Some(factor) => {
            format!(
                "{guessed}{number} !! off by {}x",
                grouped(factor.round() as u64)
            )
        }
        _ => format!("{guessed}{number}"),
    }
}

/// Writes a time in milliseconds.
pub fn milliseconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::super::{Estimate, Observation, Operator};
    use super::tree;

    fn operator(id: usize, parent: Option<usize>, depth: usize, time: u64, rows: u64) -> Operator {
        Operator {
            id,
            parent,
            depth,
            line: format!("Operator{id}"),
            elapsed: Some(Duration::from_millis(time)),
            rows: Some(rows),
            estimated_rows: Some(Estimate {
                value: 1000,
                exact: id == 0,
            }),
            ..Operator::default()
        }
    }

    #[test]
    fn the_slow_and_the_misjudged_stand_out() {
        let observation = Observation {
            operators: vec![
                operator(0, None, 0, 1, 1000),
                operator(1, Some(0), 1, 10, 100),
                operator(2, Some(1), 2, 0, 100),
                operator(3, Some(0), 1, 2, 2000),
                operator(4, Some(3), 2, 20, 200_000),
            ],
        };
        let lines = tree(&observation);
        let expected = [
            "  operator         time                   rows                      expected",
            "* Operator0        ▌            1.000 ms                     1,000  1,000",
            "  ├─ Operator1     █████       10.000 ms                       100  ~1,000 !! off by 10x",
            "  │  └─ Operator2               0.000 ms                       100  ~1,000 !! off by 10x",
            "* └─ Operator3     █            2.000 ms  ▏                  2,000  ~1,000",
            "*    └─ Operator4  ██████████  20.000 ms  ██████████       200,000  ~1,000 !! off by 200x",
            "* the slowest path; time is summed over partitions, 33.000 ms in all",
        ];
        let plain = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        for (line, expected) in lines.iter().zip(expected) {
            assert_eq!(plain(line), plain(expected));
        }
        assert_eq!(lines.len(), expected.len());
        // All columns begin at the same place.
        let of_time = |line: &str| {
            let byte = line.find(" ms").unwrap();
            line[..byte].chars().count()
        };
        let places: Vec<_> = lines[1..6].iter().map(|line| of_time(line)).collect();
        assert!(
            places.windows(2).all(|pair| pair[0] == pair[1]),
            "{places:?}"
        );
    }
}
